"""`python -m recbench`."""

from recbench.cli import main

main()
