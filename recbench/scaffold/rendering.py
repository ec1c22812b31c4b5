"""From what an author asks for to the files of a distribution. Pure but for reading the templates.

A distribution is made of layers, folders below `templates/`: what all have, what its kind has, the code. In paths
MODULE and NAME stand for the names and a leading `dot_` for a dot; in texts `string.Template` puts in the names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template
from typing import Final, Literal

from recbench.scaffold.naming import class_of, module_of

Kind = Literal["algorithm", "metric", "source", "protocol"]
Answers = Literal["ranker", "rating"]
Framework = Literal["none", "sklearn", "torch", "tensorflow"]

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SUFFIX: Final = ".template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to write.

    Attributes:
        name: of the distribution, and of what it offers.
        kind: what it offers.
        author: whose it is.
        year: of the licence.
        suite: the distribution that recbench itself comes in.
        version: its version, the least that will do.
        answers: what an algorithm answers with, lists or ratings.
        framework: what an algorithm is written in.
    """

    name: str
    kind: Kind
    author: str
    year: int
    suite: str
    version: str
    answers: Answers = "ranker"
    framework: Framework = "none"


def render(request: Request) -> dict[PurePosixPath, str]:
    """The files of the distribution by their paths in its folder."""
    names = _names(request)
    files: dict[PurePosixPath, str] = {}
    for layer in _layers(request):
        for template in sorted((_TEMPLATES / layer).rglob(f"*{_SUFFIX}")):
            path = _path(template.relative_to(_TEMPLATES / layer), names)
            files[path] = Template(template.read_text(encoding="utf-8")).substitute(names)
    return files


def command(request: Request) -> str:
    """The command that shows what the distribution offers at work."""
    if request.kind == "algorithm":
        return f"recbench run -a {request.name} -a popularity"
    if request.kind == "metric":
        return f"recbench show {request.name}"
    return f"recbench run -p {request.name} -a popularity"


def _layers(request: Request) -> Iterator[str]:
    yield "distribution"
    yield request.kind
    if request.kind != "algorithm":
        return
    if request.framework == "none":
        yield request.answers
    else:
        yield "offering"
        yield f"{request.answers}-{request.framework}"


def _path(template: Path, names: Mapping[str, str]) -> PurePosixPath:
    text = template.as_posix().removesuffix(_SUFFIX).replace("MODULE", names["module"]).replace("NAME", names["name"])
    return PurePosixPath(*(re.sub("^dot_", ".", part) for part in text.split("/")))


def _names(request: Request) -> Mapping[str, str]:
    """All that a template may name."""
    module = module_of(request.name)
    return {
        "name": request.name,
        "module": module,
        "class_name": class_of(request.name),
        "author": request.author,
        "quoted_author": json.dumps(request.author, ensure_ascii=False),
        "year": str(request.year),
        "suite": request.suite,
        "description": f"{_DESCRIPTIONS[request.kind]} for recbench",
        "dependencies": ", ".join(map(json.dumps, _dependencies(request))),
        "contents": _contents(request, module),
        "command": command(request),
        **(_algorithm(request, module) if request.kind == "algorithm" else {}),
        **(_source() if request.kind == "source" else {}),
    }


_DESCRIPTIONS: Final[Mapping[Kind, str]] = {
    "algorithm": "An algorithm",
    "metric": "A metric",
    "source": "A data set",
    "protocol": "A protocol",
}


_SUMMARIES: Final[Mapping[tuple[Answers, Framework], str]] = {
    ("ranker", "none"): "Ranks items by how many users they share with the user's own.",
    ("ranker", "sklearn"): "Ranks items by a truncated SVD of who has what.",
    ("ranker", "torch"): "Ranks items by factors, trained on pairs of items (BPR).",
    ("ranker", "tensorflow"): "Ranks items by factors, trained on pairs of items (BPR).",
    ("rating", "none"): "Predicts ratings by the item's mean and a truncated SVD of the rest.",
    ("rating", "sklearn"): "Predicts ratings by ridge regression on means and factors.",
    ("rating", "torch"): "Predicts ratings by offsets and the product of factors.",
    ("rating", "tensorflow"): "Predicts ratings by offsets and the product of factors.",
}

# What the conformance kit finds in everybody who imports Keras.
_KERAS_FILE: Final = """
        expected_failures={"no-file-is-left": "importing Keras writes its settings"},"""


def _dependencies(request: Request) -> Iterator[str]:
    # recbench's extras know which versions and builds of a framework it was tested with.
    extra = f"[{request.framework}]" if request.framework in ("torch", "tensorflow") else ""
    yield f"{request.suite}{extra}>={request.version.partition('+')[0]}"
    if request.framework == "sklearn":
        yield "scikit-learn"


def _contents(request: Request, module: str) -> str:
    """Where setuptools finds the code: a single module where that is all there is, else a package."""
    if request.kind == "metric" or (request.kind == "algorithm" and request.framework == "none"):
        return f'py-modules = ["{module}"]'
    if request.kind == "algorithm":
        return f'packages = ["{module}"]'
    if request.kind == "protocol":
        return f'packages = ["{module}"]\npackage-data = {{ {module} = ["*.toml"] }}'
    return f'packages = ["{module}", "{module}.data"]\npackage-data = {{ {module} = ["*.toml", "data/*"] }}'


def _algorithm(request: Request, module: str) -> Mapping[str, str]:
    return {
        "implementation": f"{module}.py" if request.framework == "none" else f"{module}/model.py",
        "answers": "score" if request.answers == "ranker" else "predict",
        "requires": request.framework,
        "declared": _KERAS_FILE if request.framework == "tensorflow" else "",
        "summary": _SUMMARIES[request.answers, request.framework],
    }


def _source() -> Mapping[str, str]:
    data = _TEMPLATES / "source" / "MODULE" / "data" / f"ratings.csv{_SUFFIX}"
    return {"sha256": hashlib.sha256(data.read_bytes()).hexdigest()}
