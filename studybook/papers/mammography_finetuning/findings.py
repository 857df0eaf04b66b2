"""What a run says about the paper's claims, and which number of blocks is chosen by what."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
    "more_data": (f"plain classifier, by woman, {study.ALL_SETS}", "plain classifier, by woman"),
}
TRAINED_ONCE = ("head_first",)
CHOSEN = {"validation": "blocks chosen on the validation part", "test": "blocks chosen on the test part"}

_PLAIN, _AWAY = "plain classifier", f"plain classifier, by {{}}, {study.AWAY}"
_STRICT = f"{_PLAIN}, by woman"
# Steps of the ladder of leaks: what is done, the method that does it, and the one that it is compared with.
STEPS = (
    *((f"folds by {rule}", f"{_PLAIN}, by {rule}", _STRICT) for rule in study.LADDER),
    ("official parts", _PLAIN, _STRICT),
    (study.PENALTY, f"{_STRICT}, {study.PENALTY}", _STRICT),
    ("learned from the other sets too", f"{_STRICT}, {study.ALL_SETS}", _STRICT),
    ("learned from the other sets alone", f"{_STRICT}, {study.OTHER_SETS}", _STRICT),
    ("these, windows by archive", f"{_STRICT}, {study.OTHER_SETS}{study.SCALED}", _STRICT),
    ("two blocks, folds by image", "2 blocks, by image", "2 blocks, by woman"),
    ("two blocks, stopped on the test part", f"2 blocks, {study.STOPPED}", "2 blocks"),
    ("number of blocks chosen on the test part", CHOSEN["test"], CHOSEN["validation"]),
    *((f"no lesion shown, folds by {rule}", _AWAY.format(rule), _AWAY.format("woman")) for rule in study.LADDER),
)
_ASIDE = "by (?:image|film|lesion|breast|woman)| women|chosen|without|stopped on|which set"


def by_set(kept: Mapping[str, tuple[dict, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Predictions of kept runs by the set that was tested in folds, under a name that says whether it was drawn.

    A run that pools several sets has rows of each; what two runs say of the same set stands together, once.
    """
    found: dict[str, list] = {}
    for record, rows in kept.values():
        kind = "drawn" if record["data"]["twin"] else "real"
        for name, part in rows.groupby(rows["method"].str.split(", ").str[0], sort=False):
            found.setdefault(f"{kind} {study.TITLES[name]}, kept", []).append(part)
    same = ["method", "fold", "image_id"]
    return {name: pd.concat(parts, ignore_index=True).drop_duplicates(same) for name, parts in found.items()}


def strategies(rows: pd.DataFrame) -> pd.DataFrame:
    """Of `paired.named` predictions those of the strategies themselves, without ladder, curves and ablations."""
    return rows[~rows["method"].str.contains(_ASIDE)]


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
    told = {}
    for claim, pair in pairs.items():
        # What was trained once is compared with the first training of the other.
        same = rows[rows["training"] == "1"] if claim in TRAINED_ONCE else rows
        told[claim] = paired.differences(same, [pair], draws, seed).loc[(*pair, "auc")]
    above_chance = {"all_blocks_guess": rows[rows["method"] == "all blocks"]}
    above_chance |= {"unseen_set": paired.named(unseen)} if len(unseen) else {}
    for claim, part in above_chance.items():
        if len(part):
            score = paired.summary(part, draws, seed).loc[(slice(None), "auc"), ["value", "low", "high"]]
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
    """What each loosened rule adds, on the same regions, for the `STEPS` that were run.

    Parameters
    ----------
    rows
        `paired.named` predictions on one set.
    draws, seed
        As `paired.differences`.

    Returns
    -------
    DataFrame
        Index: the step; ``less``: the step that is subtracted, ``regions``; ``AUC`` and ``accuracy``; then for
        ``auc`` and ``accuracy`` their differences as ``<score> value, low, high``, not a number where a step is what
        others are compared with. A network is compared with the same trainings of the other one.
    """
    official = "official" in rows and rows["official"].any() and rows["method"].str.endswith(_STRICT).any()
    rows = _with_base(rows)
    base = next((one for one in rows["method"].unique() if one.endswith(_STRICT)), _STRICT)
    before = base.removesuffix(_STRICT)
    found, named = {}, {before + method: step for step, method, _ in STEPS}
    for step, method, reference in STEPS:
        if method == _PLAIN and not official:
            continue
        method, reference = (one if one in CHOSEN.values() else before + one for one in (method, reference))
        own, other = (rows[rows["method"] == one] for one in (method, reference))
        other = other[other["training"].isin(own["training"])]
        if own.empty or other.empty:
            continue
        value = paired.summary(own, draws, seed)["value"].loc[method]
        told = {"less": named.get(reference, reference), "regions": own["image_id"].nunique()}
        told |= {"AUC": value["auc"], "accuracy": value["accuracy"]}
        if method != reference:
            less = paired.differences(pd.concat([own, other]), [(method, reference)], draws, seed).loc[
                method, reference
            ]
            told |= {f"{score} {side}": less.loc[score, side] for score in less.index for side in less}
        else:
            told["less"] = "–"
        found[step] = told
    return pd.DataFrame(found).T.infer_objects() if len(found) > 1 else pd.DataFrame()


def told(steps: pd.DataFrame) -> pd.DataFrame:
    """`ladder` as a table for readers: accuracy and its differences in points of per cent."""
    from studybook.published import beside

    if steps.empty:
        return steps
    parts = {score: steps.filter(regex=f"^{score} ").rename(columns=lambda one: one.split()[-1])
             for score in ("accuracy", "auc")}  # fmt: skip
    parts["accuracy"] = 100 * parts["accuracy"]
    digits = {"accuracy": 1, "auc": 3}
    less = {score: [beside.interval(row, digits[score], sign="+") if row.notna().all() else "–"
                    for _, row in one.astype(float).iterrows()] for score, one in parts.items()}  # fmt: skip
    return pd.DataFrame({
        "compared with": steps["less"], "regions": steps["regions"], "accuracy, %": steps["accuracy"].map(_percent),
        "points of accuracy": less["accuracy"], "AUC": steps["AUC"].map("{:.3f}".format), "AUC less": less["auc"],
    })  # fmt: skip


def gap(name: str, steps: pd.DataFrame) -> str:
    """Sentences: how far the honest accuracy is from the published one, which steps add to it for sure, and what the
    label of a case is worth where no lesion is shown."""
    from studybook.published import reported

    printed, missing = float(reported.value("mammography_finetuning", "abstract_ddsm_accuracy")), None
    sentence = f"On {name}"
    if name.startswith("real") and "folds by woman" in steps.index:
        missing = printed - 100 * steps.loc["folds by woman", "accuracy"]
        sentence += f", {missing:.1f} points lie between folds by woman and the {printed} % printed for DDSM"
    less = steps[steps["less"] != "–"]
    sure = less[less["accuracy low"].astype(float) > 0]
    added = ", ".join(f"*{step}* {100 * row['accuracy value']:+.1f}" for step, row in sure.iterrows())
    sentence += f"; steps that add points of accuracy with their whole interval: {added or 'none'}."
    blind = {step.split(", ")[1]: row["AUC"] for step, row in steps.iterrows() if step.startswith("no lesion")}
    told = ", ".join(f"{auc:.3f} with {rule}" for rule, auc in blind.items())
    return sentence + (f" The label of the case, where no lesion is shown: AUC {told}." if told else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def companions(table: pd.DataFrame, others: int) -> pd.DataFrame:
    """Which steps of the ladder a set's films can show at all.

    Parameters
    ----------
    table
        Manifest of one set.
    others
        How many other sets there are.

    Returns
    -------
    DataFrame
        For each rule the number of groups that are kept together, and the share of regions that have a region of the
        same woman outside of their group, where folds may divide them. A share of 0: the rule is as strict as by woman.
    """
    women, found = table["patient"].map(table["patient"].value_counts()), {}
    for rule in study.LADDER:
        try:
            groups = pd.Series(study.sides(table, rule), table.index)
        except ValueError:
            found[f"by {rule}"] = {"groups": "not told by the set"}
            continue
        apart = women > groups.map(groups.value_counts())
        found[f"by {rule}"] = {"groups": groups.nunique(), "may be divided from its woman": f"{apart.mean():.0%}"}
    found["by archive"] = {"groups": f"{others} other set{'' if others == 1 else 's'}"}
    found["views without the lesion"] = {"groups": "not in the lists of this set; cut beside the lesion instead"}
    return pd.DataFrame(found).T.fillna("–").rename_axis("folds")


def ablated(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """`results` of two blocks with one thing left out or done otherwise, first trainings alone, less two blocks."""
    pattern = "(?:^|, )(?:2 blocks(?:$|, without .*|, head not first|, batch statistics everywhere)|0 blocks.*)$"
    chosen = rows[rows["method"].str.contains(pattern) & (rows["training"] == "1")]
    usual = next((one for one in chosen["method"] if one.endswith("2 blocks")), None)
    if usual is None or chosen["method"].nunique() < 2:
        return pd.DataFrame()
    return results(chosen, usual, draws, seed)


def which_set(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """How well the set of a region is told: AUC and balanced accuracy, as text, for each method that was asked.

    Probabilities are shifted in log odds by the share of the set, so that 0.5 parts sets of different size fairly.
    """
    from studybook.published import beside

    asked, found = rows[rows["method"].str.contains(study.WHICH)], {}
    for name, part in asked.groupby("method", sort=False):
        share = part.groupby("fold")["y_true"].transform("mean")
        odds = part["p_1"] * (1 - share)
        part = part.assign(p_1=odds / (odds + (1 - part["p_1"]) * share).clip(lower=1e-12))
        scores = paired.summary(part, draws, seed).loc[name]
        found[name.replace(", by woman", "").replace(f", {study.WHICH}", "")] = {
            "regions": part["image_id"].nunique(), "of this set": int(part["y_true"].sum()),
            "AUC": beside.interval(scores.loc["auc"]), "balanced accuracy": beside.interval(scores.loc["balanced"]),
        }  # fmt: skip
    return pd.DataFrame(found).T


def _with_base(rows: pd.DataFrame) -> pd.DataFrame:
    """Of runs without folds by woman beside those by image, the method's own parts, which are by woman too."""
    if rows["method"].str.endswith(_STRICT).any():
        return rows
    own = rows[rows["method"] == _PLAIN]
    return pd.concat([rows, own.assign(method=_STRICT)])


def knowing_the_set(table: pd.DataFrame) -> float:
    """AUC of answering every region by the share of malignant ones in its set, column ``source``."""
    share = table.groupby("source")["label"].transform("mean")
    return float(paired.auc(table["label"], share, np.ones((1, len(table))))[0])


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
    parts = parts[~parts["method"].str.contains(f", (?:by|tested on) |{study.WHICH}")]
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
