"""The engine: a finished chapter is not run again, a failed one is kept for reading and stops no other."""

import json

import nbformat
import pytest
import tiny
from engine import engine

from studybook.engine import chapters

TARGETS = ["runs/demo/bad/record.json", "runs/demo/good/record.json"]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A repository in which one chapter succeeded and one failed, and what the engine said."""
    root = tiny.repository(tmp_path_factory.mktemp("a repository"))
    chapters.prepare("demo", root=root)
    return root, engine(root, *TARGETS)


def outputs(path) -> str:
    cells = nbformat.read(path, 4).cells
    return "".join(str(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs)


def test_a_failing_chapter_leaves_its_notebook_and_no_record(first):
    root, result = first
    assert result.returncode != 0
    last = result.stderr.splitlines()[-3:]
    assert last[0] == "error: bad, notebook (demo): AssertionError: it was to fail"
    assert last[1].split() == ["see", "runs/demo/bad/papermill.log"] and "1 of 2 steps are done" in last[2]
    assert not (root / TARGETS[0]).exists()
    assert "seed 2" in outputs(root / "runs/demo/bad/bad.ipynb")
    assert "it was to fail" in (root / "runs/demo/bad/papermill.log").read_text()


def test_it_tells_which_step_of_how_many_and_nothing_of_the_engine(first):
    _, result = first
    lines = [line.split(maxsplit=1)[1] for line in result.stderr.splitlines() if line.lstrip()[:1].isdigit()]
    assert sorted(line.split(":")[0] for line in lines[:-1]) == ["FAILED", "done, 1 of 2", "step 1 of 2", "step 2 of 2"]
    assert any(line.startswith("step") and "good, notebook (demo); log: runs/demo/good/papermill.log" in line
               for line in lines)  # fmt: skip
    chatter = ("DAG", "Select jobs", "Execute", "shared filesystem", "rule")
    assert not [word for word in chatter if word in result.stderr]


def test_the_other_chapter_ran_with_the_parameters_of_its_profile(first):
    root, _ = first
    record = json.loads((root / TARGETS[1]).read_text())
    assert (record["parameters"]["seed"], record["parameters"]["rate"]) == (2, 1e-4)
    assert record["parameters"]["split"] == "patient"
    assert "seed 2" in outputs(root / "runs/demo/good/good.ipynb")


def test_a_finished_chapter_is_run_again_only_for_a_change(first):
    root, _ = first
    assert engine(root, TARGETS[1]).stderr == ""
    chapters.prepare("demo", ["good"], settings={"seed": "5"}, root=root)
    assert engine(root, TARGETS[1]).returncode == 0
    assert json.loads((root / TARGETS[1]).read_text())["seeds"] == {"seed": 5}
