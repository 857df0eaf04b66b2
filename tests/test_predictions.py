import numpy as np
import pandas as pd
import pytest

from histolib import predictions

MANIFEST = pd.DataFrame(
    {"image_id": ["a", "b", "c"], "patient": ["007", "007", "8"], "label": [0, 1, 1], "x": [1, 2, 3]}
)


def test_columns_and_two_ways_of_giving_probabilities():
    table = predictions.table("m", MANIFEST, [0.1, 0.9, 0.3], fold=2)
    assert list(table.columns) == ["method", "fold", "image_id", "patient", "y_true", "p_0", "p_1"]
    other = predictions.table("m", MANIFEST, np.array([[0.9, 0.1], [0.1, 0.9], [0.7, 0.3]]), fold=2)
    pd.testing.assert_frame_equal(table, other)


def test_saved_file_is_the_same_and_reads_back_equal(tmp_path):
    table = predictions.table("m", MANIFEST, np.random.default_rng(0).random(3))
    first, second = (predictions.save(table, tmp_path / name) for name in ("a.csv.gz", "b.csv.gz"))
    assert first == second
    found = predictions.load(tmp_path / "a.csv.gz")
    pd.testing.assert_frame_equal(found, table, check_dtype=False, atol=0, rtol=0)
    assert found["patient"].tolist() == ["007", "007", "8"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    table = predictions.table("m", MANIFEST, [0.1, 0.9, 0.3])
    predictions.save(table, tmp_path / "p.csv.gz")
    before = (tmp_path / "p.csv.gz").read_bytes()

    def full(self, content):
        with open(self, "wb") as file:
            file.write(content[:5])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr("pathlib.Path.write_bytes", full)
        predictions.save(table.assign(fold=1), tmp_path / "p.csv.gz")
    assert (tmp_path / "p.csv.gz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv.gz"]


@pytest.mark.parametrize(
    "wrong, message",
    [([0.1, 0.2], "2 probabilities for 3 images"), ([0.1, 0.2, 1.5], "sum to 1"), ([0.1, 0.2, np.nan], "finite"),
     ([[0.5, 0.1]] * 3, "sum to 1")],
)  # fmt: skip
def test_impossible_probabilities(wrong, message):
    with pytest.raises(ValueError, match=message):
        predictions.table("m", MANIFEST, wrong)


def test_missing_columns_are_named(tmp_path):
    MANIFEST.to_csv(tmp_path / "x.csv.gz")
    with pytest.raises(ValueError, match=r"x\.csv\.gz: column method, fold, y_true"):
        predictions.load(tmp_path / "x.csv.gz")


def test_studies_are_told_apart():
    own, study = (predictions.table(name, MANIFEST, [0.1, 0.9, 0.3]) for name in ("m", f"{predictions.STUDY}by patch"))
    both = pd.concat([own, study])
    assert predictions.without_studies(both).equals(own) and predictions.studies(both).equals(study)


def test_worst_lists_confident_mistakes_only():
    manifest = pd.DataFrame({"image_id": list("abcde"), "patient": "p", "label": [0, 0, 0, 1, 1]})
    found = predictions.worst(predictions.table("m", manifest, [0.6, 0.9, 0.2, 0.8, 0.7]), 5)
    assert {k: v.tolist() for k, v in found.items()} == {0: [1, 0]}
