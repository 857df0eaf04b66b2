"""Images and patches of the patch chapter: what a unit's settings make of the data set, nothing of it trained.

Imports no network library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.images import contrast, patches
from histolib.metrics import splits
from studybook import twins

CROPPINGS = {
    "random 256": {"size": 256, "how": "random"},
    "random 64": {"size": 64, "how": "random"},
    "sliding 128": {"size": 128, "how": "sliding"},
    "sliding 64": {"size": 64, "how": "sliding"},
    "resized 128": {"size": 128, "how": "random"},
}
"""The four ways to cut of the slides, as settings of `patches.table`, and the fifth that they name and show no result
of: not to cut but to shrink the image to the square that the network takes. Overlap and number are not in them."""
RESIZED = "resized 128"
WHOLE = "whole"  # cropping of those that see an image uncut
TILE, SIGMA = 32, 8.0  # of `contrast.treatment`, pixels of an image that is not shrunk
SETS = ("data", "patients", "data_seed", "difficulty", "damaged")
DATA = (*SETS, "split", "seed", "scale", "validation")
CUT = ("overlap", "crops")


def dataset(settings: Mapping) -> datasets.Dataset:
    """The set as a unit uses it, all magnifications."""
    return _load(*(settings[name] for name in SETS))


def images_of(settings: Mapping) -> pd.DataFrame:
    """Rows of the set at the unit's magnification; the index counts them, ``at`` is the position in the set."""
    table = dataset(settings).table
    chosen = np.flatnonzero(table["magnification"] == settings["magnification"])
    return table.iloc[chosen].assign(at=chosen).reset_index(drop=True)


def parts(settings: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test images among `images_of`.

    The test side is the fold's. Of its other patients some decide when to stop, whatever the contrast, structure or
    cropping; the rest trains, or of each class the first ones in a random order, so that a smaller share is part of a
    larger one.

    Raises
    ------
    ValueError
        If the training or the test side has no image of a class at this magnification.
    """
    table = images_of(settings)
    _, tested = splits.of_fold(dataset(settings).table, settings["fold"], settings["split"])
    test = table["at"].isin(tested).to_numpy()
    _check_side(settings, table[~test], "training")
    _check_side(settings, table[test], "test")
    labels, patients, rest = table["label"].to_numpy(), table["patient"].to_numpy(object), np.flatnonzero(~test)
    train, check = splits.two_parts(labels[rest], patients[rest], settings["validation"], seed=settings["seed"])
    train, check = rest[train], rest[check]
    _check_side(settings, table.iloc[train], "training")
    kept = _first(labels[train], patients[train], settings["share"], settings["seed"])
    return train[np.isin(patients[train], kept)], check, np.flatnonzero(test)


def shape(settings: Mapping) -> tuple[int, int]:
    """Height and width in pixels to which images are shrunk."""
    if settings["cropping"] == RESIZED:
        return side(settings), side(settings)
    return tuple(round(settings["scale"] * side) for side in dataset(settings).shape)


def side(settings: Mapping) -> int:
    """Side in pixels of what a network is given."""
    if settings["cropping"] == WHOLE:
        return settings["whole_size"]
    return round(settings["scale"] * CROPPINGS[settings["cropping"]]["size"])


def treating(settings: Mapping) -> dict:
    """Options of `contrast.treatment` that fit images shrunk by ``scale``."""
    return {"tile": max(2, round(TILE * settings["scale"])), "sigma": SIGMA * settings["scale"]}


def treated(settings: Mapping) -> np.ndarray:
    """All images at the unit's magnification, shrunk, with the contrast treated as the training images tell."""
    keys = (*DATA, "contrast", "magnification", "fold")
    # Where nothing is learned from the training images, their number is all one.
    share = settings["share"] if "whitening" in contrast.TREATMENTS[settings["contrast"]] else 1.0
    return _treated(**{name: settings[name] for name in keys}, share=share, size=shape(settings))


def windows(settings: Mapping) -> pd.DataFrame:
    """All patches of the images of `images_of`, as `patches.table` lists them, the same in every fold.

    ``learned`` tells those from which a network learns if the image is on the training side: ``crops`` of each image,
    however many windows there are, so that every cropping trains as long. ``tested`` tells those that are predicted if
    it is on the test side: all windows, or as many random patches as a window of that side has places, so that random
    patches and windows of one side have equally many votes.
    """
    keys = (*SETS, *CUT, "seed", "scale", "cropping", "magnification")
    return _windows(**{name: settings[name] for name in keys})


def sides(settings: Mapping) -> list[tuple]:
    """Images, cut when they are asked for, and their rows: to learn from, to stop by, and to be tested on."""
    three = parts(settings)
    if settings["cropping"] == WHOLE:
        table = images_of(settings).assign(patch_id=lambda t: t["image_id"] + "/0")
        images = dataset(settings).images(settings["whole_size"], table["at"].to_numpy(), crop="center")
        return [(images[rows], table.iloc[rows]) for rows in three]
    images, table = treated(settings), windows(settings)
    chosen = [table[table["image"].isin(rows)] for rows in three]
    chosen = [rows[rows[use]] for rows, use in zip(chosen, ("learned", "learned", "tested"), strict=True)]
    return [(patches.Cut(images, rows), rows) for rows in chosen]


def places(settings: Mapping, image: int, croppings: Sequence[str]) -> dict[str, tuple[np.ndarray, int]]:
    """Where patches of one tested image of `images_of` lie, for several croppings; fit for `figures.windows`."""
    found = {}
    for name in croppings:
        one = dict(settings) | {"cropping": name}
        rows = windows(one)
        found[name] = rows.loc[(rows["image"] == image) & rows["tested"], ["row", "column"]].to_numpy(), side(one)
    return found


def counted(plan: Sequence[Mapping]) -> pd.DataFrame:
    """Patients and images on the three sides of each fold and magnification of a plan, base setting.

    Returns
    -------
    DataFrame
        Index ``fold, magnification``; columns side, then class: ``patients (images)``, as text.
    """
    rows = {}
    for one in (one for one in plan if one["saved"]):
        table, names = images_of(one), dataset(one).classes
        for side_name, at in zip(("training", "validation", "test"), parts(one), strict=True):
            for k, name in enumerate(names):
                chosen = table.iloc[at][table["label"].iloc[at] == k]
                place = rows.setdefault((f"fold {one['fold']}", f"{one['magnification']}×"), {})
                place[side_name, name] = f"{chosen['patient'].nunique()} ({len(chosen)})"
    return pd.DataFrame(rows).T


def _check_side(settings: Mapping, rows: pd.DataFrame, name: str) -> None:
    missing = [word for k, word in enumerate(dataset(settings).classes) if k not in set(rows["label"])]
    if missing:
        raise ValueError(
            f"fold {settings['fold']} ({settings['split']}), {settings['magnification']}x: {len(rows)} images of "
            f"{rows['patient'].nunique()} patients on its {name} side and none that is {' or '.join(missing)}; "
            "choose other magnifications, or more patients"
        )


def _first(labels: np.ndarray, patients: np.ndarray, share: float, seed: int) -> list:
    """Of each class the first patients in a random order, at least one."""
    rng, kept = np.random.default_rng(seed), []
    for k in np.unique(labels):
        order = rng.permutation(np.unique(patients[labels == k]))
        kept += order[: max(1, round(share * len(order)))].tolist()
    return kept


@lru_cache(maxsize=2)
def _treated(size: tuple[int, int], **settings) -> np.ndarray:
    pixels = dataset(settings).images(size, images_of(settings)["at"].to_numpy())
    treatment = contrast.treatment(settings["contrast"], **treating(settings))
    return treatment.fit(pixels[parts(settings)[0]], settings["seed"]).transform(pixels)


@lru_cache(maxsize=2)
def _windows(**settings) -> pd.DataFrame:
    how, count = CROPPINGS[settings["cropping"]]["how"], settings["crops"]
    manifest, size = images_of(settings), side(settings)
    votes = len(patches.sliding_positions(shape(settings), size, settings["overlap"]))
    drawn = max(count, votes)
    table = patches.table(manifest, shape(settings), size, how, settings["overlap"], drawn, settings["seed"])
    each = len(table) // max(1, len(manifest))
    rng = np.random.default_rng(settings["seed"])
    order = np.concatenate([np.empty(0, np.int64), *(rng.permutation(each) for _ in range(len(manifest)))])
    number = np.tile(np.arange(each), len(manifest))
    return table.assign(learned=order < count, tested=number < votes)


@lru_cache
def _load(data, patients, seed: int, difficulty: float, damaged: str) -> datasets.Dataset:
    root = data or twins.folder("breakhis", patients, seed, difficulty)
    return datasets.load("breakhis", root, data and patients, seed, damaged)
