"""The child's side of a trial: frames, parameters, lists, and the steps from load to latency."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recbench.data import Dataset, Interactions, Split, Tags
from recbench.execution import Component, Job, Outcome, Runner
from recbench.execution.printed import Printed
from recbench.execution.shared import SharedTraining
from recbench.records import Status
from recbench.worker.channel import Channel, Decoder, Garbled, Message, encode
from recbench.worker.parameters import BadParameters, check_parameters
from recbench.worker.processes import descendants
from recbench.worker.sharing import attach, take_users

ARRAYS = st.sampled_from([np.int32, np.int64, np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
)
MESSAGES = st.builds(
    lambda kind, values, arrays: Message(kind=kind, values=values, arrays=arrays),
    st.text(max_size=5),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=3),
    st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3),
)


@given(st.lists(MESSAGES, max_size=3), st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_frames_come_out_as_they_went_in_whatever_the_pieces(messages: list[Message], size: int) -> None:
    stream = b"".join(map(encode, messages))
    decoder = Decoder(text_limit=1 << 20, array_limit=1 << 20)
    found = [m for at in range(0, len(stream), size) for m in decoder.feed(stream[at : at + size])]
    assert [(m.kind, m.values) for m in found] == [(m.kind, m.values) for m in messages]
    for sent, got in zip(messages, found, strict=True):
        assert list(sent.arrays) == list(got.arrays)
        for name, array in sent.arrays.items():
            assert got.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(got.arrays[name], array)
            assert not got.arrays[name].flags.writeable


@given(st.binary(min_size=16, max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_frame_are_refused(garbage: bytes) -> None:
    decoder = Decoder(text_limit=1 << 20, array_limit=1 << 20)
    with pytest.raises(Garbled):
        list(decoder.feed(garbage))


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        (b"[]", b""),
        (b"{}", b""),
        (b"nonsense", b""),
        (b"[" * 100_000, b""),
        (b'{"kind": 1, "values": {}, "arrays": {}}', b""),
        (b'{"kind": "a", "values": [], "arrays": {}}', b""),
        (b'{"kind": "a", "values": {}, "arrays": {"x": ["O", 1]}}', b"12345678"),
        (b'{"kind": "a", "values": {}, "arrays": {"x": ["<f8", 2]}}', b"12345678"),
        (b'{"kind": "a", "values": {}, "arrays": {"x": ["<f8", -1]}}', b""),
        (b'{"kind": "a", "values": {}, "arrays": {"x": ["<f8", "1"]}}', b"12345678"),
        (b'{"kind": "a", "values": {}, "arrays": {"x": []}}', b""),
        (b'{"kind": "a", "values": {}, "arrays": {}}', b"left over"),
    ],
)
def test_frames_that_say_nothing_are_refused(text: bytes, payload: bytes) -> None:
    head = b"RBF1" + len(text).to_bytes(4, sys.byteorder) + len(payload).to_bytes(8, sys.byteorder)
    with pytest.raises(Garbled):
        list(Decoder(text_limit=1 << 20, array_limit=1 << 20).feed(head + text + payload))


def test_a_frame_beyond_the_limits_is_refused_before_it_has_come() -> None:
    head = encode(Message(kind="x", arrays={"a": np.zeros(100)}))[:16]
    assert list(Decoder(text_limit=1000, array_limit=800).feed(head)) == []
    with pytest.raises(Garbled, match="a frame of"):
        list(Decoder(text_limit=1000, array_limit=799).feed(head))


def test_a_frame_before_garbage_is_given_in_any_case() -> None:
    frames = Decoder(text_limit=1000, array_limit=0).feed(encode(Message(kind="x")) + b"garbage that is no frame")
    assert next(frames).kind == "x"
    with pytest.raises(Garbled):
        next(frames)


def test_arrays_of_objects_are_never_sent() -> None:
    with pytest.raises(TypeError, match="arrays of object are not sent"):
        encode(Message(kind="x", arrays={"a": np.array([None])}))


def test_a_channel_whose_other_side_is_gone_says_so() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(EOFError, match="the run is gone"):
            Channel(ours).receive()


class Typed:
    def __init__(
        self,
        factors: int = 10,
        rate: float = 0.1,
        *,
        biased: bool = True,
        name: str = "x",
        kind: Literal["a", "b", 3] = "a",
        limit: int | None = None,
        old: Optional[float] = None,  # noqa: UP045 - plugins write it so, too
        layers: Sequence[int] = (1,),
        pair: tuple[int, str] = (1, "a"),
        sizes: tuple[int, ...] = (),
        nested: Mapping[str, list[float]] | None = None,
        anything: Any = None,
        untyped=None,  # type: ignore[no-untyped-def]
    ) -> None: ...


GOOD = [
    ("factors", 5), ("rate", 0.5), ("rate", 2), ("biased", False), ("name", ""), ("kind", "b"), ("kind", 3),
    ("limit", None), ("limit", 3), ("old", None), ("old", 1), ("layers", [1, 2]), ("layers", []), ("pair", [1, "a"]),
    ("sizes", []), ("sizes", [1, 2, 3]), ("nested", {"a": [1, 0.5]}), ("nested", None), ("anything", {"x": []}),
    ("untyped", [None]),
]  # fmt: skip
BAD = [
    ("factors", True, "an integer"), ("factors", 5.0, "an integer"), ("factors", "5", "an integer"),
    ("factors", None, "an integer"), ("rate", True, "a number"), ("rate", "0.5", "a number"),
    ("biased", 1, "true or false"), ("name", 1, "a string"), ("kind", "c", "one of 'a', 'b', 3"), ("kind", 3.0, "one"),
    ("kind", True, "one of"), ("limit", "x", "an integer or null"), ("old", False, "a number or null"),
    ("layers", 3, "a list of an integer"), ("layers", ["x"], "a list of an integer"), ("layers", "12", "a list"),
    ("pair", [1], "a list of an integer, a string"), ("pair", ["a", 1], "a list"), ("sizes", [1.5], "a list"),
    ("nested", {"a": ["x"]}, "an object or null"), ("nested", [], "an object or null"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_parameters_of_the_right_type_pass(name: str, value: Any) -> None:
    check_parameters(Typed, {name: value})


@pytest.mark.parametrize(("name", "value", "expected"), BAD)
def test_parameters_of_the_wrong_type_are_named_with_what_they_must_be(name: str, value: Any, expected: str) -> None:
    with pytest.raises(BadParameters) as caught:
        check_parameters(Typed, {name: value})
    assert str(caught.value).startswith(f"parameter '{name}' of Typed is {value!r}, and must be {expected}")


def test_unknown_and_missing_parameters_are_errors() -> None:
    @dataclass
    class Needs:
        factors: int
        rate: float = 0.1

    check_parameters(Needs, {"factors": 1})
    with pytest.raises(BadParameters, match=r"^Needs needs a value for the parameter 'factors'$"):
        check_parameters(Needs, {})
    with pytest.raises(BadParameters, match=r"^Needs has no parameter 'factor'; close: 'factors'$"):
        check_parameters(Needs, {"factor": 1})
    with pytest.raises(BadParameters, match=r"^Needs has no parameter 'zzz'; it takes 'factors', 'rate'$"):
        check_parameters(Needs, {"factors": 1, "zzz": 1})
    with pytest.raises(BadParameters, match=r"parameter 'factors' of Needs is 'x', and must be an integer"):
        check_parameters(Needs, {"factors": "x"})
    with pytest.raises(BadParameters, match=r"^Bare has no parameter 'x'; it takes none$"):
        check_parameters(type("Bare", (), {}), {"x": 1})


def test_a_constructor_that_takes_anything_gets_anything() -> None:
    class Open:
        def __init__(self, **options: int) -> None: ...

    check_parameters(Open, {"whatever": "x"})


def test_annotations_that_cannot_be_resolved_are_left_to_the_constructor() -> None:
    class Dangling:
        def __init__(self, x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    check_parameters(Dangling, {"x": 1})


def test_printed_text_is_kept_whole_until_it_is_too_long() -> None:
    printed = Printed()
    for number in range(3):
        printed.add(b"%d\n" % number)
    assert printed.text() == "0\n1\n2\n"
    printed.add(b"x" * (1 << 20))
    printed.add(b"end\xff")
    text = printed.text()
    assert text.startswith("0\n1\n2\nxxx")
    assert text.endswith("xend�")
    assert f"[... {printed.n_bytes - (64 << 10)} bytes left out ...]" in text


def test_descendants_are_found_below_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(descendants(process.pid)) == 1
        process.communicate(b"\n")


def test_the_worker_needs_nothing_of_the_parents_side() -> None:
    code = (
        "import sys, recbench.worker.process, recbench.worker.server\n"
        "allowed = {'api', 'data', 'errors', 'ranking', 'single_file', 'worker'}\n"
        "mine = {name.split('.')[1] for name in sys.modules if name.startswith('recbench.')}\n"
        "assert mine <= allowed, mine\n"
        "assert not {'pandas', 'sklearn', 'psutil', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Trials, run in this process: the same steps as in a child.

N_USERS, N_ITEMS = 12, 20


def world(*, validation: bool = False, history: bool = False) -> Split:
    rng = np.random.default_rng(3)
    user = np.repeat(np.arange(N_USERS), 10).astype(np.int32)
    item = np.concatenate([rng.permutation(N_ITEMS)[:10] for _ in range(N_USERS)]).astype(np.int32)
    place = np.tile(np.arange(10), N_USERS)
    dataset = Dataset(
        name="small",
        interactions=Interactions(user=user, item=item, rating=(item % 5 + 1).astype(np.float32)),
        user_ids=np.array([f"u{u}" for u in range(N_USERS)]),
        item_ids=np.array([f"i{i}" for i in range(N_ITEMS)]),
        users={"tags": Tags(starts=np.arange(N_USERS + 1) * 2, codes=np.arange(2 * N_USERS) % 5, names=tuple("abcde"))},
        scale=(1.0, 5.0),
    )
    new = (user >= N_USERS - 3) if history else np.zeros(len(user), dtype=bool)
    held = (place == 7) & ~new if validation else np.zeros(len(user), dtype=bool)
    test = place >= 8
    return Split(
        dataset=dataset,
        fold=0,
        train_rows=np.flatnonzero(~test & ~held & ~new),
        validation_rows=np.flatnonzero(held),
        test_rows=np.flatnonzero(test),
        history_rows=np.flatnonzero(new & ~test),
        fingerprint="0123456789abcdef" * 4,
        leaks_future=None,
    )


def conduct(cls: type, split: Split | None = None, **changes: Any) -> Outcome:
    setattr(sys.modules[__name__], cls.__name__, cls)
    with Runner(in_process=True) as runner:
        job = Job(target=f"{__name__}:{cls.__name__}", **({"depth": 4} | changes))
        outcome = runner.run(job, split or world())
    assert outcome is not None
    return outcome


def lists_of(outcome: Outcome) -> Any:
    assert outcome.status is Status.OK, outcome
    assert outcome.lists is not None
    return outcome.lists


def seen_by(split: Split, user: int) -> set[int]:
    rows = [split.train().interactions, split.history()]
    return {int(i) for part in rows for i in part.item[part.user == user]}


class Upwards:
    """Scores an item by its number."""

    def fit(self, train: Dataset, *, seed: int) -> None:
        self.n_items = train.n_items

    def score(self, users: Any) -> Any:
        return np.tile(np.arange(self.n_items, dtype=float), (len(users), 1))


def test_fit_gets_all_of_train_unless_it_takes_the_validation_part() -> None:
    split = world(validation=True)

    class WithoutIt(Upwards):
        def fit(self, train: Dataset, *, seed: int) -> None:
            super().fit(train, seed=seed)
            assert len(train.interactions) == len(split.train_rows) + len(split.validation_rows)

    class WithIt(Upwards):
        def fit(self, train: Dataset, *, seed: int, validation: Dataset) -> None:
            super().fit(train, seed=seed)
            np.testing.assert_array_equal(train.interactions.item, split.train_without_validation().interactions.item)
            np.testing.assert_array_equal(validation.interactions.item, split.validation().interactions.item)

    without, with_it = conduct(WithoutIt, split), conduct(WithIt, split)
    np.testing.assert_array_equal(lists_of(without), lists_of(with_it))  # what is seen is the same for both
    for user, row in enumerate(lists_of(with_it)):
        assert not seen_by(split, user) & set(row.tolist())


def test_where_a_protocol_has_no_validation_part_a_default_stays() -> None:
    class Optionally(Upwards):
        def fit(self, train: Dataset, *, seed: int, validation: Dataset | None = None) -> None:
            super().fit(train, seed=seed)
            assert validation is None

    class Always(Upwards):
        def fit(self, train: Dataset, *, seed: int, validation: Dataset) -> None:
            super().fit(train, seed=seed)
            assert len(validation.interactions) == 0
            assert validation.n_items == N_ITEMS

    lists_of(conduct(Optionally))
    lists_of(conduct(Always))


def test_training_data_arrives_whole() -> None:
    split = world(validation=True)

    class Looks(Upwards):
        def fit(self, train: Dataset, *, seed: int) -> None:
            super().fit(train, seed=seed)
            assert train.scale == (1.0, 5.0)
            assert train.positive_at_least == 4.0
            assert train.interactions.time is None
            assert train.user_ids.tolist() == split.dataset.user_ids.tolist()
            assert (train.users["tags"].matrix() != split.dataset.users["tags"].matrix()).nnz == 0  # type: ignore[union-attr]
            assert (train.user_item() != split.train().user_item()).nnz == 0

    lists_of(conduct(Looks, split, train_at_least=4.0))


def test_seen_items_come_back_only_where_the_protocol_lets_them() -> None:
    assert (lists_of(conduct(Upwards, exclude_seen=False)) == [19, 18, 17, 16]).all()
    split = world()
    for user, row in enumerate(lists_of(conduct(Upwards))):
        assert row.tolist() == sorted(set(range(N_ITEMS)) - seen_by(split, user))[:-5:-1]


def test_predictions_rank_where_there_is_nothing_else() -> None:
    class Predicts:
        def fit(self, train: Dataset, *, seed: int) -> None: ...

        def predict(self, users: Any, items: Any) -> Any:
            return np.where(items == 19, np.nan, items + 100.0 * (items == users))

    split = world()
    outcome = conduct(Predicts, split, exclude_seen=False)
    lists = lists_of(outcome)
    for user in range(N_USERS):
        assert lists[user].tolist() == [user, 18, 17, 16]
    assert outcome.n_never == N_USERS
    assert outcome.predictions is not None
    test = split.test()
    expected = np.where(test.item == 19, np.nan, test.item + 100.0 * (test.item == test.user))
    np.testing.assert_array_equal(outcome.predictions, expected)


def test_an_algorithm_that_offers_nothing_is_invalid() -> None:
    class Idle:
        def fit(self, train: Dataset, *, seed: int) -> None: ...

    outcome = conduct(Idle)
    assert outcome.status is Status.INVALID
    assert outcome.reason == "rank: Idle has neither score, recommend nor predict, so it cannot rank here"


def candidates() -> Any:
    rng = np.random.default_rng(5)
    table = np.stack([rng.permutation(N_ITEMS)[:8] for _ in range(N_USERS)]).astype(np.int32)
    table[0, 2:] = -1
    return table


@pytest.mark.parametrize("by", ["score", "predict"])
def test_lists_are_made_from_candidates_alone(by: str) -> None:
    class ByPredict:
        def fit(self, train: Dataset, *, seed: int) -> None: ...

        def predict(self, users: Any, items: Any) -> Any:
            return items.astype(float)

    split = world()
    table = candidates()
    lists = lists_of(conduct(Upwards if by == "score" else ByPredict, split, candidates=table))
    for user, row in enumerate(lists):
        expected = sorted(set(table[user].tolist()) - {-1} - seen_by(split, user))[:-5:-1]
        assert [item for item in row.tolist() if item >= 0] == expected


def test_recommend_alone_cannot_rank_candidates() -> None:
    class Own:
        def fit(self, train: Dataset, *, seed: int) -> None: ...

        def recommend(self, users: Any, k: int, seen: Any) -> Any:
            return np.full((len(users), k), -1)

    assert lists_of(conduct(Own)).max() == -1
    outcome = conduct(Own, candidates=candidates())
    assert outcome.reason == "rank: Own has neither score nor predict, so it cannot rank here"


def test_recommend_is_told_what_is_seen_only_where_that_is_masked() -> None:
    split = world()

    class Told:
        def fit(self, train: Dataset, *, seed: int) -> None: ...

        def recommend(self, users: Any, k: int, seen: Any) -> Any:
            starts, items = seen
            for row, user in enumerate(users):
                known = set(items[starts[row] : starts[row + 1]].tolist())
                assert known in (set(), seen_by(split, int(user)))
            lists = np.full((len(users), k), -1)
            lists[:, 0] = len(items) == 0
            return np.where(lists > 0, lists, -1)

    assert (lists_of(conduct(Told, split))[:, 0] == -1).all()
    assert (lists_of(conduct(Told, split, exclude_seen=False))[:, 0] == 1).all()


def test_new_users_are_served_from_their_history() -> None:
    split = world(history=True)

    class ServesNew(Upwards):
        def score(self, users: Any) -> Any:
            assert users.max() < N_USERS - 3
            return super().score(users)

        def score_new(self, histories: Dataset) -> Any:
            assert histories.user_ids.tolist() == ["u9", "u10", "u11"]
            theirs = histories.users["tags"].matrix().toarray()  # type: ignore[union-attr]
            np.testing.assert_array_equal(theirs, split.dataset.users["tags"].matrix().toarray()[9:])  # type: ignore[union-attr]
            for user in range(3):
                rows = histories.interactions.item[histories.interactions.user == user]
                assert set(rows.tolist()) == seen_by(split, 9 + user)
            return -np.tile(np.arange(N_ITEMS, dtype=float), (3, 1))

    with_it, without = lists_of(conduct(ServesNew, split)), lists_of(conduct(Upwards, split))
    np.testing.assert_array_equal(with_it[:9], without[:9])
    for user in range(9, N_USERS):
        unseen = sorted(set(range(N_ITEMS)) - seen_by(split, user))
        assert with_it[user].tolist() == unseen[:4]
        assert without[user].tolist() == unseen[:-5:-1]


def test_cold_users_without_scores_have_empty_lists_and_are_no_fault() -> None:
    class OnlyWarm(Upwards):
        def score(self, users: Any) -> Any:
            scores = super().score(users)
            scores[users >= N_USERS - 3] = np.nan
            return scores

    lists = lists_of(conduct(OnlyWarm, world(history=True)))
    assert (lists[:9] >= 0).all()
    assert (lists[9:] == -1).all()
    assert conduct(OnlyWarm).reason == "rank: all scores are NaN for user 9, who has a history"


def test_build_makes_declared_components_with_the_protocols_parameters() -> None:
    class Part(Upwards):
        def __init__(self, sign: int = 1) -> None:
            self.sign = sign

        def score(self, users: Any) -> Any:
            return self.sign * super().score(users)

    class Whole:
        def __init__(self, part: str) -> None:
            self.part = part

        def fit(self, train: Dataset, *, seed: int, build: Any) -> None:
            assert build(self.part).sign == -1
            assert build(self.part, sign=1).sign == 1
            with pytest.raises(ValueError, match="'other' is not among the declared components: 'part'"):
                build("other")
            with pytest.raises(ValueError, match="parameter 'sign' of Part is 'x', and must be an integer"):
                build(self.part, sign="x")
            self.inner = build(self.part)
            self.inner.fit(train, seed=seed)

        def score(self, users: Any) -> Any:
            return self.inner.score(users)

    sys.modules[__name__].Part = Part  # type: ignore[attr-defined]
    component = Component(target=f"{__name__}:Part", parameters={"sign": -1})
    outcome = conduct(Whole, parameters={"part": "part"}, components={"part": component}, exclude_seen=False)
    assert (lists_of(outcome) == [0, 1, 2, 3]).all()


def test_blocks_stay_small_whatever_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbench.worker.rankers._SCORES_PER_BLOCK", 5 * N_ITEMS)
    sizes = []

    class Counts(Upwards):
        def score(self, users: Any) -> Any:
            sizes.append(len(users))
            return super().score(users)

    in_blocks = lists_of(conduct(Counts))
    assert sizes[:3] == [5, 5, 2]
    assert set(sizes[3:]) == {1}  # the requests of single users, for the latency
    np.testing.assert_array_equal(in_blocks, lists_of(conduct(Upwards)))


def test_shared_training_data_cannot_be_written_and_holds_no_test_row() -> None:
    split = world(validation=True)
    shared = SharedTraining(split)
    arrays = attach(shared.descriptor, shared.layout)
    assert not any(array.flags.writeable for array in arrays.values())
    assert {name.partition("/")[0] for name in arrays} == {
        "user_ids", "item_ids", "users", "train", "rest", "validation"
    }  # fmt: skip
    np.testing.assert_array_equal(arrays["train/item"], split.train().interactions.item)
    assert shared.is_intact()


def test_a_file_that_cannot_be_sealed_is_checked_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr("recbench.execution.shared.IS_LINUX", False)
    shared = SharedTraining(world())
    assert shared.is_intact()
    os.pwrite(shared.descriptor, b"\xff" * 64, 0)
    assert not shared.is_intact()


def test_rows_of_users_are_taken_with_their_features() -> None:
    dataset = world().dataset
    taken = take_users(dataset, np.array([3, 1]), dataset.interactions.take(np.array([], dtype=np.int64)))
    tags = taken.users["tags"]
    assert isinstance(tags, Tags)
    assert tags.codes.tolist() == [1, 2, 2, 3]
    assert taken.user_ids.tolist() == ["u3", "u1"]
