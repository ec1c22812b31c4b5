"""`python -m recbench.worker`: a server of trials, a trial in an interpreter of its own, or what a plugin offers."""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys

from recbench.worker.processes import die_with, hide


def _server(control: int) -> None:
    hello = json.load(sys.stdin)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    if hello["sandbox"]:  # before NumPy comes in, whose threads would make it impossible
        try:
            hide(hello["hidden"])
        except OSError as error:
            sys.exit(f"no sandbox: {error}")
    for module in ("scipy.sparse", "recbench.api", *hello["frameworks"]):  # so that trials need not
        importlib.import_module(module)
    server = importlib.import_module("recbench.worker.server")
    end = socket.socket(fileno=control)
    server.Server(end, home=hello["home"], fresh=hello["fresh"]).serve()


def _trial(folder: str, channel: int, data: int, memory_mb: int, output_mb: int, parent: int) -> None:
    die_with(parent)
    process = importlib.import_module("recbench.worker.process")
    limits = process.Limits(memory_mb=memory_mb, output_mb=output_mb)
    process.run(channel=channel, data=data, folder=folder, limits=limits)


if __name__ == "__main__":
    if sys.argv[1] == "server":
        _server(int(sys.argv[2]))
    elif sys.argv[1] == "offers":
        print(importlib.import_module("recbench.worker.offers").offers(sys.argv[2]))  # noqa: T201 - the answer
    else:
        _trial(sys.argv[2], *map(int, sys.argv[3:]))
