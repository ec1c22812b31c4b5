"""Workers as jobs of Slurm, by dask-jobqueue: each has one trial at a time. Ctrl-C ends them."""

import signal

from dask_jobqueue import SLURMCluster


def cluster() -> SLURMCluster:
    """A scheduler here, and jobs that are not asked for yet."""
    return SLURMCluster(
        cores=1,
        processes=1,
        memory="16GiB",
        job_cpu=4,
        walltime="08:00:00",
        local_directory="$TMPDIR",
        job_script_prologue=['source "$HOME/envs/recbench/bin/activate"'],
        scheduler_options={"port": 8786},
    )


if __name__ == "__main__":
    with cluster() as started:
        started.scale(jobs=4)
        print(f"recbench run --cluster {started.scheduler_address}", flush=True)  # noqa: T201 - the answer
        signal.pause()
