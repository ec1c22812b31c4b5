"""Records on disk: whole or not at all, the same bytes for the same values, and read with suspicion."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records_by_hand import identity, protocol, record

from recbench import leaderboard
from recbench.errors import BadRecord, RecbenchError
from recbench.records import Record, Status, Store, from_json, load, read_lists, to_json, trial_id
from recbench.records import store as store_module
from recbench.records.arrays import pack
from recbench.records.form import alike
from recbench.records.parsing import parse

LISTS = np.array([[3, 1, -1], [0, 2, 5]], np.int32)
PREDICTIONS = np.array([3.25, np.nan])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return Store(tmp_path).save(record(), lists=LISTS, predictions=PREDICTIONS)


def test_a_record_comes_back_as_it_was(saved: Path) -> None:
    found = load(saved)
    assert replace(found, lists=None) == record()
    lists, predictions = read_lists(saved, found)
    assert lists.dtype == np.int32
    assert lists.tolist() == LISTS.tolist()
    assert predictions is not None
    np.testing.assert_array_equal(predictions, PREDICTIONS)


@given(
    scores=st.dictionaries(st.text(max_size=8).map("other-{}".format), st.floats(-1e100, 1e100), max_size=4),
    reason=st.text(),
    marks=st.lists(st.text(), max_size=3).map(tuple),
)
def test_any_values_come_back_unchanged(scores: dict[str, float], reason: str, marks: tuple[str, ...]) -> None:
    one = record(scores=scores, reason=reason, status=Status.FAILED, marks=marks)
    assert from_json(to_json(one), "here") == one


def test_half_a_surrogate_pair_comes_back_from_disk(tmp_path: Path) -> None:
    one = record(output="\ud800 as a plugin may print it")
    path = Store(tmp_path).save(one, lists=None, predictions=None)
    assert load(path) == one


def test_predictions_may_be_missing(tmp_path: Path) -> None:
    path = Store(tmp_path).save(record(), lists=LISTS, predictions=None)
    assert read_lists(path, load(path))[1] is None


def test_the_same_values_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (Store(tmp_path / name).save(record(), lists=LISTS, predictions=PREDICTIONS) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.with_suffix(".npz").read_bytes() == two.with_suffix(".npz").read_bytes()


@pytest.mark.parametrize("greatest", [100, 30_000, 2_000_000])
def test_lists_are_kept_in_the_narrowest_type_and_read_in_the_usual_one(tmp_path: Path, greatest: int) -> None:
    lists = np.array([[greatest, -1]], np.int32)
    one = record(identity={**identity(), "depth": 2}, split={"users": 1, "items": greatest + 1})
    one = replace(one, trial_id=trial_id(one.identity))
    path = Store(tmp_path).save(one, lists=lists, predictions=None)
    assert read_lists(path, load(path))[0].tolist() == lists.tolist()
    with zipfile.ZipFile(path.with_suffix(".npz")) as archive:
        assert archive.getinfo("lists.npy").file_size - 128 == lists.size * {100: 1, 30_000: 2}.get(greatest, 4)


def test_names_of_protocols_stay_in_the_folder(tmp_path: Path) -> None:
    hostile = record(protocol=protocol(name="../../etc/|<b>", fingerprint="cd" * 32))
    path = Store(tmp_path).save(hostile, lists=None, predictions=None)
    assert path.parent == tmp_path / "records" / "etc-b-cdcdcdcd"


def test_a_record_is_found_by_its_id_under_every_protocol(tmp_path: Path) -> None:
    store = Store(tmp_path)
    other = record(protocol=protocol(name="q", fingerprint="cd" * 32))
    paths = [store.save(each, lists=LISTS, predictions=None) for each in (record(), other)]
    assert store.find(record().trial_id) == sorted(paths)
    assert store.find("../" + record().trial_id) == []
    assert store.by_trial() == {record().trial_id: sorted(paths)}


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.raises(RecbenchError, match="No space left on device") as caught:
        Store(tmp_path).save(record(), lists=LISTS, predictions=PREDICTIONS)
    assert "free some space" in caught.value.fix
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_disk_that_fills_up_while_a_record_is_replaced_keeps_the_old_one(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in (saved, saved.with_suffix(".npz"))}
    full_from = iter([0, 0, 28])

    def fills_up(_descriptor: int) -> None:
        if code := next(full_from, 28):
            raise OSError(code, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", lambda descriptor: fills_up(descriptor))
    with pytest.raises(RecbenchError, match="No space left"):
        Store(tmp_path).save(record(output="new"), lists=LISTS + 1, predictions=PREDICTIONS)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == before or kept.keys() == {saved.with_suffix(".npz")}


def test_a_folder_one_may_not_write_to_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("a file where the folder should be")
    with pytest.raises(RecbenchError, match="cannot be written") as caught:
        Store(tmp_path).save(record(), lists=LISTS, predictions=None)
    assert "-o" in caught.value.fix


def test_a_record_saved_again_takes_the_place_of_the_first_with_all_it_had(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path)
    store.save(record(output="two"), lists=LISTS[::-1], predictions=None)
    lists, predictions = read_lists(saved, load(saved))
    assert (load(saved).output, lists.tolist(), predictions) == ("two", LISTS[::-1].tolist(), None)
    store.save(record(status=Status.FAILED, reason="this time"), lists=None, predictions=None)
    assert load(saved).lists is None
    assert not saved.with_suffix(".npz").exists()


def test_at_every_moment_of_a_replacement_a_record_stands_beside_its_own_arrays(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    replace_file = os.replace

    def look(source: Path, target: Path) -> None:
        for moment in (False, True):
            if moment:
                replace_file(source, target)
            seen.append(saved.exists())
            if saved.exists():
                read_lists(saved, load(saved))

    monkeypatch.setattr(store_module.os, "replace", look)
    Store(tmp_path).save(record(), lists=LISTS[::-1], predictions=None)
    assert seen == [False, False, False, True]


def test_many_writers_of_one_trial_never_mix_their_files(tmp_path: Path) -> None:
    def write(number: int) -> None:
        lists = np.full((2, 3), number, np.int32)
        Store(tmp_path).save(record(output=str(number)), lists=lists, predictions=None)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, [n % 6 for n in range(60)]))
    (path,) = Store(tmp_path).paths()
    one = load(path)
    assert read_lists(path, one)[0].tolist() == [[int(one.output)] * 3] * 2
    assert sorted(each.suffix for each in path.parent.iterdir()) == [".json", ".npz"]


def test_what_killed_writers_left_is_passed_over_and_swept_when_old(tmp_path: Path, saved: Path) -> None:
    left = saved.with_name(".left.json.123.tmp")
    left.write_text("{")
    assert len(Store(tmp_path).load_all()[0]) == 1
    Store(tmp_path).save(record(), lists=None, predictions=None)
    assert left.exists()
    os.utime(left, (0, 0))
    Store(tmp_path).save(record(), lists=None, predictions=None)
    assert not left.exists()


def test_one_damaged_file_does_not_hide_the_others(tmp_path: Path, saved: Path) -> None:
    damaged = saved.with_name("0" * 16 + ".json")
    damaged.write_text(saved.read_text()[:100])
    records, problems = Store(tmp_path).load_all()
    assert len(records) == 1
    assert [str(damaged) in problem.what for problem in problems] == [True]


def test_a_store_reads_a_file_once_and_again_when_somebody_changed_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.save(replace(record(), label="one"), lists=LISTS, predictions=None)
    first = store.load(path)
    assert store.load(path) is first
    Store(tmp_path).save(replace(record(), label="two"), lists=LISTS, predictions=None)
    assert store.load(path).label == "two"
    os.utime(path, ns=(0, 0))
    path.write_text(path.read_text().replace('"two"', '"six"'))
    assert store.load(path).label == "six"


def test_a_store_names_a_file_that_was_damaged_or_removed_since(tmp_path: Path) -> None:
    store = Store(tmp_path)
    paths = [store.save(record(seed=seed), lists=LISTS, predictions=None) for seed in range(3)]
    assert len(store.load_all()[0]) == 3
    paths[0].write_text("{")
    paths[1].unlink()
    for _ in range(2):
        records, problems = store.load_all()
        assert records == [load(paths[2])]
        assert [str(paths[0]) in each.what for each in problems] == [True]
    with pytest.raises(BadRecord, match="cannot be read"):
        store.load(paths[1])


def test_records_of_a_store_share_what_is_equal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two, other = (
        store.load(store.save(each, lists=LISTS, predictions=None))
        for each in (record(seed=0), record(seed=1), record(seed=2, data={"name": "other"}))
    )
    assert one.data is two.data
    assert one.provenance["packages"] is two.provenance["packages"]
    assert other.data["name"] == "other"
    assert [one, two, other] == [load(store.find(each.trial_id)[0]) for each in (one, two, other)]


TEXT = to_json(record())
SPLIT_TEXT = json.dumps(json.loads(TEXT)["split"], indent=2, sort_keys=True).replace("\n", "\n  ")


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        json.dumps(json.loads(TEXT)),
        TEXT.replace('"fold": 0,', '"fold": false,'),
        TEXT.replace('"fold": 0,', '"fold": 0.0,'),
        TEXT.replace(f'\n  "split": {SPLIT_TEXT}', f'\n  "odd": [{{\n  "split": {SPLIT_TEXT}}}]'),
        TEXT.replace(f'\n  "split": {SPLIT_TEXT}', f'\n  "split": {SPLIT_TEXT},\n  "split": 3'),
        TEXT.replace(f'\n  "split": {SPLIT_TEXT}', f'\n  "split": 3,\n  "split": {SPLIT_TEXT}'),
        TEXT.replace('"label":', '"split": {"x": 1},\n  "label":'),
    ],
)
def test_what_is_shared_is_what_the_text_says(text: str) -> None:
    among = alike()
    among.parse(TEXT, "first")
    for _ in range(2):
        assert json.dumps(among.parse(text, "here")) == json.dumps(parse(text, "here"))
    assert json.dumps(among.parse(TEXT, "last")) == json.dumps(parse(TEXT, "last"))


def test_parts_that_come_in_turn_are_shared_too() -> None:
    among = alike()
    texts = [to_json(record(fold=fold, seed=seed)) for seed in range(2) for fold in range(3)]
    found = [among.parse(text, "here") for text in texts]
    assert [json.dumps(each) for each in found] == [json.dumps(parse(text, "here")) for text in texts]
    assert [one["split"] is two["split"] for one, two in zip(found[:3], found[3:], strict=True)] == [True] * 3


def test_a_fault_behind_a_shared_part_is_named_at_its_own_line() -> None:
    among = alike()
    among.parse(TEXT, "first")
    broken = TEXT.replace('"trial_id":', "trial_id:")
    with pytest.raises(BadRecord) as plain:
        parse(broken, "here")
    with pytest.raises(BadRecord) as shared:
        among.parse(broken, "here")
    assert shared.value.what == plain.value.what


def edit(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(to_json(record()))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is not JSON"),
        ("[]", "is not a record"),
        ("[" * 100_000, "nested deeper"),
        ('{"schema": NaN}', "NaN is not a value"),
        (edit(lambda d: d.update(schema=99)), "is of schema 99"),
        (edit(lambda d: d.update(schema=True)), "schema is True"),
        (edit(lambda d: d.pop("label")), "lacks 'label'"),
        (edit(lambda d: d.update(more=1)), "unknown key 'more'"),
        (edit(lambda d: d.update(seed="0")), "seed is '0'"),
        (edit(lambda d: d.update(fold=True)), "fold is True"),
        (edit(lambda d: d.update(status="great")), "status is 'great'"),
        (edit(lambda d: d.update(status="unavailable")), "status is 'unavailable'"),
        (edit(lambda d: d.update(status="failed")), "a reason goes with every status but ok"),
        (edit(lambda d: d["identity"].update(seed=1)), "is not that of the identity"),
        (edit(lambda d: d["identity"].update(seed="\ud800")), "surrogates not allowed"),
        (edit(lambda d: d["measured"].pop("fit_seconds")), "measured lacks 'fit_seconds'"),
        (edit(lambda d: d["measured"].update(fit_seconds="1")), "measured.fit_seconds is '1'"),
        (edit(lambda d: d["scores"].update({"ndcg@10": 1.5})), "out of its range"),
        (edit(lambda d: d["scores"].update({"rmse": -1})), "out of its range"),
        (edit(lambda d: d.update(scores_warm={"ndcg@5": 2})), "out of its range"),
        (edit(lambda d: d["scores"].update({"rmse": "1"})), "scores.rmse is '1'"),
        (edit(lambda d: d["scores"].update({"rmse": 10**400})), "scores.rmse is 1000"),
        (edit(lambda d: d["counts"].update({"pairs": 1e999})), "is not JSON"),
        (edit(lambda d: d["counts"].update({"pairs": -1})), "counts.pairs is -1"),
        (edit(lambda d: d["protocol"].update(fingerprint="../..")), "protocol.fingerprint is '../..'"),
        (edit(lambda d: d["protocol"]["deciding"].pop("evaluation")), "protocol.deciding lacks 'evaluation'"),
        (edit(lambda d: d["protocol"]["metrics"]["ndcg"].update(range=[0])), "protocol.metrics.ndcg.range is [0]"),
        (edit(lambda d: d["marks"].append(1)), "marks[0] is 1"),
        (edit(lambda d: d.update(lists={"sha256": "0"})), "lists.sha256 is '0'"),
    ],
)
def test_a_file_that_says_no_record_is_refused_by_name(text: str, what: str) -> None:
    with pytest.raises(BadRecord, match=r"the-file\.json") as caught:
        from_json(text.replace("Infinity", "NaN"), "the-file.json")
    assert what in caught.value.what
    assert caught.value.fix


def test_a_record_under_another_id_is_refused(saved: Path) -> None:
    other = saved.with_name("0" * 16 + ".json")
    saved.rename(other)
    with pytest.raises(BadRecord, match="holds the record"):
        load(other)


def archive(members: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=allow_pickle)
    return buffer.getvalue()


def lying_header() -> bytes:
    buffer = io.BytesIO()
    header = {"shape": (2, 300_000_000), "fortran_order": False, "descr": "<i4"}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


GOOD = npy(LISTS)


def forge(saved: Path, content: bytes) -> Record:
    """Put other arrays beside the record, and have it vouch for them."""
    saved.with_suffix(".npz").write_bytes(content)
    return replace(load(saved), lists={"sha256": hashlib.sha256(content).hexdigest()})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"not a zip", "cannot be read"),
        (archive({}), "holds"),
        (archive({"predictions.npy": GOOD}), "holds"),
        (archive({"lists.npy": GOOD, "../escape.npy": GOOD}), "holds"),
        (archive({"lists.npy": npy(np.array([object()]), allow_pickle=True)}), r"is \|O of shape"),
        (archive({"lists.npy": GOOD[:-4]}), "not as long as it says"),
        (archive({"lists.npy": lying_header()}), r"of shape \(2, 300000000\)"),
        (archive({"lists.npy": npy(np.zeros(3, np.int32))}), r"of shape \(3,\)"),
        (archive({"lists.npy": npy(np.zeros((2, 3)))}), "is <f8"),
        (archive({"lists.npy": npy(np.asfortranarray(LISTS))}), "lists.npy is <i4"),
        (archive({"lists.npy": npy(LISTS[:1])}), r"not of shape \(2, 3\)"),
        (archive({"lists.npy": npy(LISTS + 4)}), "a list has an item"),
        (archive({"lists.npy": npy(LISTS - 1)}), "a list has an item"),
        (archive({"lists.npy": GOOD, "predictions.npy": GOOD}), "predictions.npy is <i4"),
        (archive({"lists.npy": GOOD, "predictions.npy": npy(np.zeros(3))}), r"not of shape \(2,\)"),
        (archive({"lists.npy": b"no array"}), "cannot be read"),
        (archive({"lists.npy": GOOD}, compression=zipfile.ZIP_LZMA), "is not compressed as"),
    ],
)
def test_arrays_of_strangers_are_checked_before_they_are_read(saved: Path, content: bytes, what: str) -> None:
    with pytest.raises(BadRecord, match=what):
        read_lists(saved, forge(saved, content))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_to_the_arrays_is_a_bad_record_or_harmless(saved: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(pack(LISTS, PREDICTIONS))
    for place, value in changes:
        content[place % len(content)] = value
    try:
        lists, _ = read_lists(saved, forge(saved, bytes(content)))
    except BadRecord:
        return
    assert lists.shape == LISTS.shape


def test_lists_that_were_changed_are_refused(saved: Path) -> None:
    found = load(saved)
    saved.with_suffix(".npz").write_bytes(archive({"lists.npy": npy(LISTS[::-1])}))
    with pytest.raises(BadRecord, match="is not what the record was made from"):
        read_lists(saved, found)
    saved.with_suffix(".npz").unlink()
    with pytest.raises(BadRecord, match="cannot be read"):
        read_lists(saved, found)


def test_a_zip_bomb_is_refused_by_its_claim(saved: Path) -> None:
    content = bytearray(archive({"lists.npy": GOOD}))
    place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    content[place : place + 4] = (1 << 31).to_bytes(4, "little")
    with pytest.raises(BadRecord, match="claims 2,147,483,648 bytes"):
        read_lists(saved, forge(saved, bytes(content)))


def test_a_bomb_that_is_honest_in_its_directory_is_refused_by_the_record(saved: Path) -> None:
    bomb = archive({"lists.npy": GOOD + bytes(50_000_000)})
    assert len(bomb) < 100_000
    with pytest.raises(BadRecord, match="and needs 24"):
        read_lists(saved, forge(saved, bomb))


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from nodes(each, (*path, key))


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
PATHS = list(nodes(json.loads(to_json(record(scores_warm={"ndcg@5": 0.5}, marks=("a mark",))))))


@settings(max_examples=400, deadline=None)
@given(path=st.sampled_from(PATHS), value=JSON)
def test_whatever_stands_in_a_record_it_is_refused_or_can_be_shown(path: tuple[Any, ...], value: Any) -> None:
    document = json.loads(to_json(record(scores_warm={"ndcg@5": 0.5}, marks=("a mark",))))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    document["trial_id"] = trial_id(document["identity"]) if isinstance(document["identity"], dict) else "0" * 16
    try:
        found = from_json(json.dumps(document), "the-file.json")
    except BadRecord:
        return
    assert from_json(to_json(found), "again") == found
    assert leaderboard.files([found]).keys() >= {"README.md"}
    assert leaderboard.terminal([found], width=80, color=False)


@pytest.mark.slow
def test_ten_thousand_records_are_read_in_less_than_four_times_what_json_takes(tmp_path: Path) -> None:
    folder = Store(tmp_path).save(record(), lists=None, predictions=None).parent
    packages = {f"package-{n}": f"{n}.0" for n in range(150)}
    for seed in range(10_000):
        one = record(seed=seed, provenance={"packages": packages}, output="x" * 2000)
        (folder / f"{one.trial_id}.json").write_text(to_json(one))
    began = time.process_time()
    for path in folder.glob("*.json"):
        json.loads(path.read_bytes())
    parsed = time.process_time()
    records, problems = Store(tmp_path).load_all()
    taken = time.process_time() - parsed
    assert (len(records), problems) == (10_000, [])
    assert taken < 4 * (parsed - began)
