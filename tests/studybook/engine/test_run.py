"""What `make` says before it starts, after a kill, and where it may not write."""

import os
import signal
import subprocess
import sys

import pytest
import tiny
from engine import engine

from histolib import cache
from studybook.engine import needs, progress, run, running
from studybook.engine.parameters import ParameterError

ALONE = "from studybook.engine import running; print(running.hold(), flush=True); input()"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_who_is_alone_knows_it_and_a_killed_process_counts_no_more(folder):
    first, second = (
        subprocess.Popen([sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    assert sorted(one.stdout.readline().strip() for one in (first, second)) == ["False", "True"]
    assert running.hold() is False
    for one in (first, second):
        one.send_signal(signal.SIGKILL)
        one.wait()
    os.close(running._held.pop())
    assert running.hold() is True
    os.close(running._held.pop())


def test_a_module_is_run_as_python_does(folder):
    (folder / "said.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    command = [sys.executable, "-m", "studybook.engine.running", "said", "-x", "y"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "__main__ ['-x', 'y']" and running.LOCK.exists()


def test_unfinished_twins_are_removed_unless_they_are_being_drawn(folder, monkeypatch):
    monkeypatch.setenv("HISTOLIB_CACHE", str(folder / "cache"))
    for name in (".idc-v2-10-2020-1a2b3c4d", ".idc-v2-12-2020-1a2b3c4d", "idc-v2-10-2020"):
        (folder / "cache/twins" / name / "IDC").mkdir(parents=True)
    with cache.alone(cache.folder("twins", "idc-v2-12-2020")):
        assert [path.name for path in running.tidy()] == [".idc-v2-10-2020-1a2b3c4d"]
    assert sorted(os.listdir(folder / "cache/twins")) == [".idc-v2-12-2020-1a2b3c4d", "idc-v2-10-2020"]


def test_runs_that_can_not_be_written_are_an_error_in_one_line(folder, monkeypatch, capsys):
    tiny.repository(folder, ["good"])
    (folder / "runs").write_text("a file")
    assert run.main(["chapter", "good"]) == 2
    assert "runs/ and .snakemake/ below this folder: make it writable" in capsys.readouterr().err
    (folder / "runs").unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ParameterError, match="no permission to write"):
        run._begin()


def test_a_lock_of_a_killed_run_is_removed_and_that_of_a_living_one_is_not(folder):
    tiny.repository(folder, ["good"])
    target = "runs/demo/good/other.txt"
    (folder / "Snakefile").write_text(
        "from studybook.engine import running\nrunning.hold()\n"
        f"rule:\n    output: '{target}'\n    shell: 'touch {{output}}'\n"
    )
    locks = folder / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(target + "\n")
    other = subprocess.Popen([sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline().strip() == "True"
    refused = engine(folder, target)
    assert refused.returncode == 1 and refused.stderr.strip() == run._BUSY and "--unlock" not in refused.stderr
    other.communicate("\n")
    mended = engine(folder, target)
    assert mended.returncode == 0 and "its lock is removed" in mended.stderr, mended.stderr
    assert (folder / target).exists() and not list(locks.glob("*"))


def test_needs_grow_with_the_scale_and_a_sweeps_points_need_what_its_profile_does():
    sizes = [needs.of(name)["chapter"]["mem_mb"] for name in ("smoke", "demo", "sample", "paper")]
    assert sizes == sorted(sizes) and sizes[0] <= 3000 and needs.of("smoke")["units"]["runtime"] <= 20
    assert needs.of("smoke-rates-seed_1-abcdef") == needs.of("smoke") and needs.of("mine") == needs.of("paper")


def test_too_little_memory_or_disk_is_said_early(folder, monkeypatch):
    monkeypatch.setattr(needs, "memory", lambda: 8000)
    assert not [line for line in needs.shortages("sample") if line.startswith("memory")]
    (line,) = [line for line in needs.shortages("paper") if line.startswith("memory")]
    assert "'paper' may take 24 GB and this machine has 8.0 GB" in line and "PROFILE=smoke or demo or sample" in line
    assert not [line for line in needs.shortages("paper", here=False) if line.startswith("memory")]
    monkeypatch.setattr(needs.shutil, "disk_usage", lambda place: type("", (), {"free": 10**8}))
    (line,) = [line for line in needs.shortages("smoke") if line.startswith("disk")]
    assert "may grow to 1 GB at the scale 'smoke', and 0.1 GB are free" in line


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (125.9, "2:05"), (3723, "1:02:03")])
def test_a_clock(seconds, text):
    assert progress.clock(seconds) == text


@pytest.mark.parametrize(
    ("log", "message", "reason"),
    [
        ("Traceback ...\nValueError: no\nexit status 1\n", "status is: 'FAILED'", "ValueError: no"),
        ("begun\nexit status 137\n", None, "killed (exit status 137): by hand, or because memory ran out"),
        ("begun\n", "SLURM-job '3' failed,\n status is: 'CANCELLED'.", "SLURM-job '3' failed, status is: 'CANCELLED'."),
        ("begun\n", "It failed. For further error details see the log.", "It failed."),
        ("begun\n", None, "begun"),
        ("\n", None, "it ended without a word: killed by hand, or because memory ran out"),
    ],
)
def test_why_a_step_failed(tmp_path, log, message, reason):
    file = tmp_path / "x.log"
    file.write_text(log)
    assert progress.why([tmp_path / "x.ipynb", file], [], message) == (reason, file if log.strip() else None)
    if log.strip() and "status" not in log and message:
        other = tmp_path / "7.log"
        other.write_text("rule units:\nslurmstepd: error: *** CANCELLED AT 12:00 ***\nlog: x (check it)\n")
        assert progress.why([file], [other], message) == (
            f"{reason} slurmstepd: error: *** CANCELLED AT 12:00 ***",
            other,
        )
    assert progress.summary([progress.Failure("a, part b", reason, str(file))]) == (
        f"error: a, part b: {reason}\n    see {file}"
    )
