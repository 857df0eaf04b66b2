"""The matrix: every method on every data set, by one protocol; one unit is one method, set, fold and seed.

Patients are divided into parts once for each set, whatever the method and its seed; one part is tested on, a share of
the other patients stops the training and gives the threshold. Planning imports no network library.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from histolib import datasets
from histolib.metrics import splits
from studybook import twins
from studybook.comparison import names
from studybook.engine.units import Result
from studybook.papers.idc_transfer.study import threshold

# The question that every set is asked, as the classes of the set that count as class 1; the others are class 0.
POSITIVE = {"bach": (2, 3)}
QUESTIONS = {
    "idc": "carcinoma in the patch",
    "bach": "carcinoma (in situ or invasive)",
    "breakhis": "malignant tumor",
}
_DATA = ("data", "set", "patients", "data_seed", "difficulty", "damaged", "per_patient")
_PARTS = ("parts", "fold", "validation_share", "split_seed")
_LITE, _DEEP = ("lite_side",), ("epochs", "patience", "batch_size", "precision")
# Of the parameters those that a method depends on, beside the data, the division and the seed.
_OWN = {
    names.CRAFTED: ("limit", "crafted"),
    names.FROZEN: ("limit", *_LITE),
    names.TABLE: ("limit", "features_table"),
    names.BOOSTED: ("crops", "augmentations", *_LITE),
    names.TUNED: (*_DEEP, *_LITE),
    names.MAGNIFICATION: (*_DEEP, "width"),
    names.PATCHES: (*_DEEP, "width", "patch", "crops"),
} | {kind: _DEEP for kind in names.TRAINED[:1]}


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units, set by set; a method that no seed changes is fitted with the first seed alone.

    Raises
    ------
    ValueError
        Names the parameter: a set or a row that there is not, sides that are not one for each set, no seed, a fold
        that the parts do not have.
    """
    _check(parameters)
    methods = [(kind, "") for kind in names.ROWS if kind not in parameters["without"]]
    methods += [(names.TUNED, blocks) for blocks in parameters["blocks"]]
    found = []
    for name in parameters["sets"]:
        own = methods + (
            [(names.TABLE, "")] if parameters["features_table"] and name == parameters["features_set"] else []
        )
        for fold in parameters["folds"]:
            for kind, blocks in own:
                for seed in parameters["seeds"] if kind in names.RANDOM else parameters["seeds"][:1]:
                    found.append(_unit(parameters, name, fold, kind, blocks, seed))
    return found


def group(settings: Mapping) -> str:
    """Processes: one for each set."""
    return settings["set"]


def method(settings: Mapping) -> str:
    """Name of the method as a reader sees it."""
    blocks = settings.get("blocks")
    return settings["kind"] + (f", {f'last {blocks}' if blocks != 'all' else 'all'} blocks" if blocks else "")


def label(settings: Mapping) -> str:
    """Name of a unit."""
    parts = [settings["set"], method(settings), f"fold{settings['fold']}", f"seed{settings['seed']}"]
    return re.sub(r"[^\w-]+", "-", "-".join(parts))


def fingerprint(settings: Mapping) -> str:
    """Of the images that a unit learns from and is tested on, and of the features that a reader brings."""
    found = dataset(settings).fingerprint
    if settings["kind"] != names.TABLE:
        return found
    import hashlib
    from pathlib import Path

    return f"{found}-{hashlib.sha256(Path(settings['features_table']).read_bytes()).hexdigest()}"


def drawn(parameters: Mapping) -> list[str]:
    """Those of the chapter's sets that its data folder does not hold, so that their twins are used."""
    there = _there(parameters["data"]) if parameters["data"] else ()
    return [name for name in parameters["sets"] if name not in there]


def dataset(settings: Mapping) -> datasets.Dataset:
    """A set as a unit uses it: with two classes, and of each patient at most ``per_patient`` images."""
    return _load(*(settings[name] for name in _DATA))


def parts(settings: Mapping) -> splits.Parts:
    """Positions of the images to learn from, to stop and to choose the threshold by, and to be tested on."""
    found = dataset(settings)
    labels, patients = found.labels, found.patients
    division = splits.folds(labels, patients, settings["parts"], "patient", settings["split_seed"])
    rest, test = list(division)[settings["fold"]]
    share = settings["validation_share"]
    train, check = splits.two_parts(labels[rest], patients[rest], share, "patient", settings["split_seed"])
    return splits.Parts(rest[train], rest[check], test)


def compute(settings: Mapping) -> Result:
    """Fit one method, choose its threshold on the validation part, and predict the test part.

    The predictions have three more columns: ``set``, ``seed`` and ``threshold``.
    """
    from histolib import reproducibility
    from histolib.metrics import predictions
    from studybook.comparison import methods

    found, rows = dataset(settings), parts(settings)
    reproducibility.seed(settings["seed"])
    made = methods.make(settings)
    start = time.perf_counter()
    made.fit(found, rows.train, rows.validation)
    seconds = time.perf_counter() - start
    checked = made.predict(found, rows.validation)
    start = time.perf_counter()
    tested = made.predict(found, rows.test)
    taken = time.perf_counter() - start
    rate = round(len(tested) / taken) if taken > 0.001 else None  # shorter times are the clock's
    at = round(threshold(found.labels[rows.validation], checked), 6)
    table = predictions.table(
        f"{settings['set']}: {method(settings)}", found.table.iloc[rows.test], tested, settings["fold"]
    )
    facts = {"weights": made.weights, "fit seconds": round(seconds, 2), "images per second": rate}
    facts |= {"images": len(rows.train), "test patients": len(np.unique(found.patients[rows.test]))}
    return Result(table.assign(set=settings["set"], seed=settings["seed"], threshold=at), facts=facts)


def _check(parameters: Mapping) -> None:
    if unknown := sorted({*parameters["without"]} - {*names.ROWS}):
        raise ValueError(f"without: {', '.join(unknown)}; expected some of {', '.join(names.ROWS)}")
    left = len({*names.ROWS} - {*parameters["without"]}) + len(parameters["blocks"])
    if left < 2:
        raise ValueError(f"without={parameters['without']}: leaves {left} rows; expected at least two to compare")
    if wrong := sorted({*parameters["sets"]} - {*twins.NAMES}):
        raise ValueError(f"sets: {', '.join(wrong)}; expected some of {', '.join(twins.NAMES)}")
    for key in ("sides", "patients"):
        if len(parameters[key]) != len(parameters["sets"]):
            raise ValueError(f"{key}={parameters[key]}: expected one for each of sets, {', '.join(parameters['sets'])}")
    if not parameters["seeds"]:
        raise ValueError("seeds=[]: expected at least one")
    if not parameters["folds"] or not {*parameters["folds"]} <= {*range(parameters["parts"])}:
        raise ValueError(
            f"folds={parameters['folds']}: expected some of 0 to {parameters['parts'] - 1}, as parts has it"
        )


def _unit(parameters: Mapping, name: str, fold: int, kind: str, blocks: str, seed: int) -> dict:
    known = {"set": name, "kind": kind, "fold": fold, "seed": seed}
    of_set = parameters["sets"].index(name)
    known |= {"side": parameters["sides"][of_set], "patients": parameters["patients"][of_set]}
    wanted = [*_DATA, *_PARTS, *_OWN.get(kind, ("limit",))]
    known = {key: parameters[key] for key in wanted if key in parameters} | known
    known["data"] = None if name in drawn(parameters) else parameters["data"]
    if "crafted" in known:
        known["crafted"] = " ".join(known["crafted"])
    return known | ({"blocks": blocks} if blocks else {})


@lru_cache
def _there(data: str) -> tuple[str, ...]:
    return datasets.available(data)


@lru_cache
def _load(data, name, patients, data_seed, difficulty, damaged, per_patient) -> datasets.Dataset:
    root = data or twins.folder(name, patients or None, data_seed, difficulty)
    found = datasets.load(name, root, patients or None if data else None, data_seed, damaged)
    table = found.table
    if name in POSITIVE:
        table = table.assign(label=table["label"].isin(POSITIVE[name]).astype(int))
    if per_patient:
        order = table.sample(frac=1, random_state=data_seed).groupby("patient").head(per_patient).index
        table = table.loc[sorted(order)].reset_index(drop=True)
    return replace(found, table=table, classes=("no", "yes") if name in POSITIVE else found.classes)
