"""What the arms of a run say beside the flaws: calibration, use, subgroups, stain; and the sentences of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from histolib.plots import COLORS, MARKERS
from studybook.audit import flaws, material, measuring, study
from studybook.audit.measuring import Resamples
from studybook.papers.bach_boosting import checks as bach
from studybook.papers.breakhis_magnification import checks as magnification
from studybook.papers.breakhis_patches import checks as patches
from studybook.papers.idc_transfer import checks as idc
from studybook.papers.mammography_finetuning import checks as mammography
from studybook.published import beside, consistency
from studybook.published.schema import AGREES, VERDICTS

CHECKS = {
    "idc_transfer": idc.CHECKS, "bach_boosting": bach.CHECKS, "mammography_finetuning": mammography.CHECKS,
    "breakhis_magnification": magnification.CHECKS, "breakhis_patches": patches.CHECKS,
}  # fmt: skip
LEAST_PATIENTS = 5  # with fewer a subgroup has no interval to speak of
USES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # probabilities from which on one might act
Runs = Mapping[str, pd.DataFrame]  # name of a run to all its predictions, kept ones first


def first_rows(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Of each set: acquisition traits alone, then the frozen network, and how far apart they are, as text."""
    found = {}
    for name in flaws.sets(rows):
        arms = flaws.of_set(rows, name)
        drawn = Resamples.of(pd.concat(arms.values()), draws, seed)
        traits, honest = (measuring.scored(arms[arm], "auc", drawn) for arm in (study.TRAITS, study.HONEST))
        one = arms[study.HONEST]
        one = one[one["seed"] == one["seed"].iloc[0]]
        columns = {
            "AUC, acquisition traits": traits,
            "AUC, frozen network": honest,
            "network − traits": honest - traits,
        }
        told = {column: beside.interval(measuring.interval(samples), 3, "+" if "−" in column else "")
                for column, samples in columns.items()}  # fmt: skip
        found[flaws.SETS[name]] = {"images": len(one), "patients": one["patient"].nunique()} | told
    return pd.DataFrame(found).T


def calibration(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Expected calibration error of the small network as it is and tempered, and of the logistic regression."""
    found = {}
    for name in flaws.sets(rows):
        arms = flaws.of_set(rows, name)
        drawn = Resamples.of(pd.concat(arms.values()), draws, seed)
        raw = next(arm for arm in arms if arm.startswith(study.NETWORK))
        names = {"small network": raw, "the same, tempered": study.TEMPERED, "logistic regression": study.HONEST}
        samples = {title: measuring.scored(arms[arm], "ece", drawn) for title, arm in names.items()}
        samples["tempered − as it is"] = samples["the same, tempered"] - samples["small network"]
        found[flaws.SETS[name]] = {
            title: beside.interval(measuring.interval(one), 3, "+" if "−" in title else "")
            for title, one in samples.items()
        }
    return pd.DataFrame(found).T


def subgroups(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """AUC of the honest arm within each subgroup, as text.

    A group with images of one class is set against all images of the other. Groups of fewer than `LEAST_PATIENTS`
    patients are counted and not scored.
    """
    found = {}
    for name in flaws.sets(rows):
        honest = flaws.of_set(rows, name)[study.HONEST]
        for title in dict.fromkeys(material.SUBGROUPS.values()):
            if title not in honest or honest[title].isna().all():
                continue
            for value, part in honest.groupby(title):
                classes = part["y_true"].unique()
                tested = part if len(classes) == 2 else pd.concat([part, honest[honest["y_true"] != classes[0]]])
                count = part["patient"].nunique()
                text = "too few patients"
                if count >= LEAST_PATIENTS and tested["seed"].nunique() == honest["seed"].nunique():
                    drawn = Resamples.of(tested, draws, seed)
                    text = beside.interval(measuring.interval(measuring.scored(tested, "auc", drawn)), 3)
                images = part["image_id"].nunique()
                found[flaws.SETS[name], title, str(value)] = {"patients": count, "images": images, "AUC": text}
    index = pd.MultiIndex.from_tuples(found, names=["set", "by", "group"])
    return pd.DataFrame(list(found.values()), index=index)


def stain(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """AUC on the own laboratory and on another one's stain: as it is, normalized, learned with jitter; as text."""
    ways = {"as it is": (study.HONEST, "shifted"), "normalized": (study.NORMALIZED, "both"),
            "learned with jitter": (study.JITTERED, "jittered")}  # fmt: skip
    found = {}
    for name in flaws.sets(rows):
        arms = flaws.of_set(rows, name)
        if study.NORMALIZED not in arms:
            continue
        drawn = Resamples.of(pd.concat(arms.values()), draws, seed)
        for way, (own, other) in ways.items():
            here, there = (measuring.scored(arms[arm], "auc", drawn) for arm in (own, study.SHIFTED[other]))
            told = {"own stain": here, "other stain": there, "loss": here - there}
            found[flaws.SETS[name], way] = {
                title: beside.interval(measuring.interval(one), 3, "+" if title == "loss" else "")
                for title, one in told.items()
            }
    return pd.DataFrame(found).T


def disagreements() -> pd.DataFrame:
    """How many of each paper's checks end in each verdict: papers in rows."""
    found = {}
    for paper in CHECKS:
        found[flaws.citation(paper)] = checked(paper)["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    counts = pd.DataFrame(found).T.astype(int)
    counts.insert(0, "checks", counts.sum(1))
    return counts


def contradictions() -> Markdown:
    """Every check that does not agree, by paper, a sentence each."""
    parts = []
    for paper in CHECKS:
        table = checked(paper)
        parts.append(f"**{flaws.citation(paper)}** ({(table['verdict'] != AGREES).sum()} of {len(table)})")
        parts.append(consistency.for_readers(table, agree=False).data)
    return Markdown("\n\n".join(parts))


@cache
def checked(paper: str) -> pd.DataFrame:
    """All checks of a paper's numbers, `consistency.report`, those of its own room among them."""
    return consistency.report(paper, CHECKS[paper])


def summary(runs: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Inflated less honest estimate of each flaw and set: a dot with its interval, a color and marker for each run."""
    lines = list(dict.fromkeys(key for table in runs.values() for key in table.index))
    order = [flaw["id"] for flaw in flaws.listed()]
    lines.sort(key=lambda key: (order.index(key[0]), list(flaws.SETS).index(key[1])))
    titles = {flaw["id"]: flaw["title"] for flaw in flaws.listed()}
    figure, axis = plt.subplots(figsize=(8.5, 0.24 * len(lines) + 1.6))
    for k, (run, table) in enumerate(runs.items()):
        part = table.reindex(pd.MultiIndex.from_tuples(lines))
        height = np.arange(len(lines)) + 0.3 * (k - (len(runs) - 1) / 2)
        errors = np.maximum([part["value"] - part["low"], part["high"] - part["value"]], 0)
        look = {"fmt": MARKERS[k], "color": COLORS[k], "capsize": 2, "ms": 5}
        axis.errorbar(part["value"], height, xerr=errors, label=run, **look)
    axis.grid(False, axis="y")
    axis.axvline(0, color="0.5", lw=1)
    firsts = [key[0] != lines[k - 1][0] if k else True for k, key in enumerate(lines)]
    names = [f"{titles[id]}:  {flaws.SETS[name]}" if first else flaws.SETS[name]
             for (id, name), first in zip(lines, firsts)]  # fmt: skip
    for k, first in enumerate(firsts):
        if first and k:
            axis.axhline(k - 0.5, color="0.85", lw=1)
    axis.set(title=title, xlabel="inflated less honest estimate (share)", yticks=range(len(lines)), yticklabels=names)
    axis.set_ylim(len(lines) - 0.5, -0.5)
    figure.legend(loc="outside lower center", ncols=len(runs), frameon=False)
    return figure


def reliabilities(rows: pd.DataFrame, title: str) -> Figure:
    """Reliability diagrams of the small network, as it is and tempered, a panel per set."""
    names = flaws.sets(rows)
    figure, axes = plt.subplots(1, len(names), figsize=(max(2.4 * len(names) + 1, 7), 3.4), squeeze=False, sharey=True)
    for axis, name in zip(axes[0], names):
        arms = flaws.of_set(rows, name)
        raw = next(arm for arm in arms if arm.startswith(study.NETWORK))
        axis.plot([0, 1], [0, 1], ":", color="gray")
        for k, (label, arm) in enumerate({"as it is": raw, "tempered": study.TEMPERED}.items()):
            table = measuring.reliability(arms[arm])
            look = {"color": COLORS[k], "marker": MARKERS[k], "ms": 4, "label": label}
            axis.plot(table["predicted"], table["observed"], **look)
        axis.set(title=flaws.SETS[name], xlabel="probability told", xlim=(0, 1), ylim=(0, 1))
    axes[0, 0].set_ylabel("share of class 1")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title)
    return figure


def uses(rows: pd.DataFrame, draws: int, seed: int, title: str) -> Figure:
    """Decision curves: net benefit of the honest arm and of traits alone, beside acting on all and on none."""
    names = flaws.sets(rows)
    figure, axes = plt.subplots(1, len(names), figsize=(max(2.4 * len(names) + 1, 7), 3.4), squeeze=False)
    for axis, name in zip(axes[0], names):
        arms = flaws.of_set(rows, name)
        drawn = Resamples.of(pd.concat(arms.values()), draws, seed)
        for k, arm in enumerate((study.HONEST, study.TRAITS)):
            curve = measuring.net_benefits(arms[arm], USES, drawn)
            label = "frozen network" if k == 0 else arm
            axis.plot(curve.index, curve["value"], color=COLORS[k], marker=MARKERS[k], ms=4, label=label)
            axis.fill_between(curve.index, curve["low"], curve["high"], color=COLORS[k], alpha=0.15)
        everyone = measuring.net_benefits(arms[study.HONEST].assign(p_1=1.0), USES, drawn)["value"]
        axis.plot(everyone.index, everyone, "--", color="0.4", label="act on all")
        axis.axhline(0, color="0.4", lw=1, label="act on none")
        axis.set(title=flaws.SETS[name], xlabel="act from probability")
        axis.set_ylim(bottom=-0.1)
    axes[0, 0].set_ylabel("net benefit per image")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(title)
    return figure


def sentences(runs: Mapping[str, pd.DataFrame], only: Sequence[str] | None = None) -> Markdown:
    """What was found of each flaw, from the first run that shows it; a flaw's sets in one sentence.

    Parameters
    ----------
    runs
        Name of a run to `flaws.sizes`, kept runs first.
    only
        Ids of the flaws that are spoken of; all if None.
    """
    lines = []
    for flaw in flaws.listed():
        if only is not None and flaw["id"] not in only:
            continue
        shows = [(run, table) for run, table in runs.items() if flaw["id"] in table.index.get_level_values("id")]
        if not shows:
            lines.append(f"- **{flaw['title']}**: no set here can show it.")
            continue
        run, table = shows[0]
        part = table.loc[flaw["id"]]
        told = [f"{flaws.SETS[name]} {beside.interval(row, 3, '+')}" for name, row in part.iterrows()]
        lines.append(f"- **{flaw['title']}** ({flaw['meaning']}) {_said(part)}: {'; '.join(told)} ({run}).")
    return Markdown("\n".join(lines))


def _said(part: pd.DataFrame) -> str:
    """On how many sets the whole interval lies above 0, and below."""
    above, below = int((part["low"] > 0).sum()), int((part["high"] < 0).sum())
    words = [f"inflates on {above}" if above else "", f"lowers the score on {below}" if below else ""]
    told = " and ".join(filter(None, words))
    if not told:
        return "can't be told from chance" + (" on any set" if len(part) > 1 else "")
    rest = "" if above + below == len(part) else ", and can't be told from chance elsewhere"
    return f"{told} of {len(part)} sets{rest}" if len(part) > 1 else told.removesuffix(" on 1")
