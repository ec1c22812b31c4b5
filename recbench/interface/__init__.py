"""What scripts and notebooks use: `recbench.run` and `recbench.Leaderboard`, which do what the commands do.

Nothing is printed. Trials run in processes that never import the script, so it needs no `if __name__ == "__main__"`.
"""

from recbench.errors import RecbenchError
from recbench.interface.charts import Chart
from recbench.interface.differences import Differences
from recbench.interface.leaderboards import Leaderboard
from recbench.interface.running import run

__all__ = ["Chart", "Differences", "Leaderboard", "RecbenchError", "run"]
