import numpy as np
import pandas as pd
import pytest

from histolib import datasets, descriptors
from histolib.descriptors import classifiers, comparison
from histolib.metrics import splits
from histolib.training import protocols


@pytest.fixture(scope="module")
def few(twin):
    """Images and manifest of 200 patches of the twin, and a division by patient."""
    rows = np.linspace(0, len(twin.table) - 1, 200).astype(int)
    table = twin.table.iloc[rows].reset_index(drop=True)
    return twin.images(rows=rows), table, *splits.two_parts(table["label"], table["patient"], 0.3)


@pytest.fixture(scope="module")
def words(twin):
    """Keypoints and manifest of 50 patches, and a division by patient."""
    rows = np.linspace(0, len(twin.table) - 1, 50).astype(int)
    table = twin.table.iloc[rows].reset_index(drop=True)
    columns, _ = descriptors.compute(twin.images(rows=rows), "orb")
    described = comparison.Described({"orb": columns}, {"orb": 1.0})
    return described, table, *splits.two_parts(table["label"], table["patient"], 0.3)


def test_predictions_and_times_of_every_method(few):
    images, table, train, test = few
    found, times = comparison.compare(images, table, train, test, ["gray", "glcm"], seed=1, fold=2)
    assert list(found) == ["method", "fold", "image_id", "patient", "y_true", "p_0", "p_1"]
    assert found["method"].unique().tolist() == times["method"].tolist() and len(times) == 2 * len(
        classifiers.CLASSIFIERS
    )
    assert times["method"].iloc[[0, 8]].tolist() == ["gray histogram, 1-NN", "gray level co-occurrence, random forest"]
    assert (found.groupby("method").size() == len(test)).all() and set(found["fold"]) == {2}
    forest = found[found["method"] == "gray histogram, random forest"]
    assert forest["image_id"].tolist() == table["image_id"].iloc[test].tolist()
    assert forest["y_true"].tolist() == table["label"].iloc[test].tolist()
    assert ((forest["p_1"] >= 0.5) == forest["y_true"]).mean() > 0.8
    assert (times[["describe", "classify", "fit"]] > 0).all(axis=None)
    assert times.groupby("descriptor")["describe"].nunique().eq(1).all()
    assert times["chosen"].str.match(r"(p|shrinkage|C|min_samples_leaf)=[\d.]+(, n_components=[\d.]+)?$").all()


def test_described_images_give_the_same(few):
    images, table, train, test = few
    described = comparison.precompute(images, ["lbp", "gray"])
    one, times = comparison.compare(described, table, train, test, ["lbp"], ["forest"], seed=1, method="{descriptor}")
    other, _ = comparison.compare(images, table, train, test, ["lbp"], ["forest"], seed=1, method="{descriptor}")
    assert one.equals(other) and set(one["method"]) == {"lbp"}
    assert times["describe"].tolist() == [described.seconds["lbp"]] and len(described) == 200


def test_the_seed_decides_on_the_words(words):
    one, same, other = (comparison.compare(*words, ["orb"], ["quadratic"], seed=seed)[0] for seed in (1, 1, 2))
    assert one.equals(same) and not one["p_1"].equals(other["p_1"])


def test_other_test_images_change_nothing_of_what_is_learned(words):
    described, table, train, test = words
    changed = described.features["orb"].copy()
    changed[test[::2], 1:] = np.random.default_rng(0).integers(0, 256, (len(test[::2]), changed.shape[1] - 1))
    changed = comparison.Described({"orb": changed}, described.seconds)
    one, other = (comparison.compare(x, *words[1:], ["orb"], ["quadratic"], seed=3)[0] for x in (described, changed))
    assert one.iloc[1::2].equals(other.iloc[1::2]) and not one.iloc[::2].equals(other.iloc[::2])


def test_words_are_fitted_on_training_images_only(words, monkeypatch):
    described, table, train, test = words
    columns, seen = described.features["orb"], []
    keep = descriptors.BagOfWords.fit

    def watched(self, X, y=None):
        seen.append(np.asarray(X))
        return keep(self, X, y)

    monkeypatch.setattr(descriptors.BagOfWords, "fit", watched)
    comparison.compare(described, table, train, test, ["orb"], ["nearest"], workers=1)
    assert len(seen) == 4 and max(map(len, seen)) == len(train)  # once per inner part, once for all
    forbidden = {row.tobytes() for row in columns[test]}
    assert not any(row.tobytes() in forbidden for X in seen for row in X)
    by_row = {row.tobytes(): patient for row, patient in zip(columns, table["patient"])}
    inner = [{by_row[row.tobytes()] for row in X} for X in seen if len(X) < len(train)]
    assert inner and all(len(part) < table["patient"].iloc[train].nunique() for part in inner)


def test_parts_of_a_protocol_leave_blends_out_of_training(few):
    images, table, _, _ = few
    parts = protocols.prepare(images, table, oversample="train", test_share=0.3, validation_share=0.2, seed=1)
    assert parts.train["synthetic"].any()
    found, _ = comparison.compare_parts(parts, ["gray"], method="{name}", limit=60)
    assert found["image_id"].tolist() == parts.test["image_id"].tolist() and set(found["method"]) == {"gray histogram"}
    real = ~parts.train["synthetic"].to_numpy()
    joined = pd.concat([parts.train[real], parts.test], ignore_index=True)
    train, test = np.split(np.arange(len(joined)), [real.sum()])
    pixels = np.concatenate([parts.train_images[real], parts.test_images])
    same, _ = comparison.compare(pixels, joined, train, test, ["gray"], ["forest"], method="{name}", limit=60)
    assert found.equals(same)


def test_a_limit_keeps_the_shares_of_the_classes():
    labels = np.array([0] * 80 + [1] * 20)
    chosen = comparison.limited(np.arange(100), labels, 25, seed=0)
    assert len(chosen) == 25 and np.bincount(labels[chosen]).tolist() == [20, 5] and (np.diff(chosen) > 0).all()
    assert not np.array_equal(chosen, comparison.limited(np.arange(100), labels, 25, seed=1))
    assert np.array_equal(comparison.limited(np.arange(100), labels, 100, seed=0), np.arange(100))


def test_patients_on_both_sides_are_refused_unless_asked_for(few):
    images, table, train, test = few
    described = comparison.precompute(images, ["gray"])
    train, test = np.concatenate([train, test[:5]]), test[5:]
    with pytest.raises(ValueError, match="patients are in the training and the test part, such as .* shared=True"):
        comparison.compare(described, table, train, test, ["gray"], ["nearest"])
    found, _ = comparison.compare(described, table, train, test, ["gray"], ["nearest"], shared=True)
    assert len(found) == len(test)


@pytest.mark.parametrize("change, message", [
    ({"names": ["grey"]}, "name='grey' is no descriptor"),
    ({"names": []}, r"names=\[\], classifiers=\['nearest'\]: expected at least one"),
    ({"names": ["rgb"]}, "not described: rgb; described: gray"),
    ({"classifiers": ["tree"]}, "classifier 'tree' is unknown"),
    ({"classifiers": ["svm", "forest"], "method": "{name}"}, "method='{name}' gives two methods one name"),
    ({"train": [0, 1], "test": [1, 2]}, "1 images are in the training and the test part, the first at position 1"),
    ({"train": [0.5]}, "train: float64 of shape .1,.; expected positions"),
    ({"test": [5, 400]}, "test: positions 5 to 400; expected 0 to 199"),
    ({"limit": 0}, "limit=0: expected at least 1"),
])  # fmt: skip
def test_wrong_requests_are_named_before_any_work(few, change, message):
    _, table, train, test = few
    described = comparison.Described({"gray": np.zeros((200, 64), np.float32)}, {"gray": 1.0})
    request = {"names": ["gray"], "classifiers": ["nearest"], "train": train, "test": test} | change
    with pytest.raises(ValueError, match=message):
        comparison.compare(described, table, **request)


def test_other_lengths_and_unlearned_classes_are_named(few):
    images, table, train, test = few
    with pytest.raises(ValueError, match="10 images for 200 rows of the table"):
        comparison.compare(images[:10], table, train, test, ["gray"])
    short = comparison.Described({"gray": np.zeros((9, 64), np.float32)}, {"gray": 1.0})
    with pytest.raises(ValueError, match="9 images described by gray for 200 rows"):
        comparison.compare(short, table, train, test, ["gray"])
    only = train[table["label"].to_numpy()[train] == 0]
    with pytest.raises(
        ValueError, match=r"training images of class \[0\], test images of \[0, 1\]; expected every class"
    ):
        comparison.compare(images, table, only, test, ["gray"])
    with pytest.raises(ValueError, match="name='grey' is no descriptor"):
        comparison.precompute(images, ["gray", "grey"])
    with pytest.raises(ValueError, match="names: none"):
        comparison.precompute(images, [])


def test_real_patches(samples):
    dataset = datasets.load("idc", samples, patients=12)
    rows = np.linspace(0, len(dataset.table) - 1, 200).astype(int)
    table = dataset.table.iloc[rows].reset_index(drop=True)
    train, test = splits.two_parts(table["label"], table["patient"], 0.3)
    found, _ = comparison.compare(dataset.images(rows=rows), table, train, test, ["fuzzy_color"], ["svm"])
    positive = found["y_true"] == 1
    assert found["p_1"][positive].mean() > found["p_1"][~positive].mean() + 0.1
