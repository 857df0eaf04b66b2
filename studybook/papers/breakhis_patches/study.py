"""Contrast, structure and cropping of a network for patches: the settings compared, and one of them computed.

Chapter `breakhis_patches`, after slides without authors. Planning imports no network library, so that it starts at
once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from histolib.images import contrast, patches
from studybook.engine.units import Gathered, Result
from studybook.papers.breakhis_patches.patch_data import (
    CROPPINGS,
    CUT,
    DATA,
    WHOLE,
    dataset,
    images_of,
    parts,
    shape,
    side,
    sides,
    treated,
)
from studybook.pretraining import frozen

OURS = "ResNet"
TUNED = "Lite0 fine-tuned"
EARLIER = ("color histogram", "SVM", "CNN on patches", "CNN on whole images", "DeCAF", TUNED)
# Of those that a classifier on a hand-crafted descriptor of whole images is.
_CRAFTED = {"color histogram": ("rgb", "logistic"), "SVM": ("pftas", "svm")}
STRUCTURES = {
    "normal": {},
    "3x3": {"first_kernel": 3},
    "stride 2": {"stride": 2},
    "feature maps doubled": {"maps": 2},
    "two poolings": {"pools": 2},
    "dropout": {"dropout": 0.5},
}
"""The slides' normal model and its five variants, as options of `models.patch_resnet`."""
REGULARIZATIONS = ("early stopping", "none", "L2", "dropout")
DROPOUT = 0.5  # where it is studied against overfitting
MODEL = "model.keras"  # in the folder of a unit with the base setting
_VARIED = ("network", "structure", "contrast", "cropping", "share", "regularization", "training")
_LEARNED = ("epochs", "batch_size", "precision", "learning_rate", "patience", "l2")
_NETWORK = ("width", "blocks", "cnn_dropout")
_FROZEN = ("frozen_network", "frozen_weights", "frozen_width", "frozen_side")
_TUNED = ("tuned_stages", "tuned_rate", "tuned_dropout")


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units.

    In each fold and for each magnification: the base setting; with all else as there every contrast, structure,
    cropping, regularization and share of the training patients; every other method on raw images. ``grid`` adds all
    combinations of contrast, structure and cropping. The contrasts are trained ``trainings`` times, from other initial
    weights and with the same patients and patches.

    Raises
    ------
    ValueError
        A contrast, structure, cropping, regularization or network that there is not; a share that is not above 0 and at
        most 1; a dropout that is not from 0 to below 1.
    """
    base = {"network": OURS, "share": 1.0, "regularization": REGULARIZATIONS[0], "training": 0}
    base |= {name: parameters[f"base_{name}"] for name in ("structure", "contrast", "cropping")}
    lists = {name: [base[name], *parameters[f"{name}s"]]
             for name in ("contrast", "structure", "cropping", "share", "regularization")}  # fmt: skip
    _check(lists, parameters["networks"], {name: parameters[name] for name in ("cnn_dropout", "tuned_dropout")})
    chosen = [base | {name: value} for name, values in lists.items() for value in values]
    again = range(1, parameters["trainings"])
    chosen += [base | {"contrast": value, "training": k} for k in again for value in lists["contrast"]]
    if parameters["grid"]:
        chosen += [base | {"contrast": a, "structure": b, "cropping": c} for a in lists["contrast"]
                   for b in lists["structure"] for c in lists["cropping"]]  # fmt: skip
    uncut = (*_CRAFTED, "CNN on whole images")
    chosen += [base | {"network": name, "structure": "", "contrast": "raw", "cropping": WHOLE if name in uncut else
                       base["cropping"]} for name in parameters["networks"]]  # fmt: skip
    known = dict.fromkeys(tuple(one[name] for name in _VARIED) for one in chosen)
    shared = {name: parameters[name] for name in (*DATA, *CUT, *_LEARNED, *_NETWORK, *_FROZEN, *_TUNED, "whole_size")}
    shared["blocks"] = " ".join(map(str, parameters["blocks"]))
    saved = tuple(base[name] for name in _VARIED)
    places = [(fold, k) for fold in parameters["folds"] for k in parameters["magnifications"]]
    return [dict(zip(_VARIED, one)) | {"magnification": k, "fold": fold, "saved": one == saved} | shared
            for fold, k in places for one in known]  # fmt: skip


def group(settings: Mapping) -> str:
    """Networks of one structure, cropping and magnification: one process, so that one network is compiled once."""
    kind = "earlier" if settings["network"] != OURS else f"{settings['structure']}-{settings['cropping']}"
    return f"{_plain(kind)}-fold{settings['fold']}-{settings['magnification']}x"


def method(settings: Mapping) -> str:
    """What tells the settings of units apart, the fold left out; the name of their rows in tables of predictions."""
    parts = [settings[name] for name in ("network", "structure", "contrast", "cropping") if settings[name]]
    parts += [settings["regularization"]] if settings["regularization"] != REGULARIZATIONS[0] else []
    parts += [f"{100 * settings['share']:g} % of the patients"] if settings["share"] < 1 else []
    parts += [f"training {settings['training'] + 1}"] if settings["training"] else []
    return ", ".join([*parts, f"{settings['magnification']}x"])


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return f"{_plain(method(settings))}-fold{settings['fold']}"


def fingerprint(settings: Mapping) -> str:
    """Of the images that a unit learns from and is tested on."""
    return dataset(settings).fingerprint


def untrained(settings: Mapping):
    """The network, untrained; the same at every call."""
    from histolib import models, reproducibility
    from histolib.models.patch_resnet import NATIVE
    from histolib.training import augmentation

    reproducibility.seed(_seed(settings) + settings["fold"])
    size, augment = side(settings), augmentation.Dihedral(_seed(settings))
    if settings["network"] == TUNED:
        return _tuned(settings, augment)
    if settings["network"] != OURS:
        return models.magnification_cnn(
            1, (size, size, 3), width=settings["width"], dropout=settings["cnn_dropout"], augment=augment
        )
    heeded = _heeded(settings)
    options = STRUCTURES[settings["structure"]] | ({"dropout": DROPOUT} if heeded == "dropout" else {})
    # Rounded up, so that no patch of the slides' 128 pixels is reduced and each of 256 is halved at every scale.
    native = math.ceil(NATIVE * settings["scale"])
    return models.patch_resnet(
        size, width=settings["width"], blocks=[int(count) for count in settings["blocks"].split()], augment=augment,
        l2=settings["l2"] if heeded == "L2" else 0.0, native=native, **options,
    )  # fmt: skip


def longer(settings: Mapping, name: str) -> int:
    """``epochs`` or ``patience`` of a unit, more where it learns from a share of the patients only.

    A pass over half of the patients has half of the steps: passes as they are, fewer patients would mean less training.
    """
    return round(settings[name] / settings["share"])


def rate(settings: Mapping) -> float:
    """Learning rate of a unit: what is learned already changes in smaller steps."""
    return settings["tuned_rate" if settings["network"] == TUNED else "learning_rate"]


def compute(settings: Mapping) -> Result:
    """Train one network, or fit one of the other methods, and predict the patches of all test images."""
    if settings["network"] in _CRAFTED:
        return _crafted(settings)
    return _frozen(settings) if settings["network"] == "DeCAF" else _trained(settings)


def train(network, settings: Mapping, patches, labels, validation):
    """Train a network for patches, the base network or another one.

    Parameters
    ----------
    network
        From `untrained`; trained in place.
    settings
        Of a unit.
    patches, labels
        Of the training part, uint8 (N, H, W, 3) and (N,).
    validation
        Patches and labels; with early stopping their loss decides which epoch's weights are kept.

    Returns
    -------
    training.Fit, and the number of the epoch whose weights it has
    """
    import keras

    from histolib import training

    early = settings["regularization"] == "early stopping"
    epochs, patience = longer(settings, "epochs"), longer(settings, "patience")
    stop = keras.callbacks.EarlyStopping(
        patience=patience, restore_best_weights=True
    )  # fmt: skip
    fit = training.fit(
        network, patches, labels, validation, epochs, settings["batch_size"],
        loss="categorical_crossentropy", callbacks=[stop] if early else [],
        optimizer=keras.optimizers.Adam(rate(settings)),
        seed=_seed(settings), say=None, reuse=_architecture(settings),
        execution=training.Execution(settings["precision"]),
    )  # fmt: skip
    return fit, stop.best_epoch + 1 if early else len(fit.history)


def _trained(settings: Mapping) -> Result:
    """A network, trained, and its answers to the patches of all test images."""
    from histolib import training

    (learned, rows), (check, checked), (test, tested) = sides(settings)
    validation = check, checked["label"].to_numpy()
    fit, kept = train(untrained(settings), settings, learned, rows["label"].to_numpy(), validation)
    facts = {"training seconds": round(fit.seconds, 2), "epochs run": len(fit.history),
             "epoch kept": kept, "parameters": fit.model.count_params()}  # fmt: skip
    writers = [lambda folder: fit.model.save(folder / MODEL)] if settings["saved"] else []
    given = training.predict(fit.model, test)
    return Result(_patch_rows(settings, tested, given), {"history": fit.history}, facts | _counts(rows), writers)


def _tuned(settings: Mapping, augment):
    """EfficientNet-Lite0 with ImageNet weights, its last stages unfrozen; on top average pooling, dropout, softmax."""
    import keras

    from histolib import models

    shape, reduced = (side(settings), side(settings), 3), settings["frozen_side"]
    backbone = models.backbone("efficientnet_lite0", 1.0, "imagenet", (reduced, reduced, 3))
    models.unfreeze(backbone, settings["tuned_stages"])
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # so few batches tell means and deviations worse than ImageNet did
    top = keras.Sequential([
        keras.Input(backbone.output.shape[1:]), keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(settings["tuned_dropout"]), keras.layers.Dense(2, activation="softmax"),
    ], name="softmax")  # fmt: skip
    return models.transfer(backbone, top, shape, augment, side=reduced)


def _frozen(settings: Mapping) -> Result:
    """What a network that learned elsewhere gives, left as it is, and a logistic regression on it."""
    from histolib import training
    from histolib.descriptors import classifiers

    (learned, rows), (check, checked), (test, tested) = sides(settings)
    name, weights, width, reduced = (settings[key] for key in _FROZEN)
    encode = frozen.encoder(side(settings), reduced, name, weights, width)
    learned = np.concatenate([training.predict(encode, learned), training.predict(encode, check)])
    rows = pd.concat([rows, checked])
    labels, patients = rows["label"].to_numpy(), rows["patient"].to_numpy(object)
    model = classifiers.fit("logistic", learned, labels, patients, settings["seed"], workers=1)
    given = model.predict_proba(training.predict(encode, test))
    facts = {"parameters": learned.shape[1] + 1, "chosen": f"C={model.best_['C']:g}"}
    return Result(_patch_rows(settings, tested, given), {}, facts | _counts(rows))


def _crafted(settings: Mapping) -> Result:
    """A classifier on a hand-crafted descriptor of whole images."""
    from histolib.descriptors import comparison

    descriptor, classifier = _CRAFTED[settings["network"]]
    table, (train, check, test) = images_of(settings), parts(settings)
    learned = np.sort(np.concatenate([train, check]))
    found, times = comparison.compare(
        treated(settings), table, learned, test, (descriptor,), (classifier,), settings["seed"], settings["fold"],
        method(settings), workers=1,
    )  # fmt: skip
    rows = table.iloc[learned].assign(patch_id=lambda t: t["image_id"] + "/0")
    facts = {"chosen": times["chosen"].iloc[0]} | _counts(rows)
    return Result(found.assign(patch_id=found["image_id"] + "/0"), {}, facts)


def _patch_rows(settings: Mapping, rows: pd.DataFrame, given: np.ndarray) -> pd.DataFrame:
    from histolib.metrics import predictions

    table = predictions.table(method(settings), rows, given, settings["fold"])
    return table.assign(patch_id=rows["patch_id"].to_numpy())


def _counts(rows: pd.DataFrame) -> dict:
    """Patches and patients learned from, and the share of the malignant among the patches: the sum rule's prior."""
    return {"patches": len(rows), "training patients": int(rows["patient"].nunique()),
            "malignant share": round(float(rows["label"].mean()), 6)}  # fmt: skip


def _seed(settings: Mapping) -> int:
    """Of initial weights, order and augmentation: another one in each training, patients and patches the same."""
    return settings["seed"] + 1000 * settings["training"]


def _heeded(settings: Mapping) -> str:
    """The regularization, if the network itself is another for it."""
    return settings["regularization"] if settings["regularization"] in ("L2", "dropout") else ""


def _architecture(settings: Mapping) -> tuple:
    """What networks must have in common so that one can be compiled for all."""
    names = ("network", "structure", "scale", "whole_size", "l2", *_NETWORK, "frozen_side", *_TUNED)
    return ("patches", *(settings[name] for name in names), _heeded(settings), side(settings))


def _check(lists: Mapping[str, list], networks: list, dropouts: Mapping[str, float]) -> None:
    known = {"contrast": contrast.TREATMENTS, "structure": STRUCTURES, "cropping": CROPPINGS,
             "regularization": REGULARIZATIONS, "network": EARLIER}  # fmt: skip
    for name, allowed in known.items():
        for value in {**lists, "network": networks}[name]:
            if value not in allowed:
                raise ValueError(f"{name} {value!r}: expected one of {', '.join(allowed)}")
    for share in lists["share"]:
        if not 0 < share <= 1:
            raise ValueError(f"share {share}: expected a number above 0 and at most 1")
    for name, dropout in dropouts.items():
        if not 0 <= dropout < 1:
            raise ValueError(f"{name}={dropout}: expected a number from 0 to below 1")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def base(found: Gathered, **settings) -> dict:
    """Settings and facts of the unit with the base setting, of the first fold and magnification or those asked for."""
    units = found.units[found.units["saved"]]
    for name, value in settings.items():
        units = units[units[name] == value]
    return units.iloc[0].to_dict()


def network(unit: Mapping):
    """The trained network of a unit with the base setting."""
    import keras

    from histolib.training import augmentation  # noqa: F401 - their layers are registered on import

    return keras.saving.load_model(Path(unit["folder"]) / MODEL)


def localized(unit: Mapping, rows: pd.DataFrame, overlap: float = 0.75) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Test images beside the probability of class 1 at each place, the mean over the windows that cover it.

    Parameters
    ----------
    unit
        A unit with the base setting, from `base`.
    rows
        Images: ``image_id`` and ``y_true``.
    overlap
        Of the windows; the more, the smoother the map.

    Returns
    -------
    dict
        Name of the class and the image's number to image, uint8 (H, W, 3), and map, float (H, W).
    """
    from histolib import training

    manifest, found, model = images_of(unit), {}, network(unit)
    for row in rows.itertuples():
        at = int(np.flatnonzero(manifest["image_id"] == row.image_id)[0])
        places = patches.sliding_positions(shape(unit), side(unit), overlap)
        cut = patches.cut(treated(unit)[at], places, side(unit))
        values = patches.assemble(training.predict(model, cut)[:, 1], places, shape(unit), side(unit))
        name = f"{dataset(unit).classes[row.y_true]}\n{manifest['patient'][at]}"
        found[name] = dataset(unit).images(shape(unit), [manifest["at"][at]])[0], values
    return found
