"""How much the classes of a twin overlap: the one rule behind `difficulty`, for every drawing.

The distance between the classes' means is divided by the difficulty: 1 is the drawing as each module describes it,
above 1 the classes come closer, below 1 they move apart. A number that is drawn around a mean of its class follows the
rule by `shift`. Architecture has no mean: where it tells the class, 1 - 1/difficulty of the fields keep their
label and show what is drawn for a class taken at random (`shown`), and the mean over a class of anything that can be
measured lies 1/difficulty as far from the mean over all. No field can borrow less than none; below 1, a carcinoma's
nuclei move away from healthy ones instead (`apart`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from studybook.twins.nuclei import Nuclei

_FARTHEST = 3.0  # times the distance of nuclei: larger ones do not fit into the ducts that are drawn
_UNEVEN = 0.6  # standard deviation of the logarithm of radii, for the same reason


def closeness(difficulty: float) -> float:
    """What distances between classes are multiplied by; a ValueError unless `difficulty` is above 0."""
    if not difficulty > 0:
        raise ValueError(f"difficulty: {difficulty} found, a number above 0 is right")
    return 1 / difficulty


def shift(own: float, common: float, difficulty: float) -> float:
    """How far a class mean `own` moves, away from or toward the mean over the classes; 0 at difficulty 1."""
    return (closeness(difficulty) - 1) * (own - common)


def shown(own: object, choices: Sequence, difficulty: float, stream: Sequence[int]) -> object:
    """What a field with the label `own` shows: that, or one of `choices`, as the share that borrows has it.

    `stream` seeds random numbers that nothing else is drawn from: a field that borrows at one difficulty does so, from
    the same class, at every higher one, and the others are not changed.
    """
    rng = np.random.default_rng(stream)
    return own if rng.random() < closeness(difficulty) else choices[int(rng.integers(len(choices)))]


def apart(nuclei: Nuclei, healthy: Nuclei, difficulty: float) -> Nuclei:
    """Nuclei of a carcinoma, with radius and pleomorphism further from `healthy` ones below difficulty 1."""
    more = min(max(closeness(difficulty), 1.0), _FARTHEST) - 1
    radius = nuclei.radius + more * (nuclei.radius - healthy.radius)
    uneven = nuclei.pleomorphism + more * (nuclei.pleomorphism - healthy.pleomorphism)
    return replace(
        nuclei,
        spacing=nuclei.spacing * (radius / nuclei.radius),
        radius=radius,
        pleomorphism=min(max(uneven, 0.0), _UNEVEN),
    )
