"""Learning from scratch, borrowing, and what both have to beat: the settings compared, and one of them computed.

Abdolahi et al. 2020, Methods. Planning imports no network library, so that it starts at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.metrics.predictions import CRAFTED
from studybook import twins
from studybook.engine.units import Result
from studybook.twins.ceiling import METHOD as CEILING

SCRATCH, FEATURES, TUNING = "baseline", "feature_extraction", "fine_tuning"  # the paper's three
FROZEN = "Lite0, frozen, logistic"  # a network that learned from ImageNet, with a logistic regression
FOREST = "color_histogram"  # a random forest that knows how often each color occurs
DARKNESS = "mean darkness"  # a logistic regression that knows one number of a patch
CONSTANT = "larger class"  # one answer to everything
NETWORKS = (SCRATCH, FEATURES, TUNING)
PLAIN = (FOREST, DARKNESS, CONSTANT)
# Who is divided, and where SMOTE stands: as a clinic would ask, and as the paper's figures suggest.
HONEST, BY_PATCH, PUBLISHED = ("patient", "train"), ("patch", "train"), ("patch", "before")
_DATA = ("data", "patients", "data_seed", "difficulty", "damaged")
_PARTS = (*_DATA, "least_patches", "split", "oversample", "test_share", "validation_share", "seed")


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units.

    Every method under the protocol of the run (``split``, ``oversample``), each of the paper's networks once for each
    of ``training_seeds``, EfficientNet-Lite0 for the first alone; the methods of ``protocols_of`` also under the other
    protocols; and fine-tuning at every one of ``rates``, under the run's protocol and, if it is one of
    ``protocols_of``, under the published one.

    Raises
    ------
    ValueError
        Names the parameter: no training seed, or a method of ``protocols_of`` that there is not.
    """
    if not parameters["training_seeds"]:
        raise ValueError("training_seeds=[]: expected at least one")
    own = parameters["split"], parameters["oversample"]
    tuned = [_lite(blocks) for blocks in parameters["blocks_lite"]]
    crafted = [CRAFTED + name for name in parameters["crafted"]]
    again = parameters["protocols_of"]
    if unknown := sorted({*again} - {*NETWORKS, *PLAIN, FROZEN}):
        known = ", ".join((*NETWORKS, *PLAIN, FROZEN))
        raise ValueError(f"protocols_of: {', '.join(unknown)}; expected some of {known}")
    seeds = parameters["training_seeds"]
    found = [_unit(kind, own, seed, parameters) for kind in NETWORKS for seed in seeds]
    found += [_unit(kind, own, seeds[0], parameters) for kind in tuned]
    # Blends have no traits, and real tissue has none that is known.
    drawn = [] if parameters["data"] or parameters["oversample"] == "before" else [CEILING]
    found += [_unit(kind, own, None, parameters) for kind in (FROZEN, *PLAIN, *drawn, *crafted)]
    for protocol in (one for one in (HONEST, BY_PATCH, PUBLISHED) if one != own):
        for kind in again:
            found += [_unit(kind, protocol, seed, parameters) for seed in (seeds if kind in NETWORKS else [None])]
    swept = [own, *([PUBLISHED] if TUNING in again and own != PUBLISHED else [])]
    for rate in (one for one in parameters["rates"] if one != parameters["learning_rate"]):
        found += [_unit(TUNING, protocol, seeds[0], parameters, rate) for protocol in swept]
    return found


def group(settings: Mapping) -> str:
    """Processes: the small network, VGG-16, EfficientNet-Lite, what is only fitted; each by protocol."""
    kind = settings["kind"]
    family = "vgg16" if kind in (FEATURES, TUNING) else "lite" if kind.startswith("Lite0") else "fitted"
    return f"{settings['split']}-{settings['oversample']}-{SCRATCH if kind == SCRATCH else family}"


def label(settings: Mapping) -> str:
    """Name of a unit."""
    parts = [settings["kind"], settings["split"], settings["oversample"]]
    parts += [
        f"{name}{settings[key]}" for name, key in (("rate", "rate"), ("seed", "training_seed")) if key in settings
    ]
    return "-".join(map(str, parts)).replace(",", "").replace(":", "").replace(" ", "-")


def fingerprint(settings: Mapping) -> str:
    """Of the patches that a unit learns from and is tested on."""
    return dataset(settings).fingerprint


def dataset(settings: Mapping) -> datasets.Dataset:
    """The set as a unit uses it."""
    return _load(*(settings[name] for name in _DATA))


def parts(settings: Mapping):
    """The training, validation and test part, `protocols.Parts`."""
    return _prepared(*(settings[name] for name in _PARTS))


def network(settings: Mapping):
    """The network, untrained above what it has borrowed; the same at every call.

    Of feature extraction these are the dense layers alone: what lies below them is frozen, see `borrowed`.
    """
    import keras

    from histolib import models, reproducibility
    from histolib.training import augmentation

    kind, seed = settings["kind"], settings["training_seed"]
    images = parts(settings).train_images
    reproducibility.seed(seed)
    if kind == SCRATCH:
        augment = augmentation.RandomAffine(
            rotation=40, shift=0.2, shear=0.2, zoom=0.2, seed=seed
        )  # fmt: skip
        standardize = models.standardization(images)
        return models.baseline_cnn(images.shape[1:], 2, augment, standardize)
    body = borrowed(settings)
    if kind == FEATURES:
        return models.head(body.output_shape[1:])
    if kind == TUNING:
        body = models.unfreeze(body, 2)
        dense = models.head(body.output_shape[1:])
        return models.transfer(body, dense, images.shape[1:])
    blocks = settings["blocks"]
    body = models.unfreeze(body, blocks if blocks == "all" else int(blocks))
    maps = keras.Input(body.output_shape[1:])
    pool = keras.layers.GlobalAveragePooling2D()
    dense = models.head(maps.shape[-1])
    top = keras.Sequential([maps, pool, dense], name="head")
    return models.transfer(body, top, images.shape[1:], side=settings["side"])


def borrowed(settings: Mapping):
    """The network that has learned elsewhere, all of it frozen: VGG-16, or EfficientNet-Lite0 for larger images."""
    from histolib import models

    if "side" in settings:
        return models.unfreeze(models.backbone("efficientnet_lite0", input_shape=(settings["side"],) * 2 + (3,)), 0)
    learned = None if settings["weights"] == "random" else settings["weights"]
    shape = parts(settings).train_images.shape[1:]
    return models.unfreeze(models.backbone("vgg16", settings["width"], learned, shape), 0)


def train(settings: Mapping):
    """Train one network; returns it and what it is shown of each part: training, validation, test."""
    import keras

    from histolib import training

    one, kind = parts(settings), settings["kind"]
    shown = one.train_images, one.validation_images, one.test_images
    loss = "categorical_crossentropy"
    adam = keras.optimizers.Adam(settings["rate"])
    if kind == SCRATCH:
        loss = "binary_crossentropy"
    elif kind == FEATURES:
        # What is frozen gives the same in every epoch: it is run once per patch.
        shown = frozen_maps(settings)
        adam = keras.optimizers.Adam(settings["rate"], beta_1=0.9, beta_2=0.99)
    check = shown[1], one.validation.label
    fit = training.fit(
        network(settings), shown[0], one.train.label, check,
        settings["epochs"], settings["batch_size"], loss, adam,
        settings["training_seed"], say=None, execution=training.Execution(settings["precision"]),
    )  # fmt: skip
    return fit, shown


def frozen_maps(settings: Mapping) -> tuple[np.ndarray, ...]:
    """What frozen VGG-16 gives for the patches of each part: training, validation, test."""
    return _maps(*_key(settings))[:3]


def threshold(labels, scores) -> float:
    """The threshold with the largest balanced accuracy on these, validation patches; 0.5 if they have one class."""
    from sklearn.metrics import roc_curve

    if len(np.unique(labels)) < 2:
        return 0.5
    false, true, at = roc_curve(labels, scores, drop_intermediate=False)
    return float(np.clip(at[np.argmax(true - false)], 0, 1))


def compute(settings: Mapping) -> Result:
    """Train or fit one method and predict the validation and the test part.

    The predictions have two more columns: ``seed`` of the training, and ``threshold``, chosen on the validation part.
    """
    from histolib.metrics import predictions

    one, history = parts(settings), {}
    if "epochs" in settings:
        from histolib import training

        fit, shown = train(settings)
        checked, tested = (training.predict(fit.model, images) for images in shown[1:])
        before = _maps(*_key(settings))[-1] if settings["kind"] == FEATURES else 0
        history, facts = {"history": fit.history}, {"training seconds": round(fit.seconds + before, 2)}
    else:
        fitted = _crafted if settings["kind"].startswith(CRAFTED) else _FITTED[settings["kind"]]
        start = time.perf_counter()
        checked, tested = fitted(settings)
        facts = {"fitting seconds": round(time.perf_counter() - start, 2)}
    facts |= {
        "threshold": round(threshold(one.validation.label, checked[:, 1]), 6),
        "patients on both sides": one.leaked,
        "blends in the test part": one.blended,
        "blends with a parent in training": None if np.isnan(one.related) else round(one.related, 4),
    }
    rows = predictions.table(label(settings), one.test, tested)
    return Result(rows.assign(seed=settings.get("training_seed", 0), threshold=facts["threshold"]), history, facts)


def _lite(blocks: str) -> str:
    return f"Lite0, {blocks} blocks"


def _unit(
    kind: str, protocol: tuple[str, str], seed: int | None, parameters: Mapping, rate: float | None = None
) -> dict:
    """Settings of one unit: what it is, and of the parameters those that it depends on."""
    known = {"kind": kind} | {name: parameters[name] for name in _PARTS} | dict(zip(("split", "oversample"), protocol))
    epochs = {SCRATCH: "epochs_baseline", FEATURES: "epochs_features", TUNING: "epochs_tuning"}.get(kind, "epochs_lite")
    if seed is not None:
        lite = kind not in NETWORKS
        rate = rate or parameters["rate_lite" if lite else "learning_rate"]
        known |= {
            "training_seed": seed,
            "rate": rate,
            "epochs": parameters[epochs],
            "batch_size": parameters["batch_size"],
            "precision": parameters["precision"],
        }
        if lite:
            known["blocks"] = kind.split()[1]
    if kind in (FEATURES, TUNING):
        known |= {"width": parameters["width"], "weights": parameters["weights"]}
    if kind.startswith("Lite0"):
        known["side"] = parameters["side"]
    if kind.startswith(CRAFTED):
        known |= {"classifier": parameters["classifier"], "limit": parameters["descriptor_limit"]}
    return known


def _crafted(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """A hand-crafted descriptor with a classifier, fitted on real training patches."""
    from dataclasses import replace

    from histolib.descriptors import comparison
    from histolib.metrics import predictions

    one, count = parts(settings), len(parts(settings).validation)
    both = replace(
        one, test_images=np.concatenate([one.validation_images, one.test_images]),
        test=pd.concat([one.validation, one.test]),
    )  # fmt: skip
    rows, _ = comparison.compare_parts(
        both, [settings["kind"].removeprefix(CRAFTED)], [settings["classifier"]], seed=settings["seed"],
        limit=settings["limit"] or None, shared=settings["split"] == "patch", workers=1,
    )  # fmt: skip
    return tuple(np.split(predictions.scores_of(rows), [count]))


def _frozen(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """A logistic regression on the last four blocks of frozen EfficientNet-Lite0, fitted on real training patches.

    The strength of the regression is chosen by patient, and a blend belongs to two.
    """
    from histolib import training
    from histolib.descriptors import classifiers
    from histolib.models import features

    one = parts(settings)
    real = ~one.train["synthetic"].to_numpy()
    encoder = features.extractor(borrowed(settings), one.train_images.shape[1:], "blocks", settings["side"])
    learned, *others = (
        training.predict(encoder, images) for images in (one.train_images[real], one.validation_images, one.test_images)
    )
    known = one.train[real]
    logistic = classifiers.fit("logistic", learned, known.label, known.patient, settings["seed"], workers=1)
    return tuple(map(logistic.predict_proba, others))


def _forest(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    from histolib.descriptors import baselines

    one = parts(settings)
    forest = baselines.color_forest(one.train_images, one.train.label, settings["seed"])
    return forest.predict_proba(one.validation_images), forest.predict_proba(one.test_images)


def _darkness(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    one = parts(settings)
    learned, *others = (
        1 - images.mean((1, 2, 3), dtype=np.float64)[:, None] / 255
        for images in (one.train_images, one.validation_images, one.test_images)
    )
    return tuple(map(LogisticRegression(C=1e3).fit(learned, one.train.label).predict_proba, others))


def _ceiling(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """What the drawn traits themselves tell of the classes of a twin."""
    from studybook.twins.ceiling import ceiling

    one, found = parts(settings), dataset(settings)
    place = pd.Index(found.table["image_id"]).get_indexer
    learned = place(one.train.loc[~one.train["synthetic"], "image_id"])
    held_out = place(pd.concat([one.validation, one.test])["image_id"])
    p = ceiling(found, learned, held_out, settings["seed"])
    return tuple(np.split(p, [len(one.validation)]))


def _constant(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """The real training patches' share of positive ones, whatever the patch."""
    one = parts(settings)
    share = one.train.label[~one.train["synthetic"].to_numpy()].mean()
    return tuple(np.tile([1 - share, share], (len(rows), 1)) for rows in (one.validation, one.test))


_FITTED = {FROZEN: _frozen, FOREST: _forest, DARKNESS: _darkness, CONSTANT: _constant, CEILING: _ceiling}


def _key(settings: Mapping) -> tuple:
    """What the outputs of frozen VGG-16 depend on."""
    return tuple(settings[name] for name in (*_PARTS, "width", "weights"))


@lru_cache
def _load(data, patients, data_seed, difficulty, damaged) -> datasets.Dataset:
    root = data or twins.folder("idc", patients, data_seed, difficulty)
    return datasets.load("idc", root, data and patients, data_seed, damaged)


@lru_cache(maxsize=1)
def _prepared(
    data, patients, data_seed, difficulty, damaged, least, split, oversample, test_share, validation_share, seed
):
    from histolib.training import protocols

    found = _load(data, patients, data_seed, difficulty, damaged)
    counts = found.table["patient"].map(found.table["patient"].value_counts())
    rows = np.flatnonzero(counts >= least)
    if not len(rows):
        raise ValueError(f"least_patches={least}: no patient has so many, the most are {counts.max()}")
    # Without a choice the images stay in their file, which may be larger than the memory.
    images, table = found.images(rows=rows if least else None), found.table.iloc[rows]
    return protocols.prepare(images, table, split, oversample, test_share, validation_share, seed)


@lru_cache(maxsize=1)
def _maps(*values) -> tuple:
    """Outputs of frozen VGG-16 for the three parts, and the seconds that they took."""
    from histolib import training
    from histolib.models import features

    settings = dict(zip((*_PARTS, "width", "weights"), values))
    one, start = parts(settings), time.perf_counter()
    encoder = features.extractor(borrowed(settings), one.train_images.shape[1:])
    every = [training.predict(encoder, images) for images in (one.train_images, one.validation_images, one.test_images)]
    return *every, time.perf_counter() - start
