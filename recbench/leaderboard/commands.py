"""The commands that make a board again. Pure."""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence

from recbench.leaderboard.standings import Board, Standing
from recbench.leaderboard.wording import plain
from recbench.records import Record

LINE = 100


def commands(board: Board) -> list[str]:
    """As few commands as will do: one label can have one set of parameters in a run.

    Words are quoted for a POSIX shell, and lines are continued before they get long.
    """
    runs: dict[int, list[Standing]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    ours = [standing for standing in board.standings if not standing.first.is_external]
    for standing in sorted(ours, key=lambda each: (each.first.label, bool(_settings(each)), each.name)):
        runs[seen[standing.first.label]].append(standing)
        seen[standing.first.label] += 1
    run = [_folded([_head(board, rows), *_words(board, rows)]) for _, rows in sorted(runs.items())]
    return [*run, *(_score(board, record) for record in board.records if record.is_external)]


def _score(board: Board, record: Record) -> str:
    """How what was made elsewhere is scored again, by whoever has its files."""
    fold = ["--fold", str(record.fold)] * (len(board.splits) > 1)
    words = ["-p", _protocol(board), *fold, "--name", record.label]
    has_predictions = "predictions" in record.identity.get("parts", ())
    files = " LISTS" * record.has_lists + " --predictions PREDICTIONS" * has_predictions
    return _folded([f"recbench score{files}", " ".join(map(_quoted, words))])


def _head(board: Board, rows: Sequence[Standing]) -> str:
    files = sorted({each.first.distribution for each in rows if each.first.version == "file"})
    head = ["recbench", "run", "-p", _protocol(board)]
    for file in files:
        head += ["--plugin", file]
    for plugin in sorted({str(each.first.provenance.get("other_python", "")) for each in rows} - {""}):
        head += ["--python", f"{plugin}=PATH"]
    return " ".join(map(_quoted, head))


def _protocol(board: Board) -> str:
    """Its name, or the name of its file, for whoever has that."""
    return str(board.protocol.get("file") or board.protocol["name"])


def _words(board: Board, rows: Sequence[Standing]) -> Iterator[str]:
    for standing in rows:
        yield f"-a {_quoted(standing.first.label)}"
    for standing in rows:
        for name, value in sorted(_settings(standing).items()):
            yield f"--set {_quoted(f'{standing.first.label}.{name}={json.dumps(value)}')}"
    for seed in _seeds(board, rows):
        yield f"--seed {seed}"
    if all(record.provenance.get("sandboxed") for standing in rows for record in standing.records):
        yield "--sandbox"


def _settings(standing: Standing) -> dict[str, object]:
    return dict(standing.first.protocol.get("settings") or {})


def _seeds(board: Board, rows: Sequence[Standing]) -> list[int]:
    """The model seeds, where they are not those that the protocol gives anyhow."""
    usual = list(board.protocol["trials"].get("seeds", [0]))
    records = [record for standing in rows for record in standing.records]
    drawn = sorted({record.seed for record in records if not record.deterministic})
    expected = sorted(usual) if drawn else usual[:1]
    found = drawn or sorted({record.seed for record in records})
    return [] if found == expected else found


def _quoted(word: str) -> str:
    return shlex.quote(plain(word))


def _folded(words: Sequence[str]) -> str:
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > LINE:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)
