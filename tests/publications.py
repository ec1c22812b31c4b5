"""A small folder of records with boards, as `recbench run` and `recbench score` leave one, to be tampered with."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recbench import benchmark, boards, outside
from recbench.cli.offers import registry
from recbench.protocols.loading import load
from recbench.records import Store, trial_id
from recbench.records import load as load_record
from recbench.trials import Selection
from recbench.verifying import Means, Verification, verify

N_USERS, N_ITEMS = 30, 20
ALGORITHMS = ("popularity", "item-mean", "random", "broken")

PROTOCOL = """
name = "small"
title = "Small"
[data]
interactions = { path = "ratings.tsv", separator = "\\t", columns = ["user", "item", "rating"] }
scale = [1, 5]
[split]
kind = "holdout"
test = 0.3
seed = 3
[evaluation]
primary = "ndcg@5"
cutoffs = [3, 5]
metrics = ["rmse", "mae", "recall", "ndcg", "coverage"]
relevant_at_least = 4
[trials]
seeds = [0]
"""
BROKEN = """
from recbench.api import Algorithm, hookimpl

class Broken:
    def fit(self, train, *, seed):
        raise RuntimeError("no luck")
    def score(self, users):
        raise AssertionError

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="broken", target="MODULE:Broken", deterministic=True)
"""


class Quiet:
    """Hears nothing."""

    def stage(self, trial: object, stage: str) -> None: ...

    def finished(self, trial: object, entry: object) -> None: ...


def make(folder: Path) -> Path:
    """Run the protocol, score something made elsewhere, write the boards; gives the folder of the output."""
    draw = random.Random(1)
    rows = [
        (f"u{u}", f"i{i}", draw.randint(1, 5)) for u in range(N_USERS) for i in draw.sample(range(N_ITEMS), 8 + u % 5)
    ]
    (folder / "ratings.tsv").write_text("".join(f"{u}\t{i}\t{r}\n" for u, i, r in rows))
    (folder / "small.toml").write_text(PROTOCOL)
    plugin = folder / f"broken_{uuid.uuid4().hex}.py"  # a module of that name is loaded once a process
    plugin.write_text(BROKEN.replace("MODULE", plugin.stem))
    protocol, offered = load(folder / "small.toml", {}), registry((plugin,))
    options = benchmark.Options(output=folder / "out", in_process=True)
    agenda = benchmark.arrange(protocol, offered, Selection(wanted=ALGORITHMS), options)
    benchmark.run(agenda, options, Quiet())
    _score(folder, agenda.scene, offered)
    boards.write(folder / "out")
    return folder / "out"


def _score(folder: Path, scene: Any, offered: Any) -> None:
    (split,) = scene.splits
    train = split.train().interactions
    seen = set(zip(train.user.tolist(), train.item.tolist(), strict=True))
    lines = ["user,item,rank"]
    for user, name in enumerate(split.dataset.user_ids.tolist()):
        unseen = [item for item in range(split.dataset.n_items) if (user, item) not in seen][:5]
        lines += [f"{name},{split.dataset.item_ids[item]},{rank}" for rank, item in enumerate(unseen, 1)]
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    submission = outside.Submission(name="mine", lists=folder / "mine.csv")
    outside.score(submission, scene.protocol, offered, folder / "out")


def verified(output: Path) -> Verification:
    """`recbench verify` with the protocol beside the output."""
    protocol = load(output.parent / "small.toml", {})
    return verify(output, Means(registry=registry(), protocols=(protocol,)))


def said(found: Verification) -> str:
    """Everything that does not hold."""
    return "\n".join(f"{each.where}: {each.what}" for each in found.findings)


def path_of(output: Path, label: str) -> Path:
    """The file of a row's record."""
    return next(path for path in Store(output).paths() if load_record(path).label == label)


def edit(path: Path, change: Callable[[dict[str, Any]], object], *, renew_id: bool = False) -> Path:
    """Change a record's JSON as a forger would who keeps its form; with `renew_id` its id and file names follow."""
    document = json.loads(path.read_text())
    change(document)
    target = path
    if renew_id:
        document["trial_id"] = trial_id(document["identity"])
        target = path.with_name(f"{document['trial_id']}.json")
        path.unlink()
        if path.with_suffix(".npz").is_file():
            path.with_suffix(".npz").rename(target.with_suffix(".npz"))
    target.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return target
