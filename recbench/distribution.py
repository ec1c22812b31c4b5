"""Installed distributions, read one by one: what is wrong with one of them hides no other. Ours is among them."""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Iterator

Distribution = importlib.metadata.Distribution

POINTS = "entry_points.txt"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@functools.cache
def distribution() -> Distribution:
    """The distribution whose command `recbench` is ours, whatever its name: `recbench` on the index is a stranger's."""
    return next(each for each in importlib.metadata.distributions() if _has_our_command(each))


def install_hint(extra: str) -> str:
    """The command that installs one of its extras."""
    return f"pip install '{distribution().name}[{extra}]'"


def versions() -> Iterator[tuple[str, str]]:
    """Name and version of every distribution on the path; those whose metadata is damaged are left out."""
    return filter(None, map(name_and_version, importlib.metadata.distributions()))


def name_and_version(distribution: Distribution) -> tuple[str, str] | None:
    """What its metadata says, or None where it does not say both in a form that may be printed. Never raises."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or distribution.read_text("")
    except (Exception, SystemExit):  # a finder of somebody else's, a damaged file
        return None
    # The header alone: parsing whole messages with their READMEs takes ten times as long.
    lines = (line.partition(":") for line in (text or "").partition("\n\n")[0].splitlines())
    header = {key.lower(): value.strip() for key, _, value in lines}
    name, version = header.get("name", ""), header.get("version", "")
    is_version = version.isprintable() and 0 < len(version) <= 64 and " " not in version
    return (name, version) if _NAME.fullmatch(name) and is_version else None


def normalized(name: str) -> str:
    """The form in which two spellings of a distribution's name are one: `My_Plugin` and `my-plugin`.

    Source: PyPA specifications, name normalization.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _has_our_command(distribution: Distribution) -> bool:
    try:
        # Most distributions are passed over without parsing.
        points = distribution.entry_points if "recbench.cli" in (distribution.read_text(POINTS) or "") else ()
        ours = (point.value for point in points if (point.group, point.name) == ("console_scripts", "recbench"))
        return any(value.startswith("recbench.cli") for value in ours)
    except (Exception, SystemExit):
        return False
