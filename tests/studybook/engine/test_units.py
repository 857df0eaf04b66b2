"""A study cut into units: each computed once, kept whole, found again, computed anew when anything about it changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import toy_study
import yaml

from studybook.engine import units

PLAN = toy_study.plan
VALUES = {"data": None, "powers": [1, 2, 3], "seed": 7}


@pytest.fixture
def plan():
    return toy_study.plan(VALUES)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Lines that the study writes when it computes."""
    file = tmp_path / "log"
    file.touch()
    monkeypatch.setenv("TOY_LOG", str(file))
    return lambda: file.read_text().split()


def gather(plan, output):
    return units.gather(toy_study, plan, output)


def test_all_units_in_one_table(plan, tmp_path):
    found = gather(plan, tmp_path)
    assert len(found.predictions) == 3 * 2 * 2
    assert list(found.predictions["method"].unique()) == ["power1", "power2", "power3"]
    assert list(found.units.index) == [toy_study.label(one) for one in plan]
    assert list(found.units["trained layers"]) == [1, 1, 2, 2, 3, 3]
    assert found.tables["history"]["power2-fold1"]["loss"].tolist() == [1.0, 0.5]


def test_units_are_chosen_by_their_settings(plan, tmp_path):
    found = gather(plan, tmp_path)
    some = found.of(power=[1, 3], fold=1)
    assert sorted(zip(some["method"], some["fold"])) == [("power1", 1)] * 2 + [("power3", 1)] * 2
    assert len(found.of(power=9)) == 0
    assert (found.units.loc["power2-fold0", "folder"], found.units.loc["power2-fold0", "method"]) == (
        str(units.folder(toy_study, plan[2], tmp_path)),
        "power2",
    )


def test_a_finished_unit_is_not_computed_again(plan, tmp_path, log):
    first = gather(plan, tmp_path).predictions
    assert len(log()) == 6
    second = gather(plan, tmp_path).predictions
    assert len(log()) == 6
    assert first.equals(second)


def test_where_the_data_lie_does_not_matter_but_any_other_setting_does(plan, tmp_path):
    one = plan[0]
    place = units.folder(toy_study, one, tmp_path)
    assert units.folder(toy_study, one | {"data": "elsewhere"}, tmp_path) == place
    assert units.folder(toy_study, one | {"seed": 8}, tmp_path) != place


def test_other_data_or_other_code_is_another_unit(plan, tmp_path, monkeypatch):
    place = units.folder(toy_study, plan[0], tmp_path)
    with monkeypatch.context() as changed:
        changed.setattr(toy_study, "fingerprint", lambda settings: "other data")
        assert units.folder(toy_study, plan[0], tmp_path) != place
    monkeypatch.setattr(units, "code", lambda module: "other code")
    assert units.folder(toy_study, plan[0], tmp_path) != place


def test_two_units_of_one_name_are_refused(plan, tmp_path):
    with pytest.raises(ValueError, match="power1-fold0"):
        gather([*plan, plan[0] | {"seed": 9}], tmp_path)


def test_predictions_that_were_changed_are_refused(plan, tmp_path):
    gather(plan, tmp_path)
    file = next(tmp_path.glob("units/power1-fold0-*/predictions.csv.gz"))
    file.write_bytes(file.read_bytes() + b"0")
    with pytest.raises(ValueError, match="predictions.csv.gz.*SHA-256"):
        gather(plan, tmp_path)


def test_resumes_after_a_kill(plan, tmp_path, log):
    script = "import sys, toy_study; from studybook.engine import units; "
    script += "units.gather(toy_study, toy_study.plan(%r), sys.argv[1])"
    environment = os.environ | {"PYTHONPATH": str(Path(toy_study.__file__).parent), "TOY_KILL": "power2-fold1"}
    command = [sys.executable, "-c", script % VALUES, str(tmp_path)]
    killed = subprocess.run(command, env=environment, capture_output=True)
    assert killed.returncode == -9
    assert log() == ["power1-fold0", "power1-fold1", "power2-fold0"]
    assert len(list(tmp_path.glob("units/power*/record.json"))) == 3
    resumed = gather(plan, tmp_path).predictions
    assert log() == [toy_study.label(one) for one in plan]
    assert resumed.equals(gather(plan, tmp_path / "other").predictions)


def test_record_tells_settings_data_code_and_machine(plan, tmp_path):
    record = json.loads((units.run(toy_study, plan[0], tmp_path) / "record.json").read_text())
    assert record["settings"] == plan[0]
    assert record["data"] == "the same data" and record["code"] == units.code(toy_study)
    assert {"revision", "packages", "hardware", "seconds", "predictions"} <= set(record)


def test_groups_keep_the_order_of_the_plan(monkeypatch):
    monkeypatch.setattr(units, "study", lambda chapter: toy_study)
    found = units.groups("toy", VALUES)
    assert list(found) == ["power1", "power2", "power3"]
    assert [one["fold"] for one in found["power2"]] == [0, 1]


def test_a_chapter_has_its_room_among_the_papers_or_beside_them():
    assert units.room("idc_transfer") == "studybook.papers.idc_transfer"
    assert units.room("pretraining") == "studybook.pretraining"
    assert units.study("comparison").__name__ == "studybook.comparison.study"


def test_groups_are_dealt_out_to_few_processes():
    groups = {name: [{"power": name, "fold": fold} for fold in (0, 1)] for name in "abc"}
    found = units.joined(groups, 2)
    assert {name: "".join(one["power"] for one in part) for name, part in found.items()} == {
        "part1": "aacc",
        "part2": "bb",
    }
    assert units.joined(groups, 3) == units.joined(groups, 0) == units.joined(groups) == groups


def test_a_chapter_without_a_study_has_no_groups():
    assert units.groups("pretraining", {}) == {}


def test_an_unknown_precision_is_refused_before_anything_is_planned():
    with pytest.raises(ValueError, match="precision='float16'; expected one of 'float32', 'bfloat16'$"):
        units.groups("idc_transfer", {"precision": "float16"})


def test_the_command_plans_and_runs_where_the_chapter_does(tmp_path, monkeypatch):
    tiny.notebook(tmp_path / "notebooks/toy.ipynb")
    file = tmp_path / "runs/demo/toy/parameters.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({"data": "../real", "output": "../runs/demo/toy", "powers": [1, 2]}))
    (tmp_path / "real").mkdir()
    seen = []

    def plan(values):
        seen.append(Path(values["data"]).is_dir())
        return PLAN(values)

    monkeypatch.setattr(units, "study", lambda chapter: toy_study)
    monkeypatch.setattr(toy_study, "plan", plan)
    monkeypatch.chdir(tmp_path)
    stamp = tmp_path / "runs/demo/toy/units/power2.json"
    command = ["toy", "power2", "--parameters", str(file), "--stamp", "runs/demo/toy/units/power2.json"]
    assert units.main(command) == 0
    assert seen == [True]
    names = json.loads(stamp.read_text())
    assert [name.rpartition("-")[0] for name in names] == ["power2-fold0", "power2-fold1"]
    assert all((stamp.parent / name / "record.json").is_file() for name in names)
