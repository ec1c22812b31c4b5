"""How fast the built-in classics are against the best peer of each, with the same parameters and one thread.

Each side runs in an interpreter of its own, in turn, several times. Medians of the processor's seconds are printed, all
threads counted, and the medians of the ratios within a round:

    python benchmarks/bench_plugins.py --python implicit=VENV/bin/python --python surprise=... --python lenskit=...
        [CASE ...] [--data like-ml-1m | ML-100K'S FOLDER] [--repeats 3]

`rank` is the top 10 of all users without what they have, `predict` 100,000 pairs. What takes a peer to bring the data
into its own form is not counted; what takes us (matrices inside `fit`, compiling loops) is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SIDES = Path(__file__).parent / "against_peers"
sys.path.insert(0, str(SIDES))

from data import like_ml_1m, ml_100k, shape  # noqa: E402

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is compared with what."""

    library: str
    theirs: str
    use: str
    what: str
    ours: str | None = None  # the case of ours, where it is called otherwise


PAIRS = {
    "item-cosine": Pair(library="implicit", theirs="CosineRecommender", use="rank", what="100 neighbours"),
    "user-cosine": Pair(library="lenskit", theirs="UserKNNScorer", use="rank", what="300 neighbours"),
    "user-pearson": Pair(library="surprise", theirs="KNNWithMeans", use="predict", what="40 neighbours"),
    "ease": Pair(library="lenskit", theirs="EASEScorer", use="rank", what="l2 100"),
    "als": Pair(library="implicit", theirs="ALS, exact", use="rank", what="32 factors, 15 sweeps"),
    "als-cg": Pair(library="implicit", theirs="ALS, 3 steps of CG", use="rank", what="the same", ours="als"),
    "bpr": Pair(library="implicit", theirs="BPR", use="rank", what="64 factors, 20 epochs"),
    "svd": Pair(library="surprise", theirs="SVD", use="predict", what="100 factors, 20 epochs"),
    "svdpp": Pair(library="surprise", theirs="SVDpp", use="predict", what="20 factors, 2 epochs"),
    "slope-one": Pair(library="surprise", theirs="SlopeOne", use="predict", what=""),
    "puresvd": Pair(library="lenskit", theirs="BiasedSVDScorer", use="rank", what="10 factors, ARPACK"),
    "slim": Pair(library="lenskit", theirs="SLIMScorer", use="rank", what="100 sweeps at most"),
    "p3alpha": Pair(library="implicit", theirs="ItemItemRecommender", use="rank", what="100 neighbours"),
    "mlp-torch": Pair(library="torch", theirs="a bare loop", use="predict", what="1 epoch, batches of 512"),
}


def main() -> None:
    """Print a row of the table for each case that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(PAIRS)}; all where none is named")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="a library's interpreter")
    parser.add_argument("--data", default="like-ml-1m", help="like-ml-1m, or a folder with MovieLens 100K")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    unknown = set(asked.cases) - set(PAIRS)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}")
    pythons = {"torch": sys.executable, **dict(each.split("=", 1) for each in asked.python)}
    data = like_ml_1m() if asked.data == "like-ml-1m" else ml_100k(Path(asked.data))
    print(f"{shape(data)}; one thread, seconds of the processor, medians of {asked.repeats}\n")
    print("| algorithm | peer | fit s, ours | peer | then | s, ours | peer | ratio of fit | of the other | of both |")
    print("|---" * 10 + "|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        data.save(path)
        for name in asked.cases or PAIRS:
            pair = PAIRS[name]
            if pair.library in pythons:
                print(_row(name, pair, pythons[pair.library], path, asked.repeats), flush=True)
            else:
                print(f"{name}: left out, no --python {pair.library}=PATH", file=sys.stderr)


def _row(name: str, pair: Pair, python: str, path: Path, repeats: int) -> str:
    """Run both sides in turn, and write what came of it."""
    mine, theirs = [], []
    for _ in range(repeats):
        mine.append(_run(sys.executable, "ours.py", pair.ours or name, path))
        theirs.append(_run(python, "peers.py", name, path))
    seconds = {step: [median(each[step] for each in side) for side in (mine, theirs)] for step in ("fit", "use")}
    rounds = list(zip(mine, theirs, strict=True))
    ratios = [
        median(sum(own[step] for step in steps) / sum(peer[step] for step in steps) for own, peer in rounds)
        for steps in (("fit",), ("use",), ("fit", "use"))
    ]
    label = f"{name} ({pair.what})" if pair.what else name
    cells = [*(f"{each:.2f}" for each in seconds["fit"]), pair.use, *(f"{each:.2f}" for each in seconds["use"])]
    return f"| {' | '.join([label, f'{pair.library}: {pair.theirs}', *cells, *(f'{each:.2f}' for each in ratios)])} |"


def _run(python: str, side: str, case: str, path: Path) -> dict[str, float]:
    """Seconds by step, of one process."""
    command = [python, str(SIDES / side), case, str(path)]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
