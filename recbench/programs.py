"""Rows that a program in any language makes: found on this machine, before anything trains."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.api import Algorithm
from recbench.errors import BadProtocol, RecbenchError
from recbench.protocols.commands import filled, placeholders
from recbench.protocols.spec import AlgorithmSpec, Protocol
from recbench.registry import Offered, Plugin

TARGET = "recbench.outside.program:Program"
DISTRIBUTION = "program"
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that was found.

    Attributes:
        command: as the protocol says it.
        words: the same with paths that hold in any folder.
        files: those of the words that are files, as the protocol says them, with their paths.
    """

    command: tuple[str, ...]
    words: tuple[str, ...]
    files: Mapping[str, Path]

    def offer(self, label: str) -> Offered[Algorithm]:
        """The program as an algorithm. Its version is a hash of its files."""
        algorithm = Algorithm(
            name=label,
            target=TARGET,
            parameters=self.parameters,
            deterministic="seed" not in placeholders(self.command),
            summary="A program that the protocol names.",
        )
        plugin = Plugin(name=label, module="recbench", distribution=DISTRIBUTION, version=self._digest())
        return Offered(value=algorithm, plugin=plugin)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What decides the program's lists beside its files."""
        return {"command": list(self.command)}

    def arguments(self, protocol: Protocol, fingerprint: str) -> Mapping[str, Any]:
        """What the trial's process gets.

        Args:
            protocol: under which it runs.
            fingerprint: the split's.
        """
        return {
            "command": list(self.words),
            "k": protocol.evaluation.depth,
            "threads": protocol.trials.threads,
            "exclude_seen": protocol.evaluation.exclude_seen,
            "fingerprint": fingerprint,
        }

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for word, path in self.files.items():
            with path.open("rb") as file:
                digest.update(f"{word}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()[:_DIGITS]


def find(spec: AlgorithmSpec, protocol: Protocol) -> Program:
    """Find a row's program, and the files among the words of its command.

    Paths start in the folder of the protocol's file; a program without a slash is looked for on the PATH.

    Raises:
        BadProtocol: there is no such program, or the protocol asks for what no program can do.
    """
    where, folder = f"{protocol.path or protocol.name}: [[algorithm]] {spec.label!r}", _folder(protocol)
    if protocol.evaluation.candidates != "all":
        raise BadProtocol(
            f"{where} is a program, and candidates are given to algorithms only after they are fit",
            fix='have the whole catalogue ranked with candidates = "all", or remove the row',
        )
    first, *others = filled(spec.command, {"here": str(folder)})
    paths = {spec.command[0]: _program(first, folder, where)}
    paths |= {word: folder / word for word in others if word and not placeholders([word]) and (folder / word).is_file()}
    words = (str(paths[spec.command[0]]), *(str(paths.get(word, word)) for word in others))
    return Program(command=spec.command, words=words, files=paths)


def check_in_sight(programs: Iterable[tuple[str, Program]], hidden: Sequence[Path]) -> None:
    """See that a sandbox does not hide what is to run.

    Raises:
        RecbenchError: a program or one of its files lies in a hidden folder.
    """
    for label, program in programs:
        for path in program.files.values():
            folder = next((each for each in hidden if path.is_relative_to(each.resolve())), None)
            if folder is not None:
                raise RecbenchError(
                    f"{label}: {path} lies in {folder}, which --sandbox hides",
                    fix="keep programs and the data's files in different folders",
                )


def _folder(protocol: Protocol) -> Path:
    return Path() if protocol.path is None else protocol.path.resolve().parent


def _program(word: str, folder: Path, where: str) -> Path:
    if os.sep not in word:
        found = shutil.which(word)
        if found is None:
            raise BadProtocol(
                f"{where}: there is no program {word!r} on the PATH",
                fix=f"install it, write './{word}' if it lies beside the protocol, or leave the row out with -x",
            )
        return Path(found).resolve()
    path = (folder / word).resolve()
    if not path.is_file():
        raise BadProtocol(f"{where}: there is no program {str(path)!r}", fix="build it, or leave the row out with -x")
    if not os.access(path, os.X_OK):
        raise BadProtocol(f"{where}: {str(path)!r} is not executable", fix=f"run `chmod +x {path}`")
    return path
