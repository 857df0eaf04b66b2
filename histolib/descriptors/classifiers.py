"""Classifiers of descriptors: each a pipeline with scaling, its hyperparameters chosen by patient."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from histolib.metrics import splits

FOLDS = 3  # of the inner cross-validation
SCORING = "balanced_accuracy"  # hyperparameters are chosen by it
TREES, SEARCH_TREES = 300, 100  # of a random forest, and of those that are tried
FARTHEST = 3.0  # standard deviations from the mean; beyond, values are cut
_ALONE = 200_000  # numbers in the descriptors of images that are searched through sooner than processes have started


@dataclass(frozen=True)
class Classifier:
    """What a name stands for: the title, the last steps of the pipeline, and the values that are tried."""

    title: str
    grid: Mapping[str, tuple]

    def steps(self, name: str, seed: int) -> list[tuple[str, Any]]:
        """The steps after scaling, unfitted."""
        if name == "nearest":
            return [("classifier", KNeighborsClassifier(1))]
        if name == "quadratic":
            # A covariance of D numbers needs more than D images of each class: few components, and shrinkage.
            reduced = PCA(0.8, svd_solver="full")
            return [("components", reduced), ("classifier", QuadraticDiscriminantAnalysis(solver="eigen"))]
        if name == "svm":
            return [("classifier", SVC(kernel="rbf", random_state=seed))]
        if name == "logistic":
            return [("classifier", LogisticRegression(max_iter=2000))]
        return [("classifier", RandomForestClassifier(TREES, random_state=seed))]


CLASSIFIERS = {
    "nearest": Classifier("1-NN", {"classifier__p": (1, 2)}),
    "quadratic": Classifier(
        "QDA", {"components__n_components": (0.5, 0.8, 0.95), "classifier__shrinkage": (0.1, 0.5, 0.9)}
    ),
    "svm": Classifier("SVM", {"classifier__C": (1.0, 10.0, 100.0)}),
    "forest": Classifier("random forest", {"classifier__min_samples_leaf": (1, 4)}),
    "logistic": Classifier("logistic regression", {"classifier__C": (1e-4, 1e-3, 1e-2, 1e-1)}),
}


def fit(
    name: str,
    features: np.ndarray,
    labels,
    patients,
    seed: int,
    transformer: BaseEstimator | None = None,
    workers: int | None = None,
) -> BaseEstimator:
    """Fit a classifier on the descriptors of training images.

    Constant columns are left out, the others scaled to mean 0 and standard deviation 1 and cut at 3 of them: a bin of a
    histogram that few images fill would else outweigh all others. This, and `transformer`, is part of the pipeline that
    is fitted anew on each inner training part. The hyperparameters of the best balanced accuracy in a cross-validation
    of three parts, divided by patient, are taken, and the pipeline is fitted on all.

    1-nearest neighbor: the 1- or the 2-norm. Quadratic discriminant: of the principal components with 50, 80 or
    95 % of the variance, covariances shrunk towards a multiple of the unit matrix by 0.1, 0.5 or 0.9, so that they can
    be inverted even where a class has fewer images than components. Support vector machine: radial basis functions
    (width by scikit-learn's rule ``scale``), C of 1, 10 or 100; its probabilities are a logistic function of its
    decision values, fitted to those of images whose patients were left out (Platt's method, as scikit-learn recommends
    in place of ``probability=True``, which divides by image). Random forest: 300 trees (100 while searching), leaves of
    at least 1 or 4 images. Logistic regression: C of 0.0001 to 0.1, for the many features of a frozen network.

    Parameters
    ----------
    name
        One of `CLASSIFIERS`.
    features
        (N, D), of training images alone.
    labels, patients
        Class and patient of each image, (N,); at least two patients with images of each class.
    seed
        Of the division into parts, and of the classifier.
    transformer
        Unfitted first step, such as `descriptors.BagOfWords`.
    workers
        Processes; None takes one per core for much data. The result does not depend on it.

    Returns
    -------
    scikit-learn estimator
        Fitted; ``predict_proba(features)`` gives (N, classes); ``best_`` the chosen hyperparameters.

    Raises
    ------
    ValueError
        Unknown `name`; lengths that differ, values that are not finite; fewer than two classes, or than two patients
        with images of a class.
    """
    features, labels, patients = _checked(name, features, labels, patients)
    parts = _parts(labels, patients, seed)
    workers = workers or (os.cpu_count() or 1 if features.size >= _ALONE else 1)
    # Processes, not threads, share the work: threads of matrix products wait for each other on a busy machine, and add
    # up in an order of their own.
    with threadpool_limits(1), tempfile.TemporaryDirectory(prefix="histolib-") as folder:
        pipeline = make(name, seed, _once(transformer, folder))
        tried = pipeline if name != "forest" else clone(pipeline).set_params(classifier__n_estimators=SEARCH_TREES)
        search = GridSearchCV(tried, _grid(name), scoring=SCORING, cv=parts, n_jobs=workers, refit=False)
        # One thread in each process, even where the environment allows more (OMP_NUM_THREADS): see above.
        with parallel_config("loky", inner_max_num_threads=1):
            best = search.fit(features, labels).best_params_
        model = _final(name, clone(pipeline).set_params(**best), parts, workers).fit(features, labels)
    if name == "forest":
        model.set_params(classifier__n_jobs=1)
    model.best_ = {key.split("__")[1]: value for key, value in best.items()}
    return model


def _once(transformer: BaseEstimator | None, folder: str) -> BaseEstimator | None:
    """The transformer, fitted once for each inner training part and not again for each hyperparameter."""
    if transformer is None:
        return None
    return Pipeline([("learned", transformer), ("as_it_is", "passthrough")], memory=folder)


def make(name: str, seed: int, transformer: BaseEstimator | None = None) -> Pipeline:
    """The unfitted pipeline of a classifier: `transformer`, scaling, and the classifier's own steps.

    Raises ValueError: unknown `name`.
    """
    first = [("transformer", transformer)] if transformer is not None else []
    cut = FunctionTransformer(np.clip, kw_args={"a_min": -FARTHEST, "a_max": FARTHEST})
    scaling = [("varying", VarianceThreshold()), ("scaling", StandardScaler()), ("cut", cut)]
    return Pipeline([*first, *scaling, *_find(name).steps(name, seed)])


def title(name: str) -> str:
    """Name of a classifier as a reader sees it.

    Raises ValueError: unknown `name`.
    """
    return _find(name).title


def _find(name: str) -> Classifier:
    if name not in CLASSIFIERS:
        raise ValueError(f"classifier {name!r} is unknown; there is: {', '.join(CLASSIFIERS)}")
    return CLASSIFIERS[name]


def _final(name: str, model: Pipeline, parts: list, workers: int) -> BaseEstimator:
    """The estimator that is fitted on all training images."""
    if name == "svm":
        return CalibratedClassifierCV(model, method="sigmoid", cv=parts, n_jobs=workers, ensemble=False)
    return model.set_params(classifier__n_jobs=workers) if name == "forest" else model


def _grid(name: str) -> dict[str, list]:
    return {key: list(values) for key, values in _find(name).grid.items()}


def _checked(name: str, features, labels, patients) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    _find(name)
    features, labels, patients = np.asarray(features), np.asarray(labels), np.asarray(patients)
    if features.ndim != 2 or not len(features) == len(labels) == len(patients):
        raise ValueError(
            f"features of shape {features.shape}, {len(labels)} labels, {len(patients)} patients; expected (N, D) and "
            "N of each"
        )
    if not np.isfinite(features).all():
        raise ValueError(f"features: {np.count_nonzero(~np.isfinite(features))} values are not finite")
    return features, labels, patients


def _parts(labels: np.ndarray, patients: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Inner cross-validation by patient, in fewer parts where a class has fewer patients."""
    known = {label: len(np.unique(patients[labels == label])) for label in np.unique(labels)}
    if len(known) < 2 or min(known.values()) < 2:
        counts = ", ".join(f"{count} of class {label}" for label, count in known.items())
        raise ValueError(f"training patients: {counts}; expected at least 2 classes, and 2 patients with each")
    parts = list(splits.folds(labels, patients, min(FOLDS, *known.values()), "patient", seed))
    if any(len(np.unique(labels[train])) < len(known) for train, _ in parts):
        raise ValueError(f"{len(np.unique(patients))} training patients can't be divided so that each part has a class")
    return parts
