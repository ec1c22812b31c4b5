"""Made-up data of any size whose truth is known: the same bytes for the same arguments, on every machine."""

from recbench.synthetic.truth import Truth
from recbench.synthetic.world import Size
from recbench.synthetic.writing import Written, generate

__all__ = ["Size", "Truth", "Written", "generate"]
