"""Transfer in two stages: the new head on a frozen backbone first, then head and last blocks together.

Chougrad et al. 2018, sections 2.2.3, 2.2.4 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import pandas as pd

from histolib import models, training

STRATEGIES = (0, 1, 2, 3, "all")
PLATEAU = 5  # epochs without a smaller validation loss before the rate is divided by ten; not published
MOMENTUM = 0.9  # of stochastic gradient descent; not published


@dataclass(frozen=True)
class Schedule:
    """How long and how fast the two stages learn; the defaults are the published values.

    Attributes
    ----------
    epochs_head, epochs_tuning
        Passes of the first stage, and at most so many of the second.
    batch_size
        Images per step.
    learning_rate
        First rate of the second stage, divided by 10 whenever the validation loss stops falling.
    patience
        Epochs without a smaller validation loss after which the second stage ends.
    """

    epochs_head: int = 30
    epochs_tuning: int = 90
    batch_size: int = 128
    learning_rate: float = 1e-4
    patience: int = 20


def fit(
    model: keras.Model,
    backbone: keras.Model,
    blocks: int | str,
    images,
    labels,
    validation: tuple,
    schedule: Schedule,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> training.Fit:
    """Train the head with Adam on a frozen backbone, then the last blocks too by stochastic gradient descent.

    Parameters
    ----------
    model
        From `models.transfer`.
    backbone
        The one inside `model`.
    blocks
        Blocks to fine-tune (0: the first stage only), counted from the end, or ``"all"``.
    images, labels
        Training part, uint8 (N, H, W, 3) and (N,).
    validation
        Images and labels that decide when the rate falls and when the second stage ends; its best weights are kept.
    schedule
        Epochs and rates.
    seed
        Seed of the order of the images.
    say
        Receives one line per epoch.

    Returns
    -------
    training.Fit
        Its history has a column ``stage``: ``head`` or ``tuning``.

    Raises
    ------
    ValueError
        Unknown `blocks`.
    """
    if blocks not in STRATEGIES:
        raise ValueError(f"blocks={blocks!r}: expected one of {', '.join(map(repr, STRATEGIES))}")
    models.unfreeze(backbone, 0)
    shared = {
        "images": images,
        "labels": labels,
        "validation": validation,
        "batch_size": schedule.batch_size,
        "whole_batches": True,
    }
    first = training.fit(model, epochs=schedule.epochs_head, optimizer=keras.optimizers.Adam(), seed=seed, say=say,
                         **shared)  # fmt: skip
    if blocks == 0:
        return training.Fit(model, first.history.assign(stage="head"), first.seconds)
    models.unfreeze(backbone, blocks)
    watch = [
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=PLATEAU),
        keras.callbacks.EarlyStopping("val_loss", patience=schedule.patience, restore_best_weights=True),
    ]
    descent = keras.optimizers.SGD(schedule.learning_rate, momentum=MOMENTUM)
    second = training.fit(model, epochs=schedule.epochs_tuning, optimizer=descent, seed=seed + 1, say=say,
                          callbacks=watch, **shared)  # fmt: skip
    history = pd.concat([first.history.assign(stage="head"), second.history.assign(stage="tuning")])
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return training.Fit(model, history, first.seconds + second.seconds)
