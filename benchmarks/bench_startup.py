"""How fast commands start, against imports of what they stand on, and of other libraries.

    python benchmarks/bench_startup.py [--repeats 9] [--peer MODULE=PATH]

MODULE is imported by the Python at PATH.
"""

from __future__ import annotations

import argparse
import sys

from taking_turns import report, take_turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--peer", metavar="MODULE=PATH", action="append", default=[])
    asked = parser.parse_args()
    recbench = [sys.executable, "-m", "recbench"]
    commands = {
        "recbench --help": [*recbench, "--help"],
        "recbench list": [*recbench, "list"],
        **{f"import {name}": [sys.executable, "-c", f"import {name}"] for name in ("numpy", "scipy.sparse", "pandas")},
    }
    for module, python in (each.split("=", 1) for each in asked.peer):
        commands[f"import {module}"] = [python, "-c", f"import {module}"]
    report(take_turns(commands, repeats=asked.repeats), reference="import numpy")


if __name__ == "__main__":
    main()
