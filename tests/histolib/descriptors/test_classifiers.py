import os

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_info

from histolib.descriptors import classifiers

NAMES = list(classifiers.CLASSIFIERS)


def patches(count: int = 90, patients: int = 9, dimension: int = 6, seed: int = 0, classes: int = 2):
    """Descriptors of two or more classes that differ in their mean, with patients that differ too."""
    rng = np.random.default_rng(seed)
    labels, people = np.arange(count) % classes, np.arange(count) % patients
    features = rng.normal(size=(count, dimension)) + labels[:, None] * 2.5 + people[:, None] * 0.1
    return features.astype(np.float32), labels, people.astype(str)


@pytest.mark.parametrize("name", NAMES)
def test_classes_that_differ_are_told_apart_the_same_way_every_time(name):
    features, labels, people = patches()
    new, truth, _ = patches(seed=1)
    one, other = (classifiers.fit(name, features, labels, people, seed=4).predict_proba(new) for _ in range(2))
    assert np.array_equal(one, other) and one.shape == (90, 2) and np.allclose(one.sum(1), 1) and one.min() >= 0
    assert (one.argmax(1) == truth).mean() > 0.9
    processes = classifiers.fit(name, features, labels, people, seed=4, workers=2)
    assert np.array_equal(processes.predict_proba(new), one)


@pytest.mark.parametrize("name", NAMES)
def test_three_classes_have_three_probabilities(name):
    features, labels, people = patches(classes=3, patients=10)
    found = classifiers.fit(name, features, labels, people, seed=0).predict_proba(features)
    assert found.shape == (90, 3) and np.allclose(found.sum(1), 1) and (found.argmax(1) == labels).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_more_numbers_than_images_and_constant_columns(name):
    features, labels, people = patches(count=24, patients=6, dimension=200)
    features[:, ::3] = 7
    found = classifiers.fit(name, features, labels, people, seed=0).predict_proba(features)
    assert np.isfinite(found).all() and (found.argmax(1) == labels).mean() > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_units_of_a_column_do_not_matter(name):
    features, labels, people = patches()
    scaled = features * np.array([1, 1024, 1, 1 / 1024, 1, 1], np.float32)
    one, other = (classifiers.fit(name, x, labels, people, seed=0).predict_proba(x) for x in (features, scaled))
    assert np.allclose(one, other, atol=0.02)


@pytest.mark.parametrize("name", ["nearest", "quadratic", "svm"])
def test_bins_that_few_images_fill_do_not_outweigh_the_others(name):
    features, labels, people = patches(dimension=4)
    rare = np.where(np.random.default_rng(2).random((90, 150)) < 0.02, 1, 0)
    both = np.hstack([features, rare])
    train = people.astype(int) < 6
    model = classifiers.fit(name, both[train], labels[train], people[train], seed=0)
    assert (model.predict(both[~train]) == labels[~train]).mean() > 0.8
    cut = classifiers.make(name, 0)[:3].fit_transform(both)
    assert np.abs(cut).max() == classifiers.FARTHEST


def test_inner_parts_divide_patients_and_the_same_parts_calibrate():
    features, labels, people = patches()
    parts = classifiers._parts(labels, people, seed=0)
    assert len(parts) == 3 and all(not set(people[a]) & set(people[b]) for a, b in parts)
    model = classifiers.fit("svm", features, labels, people, seed=0)
    assert all(np.array_equal(a, b) for mine, its in zip(parts, model.cv) for a, b in zip(mine, its))
    # Platt's two numbers come from decision values of patients that were left out.
    left_out = cross_val_predict(model.estimator, features, labels, cv=parts, method="decision_function")
    calibrator = model.calibrated_classifiers_[0].calibrators[0]
    found = 1 / (1 + np.exp(calibrator.a_ * left_out + calibrator.b_))
    assert len(model.calibrated_classifiers_) == 1 and abs(found.mean() - labels.mean()) < 0.01
    assert set(model.best_) == {"C"} and model.best_["C"] in (1.0, 10.0, 100.0)


def test_hyperparameters_are_chosen_for_new_patients():
    # The first number names the patient: the nearest neighbor of an image is of its own patient, which tells nothing
    # about patients that were left out, while the second tells the class of everybody.
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(12), 10)
    labels = rng.integers(0, 2, 120)
    features = np.column_stack([people, labels + rng.normal(0, 0.3, 120)])
    train = people < 9
    model = classifiers.fit("forest", features[train], labels[train], people[train], seed=0)
    assert (model.predict(features[~train]) == labels[~train]).mean() > 0.8


def test_two_patients_of_a_class_are_enough_and_one_is_not():
    features, labels, people = patches(count=40, patients=8)
    labels = (people.astype(int) < 2).astype(int)
    assert len(classifiers._parts(labels, people, 0)) == 2
    assert classifiers.fit("svm", features, labels, people, seed=0).predict_proba(features).shape == (40, 2)
    with pytest.raises(
        ValueError, match="training patients: 7 of class 0, 1 of class 1; expected at least 2 classes, and 2"
    ):
        classifiers.fit("svm", features, (people == "0").astype(int), people, seed=0)
    with pytest.raises(ValueError, match="8 of class 0; expected at least 2 classes"):
        classifiers.fit("svm", features, 0 * labels, people, seed=0)


def test_wrong_requests_are_named():
    features, labels, people = patches()
    with pytest.raises(ValueError, match="classifier 'knn' is unknown; there is: nearest, "):
        classifiers.fit("knn", features, labels, people, seed=0)
    with pytest.raises(ValueError, match=r"features of shape \(90, 6\), 89 labels, 90 patients"):
        classifiers.fit("svm", features, labels[1:], people, seed=0)
    features[3, 2] = np.nan
    with pytest.raises(ValueError, match="features: 1 values are not finite"):
        classifiers.fit("svm", features, labels, people, seed=0)
    with pytest.raises(ValueError, match="classifier 'knn' is unknown"):
        classifiers.make("knn", 0)
    assert [classifiers.title(name) for name in NAMES] == ["1-NN", "QDA", "SVM", "random forest", "logistic regression"]


class Threads(TransformerMixin, BaseEstimator):
    """Changes nothing, and notes how many threads its process may use."""

    def __init__(self, folder=None):
        self.folder = folder

    def fit(self, features, labels=None):
        self.most_ = max(pool["num_threads"] for pool in threadpool_info())
        with open(os.path.join(self.folder, str(os.getpid())), "w") as stream:
            stream.write(str(self.most_))
        return self

    def transform(self, features):
        return features


def test_each_process_has_one_thread_whatever_the_environment_says(tmp_path, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    classifiers.fit("logistic", *patches(), seed=0, transformer=Threads(str(tmp_path)), workers=2)
    found = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert len(found) > 1 and set(found.values()) == {"1"}
