"""From a TOML file to a protocol. Everything that cannot be meant is an error that names file and key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from recbench.api import Metric
from recbench.errors import BadProtocol, UnknownName
from recbench.protocols.commands import command
from recbench.protocols.document import read
from recbench.protocols.files import data_spec, interaction_file
from recbench.protocols.readers import (
    Reader,
    Unfit,
    anything,
    flag,
    json_value,
    label,
    list_of,
    number,
    one_of,
    positive,
    seed,
    set_of,
    sha256,
    share,
    share_or_none,
    shown,
    table_of,
    text,
    whole,
)
from recbench.protocols.sections import Section
from recbench.protocols.spec import (
    AlgorithmSpec,
    DataSpec,
    EvaluationSpec,
    FileSpec,
    Kind,
    PinnedSpec,
    Protocol,
    SplitSpec,
    TrialSpec,
)

KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGFUL: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "by": ("holdout", "provided"),
        "repeats": ("holdout", "k-fold", "cold-user", "cold-item"),
        "test": ("holdout", "time", "cold-user", "cold-item"),
        "folds": ("k-fold",),
        "shuffle": ("k-fold",),
        "history": ("cold-user",),
    }
)
"""Keys of [split] that mean something for some kinds only."""

MARK = "~"
"""Sets a metric's name off from the mark of sampled candidates: "recall@10~uni99"."""


def shipped() -> Mapping[str, Path]:
    """The protocols that come with recbench, by name."""
    found = sorted(Path(__file__).parent.glob("*.toml"))
    return MappingProxyType({path.stem: path for path in found})


def load(reference: str | Path, offered: Mapping[str, Path]) -> Protocol:
    """Load a protocol by name or from a file.

    Args:
        reference: a name among `offered`, or the path of a TOML file.
        offered: paths by name, those of `shipped()` and of plugins.

    Raises:
        UnknownName: nothing goes by that name.
        BadProtocol: the file cannot be read, or says what cannot be meant.
    """
    if isinstance(reference, Path) or reference not in offered:
        path = _as_path(reference, offered)
        return replace(parse(read(path), path), file=path.name)
    protocol = parse(read(offered[reference]), offered[reference])
    if protocol.name != reference:
        raise BadProtocol(
            f"{protocol.path}: name is {protocol.name!r}, but it is on offer as {reference!r}",
            fix="name the file like the protocol in it",
        )
    return protocol


def parse(document: Mapping[str, Any], path: Path) -> Protocol:
    """Make a protocol of what a TOML file holds.

    Args:
        document: what `tomllib` gives.
        path: the file, for messages and as the start of relative paths.

    Raises:
        BadProtocol: a key is unknown or missing, or a value cannot be meant.
    """
    top = Section.open("protocol", dict(document), path=path, name="")
    name = top.required("name", _name)
    for key in ("data", "split", "evaluation"):
        top.required(key, anything)
    data, split = data_spec(top.table("data", "data")), _split(top.table("split", "split"))
    _check_provided(top, data, split)
    evaluation = _evaluation(top.table("evaluation", "evaluation"), path.parent)
    _check_relevance(top, data, evaluation)
    protocol = Protocol(
        name=name,
        title=top.optional("title", text, default=name),
        data=data,
        split=split,
        evaluation=evaluation,
        trials=_trials(top.table("trials", "trials")) if "trials" in top else TrialSpec(),
        parameters=top.optional("algorithms", table_of(table_of(json_value)), default=MappingProxyType({})),
        rows=_rows(top),
        tuned=top.optional("tuned", table_of(whole(least=1)), default=MappingProxyType({})),
        pinned=_pinned(top.table("pinned", "pinned")) if "pinned" in top else PinnedSpec(),
        python=_interpreters(top),
        path=path,
    )
    _check_pin(protocol)
    return protocol


def check_metrics(protocol: Protocol, offered: Mapping[str, Metric]) -> None:
    """Check what only those who know the metrics can: that each is on offer, and that `primary` is a column.

    Raises:
        UnknownName: a metric nobody offers.
        BadProtocol: `primary` lacks its cut-off, or has one where there can be none.
    """
    for name in protocol.evaluation.metrics:
        if name not in offered:
            raise UnknownName.among(
                "metric", name, offered, fix="run `recbench list metrics`, or install the package that offers it"
            )
    primary = protocol.evaluation.primary
    name, at, _ = primary.partition("@")
    if (offered[name].kind == "pair") == bool(at):
        right = name if at else f"{name}@{protocol.evaluation.cutoffs[0]}"
        where = protocol.path or protocol.name
        raise BadProtocol(f"{where}: [evaluation] primary: {primary!r} is no column", fix=f"write primary = {right!r}")


def _as_path(reference: str | Path, offered: Mapping[str, Path]) -> Path:
    """The file meant by what is not a name on offer."""
    path = Path(reference)
    looks_like_path = isinstance(reference, Path) or path.suffix == ".toml" or os.sep in reference
    if not looks_like_path and not path.is_file():
        raise UnknownName.among(
            "protocol", str(reference), offered, fix="run `recbench list protocols`, or give the path of a TOML file"
        )
    return path


def _split(section: Section) -> SplitSpec:
    kind = section.required("kind", one_of(KINDS))
    for key, kinds in MEANINGFUL.items():
        if kind not in kinds:
            section.refuse(key, because=f"with kind = {kind!r}, only with {' and '.join(map(repr, kinds))}")
    return SplitSpec(
        kind=kind,
        by=section.optional("by", one_of(("user", "all")), default="user"),
        test=section.optional("test", share, default=0.2),
        validation=section.optional("validation", share_or_none, default=0.0),
        seed=section.optional("seed", seed, default=42),
        folds=section.optional("folds", whole(least=2), default=5),
        repeats=section.optional("repeats", whole(least=1), default=1),
        shuffle=section.optional("shuffle", one_of(("pcg64", "mt19937")), default="pcg64"),
        history=section.optional("history", share_or_none, default=0.0),
    )


def _check_provided(top: Section, data: DataSpec, split: SplitSpec) -> None:
    """Files of train and test go with kind "provided", and with no other."""
    if split.kind == "provided" and not data.folds:
        raise top.error(
            "[split] kind is 'provided', but [data] names no train and test",
            fix="add train and test, or [[data.fold]], to [data], or have another kind of split made",
        )
    if split.kind != "provided" and data.folds:
        raise top.error(
            f"[data] names train and test, but [split] kind is {split.kind!r}", fix="set kind = 'provided' in [split]"
        )


def _check_relevance(top: Section, data: DataSpec, evaluation: EvaluationSpec) -> None:
    """A threshold above the scale would leave nothing."""
    for key in ("relevant_at_least", "train_at_least"):
        threshold = getattr(evaluation, key)
        if data.scale is not None and threshold is not None and threshold > data.scale[1]:
            raise top.error(
                f"[evaluation] {key}: {shown(threshold)} is above the scale, which ends at {shown(data.scale[1])}",
                fix="give a rating on the scale",
            )


def _evaluation(section: Section, folder: Path) -> EvaluationSpec:
    metrics = section.required("metrics", set_of(_metric))
    cutoffs = section.required("cutoffs", set_of(whole(least=1)))
    return EvaluationSpec(
        primary=section.required("primary", _primary(metrics, cutoffs)),
        cutoffs=cutoffs,
        metrics=metrics,
        relevant_at_least=section.optional("relevant_at_least", number, default=None),
        train_at_least=section.optional("train_at_least", number, default=None),
        candidates=_candidates(section, folder),
        exclude_seen=section.optional("exclude_seen", flag, default=True),
        users=section.optional("users", one_of(("all", "warm")), default="all"),
        users_at_most=section.optional("users_at_most", whole(least=1), default=None),
    )


def _metric(value: Any) -> str:
    name = text(value)
    if "@" in name or MARK in name:
        raise Unfit(value, "a metric without cut-off: those stand in cutoffs")
    return name


def _primary(metrics: tuple[str, ...], cutoffs: tuple[int, ...]) -> Reader[str]:
    possible = [*metrics, *(f"{metric}@{cutoff}" for metric in metrics for cutoff in cutoffs)]

    def read(value: Any) -> str:
        if MARK in text(value):
            raise Unfit(value, "written without the mark of sampling, which follows from candidates")
        if value not in possible:
            raise Unfit(value, "one of the metrics, or metric@cutoff of metrics and cutoffs", options=possible)
        return str(value)

    return read


def _candidates(section: Section, folder: Path) -> str | FileSpec:
    if isinstance(section.values.get("candidates"), dict):
        return interaction_file(section.table("candidates", "file"), folder)
    return section.optional("candidates", _sampling, default="all")


def _sampling(value: Any) -> str:
    if isinstance(value, str) and (value == "all" or re.fullmatch(r"uniform:[1-9][0-9]*", value)):
        return value
    raise Unfit(value, "'all', 'uniform:' and how many, as in 'uniform:99', or a file as { path = ... }")


def _trials(section: Section) -> TrialSpec:
    default = TrialSpec()
    return TrialSpec(
        algorithms=section.optional("algorithms", set_of(text, least=0), default=default.algorithms),
        seeds=section.optional("seeds", set_of(seed), default=default.seeds),
        threads=section.optional("threads", whole(least=1), default=default.threads),
        seconds=section.optional("seconds", positive, default=default.seconds),
        memory_mb=section.optional("memory_mb", whole(least=64), default=default.memory_mb),
        output_mb=section.optional("output_mb", whole(least=1), default=default.output_mb),
    )


def _rows(top: Section) -> tuple[AlgorithmSpec, ...]:
    """`[[algorithm]]`: each under a label of its own."""
    labels: set[str] = set()
    rows = []
    for section in top.tables("algorithm", "algorithm"):
        row = _row(section)
        if row.label in labels:
            raise section.error(f"{section.place('label')}: {row.label!r} stands twice", fix="give each row its own")
        labels.add(row.label)
        rows.append(row)
    return tuple(rows)


def _row(section: Section) -> AlgorithmSpec:
    if "command" in section:
        section.refuse("name", "parameters", because="beside command, which says what runs and how")
        return AlgorithmSpec(label=section.required("label", label), command=section.required("command", command))
    return AlgorithmSpec(
        label=section.required("label", label),
        name=section.required("name", text),
        parameters=section.optional("parameters", table_of(json_value), default=MappingProxyType({})),
    )


def _interpreters(top: Section) -> Mapping[str, Path]:
    """`[python]`: relative paths start in the folder of the protocol's file; a bare word is looked for on the PATH."""
    words = top.optional("python", table_of(text), default=MappingProxyType({}))
    folder = top.path.parent
    return MappingProxyType({name: folder / word if os.sep in word else Path(word) for name, word in words.items()})


def _pinned(section: Section) -> PinnedSpec:
    return PinnedSpec(
        protocol=section.optional("protocol", sha256, default=None),
        splits=section.optional("splits", list_of(sha256), default=()),
    )


def _check_pin(protocol: Protocol) -> None:
    """A pinned protocol is what it was when it was pinned. The splits' pins need the data and are checked with it."""
    pinned, found = protocol.pinned.protocol, protocol.fingerprint
    if pinned is not None and pinned != found:
        raise BadProtocol(
            f"{protocol.path}: [pinned] protocol is {pinned[:12]}..., but this protocol is {found[:12]}...",
            fix=f'undo the change to [data], [split] or [evaluation], or pin "{found}"',
        )


def _name(value: Any) -> str:
    """Part of file names and commands, so letters, digits, dots, hyphens and underscores."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise Unfit(value, "a name of 1 to 64 letters, digits, dots, hyphens and underscores")
    return value
