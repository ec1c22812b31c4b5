"""What this interpreter is, and what one of its plugins offers, as JSON: asked for by a run under another one."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from recbench import provenance
from recbench.collecting import Loaded, load
from recbench.installed import Broken, Plugin, find, plugin_of
from recbench.protocols.spec import as_json
from recbench.registry import missing


def offers(name: str) -> str:
    """A line of JSON about this interpreter and the plugins that go by `name`."""
    importlib.import_module("recbench.worker.server")  # fails here rather than in the first trial
    found = find()
    settled = [load(each) if isinstance(each, Plugin) else each for each in found if plugin_of(each).goes_by(name)]
    return json.dumps(
        {
            "recbench": provenance.build(),
            "machine": provenance.machine(),
            "names": sorted(
                {known for each in found for known in (plugin_of(each).name, plugin_of(each).distribution)}
            ),
            "plugins": [_describe(each) for each in settled],
        }
    )


def _describe(each: Loaded | Broken) -> Mapping[str, Any]:
    plugin = each.plugin
    facts = {key: getattr(plugin, key) for key in ("name", "module", "distribution", "version", "editable")}
    if isinstance(each, Broken):
        return {"plugin": facts, "broken": each.reason}
    return {
        "plugin": facts,
        "algorithms": [as_json(algorithm) for algorithm in each.algorithms],
        "lacking": {algorithm.name: missing(algorithm) for algorithm in each.algorithms},
        "sources": {}
        if plugin.is_pinned
        else {algorithm.target: plugin.source_of(algorithm.target) for algorithm in each.algorithms},
    }
