"""What a whole run costs beside the algorithm: `recbench run` against bare scripts, each a process of its own.

Isolation, records and the leaderboard are included on one side, nothing but the work on the other:

    python benchmarks/bench_run.py [CASE ...] [--repeats 5] [--surprise PATH] [--peer NAME=PATH]

- `ml-100k`, `like-ml-1m`: item-kNN on MovieLens 100K, and on ratings of MovieLens 1M's size: read, split, fit, lists of
  10, score. Bare is `bare_item_knn.py`; peers do the same by `peer_item_knn.py NAME`, each by the Python at its PATH.
  The stars are no ratings to recbench here, since the script predicts none.
- `surprise`, `surprise-1m`: user-kNN ratings on the same two: read, split, fit, predict, RMSE. Surprise's side is
  `surprise_knn.py`, by the Python at PATH; recbench ranks as well.

MovieLens 100K is looked for in RECBENCH_DATA; what is not there is left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree

from taking_turns import ratings_folder, report, take_turns

HERE = Path(__file__).parent
PROTOCOL = """
name = "bench"
[data]
interactions = {{ path = "{path}", separator = "\\t", columns = ["user", "item", "{third}", "time"] }}
[split]
kind = "holdout"
test = 0.2
[evaluation]
primary = "{primary}"
cutoffs = [10]
metrics = {metrics}
[[algorithm]]
label = "knn-basic"
name = "user-cosine"
parameters = {{ similarity = "msd", over = "corated", weighting = "none", k = 40, center = "none", shrink = 0.0 }}
"""
CASES = ("ml-100k", "like-ml-1m", "surprise", "surprise-1m")
LISTS = ["precision", "recall", "ndcg", "ap", "mrr"]


def protocol(folder: Path, data: Path, *, third: str, metrics: Sequence[str], primary: str) -> Path:
    """A protocol over one file; `third` names its third column, and "rating" is what makes it ratings."""
    path = folder / f"{data.stem}-{third}.toml"
    path.write_text(PROTOCOL.format(path=data, third=third, primary=primary, metrics=list(metrics)).replace("'", '"'))
    return path


def recbench(protocol: Path, algorithm: str, output: Path) -> list[str]:
    return [sys.executable, "-m", "recbench", "run", "-p", str(protocol), "-a", algorithm, "-o", str(output)]


def lists(folder: Path, data: Path, repeats: int, peers: Sequence[tuple[str, str]]) -> None:
    chosen = protocol(folder, data, third="stars", metrics=LISTS, primary="ndcg@10")
    output = folder / "out"
    commands = {
        "recbench": recbench(chosen, "item-cosine", output),
        "bare": [sys.executable, str(HERE / "bare_item_knn.py"), str(data)],
        **{name: [python, str(HERE / "peer_item_knn.py"), name, str(data)] for name, python in peers},
    }
    report(take_turns(commands, repeats=repeats, before=lambda: rmtree(output, ignore_errors=True)), reference="bare")


def predictions(folder: Path, data: Path, repeats: int, surprise: str) -> None:
    chosen = protocol(folder, data, third="rating", metrics=["rmse"], primary="rmse")
    output = folder / "out"
    commands = {
        "recbench": recbench(chosen, "knn-basic", output),
        "Surprise": [surprise, str(HERE / "surprise_knn.py"), str(data)],
    }
    turns = take_turns(commands, repeats=repeats, before=lambda: rmtree(output, ignore_errors=True))
    report(turns, reference="Surprise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", default=CASES, help=", ".join(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--surprise", metavar="PATH", help="a Python that has scikit-surprise")
    parser.add_argument(
        "--peer", metavar="NAME=PATH", action="append", default=[], help="implicit, rectools or lenskit"
    )
    asked = parser.parse_args()
    peers = [tuple(each.split("=", 1)) for each in asked.peer]
    there = ratings_folder()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for case in asked.cases:
            print(f"\n{case}, {asked.repeats} rounds", flush=True)
            if case.endswith("-1m"):
                data = folder / "like-ml-1m.tsv"
                # In a process of its own: a command's peak begins at that of whoever starts it.
                subprocess.run([sys.executable, str(HERE / "ratings.py"), str(data)], check=True)
            elif there is None:
                print("left out: MovieLens 100K is not there, give its parent folder in RECBENCH_DATA")
                continue
            else:
                data = there / "u.data"
            if not case.startswith("surprise"):
                lists(folder, data, asked.repeats, peers)
            elif asked.surprise is None:
                print("left out: give --surprise PATH")
            else:
                predictions(folder, data, asked.repeats, asked.surprise)


if __name__ == "__main__":
    main()
