"""What a run says about the paper's claims, and which number of blocks is chosen by what."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from studybook.papers.mammography_finetuning import paired, study
from studybook.twins import ceiling

# Of each claim in `published.yaml`, the methods whose difference of AUC answers it; what comes second is subtracted.
PAIRS = {
    "two_over_none": ("2 blocks", "plain classifier"),
    "two_over_all": ("2 blocks", "all blocks"),
    "two_over_one": ("2 blocks", "1 block"),
    "two_over_three": ("2 blocks", "3 blocks"),
    "learned_over_random": ("all blocks", "random, all blocks"),
    "head_first": ("2 blocks", "2 blocks, head not first"),
    "more_than_size": ("2 blocks", "size of the box"),
    "folds_by_image": ("plain classifier, by image", "plain classifier, by woman"),
}
CHOSEN = {"validation": "blocks chosen on the validation part", "test": "blocks chosen on the test part"}


def answers(rows: pd.DataFrame, unseen: pd.DataFrame, draws: int, seed: int) -> dict[str, pd.Series]:
    """The difference that answers each claim, where the methods were run.

    Parameters
    ----------
    rows
        `paired.named` predictions on one set.
    unseen
        Predictions of the screening network on the set that it has not seen; may be empty.
    draws, seed
        As `paired.differences`.

    Returns
    -------
    dict
        Claim to ``value, low, high``.
    """
    rows = _with_base(rows)
    there = set(rows["method"])
    pairs = {claim: pair for claim, pair in PAIRS.items() if {*pair} <= there}
    found = paired.differences(rows, dict.fromkeys(pairs.values()), draws, seed)
    told = {claim: found.loc[(*pair, "auc")] for claim, pair in pairs.items()}
    above_chance = {"all_blocks_guess": rows[rows["method"] == "all blocks"], "unseen_set": unseen}
    for claim, part in above_chance.items():
        if len(part):
            score = paired.summary(paired.named(part), draws, seed).loc[(slice(None), "auc"), ["value", "low", "high"]]
            told[claim] = score.iloc[0] - 0.5
    return told


def chosen(units: pd.DataFrame, predictions: pd.DataFrame, by: str) -> pd.DataFrame:
    """Predictions of a study that takes, in each fold, the number of blocks that looks best there.

    Parameters
    ----------
    units, predictions
        Of one set and network, folds by woman, a row of `units` for every number of blocks that was tried.
    by
        ``validation``: the smallest cross-entropy of the validation part, which no test region has touched. ``test``:
        the largest AUC of the test part itself.

    Returns
    -------
    DataFrame
        The rows of the chosen networks under a name of their own; empty if fewer than two numbers were tried.
    """
    tried = units[units["blocks"].isin(study.BLOCKS) & ~units["weights"].isin(study.RANDOM) & (units["training"] == 0)]
    if tried["blocks"].nunique() < 2:
        return predictions.iloc[:0]
    best = []
    for fold, part in tried.groupby("fold"):
        rows = predictions[(predictions["fold"] == fold) & predictions["method"].isin(part["method"])]
        if by == "validation":
            name = part.loc[part["validation"].idxmin(), "method"]
        else:
            name = max(part["method"], key=lambda method: _auc(rows[rows["method"] == method]))
        best.append(rows[rows["method"] == name])
    first = tried["dataset"].iloc[0]
    return pd.concat(best).assign(method=f"{first}, {CHOSEN[by]}")


def _auc(rows: pd.DataFrame) -> float:
    return float(paired.auc(rows["y_true"], rows["p_1"], np.ones((1, len(rows))))[0])


def results(rows: pd.DataFrame, reference: str, draws: int, seed: int) -> pd.DataFrame:
    """AUC and accuracy of each method, of each training, and the difference from `reference`, as text.

    A narrow network's width is no part of the column's name, so that tables of several runs fit together.
    """
    from studybook.published import beside

    scores = paired.summary(rows, draws, seed)
    names = list(rows["method"].unique())
    pairs = [(name, reference) for name in names if name != reference]
    less = paired.differences(rows, pairs, draws, seed).xs("auc", level="score").droplevel("reference")
    columns = {"AUC [95 % interval]": scores.xs("auc", level="score").apply(beside.interval, axis=1)}
    if rows["training"].nunique() > 1:
        columns["AUC of each training"] = scores.xs("auc", level="score")["trainings"]
    columns["accuracy"] = scores.xs("accuracy", level="score")["value"].map("{:.3f}".format)
    columns[f"AUC less {re.sub('^.*of the width, ', '', reference)}"] = less.apply(beside.interval, axis=1, sign="+")
    return pd.DataFrame(columns).reindex(names).fillna("–")


def ladder(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """`results` of the plain classifier with folds by image, lesion, breast and woman, against those by woman.

    Its own parts, such as the official ones of a set, stand first, where there are folds by woman beside them.
    """
    steps = _with_base(rows)
    steps = steps[steps["method"].str.contains("plain classifier(?:$|, by (?:image|lesion|breast|woman)$)")]
    if not rows["method"].str.endswith(", by woman").any():
        steps = steps[steps["method"] != "plain classifier"]
    if steps["method"].nunique() < 2:
        return pd.DataFrame()
    return results(steps, next(one for one in steps["method"] if one.endswith("by woman")), draws, seed)


def _with_base(rows: pd.DataFrame) -> pd.DataFrame:
    """Of runs without folds by woman beside those by image, the method's own parts, which are by woman too."""
    if (rows["method"] == "plain classifier, by woman").any():
        return rows
    own = rows[rows["method"] == "plain classifier"]
    return pd.concat([rows, own.assign(method="plain classifier, by woman")])


def by_trait(rows: pd.DataFrame, method: str, trait: str, draws: int, seed: int) -> pd.DataFrame:
    """Regions, women and AUC of one method for each ``kind`` or ``density`` of the predictions' own column."""
    rows, found = rows[rows["method"] == method], {}
    for value, part in rows.groupby(trait):
        told = {"regions": part["image_id"].nunique(), "women": part["patient"].nunique(),
                "malignant": int(part.drop_duplicates("image_id")["y_true"].sum())}  # fmt: skip
        # All folds together, since one fold may lack a class.
        score = paired.summary(part, draws, seed).loc[(method, "auc")] if part["y_true"].nunique() > 1 else None
        found[value] = told | {
            "AUC": "one class" if score is None else f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
        }
    return pd.DataFrame(found).T.rename_axis(trait)


def curve(predictions: pd.DataFrame, most: int, difficulty: float, draws: int, seed: int) -> pd.DataFrame:
    """AUC against the number of women to learn from and against the twin's difficulty, in the first fold.

    Parameters
    ----------
    predictions
        Of one set; their methods' names say from how many women they learned and how hard the twin is.
    most, difficulty
        How many women, and how hard, where a name says nothing.
    draws, seed
        As in `paired.summary`.

    Returns
    -------
    DataFrame
        ``kind, women, difficulty, value, low, high``; empty if nothing was learned from fewer women or other twins.
    """
    parts = predictions[
        (predictions["fold"] == 0) & predictions["method"].str.contains("|".join(map(re.escape, KINDS)))
    ]
    parts = parts[~parts["method"].str.contains(", (?:by|tested on) ")]
    rows = []
    for name, part in parts.groupby("method", sort=False):
        told = {what: re.search(pattern, name) for what, pattern in _PLACES.items()}
        place = {"women": int(told["women"][1]) if told["women"] else most,
                 "difficulty": float(told["difficulty"][1]) if told["difficulty"] else difficulty}  # fmt: skip
        score = paired.summary(paired.named(part), draws, seed).xs("auc", level="score").iloc[0]
        kind = next(one for one in KINDS if one in name)
        rows.append({"kind": kind} | place | score[["value", "low", "high"]].to_dict())
    found = pd.DataFrame(rows)
    return found if len(found) and len(found[["women", "difficulty"]].drop_duplicates()) > 1 else pd.DataFrame()


KINDS = (ceiling.METHOD, "plain classifier", "small network from scratch")
_PLACES = {"women": r", (\d+) women", "difficulty": r", difficulty ([\d.]+)"}


def on_other_set(rows: pd.DataFrame) -> pd.Series:
    """Whether each prediction was made about another set than the one that was learned from."""
    return rows["method"].str.contains("tested on ")


def on_box(answer, lesion: pd.Series) -> bool:
    """Whether the brightest place of a heat map lies inside the lesion's box.

    Parameters
    ----------
    answer
        From `screening.predict`, with its heat map.
    lesion
        A row of the set's table.
    """
    top, left, bottom, right = answer.region
    place = np.unravel_index(np.argmax(answer.heat_map), answer.heat_map.shape)
    row, column = ((index + 0.5) / size for index, size in zip(place, answer.heat_map.shape))
    row, column = top + row * (bottom - top), left + column * (right - left)
    return bool(lesion["top"] <= row < lesion["bottom"] and lesion["left"] <= column < lesion["right"])
