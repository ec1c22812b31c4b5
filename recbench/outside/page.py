"""The README of an export: what each file is, the rules, and whose data it is. Pure, Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recbench.data import Split, Tags
from recbench.leaderboard.splitting import sentence
from recbench.leaderboard.wording import code, count, escape
from recbench.outside.folds import numbers
from recbench.outside.tables import Table, tag_separator
from recbench.scene import Scene


def readme(scene: Scene, split: Split, tables: Sequence[Table], *, parquet: bool) -> str:
    """The README of one fold."""
    protocol = scene.protocol
    parts = [
        f"# {escape(protocol.title)}, fold {split.fold}",
        f"Exported by recbench for systems that run elsewhere: protocol {code(protocol.name)}, fold {split.fold}"
        f"{_of(scene)}. The answers of the test part are not here.",
        "## Files",
        _files(tables, parquet=parquet),
        _form(tables),
        "## Rules",
        "\n".join(f"- {rule}" for rule in _rules(scene, split)),
        "## Score what you made",
        _scoring(scene, split),
        "## Identity",
        "\n".join(f"- **{name}**: {text}" for name, text in _identity(scene, split) if text),
    ]
    return "\n\n".join(parts) + "\n"


def _of(scene: Scene) -> str:
    return "" if len(scene.splits) == 1 else f" of folds {numbers(scene)}"


def _files(tables: Sequence[Table], *, parquet: bool) -> str:
    rows = [
        f"| {code(f'{each.name}.tsv')} | {len(each):,} | {_columns(each)} | {escape(each.says)} |" for each in tables
    ]
    more = ["`SHA256SUMS`: checksums of all other files here; `sha256sum -c SHA256SUMS` compares them."]
    if parquet:
        more.append("Beside each `.tsv` lies the same table as `.parquet`.")
    if any(each.name == "pairs/pairs" for each in tables):
        more.append(
            "`pairs/` tells which pairs are in test. recbench hands them to its own algorithms only after their lists "
            "are in. Do the same: give `pairs/` to your system when its lists are written. Rows that come with "
            'predictions are marked "pairs visible in training", since nobody can see whether you did.'
        )
    if any(each.name.startswith("candidates/") for each in tables):
        more.append("`candidates/` holds the test items among others: do not fit on it.")
    return "\n".join(["| file | rows | columns | what it is |", "|---|--:|---|---|", *rows]) + "".join(
        f"\n\n{each}" for each in more
    )


def _columns(table: Table) -> str:
    return ", ".join(escape(name) for name in table.columns)


def _form(tables: Sequence[Table]) -> str:
    said = [
        "UTF-8, a header line, tabs between cells, nothing quoted: a quote is a character like any other. An empty "
        "cell is unknown. `time` is in seconds since 1970."
    ]
    for table in tables:
        for name, column in table.columns.items():
            if isinstance(column, Tags):
                said.append(
                    f"In column {code(name)} of {code(table.name + '.tsv')} tags are parted by "
                    f"{code(tag_separator(column)) or 'a blank'}."
                )
    return " ".join(said)


def _rules(scene: Scene, split: Split) -> Iterator[str]:
    evaluation, scale = scene.protocol.evaluation, split.dataset.scale
    yield f"**Split**: in test is {escape(sentence(scene.protocol.deciding()['split']))}."
    yield (
        f"**Lists**: for each user of `users.tsv` up to {evaluation.depth} items, best first. A user without a list "
        "counts as one with an empty list, and an empty place as a miss."
    )
    yield f"**Items**: {_items(scene)}"
    yield _seen(scene, split)
    yield f"**Relevant**: {_relevant(evaluation.relevant_at_least)}."
    if evaluation.train_at_least is not None:
        yield f"**Positive in training**: rankers count ratings of {evaluation.train_at_least:g} and more."
    yield f"**Cut-offs**: {', '.join(map(str, evaluation.cutoffs))}. **Primary metric**: {escape(evaluation.primary)}."
    yield f"**Metrics**: {', '.join(map(escape, evaluation.metrics))}."
    if evaluation.users == "warm":
        yield "**Users evaluated**: those of them that are in train."
    if scale is None:
        yield "**Ratings**: the data has none, so there is nothing to predict."
    else:
        yield f"**Ratings**: from {scale[0]:g} to {scale[1]:g}; predictions outside are clipped when they are scored."


def _items(scene: Scene) -> str:
    if scene.protocol.evaluation.candidates == "all":
        return "any of `items.tsv`."
    return "for each user only those of `candidates/candidates.tsv`."


def _seen(scene: Scene, split: Split) -> str:
    where = "`train.tsv` or `history.tsv`" if len(split.history_rows) else "`train.tsv`"
    if scene.protocol.evaluation.exclude_seen:
        return f"**Seen items**: what a user has in {where} must not be in the user's list."
    return f"**Seen items**: what a user has in {where} may be in the user's list."


def _relevant(least: float | None) -> str:
    return "every interaction in test" if least is None else f"ratings of {least:g} and more in test"


def _scoring(scene: Scene, split: Split) -> str:
    command = f"recbench score lists.tsv -p {scene.protocol.name} --fold {split.fold} --name my-system"
    text = (
        "Write a file with the columns user, item and rank (from 1), or user, item and score, tab-separated or CSV, "
        f"and run\n\n```console\n$ {command}\n```"
    )
    if split.dataset.scale is None:
        return text
    return text + (
        "\n\nPredictions of ratings go into a file with the columns user, item and prediction, a line for each pair of "
        "`pairs/pairs.tsv`, and are given with `--predictions FILE`."
    )


def _identity(scene: Scene, split: Split) -> Iterator[tuple[str, str]]:
    data = scene.data
    yield "Data", escape(data.get("title") or data.get("name") or "")
    yield "Home page", code(data.get("homepage") or "")
    yield "License", escape(data.get("license") or "not known to recbench: ask the data's owner")
    yield "Cite", escape(data.get("citation") or "")
    yield (
        "Size",
        (
            f"{count(len(split.train().interactions))} interactions in train, {count(len(split.test_rows))} in test, "
            f"{count(split.dataset.n_users)} users, {count(split.dataset.n_items)} items"
        ),
    )
    yield "Split's fingerprint", code(split.fingerprint)
    yield "Protocol's fingerprint", code(scene.fingerprint)
