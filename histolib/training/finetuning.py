"""Transfer in two stages: the new head on a frozen backbone first, then head and last blocks together.

Chougrad et al. 2018, sections 2.2.3, 2.2.4 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

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


def fit_head(
    model: keras.Model,
    backbone: keras.Model,
    images,
    labels,
    validation: tuple,
    schedule: Schedule,
    seed: int = 0,
    say: Callable[[str], None] = print,
    reuse: keras.Model | None = None,
) -> training.Fit:
    """The first stage: train the head with Adam on a frozen backbone.

    Parameters
    ----------
    model, backbone
        From `models.transfer`, and the one inside it.
    images, labels, validation
        Training part, uint8 (N, H, W, 3) and (N,), and such a pair that is looked at after every epoch.
    schedule
        Epochs and rates.
    seed, say, reuse
        As of `training.fit`.

    Returns
    -------
    training.Fit
        Its history has a column ``stage``: ``head``.
    """
    models.unfreeze(backbone, 0)
    fit = training.fit(model, images, labels, validation, schedule.epochs_head, schedule.batch_size,
                       optimizer=keras.optimizers.Adam(), seed=seed, say=say, reuse=reuse)  # fmt: skip
    return replace(fit, history=fit.history.assign(stage="head"))


def fit_blocks(
    model: keras.Model,
    backbone: keras.Model,
    blocks: int | str,
    first: training.Fit,
    images,
    labels,
    validation: tuple,
    schedule: Schedule,
    seed: int = 0,
    say: Callable[[str], None] = print,
    reuse: keras.Model | None = None,
) -> training.Fit:
    """The second stage: train the last blocks and the head together by stochastic gradient descent.

    Every number of blocks starts from the same first stage, which is therefore run once and left as it is.

    Parameters
    ----------
    model, backbone
        Built as those of the first stage; `model` takes over the weights of that stage.
    blocks
        Blocks to fine-tune, counted from the end, at least 1, or ``"all"``; else a ValueError.
    first
        From `fit_head`; its other parameters as there.
    validation
        Images and labels that decide when the rate falls and when the stage ends; its best weights are kept.
    reuse
        As of `training.fit`: the network of an earlier second stage with as many blocks.

    Returns
    -------
    training.Fit
        Of both stages; its history has a column ``stage``: ``head`` or ``tuning``.
    """
    if blocks not in STRATEGIES[1:]:
        raise ValueError(f"blocks={blocks!r}: expected one of {', '.join(map(repr, STRATEGIES[1:]))}")
    model.set_weights(first.model.get_weights())
    models.unfreeze(backbone, blocks)
    watch = [
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=PLATEAU),
        keras.callbacks.EarlyStopping("val_loss", patience=schedule.patience, restore_best_weights=True),
    ]
    descent = keras.optimizers.SGD(schedule.learning_rate, momentum=MOMENTUM)
    second = training.fit(model, images, labels, validation, schedule.epochs_tuning, schedule.batch_size,
                          optimizer=descent, seed=seed + 1, say=say, callbacks=watch, reuse=reuse)  # fmt: skip
    history = pd.concat([first.history, second.history.assign(stage="tuning")])
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return training.Fit(second.model, history, first.seconds + second.seconds)
