"""Records on disk: whole or not at all, the same bytes for the same values, and read with suspicion."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.errors import BadRecord, RecbenchError
from recbench.records import Record, Status, Store, from_json, load, read_lists, to_json, trial_id
from recbench.records import store as store_module

IDENTITY = {"algorithm": {"name": "ease", "parameters": {"l2": 100.0}}, "seed": 0}
LISTS = np.array([[3, 1, -1], [0, 2, 5]], np.int32)
PREDICTIONS = np.array([3.25, np.nan])


def record(**more: Any) -> Record:
    given: dict[str, Any] = {
        "trial_id": trial_id(IDENTITY),
        "identity": IDENTITY,
        "label": "ease",
        "algorithm": "ease",
        "distribution": "someone",
        "version": "1.0",
        "deterministic": True,
        "baseline": False,
        "seed": 0,
        "fold": 0,
        "status": Status.OK,
        "protocol": {
            "name": "p",
            "fingerprint": "ab" * 32,
            "metrics": {"ndcg": {"range": [0.0, 1.0]}, "mse": {"range": [0.0, None]}},
        },
        "split": {"fold": 0},
        "data": {"name": "d"},
        "metrics_version": 1,
        "scores": {"ndcg@10": 0.25, "mse": 12.5},
    }
    return Record(**(given | more))


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
    scores=st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=4),
    reason=st.text(),
    marks=st.lists(st.text(), max_size=3).map(tuple),
)
def test_any_values_come_back_unchanged(scores: dict[str, float], reason: str, marks: tuple[str, ...]) -> None:
    scores = {key: value for key, value in scores.items() if not key.startswith(("ndcg", "mse"))}
    one = record(scores=scores, reason=reason, status=Status.FAILED, marks=marks)
    assert from_json(to_json(one), "here") == one


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
    path = Store(tmp_path).save(record(), lists=lists, predictions=None)
    assert read_lists(path, load(path))[0].tolist() == lists.tolist()


def test_names_of_protocols_stay_in_the_folder(tmp_path: Path) -> None:
    hostile = record(protocol={"name": "../../etc/|<b>", "fingerprint": "cd" * 32, "metrics": {}})
    path = Store(tmp_path).save(hostile, lists=None, predictions=None)
    assert path.parent == tmp_path / "records" / "etc-b-cdcdcdcd"


def test_a_record_is_found_by_its_id_under_every_protocol(tmp_path: Path) -> None:
    store = Store(tmp_path)
    other = record(protocol={"name": "q", "fingerprint": "cd" * 32, "metrics": {}})
    paths = [store.save(each, lists=LISTS, predictions=None) for each in (record(), other)]
    assert store.find(trial_id(IDENTITY)) == paths
    assert store.find("../" + trial_id(IDENTITY)) == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.raises(RecbenchError, match="No space left on device") as caught:
        Store(tmp_path).save(record(), lists=LISTS, predictions=PREDICTIONS)
    assert "free some space" in caught.value.fix
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


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
        (edit(lambda d: d.pop("label")), "lacks 'label'"),
        (edit(lambda d: d.update(more=1)), "unknown key 'more'"),
        (edit(lambda d: d.update(seed="0")), "seed is '0'"),
        (edit(lambda d: d.update(fold=True)), "fold is True"),
        (edit(lambda d: d.update(status="great")), "status is 'great'"),
        (edit(lambda d: d.update(status="unavailable")), "status is 'unavailable'"),
        (edit(lambda d: d.update(status="failed")), "a reason goes with every status but ok"),
        (edit(lambda d: d["identity"].update(seed=1)), "is not that of the identity"),
        (edit(lambda d: d["measured"].pop("fit_seconds")), "measured is"),
        (edit(lambda d: d["measured"].update(fit_seconds="1")), "measured is"),
        (edit(lambda d: d["scores"].update({"ndcg@10": 1.5})), "out of its range"),
        (edit(lambda d: d["scores"].update({"mse": -1})), "out of its range"),
        (edit(lambda d: d["scores"].update({"mse": "1"})), "not a number"),
        (edit(lambda d: d["counts"].update({"pairs": 1e999})), "is not JSON"),
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


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
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


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"not a zip", "cannot be read"),
        (archive({}), "holds"),
        (archive({"lists.npy": GOOD, "../escape.npy": GOOD}), "holds"),
        (archive({"lists.npy": npy(np.array([object()]), allow_pickle=True)}), "holds objects"),
        (archive({"lists.npy": GOOD[:-4]}), "ends early"),
        (archive({"lists.npy": lying_header()}), "claims 2,400,000,000 bytes"),
        (archive({"lists.npy": npy(np.zeros(3, np.int32))}), "lists are"),
        (archive({"lists.npy": npy(np.zeros((2, 3)))}), "lists are"),
        (archive({"lists.npy": GOOD, "predictions.npy": GOOD}), "predictions are"),
        (archive({"lists.npy": b"no array"}), "cannot be read"),
    ],
)
def test_arrays_of_strangers_are_checked_before_they_are_read(saved: Path, content: bytes, what: str) -> None:
    import hashlib

    saved.with_suffix(".npz").write_bytes(content)
    forged = replace(load(saved), lists={"sha256": hashlib.sha256(content).hexdigest()})
    with pytest.raises(BadRecord, match=what):
        read_lists(saved, forged)


def test_lists_that_were_changed_are_refused(saved: Path) -> None:
    found = load(saved)
    saved.with_suffix(".npz").write_bytes(archive({"lists.npy": npy(LISTS + 1)}))
    with pytest.raises(BadRecord, match="is not what the record was made from"):
        read_lists(saved, found)
    saved.with_suffix(".npz").unlink()
    with pytest.raises(BadRecord, match="cannot be read"):
        read_lists(saved, found)


def test_a_zip_bomb_is_refused_by_its_claim(saved: Path) -> None:
    import hashlib

    content = bytearray(archive({"lists.npy": GOOD}))
    place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    content[place : place + 4] = (1 << 31).to_bytes(4, "little")
    saved.with_suffix(".npz").write_bytes(content)
    forged = replace(load(saved), lists={"sha256": hashlib.sha256(bytes(content)).hexdigest()})
    with pytest.raises(BadRecord, match="claims 2,147,483,648 bytes"):
        read_lists(saved, forged)
