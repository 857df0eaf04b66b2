"""The file in which the challenge takes answers for its test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import cache


def write(path: Path | str, files: Sequence[str], probabilities: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Write the answers for unlabeled test images as a challenge takes them, whole or not at all, and return them.

    One row per image and no header: the name of the file (``test7.tif``) and the name of the most probable class,
    sorted by the number in the name.

    Parameters
    ----------
    path
        File to write.
    files
        Names of the images with their endings, ``test<number>.<ending>``.
    probabilities
        (images, classes), in the same order.
    classes
        Names of the classes.

    Returns
    -------
    DataFrame
        Columns ``file`` and ``class``.

    Raises
    ------
    ValueError
        A name of another form or a number that comes twice; probabilities of another shape or not finite.
    """
    p, names = np.asarray(probabilities, np.float64), pd.Series(list(files), dtype=str)
    if p.shape != (len(names), len(classes)) or not np.isfinite(p).all():
        expected = f"({len(names)} images, {len(classes)} classes)"
        raise ValueError(f"probabilities of shape {p.shape}: expected finite ones, {expected}")
    numbers = names.str.extract(r"^test_?(\d+)\.\w+$", expand=False)
    if numbers.isna().any():
        raise ValueError(f"{names[numbers.isna()].iloc[0]!r}: expected a name like test7.tif")
    numbers = numbers.astype(np.int64).sort_values()
    if numbers.duplicated().any():
        raise ValueError(f"image {numbers[numbers.duplicated()].iloc[0]} comes twice")
    answers = pd.DataFrame({"file": names, "class": np.array(classes)[p.argmax(1)]}).loc[numbers.index]
    with cache.atomic_file(path) as part:
        answers.to_csv(part, index=False, header=False, lineterminator="\n")
    return answers.reset_index(drop=True)
