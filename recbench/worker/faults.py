"""What went wrong in a trial, as plain values: a status, a reason, and a traceback that begins in the plugin."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from recbench.ranking import InvalidScores

_HERE = str(Path(__file__).parent)
_LONGEST_REASON = 600
_LONGEST_TRACEBACK = 32_000

# How frameworks say that there is no memory left, beside MemoryError: by the name of the class, or in the message.
_ALLOCATION_ERRORS = frozenset({"OutOfMemoryError", "ResourceExhaustedError"})
_ALLOCATION_WORDS = ("can't allocate memory", "not enough memory", "std::bad_alloc", "RESOURCE_EXHAUSTED")


class InvalidResult(ValueError):
    """An algorithm gave something that cannot be a result: another shape, another type, an item twice."""


class ProgramFault(RuntimeError):
    """A program that a trial runs did not end well.

    Args:
        what: how it ended, with its last words.
        status: "failed", or "crashed" where a signal ended it.
    """

    def __init__(self, what: str, *, status: str = "failed") -> None:
        super().__init__(what)
        self.status = status


def describe(error: BaseException, step: str) -> dict[str, str]:
    """Status, reason and traceback of an error that ended the trial during `step`."""
    if isinstance(error, InvalidResult | InvalidScores):
        return {"status": "invalid", "reason": _shorten(f"{step}: {error}", _LONGEST_REASON), "traceback": ""}
    if isinstance(error, ProgramFault):
        return {"status": error.status, "reason": _shorten(f"{step}: {error}", _LONGEST_REASON), "traceback": ""}
    status = "out-of-memory" if _is_allocation_error(error) else "failed"
    text = _safely(error)
    reason = f"{type(error).__name__} in {step}" + (f": {text}" if text else "")
    return {"status": status, "reason": _shorten(reason, _LONGEST_REASON), "traceback": _traceback(error)}


def _is_allocation_error(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ in _ALLOCATION_ERRORS:
        return True
    return isinstance(error, RuntimeError) and any(words in _safely(error) for words in _ALLOCATION_WORDS)


def _traceback(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, _of_plugin(error.__traceback__))
    except Exception:  # the error is foreign: its text may raise, too
        return f"{type(error).__name__} (its text cannot be shown)"
    return _shorten("".join(lines), _LONGEST_TRACEBACK)


def _of_plugin(frames: TracebackType | None) -> TracebackType | None:
    """The traceback without the harness's own frames at its top; whole where there are no others."""
    own = frames
    while own is not None and own.tb_frame.f_code.co_filename.startswith(_HERE):
        own = own.tb_next
    return own or frames


def _safely(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # foreign code
        return "(its text cannot be shown)"


def _shorten(text: str, longest: int) -> str:
    """The beginning and the end of a text that is too long. What is not valid Unicode is replaced."""
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [...] {text[-half:]}"
