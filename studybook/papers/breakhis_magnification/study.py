"""One network for all magnifications, or one for each: the settings compared, and one of them computed.

Bayramoglu et al. 2016, section III. Planning imports no network library, so that it starts at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.datasets.breakhis import MAGNIFICATIONS, slide_numbers
from histolib.metrics import splits
from studybook import twins
from studybook.engine.units import Result
from studybook.pretraining import frozen

MAIN = ("independent", "two tasks")  # the paper's two networks
CRAFTED = "hand-crafted"  # a descriptor with a classifier, one for each magnification
FROZEN = "frozen Lite0"  # a network that learned from ImageNet with a logistic regression, one for each magnification
FROZEN_ALL = "frozen Lite0, one for all"  # the same features with one regression for all magnifications
BY_SLIDE, BY_NUMBER = f"{FROZEN_ALL}, folds by slide", f"{FROZEN_ALL}, folds by slide number"
DRAWN = (BY_SLIDE, BY_NUMBER)
FITTED = (CRAFTED, FROZEN, FROZEN_ALL, *DRAWN)  # nothing of it trained by gradients
TESTED, TESTED_LESS = "stopped on test images", "trained on fewer, stopped on test images"
HALVED = "half the loss"
FURTHER = ("regression", TESTED, TESTED_LESS, HALVED)
"""Networks beside the compared ones. `regression` tells the magnification as a number; `TESTED` stops as the paper's
did and trains on the validation patients too, `TESTED_LESS` without them, as the network that it stands beside;
`HALVED` has one task and the weight that the task has among two."""
TWO_TASKS = ("two tasks", "regression")
SCALE = 64  # gray levels that become 1; not published
CLIP = 1.0  # largest norm of a gradient; not published, without it the regression diverges
VALIDATION = "validation"  # what decides when to stop: patients of the training side
MODEL = "model.keras"  # in the folders of the units with two tasks
MAGNIFICATION_TABLE = "magnification"  # a unit's further table: answers about the magnification
_NAMES = ("variant", "magnification", "tuned_on", "training")
_WEIGHTS = ("weight_malignancy", "weight_magnification")
_SET = ("data", "patients", "data_seed", "difficulty", "damaged")
_DATA = (*_SET, "split", "seed")
_SHARED = (
    *_DATA, "size", "width", "epochs", "batch_size", "precision", "learning_rate",
    "momentum", "patience", "validation", "dropout",
)  # fmt: skip


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units.

    In each of ``folds`` one network for all magnifications and one for two tasks; in those of ``folds_compared`` also a
    network for each magnification of ``specific``, one for all but each of ``left_out``, and those of ``further``.
    There the network for all and those for one or all but one are trained ``trainings`` times, from other initial
    weights. And in each of ``folds_fitted`` every hand-crafted descriptor with every classifier, and the frozen
    network, with a regression for each magnification and with one for all, unless its images' side is 0; with
    ``sisters`` the latter also in folds drawn by slide, and by slide number.

    Raises
    ------
    ValueError
        If ``folds_compared`` is empty or not among ``folds``, ``specific`` is empty, or a network of ``further`` is
        unknown.
    """
    compared, further = parameters["folds_compared"], parameters["further"]
    if not compared or not set(compared) <= set(parameters["folds"]):
        raise ValueError(f"folds_compared={compared}: expected at least one, each of folds={parameters['folds']}")
    if not parameters["specific"]:
        raise ValueError("specific=[]: expected at least one magnification that gets a network of its own")
    if not set(further) <= set(FURTHER):
        raise ValueError(f"further={further}: expected some of {', '.join(FURTHER)}")
    shared = {name: parameters[name] for name in _SHARED}
    both = {name: parameters[name] for name in _WEIGHTS}
    single = dict.fromkeys(_WEIGHTS, 0.0)
    half = single | {_WEIGHTS[0]: both[_WEIGHTS[0]]}
    of_further = {
        "regression": ("regression", 0, VALIDATION, 0, both),
        TESTED: ("independent", 0, TESTED, 0, single),
        TESTED_LESS: ("independent", 0, TESTED_LESS, 0, single),
        HALVED: ("independent", 0, VALIDATION, 0, half),
    }
    found = []
    for fold in parameters["folds"]:
        chosen = [("independent", 0, VALIDATION, 0, single)]
        if fold in compared:
            chosen += [of_further[name] for name in FURTHER if name in further]
            pairs = [("specific", k) for k in parameters["specific"]] + [("without", k) for k in parameters["left_out"]]
            chosen += [(*pair, VALIDATION, 0, single) for pair in pairs]
            again = range(1, parameters["trainings"])
            chosen += [(*pair, VALIDATION, k, single) for k in again for pair in [("independent", 0), *pairs]]
        chosen += [("two tasks", 0, VALIDATION, 0, both)]
        found += [dict(zip(_NAMES, one)) | one[-1] | {"fold": fold} | shared for one in chosen]
    crafted = [(name, one) for name in parameters["descriptors"] for one in parameters["classifiers"]]
    for fold in parameters["folds_fitted"]:
        known = {"magnification": 0, "fold": fold} | {key: parameters[key] for key in _DATA}
        found += [{"variant": CRAFTED, "descriptor": name, "classifier": one, "size": parameters["descriptor_size"]}
                  | known for name, one in crafted]  # fmt: skip
        frozen_too = {FROZEN: {}, FROZEN_ALL: {}}
        if parameters["sisters"]:
            frozen_too |= dict.fromkeys(DRAWN, {"split": "drawn"})
        found += [{"variant": name, "classifier": "logistic", "size": parameters["frozen_size"]} | known | other
                  for name, other in frozen_too.items() if parameters["frozen_size"]]  # fmt: skip
    return found


def group(settings: Mapping) -> str:
    """Of a fold, the networks that see all magnifications and the others; of all folds, what is only fitted."""
    if settings["variant"] in FITTED:
        return "descriptors"
    return f"fold{settings['fold']}-{'some' if settings['magnification'] else 'all'}"


def method(settings: Mapping) -> str:
    """What tells the settings of units apart, the fold left out; the name of their rows in tables of predictions."""
    if settings["variant"] == CRAFTED:
        return f"{settings['descriptor']}, {settings['classifier']}"
    if settings["variant"] in FITTED:
        return settings["variant"]
    name = settings["variant"] + (f" {settings['magnification']}x" if settings["magnification"] else "")
    further = [settings["tuned_on"]] if settings["tuned_on"] != VALIDATION else []
    further += [HALVED] if settings["variant"] == "independent" and settings["weight_malignancy"] else []
    further += [f"training {settings['training'] + 1}"] if settings["training"] else []
    return ", ".join([name, *further])


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return f"{method(settings).replace(',', '').replace(' ', '-')}-fold{settings['fold']}"


def fingerprint(settings: Mapping) -> str:
    """Of the images that a unit learns from and is tested on."""
    return dataset(settings).fingerprint


def dataset(settings: Mapping) -> datasets.Dataset:
    """The set as a unit uses it."""
    return _load(*(settings[name] for name in _SET))


def parts(settings: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test images.

    The test side is the fold's. Of the training patients some decide when to stop; or, as in the paper, the test
    images at 40x do (section III), and all training patients train. What a network does not learn from (the other
    magnifications of a specific one, the magnification left out) is not looked at for stopping either.
    """
    table = dataset(settings).table
    rest, test = _sides(settings)
    lowest = test[table["magnification"].to_numpy()[test] == MAGNIFICATIONS[0]]
    if settings["tuned_on"] == TESTED:
        return rest, lowest, test
    labels, patients = table["label"].to_numpy()[rest], table["patient"].to_numpy(object)[rest]
    train, check = splits.two_parts(labels, patients, settings["validation"], seed=settings["seed"])
    if settings["tuned_on"] == TESTED_LESS:
        return rest[train], lowest, test
    seen = table["magnification"].isin(_seen(settings)).to_numpy()
    found = {"training": rest[train][seen[rest[train]]], "validation": rest[check][seen[rest[check]]]}
    for side, rows in found.items():
        missing = np.setdiff1d(labels, table["label"].to_numpy()[rows]).tolist()
        if missing:
            part = f"{label(settings)}: its {side} part has {len(rows)} images and none of class {missing}"
            raise ValueError(f"{part}; more patients are needed, or this unit left out")
    return found["training"], found["validation"], test


def _sides(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the fold's images to learn from and to be tested on."""
    table = dataset(settings).table
    if settings["variant"] == BY_NUMBER:
        table = table.assign(patient=slide_numbers(table["patient"]))
    return splits.of_fold(table, settings["fold"], settings["split"])


def train(network, settings: Mapping, images, answers, validation):
    """Train a network for one task or for two, until the validation loss falls no longer.

    Parameters
    ----------
    network
        From `untrained`; trained in place.
    settings
        Of a unit.
    images, answers
        Of the training part, uint8 (N, H, W, 3), and classes (N,), or of two tasks a dictionary of such.
    validation
        Images and answers whose loss decides which epoch's weights are kept.

    Returns
    -------
    training.Fit
    """
    import keras

    from histolib import training

    # Networks that see fewer images pass over them more often, for equal steps.
    passes = len(MAGNIFICATIONS) / len(_seen(settings))
    epochs, patience = (round(passes * settings[k]) for k in ("epochs", "patience"))
    stop = keras.callbacks.EarlyStopping(
        patience=patience, restore_best_weights=True
    )  # fmt: skip
    descent = keras.optimizers.SGD(
        settings["learning_rate"], momentum=settings["momentum"], clipnorm=CLIP
    )  # fmt: skip
    return training.fit(
        network, images, answers, validation, epochs, settings["batch_size"],
        loss="categorical_crossentropy", loss_weights=_loss_weights(settings),
        optimizer=descent, callbacks=[stop], seed=_seed(settings),
        say=None, reuse=_architecture(settings),
        execution=training.Execution(settings["precision"]),
    )  # fmt: skip


def compute(settings: Mapping) -> Result:
    """Train one network with one setting and predict all test images, whatever their magnification."""
    if settings["variant"] in FITTED:
        return _fitted(settings)
    from histolib import training
    from histolib.metrics import predictions

    found, (learned, check, test) = dataset(settings), parts(settings)
    images, answers = found.images(settings["size"], crop="center"), _answers(settings, found.table)
    validation = images[check], _rows(answers, check)
    fit = train(untrained(settings), settings, images[learned], _rows(answers, learned), validation)
    given, rows = training.predict(fit.model, images[test]), found.table.iloc[test]
    tables = {"history": fit.history}
    if isinstance(given, dict):
        tables[MAGNIFICATION_TABLE] = _magnification_rows(rows, given["magnification"])
        given = given["malignancy"]
    facts = {"training seconds": round(fit.seconds, 2), "epochs": len(fit.history), "images": len(learned),
             "parameters": fit.model.count_params()}  # fmt: skip
    writers = [lambda folder: fit.model.save(folder / MODEL)] if settings["variant"] == "two tasks" else []
    table = _with_sisters(settings, predictions.table(method(settings), rows, given, settings["fold"]))
    return Result(table, tables, facts, writers)


def _fitted(settings: Mapping) -> Result:
    """A classifier on one description of the images, fitted for each magnification as those that the paper quotes, or
    for all of them at once."""
    table = dataset(settings).table
    train, test = _sides(settings)
    parts, times = [], []
    together = settings["variant"] in (FROZEN_ALL, *DRAWN)
    for magnifications in [MAGNIFICATIONS] if together else [[k] for k in MAGNIFICATIONS]:
        there = table["magnification"].isin(magnifications).to_numpy()
        own, tested = train[there[train]], test[there[test]]
        images = table.iloc[own].groupby(["label", "patient"]).size()
        known = (images > 1).groupby("label").sum()
        if not len(tested) or len(known) < 2 or known.min() < 3:
            continue  # a small part of the data: too few patients to choose settings among
        rows = (_crafted if settings["variant"] == CRAFTED else _frozen)(settings, own, tested)
        parts.append(rows[0])
        times.append(rows[1])
    if not parts:
        few = f"fold {settings['fold']}: no magnification has test images and three training patients of each class"
        raise ValueError(f"{few}; more patients are needed, or descriptors=[] and frozen_size=0")
    seconds = pd.DataFrame(times)[["describe", "fit"]].mean()
    rows = _with_sisters(settings, pd.concat(parts, ignore_index=True))
    return Result(rows, {}, {"images": len(train), **seconds.round(3).to_dict()})


def _with_sisters(settings: Mapping, rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions, and whether a slide of the patient's number, but for its letters, is on the fold's other side."""
    other = dataset(settings).table["patient"].iloc[_sides(settings)[0]]
    return rows.assign(sister=slide_numbers(rows["patient"]).isin(slide_numbers(other)).astype(int))


def _crafted(settings: Mapping, own: np.ndarray, tested: np.ndarray) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions by one descriptor with one classifier, and times."""
    from histolib.descriptors import comparison

    described = _described(settings["descriptor"], settings["size"], *(settings[key] for key in _SET))
    rows, times = comparison.compare(
        described, dataset(settings).table, own, tested, [settings["descriptor"]],
        [settings["classifier"]], settings["seed"], settings["fold"], method(settings), workers=1,
    )  # fmt: skip
    return rows, times.iloc[0]


def _frozen(settings: Mapping, own: np.ndarray, tested: np.ndarray) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions by a logistic regression on the pooled maps of the frozen network, and times."""
    from histolib.descriptors import classifiers
    from histolib.metrics import predictions

    features, seconds = _encoded(settings["size"], *(settings[key] for key in _SET))
    table, start = dataset(settings).table, time.perf_counter()
    labels, patients = table["label"].to_numpy()[own], table["patient"].to_numpy(object)[own]
    model = classifiers.fit(
        settings["classifier"], features[own], labels, patients, settings["seed"], workers=1
    )  # fmt: skip
    rows = predictions.table(
        method(settings), table.iloc[tested], model.predict_proba(features[tested]), settings["fold"]
    )
    return rows, pd.Series({"describe": seconds, "fit": time.perf_counter() - start})


@lru_cache
def _encoded(size: int, *data) -> tuple[np.ndarray, float]:
    """Features of all images, float32 (N, D), and the seconds that 1,000 images took."""
    from histolib import training

    images, start = _load(*data).images(size, crop="center"), time.perf_counter()
    found = training.predict(frozen.encoder(size), images, 64)
    return found, 1000 * (time.perf_counter() - start) / len(images)


@lru_cache
def _described(descriptor: str, size: int, *data):
    from histolib.descriptors import comparison

    return comparison.precompute(_load(*data).images(size, crop="center"), [descriptor], workers=1)


def _seen(settings: Mapping) -> list[int]:
    """Magnifications that a unit learns from."""
    only = {"specific": [settings["magnification"]]}
    return only.get(settings["variant"], [k for k in MAGNIFICATIONS if k != settings["magnification"]])


def _answers(settings: Mapping, table: pd.DataFrame):
    """What a network is to answer for every image: classes, or for two tasks one array each."""
    from histolib import models

    labels, magnification = table["label"].to_numpy(), table["magnification"].to_numpy()
    if settings["variant"] == "two tasks":
        return {"malignancy": labels, "magnification": np.searchsorted(MAGNIFICATIONS, magnification)}
    if settings["variant"] == "regression":
        return {"malignancy": labels, "magnification": models.log_magnification(magnification)}
    return labels


def _rows(answers, rows: np.ndarray):
    return {name: one[rows] for name, one in answers.items()} if isinstance(answers, dict) else answers[rows]


def _loss_weights(settings: Mapping) -> dict | float | None:
    if settings["variant"] not in TWO_TASKS:
        return settings["weight_malignancy"] or None
    return {"malignancy": settings["weight_malignancy"], "magnification": settings["weight_magnification"]}


def _magnification_rows(rows: pd.DataFrame, given: np.ndarray) -> pd.DataFrame:
    """Answers about the magnification: probabilities of the four, or the number."""
    from histolib import models

    known = rows[["image_id", "patient", "magnification"]].reset_index(drop=True)
    if given.shape[1] == 1:
        return known.assign(predicted=models.magnification_of(given[:, 0]).round(2))
    return known.assign(**{f"p_{k}": column.round(6) for k, column in enumerate(given.T)})


def untrained(settings: Mapping):
    """The network, untrained; the same at every call."""
    import keras

    from histolib import models, reproducibility
    from histolib.training import augmentation

    reproducibility.seed(_seed(settings) + settings["fold"])
    centering = keras.layers.Rescaling(1 / SCALE, -2, name="centering")
    return models.magnification_cnn(
        1 + (settings["variant"] in TWO_TASKS), (settings["size"], settings["size"], 3), width=settings["width"],
        dropout=settings["dropout"], regression=settings["variant"] == "regression",
        augment=augmentation.Dihedral(_seed(settings)), standardize=centering, scale=SCALE,
    )  # fmt: skip


def _seed(settings: Mapping) -> int:
    """Of initial weights, order and augmentation: another one in each training, patients on all sides the same."""
    return settings["seed"] + 1000 * settings["training"]


def _architecture(settings: Mapping) -> tuple:
    """What networks must have in common so that one can be compiled for all."""
    tasks = settings["variant"] if settings["variant"] in TWO_TASKS else "one task"
    return ("magnification", tasks, *(settings[name] for name in ("size", "width", "dropout", *_WEIGHTS)))


@lru_cache
def _load(data, patients, seed: int, difficulty: float, damaged: str) -> datasets.Dataset:
    root = data or twins.folder("breakhis", patients, seed, difficulty)
    return datasets.load("breakhis", root, data and patients, seed, damaged)
