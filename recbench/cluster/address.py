"""Where a cluster is: what `--cluster` says, and the engine that is asked for only then."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.cluster.recipe import Recipe
from recbench.distribution import install_hint
from recbench.errors import RecbenchError

_FORM = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^/:\s\[\]]+):(\d{1,5})")

_GRACE = "recbench.grace-seconds"
_USUAL_GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A cluster of one's own, on this machine or as a file says; or a scheduler that somebody runs.

    Attributes:
        scheme: "local", "file", "tcp" or "tls".
        host: of the scheduler; empty for "local" and "file".
        port: of the scheduler; 0 for "local" and "file".
        recipe: what the file says; None for all others.
    """

    scheme: str
    host: str = ""
    port: int = 0
    recipe: Recipe | None = None

    def __str__(self) -> str:
        if self.recipe is not None:
            return f"of {self.recipe.file}"
        return "local" if self.is_local else f"{self.scheme}://{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what stands behind `--cluster`.

        Raises:
            RecbenchError: it is no address, or a file that cannot be meant.
        """
        if text == "local":
            return cls(scheme="local")
        if text.endswith(".toml"):
            return cls(scheme="file", recipe=Recipe.load(Path(text)))
        found = _FORM.fullmatch(text)
        if found is None or not 0 < int(found[3]) < 1 << 16:
            raise RecbenchError(
                f"{text!r} is not where a cluster is",
                fix="write --cluster local, tcp://HOST:PORT, tls://HOST:PORT or FILE.toml",
            )
        return cls(scheme=found[1], host=found[2], port=int(found[3]))

    @property
    def is_local(self) -> bool:
        """Whether the cluster is started for this run, on this machine."""
        return self.scheme == "local"

    @property
    def kind(self) -> str:
        """What may be recorded of it: how it is reached, or the class that it was made by."""
        return self.scheme if self.recipe is None else self.recipe.target

    @property
    def warning(self) -> str | None:
        """What has to be said of it: a scheduler without TLS, on another machine, is open to whoever reaches it."""
        return None if self.scheme in ("local", "file") else warning_of(str(self))


def warning_of(where: str) -> str | None:
    """The same of a scheduler's address as Dask says it."""
    found = _FORM.fullmatch(where)
    if found is None or found[1] != "tcp" or _is_loopback(found[2].strip("[]")):
        return None
    return (
        f"{where} is neither on this machine nor under TLS: whoever reaches it can read what travels, and run "
        "code as you. See docs/cluster.md for tls://."
    )


def engine() -> Any:
    """The library `distributed`, imported now.

    Raises:
        RecbenchError: it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise RecbenchError("--cluster needs Dask, which is not installed", fix=install_hint("cluster")) from error
    return distributed


def grace_seconds(address: Address) -> float:
    """How long a run waits for a worker where there is none: as the file says, by Dask's setting
    `recbench.grace-seconds`, or a minute.

    Raises:
        RecbenchError: Dask is not installed, or the setting is no number.
    """
    engine()
    if address.recipe is not None:
        return address.recipe.wait_seconds
    import dask

    found = dask.config.get(_GRACE, _USUAL_GRACE_SECONDS)
    try:
        return float(found)
    except (TypeError, ValueError) as error:
        raise RecbenchError(f"Dask's setting {_GRACE} is {found!r}", fix="give seconds, as in 600") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
