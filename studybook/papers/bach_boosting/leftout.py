"""What is left of the fusion without one kind of variety, and which carcinomas a method misses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from histolib.metrics import predictions as predicted
from histolib.metrics.fusion import FUSION, fuse


def ablations(rows: pd.DataFrame) -> pd.DataFrame:
    """The fusion, and what is left of it where one kind of variety is left out.

    Parameters
    ----------
    rows
        Predictions of all kinds of descriptor and seeds: tables of `findings.of_seeds`, one below the other.

    Returns
    -------
    DataFrame
        Fused predictions of the methods ``fusion``, ``one seed``, ``crop size <size> alone``, ``<encoder> alone`` and,
        for no fusion but that over seeds, ``<encoder>-<crop size> alone``. What is the same as an earlier one (the only
        crop size, for example) is left out.

    Raises
    ------
    ValueError
        If a method is not named ``<encoder>-<crop size>``; as `fuse`.
    """
    named = rows["method"].str.rpartition("-")
    encoder, size = named[0], named[2]
    if (encoder == "").any():
        found = rows.loc[encoder == "", "method"].iloc[0]
        raise ValueError(f"method {found!r}: expected a name of the form <encoder>-<crop size>")
    chosen = {FUSION: pd.Series(True, rows.index), "one seed": rows["seed"] == rows["seed"].iloc[0]}
    chosen |= {f"crop size {value} alone": size == value for value in size.unique()}
    for column in (encoder, rows["method"]):
        chosen |= {f"{value} alone": column == value for value in column.unique()}
    parts, before = [], set()
    for name, kept in chosen.items():
        if kept.to_numpy().tobytes() not in before:
            parts.append(fuse(rows[kept], name))
            before.add(kept.to_numpy().tobytes())
    return pd.concat(parts, ignore_index=True)


def missed(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    positive: Collection[int] = (2, 3),
    threshold: float = 0.5,
    rule: str = "max",
) -> pd.DataFrame:
    """Images of each positive class that a decision between two groups of classes does not find.

    Parameters
    ----------
    predictions
        Rows of one or more methods, with the probabilities of all classes.
    classes
        Names of the classes.
    positive, rule
        As in `predictions.two_classes`; for BACH the carcinomas.
    threshold
        An image is found if the probability of its group is at least this.

    Returns
    -------
    DataFrame
        Index ``method, class``; ``images``, ``missed`` (numbers) and ``share`` (missed of images).
    """
    known = predicted.scores_of(predictions).shape[1]
    if len(classes) != known:
        raise ValueError(f"classes={list(classes)}: {len(classes)} names for the probabilities of {known} classes")
    below = predicted.two_classes(predictions, positive, rule)["p_1"] < threshold
    counts = {}
    for method in predictions["method"].unique():
        for k in sorted(set(positive)):
            chosen = (predictions["method"] == method) & (predictions["y_true"] == k)
            counts[method, classes[k]] = {"images": chosen.sum(), "missed": (chosen & below).sum()}
    table = pd.DataFrame(counts, dtype=int).T.rename_axis(["method", "class"])
    return table.assign(share=table["missed"] / table["images"])
