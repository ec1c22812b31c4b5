"""What `recbench show` says of one thing: a heading and lines of text for each thing of that name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.cli.screen import printable
from recbench.errors import RecbenchError, UnknownName

if TYPE_CHECKING:
    from recbench.api import Algorithm, Metric, Source
    from recbench.records import Record
    from recbench.registry import Offered, Registry

Facts = Iterator[tuple[str, Any]]


def details(name: str, offered: Registry, output: Path) -> list[str]:
    """All that is known of `name`, a paragraph for each thing that goes by it.

    Raises:
        UnknownName: nothing does.
    """
    record = _record_at(name, output)
    if record is not None:
        return [_paragraph(_record(record)), *_texts(record)]
    found = [
        *(_algorithm(one) for known, one in offered.algorithms.items() if known == name),
        *(_source(one) for known, one in offered.sources.items() if known == name),
        *(_metric(one) for known, one in offered.metrics.items() if known == name),
        *(_protocol(one) for known, one in offered.protocols.items() if known == name),
        *(_plugin(one) for one in offered.plugins if one.plugin.name == name),
    ]
    if not found:
        plugins = {one.plugin.name for one in offered.plugins}
        names = {*offered.algorithms, *offered.sources, *offered.metrics, *offered.protocols, *plugins}
        raise UnknownName.among("thing on offer", name, names, fix="run `recbench list`, or give a record's file or id")
    traces = [getattr(one, "traceback", "") for one in offered.plugins if one.plugin.name == name]
    return [*(_paragraph(facts) for facts in found), *(_lines(trace) for trace in traces if trace)]


def _paragraph(facts: Facts) -> str:
    known = [(name, value) for name, value in facts if value not in (None, "", (), {})]
    width = max(len(name) for name, _ in known)
    return "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in known)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return printable(json.dumps(value, default=str, ensure_ascii=False))


def _algorithm(offered: Offered[Algorithm]) -> Facts:
    from recbench.registry import how_to_install, missing

    algorithm = offered.value
    yield "algorithm", algorithm.name
    yield "what", algorithm.summary
    yield "from", f"{offered.plugin.distribution} {offered.plugin.version}, {algorithm.target}"
    yield "parameters", dict(algorithm.parameters)
    yield "builds", algorithm.components
    yield "seed", "changes nothing" if algorithm.deterministic else "changes the result"
    yield "baseline", "yes" if algorithm.baseline else None
    yield "requires", (*algorithm.requires, *(("a GPU",) if algorithm.gpu else ()))
    yield "install", how_to_install(offered) if missing(algorithm) else None
    yield "reference", algorithm.reference
    yield "tuned on", algorithm.tuned_on


def _source(offered: Offered[Source]) -> Facts:
    source = offered.value
    yield "data set", source.name
    yield "title", source.title
    yield "embedded", "yes" if source.bundled else None
    yield "homepage", source.homepage
    for file in source.files:
        size = "" if file.size is None else f", {file.size:,} bytes"
        yield "file", f"{file.name}{size}, sha256 {file.sha256 or 'unverified: recorded at the first fetch'}"
        yield "address", file.url or "on request from its owner: see the homepage"
    yield "license", source.license
    yield "citation", source.citation


def _metric(offered: Offered[Metric]) -> Facts:
    metric = offered.value
    yield "metric", metric.name
    yield "definition", metric.definition
    yield "best", metric.best
    yield "range", f"{metric.range[0]} to {metric.range[1]}"
    yield "source", metric.source
    yield "from", f"{offered.plugin.distribution} {offered.plugin.version}, {metric.target}"


def _protocol(offered: Offered[Path]) -> Facts:
    from recbench.protocols import references
    from recbench.protocols.loading import load

    protocol = load(offered.value, {})
    yield "protocol", protocol.name
    yield "title", protocol.title
    yield "file", str(offered.value)
    yield "fingerprint", protocol.fingerprint
    yield "splits pinned", protocol.pinned.splits or "no"
    yield from protocol.deciding().items()
    yield "algorithms", protocol.trials.algorithms
    yield "rows", tuple(row.label for row in protocol.rows)
    yield "published", tuple(each.title for each in references.shipped() if each.protocol == protocol.name)


def _plugin(plugin: Any) -> Facts:
    yield "plugin", plugin.plugin.name
    yield "from", f"{plugin.plugin.distribution} {plugin.plugin.version}"
    yield "module", plugin.plugin.module
    yield "disabled", f"by {plugin.by}" if hasattr(plugin, "by") else None
    yield "broken", getattr(plugin, "reason", None)
    for kind in ("algorithms", "sources", "metrics"):
        yield kind, tuple(each.name for each in getattr(plugin, kind, ()))
    yield "protocols", tuple(each.stem for each in getattr(plugin, "protocols", ()))
    yield "notes", getattr(plugin, "notes", ())


def _record_at(name: str, output: Path) -> Record | None:
    from recbench.records import Store, load

    if name.endswith(".json"):
        if not Path(name).is_file():
            raise RecbenchError(f"there is no record {name!r}", fix="give the path of a record's JSON file, or its id")
        return load(Path(name))
    found = Store(output).find(name)
    return load(found[0]) if found else None


def _record(record: Record) -> Facts:
    yield "record", record.trial_id
    yield "row", record.label
    yield "algorithm", f"{record.algorithm}, {record.distribution} {record.version}"
    yield "parameters", record.identity.get("algorithm", {}).get("parameters")
    yield "protocol", f"{record.protocol.get('name')} {str(record.protocol.get('fingerprint'))[:12]}"
    yield "fold, seed", f"{record.split.get('fold')}, {record.seed}"
    yield "status", record.status.value
    yield "reason", record.reason
    yield "marks", record.marks
    yield "scores", dict(record.scores)
    yield "scores, warm users", dict(record.scores_warm or {})
    yield "counts", dict(record.counts)
    for cost in record.measured.__slots__:
        yield cost, getattr(record.measured, cost)
    yield from ((key, value) for key, value in record.provenance.items() if key != "packages")


def _texts(record: Record) -> list[str]:
    """Traceback and output as they are, but for control characters."""
    parts = (("traceback", record.traceback), ("output", record.output))
    return [f"{name}:\n{_lines(text)}" for name, text in parts if text]


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.splitlines()))
