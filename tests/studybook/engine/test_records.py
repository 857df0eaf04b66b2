import json

import pandas as pd
import pytest

from histolib import metrics
from histolib.metrics import predictions
from studybook.engine import records


@pytest.fixture
def finished(tmp_path, twin):
    run = records.RunRecord("chapter", "A chapter", tmp_path / "one", {"seed": 3, "split": "patient"})
    with run.stage("work"):
        run.uses(twin)
    table = predictions.table("m", twin.table, twin.labels * 0.8 + 0.1)
    run.finish(table, metrics.summary(table, draws=5))
    return tmp_path / "one" / "record.json", table


def test_record_holds_what_the_run_was(finished, twin):
    record, table = records.read(finished[0])
    pd.testing.assert_frame_equal(table, finished[1], check_dtype=False)
    assert record["data"] == {
        "name": "idc", "twin": True, "fingerprint": twin.fingerprint, "images": len(twin.table), "patients": 10,
        "skipped": [], "left_out": {},
    }  # fmt: skip
    assert record["seeds"] == {"seed": 3} and record["stages"]["work"] >= 0
    assert {"python", "packages", "backend", "hardware", "revision", "started", "seconds"} <= set(record)
    assert {"method", "score", "value", "low", "high"} == set(record["results"][0])


def test_numbers_of_a_record_follow_from_its_predictions(finished):
    record, table = records.read(finished[0])
    again = metrics.summary(table, draws=5).reset_index()
    assert again["value"].tolist() == pytest.approx([row["value"] for row in record["results"]], abs=1e-6)


def test_a_run_that_fails_leaves_no_record(finished):
    run = records.RunRecord("chapter", "A chapter", finished[0].parent, {})
    assert not finished[0].exists()
    assert run.folder == finished[0].parent


def test_other_predictions_are_refused(finished):
    predictions.save(finished[1].iloc[1:], finished[0].parent / records.PREDICTIONS)
    with pytest.raises(ValueError, match="predictions.csv.gz.*SHA-256"):
        records.read(finished[0])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}'])
def test_a_half_written_record_is_refused(finished, content):
    finished[0].write_text(content)
    with pytest.raises(ValueError, match="record.json"):
        records.read(finished[0])


def test_another_schema_is_refused(finished):
    record = json.loads(finished[0].read_text()) | {"schema": 99}
    finished[0].write_text(json.dumps(record))
    with pytest.raises(ValueError, match="schema 99"):
        records.read(finished[0])


def test_kept_runs(finished, tmp_path):
    assert records.kept(None) == {} and records.kept(tmp_path / "none") == {}
    assert list(records.kept_predictions(tmp_path)) == ["kept: one (drawn twin)"]
    (one,) = records.as_methods(records.kept_predictions(tmp_path))
    assert set(one["method"]) == {"kept: m"} and one["p_1"].tolist() == finished[1]["p_1"].tolist()
    two = records.as_methods({"kept: a": finished[1], "kept: b": finished[1]})
    assert [set(rows["method"]) for rows in two] == [{"kept: a: m"}, {"kept: b: m"}]
    assert records.overview(tmp_path).loc["split", "one"] == "patient"
    assert records.gpu_minutes(tmp_path) == []
    (tmp_path / "gpu-x.json").write_text(json.dumps({"accelerator": "chip", "minutes": {"baseline": 1.5}}))
    (one,) = records.gpu_minutes(tmp_path)
    assert one.name == "chip" and one["baseline"] == 1.5


def test_several_sets_are_one_with_each_of_them_named():
    one = {"name": "idc", "twin": False, "fingerprint": "a", "images": 3, "patients": 2, "skipped": ["x"]}
    other = one | {"name": "bach", "twin": True, "fingerprint": "b", "skipped": [], "left_out": {"hidden": 2}}
    both = records.of_several([one | {"left_out": {}}, other])
    assert both["name"] == "idc, bach (drawn)" and both["twin"] is False and both["skipped"] == ["x"]
    assert both["images"] == 6 and both["left_out"] == {"bach: hidden": 2} and len(both["sets"]) == 2
    drawn = records.of_several([other, other])
    assert drawn["twin"] is True and drawn["name"] == "bach, bach" and drawn["fingerprint"] != both["fingerprint"]
