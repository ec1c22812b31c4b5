"""How charts are drawn and written: without pyplot, and whatever the user's own settings are. Needs matplotlib.

The same chart gives the same bytes under one matplotlib and the same fonts.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from recbench.distribution import install_hint
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
ENDINGS = {f".{form}": form for form in FORMATS}
WITHOUT_DATES: Mapping[str, Mapping[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
SETTINGS = {
    "font.size": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "recbench",
    "pdf.fonttype": 42,  # some publishers refuse the usual Type 3 fonts
    "savefig.dpi": 300,
}
BLUE, GRAY = "#0a5c9e", "#7f7f7f"


@contextmanager
def drawing() -> Iterator[None]:
    """Where charts are drawn and written.

    Raises:
        RecbenchError: matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError as error:
        raise RecbenchError("charts need matplotlib, which is not installed", fix=install_hint("charts")) from error
    with matplotlib.style.context(["default", SETTINGS]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a stranger's name may have letters that no font has
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Any]:
    """An empty figure of that size in inches, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # knows how large texts are, which a figure alone does not
    return figure, figure.add_subplot()


def form_of(path: PurePath) -> str:
    """What a file's ending says.

    Raises:
        RecbenchError: it says nothing.
    """
    form = ENDINGS.get(path.suffix.lower())
    if form is None:
        raise RecbenchError(f"{path.name!r} does not end like a chart", fix=f"end it with {', '.join(ENDINGS)}")
    return form


def to_bytes(figure: Figure, form: str) -> bytes:
    """The figure as a file.

    Args:
        form: one of `FORMATS`.
    """
    content = io.BytesIO()
    with drawing():
        figure.savefig(content, format=form, metadata=WITHOUT_DATES[form])
    return content.getvalue()


def legend(figure: Figure, colors: Mapping[str, str], *, baselines: bool) -> None:
    """What points of these colours are, and hollow ones where there are any, above the axes."""
    from matplotlib.lines import Line2D

    points: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 4}
    handles = [Line2D([], [], color=color, label=name, **points) for name, color in colors.items()]
    if baselines:
        handles.append(Line2D([], [], color=GRAY, markerfacecolor="white", label="baseline", **points))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False, fontsize=7)
