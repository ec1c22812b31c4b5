"""What a verification comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that does not hold, or that could not be checked.

    Attributes:
        where: the file, from the folder that was given.
        what: goes on from it: "is not ...", "ndcg@10 is ...".
    """

    where: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was looked at, and what came of it.

    Attributes:
        findings: what does not hold.
        unchecked: what could not be looked at, and why.
        records: how many files of records there are.
        scored: of how many of them the lists were scored anew.
        without: how many of them ended in a fault, and so have no list to score.
        analyses: how many analyses were computed anew.
        boards: how many boards and indexes follow from the records; None: not looked at.
        checksums: how many files are as their checksums say; None: there are none.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[Finding, ...]
    records: int
    scored: int
    without: int
    analyses: int
    boards: int | None
    checksums: int | None

    @property
    def holds(self) -> bool:
        """Whether nothing was found that does not hold."""
        return not self.findings
