"""What a run, or a kept one, says about the paper's claims; its rows under the names that a reader sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import Markdown

from histolib import descriptors, metrics
from histolib.metrics import predictions
from studybook.engine.units import Gathered
from studybook.papers.idc_transfer import study
from studybook.published import beside, reported

MAP = f"{predictions.STUDY}map, "  # begins the name of a t-SNE map, whose neighbors vote on a patch
# The claims that the chapter's title asks about, with which it opens.
OPENING = ("photographs_beat_scratch", "features_beat_scratch", "scratch_beats_color")
BEST_CRAFTED = "fuzzy color histogram"  # by the paper's Table 4
# Claims about a difference of AUC: the method that is said to be better or worse, and that with which it is compared.
PAIRS = {
    "features_beat_scratch": (study.FEATURES, study.SCRATCH),
    "photographs_beat_scratch": (study.FROZEN, study.SCRATCH),
    "tuning_worse": (study.TUNING, study.FEATURES),
    "features_beat_crafted": (study.FEATURES, BEST_CRAFTED),
    "scratch_beats_crafted": (study.SCRATCH, BEST_CRAFTED),
    "scratch_beats_color": (study.SCRATCH, study.FOREST),
}


# What the chapter's title asks: methods less methods, by AUC.
QUESTION = (
    (study.FROZEN, study.SCRATCH),
    (study.FEATURES, study.SCRATCH),
    (study.TUNING, study.SCRATCH),
    (study.TUNING, study.FEATURES),
    (study.FROZEN, study.FOREST),
    (study.SCRATCH, study.FOREST),
    (study.FOREST, study.DARKNESS),
    (study.FROZEN, study.DARKNESS),
    (study.FROZEN, study.CEILING),
)


def confusion_shares(predictions: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """True and false positives and negatives of each method, per cent of all its images: ``tp, fp, tn, fn``."""
    parts = {
        method: metrics.operating_point(rows["y_true"], rows["p_1"], threshold)[["tp", "fp", "tn", "fn"]]
        / len(rows)
        * 100
        for method, rows in predictions.groupby("method", sort=False)
    }
    return pd.DataFrame(parts).T.astype(float).rename_axis("method")


def named(found: Gathered, parameters: Mapping) -> pd.DataFrame:
    """Predictions of all units under the names that a reader sees.

    Those of the run's protocol have the method's name; those of the others, and of other learning rates, begin with
    `predictions.STUDY`: ``study: by patch, SMOTE before, baseline``, ``study: rate 0.0001, by patient, SMOTE train``.
    """
    units = found.units.set_index("method")
    own = units["split"].eq(parameters["split"]) & units["oversample"].eq(parameters["oversample"])
    how = "by " + units["split"] + ", SMOTE " + units["oversample"]
    names = units["kind"].where(own, predictions.STUDY + how + ", " + units["kind"])
    swept = units["kind"].eq(study.TUNING) & units["rate"].ne(parameters["learning_rate"])
    names = names.mask(swept, predictions.STUDY + "rate " + units["rate"].map("{:g}".format) + ", " + how)
    crafted = predictions.CRAFTED
    titles = {crafted + name: crafted + descriptors.find(name).title for name in parameters["crafted"]}
    return found.predictions.assign(method=found.predictions["method"].map(names.replace(titles)))


def comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of all methods that were tested on the same patches, hand-crafted descriptors among them."""
    return pd.concat([predictions.own(rows), predictions.crafted(rows)], ignore_index=True)


def protocols(rows: pd.DataFrame, parameters: Mapping) -> pd.DataFrame:
    """Rows of the methods that were tested under several protocols, by protocol and method, the honest one first.

    Parameters
    ----------
    rows, parameters
        All predictions of a run, and its parameters.
    """
    others = rows[rows["method"].str.startswith(f"{predictions.STUDY}by ")]
    names = others["method"].str.removeprefix(predictions.STUDY)
    # Runs that were kept before networks were among these name the protocol alone: the forest's.
    names = names.where(names.str.count(", ") > 1, names + f", {study.FOREST}")
    others = others.assign(method=names)
    again = predictions.own(rows)
    again = again[again["method"].isin(names.str.split(", ", n=2).str[2])]
    again = again.assign(method=f"{_protocol(parameters['split'], parameters['oversample'])}, " + again["method"])
    again = again[~again["method"].isin(names)]
    ordered = [_protocol(*one) for one in (study.HONEST, study.BY_PATCH, study.PUBLISHED)]
    both = pd.concat([again, others])
    places = both["method"].map(lambda name: next((k for k, one in enumerate(ordered) if name.startswith(one)), -1))
    return both.iloc[np.argsort(places, kind="stable")]


def answers(rows: pd.DataFrame, draws: int, seed: int) -> dict[str, pd.Series]:
    """What a run says about each claim that it can answer: ``value, low, high`` by the claim's id.

    Parameters
    ----------
    rows
        All predictions of a run.
    draws, seed
        As in `metrics.bootstrap`.
    """
    tested = comparable(rows)
    known = set(tested["method"])
    pairs = {id: pair for id, pair in PAIRS.items() if known.issuperset(pair)}
    areas = metrics.differences(tested, pairs.values(), draws, seed=seed)
    found = {id: areas.loc[(*pair, "auc")] for id, pair in pairs.items()}
    tuned = metrics.summary(tested[tested["method"] == study.TUNING], draws, seed)
    found["tuning_collapses"] = tuned.loc[study.TUNING, "balanced_accuracy"] - 0.5 if len(tuned) else None
    maps = rows[rows["method"].str.startswith(MAP)]
    vgg, colors = (f"{MAP}{name}" for name in ("VGG-16", "color histograms"))
    if {vgg, colors} <= set(maps["method"]):
        votes = metrics.differences(maps, [(vgg, colors)], draws, seed=seed)
        found["features_apart"] = votes.loc[(vgg, colors, "balanced_accuracy")]
    return {id: one for id, one in found.items() if one is not None}


def called(parameters: Mapping) -> dict[str, str]:
    """What a reader is told of the methods of a run, by its parameters: which network, and what it has learned from."""
    shares = {1: "", 0.5: ", half the width", 0.25: ", a quarter of the width", 0.125: ", an eighth of the width"}
    width = shares.get(parameters["width"], f", {parameters['width']:g} of the width")
    learned = {"phantom": "drawings", "imagenet": "photographs", "random": "nothing"}
    vgg = f"VGG-16{width}, from {learned.get(parameters['weights'], 'a file')}"
    return {
        study.SCRATCH: "baseline, from scratch",
        study.FEATURES: f"feature extraction ({vgg})",
        study.TUNING: f"fine-tuning ({vgg})",
        study.FROZEN: "EfficientNet-Lite0, frozen, from photographs",
        study.FOREST: "random forest on color histograms",
        study.DARKNESS: "mean darkness of the patch",
        study.CONSTANT: "the larger class, always",
        study.CEILING: "drawn traits (ceiling; twin only)",
    }


def borrowed(parameters: Mapping[str, Mapping]) -> Markdown:
    """Which VGG-16 each run has, in a sentence, since its name alone would say the paper's: name to parameters."""
    each = "; ".join(f"in *{name}* it is {called(one)[study.TUNING][13:-1]}" for name, one in parameters.items())
    return Markdown(f"The paper's VGG-16 has its full width and has learned from photographs; {each}.")


def stacked(
    published: pd.DataFrame, runs: Mapping[str, pd.DataFrame], scores: Sequence[str], names: Mapping[str, Mapping], rows
) -> pd.DataFrame:
    """Published rows, then those of each run, one below the other.

    Parameters
    ----------
    published
        Index: method; columns: `scores`, text as printed.
    runs
        Name of a run to its `metrics.summary`, in the order of the rows.
    scores
        The columns.
    names
        Name of a run to what a reader is told of its methods (`called`).
    rows
        Methods of the runs, in order; one that a run has not is left out there.

    Returns
    -------
    DataFrame of str
        Index ``source, method``.
    """
    parts = {"published": published.rename(index=_short)}
    for name, summary in runs.items():
        shown = beside.scores(summary, scores, 2)
        parts[name] = shown.loc[[one for one in rows if one in shown.index]].rename(index=names[name])
    table = pd.concat(parts, names=["source", "method"]).fillna("–")
    return table.rename(columns={"auc": "AUC", "f1": "F1", "balanced_accuracy": "balanced accuracy"})


def flagged(
    frame: pd.DataFrame, runs: Mapping[str, pd.DataFrame], names: Mapping[str, Mapping], classes: Sequence[str]
) -> pd.DataFrame:
    """`beside.flagged` of a table of several runs: what gives one answer to everything in one of them is marked."""
    rows = [table.assign(method=table["method"].replace(names[name])) for name, table in runs.items()]
    same = {name for name in metrics.one_answer(pd.concat(rows))}
    return beside.flagged(frame, pd.concat(one[one["method"].isin(same)] for one in rows), classes)


def compared(rows: pd.DataFrame, pairs: Iterable[tuple[str, str]], draws: int, seed: int) -> pd.DataFrame:
    """`beside.against` of the AUC of pairs, those that a run has; index: the pair in words."""
    known = set(rows["method"])
    chosen = [pair for pair in pairs if known.issuperset(pair)]
    table = beside.against(metrics.differences(rows, chosen, draws, seed=seed), "auc")
    return table.set_axis([f"{_short(one)} less {_short(other)}" for one, other in table.index])


def resolved(tables: Mapping[str, pd.DataFrame]) -> Markdown:
    """Which of the comparisons of each run are decided, in a sentence: tables from `compared`."""
    lines = []
    for name, table in tables.items():
        sides = table["whole interval"]
        for side, words in (
            ("above 0", "the first is better"),
            ("below 0", "the first is worse"),
            ("holds 0", "undecided"),
        ):
            found = sides.index[sides == side]
            if len(found):
                lines.append(f"{name}, {words}: {'; '.join(found)}.")
    return Markdown("**What to see:**\n\n" + "\n".join(f"- {line}" for line in lines))


def own_thresholds(runs: Mapping[str, pd.DataFrame], names: Mapping[str, Mapping], draws: int, seed: int) -> pd.Series:
    """Balanced accuracy where each method decides at the threshold that was chosen on its validation part, as text.

    Returns
    -------
    Series of str
        Index ``source, method``; without the runs that have no such threshold.
    """
    found = {}
    for name, rows in runs.items():
        if "threshold" not in rows:
            continue
        decided = (rows["p_1"] >= rows["threshold"]).astype(float)
        summary = metrics.summary(rows.assign(p_0=1 - decided, p_1=decided), draws, seed)
        shown = beside.scores(summary, ["balanced_accuracy"], 2)["balanced_accuracy"]
        found[name] = shown.rename(index=names[name])
    return pd.concat(found, names=["source", "method"])


def times(records: Mapping[str, Mapping], stages: Mapping[str, str], gpu: Sequence[pd.Series]) -> pd.DataFrame:
    """Minutes of training and passes over the training part, published and of each run.

    Parameters
    ----------
    records
        Name of a run to its record: ``stages`` in seconds, ``parameters``.
    stages
        A stage's name to the method that it trains.
    gpu
        Minutes measured on accelerators, by method.
    """
    published = reported.table("idc_transfer", 3).set_index("method")["time"]
    epochs = dict(zip((study.SCRATCH, study.FEATURES, study.TUNING), ("baseline", "features", "tuning")))
    printed = {method: float(reported.value("idc_transfer", f"{name}_epochs")) for method, name in epochs.items()}
    columns = {("published", "min"): published, ("published", "passes"): pd.Series(printed)}
    for name, record in records.items():
        taken = {method: record["stages"].get(stage, np.nan) / 60 for stage, method in stages.items()}
        passes = {method: record["parameters"][f"epochs_{part}"] for method, part in epochs.items()}
        columns |= {(name, "min"): pd.Series(taken), (name, "passes"): pd.Series(passes)}
    columns |= {(one.name, "min"): one for one in gpu}
    table = pd.DataFrame(columns)
    whole = [column for column in table if column[1] == "passes"]
    return table.astype(dict.fromkeys(whole, int))


def rates(runs: Mapping[str, pd.DataFrame], parameters: Mapping[str, Mapping], draws: int, seed: int) -> pd.DataFrame:
    """Balanced accuracy of fine-tuning by learning rate and protocol, first training.

    Parameters
    ----------
    runs, parameters
        Name of a run to all its predictions, and to its parameters.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame
        ``run, rate, protocol, value, low, high``, sorted by rate.
    """
    found = [_rates(runs[name], parameters[name], draws, seed).assign(run=name) for name in runs]
    return pd.concat(found).sort_values("rate", kind="stable")


def _rates(rows: pd.DataFrame, parameters: Mapping, draws: int, seed: int) -> pd.DataFrame:
    own, published = _protocol(parameters["split"], parameters["oversample"]), _protocol(*study.PUBLISHED)
    rate = f"rate {parameters['learning_rate']:g}"
    names = {study.TUNING: f"{rate}, {own}"}
    names |= {f"{predictions.STUDY}{published}, {study.TUNING}": f"{rate}, {published}"}
    swept = rows[rows["method"].isin(names) | rows["method"].str.startswith(f"{predictions.STUDY}rate ")]
    if "seed" in swept:
        swept = swept[swept["seed"].eq(swept["seed"].iloc[0])]
    swept = swept.assign(method=swept["method"].replace(names).str.removeprefix(predictions.STUDY))
    scores = metrics.summary(swept, draws, seed).xs("balanced_accuracy", level="score").reset_index()
    parts = scores["method"].str.removeprefix("rate ").str.split(", ", n=1, expand=True)
    return scores.assign(rate=parts[0].astype(float), protocol=parts[1]).sort_values(["rate", "protocol"])


def collapsed(table: pd.DataFrame) -> Markdown:
    """At which learning rates fine-tuning is no better than one answer to everything, in sentences: from `rates`."""
    lines = []
    for (run, protocol), part in table.groupby(["run", "protocol"], sort=False):
        chance, fine = part[part["low"] <= 0.5], part[part["low"] > 0.5]
        said = "at none of these rates" if chance.empty else "at " + ", ".join(map("{:g}".format, chance["rate"]))
        best = fine.loc[fine["value"].idxmax()] if len(fine) else None
        highest = "" if best is None else f"; the highest is {beside.interval(best, 2)} at {best['rate']:g}"
        lines.append(f"- {run}, split {protocol}: the interval reaches one half {said}{highest}.")
    return Markdown("**What to see:**\n\n" + "\n".join(lines))


def published_protocol(
    runs: Mapping[str, pd.DataFrame], parameters: Mapping[str, Mapping], draws: int, seed: int
) -> pd.DataFrame:
    """Accuracy of the paper's networks, split by patch after SMOTE on everything, beside the published accuracy.

    Parameters
    ----------
    runs, parameters
        Name of a run to all its predictions, and to its parameters; runs whose networks were not trained so are left
        out.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame
        Index ``source, method``; ``published``, and ``value, low, high`` of the accuracy.
    """
    printed = reported.printed("idc_transfer", 3).set_index("method")["accuracy"].astype(float)
    found = {}
    for name, rows in runs.items():
        tested = protocols(rows, parameters[name])
        names = {f"{_protocol(*study.PUBLISHED)}, {kind}": kind for kind in study.NETWORKS}
        tested = tested[tested["method"].isin(names)]
        if len(tested):
            found[name] = metrics.summary(tested, draws, seed).xs("accuracy", level="score").rename(names)
    if not found:
        return pd.DataFrame(columns=["published", "value", "low", "high"])
    table = pd.concat(found, names=["source", "method"])
    return table.assign(published=printed.reindex(table.index.get_level_values("method")).to_numpy())


def came_back(table: pd.DataFrame) -> Markdown:
    """Which of the published accuracies come back under the published protocol, in sentences: `published_protocol`."""
    lines = []
    for name, part in table.groupby("source", sort=False):
        each = [
            f"{_short(method)} {beside.interval(row, 2)}, published {row['published']:.2f} "
            + ("(inside)" if row["low"] <= row["published"] <= row["high"] else "(outside)")
            for (_, method), row in part.iterrows()
        ]
        lines.append(f"- {name}: {'; '.join(each)}.")
    said = "\n".join(lines) or "No run here has trained the networks so (parameter `protocols_of`)."
    return Markdown(
        "**Do the published accuracies come back**, if patches are divided by patch after SMOTE on everything, as the "
        f"paper's Table 2 suggests?\n\n{said}"
    )


def gaps(histories: Mapping[str, pd.DataFrame]) -> Markdown:
    """By how much networks know their training part better than the validation part, in a sentence."""
    last = {name: one[["accuracy", "val_accuracy"]].iloc[-1] for name, one in histories.items()}
    gap = pd.Series({name: row["accuracy"] - row["val_accuracy"] for name, row in last.items()})
    each = ", ".join(f"{value:+.2f} ({_short(name)})" for name, value in gap.items())
    widest = gap.idxmax()
    told = (
        f"Where the gap is widest, {_short(widest)}, the network knows its training patients by heart."
        if gap[widest] > 0.1
        else "No gap is wider than 0.1: no network knows its training patients by heart."
    )
    return Markdown(
        f"**What to see** (Figs. 7, 8 and 10 of the paper): after the last pass the accuracy on the training part less "
        f"that on the validation part is {each}. {told} Training patches are augmented for the baseline and partly "
        "synthetic for all, validation patches are neither, so that the curves need not meet."
    )


def leaked(tables: Mapping[str, pd.DataFrame]) -> Markdown:
    """How much the protocols by patch add to the scores of one method, in a sentence: tables from `beside.leak`."""
    lines = []
    for name, table in tables.items():
        parts = table.index.to_series().str.rsplit(", ", n=1)
        for method, rows in table.groupby(parts.str[1], sort=False):
            honest, last = rows.iloc[0], rows.iloc[-1]
            protocol = last.name.rpartition(", ")[0]
            lines.append(
                f"{name}, {_short(method)}: AUC {honest['auc']}, F1 at one half {honest['F1 at one half']} "
                f"in the first row, {last['auc']}, {last['F1 at one half']} in the last ({protocol})."
            )
    return Markdown("**What to see:**\n\n" + "\n".join(f"- {line}" for line in lines))


def _short(method: str) -> str:
    return {study.FROZEN: "EfficientNet-Lite0", study.TUNING: "fine-tuning"}.get(method, method.replace("_", " "))


def _protocol(split: str, oversample: str) -> str:
    return f"by {split}, SMOTE {oversample}"
