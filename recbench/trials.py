"""Which trials a run consists of: rows of the board x seeds x splits, each with an id."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recbench import gpus
from recbench.api import Algorithm
from recbench.data import Split
from recbench.distribution import distribution
from recbench.elsewhere import Interpreter, how_to_install, interpreter_of, lacking
from recbench.errors import RecbenchError, UnknownName
from recbench.programs import Program, find
from recbench.protocols.spec import AlgorithmSpec, FileSpec, Protocol, as_json
from recbench.records import trial_id
from recbench.registry import Offered, Registry

LISTS_VERSION = 1
"""Raised when the harness itself would rank or mask differently for the same scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Why a row cannot run here, and what mends it."""

    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the board: an algorithm with its parameters, under a label.

    Attributes:
        components: what `build` may make: by name the algorithm, and the parameters it is made with.
        settings: those of the parameters that were set for this run alone.
        is_unproven: its parameters were set by hand, and not in a protocol that pins its results.
        program: what makes the row, where that is no plugin's algorithm.
    """

    label: str
    offered: Offered[Algorithm]
    parameters: Mapping[str, Any]
    components: Mapping[str, tuple[Offered[Algorithm], Mapping[str, Any]]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_unproven: bool = False
    program: Program | None = None

    @property
    def interpreter(self) -> Interpreter | None:
        """What the row runs under, where that is not the run's own interpreter."""
        return interpreter_of(self.offered)

    @property
    def all_offered(self) -> tuple[Offered[Algorithm], ...]:
        """The row's algorithm and its components."""
        return self.offered, *(component for component, _ in self.components.values())

    @property
    def needs_gpu(self) -> bool:
        """Whether the row's algorithm or one of its components does."""
        return any(each.value.gpu for each in self.all_offered)

    def lack(self) -> Lack | None:
        """Why the row cannot run on this machine, if it cannot."""
        for each in self.all_offered:
            if lacking(each):
                return Lack(reason="not installed", fix=how_to_install(each))
        return Lack(reason=gpus.NONE_HERE, fix=gpus.REMEDY) if self.needs_gpu and not gpus.names() else None

    def check_can_run(self) -> None:
        """See to it that the row can run on this machine.

        Raises:
            RecbenchError: it cannot.
        """
        if lack := self.lack():
            raise RecbenchError(f"{self.label!r} cannot run here: {lack.reason}", fix=lack.fix)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One row x one split x one model seed. Its `id` is what the record is filed under."""

    row: Row
    split: Split
    seed: int
    identity: Mapping[str, Any]
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", trial_id(self.identity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked for: globs to run and to leave out, and parameters by label."""

    wanted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Turn "ease.l2=250" into {"ease": {"l2": 250}}. Values are JSON; what is not JSON is a string.

    Raises:
        RecbenchError: a setting is not of that form.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        label, dot, parameter = key.rpartition(".")
        if not (equals and dot and label and parameter):
            raise RecbenchError(
                f"{setting!r} does not set a parameter", fix="write --set ALGORITHM.PARAMETER=VALUE, as in ease.l2=250"
            )
        parsed.setdefault(label, {})[parameter] = _parse_value(text)
    return parsed


def select(protocol: Protocol, registry: Registry, selection: Selection) -> tuple[Row, ...]:
    """The rows to run: those of the protocol, or those asked for; baselines first, then by label.

    Raises:
        UnknownName: a name, a glob or a setting that fits nothing on offer.
        RecbenchError: components that need each other.
    """
    for name in protocol.parameters:
        registry.algorithm(name)
    rows = {name: AlgorithmSpec(label=name, name=name) for name in registry.algorithms}
    rows |= {row.label: row for row in protocol.rows}
    default = {*_matching(protocol.trials.algorithms, registry.algorithms), *(row.label for row in protocol.rows)}
    labels = _matching(selection.wanted, rows) if selection.wanted else default
    labels -= _matching(selection.excluded, rows)
    for label in selection.settings:
        if label not in labels:
            raise UnknownName.among("row of this run", label, labels, fix="set parameters of algorithms that run")
    if not labels:
        raise RecbenchError("no algorithm is left to run", fix="ask for fewer exclusions, or for more with -a")
    chosen = [_row(rows[label], protocol, registry, selection.settings.get(label, {})) for label in sorted(labels)]
    return tuple(sorted(chosen, key=lambda row: (not row.offered.value.baseline, row.label)))


def plan(protocol: Protocol, rows: Sequence[Row], splits: Sequence[Split], seeds: Sequence[int]) -> tuple[Trial, ...]:
    """All trials, fold by fold, so that few splits are in use at a time. Deterministic algorithms get one seed."""
    shared = {row.label: _identify_row(protocol, row) for row in rows}
    return tuple(
        Trial(row=row, split=split, seed=seed, identity=shared[row.label] | {"split": split.fingerprint, "seed": seed})
        for split in splits
        for row in rows
        for seed in (seeds[:1] if row.offered.value.deterministic else seeds)
    )


def _identify_row(protocol: Protocol, row: Row) -> dict[str, Any]:
    """What decides lists and predictions beside split and seed. Metrics and relevance are not among it."""
    return {
        "algorithm": _identify_algorithm(row.offered, row.parameters),
        "components": {name: _identify_algorithm(*component) for name, component in sorted(row.components.items())},
        "threads": protocol.trials.threads,
        **ranked_how(protocol),
    }


def is_ranked_like(identity: Mapping[str, Any], protocol: Protocol) -> bool:
    """Whether lists of that identity are masked, cut and chosen from candidates as this protocol asks."""
    asked = {"users_at_most": None, **ranked_how(protocol)}
    return all(identity.get(key) == value for key, value in asked.items())


def ranked_how(protocol: Protocol) -> dict[str, Any]:
    """What of an identity says how lists are masked, cut and chosen from candidates."""
    evaluation = protocol.evaluation
    return {
        "exclude_seen": evaluation.exclude_seen,
        "candidates": _candidates(evaluation.candidates),
        "depth": evaluation.depth,
        "train_at_least": evaluation.train_at_least,
        "lists_version": LISTS_VERSION,
        **({} if evaluation.users_at_most is None else {"users_at_most": evaluation.users_at_most}),
    }


def _candidates(chosen: str | FileSpec) -> Any:
    """A file of candidates stands for its content, not for its name."""
    return chosen if isinstance(chosen, str) else hashlib.sha256(chosen.path.read_bytes()).hexdigest()


def _identify_algorithm(offered: Offered[Algorithm], parameters: Mapping[str, Any]) -> dict[str, Any]:
    plugin = offered.plugin
    code = {"version": plugin.version} if plugin.is_pinned else {"source": plugin.source_of(offered.value.target)}
    return {
        "name": offered.value.name,
        "distribution": plugin.distribution,
        "target": offered.value.target,
        "parameters": as_json(parameters),
        **code,
    }


def _matching(patterns: Sequence[str], names: Iterable[str]) -> set[str]:
    """The names that any pattern fits, by name first and as a glob otherwise; a pattern that fits none is an error."""
    known = list(names)
    found: set[str] = set()
    for pattern in patterns:
        fitting = {pattern} if pattern in known else {name for name in known if fnmatch.fnmatchcase(name, pattern)}
        if not fitting and pattern != "*":
            raise UnknownName.among(
                "algorithm", pattern, known, fix="run `recbench list`, or install the package that offers it"
            )
        found |= fitting
    return found


def _row(spec: AlgorithmSpec, protocol: Protocol, registry: Registry, settings: Mapping[str, Any]) -> Row:
    if spec.command:
        return _program_row(spec, protocol, registry, settings)
    offered = registry.algorithm(spec.name)
    parameters = {**_parameters(offered, protocol), **spec.parameters, **settings}
    components = _components(offered, parameters, protocol, registry, (spec.name,))
    _check_together(offered, [component for component, _ in components.values()])
    return Row(
        label=spec.label,
        offered=offered,
        parameters=parameters,
        components=components,
        settings=settings,
        is_unproven=bool(settings) or (parameters != offered.value.parameters and not protocol.pinned.splits),
    )


def _check_together(offered: Offered[Algorithm], components: Sequence[Offered[Algorithm]]) -> None:
    """See that what an algorithm builds is where it runs; recbench's own plugins are everywhere."""
    where = interpreter_of(offered)
    for each in components:
        there = interpreter_of(each)
        if there != where and (there is not None or each.plugin.distribution != distribution().name):
            raise RecbenchError(
                f"{offered.value.name!r} builds {each.value.name!r}, which runs under another interpreter",
                fix=f"give --python for {offered.plugin.name!r} and {each.plugin.name!r} both, with one PATH",
            )


def _program_row(spec: AlgorithmSpec, protocol: Protocol, registry: Registry, settings: Mapping[str, Any]) -> Row:
    if spec.label in registry.algorithms:
        raise RecbenchError(
            f"{spec.label!r} is the name of an algorithm on offer", fix="give the program another label"
        )
    if settings:
        raise RecbenchError(
            f"{spec.label!r} is a program, which has no parameters to set", fix="change its command in the protocol"
        )
    program = find(spec, protocol)
    return Row(label=spec.label, offered=program.offer(spec.label), parameters=program.parameters, program=program)


def _parameters(offered: Offered[Algorithm], protocol: Protocol) -> dict[str, Any]:
    return {**offered.value.parameters, **protocol.parameters.get(offered.value.name, {})}


def _components(
    offered: Offered[Algorithm],
    parameters: Mapping[str, Any],
    protocol: Protocol,
    registry: Registry,
    above: tuple[str, ...],
) -> dict[str, tuple[Offered[Algorithm], Mapping[str, Any]]]:
    """All that `offered` may build, and what those may build in turn, each with its parameters here."""
    found: dict[str, tuple[Offered[Algorithm], Mapping[str, Any]]] = {}
    for parameter in offered.value.components:
        for name in _names(parameters.get(parameter)):
            if name in above:
                raise RecbenchError(
                    f"{' builds '.join((*above, name))}: a circle",
                    fix=f"give {parameter!r} of {above[-1]!r} other names",
                )
            component = registry.algorithm(name)
            its_parameters = _parameters(component, protocol)
            found[name] = (component, its_parameters)
            found |= _components(component, its_parameters, protocol, registry, (*above, name))
    return found


def _names(value: Any) -> Sequence[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda name: name)
    except ValueError:
        return text
