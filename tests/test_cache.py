"""What is kept between commands: the same splits without reading, never trusted blindly, bounded, harming nobody."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_run import recbench

from recbench import datasets, prepared
from recbench.cache import Cache, limit, root
from recbench.data import Categories, Dataset, Numbers, Tags, Texts
from recbench.datasets.origins import origin_of
from recbench.errors import BadData, RecbenchError
from recbench.fingerprints import split_fingerprint, tables_hash
from recbench.prepared import Prepared, code_hash, key_of, prepare, recall, remember
from recbench.protocols.loading import load, shipped
from recbench.protocols.spec import Protocol
from recbench.records import Store
from recbench.scene import hidden_folders

PROTOCOL = """
name = "own"
[data]
interactions = { path = "ratings.csv" }
[data.items]
path = "items.csv"
id = "item"
types = { year = "number", genres = "tags", title = "text", kind = "category" }
[split]
kind = "holdout"
validation = 0.1
repeats = 2
[evaluation]
primary = "ndcg@5"
cutoffs = [5]
metrics = ["ndcg", "rmse"]
[trials]
algorithms = ["popularity"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data with features of all kinds, and a protocol over it; nothing is too small to be kept."""
    draw = np.random.default_rng(3)
    pairs = np.argwhere(draw.random((50, 30)) < 0.4)
    rows = (f"u{user},i{item},{draw.integers(1, 6)},{draw.integers(10**9)}" for user, item in pairs)
    (tmp_path / "ratings.csv").write_text("user,item,rating,time\n" + "\n".join(rows) + "\n")
    films = (
        f"i{item},{1990 + item},{'drama|noir' if item % 3 else ''},Straße {item},k{item % 2}" for item in range(40)
    )
    (tmp_path / "items.csv").write_text("item,year,genres,title,kind\n" + "\n".join(films) + "\n")
    (tmp_path / "own.toml").write_text(PROTOCOL)
    monkeypatch.setattr(prepared, "LEAST_BYTES", 0)
    return tmp_path


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(root=tmp_path / "cache", limit=10**9)


def protocol_in(folder: Path) -> Protocol:
    return load(folder / "own.toml", {})


def once(folder: Path, cache: Cache | None) -> Prepared:
    return prepare(protocol_in(folder), sources={}, cache=cache)


def kept_in(cache: Cache) -> list[Path]:
    return sorted(cache.folder("splits").iterdir())


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often data is read from here on."""
    times: list[int] = []
    original = datasets.load

    def counted(*arguments: Any, **named: Any) -> datasets.Loaded:
        times.append(1)
        return original(*arguments, **named)

    monkeypatch.setattr(datasets, "load", counted)
    return times


def assert_same(one: Prepared, other: Prepared) -> None:
    assert json.loads(json.dumps(one.facts)) == json.loads(json.dumps(other.facts))
    assert len(one.splits) == len(other.splits)
    for first, second in zip(one.splits, other.splits, strict=True):
        assert first.fingerprint == second.fingerprint == fingerprint_anew(second)
        assert (first.fold, first.leaks_future) == (second.fold, second.leaks_future)
        assert_same_tables(first.dataset, second.dataset)


def fingerprint_anew(split: Any) -> str:
    parts = {name: getattr(split, f"{name}_rows") for name in ("train", "validation", "test", "history")}
    return split_fingerprint(split.dataset.interactions, parts, tables_hash(split.dataset))


def assert_same_tables(one: Dataset, other: Dataset) -> None:
    assert (one.name, one.scale, one.positive_at_least) == (other.name, other.scale, other.positive_at_least)
    assert list(one.items) == list(other.items)
    assert [type(column) for column in one.items.values()] == [type(column) for column in other.items.values()]


def test_what_is_kept_is_what_was_read_and_split(folder: Path, cache: Cache, unread: list[int]) -> None:
    first = once(folder, cache)
    again = once(folder, cache)
    assert len(unread) == 1
    assert_same(first, again)
    assert {type(column) for column in again.splits[0].dataset.items.values()} == {Numbers, Tags, Texts, Categories}
    for array in (first.splits[0].train_rows, again.splits[0].test_rows, again.splits[0].dataset.interactions.user):
        assert type(array) is np.ndarray
        assert isinstance(array.base, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_times_cold_users_and_folds_come_back_as_they_were(folder: Path, cache: Cache) -> None:
    kinds = (
        'kind = "time"',
        'kind = "cold-user"\nhistory = 0.5',
        'kind = "k-fold"\nfolds = 3',
        'kind = "leave-last-out"',
    )
    for kind in kinds:
        text = PROTOCOL.replace('kind = "holdout"\nvalidation = 0.1\nrepeats = 2', kind)
        (folder / "own.toml").write_text(text.replace("[data]", "[data]\ncore = 2"))
        plain = once(folder, None)
        once(folder, cache)
        assert_same(plain, once(folder, cache))
    assert len(kept_in(cache)) == len(kinds)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "ratings.csv").write_text((folder / "ratings.csv").read_text() + "u1,i39,3,5\n"),
        lambda folder: (folder / "items.csv").write_text((folder / "items.csv").read_text().replace("noir", "nair")),
        lambda folder: (folder / "own.toml").write_text(PROTOCOL.replace("validation = 0.1", "validation = 0.2")),
        lambda folder: (folder / "own.toml").write_text(PROTOCOL.replace("[data]", "[data]\ncore = 3")),
    ],
    ids=["interactions", "features", "split", "core"],
)
def test_whatever_decides_a_split_makes_another_one(folder: Path, cache: Cache, unread: list[int], change: Any) -> None:
    first = once(folder, cache)
    change(folder)
    again = once(folder, cache)
    assert len(unread) == 2
    assert first.splits[0].fingerprint != again.splits[0].fingerprint
    assert len(kept_in(cache)) == 2


def test_what_does_not_decide_a_split_shares_it(folder: Path, cache: Cache, unread: list[int]) -> None:
    once(folder, cache)
    os.utime(folder / "ratings.csv", (1, 1))
    (folder / "own.toml").write_text(PROTOCOL.replace("cutoffs = [5]", "cutoffs = [5, 9]").replace('"own"', '"other"'))
    once(folder, cache)
    assert len(unread) == 1


def test_an_edit_of_recbench_never_reads_what_was_kept_before_it(
    folder: Path, cache: Cache, unread: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "package"
    (package / "below").mkdir(parents=True)
    (package / "below" / "reading.py").write_text("x = 1\n")
    before = code_hash(package)
    (package / "below" / "reading.py").write_text("x = 2\n")
    assert code_hash(package) != before
    once(folder, cache)
    monkeypatch.setattr(prepared, "code_hash", lambda package: "edited")
    once(folder, cache)
    assert len(unread) == 2


def damages(folder: Path) -> Mapping[str, Any]:
    contents = folder / "contents.json"

    def flipped(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[-3] ^= 1
        replace_file(path, bytes(content))

    def forged() -> None:
        kept = json.loads(contents.read_text())
        kept["contents"]["folds"][0]["fingerprint"] = "0" * 64
        contents.write_text(json.dumps(kept))

    return {
        "a byte of an array": lambda: flipped(folder / "all.rating.npy"),
        "a byte of test rows": lambda: flipped(folder / "0.test_rows.npy"),
        "an array is missing": (folder / "0.train_rows.npy").unlink,
        "an array is cut off": lambda: os.truncate(replace_file(folder / "all.user.npy", None), 100),
        "pickled objects": lambda: np.save(
            replace_file(folder / "all.item.npy", None), np.array([{}]), allow_pickle=True
        ),
        "another fingerprint": forged,
        "no contents": contents.unlink,
        "no JSON": lambda: contents.write_text("{"),
        "other JSON": lambda: contents.write_text("[1]"),
    }


def replace_file(path: Path, content: bytes | None) -> Path:
    content = path.read_bytes() if content is None else content
    path.unlink()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", sorted(damages(Path())))
def test_a_damaged_entry_is_as_good_as_none_and_is_made_again(
    folder: Path, cache: Cache, unread: list[int], name: str
) -> None:
    first = once(folder, cache)
    (kept,) = kept_in(cache)
    damages(kept)[name]()
    assert_same(first, once(folder, cache))
    assert len(unread) == 2
    assert_same(first, once(folder, cache))
    assert len(unread) == 2
    assert kept_in(cache) == [kept]


def test_files_that_change_while_they_are_read_are_not_kept(
    folder: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = datasets.load

    def meddling(*arguments: Any, **named: Any) -> datasets.Loaded:
        with (folder / "ratings.csv").open("a") as file:
            file.write("u1,i39,3,5\n")
        return original(*arguments, **named)

    monkeypatch.setattr(datasets, "load", meddling)
    once(folder, cache)
    assert cache.entries() == []


def test_small_data_is_read_anew(folder: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LEAST_BYTES", 1 << 20)
    once(folder, cache)
    assert cache.entries() == []


def test_a_data_set_by_name_is_kept_by_all_files_of_its_folder(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LEAST_BYTES", 0)
    sources = {source.name: source for source in datasets.builtin_sources()}
    protocol = load("movietweetings", shipped())
    origin = origin_of(protocol.data, sources=sources)
    assert origin is not None
    assert sorted(origin.files) == ["CITATION", "LICENSE", "movies.dat", "ratings.dat"]
    first = prepare(protocol, sources=sources, cache=cache)
    again = prepare(protocol, sources=sources, cache=cache)
    assert recall(cache, key_of(protocol, origin)) is not None
    assert_same(first, again)
    assert tuple(split.fingerprint for split in again.splits) == protocol.pinned.splits


def test_what_a_plugins_code_reads_is_not_kept(cache: Cache) -> None:
    source = replace(next(iter(datasets.builtin_sources())), name="theirs", read="their_package:read")
    protocol = load("movietweetings", shipped())
    data = replace(protocol.data, source="theirs")
    assert origin_of(data, sources={"theirs": source}) is None


def test_data_that_is_not_there_is_the_same_error_with_and_without_a_cache(folder: Path, cache: Cache) -> None:
    (folder / "ratings.csv").unlink()
    for kept in (cache, None):
        with pytest.raises(BadData, match=r"there is no file .*ratings\.csv"):
            once(folder, kept)


def test_what_was_out_of_use_longest_goes_first(folder: Path, cache: Cache, unread: list[int]) -> None:
    texts = [PROTOCOL.replace("seed = 42", "").replace("repeats = 2", f"seed = {seed}") for seed in range(3)]
    for age, text in zip((300, 200, 100), texts, strict=True):
        (folder / "own.toml").write_text(text)
        once(folder, cache)
        newest = cache.entries()[0]
        os.utime(newest.path, (time.time() - age, time.time() - age))
    (folder / "own.toml").write_text(texts[0])
    once(folder, cache)  # the first is in use again
    assert len(unread) == 3
    size = max(entry.size for entry in cache.entries())
    order = [entry.path for entry in cache.entries()]
    smaller = replace(cache, limit=int(2.5 * size))
    smaller.make_room()
    assert [entry.path for entry in smaller.entries()] == order[:2]
    assert not order[2].exists()


def test_what_is_larger_than_the_limit_is_not_kept(folder: Path, cache: Cache) -> None:
    assert once(folder, replace(cache, limit=1000)).splits
    assert cache.entries() == []
    assert once(folder, replace(cache, limit=0)).splits
    assert not cache.root.exists()


def test_lists_count_towards_the_limit_too(cache: Cache) -> None:
    lists = cache.folder("recommend")
    lists.mkdir(parents=True)
    for name, age in (("old", 50), ("new", 0)):
        (lists / f"{name}.npz").write_bytes(bytes(600))
        os.utime(lists / f"{name}.npz", (time.time() - age, time.time() - age))
    replace(cache, limit=1000).make_room()
    assert [path.name for path in lists.iterdir()] == ["new.npz"]


def test_what_a_killed_run_left_unfinished_goes_after_a_day(cache: Cache) -> None:
    splits = cache.folder("splits")
    for name in (".fresh", ".stale"):
        (splits / name).mkdir(parents=True)
    os.utime(splits / ".stale", (1, 1))
    cache.make_room()
    assert [path.name for path in splits.iterdir()] == [".fresh"]
    cache.clear()
    assert list(splits.iterdir()) == []


def test_a_full_disk_harms_nobody_and_is_said_once(folder: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    told: list[str] = []
    monkeypatch.setattr(prepared.np, "save", full)
    assert once(folder, replace(cache, tell=told.append)).splits
    (said,) = told
    assert said == f"splits are not kept in {cache.folder('splits')}: [Errno 28] No space left on device"
    assert kept_in(cache) == []


def test_a_folder_that_cannot_be_written_harms_nobody(folder: Path, cache: Cache) -> None:
    cache.root.write_text("a file is in the way")
    told: list[str] = []
    assert once(folder, replace(cache, tell=told.append)).splits
    assert len(told) == 1
    assert cache.entries() == []
    cache.make_room()
    assert cache.clear() == []


def test_two_runs_at_once_do_not_harm_each_other(folder: Path, cache: Cache) -> None:
    made = once(folder, None)
    failures: list[str] = []

    def write_and_read() -> None:
        for _ in range(10):
            remember(cache, "k", made)
            found = recall(cache, "k")  # none for a moment, while another takes its place
            if found is not None and fingerprint_anew(found.splits[0]) != made.splits[0].fingerprint:
                failures.append("wrong")

    told: list[str] = []
    cache = replace(cache, tell=told.append)
    threads = [threading.Thread(target=write_and_read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == told == []
    assert [path.name for path in kept_in(cache)] == ["k"]
    assert recall(cache, "k") is not None


def test_who_uses_an_entry_goes_on_when_it_is_removed(folder: Path, cache: Cache) -> None:
    once(folder, cache)
    used = once(folder, cache)
    assert len(cache.clear()) == 1
    assert fingerprint_anew(used.splits[1]) == used.splits[1].fingerprint


def test_a_sandbox_hides_what_is_kept(folder: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "theirs"))
    hidden = hidden_folders(protocol_in(folder), None, cache)
    for place in (folder / "theirs" / "recbench", cache.root):
        assert {place / "splits", place / "recommend"} <= set(hidden)


def test_the_limit_is_10_gigabytes_unless_it_is_said_otherwise() -> None:
    assert limit({}) == 10 * 10**9
    assert limit({"RECBENCH_CACHE_GB": "0.5"}) == 5 * 10**8
    assert limit({"RECBENCH_CACHE_GB": "0"}) == 0
    for wrong in ("much", "-1", "nan", "inf"):
        with pytest.raises(RecbenchError, match="RECBENCH_CACHE_GB is") as caught:
            limit({"RECBENCH_CACHE_GB": wrong})
        assert "0 to keep nothing" in caught.value.fix


def test_the_folder_is_the_users_own() -> None:
    assert root({"XDG_CACHE_HOME": "/x"}) == Path("/x/recbench")
    home = root({"HOME": "/h"})
    assert home == root({"HOME": "/h", "XDG_CACHE_HOME": "relative"})
    assert home.is_relative_to("/h")
    assert home.name == "recbench"


LARGE = """
name = "large"
[data]
interactions = { path = "large.csv" }
[split]
kind = "holdout"
[evaluation]
primary = "ndcg@5"
cutoffs = [5]
metrics = ["ndcg"]
[trials]
algorithms = ["popularity"]
"""


def test_large_data_is_kept_for_the_next_run_and_listed_until_it_is_cleared(tmp_path: Path) -> None:
    pairs = np.argwhere(np.random.default_rng(0).random((900, 900)) < 0.45)
    np.savetxt(tmp_path / "large.csv", pairs + 1000, fmt="user-%d,item-%d", header="user,item", comments="")
    assert (tmp_path / "large.csv").stat().st_size > prepared.LEAST_BYTES
    (tmp_path / "large.toml").write_text(LARGE)
    records = []
    for output in ("one", "two"):
        done = recbench(
            "run", "-p", "large.toml", "-o", output, "--json", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "c")
        )
        assert done.returncode == 0, done.stderr
        (record,) = Store(tmp_path / output).load_all()[0]
        records.append((record.trial_id, record.scores, record.counts, record.data, record.split))
    assert records[0] == records[1]
    listed = recbench("cache", "list", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "c")).stdout
    assert "large.csv, 1 split" in listed
    assert "MB of 10,000 MB in" in listed
    cleared = recbench("cache", "clear", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "c")).stdout
    assert re.fullmatch(r"\d removed, \d+\.\d MB\n", cleared)
    assert list((tmp_path / "c" / "recbench" / "splits").iterdir()) == []


def test_a_limit_that_is_no_number_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    refused = recbench("cache", "list", cwd=tmp_path, RECBENCH_CACHE_GB="much")
    assert refused.returncode == 1
    assert "Error: RECBENCH_CACHE_GB is 'much'" in refused.stderr
