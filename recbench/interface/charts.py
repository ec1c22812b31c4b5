"""Charts, as they show in a notebook and are written to files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.exports.drawing import form_of, to_bytes
from recbench.interface.arguments import AnyPath
from recbench.records import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """A chart. Shows as a picture in notebooks.

    Attributes:
        figure: of matplotlib, for changes by hand.
    """

    figure: Figure

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return to_bytes(self.figure, "png"), {"width": round(PIXELS_PER_INCH * self.figure.get_figwidth())}

    def save(self, path: AnyPath) -> None:
        """Write the file that `recbench chart` writes; the ending says which: .svg, .png or .pdf.

        Raises:
            RecbenchError: the ending says nothing, or the file cannot be written.
        """
        path = Path(path)
        write_whole(path, to_bytes(self.figure, form_of(path)))
