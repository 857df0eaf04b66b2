"""The weights that come with the library: file and sidecar, written together, and their errors checked again."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from histolib import cache, models, training
from histolib.models.backbones import PHANTOM, PHANTOM_WIDTH, save
from studybook.engine import records
from studybook.pretraining import source
from studybook.pretraining.learning import Fit, Scaling, regressor

SCHEMA = 1
_HEADS = ("joined", "joined_scale", "last", "last_scale")


def errors(model: keras.Model, scaling: Scaling, patches: source.Source) -> pd.DataFrame:
    """Error of a regressor on patches.

    Returns
    -------
    DataFrame
        Index ``quantity``; ``joined`` and ``last``: root mean squared error of that head as a share of what
        predicting the mean of the training patches gives, so 1 means that nothing was learned; ``patches``, to which
        the quantity applies.
    """
    wanted = scaling.apply(patches.targets)
    predicted = np.split(training.predict(model, patches.images), 2, axis=1)
    chance = _root_mean_square(wanted)
    found = {name: _root_mean_square(p - wanted) / chance for name, p in zip(("joined", "last"), predicted)}
    index = pd.Index(source.TARGETS, name="quantity")
    return pd.DataFrame(found | {"patches": (~np.isnan(wanted)).sum(0)}, index=index)


def _root_mean_square(values: np.ndarray) -> np.ndarray:
    """Of each column, its NaN left out; NaN for a column of zeros or of nothing."""
    there = np.isfinite(values)
    total = np.square(np.where(there, values, 0)).sum(0, dtype=np.float64)
    return np.sqrt(np.where(total > 0, total, np.nan) / np.maximum(there.sum(0), 1))


def write(fit: Fit, found: pd.DataFrame, facts: dict, folder: Path = PHANTOM) -> Path:
    """Write weights, heads included, and their sidecar; each whole or not at all, the sidecar last.

    Parameters
    ----------
    fit
        A trained regressor.
    found
        `errors` on patches held out.
    facts
        What else the sidecar says: seed, epochs, images ...

    Returns
    -------
    Path
        The weights' file.
    """
    backbone, file = fit.backbone, folder / f"{fit.backbone.name}-phantom.npz"
    heads = {f"{name}/{k}": array for name in _HEADS for k, array in enumerate(fit.model.get_layer(name).get_weights())}
    with cache.atomic_file(file) as part:
        save(backbone, part, **heads, mean=fit.scaling.mean, deviation=fit.scaling.deviation)
    sidecar = {
        "schema": SCHEMA,
        "network": backbone.name,
        "width": PHANTOM_WIDTH,
        "source": source.VERSION,
        "histolib": metadata.version("histolib"),
        "revision": records.revision(),
        **facts,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "errors": {
            name: [round(float(v), 4) for v in row]
            for name, row in zip(found.index, found[["joined", "last"]].to_numpy())
        },
    }
    with cache.atomic_file(file.with_suffix(".json")) as part:
        part.write_text(json.dumps(sidecar, indent=1) + "\n")
    return file


def sidecar(network: str, folder: Path = PHANTOM) -> dict:
    """What is known of shipped weights.

    Raises
    ------
    FileNotFoundError
        If there are none for `network`.
    ValueError
        If the weights are not those that the sidecar was written with.
    """
    file = folder / f"{network}-phantom.npz"
    known = json.loads(file.with_suffix(".json").read_text("utf8"))
    if hashlib.sha256(file.read_bytes()).hexdigest() != known["sha256"]:
        raise ValueError(
            f"{file}: not the weights that {file.stem}.json was written with (SHA-256 differs); make them again"
        )
    return known


def shipped(network: str, folder: Path = PHANTOM) -> tuple[keras.Model, Scaling]:
    """The regressor of a network, heads included, as it was trained, and the scaling of its targets."""
    file = folder / f"{network}-phantom.npz"
    backbone = models.backbone(network, PHANTOM_WIDTH, file)
    model = regressor(models.unfreeze(backbone, 0))
    with np.load(file, allow_pickle=False) as saved:
        for name in _HEADS:
            layer = model.get_layer(name)
            layer.set_weights([saved[f"other/{name}/{k}"] for k in range(len(layer.get_weights()))])
        return model, Scaling(saved["other/mean"], saved["other/deviation"])


def table(networks=models.APPLICATIONS, folder: Path = PHANTOM) -> pd.DataFrame:
    """Errors of the shipped weights' joined heads as their sidecars tell them, one column per network."""
    known = {name: sidecar(name, folder)["errors"] for name in networks}
    return pd.DataFrame(
        {name: pd.Series({q: e[0] for q, e in one.items()}, dtype=float) for name, one in known.items()}
    ).rename_axis("quantity")
