"""A SLURM of one node, of this machine, for tests: no accounting, nothing outside one folder, gone afterwards."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun")
CONFIG = """
ClusterName=tests
SlurmctldHost=localhost
SlurmctldPort=17817
SlurmdPort=17818
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
InactiveLimit=0
KillWait=1
NodeName=localhost CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=localhost Default=YES MaxTime=60 State=UP
"""


def missing() -> list[str]:
    """Programs that are needed and not installed; Debian has them in slurm-wlm and munge."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [name for name in PROGRAMS if not shutil.which(name, path=path)]


@contextmanager
def cluster(folder: Path, memory: int = 8000) -> Iterator[dict[str, str]]:
    """Start the cluster; yields the environment in which its commands work. `memory` in MB; `folder` is to be short."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "slurm.conf").write_text(
        CONFIG.format(folder=folder, user=user, cores=os.cpu_count(), memory=memory), "utf8"
    )
    # Snakemake's plugin takes SLURM's variables away, and a job starts its steps by srun, which needs this one.
    (folder / "bin").mkdir()
    srun = shutil.which("srun")
    (folder / "bin/srun").write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {srun} "$@"\n')
    (folder / "bin/srun").chmod(0o755)
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    environment = os.environ | {
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{folder}/bin:{os.environ['PATH']}:/usr/sbin:/sbin",
    }
    places = {"socket": "munge.socket", "key-file": "munge.key", "log-file": "munge.log", "pid-file": "munge.pid",
              "seed-file": "munge.seed"}  # fmt: skip
    munge = ["munged", "--foreground", "--force", *(f"--{key}={folder / name}" for key, name in places.items())]
    started = []
    try:
        for command in (munge, ["slurmctld", "-D", "-i"], ["slurmd", "-D", "-N", "localhost"]):
            log = (folder / f"{command[0]}.out").open("w")
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(1)
        if not _until("sinfo", "idle", environment):
            raise RuntimeError(f"the node does not come up; see {folder}")
        yield environment
        subprocess.run(["scancel", "--user", user], env=environment, check=False)
        _until("squeue", "", environment)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _until(command: str, state: str, environment: dict[str, str]) -> bool:
    """Wait until ``sinfo`` or ``squeue`` tells of nothing but that state, half a minute at most."""
    for _ in range(60):
        told = subprocess.run([command, "-h", "-o", "%t"], env=environment, capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.strip() == state:
            return True
        time.sleep(0.5)
    return False
