"""Scores of the patch chapter: of patches, images and patients, with one setting or another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from histolib import metrics
from histolib.metrics import aggregation
from studybook.engine.units import Gathered
from studybook.papers.breakhis_patches.patch_data import WHOLE
from studybook.published import beside

SETTINGS = ("network", "structure", "contrast", "cropping", "share", "regularization")
SHOWN = (
    ("patch", "auc"), ("image", "accuracy"), ("image", "precision"), ("image", "f1"), ("patient", "accuracy"),
)  # fmt: skip
# Of methods, some of which know one class only.
SHOWN_OF_METHODS = (*SHOWN[:2], ("image", "balanced_accuracy"), *SHOWN[3:])
RAW = "ResNet on raw images"


def joined(n: int = 3) -> Callable[[pd.DataFrame, Mapping], pd.DataFrame]:
    """What `units.gather` keeps of the patches of a unit: images, and the answer that each rule makes of their patches.

    Millions of patches would not fit into memory. All that is shown of images and patients follows from these rows, of
    this run as of a kept one; patches are read again, those of one method at a time, where they are scored themselves.

    Parameters
    ----------
    n
        Of ``exist-n``.

    Returns
    -------
    callable
        From predictions of patches and the facts of their unit (``malignant share``, the prior of the sum rule) to one
        row per image: ``method, fold, image_id, patient, y_true, p_0, p_1`` by averaging, ``patches``, their number,
        and for each of `aggregation.RULES` a column with its probability of class 1.
    """

    def of_unit(patches: pd.DataFrame, facts: Mapping) -> pd.DataFrame:
        share = facts["malignant share"]
        priors = {"sum": (1 - share, share)}
        by = {rule: aggregation.aggregate(patches, "image", rule, n, prior=priors.get(rule))
              for rule in aggregation.RULES}  # fmt: skip
        each = patches.groupby("image_id", sort=False).size().to_numpy()
        return by["average"].assign(patches=each, **{rule: images["p_1"] for rule, images in by.items()})

    return of_unit


def by_rule(images: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Rows from `joined` with the answer of one rule as ``p_0, p_1``."""
    return images.assign(p_0=(1 - images[rule]).round(6), p_1=images[rule])


def levels(images: pd.DataFrame, rule: str = "average", n: int = 3) -> dict[str, pd.DataFrame]:
    """Images as one rule answers, and what it makes of them for patients; `images` from `joined`, `n` as there."""
    answered = by_rule(images, rule)
    return {"image": answered, "patient": aggregation.aggregate(answered, "patient", rule, n)}


def scores(found: Gathered, by_level: Mapping[str, pd.DataFrame], draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Scores of all units, of patches and at each level, with intervals by patient; folds are put together.

    Parameters
    ----------
    found
        All units.
    by_level
        From `levels`.
    draws, seed
        As in `metrics.summary`.

    Returns
    -------
    DataFrame
        Index ``method, level, score``; ``value, low, high``.
    """
    methods = list(dict.fromkeys(found.units["method"]))
    parts = {"patch": pd.concat([metrics.summary(found.saved(method=name), draws, seed) for name in methods])}
    parts |= {level: metrics.summary(rows, draws, seed) for level, rows in by_level.items()}
    return pd.concat(parts, names=["level"]).reorder_levels(["method", "level", "score"]).loc[methods]


def varied(found: Gathered, name: str) -> pd.DataFrame:
    """The units that differ from the base setting in one setting only, the base first, each in its first training.

    Parameters
    ----------
    found
        All units.
    name
        One of `SETTINGS`. Earlier methods (``"network"``) differ from the base in structure, contrast and cropping too;
        they see raw images, so the base network on raw images, if the run has it, stands beside them as `RAW`.

    Returns
    -------
    DataFrame
        Rows of ``found.units`` without repeated methods, ``variant`` (text) and the column ``at``, such as ``40×``.

    Raises
    ------
    ValueError
        Unknown `name`.
    """
    if name not in SETTINGS:
        raise ValueError(f"name={name!r}: expected one of {', '.join(SETTINGS)}")
    units = found.units[found.units["training"] == 0].drop_duplicates("method")
    first = units[units["saved"]].iloc[0]
    free = {name} | ({"structure", "contrast", "cropping"} if name == "network" else set())
    same = pd.Series(True, units.index)
    for other in set(SETTINGS) - free:
        same &= units[other] == first[other]
    raw = pd.Series(name == "network", units.index) & ~units["saved"] & (units["contrast"] == "raw")
    for other in ("network", "structure", "cropping"):
        raw &= units[other] == first[other]
    same &= units["saved"] | (units[name] != first[name]) | raw
    chosen = units[same].sort_values("saved", ascending=False, kind="stable")
    variant = chosen[name].astype(str).mask(raw[same], RAW)
    return chosen.assign(variant=variant, at=chosen["magnification"].map("{}×".format)).sort_values(
        "magnification", kind="stable"
    )


def votes(found: Gathered, chosen: pd.DataFrame, tidy: pd.DataFrame, digits: int = 2) -> pd.DataFrame:
    """`wide`, and before the scores how many patches of each tested image were predicted.

    Parameters
    ----------
    found
        All units.
    chosen, tidy
        From `varied` and `of_variants`.
    digits
        Decimal places.

    Returns
    -------
    DataFrame
        As `wide` gives it; its first column is ``patches per tested image``.
    """
    table = wide(tidy, digits)
    each = found.predictions.groupby("method")["patches"].mean()
    counts = {(row.at, row.variant): round(each[row.method]) for row in chosen.itertuples()}
    table.insert(0, "patches per tested image", [counts[place] for place in table.index])
    return table


def of_variants(chosen: pd.DataFrame, table: pd.DataFrame, shown: Sequence = SHOWN) -> pd.DataFrame:
    """Scores of some units, tidy, for `plots.grouped`.

    Parameters
    ----------
    chosen
        From `varied`.
    table
        From `scores`.
    shown
        Pairs of a level and a score.

    Returns
    -------
    DataFrame
        ``magnification`` (text)``, variant, method, score`` (such as ``image accuracy``)``, value, low, high``. NaN for
        patches of a method that sees whole images.
    """
    rows = []
    for level, score in shown:
        for _, unit in chosen.iterrows():
            values = table.loc[(unit["method"], level, score)]
            if level == "patch" and unit["cropping"] == WHOLE:
                values = values * float("nan")
            name = {"magnification": unit["at"], "variant": unit["variant"], "method": unit["method"],
                    "score": _named(level, score)}  # fmt: skip
            rows.append(name | values.to_dict())
    return pd.DataFrame(rows)


def wide(tidy: pd.DataFrame, digits: int = 2, flags: Collection[str] = ()) -> pd.DataFrame:
    """The same as text, one row per magnification and variant, one column per score; methods of `flags` are marked."""
    marked = tidy["method"].isin(flags) if len(flags) else pd.Series(False, tidy.index)
    tidy = tidy.assign(variant=tidy["variant"].where(~marked, tidy["variant"] + " ⚑ one answer"))
    text = tidy.assign(text=tidy.apply(beside.interval, axis=1, digits=digits))
    table = text.pivot(index=["magnification", "variant"], columns="score", values="text")
    order = list(dict.fromkeys(zip(tidy["magnification"], tidy["variant"], strict=True)))
    return table.loc[order, list(dict.fromkeys(tidy["score"]))]


def structures(built: Mapping) -> pd.DataFrame:
    """Weights of networks, and height, width and number of their first feature maps; `built`: a name to a network."""
    return pd.DataFrame({
        name: {"weights": model.count_params(),
               "first maps": "×".join(map(str, model.get_layer("relu1").output.shape[1:]))}
        for name, model in built.items()
    }).T  # fmt: skip


def rules(found: Gathered, units: pd.DataFrame, n: int = 3, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every rule of aggregation on the same patches, of images and of patients; `n` of ``"exist-n"`` as in `joined`.

    Parameters
    ----------
    found
        All units.
    units
        Whose patches: one of each magnification, such as those of `varied` with the base setting.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame
        ``magnification, variant`` (the rule)``, score, value, low, high``, as `of_variants` gives it: accuracy,
        precision, sensitivity and F1 of images, accuracy of patients.
    """
    shown = [("image", name) for name in ("accuracy", "precision", "sensitivity", "f1")] + [("patient", "accuracy")]
    parts = []
    for _, unit in units.iterrows():
        rows = found.predictions[found.predictions["method"] == unit["method"]]
        for rule in aggregation.RULES:
            by = levels(rows, rule, n)
            table = {level: metrics.bootstrap(part, draws=draws, seed=seed) for level, part in by.items()}
            name = rule.replace("-n", f"-{n}")
            parts += [{"magnification": unit["at"], "variant": name, "score": _named(level, score)}
                      | table[level].loc[score].to_dict() for level, score in shown]  # fmt: skip
    return pd.DataFrame(parts)


def _named(level: str, score: str) -> str:
    return f"{level} {score.replace('auc', 'AUC').replace('f1', 'F1').replace('_', ' ')}"
