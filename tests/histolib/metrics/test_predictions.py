import numpy as np
import pandas as pd
import pytest

from histolib.metrics import predictions

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
    crafted = own.assign(method=predictions.CRAFTED + "gray histogram")
    both = pd.concat([both, crafted])
    assert predictions.own(both).equals(own) and predictions.studies(both).equals(study)
    assert predictions.crafted(both).equals(own.assign(method="gray histogram"))


def test_worst_lists_confident_mistakes_only():
    manifest = pd.DataFrame({"image_id": list("abcde"), "patient": "p", "label": [0, 0, 0, 1, 1]})
    found = predictions.worst(predictions.table("m", manifest, [0.6, 0.9, 0.2, 0.8, 0.7]), 5)
    assert {k: v.tolist() for k, v in found.items()} == {0: [1, 0]}


FOUR = pd.DataFrame(
    {
        "method": "m",
        "fold": [0, 1, 1, 0],
        "image_id": ["n001", "b001", "is001", "iv001"],
        "patient": "x",
        "y_true": [0, 1, 2, 3],
        "p_0": [0.4, 0.1, 0.3, 0.0],
        "p_1": [0.2, 0.5, 0.3, 0.1],
        "p_2": [0.3, 0.2, 0.4, 0.2],
        "p_3": [0.1, 0.2, 0.0, 0.7],
        "note": list("abcd"),
    },
    index=[7, 3, 5, 1],
)


def test_two_classes_by_hand():
    two = predictions.two_classes(FOUR)
    assert list(two.columns) == ["method", "fold", "image_id", "patient", "y_true", "p_0", "p_1", "note"]
    assert two.index.tolist() == [7, 3, 5, 1] and two["y_true"].tolist() == [0, 0, 1, 1]
    # The larger of each pair: 0.4 and 0.3, 0.5 and 0.2, 0.3 and 0.4, 0.1 and 0.7.
    np.testing.assert_allclose(two["p_1"], [3 / 7, 2 / 7, 4 / 7, 7 / 8], rtol=1e-15)
    np.testing.assert_allclose(two["p_0"] + two["p_1"], 1)
    # The sum of each pair gives the third image, whose carcinoma has 0.4 in all, to the other side.
    summed = predictions.two_classes(FOUR, rule="sum")
    np.testing.assert_allclose(summed["p_1"], [0.4, 0.4, 0.4, 0.9])
    assert ((two["p_1"] >= 0.5) != (summed["p_1"] >= 0.5)).tolist() == [False, False, True, False]


def test_two_classes_decide_as_the_most_probable_class_does():
    p = np.random.default_rng(0).dirichlet([0.5] * 4, 300)
    manifest = pd.DataFrame({"image_id": range(300), "patient": "x", "label": np.arange(300) % 4})
    table = predictions.table("m", manifest, p)
    two = predictions.two_classes(table)
    assert ((two["p_1"] >= 0.5) == (predictions.scores_of(table).argmax(1) >= 2)).all()
    other = predictions.two_classes(table, positive=[1])
    np.testing.assert_array_equal(other["y_true"], table["y_true"] == 1)
    assert ((other["p_1"] >= 0.5) == (predictions.scores_of(table).argmax(1) == 1)).all()


def test_order_of_columns_does_not_matter():
    mixed = FOUR[["p_3", "p_1", "y_true", "p_0", "fold", "p_2", "method", "image_id", "patient"]]
    np.testing.assert_array_equal(predictions.scores_of(mixed), predictions.scores_of(FOUR))
    two = predictions.two_classes(mixed)
    assert list(two.columns) == ["p_0", "p_1", "y_true", "fold", "method", "image_id", "patient"]
    pd.testing.assert_series_equal(two["p_1"], predictions.two_classes(FOUR)["p_1"])
    wide = pd.DataFrame([np.arange(12)], columns=[f"p_{k}" for k in range(11, -1, -1)])
    assert predictions.scores_of(wide)[0].tolist() == list(range(11, -1, -1))


def test_two_classes_take_certain_answers_and_leave_the_input_alone():
    certain = FOUR.assign(**{f"p_{k}": np.eye(4)[k].astype("float32") for k in range(4)})
    before = certain.copy()
    assert predictions.two_classes(certain)["p_1"].tolist() == [0, 0, 1, 1]
    pd.testing.assert_frame_equal(certain, before)


@pytest.mark.parametrize(
    "change, options, message",
    [
        ({}, {"rule": "mean"}, "rule='mean': expected 'max' or 'sum'"),
        ({}, {"positive": ()}, "positive=.*some but not all"),
        ({}, {"positive": (2, 4)}, "some but not all of the classes 0 to 3"),
        ({}, {"positive": (0, 1, 2, 3)}, "some but not all"),
        ({"y_true": 4}, {}, "y_true holds .4.; expected 0 to 3"),
        ({"p_5": 0.0}, {}, "columns p_0, p_1, p_2, p_3, p_5: expected p_0 to p_4"),
        ({"p_1": np.nan}, {}, "finite"),
        ({"p_1": -0.1}, {}, "at least 0"),
        ({f"p_{k}": 0.0 for k in range(4)}, {}, "not all 0 in a row"),
    ],
)
def test_impossible_two_classes(change, options, message):
    with pytest.raises(ValueError, match=message):
        predictions.two_classes(FOUR.assign(**change), **options)


def test_fold_of_each_row():
    table = predictions.table("m", MANIFEST, [0.1, 0.9, 0.3], np.array([2, 1, 2]))
    assert table["fold"].tolist() == [2, 1, 2]
