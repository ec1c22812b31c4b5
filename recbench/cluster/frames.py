"""What a run and a worker say to each other of a trial: frames with a checksum, and no pickles."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from recbench.data import Int32Array
from recbench.execution import Component, Job, Outcome
from recbench.protocols.spec import as_json
from recbench.records import Costs, Status
from recbench.worker.channel import Decoder, Garbled, Message, encode

_DIGEST_BYTES = 32
_TEXT_BYTES = 16 << 20
# What of a job and an outcome is no plain JSON value, or is not the worker's.
_APART_OF_JOB = {"parameters", "plugin_file", "python", "components", "requires", "candidates", "serve"}
_APART_OF_OUTCOME = {"status", "lists", "predictions", "served", "marks", "costs", "where"}


class Damaged(ValueError):
    """What arrived is not what was sent."""


def seal(message: Message) -> bytes:
    """The frame of `message` behind its sha256."""
    frame = encode(message)
    return hashlib.sha256(frame).digest() + frame


def unseal(sealed: bytes) -> Message:
    """The message of a sealed frame.

    Raises:
        Damaged: its checksum is another, or it is no frame.
    """
    digest, frame = sealed[:_DIGEST_BYTES], sealed[_DIGEST_BYTES:]
    if hashlib.sha256(frame).digest() != digest:
        raise Damaged("its checksum is wrong")
    try:
        (message,) = Decoder(text_limit=_TEXT_BYTES, array_limit=len(frame)).feed(frame)
    except (Garbled, ValueError) as error:
        raise Damaged(str(error)) from error
    return message


def describe_job(job: Job) -> dict[str, Any]:
    """A job as JSON values. Its candidates travel with the split; a single-file plugin's text travels here."""
    return {
        "plain": _plain(job, _APART_OF_JOB),
        **_describe_code(job),
        "components": {
            name: {"target": component.target, **_describe_code(component)}
            for name, component in job.components.items()
        },
    }


def job_from(said: Mapping[str, Any], candidates: Int32Array | None, keep: Callable[[str, str], Path]) -> Job:
    """The job that was described.

    Args:
        said: as `describe_job` gives it.
        candidates: those of the fold.
        keep: puts the text of a single-file plugin, given its name, into a file.
    """

    def code(each: Mapping[str, Any]) -> dict[str, Any]:
        file = each["plugin_file"]
        return {"parameters": each["parameters"], "plugin_file": None if file is None else keep(*file)}

    components = {name: Component(target=each["target"], **code(each)) for name, each in said["components"].items()}
    return Job(**said["plain"], **code(said), components=components, candidates=candidates)


def describe_outcome(outcome: Outcome) -> Message:
    """An outcome as a message."""
    arrays = {"lists": outcome.lists, "predictions": outcome.predictions}
    return Message(
        kind="outcome",
        values={
            **_plain(outcome, _APART_OF_OUTCOME),
            "status": outcome.status.value,
            "marks": list(outcome.marks),
            "costs": dataclasses.asdict(outcome.costs),
        },
        arrays={name: array for name, array in arrays.items() if array is not None},
    )


def outcome_from(message: Message, where: Mapping[str, Any]) -> Outcome:
    """The outcome that a message says. `where`: facts of the machine that it was made on."""
    said = dict(message.values)
    return Outcome(
        **said | {"status": Status(said["status"]), "marks": tuple(said["marks"]), "costs": Costs(**said["costs"])},
        lists=message.arrays.get("lists"),
        predictions=message.arrays.get("predictions"),
        where=where,
    )


def _plain(what: Job | Outcome, apart: Collection[str]) -> dict[str, Any]:
    return {each.name: getattr(what, each.name) for each in dataclasses.fields(what) if each.name not in apart}


def _describe_code(what: Job | Component) -> dict[str, Any]:
    file = what.plugin_file
    return {
        "parameters": as_json(what.parameters),
        "plugin_file": None if file is None else [file.name, file.read_bytes().decode("utf-8", "surrogateescape")],
    }
