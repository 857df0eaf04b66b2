"""Sweeps: a grid of parameters is checked before anything runs; what is done, or killed half-way, is not done twice."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import tiny
import yaml

from studybook.engine import sweep
from studybook.engine.parameters import ParameterError

GRID = {"powers": [[1], [1, 2]]}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return tiny.study(tmp_path_factory.mktemp("sweeps"))


def write(root, **content):
    file = root / "wide.yaml"
    file.write_text(yaml.safe_dump({"chapter": "toy", "grid": GRID} | content))
    return file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"chapter": "toi"}, r"wide\.yaml: chapter 'toi': expected one of toy"),
        ({"grids": {}}, r"wide\.yaml: found chapter, grid, grids; expected chapter, grid and perhaps set"),
        ({"grid": {"powers": [1, 2]}}, r"wide\.yaml: grid, powers, choice 1: .*'powers' is 1 \(int\); expected list"),
        ({"grid": {"seed": [1, "x"]}}, r"wide\.yaml: grid, seed, choice 'x': .*'seed' is 'x' \(str\); expected int"),
        ({"grid": {"sead": [1]}}, r"grid, sead, choice 1: .*'sead' is not declared. Did you mean 'seed'"),
        ({"grid": {"seed": 1}}, r"grid, seed: found 1; expected a list of choices"),
        ({"grid": {"seed": [1, 1]}}, r"grid, seed: found a choice twice"),
        ({"set": {"powers": [3]}}, r"powers: both fixed and in the grid"),
        ({"set": {"sead": 3}}, r"wide\.yaml: toy: parameter 'sead' is not declared"),
    ],
)
def test_what_is_wrong_is_named_before_anything_starts(repository, content, message):
    with pytest.raises(ParameterError, match=message):
        sweep.read(write(repository, **content), "smoke", root=repository)
    assert not (repository / "runs").exists()


def test_every_combination_is_a_run_of_its_own_whose_name_lasts(repository):
    found = sweep.read(write(repository, grid=GRID | {"seed": [1, 2]}), "smoke", root=repository)
    assert [point.choice for point in found.points] == [
        {"powers": powers, "seed": seed} for powers in ([1], [1, 2]) for seed in (1, 2)
    ]
    fewer = sweep.read(write(repository, grid=GRID | {"seed": [2]}), "smoke", root=repository)
    assert {point.run for point in fewer.points} < {point.run for point in found.points}
    assert found.points[0].values["output"] == f"../runs/{found.points[0].run}/toy"


def run(root, **environment):
    """The sweep, as `make sweep` runs it, in a process group of its own."""
    command = [sys.executable, "-m", "studybook.engine.run", "sweep", "wide.yaml", "--profile", "smoke", "--"]
    environment = os.environ | {"PYTHONPATH": str(root), "TOY_LOG": str(root / "log")} | environment
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False, start_new_session=True
    )


def test_a_killed_sweep_goes_on_and_computes_nothing_twice(repository):
    write(repository)
    assert run(repository, TOY_KILL_ALL="power2-fold1").returncode == -signal.SIGKILL
    result = run(repository)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "A run was killed here; its lock is removed." in result.stderr
    # Both runs need the units of power 1, which were computed once, and the killed one was begun anew alone.
    assert sorted((repository / "log").read_text().split()) == [
        f"power{k}-fold{fold}" for k in (1, 2) for fold in (0, 1)
    ]
    page = repository / "runs/smoke-wide/index.html"
    assert str(page) in result.stdout and "2 of 2 runs are done" in page.read_text()
    table = pd.read_csv(page.with_name("table.csv"))
    assert list(table["powers"]) == ["[1]", "[1, 2]", "[1, 2]"] and list(table["method"]) == [
        "power1",
        "power1",
        "power2",
    ]
    again = run(repository)
    assert again.returncode == 0 and "step" not in again.stderr
