"""One file from one address: resumed where it was cut, and taken only when it is whole and what was expected."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeAlias
from urllib.parse import urljoin, urlsplit

from recbench.datasets.checksums import sha256_of
from recbench.errors import FetchError

OnProgress: TypeAlias = Callable[[str, int, int | None], None]

_CHUNK = 1 << 18
_MOST_BYTES = 200 << 30
_MOST_TRIES = 200
_PASSING_CODES = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


def nothing(_name: str, _done: int, _total: int | None) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What to fetch, and how.

    Attributes:
        url: http or https.
        target: the file; `.part` beside it holds what is there so far.
        sha256: hexadecimal, or None where it is not known.
        size: bytes, or None.
        by_hand: what to do where there is no network, for messages.
        progress: called with the file's name, bytes there, and bytes in all or None.
        pause: called with seconds to wait before another try.
        tries: how often to try again without getting a byte further.
        timeout_seconds: how long to wait for the server at a time.
    """

    url: str
    target: Path
    sha256: str | None = None
    size: int | None = None
    by_hand: str = "get the file by other means"
    progress: OnProgress = nothing
    pause: Callable[[float], None] = time.sleep
    tries: int = 4
    timeout_seconds: float = 30.0

    @property
    def part(self) -> Path:
        """Where the bytes go until all are there."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def version(self) -> Path:
        """Where it is remembered which version of the file the part belongs to."""
        return self.target.with_name(f"{self.target.name}.part.version")

    def failed(self, why: str) -> FetchError:
        """The error for a download that cannot be had."""
        return FetchError(f"{self.url} could not be fetched: {why}", fix=self.by_hand)


class _Passing(Exception):
    """Something that may be over at the next try."""

    def __init__(self, why: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


def download(what: Download) -> None:
    """Fetch a file.

    Raises:
        FetchError: the address, the network, the server or what it sends is not as it should be.
        OSError: the disk cannot be written.
    """
    _check_scheme(what.url, what)
    with _locked(what) as part:
        _until_whole(what, part)
        part.flush()
        os.fsync(part.fileno())
        _check_whole(what)
        os.replace(what.part, what.target)
    what.version.unlink(missing_ok=True)


def _until_whole(what: Download, part: BinaryIO) -> None:
    """Try until all bytes are there. Only tries that bring nothing count."""
    fruitless = 0
    for _ in range(_MOST_TRIES):
        before = _size(part)
        if what.size is not None and before == what.size:
            return None
        try:
            return _attempt(what, part, before)
        except _Passing as error:
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= what.tries:
                raise what.failed(str(error)) from error
            what.pause(max(error.wait_seconds, min(30.0, 0.25 * 2**fruitless)))
    raise what.failed(f"it was cut off {_MOST_TRIES} times")


def _attempt(what: Download, part: BinaryIO, before: int) -> None:
    """One request: all that is lacking, or all anew where the server cannot go on, or has another version now."""
    version = _known_version(what)
    resumable = before > 0 and (version is not None or what.sha256 is not None)
    headers = {"Range": f"bytes={before}-", **({"If-Range": version} if version else {})} if resumable else {}
    with _open(what, part, headers) as response:
        start, total = _place(response, what, before if resumable else 0)
        if start is None:
            part.truncate(0)
            raise _Passing("the server sends another part than was asked for")
        part.truncate(start)
        part.seek(start)
        if start == 0:
            what.version.write_text(response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        _copy(response, part, what, start, total)


def _copy(response: Any, part: BinaryIO, what: Download, start: int, total: int | None) -> None:
    done, most = start, what.size or total or _MOST_BYTES
    what.progress(what.target.name, done, total)
    while chunk := _chunk(response):
        done += len(chunk)
        if done > most:
            part.truncate(0)
            raise what.failed(f"the server sends more than the {most:,} bytes expected")
        part.write(chunk)
        what.progress(what.target.name, done, total)
    part.flush()
    if total is not None and done < total:
        raise _Passing(f"the connection was cut after {done:,} of {total:,} bytes")


def _chunk(response: Any) -> bytes:
    try:
        return bytes(response.read(_CHUNK))
    except http.client.IncompleteRead as error:
        raise _Passing("the connection was cut") from error
    except (http.client.HTTPException, OSError) as error:
        raise _Passing(_reason(error)) from error


def _place(response: Any, what: Download, asked: int) -> tuple[int | None, int | None]:
    """Where the bytes that come start in the file, None for a wrong place; and how many there are in all."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise what.failed("the server sends it in an encoding that was not asked for")
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None
    start: int | None = 0
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != asked:
            return None, None
        start, total = asked, int(found[3]) if found[3] != "*" else int(found[2]) + 1
    if what.size is not None and total is not None and total != what.size:
        raise what.failed(f"the server has {total:,} bytes, and {what.size:,} are expected: it is another file")
    free = shutil.disk_usage(what.target.parent).free
    if total is not None and total - (start or 0) > free:
        raise FetchError(f"{what.target.name} has {total:,} bytes, and {free:,} are free", fix="free space")
    return start, total


def _open(what: Download, part: BinaryIO, headers: dict[str, str]) -> Any:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(what),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "recbench"), ("Accept-Encoding", "identity"), *headers.items()]
    try:
        return opener.open(what.url, timeout=what.timeout_seconds)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(what, part, error) from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
            raise what.failed(f"the server's certificate is not right: {_reason(error)}") from error
        raise _Passing(_reason(error)) from error
    except ValueError as error:
        raise what.failed(f"the address is not right: {error}") from error


def _refused(what: Download, part: BinaryIO, error: urllib.error.HTTPError) -> Exception:
    if error.code == 416:  # nothing lies behind what is there: it is whole, or of another version
        part.truncate(0)
        return _Passing("the server has nothing to add to what is there")
    if error.code in _PASSING_CODES:
        wait = error.headers.get("Retry-After", "")
        return _Passing(
            f"the server answers {error.code} {error.reason}",
            wait_seconds=min(60.0, float(wait)) if wait.isascii() and wait.isdigit() else 0.0,
        )
    if 300 <= error.code < 400:
        _check_scheme(error.headers.get("Location", what.url), what)
        return what.failed("the server sends from one address to the next without end")
    return what.failed(f"the server answers {error.code} {error.reason}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirections, to http and https only, and never from https to http."""

    max_redirections = 5
    max_repeats = 2

    def __init__(self, what: Download) -> None:
        self._what = what

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl, self._what)
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme == "http":
            raise self._what.failed(f"the server sends to {newurl!r}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_scheme(url: str, what: Download) -> None:
    if urlsplit(urljoin(what.url, url)).scheme not in ("http", "https"):
        raise what.failed(f"{url!r} is neither http nor https")


def _check_whole(what: Download) -> None:
    """Hold the part against size and checksum; it is removed where it is wrong, since no try could mend it."""
    size, digest = what.part.stat().st_size, sha256_of(what.part)
    if what.size is not None and size != what.size:
        problem = f"it has {size:,} bytes, and {what.size:,} are expected"
    elif what.sha256 is not None and digest != what.sha256:
        problem = f"its sha256 is {digest}, and {what.sha256} is expected"
    elif size == 0:
        problem = "it is empty"
    else:
        return
    what.part.unlink()
    what.version.unlink(missing_ok=True)
    raise FetchError(
        f"{what.url} brings another file than expected: {problem}",
        fix=f"try again later; if it stays so, the file has changed at its owner: {what.by_hand}",
    )


@contextlib.contextmanager
def _locked(what: Download) -> Iterator[BinaryIO]:
    """The part, opened for this process alone."""
    with what.part.open("ab") as made:
        made.flush()
    with what.part.open("r+b") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchError(
                f"another process is fetching {what.target.name} into {what.target.parent}", fix="wait until it is done"
            ) from error
        yield part


def _known_version(what: Download) -> str | None:
    """What names the version that the part belongs to: the server's ETag, unless it is a weak one, or its date."""
    try:
        text = what.version.read_text("utf-8", "replace")[:200]
    except OSError:
        return None
    return text if text and text.isprintable() and not text.startswith("W/") else None


def _size(part: BinaryIO) -> int:
    part.flush()
    return os.fstat(part.fileno()).st_size


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "the server does not answer in time"
    return (getattr(reason, "strerror", None) or str(reason) or type(reason).__name__).strip()
