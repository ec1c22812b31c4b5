"""The child's side of a trial. Runs under NumPy 1.26 and Python 3.11, and imports nothing of recbench's parent side."""
