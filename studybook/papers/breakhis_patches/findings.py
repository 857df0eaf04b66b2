"""What a run of the patch chapter, or a kept one, says about the statements of the slides.

Differences are read from tables of predictions alone, whose names of methods tell all settings: so a kept run is asked
as this one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from histolib import metrics
from histolib.metrics.resampling import interval, resampled
from studybook.engine.units import Gathered
from studybook.papers.breakhis_patches.scoring import RAW, by_rule, varied
from studybook.papers.breakhis_patches.study import OURS, REGULARIZATIONS, TUNED
from studybook.published import beside, multiple, reported
from studybook.twins.ceiling import METHOD as CEILING

ALL, HERE = "all others", "not in this run"
CONSTANT, PLAINEST = "always malignant", "color histogram"
ADDED = (PLAINEST, TUNED)  # methods that the slides do not compare with
BETTER_RULES, EXIST = ("average", "vote"), "exist"
TRAINED = "training, last epoch (augmentation and dropout on)"
CHECKED = "validation, last epoch"
TESTED = "test, epoch kept"
TITLES = {"accuracy": "image accuracy", "balanced_accuracy": "balanced accuracy", "auc": "AUC"}
OPENING = ("rules_better", "clahe_best", "better_than_others")  # the claims with which the chapter opens
# Statements about differences: the claim, the setting, what is praised, against what, at which magnification (all if
# None), of what a score is taken, and which.
CLAIMED = (
    ("clahe_best", "contrast", "CLAHE", ALL, None, "image", "accuracy"),
    ("clahe_fails", "contrast", "CLAHE", "raw", 40, "image", "accuracy"),
    ("whiten_helps", "contrast", "CLAHE + whitening", "CLAHE", 40, "image", "accuracy"),
    ("stride_best", "structure", "stride 2", ALL, None, "image", "accuracy"),
    ("complexity_helps", "structure", "feature maps doubled", "normal", None, "image", "accuracy"),
    ("sliding_best", "cropping", "sliding 128", ALL, None, "image", "accuracy"),
    ("random_better", "cropping", "random 64", "sliding 64", None, "image", "accuracy"),
    ("better_than_others", "network", OURS, ALL, None, "image", "accuracy"),
    ("better_than_others", "network", OURS, ALL, None, "image", "f1"),
    ("better_than_others", "network", OURS, ALL, None, "patient", "accuracy"),
    ("overfitting_tried", "regularization", "early stopping", "none", None, "image", "accuracy"),
    ("overfitting_tried", "regularization", "L2", "none", None, "image", "accuracy"),
    ("overfitting_tried", "regularization", "dropout", "none", None, "image", "accuracy"),
    ("aggregation_best", "rule", "average", EXIST, None, "image", "accuracy"),
    ("aggregation_best", "rule", "vote", EXIST, None, "image", "accuracy"),
    ("auc_low", "magnification", "highest", "lowest", None, "patch", "auc"),
)
# Of those, the ones that are asked as one: over all others together. Their ids in the part ``verdicts``.
_ASKED = {"clahe_best": 0, "clahe_fails": 1, "whiten_helps": 2, "stride_best": 3, "complexity_helps": 4,
          "sliding_best": 5, "random_better": 6, "better_than_others": 7, "better_for_patients": 9}  # fmt: skip
_BASE = ("network", "structure", "contrast", "cropping", "regularization", "share")


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions with the settings that the names of their methods tell.

    Returns
    -------
    DataFrame
        The rows with ``network, structure, contrast, cropping, regularization, share, training`` (1 the first) and
        ``magnification``.
    """
    told = pd.DataFrame({name: _settings(name) for name in rows["method"].unique()}).T
    return rows.assign(**{key: rows["method"].map(values) for key, values in told.items()})


def _settings(method: str) -> dict:
    network, *rest, at = method.split(", ")
    structure = rest.pop(0) if network == OURS else ""
    contrast, cropping, *further = rest
    found = {"network": network, "structure": structure, "contrast": contrast, "cropping": cropping,
             "regularization": REGULARIZATIONS[0], "share": 1.0, "training": 1,
             "magnification": int(at[:-1])}  # fmt: skip
    for one in further:
        if one.startswith("training "):
            found["training"] = int(one.split()[1])
        elif one.endswith(" % of the patients"):
            found["share"] = float(one.split()[0]) / 100
        else:
            found["regularization"] = one
    return found


def of_variants(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows that differ from the base setting, the first of a run, in one setting only.

    Parameters
    ----------
    rows
        Predictions of images or patients of one run.
    name
        The setting. For ``network`` the other methods, which see raw images, and the base network on raw images.

    Returns
    -------
    DataFrame
        ``method`` is the value of the setting. ``image_id`` tells the tests apart: training, fold and magnification
        stand before the image, since an image is tested in several folds, and a patient at several magnifications.
    """
    rows = named(rows)
    base = rows.iloc[0]
    same = pd.Series(True, rows.index)
    for other in set(_BASE) - {name}:
        same &= rows[other] == base[other]
    if name == "network":
        raw = (rows["network"] == OURS) & (rows["contrast"] == "raw") & (base["contrast"] != "raw")
        raw &= (rows["structure"] == base["structure"]) & (rows["cropping"] == base["cropping"])
        raw &= (rows["regularization"] == base["regularization"]) & (rows["share"] == 1)
        same |= raw | (rows["network"] != OURS)
        variant = rows["network"].mask(raw, RAW)
    else:
        variant = rows[name].astype(str)
    test = rows["image_id"]
    for place in ("magnification", "fold", "training"):
        test = rows[place].astype(str) + "/" + test
    return rows.assign(method=variant, image_id=test)[same]


def _base_methods(rows: pd.DataFrame) -> list[str]:
    """Names of the base setting's methods, at each magnification and in each training."""
    told = named(rows.drop_duplicates("method"))
    return told["method"][(told[[*_BASE]] == told[[*_BASE]].iloc[0]).all(axis=1)].tolist()


def paired(rows: pd.DataFrame, one: str, others: Sequence[str]) -> pd.DataFrame | None:
    """A method and other methods, on the tests that both have; several others count alike.

    Parameters
    ----------
    rows
        From `of_variants`.
    one, others
        Names of methods.

    Returns
    -------
    DataFrame or None
        Rows of two methods, `one` and ``others``; None if there is nothing to compare.
    """
    parts = []
    for name in others:
        pair = rows[rows["method"].isin([one, name])]
        both = pair.groupby("image_id")["method"].transform("nunique") == 2
        pair = pair[both]
        parts.append(pair.assign(method=pair["method"].where(pair["method"] == one, "others"),
                                 image_id=name + "/" + pair["image_id"]))  # fmt: skip
    together = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return together if len(together) else None


def difference(
    rows: pd.DataFrame, one: str, others: Sequence[str], score: str = "accuracy", draws: int = 1000, seed: int = 0
) -> pd.Series | None:
    """A score with one value of a setting less that with others, patients drawn; parameters as in `paired`.

    Returns
    -------
    Series or None
        ``value, low, high``, over all trainings, folds and magnifications of `rows`; None if the run has not both.
    """
    pair = paired(rows, one, others)
    return None if pair is None else metrics.difference(pair, "others", draws, seed=seed).loc[(one, score)]


def differences(
    levels: Mapping[str, pd.DataFrame], draws: int = 1000, seed: int = 0, auc: pd.Series | None = None
) -> dict:
    """Of a run, the differences that answer the slides' claims (``verdicts`` of their file).

    Parameters
    ----------
    levels
        From `scoring.levels`.
    draws, seed
        As in `metrics.difference`.
    auc
        From `auc_by_magnification`; kept runs have no patches.

    Returns
    -------
    dict
        Id of a claim to ``value, low, high``; without those that the run does not answer.
    """
    found = {claim: _asked(levels, CLAIMED[k], draws, seed) for claim, k in _ASKED.items()}
    found["rules_better"] = rules_less(levels["image"], BETTER_RULES, EXIST, draws, seed)
    found["sum_better"] = rules_less(levels["image"], ["sum"], EXIST, draws, seed)
    found["auc_low"] = auc
    return {claim: one for claim, one in found.items() if one is not None}


def _asked(levels: Mapping[str, pd.DataFrame], claim: tuple, draws: int, seed: int) -> pd.Series | None:
    _, name, one, other, magnification, level, score = claim
    rows = of_variants(levels[level], name)
    if magnification is not None:
        rows = rows[rows["magnification"] == magnification]
    return difference(rows, one, _others(rows, one) if other == ALL else [other], score, draws, seed)


def _others(rows: pd.DataFrame, one: str) -> list[str]:
    return [name for name in rows["method"].unique() if name not in (one, RAW, *ADDED)]


def rules_less(images: pd.DataFrame, rules: Sequence[str], other: str, draws: int = 1000, seed: int = 0) -> pd.Series:
    """Image accuracy of the base setting by some rules less that by another one, on the same patches, patients drawn.

    ``images``: from `scoring.joined` or `scoring.levels`.
    """
    base = images[images["method"].isin(_base_methods(images))]
    by = {rule: of_variants(by_rule(base, rule), "contrast") for rule in (*rules, other)}
    parts = [by[name].assign(method=side, image_id=rule + "/" + by[name]["image_id"])
             for rule in rules for side, name in (("rules", rule), ("other", other))]  # fmt: skip
    return metrics.difference(pd.concat(parts), "other", draws, seed=seed).loc[("rules", "accuracy")]


def auc_by_magnification(found: Gathered, draws: int = 1000, seed: int = 0) -> pd.Series | None:
    """AUC of the base setting's patches at the highest magnification less that at the lowest, patients drawn for both.

    None if the run has one magnification only.
    """
    told = named(pd.DataFrame({"method": _base_methods(found.predictions)}))
    methods = told.groupby("magnification")["method"].agg(list)
    if len(methods) < 2:
        return None
    ends = [found.saved(method=methods.iloc[k])[["patient", "y_true", "p_1"]] for k in (-1, 0)]
    rows, high = pd.concat(ends), np.repeat([True, False], [len(one) for one in ends])
    y, p = rows["y_true"].to_numpy(), rows["p_1"].to_numpy()

    def less(weight: np.ndarray) -> float:
        drawn = [m & (weight > 0) for m in (high, ~high)]
        first, second = (metrics.scores(y[m], p[m], weight=weight[m])["auc"] for m in drawn)
        return first - second

    samples = pd.DataFrame({"auc": [less(weight) for weight in resampled(rows["patient"], draws, seed)]})
    return interval(pd.Series({"auc": less(np.ones(len(rows), int))}), samples, 0.95).loc["auc"]


def statements(
    levels: Mapping[str, pd.DataFrame], draws: int = 1000, seed: int = 0, auc: pd.Series | None = None
) -> pd.DataFrame:
    """What the slides say about differences, pair by pair, and what a run says; parameters as in `differences`.

    So many intervals are looked at together that some would leave out 0 by chance. The last column says which would be
    left if all of them were to be right together: p values from the intervals, taken as 1.96 standard errors to each
    side, corrected by Holm 1979.

    Returns
    -------
    DataFrame
        Index: the statement, as `published.claims` has it, and what is compared; ``this run``, the difference with its
        interval or that it is not in the run, and ``p (Holm)``.
    """
    claims = reported.claims("breakhis_patches").set_index("id")
    rows = {}
    for claim in CLAIMED:
        id, name, one, other, magnification, level, score = claim
        said = f"“{claims.loc[id, 'printed']}”: {claims.loc[id, 'meaning']}"
        at = "" if magnification is None else f" at {magnification}×"
        for value in _compared(levels, claim):
            if name == "rule":
                less = rules_less(levels["image"], [one], other, draws, seed)
            elif name == "magnification":
                less = auc
            else:
                less = _asked(levels, (*claim[:3], value, *claim[4:]), draws, seed)
            rows[said, f"{level} {score}, {one} less {value}{at}"] = less
    return _corrected(rows)


def _compared(levels: Mapping[str, pd.DataFrame], claim: tuple) -> list[str]:
    _, name, one, other, _, level, _ = claim
    if other != ALL:
        return [other]
    known = of_variants(levels[level], name)
    return (one in set(known["method"]) and _others(known, one)) or [ALL]


def _corrected(rows: Mapping) -> pd.DataFrame:
    """Differences as text with their p values, corrected by Holm."""
    known = pd.DataFrame({key: one for key, one in rows.items() if one is not None}).T
    holm = multiple.holm(multiple.of_interval(known)).to_dict() if len(known) else {}
    table = {
        key: {"this run": HERE if one is None else beside.interval(one, sign="+"),
              "p (Holm)": "–" if one is None else f"{holm[key]:.2f}"}
        for key, one in rows.items()
    }  # fmt: skip
    return pd.DataFrame(table).T.rename_axis(["the slides", "compared"])


def against_base(
    images: pd.DataFrame, name: str, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:  # fmt: skip
    """The base setting less each other value of one setting, at each magnification, on the same drawn patients.

    Parameters
    ----------
    images
        Predictions of images of one run.
    name
        As in `of_variants`.
    draws, seed
        As in `metrics.difference`.

    Returns
    -------
    DataFrame
        Index magnification and ``less <value>``; the scores of `TITLES`, each a Series ``value, low, high`` in the
        columns' second level. No rows if the run has one value only.
    """
    rows = of_variants(images, name)
    base = rows["method"].iloc[0]
    found = {}
    for at, part in rows.groupby("magnification", sort=True):
        for other in [value for value in part["method"].unique() if value != base]:
            pair = paired(part, base, [other])
            less = metrics.difference(pair, "others", draws, seed=seed).loc[base]
            found[f"{at}×", f"{base} less {other}"] = less.loc[list(TITLES)].stack()
    if not found:  # with the levels that the others have, to stand below them
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []]))
    return pd.DataFrame(found).T


def text(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `against_base` with a difference and its interval in each cell."""
    columns = {TITLES[score]: table[score].apply(beside.interval, axis=1, sign="+")
               for score in table.columns.unique(0)}  # fmt: skip
    return pd.DataFrame(columns, index=table.index)


def read(table: pd.DataFrame, score: str = "accuracy") -> str:
    """What the table of `against_base` says by one score, as a sentence: which whole intervals lie on a side of 0."""
    if not len(table):
        return (
            "nothing can be told, since the run has the base setting only (exercises and profile `paper` have others)"
        )
    part = table[score]
    sides = {"above 0": part["low"] > 0, "below 0": part["high"] < 0}
    sides["around 0"] = ~(sides["above 0"] | sides["below 0"])
    told = [f"{which} for " + " and ".join(f"{pair} at {at}" for at, pair in part.index[mask])
            for which, mask in sides.items() if mask.any()]  # fmt: skip
    return f"by {TITLES[score]} the interval lies {', '.join(told)}"


def trainings(images: pd.DataFrame, one: str, other: str, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Image accuracy with one contrast less that with another, of each training by itself: the chance of training.

    Returns
    -------
    DataFrame of str
        Index: the trainings; columns: the magnifications.
    """
    rows = of_variants(images, "contrast")
    found = {}
    for (training, at), part in rows.groupby(["training", "magnification"], sort=True):
        less = difference(part, one, [other], "accuracy", draws, seed)
        if less is not None:
            found.setdefault(f"training {training}", {})[f"{at}×"] = beside.interval(less, sign="+")
    return pd.DataFrame(found).T


def with_constant(images: pd.DataFrame, ceiling: pd.DataFrame | None = None) -> pd.DataFrame:
    """The base setting, the other methods and the constant answer, over all magnifications, first trainings only.

    ``ceiling``: predictions of the same images from what was drawn, from `ceiling_by_fold.table`; they come second.
    """
    rows = of_variants(images, "network")
    rows = rows[rows["training"] == 1]
    first = rows[rows["method"] == rows["method"].iloc[0]]
    parts = [first.assign(method=CONSTANT, p_0=0.0, p_1=1.0), rows]
    if ceiling is not None and len(ceiling):
        given = ceiling.set_index(ceiling["fold"].astype(str) + "/" + ceiling["image_id"])[["p_0", "p_1"]]
        place = first["fold"].astype(str) + "/" + first["image_id"].str.rpartition("/")[2]
        parts.insert(1, first.assign(method=CEILING, **given.loc[place].set_axis(first.index)))
    return pd.concat(parts, ignore_index=True)


def beaten(rows: pd.DataFrame, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every method less the constant answer and less the plainest method, on the same drawn patients.

    Parameters
    ----------
    rows
        From `with_constant`.
    draws, seed
        As in `metrics.difference`.

    Returns
    -------
    DataFrame
        Index: the methods; columns: a reference, then ``balanced accuracy`` and ``AUC`` of images, the difference with
        its interval as text. The references: always malignant, and the color histogram if the run has it.
    """
    columns = {}
    for reference in [name for name in (CONSTANT, PLAINEST) if name in set(rows["method"])]:
        less = metrics.difference(rows, reference, draws, seed=seed)
        for score, title in (("balanced_accuracy", "balanced accuracy"), ("auc", "AUC")):
            told = less.xs(score, level="score").apply(beside.interval, axis=1, digits=2, sign="+")
            columns[f"less {reference}", title] = told
    names = [name for name in rows["method"].unique() if name != CONSTANT]
    return pd.DataFrame(columns).reindex(names).fillna("–")


def winners(rows: pd.DataFrame, draws: int = 1000, seed: int = 0) -> list[str]:
    """Methods that beat the constant answer and the plainest method by AUC of images, with both whole intervals.

    Parameters as in `beaten`.
    """
    names = [name for name in rows["method"].unique() if name not in (CONSTANT, CEILING, PLAINEST)]
    for reference in [name for name in (CONSTANT, PLAINEST) if name in set(rows["method"])]:
        low = metrics.difference(rows, reference, draws, seed=seed).xs("auc", level="score")["low"]
        names = [name for name in names if low[name] > 0]
    return names


def selected(found: Gathered, images: pd.DataFrame) -> pd.DataFrame:
    """The best setting of the network by two rules: chosen on validation patients, or on the test patients themselves.

    Parameters
    ----------
    found
        All units.
    images
        Their predictions of images, from `scoring.levels`.

    Returns
    -------
    DataFrame
        Predictions of two methods, all magnifications of the run. *chosen on validation*: in each fold the setting with
        the highest accuracy on the patches of the validation patients, in the epoch whose weights were kept; its test
        patients had no say. *chosen on the test*: at each magnification the setting with the highest accuracy of test
        images over all folds, which is how a best model comes out of bars of test results.
    """
    units = found.units[found.units["network"] == OURS]
    epochs = units["epoch kept"].astype(int)
    checked = [found.tables["history"][name].loc[epochs[name], "val_accuracy"] for name in units.index]
    units = units.assign(checked=checked)
    best = units.loc[units.groupby(["fold", "magnification"])["checked"].idxmax(), ["fold", "method"]]
    own = images[images["method"].isin(units["method"])]
    right = ((own["p_1"] >= 0.5) == own["y_true"]).groupby(own["method"]).mean().rename("right")
    tested = units.drop_duplicates("method").merge(right, left_on="method", right_index=True)
    flattered = tested.loc[tested.groupby("magnification")["right"].idxmax(), "method"]
    parts = {"chosen on validation": own.merge(best), "chosen on the test": own[own["method"].isin(flattered)]}
    return pd.concat([rows.assign(method=name, image_id=rows["fold"].astype(str) + "/" + rows["image_id"])
                      for name, rows in parts.items()], ignore_index=True)  # fmt: skip


def certainty(found: Gathered, units: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """AUC of patches beside how far their probabilities lie from one half, by magnification.

    Returns
    -------
    DataFrame
        Index magnification; ``patch AUC`` (text, with its interval) and ``mean distance from 0.5``, from 0 to 0.5.
    """
    rows = {}
    for _, unit in units.iterrows():
        p = found.saved(method=unit["method"])["p_1"]
        auc = beside.interval(table.loc[(unit["method"], "patch", "auc")])
        rows[unit["at"]] = {"patch AUC": auc, "mean distance from 0.5": (p - 0.5).abs().mean()}
    return pd.DataFrame(rows).T.infer_objects()


def gaps(found: Gathered, table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of patches: of training and validation patients at the end of training, and of test patients.

    Returns
    -------
    DataFrame
        Index magnification and regularization; epochs of each fold as text, means of the accuracies over the folds.
        Training and validation are those of the last epoch, the test is that of the epoch whose weights were kept;
        only with early stopping these two epochs differ. The training accuracy is Keras's own: of augmented patches,
        with dropout, while the weights changed.
    """
    rows = []
    for _, unit in varied(found, "regularization").iterrows():
        folds = found.units[found.units["method"] == unit["method"]]
        last = [found.tables["history"][name].iloc[-1] for name in folds.index]
        means = pd.DataFrame(last)[["accuracy", "val_accuracy"]].mean()
        rows.append({"magnification": unit["at"], "against overfitting": unit["variant"],
                     "last epoch": _listed(folds["epochs run"]), "epoch kept": _listed(folds["epoch kept"]),
                     TRAINED: means["accuracy"], CHECKED: means["val_accuracy"],
                     "training less validation": means["accuracy"] - means["val_accuracy"],
                     TESTED: table.loc[(unit["method"], "patch", "accuracy"), "value"]})  # fmt: skip
    return pd.DataFrame(rows).set_index(["magnification", "against overfitting"])


def _listed(values: pd.Series) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def typical(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each class the image with the median of its probabilities of class 1: neither the best nor the worst."""
    parts = [part.sort_values(["p_1", "image_id"]).iloc[[(len(part) - 1) // 2]] for _, part in rows.groupby("y_true")]
    return pd.concat(parts)
