import numpy as np
import pytest

from histolib import splits


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
