"""Every chapter runs at the smoke scale, without warnings, and prints the same tables when it is run again."""

import json
import re
from pathlib import Path

import pytest
from engine import CHAPTERS


@pytest.fixture(params=CHAPTERS)
def executed(request, smoke, root):
    """Path of a chapter executed at the smoke scale."""
    folder = root / "runs" / "smoke" / request.param
    assert (folder / "record.json").is_file(), f"{request.param} failed:\n{smoke.stdout}{smoke.stderr}"
    return folder / f"{request.param}.ipynb"


def outputs(path: Path) -> list[dict]:
    cells = json.loads(path.read_text("utf8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def test_it_runs_with_tables_and_figures(executed):
    kinds = [kind for output in outputs(executed) for kind in output.get("data", {})]
    assert "text/html" in kinds and "image/png" in kinds
    assert not [output for output in outputs(executed) if output["output_type"] == "error"]


def test_it_warns_of_nothing(executed):
    streams = ["".join(output["text"]) for output in outputs(executed) if output.get("name") == "stderr"]
    assert not [line for text in streams for line in text.splitlines() if re.search(r"\w*Warning: ", line)]


def test_the_record_says_how_long_each_stage_took(executed):
    record = json.loads(executed.with_name("record.json").read_text("utf8"))
    # Some stages are the seconds of units, which ran before the chapter and may have taken longer than it.
    assert record["stages"] and min(record["stages"].values()) >= 0 and record["seconds"] > 0
    assert record["data"]["twin"] is True and record["parameters"]["output"] == f"../runs/smoke/{executed.stem}"


def test_its_tables_repeat(repeated):
    assert repeated.returncode == 0, repeated.stdout + repeated.stderr
