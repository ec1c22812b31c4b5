"""Running a plugin's code on import: what it prints, moves or raises stays its own affair."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import traceback
from collections.abc import Iterator

import pluggy

_LONGEST_REASON = 500
_NOT_THEIRS = (
    "<frozen importlib",
    *(os.path.dirname(file) + os.sep for file in (__file__, importlib.__file__, pluggy.__file__)),
)


@contextlib.contextmanager
def contained() -> Iterator[list[str]]:
    """Keep what runs inside from printing to stdout, reordering `sys.path` and moving the working folder.

    Entries it adds to `sys.path` go to the end, where they serve its own later imports and shadow nobody's.

    Yields:
        A list that afterwards says what was undone, a phrase each.
    """
    undone: list[str] = []
    path, entries, folder, said = sys.path, list(sys.path), _working_folder(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            yield undone
    finally:
        if not said.closed and said.getvalue():
            undone.append("prints when it is imported")
        if sys.path is not path or sys.path != entries:
            undone.append("changes sys.path when it is imported")
            path[:] = entries + [each for each in sys.path if isinstance(each, str) and each not in entries]
            sys.path = path
        if folder != _working_folder() and folder is not None:
            undone.append("changes the working folder when it is imported")
            os.chdir(folder)


def reason_of(error: BaseException) -> str:
    """An error's class and message, shortened; also where the message itself cannot be made."""
    try:
        message = str(error).strip()
    except Exception as worse:
        message = f"its message cannot be made: {type(worse).__name__}"
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


def traceback_of(error: BaseException) -> str:
    """The traceback from the plugin's first frame on; "" where none of its code ran."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_NOT_THEIRS):
        frames = frames.tb_next
    if frames is None and not isinstance(error, SyntaxError):
        return ""
    return "".join(traceback.format_exception(type(error), error, frames, limit=-20))


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None
