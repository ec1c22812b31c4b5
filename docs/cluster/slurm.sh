#!/bin/bash
# A scheduler and one worker a node. The address of the scheduler is in scheduler.json.
#SBATCH --job-name=recbench
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=20G
#SBATCH --time=08:00:00
set -euo pipefail

source "$HOME/envs/recbench/bin/activate"
rm -f scheduler.json
dask scheduler --port 8786 --no-dashboard --scheduler-file scheduler.json &
trap 'kill %1' EXIT
while [ ! -s scheduler.json ]; do sleep 1; done
srun dask worker --scheduler-file scheduler.json --nthreads 1 --memory-limit 16GiB --no-dashboard \
  --local-directory "${TMPDIR:-/tmp}"
