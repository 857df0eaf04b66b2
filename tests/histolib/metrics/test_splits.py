import numpy as np
import pandas as pd
import pytest

from histolib.metrics import splits


@pytest.fixture
def archive():
    """4,000 images of 80 patients of very unequal size, 28 % positive, unequally spread."""
    rng = np.random.default_rng(5)
    sizes = rng.integers(10, 90, 80)
    patients = np.repeat([f"p{k:02d}" for k in range(80)], sizes)
    share = np.repeat(rng.beta(1, 2.5, 80), sizes)
    return (rng.random(len(patients)) < share).astype(int), patients


@pytest.mark.parametrize("share", [0.2, 0.19, 0.25, 0.5])
def test_parts_by_patient_share_none_and_hold_everything(archive, share):
    labels, patients = archive
    rest, held_out = splits.two_parts(labels, patients, share, "patient", seed=1)
    assert not set(patients[rest]) & set(patients[held_out])
    assert np.array_equal(np.sort(np.concatenate([rest, held_out])), np.arange(len(labels)))
    assert len(held_out) / len(labels) == pytest.approx(share, abs=0.02)
    assert labels[held_out].mean() == pytest.approx(labels.mean(), abs=0.02)


def test_patch_split_is_exact_and_puts_patients_on_both_sides(archive):
    labels, patients = archive
    rest, held_out = splits.two_parts(labels, patients, 0.2, "patch", seed=1)
    assert len(held_out) == pytest.approx(0.2 * len(labels), abs=1)
    assert labels[held_out].mean() == pytest.approx(labels.mean(), abs=0.001)
    assert len(set(patients[rest]) & set(patients[held_out])) > 70


def test_three_parts_are_disjoint_by_patient(archive):
    labels, patients = archive
    parts = splits.three_parts(labels, patients, 0.2, 0.19, "patient", 0)
    sides = [set(patients[part]) for part in parts]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert sum(map(len, parts)) == len(labels)
    assert len(parts.validation) / (len(labels) - len(parts.test)) == pytest.approx(0.19, abs=0.02)


@pytest.mark.parametrize("by", splits.BY)
def test_folds_test_every_image_once(archive, by):
    labels, patients = archive
    tests = []
    for train, test in splits.folds(labels, patients, 5, by, 0):
        tests.append(test)
        assert not set(train) & set(test)
        if by == "patient":
            assert not set(patients[train]) & set(patients[test])
    assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(len(labels)))


@pytest.mark.parametrize("by", splits.BY)
def test_same_seed_same_parts(archive, by):
    first, second = (splits.two_parts(*archive, 0.2, by, seed=4)[1] for _ in range(2))
    other = splits.two_parts(*archive, 0.2, by, seed=5)[1]
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_three_parts_of_few_patients_are_refused():
    labels, patients = np.arange(40) % 2, np.repeat(["a", "b"], 20)
    with pytest.raises(ValueError, match="2 patients can't be on three sides"):
        splits.three_parts(labels, patients, 0.2, 0.2)
    patients = np.repeat(["a", "b", "c", "d"], 10)
    with pytest.raises(ValueError, match=r"part has 10 images of 1 patients and none of class \[1\]"):
        splits.three_parts((patients == "a").astype(int), patients, 0.25, 0.25)


def test_errors_name_what_is_wrong():
    labels, patients = [0, 1] * 6, np.repeat(["a", "b", "c"], 4)
    with pytest.raises(ValueError, match="3 patients can't fill 5 folds"):
        splits.folds(labels, patients, 5)
    with pytest.raises(ValueError, match="1 patients can't fill 2 folds"):
        splits.two_parts(labels, ["a"] * 12, 0.2)
    with pytest.raises(ValueError, match="by='slide'"):
        splits.two_parts(labels, patients, 0.5, "slide")
    with pytest.raises(ValueError, match="share=0.7"):
        splits.two_parts(labels, patients, 0.7)
    with pytest.raises(ValueError, match="class 1 has 1 images"):
        splits.folds([0, 0, 0, 1], list("abcd"), 2)
    with pytest.raises(ValueError, match="count=1"):
        splits.folds(labels, patients, 1)
    with pytest.raises(ValueError, match="12 labels but 2 patients"):
        splits.folds(labels, ["a", "b"], 2)


@pytest.fixture
def manifest():
    """Nine patients with two images each; the first three benign, and fold 2 tests no benign one."""
    table = pd.DataFrame({"patient": np.repeat([f"p{k}" for k in range(9)], 2)})
    table["label"] = (table["patient"] > "p2").astype(int)
    table["fold_1"] = np.where(table["patient"].isin(["p0", "p3", "p8"]), "test", "train")
    table["fold_2"] = np.where(table["patient"].isin(["p3", "p4"]), "test", "train")
    return table


def test_published_fold_is_as_its_column_says(manifest):
    train, test = splits.of_fold(manifest, 1)
    assert test.tolist() == [0, 1, 6, 7, 16, 17]
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(18)) and train.dtype == np.int64


def test_published_fold_that_lacks_a_class_is_named(manifest):
    with pytest.raises(ValueError, match=r"fold 2 \(official\): its test side has 4 images of 2 patients and none of"):
        splits.of_fold(manifest, 2)
    train, test = splits.of_fold(manifest, 2, "drawn")
    assert len(test) == 6 and manifest["label"][test].tolist().count(0) == 2


def test_wrong_folds_are_errors(manifest):
    with pytest.raises(ValueError, match="fold=3: the table has the folds 1, 2"):
        splits.of_fold(manifest, 3)
    with pytest.raises(ValueError, match="fold=0: folds are numbered from 1"):
        splits.of_fold(manifest, 0, "drawn")
    with pytest.raises(ValueError, match="by='published': expected one of 'official', 'drawn'"):
        splits.of_fold(manifest, 1, "published")
    manifest.loc[0, "fold_1"] = "train"
    with pytest.raises(ValueError, match="fold 1: on both sides is patient p0"):
        splits.of_fold(manifest, 1)
    with pytest.raises(ValueError, match=r"fold 1 \(drawn\): its test side has 4 .* of class \[0\]; more patients"):
        splits.of_fold(manifest.drop(range(2, 6)), 1, "drawn")


def test_drawn_folds_keep_shares_and_do_not_depend_on_order(manifest):
    sides = splits.drawn_folds(manifest["label"], manifest["patient"], 5)
    assert sides.shape == (18, 5) and set(sides.ravel()) == {"train", "test"}
    columns = {str(k): sides[:, k] == "test" for k in range(5)}
    tested = manifest.assign(**columns).groupby("patient")[["label", *columns]].mean()
    assert (tested[list("01234")].isin([0, 1])).all().all()
    assert tested.groupby("label")[list("01234")].sum().to_numpy().tolist() == [[1] * 5, [2] * 5]
    order = np.random.default_rng(0).permutation(18)
    again = splits.drawn_folds(manifest["label"][order], manifest["patient"][order], 5)
    assert (again == sides[order]).all()
    assert (splits.drawn_folds(manifest["label"], manifest["patient"], 2) == sides[:, :2]).all()
