"""Rules on what must not change an answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recbench.data import Int64Array, owned
from recbench.testing import worlds
from recbench.testing.fresh import fit_afresh
from recbench.testing.randomness import globally_seeded
from recbench.testing.rule import Breach, NotApplicable
from recbench.testing.subject import Fitted, Subject

_TOLERANCE = 1e-6
_SEED_ADVICE = "take all randomness from np.random.default_rng(seed), and give `seed` to every framework"

Answers = Mapping[str, NDArray[np.generic]]


def one_seed_gives_the_same_bytes(subject: Subject) -> None:
    """Anyone must be able to make a result again: two fits with one seed give the same, to the last bit."""
    world = worlds.checkerboard()
    fitted, again = subject.fitted(world), subject.fit(world.train)
    mine, others = (each.answers(each.everybody()) for each in (fitted, again))
    for method, values in mine.items():
        if values.tobytes() != others[method].tobytes():
            raise Breach(f"{method} differs between two fits with seed 0", fix=_SEED_ADVICE)


def global_random_state_does_not_matter(subject: Subject) -> None:
    """What another library did to `random` and `np.random` before must not decide a result."""
    one, other = (_answers_after(subject, seed) for seed in (12345, 54321))
    _require_same(one, other, "the global random state", fix=_SEED_ADVICE)


def hash_seed_and_folder_do_not_matter(subject: Subject) -> None:
    """The order of sets changes from process to process, and nobody starts in the same folder: results may not."""
    one, other = fit_afresh(subject, hash_seed=0), fit_afresh(subject, hash_seed=1)
    if one.digest != other.digest:
        raise Breach(
            "results differ between two processes that differ in PYTHONHASHSEED and working folder",
            fix="sort what comes out of a set or a listing of files before its order decides anything",
        )


def size_of_the_block_does_not_matter(subject: Subject) -> None:
    """The harness asks for users in blocks whose size depends on the catalogue: 1, 7 or all must say the same."""
    fitted = subject.fitted(worlds.checkerboard())
    whole = fitted.answers(fitted.everybody())
    for size in (1, 7):
        _require_same(whole, _in_blocks(fitted, size), f"asking for {size} at a time", fix=_block_advice())


def order_of_users_does_not_matter(subject: Subject) -> None:
    """Users are asked for in any order, some of them twice: each must get the same answer."""
    fitted = subject.fitted(worlds.checkerboard())
    users = owned(np.concatenate([fitted.everybody()[::-1], fitted.everybody()[:5]]))
    whole = fitted.answers(fitted.everybody())
    mixed = {method: values[users] for method, values in whole.items()}
    _require_same(mixed, fitted.answers(users), "the order of users", fix=_block_advice())


def relabelling_permutes_the_answers(subject: Subject) -> None:
    """Indexes are names: renumbering users and items, and turning the rows round, may only permute the answers."""
    if not subject.declaration.deterministic:
        raise NotApplicable("it is not declared deterministic, so the order of rows may steer its random numbers")
    fitted = subject.fitted(worlds.checkerboard())
    if "recommend" in (whole := fitted.answers(fitted.everybody())):
        raise NotApplicable("it breaks ties itself")
    rng = np.random.default_rng(0)
    users, items = rng.permutation(fitted.train.n_users), rng.permutation(fitted.train.n_items)
    moved = subject.fit(worlds.relabelled(fitted.train, users, items))
    expected = {method: values[users][:, items] for method, values in whole.items()}
    _require_same(
        expected,
        moved.answers(moved.everybody()),
        "the numbering of users and items",
        fix="do not let an index decide: break ties by value, or leave them to the harness",
    )


def _answers_after(subject: Subject, seed: int) -> Answers:
    """What it says when the global generators go on from `seed`."""
    with globally_seeded(seed):
        fitted = subject.fit(worlds.checkerboard().train)
        return fitted.answers(fitted.everybody())


def _in_blocks(fitted: Fitted, size: int) -> Answers:
    users = fitted.everybody()
    parts = [fitted.answers(_block(users, start, size)) for start in range(0, len(users), size)]
    return {method: np.concatenate([part[method] for part in parts]) for method in parts[0]}


def _block(users: Int64Array, start: int, size: int) -> Int64Array:
    return owned(users[start : start + size].copy())


def _block_advice() -> str:
    return "compute each user's answer from that user alone, not from whoever else is in the block"


def _require_same(expected: Answers, found: Answers, cause: str, *, fix: str) -> None:
    for method, values in expected.items():
        other = found[method].astype(np.float64)
        mine = values.astype(np.float64)
        scale = max(1.0, float(np.max(np.abs(mine), initial=0.0, where=np.isfinite(mine))))
        if not np.allclose(mine, other, rtol=0, atol=_TOLERANCE * scale, equal_nan=True):
            worst = np.nanmax(np.abs(mine - other))
            raise Breach(f"{cause} changes what {method} says, by up to {worst:.3g}", fix=fix)
