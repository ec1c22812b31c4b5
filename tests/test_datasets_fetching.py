"""Downloads from a server on this machine that does everything a server should not."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import io
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recbench.api import Source, SourceFile
from recbench.data import Dataset
from recbench.datasets import load
from recbench.datasets.checksums import RECORD, verify_copy
from recbench.datasets.fetching import fetch
from recbench.errors import BadData, FetchError, RecbenchError
from recbench.protocols.spec import DataSpec

BODY = b"".join(b"user%d,item%d,%d\n" % (n, n % 7, n % 5 + 1) for n in range(20_000))
DIGEST = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """A server whose answers a test writes.

    Attributes:
        answers: by path: called with the handler and the number of the request for that path, from 0.
        asked: path and Range of each request.
    """

    address: str = ""
    answers: dict[str, Callable[[Any, int], None]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            n = sum(path == name for path, _ in state.asked)
            state.asked.append((name, self.headers.get("Range")))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                state.answers[name](self, n)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.address = f"http://127.0.0.1:{httpd.server_address[1]}"
        yield state
        httpd.shutdown()
        thread.join()


def send(handler: Any, body: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(handler: Any, _n: int) -> None:
    send(handler, BODY, ETag='"one"')


def ranged(body: bytes, *, cut_after: int, etag: str = '"one"') -> Callable[[Any, int], None]:
    """Serves ranges, and cuts each answer after so many bytes."""

    def answer(handler: Any, _n: int) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        part = body[start : start + cut_after]
        headers = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        send(handler, part, status=206 if start else 200, length=len(body) - start, ETag=etag, **headers)

    return answer


def source(server: Server, name: str = "data.csv", **file: Any) -> Source:
    return Source(
        name="faked",
        title="Faked",
        files=(SourceFile(name=name, url=server.url(name), **file),),
        read=f"{__name__}:read",
        license="none",
        citation="none",
        homepage="http://example.invalid",
    )


def read(folder: Path) -> Dataset:
    from recbench.datasets.assembling import assemble
    from recbench.datasets.opening import in_folder
    from recbench.datasets.reading import Reader
    from recbench.protocols.spec import FileSpec

    file = FileSpec(path=Path("data.csv"), header=False, columns=("user", "item", "rating"))
    return assemble("faked", file, Reader(opener=in_folder(folder))).dataset


def get(source: Source, into: Path, **options: Any) -> list[Path]:
    return fetch(source, into=into, pause=lambda _: None, **options)


def test_a_file_comes_whole_with_progress_and_a_checksum_recorded(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = whole
    steps: list[tuple[str, int, int | None]] = []
    (path,) = get(source(server), tmp_path, progress=lambda *step: steps.append(step))
    assert path == tmp_path / "faked" / "data.csv"
    assert path.read_bytes() == BODY
    assert steps[0] == ("data.csv", 0, len(BODY))
    assert steps[-1] == ("data.csv", len(BODY), len(BODY))
    recorded = json.loads((path.parent / RECORD).read_text())["files"]["data.csv"]
    assert recorded == {"sha256": DIGEST, "size": len(BODY), "from": server.url("data.csv")}
    assert sorted(each.name for each in path.parent.iterdir()) == ["data.csv", RECORD]


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = whole
    assert get(source(server), tmp_path) == get(source(server), tmp_path)
    assert len(server.asked) == 1


def test_a_cut_connection_goes_on_where_it_was_cut(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = ranged(BODY, cut_after=100_000)
    (path,) = get(source(server), tmp_path)
    assert path.read_bytes() == BODY
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"][
        : -(-len(BODY) // 100_000)
    ]


def test_a_later_command_goes_on_where_an_earlier_one_failed(server: Server, tmp_path: Path) -> None:
    def cut_then_gone(handler: Any, n: int) -> None:
        ranged(BODY, cut_after=50_000)(handler, n) if n == 0 else send(handler, b"", status=503)

    server.answers["data.csv"] = cut_then_gone
    with pytest.raises(FetchError, match="the server answers 503"):
        get(source(server), tmp_path)
    assert (tmp_path / "faked" / "data.csv.part").stat().st_size == 50_000
    server.answers["data.csv"] = ranged(BODY, cut_after=len(BODY))
    (path,) = get(source(server), tmp_path)
    assert server.asked[-1] == ("data.csv", "bytes=50000-")
    assert path.read_bytes() == BODY


def test_a_server_that_ignores_ranges_sends_it_all_again(server: Server, tmp_path: Path) -> None:
    def ignoring(handler: Any, n: int) -> None:
        send(handler, BODY[:100_000] if n == 0 else BODY, length=len(BODY), ETag='"one"')

    server.answers["data.csv"] = ignoring
    (path,) = get(source(server), tmp_path)
    assert path.read_bytes() == BODY


def test_a_version_that_changed_in_between_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    other = BODY.replace(b"user", b"USER")

    def changing(handler: Any, n: int) -> None:
        if n == 0:
            send(handler, BODY[:70_000], length=len(BODY), ETag='"one"')
        else:
            assert handler.headers["If-Range"] == '"one"'
            send(handler, other, ETag='"two"')

    server.answers["data.csv"] = changing
    (path,) = get(source(server), tmp_path)
    assert path.read_bytes() == other


def test_a_part_of_which_no_version_is_known_is_not_continued(server: Server, tmp_path: Path) -> None:
    def nameless(handler: Any, n: int) -> None:
        send(handler, BODY[:70_000] if n == 0 else BODY, length=len(BODY))

    server.answers["data.csv"] = nameless
    get(source(server), tmp_path)
    assert [asked for _, asked in server.asked] == [None, None]


def test_another_part_than_was_asked_for_is_not_taken(server: Server, tmp_path: Path) -> None:
    def shifted(handler: Any, n: int) -> None:
        if n == 0:
            send(handler, BODY[:70_000], length=len(BODY), ETag='"one"')
        elif handler.headers.get("Range"):
            span = f"bytes 10-{len(BODY) - 1}/{len(BODY)}"
            send(handler, BODY[10:], status=206, Content_Range=span)
        else:
            whole(handler, n)

    server.answers["data.csv"] = shifted
    (path,) = get(source(server), tmp_path)
    assert path.read_bytes() == BODY


def test_a_length_that_is_too_long_is_noticed(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, BODY, length=len(BODY) + 10)
    with pytest.raises(FetchError, match=r"the connection was cut after [\d,]+ of [\d,]+ bytes"):
        get(source(server), tmp_path)


def test_a_length_that_is_too_short_is_noticed(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, BODY, length=1000)
    with pytest.raises(FetchError, match=r"its sha256 is .* is expected"):
        get(source(server, sha256=DIGEST), tmp_path)
    with pytest.raises(FetchError, match="it is another file"):
        get(source(server, size=len(BODY)), tmp_path)
    assert not list((tmp_path / "faked").glob("*.csv"))


def test_more_than_expected_is_not_read_to_its_end(server: Server, tmp_path: Path) -> None:
    def endless(handler: Any, _n: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(10_000):
            handler.wfile.write(b"x" * 100_000)

    server.answers["data.csv"] = endless
    with pytest.raises(FetchError, match="more than the 1,000 bytes expected"):
        get(source(server, size=1000), tmp_path)


def test_a_wrong_file_is_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"<html>please log in</html>")
    with pytest.raises(FetchError, match="brings another file than expected") as caught:
        get(source(server, sha256=DIGEST), tmp_path)
    assert DIGEST in caught.value.fix
    assert str(tmp_path / "faked") in caught.value.fix
    assert list((tmp_path / "faked").iterdir()) == []


def test_a_web_page_in_place_of_an_archive_is_refused(server: Server, tmp_path: Path) -> None:
    server.answers["data.zip"] = lambda handler, _: send(handler, b"<html>please log in</html>")
    with pytest.raises(FetchError, match=r"data.zip was not unpacked: it is damaged"):
        get(source(server, "data.zip"), tmp_path)


def test_a_file_that_changed_since_the_first_fetch_is_refused(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = whole
    (path,) = get(source(server), tmp_path)
    path.unlink()
    server.answers["data.csv"] = lambda handler, _: send(handler, BODY + b"u,i,1\n")
    with pytest.raises(FetchError, match=f"{DIGEST} is expected"):
        get(source(server), tmp_path)


def test_redirections_are_followed(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"", status=302, Location=server.url("there"))
    server.answers["there"] = ranged(BODY, cut_after=100_000)
    (path,) = get(source(server), tmp_path)
    assert path.read_bytes() == BODY


def test_redirections_without_end_are_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"", status=302, Location=server.url("data.csv"))
    with pytest.raises(FetchError, match="from one address to the next without end"):
        get(source(server), tmp_path)
    assert len(server.asked) < 10


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "gopher://x/"])
def test_a_redirection_to_anything_but_http_is_refused(server: Server, tmp_path: Path, target: str) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"", status=302, Location=target)
    with pytest.raises(FetchError, match="neither http nor https"):
        get(source(server), tmp_path)


def test_an_address_that_is_not_http_is_refused(server: Server, tmp_path: Path) -> None:
    local = SourceFile(name="data.csv", url="file:///etc/passwd")
    faked = Source(name="faked", title="", files=(local,), read="", license="", citation="")
    with pytest.raises(FetchError, match="neither http nor https"):
        get(faked, tmp_path)


@pytest.mark.parametrize("status", [404, 403, 410])
def test_what_is_gone_is_asked_for_once(server: Server, tmp_path: Path, status: int) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"", status=status)
    with pytest.raises(FetchError, match=f"the server answers {status}") as caught:
        get(source(server), tmp_path)
    assert "put data.csv (no checksum known, from http://127.0.0.1" in caught.value.fix
    assert len(server.asked) == 1


def test_a_server_that_stumbles_is_asked_again_and_not_too_soon(server: Server, tmp_path: Path) -> None:
    waited: list[float] = []

    def stumbling(handler: Any, n: int) -> None:
        if n < 2:
            send(handler, b"", status=(500, 429)[n], Retry_After="7")
        else:
            whole(handler, n)

    server.answers["data.csv"] = stumbling
    fetch(source(server), into=tmp_path, pause=waited.append)
    assert waited == [7.0, 7.0]


def test_a_connection_that_breaks_off_before_an_answer_is_tried_again(server: Server, tmp_path: Path) -> None:
    def broken(handler: Any, n: int) -> None:
        if n == 0:
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            whole(handler, n)

    server.answers["data.csv"] = broken
    assert get(source(server), tmp_path)[0].read_bytes() == BODY


def test_an_encoding_nobody_asked_for_is_refused(server: Server, tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    server.answers["data.csv"] = lambda handler, _: send(handler, packed, Content_Encoding="gzip")
    with pytest.raises(FetchError, match="an encoding that was not asked for"):
        get(source(server), tmp_path)


def test_an_empty_file_is_refused(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = lambda handler, _: send(handler, b"")
    with pytest.raises(FetchError, match="it is empty"):
        get(source(server), tmp_path)


def test_without_a_network_the_error_names_file_checksum_and_folder(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = Server(address=f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(FetchError, match="could not be fetched: Connection refused") as caught:
            get(source(nobody, sha256=DIGEST), tmp_path)
    for part in ("data.csv", DIGEST, str(tmp_path / "faked"), "--data-dir", "RECBENCH_DATA"):
        assert part in caught.value.fix


def test_a_data_set_its_owner_gives_out_by_hand_is_not_fetched(tmp_path: Path) -> None:
    asked = Source(
        name="asked",
        title="",
        files=(SourceFile(name="x.tar"),),
        read="",
        license="",
        citation="",
        homepage="https://example.org",
    )
    with pytest.raises(RecbenchError, match=r"x.tar is given out by its owner only") as caught:
        get(asked, tmp_path)
    assert "https://example.org" in caught.value.fix


def test_two_at_once_do_not_write_into_one_file(server: Server, tmp_path: Path) -> None:
    server.answers["data.csv"] = whole
    (tmp_path / "faked").mkdir()
    with (tmp_path / "faked" / "data.csv.part").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match=r"another process is fetching data.csv"):
            get(source(server), tmp_path)


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", "-x", "x" * 65])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    faked = Source(name=name, title="", files=(), read="", license="", citation="")
    with pytest.raises(RecbenchError, match="a data set cannot be called"):
        get(faked, tmp_path)


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"faked-1/{name.replace('_', '.')}", content)
    return stream.getvalue()


def archived(server: Server, **contents: str | None) -> Source:
    files = tuple(SourceFile(name=name.replace("_", "."), sha256=sha256) for name, sha256 in contents.items())
    return Source(
        name="faked",
        title="",
        files=(SourceFile(name="faked.zip", url=server.url("faked.zip")),),
        contents=files,
        read=f"{__name__}:read",
        license="",
        citation="",
    )


def test_an_archive_is_unpacked_recorded_and_removed(server: Server, tmp_path: Path) -> None:
    server.answers["faked.zip"] = lambda handler, _: send(handler, zipped(data_csv=BODY, readme_txt=b"hello"))
    wanted = archived(server, data_csv=None)
    assert get(wanted, tmp_path) == [tmp_path / "faked" / "data.csv"]
    assert sorted(path.name for path in (tmp_path / "faked").iterdir()) == ["data.csv", "readme.txt", RECORD]
    get(wanted, tmp_path)
    assert len(server.asked) == 1
    (checked,) = verify_copy(wanted, tmp_path / "faked")
    assert (checked.sha256, checked.standing) == (DIGEST, "recorded")


def test_an_archive_that_lacks_what_is_needed_is_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["faked.zip"] = lambda handler, _: send(handler, zipped(other_csv=b"x"))
    with pytest.raises(FetchError, match=r"what was fetched for 'faked' lacks data.csv"):
        get(archived(server, data_csv=None), tmp_path)


def test_what_comes_out_of_an_archive_is_held_against_its_checksum(server: Server, tmp_path: Path) -> None:
    server.answers["faked.zip"] = lambda handler, _: send(handler, zipped(data_csv=b"other"))
    with pytest.raises(BadData, match="is not the file it should be"):
        get(archived(server, data_csv=DIGEST), tmp_path)


def test_a_fetched_data_set_is_found_by_name_and_watched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server.answers["data.csv"] = whole
    wanted = source(server)
    spec = DataSpec(source="faked")
    with pytest.raises(BadData, match="the data set 'faked' is not in any of") as caught:
        load(spec, sources={"faked": wanted})
    assert "run `recbench data fetch faked`" in caught.value.fix
    (path,) = fetch(wanted)
    assert path.is_relative_to(tmp_path / "recbench" / "data")
    loaded = load(spec, sources={"faked": wanted})
    assert len(loaded.dataset.interactions) == 20_000
    assert loaded.facts["unverified"] == []
    path.write_bytes(BODY[:-1])
    with pytest.raises(BadData, match="its sha256 is"):
        load(spec, sources={"faked": wanted})


def test_an_archive_put_there_by_hand_is_read_as_it_is(server: Server, tmp_path: Path) -> None:
    (tmp_path / "faked").mkdir()
    (tmp_path / "faked" / "faked.zip").write_bytes(zipped(data_csv=BODY))
    wanted = archived(server, data_csv=None)
    loaded = load(DataSpec(source="faked"), sources={"faked": wanted}, data_dir=tmp_path)
    assert len(loaded.dataset.interactions) == 20_000
    assert loaded.facts["unverified"] == ["faked.zip"]
    assert get(wanted, tmp_path) == [tmp_path / "faked" / "data.csv"]
    assert server.asked == []
