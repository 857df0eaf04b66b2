"""A compiled network used for another training: most of the time of a short training goes into compiling."""

from collections import OrderedDict
from collections.abc import Hashable

import keras

_LIMIT = 8
_COMPILED: OrderedDict[Hashable, keras.Model] = OrderedDict()


def compiled(name: Hashable) -> keras.Model | None:
    """The network that was last kept under a name in this process; None if there is none."""
    if name in _COMPILED:
        _COMPILED.move_to_end(name)
    return _COMPILED.get(name)


def keep(name: Hashable, model: keras.Model) -> None:
    """Keep a compiled network under a name, and of all of them the last few."""
    _COMPILED[name] = model
    while len(_COMPILED) > _LIMIT:
        _COMPILED.popitem(last=False)


def forget() -> None:
    """Keep none any longer."""
    _COMPILED.clear()


def restarted(kept: keras.Model, fresh: keras.Model, learning_rate: float) -> keras.Model:
    """`kept` in the state of `fresh`, with an optimizer that remembers nothing.

    Parameters
    ----------
    kept
        Compiled.
    fresh
        Of the same architecture: its weights and the states of its random layers are taken over.
    learning_rate
        Of the optimizer at the beginning.

    Raises
    ------
    ValueError
        If the two differ in the shapes of their variables.
    """
    mine, its = ([tuple(variable.shape) for variable in model.variables] for model in (kept, fresh))
    if mine != its:
        raise ValueError(f"reuse: {kept.name} has {len(mine)} variables, {fresh.name} {len(its)} or of other shapes; "
                         "expected a network of the same architecture")  # fmt: skip
    for old, new in zip(kept.variables, fresh.variables, strict=True):
        old.assign(new)
    for variable in kept.optimizer.variables:
        variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
    kept.optimizer.learning_rate = learning_rate
    return kept
