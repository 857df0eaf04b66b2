"""The exercises' commands, as printed: papermill takes them, and the chapter's own checks take their parameters.

``make exercises`` runs each of them to the end at the smoke scale, which takes two to three times as long as all other
tests.
"""

import contextlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from papermill.cli import papermill
from test_structure import prose

from studybook import twins
from studybook.engine import chapters

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ".venv/bin/papermill"


def exercises() -> list[SimpleNamespace]:
    """Chapter, number within its page and arguments of every papermill command under *Exercises*."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = prose(json.loads(path.read_text("utf8"))["cells"]).partition("## Exercises")[2]
        for number, line in enumerate(re.findall(rf"^ *{re.escape(PROGRAM)} (.+)$", text, re.M), start=1):
            found.append(SimpleNamespace(chapter=path.stem, name=f"{path.stem}-{number}", arguments=shlex.split(line)))
    return found


ALL = exercises()


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> dict[str, str]:
    """Of every exercise what the chapter's first cells said to its parameters: ``ok``, or an error."""
    folder, found, files = tmp_path_factory.mktemp("exercises"), {}, []
    for one in ALL:
        file = folder / f"{one.name}.ipynb"
        # Nothing is written to the places that the exercises name: a reader's own results may lie there.
        moved = [re.sub(r"^(\.\./)?runs/", f"{folder}/", argument) for argument in one.arguments]
        with contextlib.chdir(ROOT):
            said = CliRunner().invoke(papermill, [*moved, "--prepare-only", "--no-progress-bar"])
        if said.exit_code or not file.is_file():
            found[one.name] = f"no runs/{one.name}.ipynb was written: {said.output} {said.exception}"
        else:
            files.append(file)
    command = [sys.executable, str(Path(__file__).with_name("first_cells.py")), *map(str, files)]
    result = subprocess.run(command, cwd=ROOT / "notebooks", capture_output=True, text=True, check=False)
    said = dict(re.findall(r"^.*/(\S+)\.ipynb: (.*)$", result.stdout, re.M))
    return found | {file.stem: said.get(file.stem, result.stderr) for file in files}


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.name)
def test_the_chapter_takes_its_parameters(exercise, checked):
    assert checked[exercise.name] == "ok"


def test_no_two_exercises_write_to_one_place():
    places = [argument for one in ALL for argument in one.arguments if re.search(r"\bruns/(?!demo/)", argument)]
    assert len(places) == len(set(places)) == 2 * len(ALL)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.name)
def test_it_runs_at_the_smoke_scale(exercise, smoke):
    (ROOT / "runs").mkdir(exist_ok=True)
    smoke = ROOT / f"profiles/smoke/{exercise.chapter}.yaml"
    name = chapters.needs(ROOT / f"notebooks/{exercise.chapter}.ipynb")[0]
    arguments = [str(twins.folder(name, 24)) if argument == "PATH" else argument for argument in exercise.arguments]
    # What an exercise takes from the reader's book lies in the one that the tests have made.
    arguments = [argument.replace("runs/demo/", "runs/smoke/") for argument in arguments]
    command = [sys.executable, "-m", "papermill", *arguments, "-f", str(smoke), "--no-progress-bar"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (ROOT / f"runs/{exercise.name}/record.json").is_file()
