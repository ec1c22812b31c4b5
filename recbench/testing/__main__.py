"""`python -m recbench.testing DESCRIPTOR`: works through rules and writes a verdict a line to the descriptor."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

from recbench.testing import RULES, Subject, judge


def main() -> None:
    """Judge what standard input asks for."""
    request = json.load(sys.stdin)
    subject = Subject(
        request["name"],
        plugins=[Path(path) for path in request["plugins"]],
        settings=request["settings"],
        disabled=request["disabled"],
    )
    rules = {rule.name: rule for rule in RULES}
    with os.fdopen(int(sys.argv[1]), "w") as verdicts:
        for name in request["rules"]:
            verdicts.write(json.dumps(dataclasses.asdict(judge(rules[name], subject))) + "\n")
            verdicts.flush()


if __name__ == "__main__":
    main()
