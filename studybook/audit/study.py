"""The same images tested in the right way and in the wrong ways: one unit of work per data set.

Every arm predicts every image once in each of several repetitions of a cross-validation, so that two arms differ in
nothing but the flaw and can be compared on the same patients. Planning imports no network library.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.metrics import splits
from studybook import twins
from studybook.audit import material
from studybook.engine.units import Result

HONEST = "honest"
BY_IMAGE, BY_LESION, BY_SLIDE = "by image", "by lesion", "by slide"
AFTER, BEFORE, BEFORE_BY_IMAGE = "SMOTE after", "SMOTE before", "SMOTE before, by image"
TUNED_HONESTLY, TUNED_ON_TEST = "tuned on validation", "tuned on test"
STOPPED_ON_TEST, NETWORK, TEMPERED = "epoch by test", "network, seed ", "network, tempered"
TRAITS, CONSTANT = "acquisition traits", "larger class"
SHIFTED = {"shifted": "other stain", "both": "other stain, normalized", "jittered": "other stain, learned with jitter"}
NORMALIZED, JITTERED = "normalized", "learned with jitter"
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # strengths of the logistic regression that are tried, and three descriptions
USUAL = 1e-2  # where nothing is tuned
TRIED = ("network", "colors", "traits")
CHECKED = 0.25  # share of a training part that thresholds, epochs, strengths and temperatures are chosen on
_SHARED = (
    "data", "patients", "data_seed", "difficulty", "window", "images", "side", "shift", "folds", "repetitions",
    "epochs", "training_seeds", "hidden", "seed",
)  # fmt: skip


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units: one per set of ``sets``; of real data those that lie below ``data``.

    Raises
    ------
    ValueError
        None of the sets is there.
    """
    there = datasets.available(parameters["data"]) if parameters["data"] else twins.NAMES
    chosen = [name for name in parameters["sets"] if name in there]
    if not chosen:
        raise ValueError(f"sets={parameters['sets']}: none is there; found {', '.join(there) or 'no set'}")
    return [{"set": name} | {key: parameters[key] for key in _SHARED} for name in chosen]


def group(settings: Mapping) -> str:
    """Sections are computed by one process, films by another."""
    return "sections" if settings["set"] in material.TISSUE else "films"


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return settings["set"]


def fingerprint(settings: Mapping) -> str:
    """Of the set."""
    return material.dataset(settings).fingerprint


class Side(NamedTuple):
    """One fold: positions, in the rows that were divided, that are fitted on, chosen on and tested on."""

    fold: int
    fit: np.ndarray
    check: np.ndarray
    test: np.ndarray


def divided(labels: np.ndarray, together: np.ndarray, count: int, seed: int) -> list[Side]:
    """Folds in which all images of one name in `together` stand on one side; a part of each rest to choose on."""
    by = "patch" if len(np.unique(together)) == len(together) else "patient"
    found = []
    for fold, (rest, test) in enumerate(splits.folds(labels, together, count, by, seed)):
        fit, check = splits.two_parts(labels[rest], together[rest], CHECKED, by, seed)
        found.append(Side(fold, rest[fit], rest[check], test))
    return found


class Trial:
    """All arms of one repetition on one set; each is a method that yields fold by fold ``(side, p)``."""

    def __init__(self, made: material.Material, settings: Mapping, repetition: int):
        self.made, self.settings = made, settings
        self.chance = settings["seed"] + 1000 * repetition
        self.labels = made.table["label"].to_numpy()
        self.patients = made.table["patient"].to_numpy(object)
        self.sides = self.divided(self.patients)

    def divided(self, together: np.ndarray) -> list[Side]:
        """Folds of this repetition that keep together what has one name."""
        return divided(self.labels, together, self.settings["folds"], self.chance)

    def logistic(self, values: np.ndarray, sides: list[Side], tested: np.ndarray | None = None, more=None):
        """A plain logistic regression; `tested` are the test images' values if they are others, `more` is learned too.

        Yields each fold with the probabilities of its test part and the threshold of its validation part.
        """
        for side in sides:
            learned, labels = values[side.fit], self.labels[side.fit]
            if more is not None:
                learned, labels = np.vstack([learned, more[side.fit]]), np.tile(labels, 2)
            model = fitted(learned, labels, self.chance)
            yield (
                side,
                answers(model, (values if tested is None else tested)[side.test]),
                self.threshold(side, answers(model, values[side.check])),
            )

    def threshold(self, side: Side, p: np.ndarray) -> float:
        """The threshold of the best balanced accuracy on a validation part."""
        return best_threshold(self.labels[side.check], p)

    def smoted(self, before: bool, by_image: bool) -> Iterator[tuple]:
        """SMOTE on everything and then the split, or in the training part; blends count as of their first parent.

        After a split only blends with both parents in the training part are learned from. Yields the test part's
        blends, too, as positions beyond those of the real images.
        """
        made, count = self.made, len(self.labels)
        labels = np.concatenate([self.labels, self.labels[made.parents[:, 0]]])
        values = np.concatenate([made.features["network"], made.blends])
        if not before:
            for side in self.sides:
                both = np.isin(made.parents, side.fit).all(1)
                fit = np.concatenate([side.fit, count + np.flatnonzero(both)])
                yield side, answers(fitted(values[fit], labels[fit], self.chance), values[side.test]), 0.5
            return
        patients = np.concatenate([self.patients, self.patients[made.parents[:, 0]]])
        together = np.arange(len(labels)) if by_image else patients
        for side in divided(labels, together, self.settings["folds"], self.chance):
            yield side, answers(fitted(values[side.fit], labels[side.fit], self.chance), values[side.test]), 0.5

    def tuned(self) -> Iterator[tuple[str, Side, np.ndarray]]:
        """Descriptions and strengths that are tried; the best on the validation part, and the best on the test part."""
        for side in self.sides:
            tried = []
            for name in TRIED:
                for strength in GRID:
                    values = self.made.features[name]
                    model = fitted(values[side.fit], self.labels[side.fit], self.chance, strength)
                    tried.append([answers(model, values[part]) for part in (side.check, side.test)])
            for arm, part in ((TUNED_HONESTLY, 0), (TUNED_ON_TEST, 1)):
                labels = self.labels[side[2 + part]]
                best = max(tried, key=lambda p: area(labels, p[part]))
                yield arm, side, best[1]

    def network(self) -> Iterator[tuple[str, Side, np.ndarray]]:
        """A small network on the frozen one: its epoch chosen on the validation part, for several seeds, or on the test
        part, for the first; and that of the first seed with a temperature fitted to the validation part."""
        for k, seed in enumerate(self.settings["training_seeds"]):
            for side in self.sides:
                epochs = self.trained(side, seed)
                check, test = (self.labels[part] for part in (side.check, side.test))
                chosen, told = max(epochs, key=lambda p: accuracy(check, p[0]))
                yield f"{NETWORK}{seed}", side, told
                if k == 0:
                    yield STOPPED_ON_TEST, side, max(epochs, key=lambda p: accuracy(test, p[1]))[1]
                    yield TEMPERED, side, tempered(told, temperature(check, chosen))

    def trained(self, side: Side, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Probabilities of the validation and of the test part after each epoch."""
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import StandardScaler

        values, labels = self.made.features["network"], self.labels
        scaler = StandardScaler().fit(values[side.fit])
        parts = [scaler.transform(values[part]) for part in (side.fit, side.check, side.test)]
        model = MLPClassifier((self.settings["hidden"],), batch_size=min(32, len(side.fit)), random_state=seed)
        found = []
        for _ in range(self.settings["epochs"]):
            model.partial_fit(parts[0], labels[side.fit], classes=[0, 1])
            found.append(tuple(answers(model, part) for part in parts[1:]))
        return found

    def traits(self) -> Iterator[tuple]:
        """A random forest on acquisition traits alone."""
        from sklearn.ensemble import RandomForestClassifier

        values = self.made.features["traits"]
        for side in self.sides:
            forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=self.chance, n_jobs=1)
            yield side, answers(forest.fit(values[side.fit], self.labels[side.fit]), values[side.test]), 0.5

    def constant(self) -> Iterator[tuple]:
        """The training part's share of class 1, whatever is shown."""
        for side in self.sides:
            yield side, np.full(len(side.test), self.labels[side.fit].mean()), 0.5

    def arms(self) -> Iterator[pd.DataFrame]:
        """Rows of every arm that the set allows, honest ones first."""
        made, features = self.made, self.made.features
        table, plain = made.table, features["network"]
        yield from self.rows(HONEST, self.logistic(plain, self.sides))
        yield from self.rows(TRAITS, self.traits())
        yield from self.rows(CONSTANT, self.constant())
        ways = {BY_IMAGE: "image_id", BY_LESION: "lesion", BY_SLIDE: "slide"}
        for arm, column in ways.items():
            if column in table and len(np.unique(self.patients)) < len(table):
                yield from self.rows(arm, self.logistic(plain, self.divided(table[column].to_numpy(object))))
        if len(made.blends):
            for arm, how in {AFTER: (False, False), BEFORE: (True, False), BEFORE_BY_IMAGE: (True, True)}.items():
                yield from self.rows(arm, self.smoted(*how))
        for arm, side, p in (*self.tuned(), *self.network()):
            yield from self.rows(arm, [(side, p, 0.5)])
        if "shifted" in features:
            normalized, jittered = features["normalized"], features["jittered"]
            yield from self.rows(NORMALIZED, self.logistic(normalized, self.sides))
            yield from self.rows(JITTERED, self.logistic(plain, self.sides, more=jittered))
            yield from self.rows(SHIFTED["shifted"], self.logistic(plain, self.sides, features["shifted"]))
            yield from self.rows(SHIFTED["both"], self.logistic(normalized, self.sides, features["both"]))
            yield from self.rows(
                SHIFTED["jittered"], self.logistic(plain, self.sides, features["shifted"], more=jittered)
            )

    def rows(self, arm: str, folds) -> Iterator[pd.DataFrame]:
        """Predictions of an arm, three digits of a probability; of the honest arm also both kinds of threshold."""
        known = self.made.table[["image_id", "patient", "label"]]
        parents = self.made.parents[:, 0]
        blends = known.iloc[parents].assign(image_id=[f"blend {k}" for k in range(len(parents))])
        known = pd.concat([known, blends], ignore_index=True)
        for side, p, threshold in folds:
            part = known.iloc[side.test]
            found = pd.DataFrame({
                "method": f"{self.settings['set']}: {arm}", "fold": side.fold,
                "image_id": part["image_id"].to_numpy(), "patient": part["patient"].to_numpy(),
                "y_true": part["label"].to_numpy(np.int64), "p_0": np.round(1 - p, 3), "p_1": np.round(p, 3),
                "seed": self.chance, "threshold": round(threshold, 3),
            })  # fmt: skip
            if arm == HONEST:
                found["best"] = round(best_threshold(found["y_true"], found["p_1"]), 3)
            yield found


def compute(settings: Mapping) -> Result:
    """Describe one set, then fit and test all arms, ``repetitions`` times.

    The predictions have further columns: ``seed`` of the repetition, ``threshold`` from the validation part, and of the
    honest arm ``best``, the threshold from the test part, and what `material.SUBGROUPS` names.
    """
    from threadpoolctl import threadpool_limits

    start = time.perf_counter()
    made = material.prepared(settings)
    described = time.perf_counter()
    # Matrices are small: threads would wait for each other.
    with threadpool_limits(1):
        found = [rows for k in range(settings["repetitions"]) for rows in Trial(made, settings, k).arms()]
    rows = pd.concat(found, ignore_index=True)
    known = made.table.set_index("image_id")
    honest = rows["method"].str.endswith(f": {HONEST}")
    for title in dict.fromkeys(material.SUBGROUPS.values()):
        if title in known:
            rows[title] = rows["image_id"].map(known[title]).where(honest)
    facts = {"images": len(known), "patients used": known["patient"].nunique(), "blends": len(made.blends),
             "seconds of describing": round(described - start, 1),
             "seconds of fitting": round(time.perf_counter() - described, 1)}  # fmt: skip
    return Result(rows, {}, facts)


def fitted(values: np.ndarray, labels: np.ndarray, seed: int, strength: float = USUAL):
    """A logistic regression on scaled values."""
    from histolib.descriptors import classifiers

    model = classifiers.make("logistic", seed).set_params(classifier__C=strength)
    return model.fit(values.astype(np.float64), labels)


def answers(model, values: np.ndarray) -> np.ndarray:
    """Probability of class 1."""
    return model.predict_proba(values)[:, 1]


def area(labels: np.ndarray, p: np.ndarray) -> float:
    """Area under the ROC curve; one half if there is one class."""
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(labels, p) if len(np.unique(labels)) == 2 else 0.5


def accuracy(labels: np.ndarray, p: np.ndarray) -> float:
    """Balanced accuracy at one half."""
    return float(np.mean([((p >= 0.5) == k)[labels == k].mean() for k in np.unique(labels)]))


def best_threshold(labels, p) -> float:
    """The threshold of the best balanced accuracy on these images; 0.5 if they have one class."""
    from sklearn.metrics import roc_curve

    if len(np.unique(labels)) < 2:
        return 0.5
    false, true, at = roc_curve(labels, p, drop_intermediate=False)
    return float(np.clip(at[np.argmax(true - false)], 0, 1))


def temperature(labels: np.ndarray, p: np.ndarray) -> float:
    """The temperature by which log odds are divided so that the cross-entropy is least (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    def loss(log_t: float) -> float:
        q = np.clip(tempered(p, np.exp(log_t)), 1e-7, 1 - 1e-7)
        return -np.mean(np.where(labels == 1, np.log(q), np.log(1 - q)))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def tempered(p: np.ndarray, value: float) -> np.ndarray:
    """Probabilities with their log odds divided by a temperature."""
    from scipy.special import expit, logit

    return expit(logit(np.clip(p, 1e-7, 1 - 1e-7)) / value)
