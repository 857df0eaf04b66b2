"""What in its maps a network's answer rests on, for each of its tasks."""

from collections.abc import Mapping

import keras
import numpy as np
from PIL import Image

BATCH = 64  # altered maps at a time


def maps(
    model: keras.Model, images: np.ndarray, targets: Mapping[str, int | np.ndarray], layer: str | None = None
) -> dict[str, np.ndarray]:
    """How much of each answer rests on each place of the maps inside a network.

    All channels at one place are set to 0, as if nothing had been found there, and the rest of the network answers
    anew. A place's value is how far the log-odds of the class fall; a place whose loss raises them gets 0. The highest
    value becomes 1. All tasks on one trunk are asked about the same maps.

    Zhou et al. 2016 ("Learning deep features for discriminative localization") weigh channels instead, which needs a
    network that averages its maps before one last dense layer; so do Desai and Ramaswamy 2020 (Ablation-CAM), without
    gradients as here, which assumes that a channel counts the same everywhere. Dense layers on flattened maps do not
    grant that: therefore places are taken out. The result is as coarse as the maps (6x6 for
    `models.magnification_cnn`), each place sees more of the image than it covers, and what several places show alike is
    not missed when one is taken out.

    Parameters
    ----------
    model
        With a convolution, and one output or a dictionary of outputs: probabilities, or a single number.
    images
        uint8, (N, H, W, C).
    targets
        Output to the class that is asked about, one for all images or (N,). Of a single number 1 asks what raises it
        and 0 what lowers it. A model with one output is asked by any one name.
    layer
        Name of the layer whose maps are taken, with values of at least 0. None takes what goes into the last
        convolution (what comes out of it if there is only one), not what comes out: where overlapping pooling follows,
        a place in two of its windows counts more than one in a single window, and the map shows that grid.

    Returns
    -------
    dict
        Output to float32 (N, H, W) in [0, 1]; all 0 where no loss of a place weakens the answer.

    Raises
    ------
    ValueError
        Unknown outputs, classes or layer; maps with values below 0.
    """
    named = _outputs(model, targets)
    inside = _maps_of(model, layer)
    trunk, rest = keras.Model(model.input, inside), keras.Model(inside, model.output)
    seen = trunk.predict_on_batch(np.asarray(images))
    if seen.min() < 0:
        raise ValueError(f"layer={layer!r}: maps with values of {seen.min():g}; expected at least 0")
    found = {name: np.zeros(images.shape[:3], np.float32) for name in named}
    for k, whole in enumerate(seen):
        answers = rest.predict(_without_each_place(whole), batch_size=BATCH, verbose=0)
        for name in named:
            target = np.broadcast_to(targets[name], len(images))[k]
            values = answers[name] if isinstance(answers, dict) else answers
            found[name][k] = _enlarged(_falls(_score(values, int(target), name), whole.shape[:2]), images.shape[1:3])
    return found


def _outputs(model: keras.Model, targets: Mapping) -> list[str]:
    known = list(model.output) if isinstance(model.output, dict) else None
    if not targets or (known is None and len(targets) > 1) or (known is not None and set(targets) - set(known)):
        raise ValueError(f"targets for {', '.join(targets) or 'nothing'}: {model.name} has the outputs "
                         f"{', '.join(known or ['one, by any name'])}")  # fmt: skip
    return list(targets)


def _maps_of(model: keras.Model, name: str | None):
    """The tensor of the layer of a name, or what goes into the last convolution."""
    known = {layer.name: layer for layer in model.layers if len(layer.output.shape) == 4}
    convolutions = [layer for layer in known.values() if isinstance(layer, keras.layers.Conv2D)]
    if name is None and convolutions:
        return convolutions[-1].input if len(convolutions) > 1 else convolutions[0].output
    if name not in known:
        raise ValueError(f"layer={name!r}: expected one of the layers of {model.name} that give maps, "
                         f"{', '.join(known) or 'but there is none'}")  # fmt: skip
    return known[name].output


def _without_each_place(whole: np.ndarray) -> np.ndarray:
    """Maps (h, w, C) as they are, then with one place at a time set to 0, (1 + h w, h, w, C)."""
    height, width = whole.shape[:2]
    altered = np.repeat(whole[None], 1 + height * width, axis=0)
    rows, columns = np.divmod(np.arange(height * width), width)
    altered[1 + np.arange(height * width), rows, columns] = 0
    return altered


def _score(values: np.ndarray, target: int, name: str) -> np.ndarray:
    """Log-odds of a class, or a single number or its negative."""
    size = values.shape[-1]
    if not 0 <= target < max(size, 2):
        raise ValueError(f"{name}: class {target}; expected 0 to {max(size, 2) - 1}")
    p = values.astype(np.float64)
    if size == 1:
        return p[:, 0] if target else -p[:, 0]
    tiny = np.finfo(np.float32).tiny
    # 1 - p is summed from the others, so that it does not vanish in rounding.
    return np.log(np.maximum(p[:, target], tiny)) - np.log(np.maximum(np.delete(p, target, 1).sum(1), tiny))


def _falls(score: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.maximum(score[0] - score[1:], 0).reshape(shape).astype(np.float32)


def _enlarged(falls: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    smooth = np.asarray(Image.fromarray(falls).resize(shape[::-1], Image.Resampling.BILINEAR))
    top = smooth.max()
    return np.clip(smooth / top, 0, 1) if top > 1e-4 else np.zeros_like(smooth)
