#!/usr/bin/env bash
# Where the parameters of the default protocol's rankers come from: the same budget for each, scored by ndcg@10 on the
# validation part alone; a grid that is smaller is tried whole. What was tried is kept in benchmarks/tune/, and a search
# that was stopped goes on where it was. The three tree ensembles are left out: a trial of theirs takes a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
recbench tune ease puresvd p3alpha rp3beta als nmf-ranking item-cosine user-cosine recent-popularity content \
  content-pure kmeans hierarchical slim q-learning stacking bpr -p movietweetings --budget 20 -o benchmarks
