"""Every chapter runs at the smoke scale, without warnings, and prints the same tables when it is run again."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Snakemake gives a chapter two threads; sums rounded otherwise would be other tables.
THREADS = dict.fromkeys(
    [
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ],
    "2",
)


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
    assert record["stages"] and sum(record["stages"].values()) <= record["seconds"] + 1
    assert record["data"]["twin"] is True and record["parameters"]["output"] == f"../runs/smoke/{executed.stem}"


def test_its_tables_repeat(executed, root):
    # A second tree, laid out alike: relative paths mean the same there, and the record of the first run stays.
    tree = root / "runs" / "smoke" / "nbval"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "notebooks").mkdir(parents=True)
    shutil.copy(executed, tree / "notebooks")
    shutil.copy(Path(__file__).with_name("nbval_conftest.py"), tree / "notebooks" / "conftest.py")
    (tree / "pytest.ini").write_text("[pytest]\n")
    # A chapter across the papers shows the other chapters' runs.
    for record in (root / "runs/smoke").glob("*/record.json"):
        if record.parent.name != executed.stem:
            place = tree / "runs/smoke" / record.parent.name
            place.mkdir(parents=True)
            for file in (record, record.with_name("predictions.csv.gz")):
                shutil.copy(file, place)
    if (root / "records").is_dir():
        shutil.copytree(root / "records", tree / "records")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout",
        "120",
    ]
    command += [
        "--nbval-sanitize-with",
        str(root / "tests" / "nbval_sanitize.cfg"),
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    environment = os.environ | THREADS | {"PYTHONHASHSEED": "0"}
    result = subprocess.run(
        [*command, f"notebooks/{executed.name}"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
