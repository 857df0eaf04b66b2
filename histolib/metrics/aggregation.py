"""From patches to images and from images to patients: rules that make one answer of many."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histolib.metrics import predictions as predicted

RULES = ("sum", "vote", "average", "exist", "exist-n")


def aggregate(
    predictions: pd.DataFrame,
    by: str = "image",
    rule: str = "sum",
    n: int = 3,
    threshold: float = 0.5,
    prior: Sequence[float] | None = None,
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """One answer per image or per patient from those for its parts.

    With ``P(k | x)`` the probability of class k of two or more for the part x (a patch, or an image of a patient), R
    parts, and m(k) the mean of ``P(k | x)`` over them:

    - ``"average"``: the class with the largest m(k); each part votes with its probability.
    - ``"sum"``: Kittler et al. 1998, "On combining classifiers", derive the sum rule from independent parts whose
      posteriors lie near the priors P(k): the class with the largest ``(1 - R) P(k) + R m(k)``. What a part says counts
      as far as it differs from the prior. With equal priors, or a single part, the answer is that of ``"average"``.
    - ``"vote"``: plurality; the class that most parts are given to.
    - ``"exist"``: class 1 if one part is given to it. Two classes.
    - ``"exist-n"``: class 1 if n parts are; where there are fewer than n parts, if all of them are. Two classes.

    A part is given to class 1 of two if its probability is at least `threshold`, to one of more classes if it is the
    most probable, the first of equals. Ties of the answer go as in `metrics.scores`: to class 1 of two classes, to the
    first of more.

    The columns ``p_0 .. p_k`` of the result are scores from 0 to 1 with the sum 1, so that `metrics.scores` with its
    threshold of 0.5 gives the decision of the rule, and its AUC the order. They are not probabilities of having class
    k, but for ``"average"``: ``"vote"`` gives the share of votes; ``"exist"`` the largest, ``"exist-n"`` the n-th
    largest p_1, stretched on both sides of `threshold` so that it comes to lie at 0.5; ``"sum"`` m(k) less
    ``(1 - 1/R)(P(k) - 1/K)`` for K classes, drawn towards 1/K so far that none can be negative.

    Parameters
    ----------
    predictions
        Columns ``method, fold, image_id, patient, y_true, p_0 .. p_k``, and ``patch_id`` if the rows are patches.
    by
        ``"image"``: patches to images. ``"patient"``: images to patients; if the rows are patches, these to images
        first, by the same rule.
    rule, n
        One of `RULES`; n of ``"exist-n"``.
    threshold
        From which on a part is given to class 1 of two; of ``"vote"``, ``"exist"`` and ``"exist-n"``.
    prior
        P(k), shares of the classes among the *training* patches; of ``"sum"``. None: all alike. From patches to
        patients, `threshold` and `prior` are those of patches; the images' scores have theirs at 0.5 and alike.
    keep
        Further columns that keep groups apart and stay in the result, such as ``magnification`` or ``seed``.

    Returns
    -------
    DataFrame
        ``method, fold``, the columns of `keep`, ``image_id, patient, y_true, p_0 .. p_k``, in the order in which the
        groups first come; of patients, ``image_id`` is the patient. Scores have six digits, as in `predictions.table`.

    Raises
    ------
    ValueError
        Options that are unknown, out of range or of another rule; missing columns; no row; probabilities out of range;
        more than two classes with the exist rules; an image of two patients; parts of one image or patient with
        different classes, or listed twice.
    """
    _check_options(by, rule, n, threshold)
    names = _check_table(predictions, by, rule, keep)
    prior = _checked_prior(prior, rule, len(names))
    if by == "image":
        return _combined(predictions, "image_id", "patch_id", names, rule, n, threshold, prior, keep)
    if "patch_id" in predictions:
        predictions = _combined(predictions, "image_id", "patch_id", names, rule, n, threshold, prior, keep)
        # What the images' scores are compared with is in the scores now.
        threshold, prior = 0.5, np.full(len(names), 1 / len(names))
    return _combined(predictions, "patient", "image_id", names, rule, n, threshold, prior, keep)


def _combined(rows, group: str, part: str, names, rule: str, n: int, threshold: float, prior, keep) -> pd.DataFrame:
    """One row per `group`, from rows that are one `part` each."""
    keys = ["method", "fold", *keep, group]
    _check_groups(rows, keys, group, part)
    codes = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    first = rows.loc[~pd.Series(codes, rows.index).duplicated()]
    scores = _scores(predicted.scores_of(rows), codes, rule, n, threshold, prior)
    result = first[[*keys[:-1], "image_id", "patient", "y_true"]].reset_index(drop=True)
    if group == "patient":
        result["image_id"] = result["patient"]
    return result.assign(**{name: np.round(column, 6) for name, column in zip(names, scores.T, strict=True)})


def _scores(p: np.ndarray, codes: np.ndarray, rule: str, n: int, threshold: float, prior: np.ndarray) -> np.ndarray:
    """Scores of each group, (groups, classes), from probabilities (parts, classes) and each part's group."""
    count, classes = np.bincount(codes), p.shape[1]
    if rule.startswith("exist"):
        n = 1 if rule == "exist" else n
        order = np.lexsort((-p[:, 1], codes))
        nth = np.cumsum(count) - count + np.minimum(n, count) - 1
        value = p[order, 1][nth]
        low, high = value / (2 * threshold), 1 - (1 - value) / (2 * (1 - threshold))
        score = np.where(value < threshold, low, high)
        return np.column_stack([1 - score, score])
    if rule == "vote":
        chosen = (p[:, 1] >= threshold).astype(int) if classes == 2 else p.argmax(axis=1)
        p = np.eye(classes)[chosen]
    mean = np.column_stack([np.bincount(codes, column) for column in p.T]) / count[:, None]
    if rule != "sum":
        return mean
    even = 1 / classes
    shifted = mean - (1 - 1 / count[:, None]) * (prior - even)
    # The lowest value that can be is even - max(prior): this factor, one for all groups, brings it to 0.
    return even + (shifted - even) * even / prior.max()


def _check_options(by: str, rule: str, n: int, threshold: float) -> None:
    if by not in ("image", "patient"):
        raise ValueError(f"by={by!r}: expected 'image' or 'patient'")
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: expected one of {', '.join(RULES)}")
    if n < 1 or not 0 < threshold < 1:
        raise ValueError(f"n={n}, threshold={threshold}: expected at least 1, and a number between 0 and 1")


def _check_table(rows: pd.DataFrame, by: str, rule: str, keep: Sequence[str]) -> list[str]:
    """Names of the columns of probabilities, in the order of the classes."""
    needed = [*predicted.KEYS, "p_0", "p_1", *keep, *(["patch_id"] if by == "image" else [])]
    missing = [name for name in needed if name not in rows]
    if missing:
        raise ValueError(f"column {', '.join(missing)} is missing; found {', '.join(map(str, rows))}")
    if not len(rows):
        raise ValueError("no row to aggregate; expected at least 1")
    p = predicted.scores_of(rows)
    if not np.isfinite(p).all() or p.min() < 0 or p.max() > 1 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("probabilities must be finite, from 0 to 1, and sum to 1 in each row")
    if rule.startswith("exist") and p.shape[1] != 2:
        raise ValueError(f"rule={rule!r} needs two classes, not {p.shape[1]}; predictions.two_classes makes them two")
    return [f"p_{k}" for k in range(p.shape[1])]


def _checked_prior(prior: Sequence[float] | None, rule: str, classes: int) -> np.ndarray:
    if prior is None:
        return np.full(classes, 1 / classes)
    p = np.asarray(prior, np.float64)
    if rule != "sum":
        raise ValueError(f"prior={list(prior)}: rule={rule!r} has no use for it; expected None")
    if p.shape != (classes,) or not np.isfinite(p).all() or p.min() <= 0 or abs(p.sum() - 1) > 1e-3:
        raise ValueError(f"prior={list(prior)}: expected {classes} shares above 0 with the sum 1")
    return p / p.sum()


def _check_groups(rows: pd.DataFrame, keys: list[str], group: str, part: str) -> None:
    grouped = rows.groupby(keys, sort=False, dropna=False)
    for name in ("y_true", "patient"):
        mixed = grouped[name].nunique(dropna=False) > 1
        if mixed.any():
            one = mixed.idxmax()
            found = sorted(grouped.get_group(one)[name].unique().tolist())
            raise ValueError(
                f"{group} {one[-1]} (method {one[0]}): {name} is {' and '.join(map(str, found))}; expected one"
            )
    # A patch belongs to an image: two images may number their patches alike.
    twice = rows.duplicated([*keys, part])
    if twice.any():
        row = rows[twice].iloc[0]
        raise ValueError(f"{group} {row[group]} (method {row['method']}): {part} {row[part]} comes twice")
