"""The flaws, read from ``flaws.yaml``: their sizes on the sets of a run, and which papers they touch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from studybook.audit import material, measuring, study
from studybook.audit.measuring import Resamples
from studybook.published import beside, reported

GUESSING, UNEQUAL = "guessing", "unequal classes"
BEST_SEED, MEAN_SEED, FIRST_SEED = "best seed", "mean of the seeds", "first seed"
SETS = {
    "idc": "IDC", "bach": "BACH", "breakhis": "BreaKHis", "cbis_ddsm": "CBIS-DDSM", "inbreast": "INbreast",
    "mias": "MIAS",
}  # fmt: skip


@cache
def listed() -> tuple[dict, ...]:
    """The entries of ``flaws.yaml``, in order."""
    return tuple(yaml.safe_load(Path(__file__).with_name("flaws.yaml").read_text("utf8")))


def of_set(rows: pd.DataFrame, name: str) -> dict[str, pd.DataFrame]:
    """Rows of the arms of one set by the arm's name."""
    chosen = rows[rows["method"].str.startswith(f"{name}: ")]
    return {arm.removeprefix(f"{name}: "): part for arm, part in chosen.groupby("method", sort=False)}


def sets(rows: pd.DataFrame) -> list[str]:
    """The sets of a run, in the order of `SETS`."""
    there = set(rows["method"].str.partition(": ")[0])
    return [name for name in SETS if name in there]


def sizes(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Every flaw on every set that can show it.

    Parameters
    ----------
    rows
        All predictions of a run.
    draws, seed
        Resamples of patients and repetitions, and their seed.

    Returns
    -------
    DataFrame
        Index ``id, set``; ``title, score``, ``inflated, honest`` (values on all patients, mean over repetitions), and
        ``value, low, high``: the first less the second on the same resampled patients and repetitions.
    """
    found = {}
    for name in sets(rows):
        arms = of_set(rows, name)
        drawn = Resamples.of(pd.concat(arms.values()), draws, seed)
        for flaw in listed():
            if flaw.get("needs", "") and not _has(arms, flaw["needs"]):
                continue
            pair = _pair(arms, flaw, drawn)
            if pair is not None:
                told = {"title": flaw["title"], "score": flaw["score"], "inflated": pair[0][0], "honest": pair[1][0]}
                found[flaw["id"], name] = told | measuring.interval(pair[0] - pair[1]).to_dict()
    table = pd.DataFrame(found).T.rename_axis(["id", "set"])
    order = {flaw["id"]: k for k, flaw in enumerate(listed())}
    numbers = dict.fromkeys(["inflated", "honest", "value", "low", "high"], float)
    return table.astype(numbers).sort_index(level="id", key=lambda ids: ids.map(order), sort_remaining=False)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`sizes` as text for a reader: index the flaw and the set."""
    words = {"auc": "AUC", "balanced_accuracy": "balanced accuracy", "accuracy": "accuracy"}
    columns = {
        "score": table["score"].map(words),
        "inflated": table["inflated"].map("{:.3f}".format),
        "honest": table["honest"].map("{:.3f}".format),
        "difference [95 % interval]": table.apply(lambda row: beside.interval(row, 3, "+"), axis=1),
    }
    index = pd.MultiIndex.from_arrays([table["title"], [SETS[name] for name in table.index.get_level_values("set")]])
    return pd.DataFrame(columns).set_axis(index)


def touched() -> pd.DataFrame:
    """Which papers each flaw touches, by flaw, and where; what they print there is read."""
    found = []
    for flaw in listed():
        for one in flaw["touches"]:
            printed = reported.find(one["paper"], one["reference"])
            unit = "" if printed.unit in ("text", "1") else f" {printed.unit}"
            found.append({
                "flaw": flaw["title"], "where": f"{citation(one['paper'])}, {printed.place}",
                "printed": f"{printed.text}{unit}", "what it has to do with it": one["why"],
            })  # fmt: skip
    return pd.DataFrame(found).set_index("flaw")


def citation(paper: str) -> str:
    """First author and year; of slides without either, what they are about."""
    one = reported.paper(paper)
    if not one["year"]:
        return "slides on BreaKHis"
    return f"{one['authors'][0].split()[-1]} et al. {one['year']}"


def best_of(arms: dict[str, pd.DataFrame], names: Iterable[str], drawn: Resamples, score: str) -> np.ndarray:
    """The largest of the arms' scores on all patients, in each repetition, in each resample: (1 + draws,).

    The seed that is best on all patients is kept through the resamples, as who reports it would have kept it.
    """
    names, chosen = list(names), []
    for chance in sorted(arms[names[0]]["seed"].unique()):
        parts = [arms[name][arms[name]["seed"] == chance] for name in names]
        alone = Resamples(drawn.patients, drawn.weights[:1], np.ones((1, 1)))
        chosen.append(max(parts, key=lambda part: measuring.scored(part, score, alone)[0]))
    return measuring.scored(pd.concat(chosen), score, drawn)


def _has(arms: dict[str, pd.DataFrame], need: str) -> bool:
    if need == UNEQUAL:
        share = arms[study.HONEST]["y_true"].mean()
        return min(share, 1 - share) < material.LEAST
    return {"lesion": study.BY_LESION, "slide": study.BY_SLIDE}.get(need, need) in arms


def _pair(arms: dict, flaw: dict, drawn: Resamples) -> tuple[np.ndarray, np.ndarray] | None:
    """Scores of the inflated and of the honest estimate in each resample, None where the set lacks an arm."""
    scores = flaw.get("scores", [flaw["score"]] * 2)
    thresholds = flaw.get("thresholds", [0.5, 0.5])
    seeds = [name for name in arms if name.startswith(study.NETWORK)]
    found = []
    for arm, score, threshold in zip((flaw["inflated"], flaw["honest"]), scores, thresholds):
        arm = seeds[0] if arm == FIRST_SEED else arm
        if arm == GUESSING:
            found.append(np.full(len(drawn.weights), 0.5))
        elif arm == BEST_SEED:
            found.append(best_of(arms, seeds, drawn, score))
        elif arm == MEAN_SEED:
            found.append(np.mean([measuring.scored(arms[name], score, drawn) for name in seeds], axis=0))
        elif arm not in arms:
            return None
        else:
            found.append(measuring.scored(arms[arm], score, drawn, threshold))
    return found[0], found[1]
