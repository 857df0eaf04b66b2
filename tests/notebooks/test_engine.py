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
    assert "AssertionError: it was to fail" in result.stderr
    assert "runs/demo/bad/bad.ipynb" in result.stderr
    assert not (root / TARGETS[0]).exists()
    assert "seed 2" in outputs(root / "runs/demo/bad/bad.ipynb")
    assert "it was to fail" in (root / "runs/demo/bad/papermill.log").read_text()


def test_the_other_chapter_ran_with_the_parameters_of_its_profile(first):
    root, _ = first
    record = json.loads((root / TARGETS[1]).read_text())
    assert (record["parameters"]["seed"], record["parameters"]["rate"]) == (2, 1e-4)
    assert record["parameters"]["split"] == "patient"
    assert "seed 2" in outputs(root / "runs/demo/good/good.ipynb")


def test_a_finished_chapter_is_run_again_only_for_a_change(first):
    root, _ = first
    assert "Nothing to be done" in engine(root, TARGETS[1]).stderr
    chapters.prepare("demo", ["good"], settings={"seed": "5"}, root=root)
    assert engine(root, TARGETS[1]).returncode == 0
    assert json.loads((root / TARGETS[1]).read_text())["seeds"] == {"seed": 5}
