"""One data set made ready for many cheap fits: its images described once, in all the ways that the audit needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.datasets import mammograms
from studybook import twins

TISSUE = ("idc", "bach", "breakhis")
WIDTH = 256  # numbers that describe an image, see `described`
LEAST = 0.45  # share of the smaller class above which there is nothing to oversample
# By which columns results are told apart, where a set has them.
SUBGROUPS = {
    "magnification": "magnification", "tumor_type": "tumor type", "density": "density", "tissue": "density",
    "view": "view", "abnormality": "abnormality",
}  # fmt: skip


@dataclass(frozen=True)
class Material:
    """A set, described.

    Attributes
    ----------
    table
        Rows of the set that are used: ``image_id, label`` (0 or 1), ``patient`` (all that must stand on one side of an
        honest split), ``slide`` and ``lesion`` (where the set tells them apart), and `SUBGROUPS`.
    features
        Name to numbers of each image, (N, D): what a frozen network says (``network``) of the image as it is, of it
        with other stain (``shifted``), normalized (``normalized``), both (``both``), with stains varied at random
        (``jittered``); its ``colors``; its acquisition ``traits``.
    blends
        The same of images that SMOTE made of the whole set, (M, D), M = 0 where it has nothing to do.
    parents
        Positions of the two images that each was blended of, (M, 2); the first one's patient counts as its patient.
    """

    table: pd.DataFrame
    features: Mapping[str, np.ndarray]
    blends: np.ndarray
    parents: np.ndarray


def dataset(settings: Mapping) -> datasets.Dataset:
    """The set of a unit."""
    return _load(*(settings[name] for name in ("set", "data", "patients", "data_seed", "difficulty", "window")))


@lru_cache
def _load(name, data, patients, data_seed, difficulty, window) -> datasets.Dataset:
    root = data or twins.folder(name, patients, data_seed, difficulty)
    chosen = patients if data else None
    loaded = datasets.load(name, root, chosen, data_seed)
    return loaded if name in TISSUE else mammograms.windowed(loaded, window)


def rows(found: datasets.Dataset, most: int, seed: int) -> np.ndarray:
    """Positions of the images that are used: of every patient at most so many, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(found.table))
    place = pd.Series(found.patients[order]).groupby(found.patients[order]).cumcount().to_numpy()
    return np.sort(order[place < most])


def manifest(name: str, found: datasets.Dataset, chosen: np.ndarray) -> pd.DataFrame:
    """The rows that are used, with what must not stand on two sides of a split; see `Material`.

    BACH's classes 2 and 3 are carcinomas. A slide of BreaKHis belongs to whoever has its number; where no two slides
    have one number, as in a twin, each is halved into two that do.
    """
    table = found.table.iloc[chosen].reset_index(drop=True)
    kept = table[["image_id"]].assign(label=table["label"] // 2 if name == "bach" else table["label"])
    kept["patient"] = table["case"] if "case" in table else table["patient"]
    if name == "breakhis":
        kept["slide"] = table["slide"]
        if (table.groupby("case")["slide"].nunique() == 1).all():
            kept["slide"] += table.groupby("slide").cumcount().mod(2).map({0: "", 1: " (second half)"})
    if "abnormality_id" in table:
        kept["lesion"] = table[["patient", "side", "abnormality_id"]].astype(str).agg(" ".join, axis=1)
    for column, title in SUBGROUPS.items():
        if column in table:
            known = table[column]
            kept[title] = known.map("{:g}".format) if pd.api.types.is_numeric_dtype(known) else known.astype(str)
    return kept


def counts(table: pd.DataFrame) -> dict[str, int]:
    """How many images, patients and images of class 1 are used, and how many slides and lesions, from `manifest`."""
    found = {"images": len(table), "patients": table["patient"].nunique(), "of class 1": int(table["label"].sum())}
    return found | {f"{name}s": table[name].nunique() if name in table else 0 for name in ("slide", "lesion")}


def prepared(settings: Mapping) -> Material:
    """Read, describe and alter the images of a set; see `Material`."""
    from histolib.descriptors import color
    from histolib.training import oversampling
    from studybook.audit import traits

    name, found, seed = settings["set"], dataset(settings), settings["seed"]
    chosen = rows(found, settings["images"], settings["data_seed"])
    table = manifest(name, found, chosen)
    side, tissue = settings["side"], name in TISSUE
    images = found.images((side, side), chosen)
    labels = table["label"].to_numpy()
    versions = {"network": images} | (restained(images, settings["shift"], seed) if tissue else {})
    blends, parents = images[:0], np.empty((0, 2), int)
    if tissue and np.bincount(labels).min() < LEAST * len(labels):
        grown, _, parents = oversampling.smote(images, labels, seed, return_parents=True)
        blends = grown[len(images) :]
    values = described({**versions, "blends": blends}, seed)
    made = values.pop("blends")
    values["colors"] = color.rgb_histogram(images).astype(np.float32)
    values["traits"] = traits.measured(found, chosen, images, tissue).to_numpy()
    return Material(table, values, made, parents)


def restained(images: np.ndarray, shift: float, seed: int) -> dict[str, np.ndarray]:
    """Images with other stain, and what is done against that; see `Material`.

    As if another laboratory had stained and scanned them, the densities of red, green and blue are multiplied by
    1 + shift, 1 - shift and 1 + shift / 2: by the law of Beer and Lambert a level of 255 t becomes 255 t to that power.
    """
    from histolib.images import stain

    levels = np.arange(256) / 255
    factors = (1 + shift, 1 - shift, 1 + shift / 2)
    tables = [np.rint(255 * levels**factor).astype(np.uint8) for factor in factors]
    shifted = np.stack([table[images[..., k]] for k, table in enumerate(tables)], axis=-1)
    generator = np.random.default_rng(seed)
    return {
        "shifted": shifted,
        "normalized": np.array([stain.normalize(one) for one in images]),
        "both": np.array([stain.normalize(one) for one in shifted]),
        "jittered": np.array([stain.jitter(one, generator, 1 - shift, 1 + shift) for one in images]),
    }


def described(images: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """What frozen EfficientNet-Lite0 says of images, in `WIDTH` numbers each, float32.

    The means of its last four blocks, 3584 numbers, are brought down by one random projection that knows no image, so
    that nothing is learned before a split.
    """
    from sklearn.random_projection import GaussianRandomProjection

    from histolib import models, training
    from histolib.models import features

    shape = next(iter(images.values())).shape[1:]
    body = models.unfreeze(models.backbone("efficientnet_lite0", input_shape=shape), 0)
    encoder = features.extractor(body, shape, "blocks")
    values = {name: training.predict(encoder, some) for name, some in images.items() if len(some)}
    projection = GaussianRandomProjection(WIDTH, random_state=seed).fit(next(iter(values.values()))[:1])
    empty = np.empty((0, WIDTH), np.float32)
    return {name: projection.transform(values[name]).astype(np.float32) if len(some) else empty
            for name, some in images.items()}  # fmt: skip
