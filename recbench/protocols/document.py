"""A TOML file as Python values; what is wrong with it is told with file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from recbench.errors import BadProtocol


def read(path: Path) -> dict[str, Any]:
    """The file as TOML holds it.

    Raises:
        BadProtocol: it cannot be read, or is not TOML.
    """
    content = _content(path)
    try:
        return tomllib.loads(content)
    except (ValueError, RecursionError) as error:  # too long a number, too deep a nesting: no error of tomllib's own
        what = _syntax(path, str(error), lines=content.count("\n") + 1)
        raise BadProtocol(what, fix="correct the line; https://toml.io shows the form") from error


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadProtocol(f"there is no file {str(path)!r}", fix="give the path of a TOML file") from error
    except OSError as error:
        raise BadProtocol(f"{path}: {error.strerror}", fix="give the path of a TOML file that can be read") from error
    except UnicodeDecodeError as error:
        raise BadProtocol(f"{path}: byte {error.start} is not UTF-8", fix="save the file as UTF-8") from error


def _syntax(path: Path, message: str, *, lines: int) -> str:
    """The message of a TOML error with its line in front."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, flags=re.DOTALL)
    if found is None:
        return f"{path} is not TOML: {message}"
    return f"{path}, line {found[2] or lines} is not TOML: {found[1]}"
