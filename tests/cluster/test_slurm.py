"""On a SLURM of one node: parts run at once, a canceled job is named and resumed, and nothing is computed twice.

``pytest -m slow tests/cluster`` runs it, where SLURM, munge and Snakemake's plugin are installed; two minutes.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import slurm
import tiny

from studybook.engine import chapters

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm.missing()), reason=f"not installed: {', '.join(slurm.missing())}"),
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
        reason="snakemake-executor-plugin-slurm is not installed",
    ),
]
PATIENCE = 600  # seconds, on a busy machine
# As the profile says; a node of one machine is asked more often than a cluster's controller likes to be.
OPTIONS = ["--profile", str(ROOT / "clusters/slurm"), "--slurm-init-seconds-before-status-checks", "2"]


@pytest.fixture(scope="module")
def cluster():
    # Not below pytest's folder, whose name is too long for a socket.
    with tempfile.TemporaryDirectory(prefix="slurm") as folder, slurm.cluster(Path(folder)) as environment:
        yield environment


@pytest.fixture
def make(cluster, tmp_path):
    """A repository with a toy chapter, and `make chapter` in it, which is started or waited for."""
    root = tiny.study(tmp_path / "repository")
    started = []
    path = os.pathsep.join([str(root), *filter(None, [cluster.get("PYTHONPATH")])])

    def start(*options, **environment) -> subprocess.Popen:
        command = [sys.executable, "-m", "studybook.engine.run", "chapter", "toy", "--profile", "smoke", "--"]
        known = cluster | {"PYTHONPATH": path, "TOY_LOG": str(root / "log")} | environment
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen([*command, *OPTIONS, *options], cwd=root, env=known, text=True, **pipes))
        return started[-1]

    yield root, start
    for one in started:
        one.kill()


def queue(cluster) -> dict[str, str]:
    """Running jobs: their comments, which name the rule and its wildcards, to their ids."""
    command = ["squeue", "-h", "-t", "RUNNING", "-o", "%k|%i"]
    told = subprocess.run(command, env=cluster, capture_output=True, text=True, check=True).stdout
    return dict(line.rsplit("|", 1) for line in told.splitlines())


def test_parts_run_at_once_and_a_canceled_one_goes_on(cluster, make):
    root, start = make
    first = start(TOY_WAIT="8")
    most = {}
    for _ in range(PATIENCE):
        running = queue(cluster)
        most = max(most, running, key=len)
        if len(most) == 2 and (root / "log").exists() and "power2-fold0" in (root / "log").read_text():
            break
        time.sleep(0.5)
    assert len(most) == 2, most
    second = next(number for comment, number in queue(cluster).items() if "power2" in comment)
    subprocess.run(["scancel", second], env=cluster, check=True)
    said = first.communicate(timeout=PATIENCE)[0]
    assert first.returncode == 1
    last = said.splitlines()[-3:]
    assert last[0].startswith("error: toy, part power2 (smoke):") and "CANCELLED" in last[0], said
    assert last[1].strip().startswith("see ") and Path(root, last[1].split(maxsplit=1)[1]).is_file(), said

    again = start(TOY_WAIT="0")
    said = again.communicate(timeout=PATIENCE)[0]
    assert again.returncode == 0, said
    assert (root / "runs/smoke/toy/record.json").is_file()
    done = (root / "log").read_text().split()
    assert sorted(done) == [f"power{power}-fold{fold}" for power in (1, 2) for fold in (0, 1)]


def test_a_refused_job_and_a_failing_notebook_are_named(make):
    root, start = make
    refused = start("--set-resources", "units:mem_mb=900000")
    said = refused.communicate(timeout=PATIENCE)[0]
    assert refused.returncode == 1
    errors = sorted(said.splitlines()[-3:-1])
    assert [line.split(":")[1] for line in errors] == [" toy, part power1 (smoke)", " toy, part power2 (smoke)"], said
    assert "Memory specification can not be satisfied" in errors[0] and "sbatch call" not in errors[0]

    (root / "notebooks/toy.ipynb").write_text(
        (root / "notebooks/toy.ipynb").read_text().replace("units.gather(", "units.gather_all(")
    )
    chapters.prepare("smoke", root=root)
    failed = start()
    said = failed.communicate(timeout=PATIENCE)[0]
    assert failed.returncode == 1
    last = said.splitlines()[-3:]
    assert last[0].startswith("error: toy, notebook (smoke): AttributeError: ") and "gather_all" in last[0], said
    assert last[1].split() == ["see", "runs/smoke/toy/papermill.log"], said
