"""How many blocks of a network to fine-tune on mammographic masses: the settings compared, and one of them computed.

Chougrad et al. 2018, sections 2.2.3, 3.1 to 3.4. Planning imports no network library, so that it starts at
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.datasets import mammograms
from histolib.metrics import splits
from studybook import twins
from studybook.engine.units import Result

MERGED, UNSEEN = "merged", "mias"
OFFICIAL = ("cbis_ddsm",)  # sets that come with a training and a test part
# The published 0.5, in radians as the library of the time took it (until the end of 2017); here in degrees.
SHEAR = float(np.rad2deg(0.5))
BLOCKS = (0, 1, 2, 3, "all")
PLAIN = "plain"  # no block trained and no dense layers: a logistic regression on what the frozen network gives
BOX = "box"  # no network: a logistic regression on the size of the lesion's box alone
PLATEAU = 5  # epochs without a smaller validation loss before the rate is divided by ten; not published
CARD_DRAWS = 500  # bootstrap resamples of the intervals on the card of the screening network
MOMENTUM = 0.9  # of stochastic gradient descent; not published
_SHARED = (
    "data", "patients", "data_seed", "window", "size", "width", "folds", "epochs_head", "epochs_tuning", "batch_size",
    "learning_rate", "patience", "dropout", "l2", "seed",
)  # fmt: skip


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units.

    On each set: the size of the box alone; every one of ``strategies`` and, if asked for, random weights, by
    ``networks``; two blocks by every network of ``networks_compared``; those of ``leak`` with folds by image instead of
    by patient. On the merger: two blocks by every network of ``networks_merged``, and by ``network_screening`` once
    more on all of it, to be tested on MIAS. MIAS itself has folds only where no other set is. A set that is not below
    ``data`` is left out.

    Raises
    ------
    ValueError
        A number of blocks that there is not.
    """
    there = datasets.available(parameters["data"]) if parameters["data"] else twins.NAMES
    known = [name for name in parameters["sets"] if name in there]
    sets = [name for name in known if name not in (MERGED, UNSEEN)] or [name for name in known if name == UNSEEN]
    weights, first = parameters["weights"], parameters["networks"][0]
    strategies, leak = ([int(k) if k.isdigit() else k for k in parameters[name]] for name in ("strategies", "leak"))
    if not {*strategies, *leak} <= {PLAIN, *BLOCKS}:
        expected = ", ".join(map(str, (PLAIN, *BLOCKS)))
        raise ValueError(
            f"strategies={parameters['strategies']}, leak={parameters['leak']}: expected each of {expected}"
        )
    if not leak:
        raise ValueError("leak=[]: expected at least one strategy whose folds are drawn by image as well")
    if 2 not in strategies and not parameters["networks_compared"]:
        raise ValueError(f"strategies={parameters['strategies']}: expected 2 among them, the strategy of Table 2")
    chosen = []
    for one in sets:
        by = parameters["by"] if one in OFFICIAL else "patient"
        chosen += [(one, first, weights, BOX, by)]
        chosen += [(one, net, weights, k, by) for net in parameters["networks"] for k in strategies]
        chosen += [(one, net, "random", "all", by) for net in parameters["networks"] if parameters["random"]]
        chosen += [(one, net, weights, 2, by) for net in parameters["networks_compared"]]
        chosen += [(one, first, weights, k, "image") for k in leak]
    if MERGED in known:
        chosen += [(MERGED, net, weights, 2, "patient") for net in parameters["networks_merged"]]
    shared = {name: parameters[name] for name in _SHARED}
    names = ("dataset", "network", "weights", "blocks", "by")
    plan = [dict(zip(names, one)) | {"test": "", "fold": fold} | shared for one in dict.fromkeys(chosen)
            for fold in range(1 if one[-1] == "official" else parameters["folds_run"])]  # fmt: skip
    if MERGED in known and UNSEEN in known:
        last = dict(zip(names, (MERGED, parameters["network_screening"], weights, 2, "patient")))
        plan.append(last | {"test": UNSEEN, "fold": 0} | shared)
    return plan


def group(settings: Mapping) -> str:
    """Units of one set, network and fold are computed by one process."""
    return f"{settings['dataset']}-{settings['network']}-fold{settings['fold']}"


def method(settings: Mapping) -> str:
    """What tells the settings of units apart, the fold left out; the name of their rows in tables of predictions."""
    parts = [settings["dataset"]]
    if settings["blocks"] == BOX:
        parts += ["size of the box"]
    else:
        plain = settings["blocks"] == PLAIN
        parts += [
            settings["network"],
            settings["weights"],
            "plain classifier" if plain else f"{settings['blocks']} blocks",
        ]
    parts += {"patient": [], "image": ["by image"], "official": ["official parts"]}[settings["by"]]
    return ", ".join(parts + ([f"tested on {settings['test']}"] if settings["test"] else []))


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return f"{method(settings).replace(', ', '-').replace(' ', '')}-fold{settings['fold']}"


def fingerprint(settings: Mapping) -> str:
    """Of the regions that a unit learns from and is tested on."""
    names = [settings["dataset"], *([settings["test"]] if settings["test"] else [])]
    return " ".join(dataset(settings, name).fingerprint for name in names)


def dataset(settings: Mapping, name: str) -> datasets.Dataset:
    """A set as a unit uses it, its regions as wide as ``window`` says: 0, or a multiple of the lesion's box."""
    return _load(name, *(settings[key] for key in ("data", "patients", "data_seed", "window")))


def parts(settings: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test regions; no test region if another set is tested on.

    A fifth is the fold that is tested on; of the rest, a fifth decides when to stop.
    """
    found = dataset(settings, settings["dataset"])
    by = "patch" if settings["by"] == "image" else "patient"
    rest, test = np.arange(len(found.table)), np.arange(0)
    if settings["by"] == "official":
        testing = (found.table["split"] == "test").to_numpy()
        rest, test = np.flatnonzero(~testing), np.flatnonzero(testing)
    elif not settings["test"]:
        rest, test = list(splits.folds(found.labels, found.patients, settings["folds"], by, settings["seed"]))[
            settings["fold"]
        ]
    train, check = splits.two_parts(found.labels[rest], found.patients[rest], 0.2, by, settings["seed"])
    return rest[train], rest[check], test


def train(network, backbone, settings: Mapping, head, images, labels, validation):
    """Train the new head on the frozen backbone; or, from where that ended, the last blocks and the head together.

    Parameters
    ----------
    network, backbone
        From `untrained`; trained in place.
    settings
        Of a unit.
    head
        What this function returned with 0 blocks, from which every other number of blocks starts; None with 0 blocks.
    images, labels
        Of the training part, uint8 (N, H, W, 3) and (N,).
    validation
        Images and labels that decide when the rate falls and when the second stage ends; its best weights are kept.

    Returns
    -------
    training.Fit
    """
    import keras

    from histolib import models, training

    blocks = settings["blocks"] if head else 0
    models.unfreeze(backbone, blocks)
    fit = partial(
        training.fit, network, images, labels, validation, say=None,
        batch_size=settings["batch_size"], loss="categorical_crossentropy",
        reuse=_architecture(settings, blocks),
    )  # fmt: skip
    if head is None:
        adam = keras.optimizers.Adam(learning_rate=0.001)
        return fit(settings["epochs_head"], optimizer=adam, seed=settings["seed"])
    network.set_weights(head.model.get_weights())
    patience = settings["patience"]
    lower = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=PLATEAU)
    stop = keras.callbacks.EarlyStopping(
        patience=patience, restore_best_weights=True
    )  # fmt: skip
    descent = keras.optimizers.SGD(settings["learning_rate"], momentum=MOMENTUM)
    return fit(settings["epochs_tuning"], optimizer=descent,
               seed=settings["seed"] + 1, callbacks=[lower, stop])  # fmt: skip


def compute(settings: Mapping) -> Result:
    """Train one network with one setting and predict its test part."""
    if settings["blocks"] in (PLAIN, BOX):
        return _plain(settings)
    from histolib import models, training
    from histolib.metrics import predictions

    found, size = dataset(settings, settings["dataset"]), settings["size"]
    train_rows, _, test = parts(settings)
    fit, backbone = _head(**{name: settings[name] for name in settings if name not in ("blocks", "test")},
                          test=bool(settings["test"]))  # fmt: skip
    history, seconds = fit.history.assign(stage="head"), fit.seconds
    if settings["blocks"] != 0:
        network, backbone = untrained(settings)
        fit = train(network, backbone, settings, fit, *_learned_from(settings))
        history = pd.concat([history, fit.history.assign(stage="tuning")], ignore_index=True)
        history.index, seconds = pd.RangeIndex(1, len(history) + 1, name="epoch"), seconds + fit.seconds
    tested = dataset(settings, settings["test"]) if settings["test"] else found
    rows = np.arange(len(tested.table)) if settings["test"] else test
    given = training.predict(fit.model, tested.images(size)[rows])
    table = predictions.table(method(settings), tested.table.iloc[rows], given, settings["fold"])
    facts = {"training seconds": round(seconds, 2), "epochs": len(history),
             "layers trained": len(models.trainable_layers(backbone)), "regions": len(train_rows)}  # fmt: skip
    writers = [partial(_save, fit.model, found, table, settings)] if settings["test"] else []
    return Result(table, {"history": history}, facts, writers)


def _save(network, found: datasets.Dataset, table: pd.DataFrame, settings: Mapping, folder: Path) -> None:
    """Save a network for the screening program, with its scores on the set that it has not seen and their intervals."""
    from histolib import metrics
    from studybook import screening

    scores = metrics.summary(table, CARD_DRAWS, settings["seed"]).droplevel("method").loc[["auc", "accuracy"]]
    named = {f"{name} on {settings['test']}": row.round(3).tolist() for name, row in scores.iterrows()}
    screening.save(network, folder / "model", **screening.describe(found), metrics=named)


def _plain(settings: Mapping) -> Result:
    """A logistic regression on pooled maps of the frozen network, or on the box; it needs no validation part."""
    from histolib.descriptors import classifiers
    from histolib.metrics import predictions

    found, (train_rows, check, test) = dataset(settings, settings["dataset"]), parts(settings)
    described = _box(found.table) if settings["blocks"] == BOX else _frozen(settings)
    rows = np.sort(np.concatenate([train_rows, check]))
    model = classifiers.fit("logistic", described[rows], found.labels[rows], found.patients[rows], settings["seed"])
    table = found.table.iloc[test]
    given = predictions.table(method(settings), table, model.predict_proba(described[test]), settings["fold"])
    facts = {"layers trained": 0, "regions": len(rows), "chosen": f"C={model.best_['C']}"}
    return Result(given, {}, facts)


def _box(table: pd.DataFrame) -> np.ndarray:
    """Logarithms of height and width of the lesions' boxes in pixels of the film, (N, 2)."""
    sides = [table["bottom"] - table["top"], table["right"] - table["left"]]
    return np.log(np.stack(sides, axis=1))


def _frozen(settings: Mapping) -> np.ndarray:
    """Means of the last activations of the frozen network's last four blocks, for all regions of the set."""
    from histolib import models, training
    from histolib.models import features

    shape = (settings["size"], settings["size"], 3)
    backbone = models.backbone(settings["network"], settings["width"], settings["weights"], shape)
    found = dataset(settings, settings["dataset"])
    return training.predict(features.extractor(backbone, shape, "blocks"), found.images(settings["size"]))


@lru_cache(maxsize=1)
def _head(**settings):
    """The trained head on the frozen backbone, and the backbone: the same for every number of blocks."""
    network, backbone = untrained(settings)
    return train(network, backbone, settings, None, *_learned_from(settings)), backbone


def _architecture(settings: Mapping, blocks: int | str) -> tuple:
    """What networks must have in common so that one can be compiled for all."""
    return ("mammography", blocks, *(settings[name] for name in ("network", "width", "size", "dropout", "l2")))


def untrained(settings: Mapping):
    """Network and the backbone inside, untrained; the same at every call."""
    from histolib import models, reproducibility
    from histolib.training import augmentation

    reproducibility.seed(settings["seed"] + settings["fold"])
    size = settings["size"]
    learned = None if settings["weights"] == "random" else settings["weights"]
    backbone = models.backbone(settings["network"], settings["width"], learned, (size, size, 3))
    augment = augmentation.RandomAffine(40, 0.25, SHEAR, (0.5, 1.5), flip=True, seed=settings["seed"])
    top = models.deep_head(backbone.output_shape[1:], dropout=settings["dropout"], l2=settings["l2"])
    return models.transfer(backbone, top, (size, size, 3), augment, models.GlobalContrast()), backbone


def _learned_from(settings: Mapping) -> tuple:
    """Images and labels of the training part, and both of the validation part."""
    found = dataset(settings, settings["dataset"])
    images, (learned, check, _) = found.images(settings["size"]), parts(settings)
    return images[learned], found.labels[learned], (images[check], found.labels[check])


@lru_cache
def _load(name: str, data, patients, seed: int, window: float) -> datasets.Dataset:
    root = data or twins.folder(name, patients, seed)
    found = datasets.load(name, root, data and patients, seed)
    return mammograms.windowed(found, float(window)) if window else found
