"""The distribution that recbench was installed from, whatever it is called: the name on the index is a stranger's."""

from __future__ import annotations

import functools
import importlib.metadata


@functools.cache
def distribution() -> importlib.metadata.Distribution:
    """The distribution whose command `recbench` is ours."""
    scripts = importlib.metadata.entry_points(group="console_scripts", name="recbench")
    return next(script.dist for script in scripts if script.dist and script.value.startswith("recbench.cli"))


def install_hint(extra: str) -> str:
    """The command that installs one of its extras."""
    return f"pip install '{distribution().name}[{extra}]'"
