"""Boosted trees: what is trained on what, resuming, and choosing parameters."""

import json
import subprocess
import sys

import numpy as np
import pytest

from histolib.descriptors import boosting
from histolib.descriptors.boosting import trees
from histolib.metrics import splits
from studybook.published import reported

CLASSES = 4
LABELS = np.arange(48) % CLASSES
PATIENTS = np.array([f"i{k}" for k in range(48)])
SMALL = boosting.PARAMETERS | {"num_iterations": 5}


def descriptors(signal=2.0, augmentations=3, width=12, seed=0) -> np.ndarray:
    """Descriptors that differ by class by `signal`, by image by 1, and by augmentation by 0.1."""
    rng = np.random.default_rng(seed)
    classes = signal * rng.normal(size=(CLASSES, 1, width))[LABELS]
    images = rng.normal(size=(len(LABELS), 1, width))
    return (classes + images + 0.1 * rng.normal(size=(len(LABELS), augmentations, width))).astype(np.float32)


def fit(x, labels, seed, parameters=boosting.PARAMETERS):
    """One model by itself."""
    settings = trees.complete(parameters, labels)
    return trees.train(trees.binned(x, labels, settings), settings, seed)


@pytest.fixture(scope="module")
def parts():
    return list(splits.folds(LABELS, PATIENTS, 4))


@pytest.fixture(scope="module")
def kinds():
    return {("ResNet", 400): descriptors(seed=1), ("VGG", 0.5, 650): descriptors(seed=2, width=8)}


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("num_iterations", "rounds"),
        ("learning_rate", "learning_rate"),
        ("num_leaves", "leaves"),
        ("max_depth", "depth"),
        ("feature_fraction", "feature_fraction"),
        ("bagging_fraction", "bagging_fraction"),
    ],
)
def test_published_setting(name, id):
    listed = reported.outside("bach_boosting").set_index("id")["value"]
    assert boosting.PARAMETERS[name] == boosting.AS_RUN[name] == float(listed[f"boosting_{id}"])


def test_other_parameters_can_be_tuned_from(parts):
    found = boosting.tune({("a", 1): descriptors()}, LABELS, PATIENTS, parts, "nested", base=boosting.AS_RUN)
    assert {one["bagging_freq"] for one in found["a", 1]} == {0}


def test_rows_are_drawn_anew_by_default_and_not_in_the_setting_as_run():
    x = descriptors(signal=0.3)
    drawn, fixed = boosting.PARAMETERS, boosting.AS_RUN
    whole = {"feature_fraction": 1.0}
    assert drawn["bagging_freq"] > 0 and fixed["bagging_freq"] == 0

    def two_seeds(parameters):
        return [boosting.predict(fit(x, LABELS, seed, parameters | whole), x) for seed in (0, 1)]

    assert not np.allclose(*two_seeds(drawn))
    # Without the drawing of rows, and with all features in each tree, nothing is left to chance.
    np.testing.assert_array_equal(*two_seeds(fixed))


@pytest.mark.parametrize(
    ("parameters", "rows", "seen"),
    [(boosting.PARAMETERS, 57, 39), (boosting.AS_RUN, 39, 39), (boosting.AS_RUN | {"min_data_in_leaf": 30}, 59, 59)],
)
def test_rows_that_no_tree_can_split_are_refused_and_one_more_is_enough(parameters, rows, seen):
    labels = np.arange(rows + 1) % CLASSES
    x = descriptors()[0, 0] * labels[:, None, None]
    with pytest.raises(ValueError, match=f"no split possible: a tree sees {seen} of {rows} rows"):
        fit(x[:-1], labels[:-1], 0, parameters)
    answers = boosting.predict(fit(x, labels, 0, parameters | {"num_iterations": 2}), x)
    assert np.ptp(answers, axis=0).max() > 0


def test_a_model_learns_and_predicts_each_augmentation():
    x = descriptors()
    p = boosting.predict(fit(x, LABELS, seed=3), x)
    assert p.shape == (48, 3, CLASSES) and p.dtype == np.float64
    np.testing.assert_allclose(p.sum(-1), 1)
    assert (p.mean(1).argmax(1) == LABELS).mean() > 0.95


def test_each_augmentation_is_a_row_of_its_image():
    x = descriptors(augmentations=2)
    flat = x.reshape(-1, 1, x.shape[-1])
    one, other = fit(x, LABELS, 0, SMALL), fit(flat, np.repeat(LABELS, 2), 0, SMALL)
    assert one.model_to_string() == other.model_to_string()


def test_same_seed_same_model_other_seed_other_model():
    x = descriptors()
    first, again, other = (boosting.predict(fit(x, LABELS, seed, SMALL), x) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_cross_validation_predicts_each_image_by_models_that_never_saw_it(kinds, parts):
    result = boosting.cross_validate(kinds, LABELS, parts, [5, 6], SMALL, workers=2)
    assert result.models == 2 * 4 * 2 and result.reused == 0 and result.unlabeled is None
    assert result.seeds == (5, 6)
    for key, x in kinds.items():
        assert result.probabilities[key].shape == (2, 48, 3, CLASSES)
        for k, (train, test) in enumerate(parts):
            np.testing.assert_array_equal(result.fold[test], k + 1)
            by_hand = boosting.predict(fit(x[train], LABELS[train], 6, SMALL), x[test])
            np.testing.assert_array_equal(result.probabilities[key][1, test], by_hand)


def test_one_worker_and_many_give_the_same(kinds, parts):
    one, many = (boosting.cross_validate(kinds, LABELS, parts, [0], SMALL, workers=n) for n in (1, 4))
    for key in kinds:
        np.testing.assert_array_equal(one.probabilities[key], many.probabilities[key])


def test_labels_without_a_trace_in_the_descriptors_are_guessed_at_chance(parts):
    # Augmentations of one image are nearly equal: if they stood on both sides, this would be far above one quarter.
    x = {("a", 1): descriptors(signal=0, augmentations=4)}
    labels = np.random.default_rng(0).permutation(LABELS)
    result = boosting.cross_validate(x, labels, list(splits.folds(labels, PATIENTS, 4)), [0, 1])
    p = result.probabilities[("a", 1)]
    assert (p.mean((0, 2)).argmax(1) == labels).mean() < 0.5


def test_unlabeled_images_get_the_mean_of_all_models_and_augmentations(kinds, parts):
    new = {key: x[:5, :2] for key, x in kinds.items()}
    result = boosting.cross_validate(kinds, LABELS, parts, [0, 1], SMALL, unlabeled=new)
    by_hand = [
        boosting.predict(fit(x[train], LABELS[train], seed, SMALL), new[key]).mean(1)
        for key, x in kinds.items()
        for train, _ in parts
        for seed in (0, 1)
    ]
    np.testing.assert_allclose(result.unlabeled, np.mean(by_hand, 0), rtol=1e-12)


def test_stopped_run_is_resumed_and_gives_the_same(kinds, parts, tmp_path, monkeypatch):
    fresh = boosting.cross_validate(kinds, LABELS, parts, [0, 1], SMALL)
    made = []

    def power_cut(*arguments):
        made.append(1)
        if len(made) > 5:
            raise KeyboardInterrupt
        return trees.train(*arguments)

    from histolib.descriptors.boosting import trees, validation

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(validation, "train", power_cut)
        boosting.cross_validate(kinds, LABELS, parts, [0, 1], SMALL, folder=tmp_path, workers=1)
    assert len(list(tmp_path.glob("*.json"))) == 5 == len(list(tmp_path.glob("*.txt")))
    resumed = boosting.cross_validate(kinds, LABELS, parts, [0, 1], SMALL, folder=tmp_path)
    assert resumed.reused == 5
    again = boosting.cross_validate(kinds, LABELS, parts, [0, 1], SMALL, folder=tmp_path)
    assert again.reused == again.models == 16
    for key in kinds:
        for run in (resumed, again):
            np.testing.assert_allclose(run.probabilities[key], fresh.probabilities[key], rtol=0, atol=1e-12)
    assert (tmp_path / "VGG-650-fold4-seed1.txt").read_text().startswith("tree\n")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_kept_model_is_not_used_for_other_data_or_parameters_or_if_it_is_not_whole(parts, tmp_path):
    x = {("a", 1): descriptors()}
    run = {"folder": tmp_path, "parts": parts, "seeds": [0]}

    def reused(data=x, labels=LABELS, parameters=SMALL):
        return boosting.cross_validate(data, labels, parameters=parameters, **run).reused

    assert reused() == 0 and reused() == 4
    assert reused(parameters=SMALL | {"max_depth": 3}) == 0
    assert reused() == 0  # the files are now those of the other parameters
    changed = x["a", 1].copy()
    changed[parts[0][1][0], 0, 0] += 1  # an image that the first fold does not train on
    assert reused({("a", 1): changed}) == 1
    assert reused() == 1
    assert reused(labels=(LABELS + 1) % CLASSES) == 0
    reused()
    torn = tmp_path / "a-1-fold2-seed0.txt"
    torn.write_text(torn.read_text()[:100])
    (tmp_path / "a-1-fold3-seed0.json").write_text("{")
    assert reused() == 2 and reused() == 4
    note = json.loads((tmp_path / "a-1-fold3-seed0.json").read_text())
    assert set(note) == {"parameters", "seed", "data", "model"}


def test_tuning_by_the_evaluation_folds_takes_the_best_there_and_nested_does_not_look(parts):
    x = {("a", 1): descriptors(signal=0.6)}
    grid = ({"num_iterations": 1, "num_leaves": 2}, {"num_iterations": 30})
    settings = [boosting.PARAMETERS | change for change in grid]

    def accuracy(chosen):
        result = boosting.cross_validate(x, LABELS, parts, [0], chosen)
        return (result.probabilities["a", 1].mean((0, 2)).argmax(1) == LABELS).mean()

    by_evaluation = boosting.tune(x, LABELS, PATIENTS, parts, "evaluation", grid)["a", 1]
    assert by_evaluation == [max(settings, key=accuracy)] * 4
    nested = boosting.tune(x, LABELS, PATIENTS, parts, "nested", grid)["a", 1]
    assert all(choice in settings for choice in nested)
    # What a fold chooses does not change with its test images.
    changed = x["a", 1].copy()
    changed[parts[0][1]] = 9
    assert boosting.tune({("a", 1): changed}, LABELS, PATIENTS, parts, "nested", grid)["a", 1][0] == nested[0]
    for base in (boosting.PARAMETERS, boosting.AS_RUN):
        assert boosting.tune(x, LABELS, PATIENTS, parts, "none", grid, base=base)["a", 1] == [base] * 4


def test_tuning_by_the_evaluation_folds_is_too_good_where_nothing_can_be_learned():
    grid = [{"num_iterations": 3, "max_depth": depth, "min_data_in_leaf": 4} for depth in (1, 2, 3, 4)]
    gain = []
    for trial in range(8):
        x = {("a", 1): descriptors(signal=0, augmentations=1, seed=trial)}
        labels = np.random.default_rng(trial).permutation(LABELS)
        parts = list(splits.folds(labels, PATIENTS, 4, seed=trial))
        found = {}
        for how in ("evaluation", "nested"):
            chosen = boosting.tune(x, labels, PATIENTS, parts, how, grid)
            p = boosting.cross_validate(x, labels, parts, [0], chosen).probabilities["a", 1]
            found[how] = (p.mean((0, 2)).argmax(1) == labels).mean()
        gain.append(found["evaluation"] - found["nested"])
    assert np.mean(gain) > 0


def test_bad_input_is_named(kinds, parts):
    x = kinds["ResNet", 400]
    with pytest.raises(ValueError, match=r"ResNet-400: shape \(48, 12\); expected \(48 images, augmentations, D\)"):
        boosting.cross_validate({("ResNet", 400): x[:, 0]}, LABELS, parts)
    with pytest.raises(ValueError, match="must be finite"):
        boosting.cross_validate({("ResNet", 400): np.where(x > 3, np.nan, x)}, LABELS, parts)
    with pytest.raises(ValueError, match=r"labels hold \[1, 2, 3, 4\]; expected 0 to k - 1"):
        boosting.cross_validate(kinds, LABELS + 1, parts)
    with pytest.raises(ValueError, match=r"labels hold \['a', 'b'\]"):
        boosting.cross_validate(kinds, np.where(LABELS > 1, "a", "b"), parts)
    with pytest.raises(ValueError, match=r"ResNet-400: shape \(47, 3, 12\)"):
        boosting.cross_validate({("ResNet", 400): x[1:]}, LABELS, parts)
    with pytest.raises(ValueError, match="each once"):
        boosting.cross_validate({("a", 0.5, 400): x, ("a", 1.0, 400): x}, LABELS, parts)
    with pytest.raises(ValueError, match=r"seeds=\(1, 1\)"):
        boosting.cross_validate(kinds, LABELS, parts, [1, 1])
    with pytest.raises(ValueError, match="12 of 48 images are in no test part"):
        boosting.cross_validate(kinds, LABELS, parts[1:])
    with pytest.raises(ValueError, match="fold 2: an image is both trained and tested on"):
        boosting.cross_validate(kinds, LABELS, [parts[0], (np.arange(48), parts[1][1])])
    with pytest.raises(ValueError, match="expected LightGBM's, or tuned ones"):
        boosting.cross_validate(kinds, LABELS, parts, parameters={("ResNet", 400): [SMALL] * 4})
    with pytest.raises(ValueError, match=r"unlabeled images have \['ResNet-400'\]"):
        boosting.cross_validate(kinds, LABELS, parts, unlabeled={("ResNet", 400): x})
    with pytest.raises(ValueError, match="11 numbers per unlabeled image, 12 else"):
        boosting.cross_validate({("a", 1): x}, LABELS, parts, unlabeled={("a", 1): x[..., 1:]})
    with pytest.raises(ValueError, match="workers=0"):
        boosting.cross_validate(kinds, LABELS, parts, workers=0)
    with pytest.raises(ValueError, match="tune='grid'.*'none', 'nested', 'evaluation'"):
        boosting.tune(kinds, LABELS, PATIENTS, parts, "grid")
    with pytest.raises(ValueError, match="47 patients for 48 images"):
        boosting.tune(kinds, LABELS, PATIENTS[1:], parts, "nested")


def test_importable_without_tensorflow():
    modules = "histolib.descriptors.boosting, histolib.metrics.fusion"
    code = f"import sys, {modules}; sys.exit(bool({{'tensorflow', 'keras'}} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
