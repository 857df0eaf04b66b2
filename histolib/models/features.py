"""Numbers that describe an image: pooled or flattened outputs of a network."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from histolib.models import Preprocessing, blocks

_FOLDABLE = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def extractor(backbone: keras.Model, input_shape, pooling: str | None = None, side: int | None = None) -> keras.Model:
    """A network that gives the outputs of a backbone for images.

    Parameters
    ----------
    backbone
        From `histolib.models.backbone`.
    input_shape
        Height, width and channels of an image.
    pooling
        ``None``: the feature maps (N, h, w, C), what a head on top of the backbone sees. ``"average"``: their mean
        over the image (N, C). ``"blocks"``: the means of the last four blocks' last activations (before a pooling
        layer that ends the block), joined; for VGG-16 blocks 2 to 5, 1408 numbers at width 1 (Rakhlin et al. 2018,
        section 2.4), for EfficientNet-Lite the last nonnegative maps of stages 4 to 7, 3584 numbers.

    side
        Side in pixels of the square that images are rescaled to before the backbone; None leaves them as they are.

    Returns
    -------
    keras.Model
        uint8 images (N, H, W, 3) to float32; `training.predict` runs it.

    Raises
    ------
    ValueError
        Unknown `pooling`.
    """
    if pooling not in (None, "average", "blocks"):
        raise ValueError(f"pooling={pooling!r}: expected None, 'average' or 'blocks'")
    inputs = keras.Input(input_shape, dtype="uint8", name="patch")
    pixels = inputs if side is None else keras.layers.Resizing(side, side, name="resizing")(inputs)
    pixels = Preprocessing.of(backbone.name)(pixels)
    if pooling == "blocks":
        maps = _last_blocks(backbone)(pixels, training=False)
        means = [keras.layers.GlobalAveragePooling2D(name=f"average_{k}")(part) for k, part in enumerate(maps, 1)]
        outputs = keras.layers.Concatenate(name="joined")(means)
    else:
        outputs = backbone(pixels, training=False)
        if pooling == "average":
            outputs = keras.layers.GlobalAveragePooling2D(name="average")(outputs)
    return keras.Model(inputs, outputs, name=f"{backbone.name}_features")


def power_mean(features: np.ndarray, p: float = 3) -> np.ndarray:
    """Pool the descriptors of several crops into one (p-norm pooling, Rakhlin et al. 2018, equation 1).

    .. math:: d = \\left(\\frac{1}{N} \\sum_i d_i^p\\right)^{1/p}

    Parameters
    ----------
    features
        (..., N, D), at least 0, as they are after a ReLU and its averages: N descriptors of D numbers.
    p
        Above 0. 1 gives the mean, ``inf`` the maximum.

    Returns
    -------
    ndarray, (..., D)
        float32 for float32, otherwise float64. Large numbers don't overflow: each column is divided by its maximum.

    Raises
    ------
    ValueError
        If there is no descriptor, a feature is negative or not finite, or `p` is not above 0.
    """
    features = np.asarray(features)
    if features.dtype != np.float32:
        features = features.astype(np.float64)
    if features.ndim < 2 or not features.shape[-2]:
        raise ValueError(f"features: shape {features.shape}; expected (..., N, D) with at least one descriptor")
    if not p > 0:
        raise ValueError(f"p={p}: expected a number above 0")
    if not ((features >= 0) & (features < np.inf)).all():
        raise ValueError(f"features: from {features.min()} to {features.max()}; expected finite numbers of at least 0")
    largest = features.max(-2)
    if np.isinf(p):
        return largest
    share = features / np.where(largest > 0, largest, 1)[..., None, :]
    return largest * np.mean(share**p, axis=-2) ** (1 / p)


def standardized(values: np.ndarray) -> np.ndarray:
    """Features (N, D) with mean 0 and standard deviation 1 each, so that none rules a map by its unit; float64."""
    return StandardScaler().fit_transform(np.asarray(values, np.float64))


def from_table(path: Path | str, images: Sequence[str] | None = None) -> pd.DataFrame:
    """Features that were computed elsewhere, such as by a network that this library has not.

    Parameters
    ----------
    path
        ``.csv``: a head line, then of each image its ``image_id`` and its numbers. ``.npz``: arrays ``image_id`` (N,)
        and ``features`` (N, D).
    images
        The images that are wanted, in this order; None takes all.

    Returns
    -------
    DataFrame of float32, (N, D)
        Index ``image_id``, text.

    Raises ValueError: another ending, or other arrays; no row or no number; an image that comes twice, or is wanted and
    missing; a value that is no finite number. Names the file.
    """
    if Path(path).suffix == ".npz":
        with np.load(path) as file:
            arrays = dict(file)
        if not {"image_id", "features"} <= {*arrays}:
            raise ValueError(f"{path}: arrays {', '.join(arrays)}; expected image_id and features")
        table = pd.DataFrame(arrays["features"], arrays["image_id"].astype(str))
    elif Path(path).suffix == ".csv":
        table = pd.read_csv(path, index_col=0, dtype={0: str})
    else:
        raise ValueError(f"{path}: expected a file that ends in .csv or .npz")
    table = table.apply(pd.to_numeric, errors="coerce").astype(np.float32).rename_axis("image_id")
    names, finite = table.index.astype(str), np.isfinite(table.to_numpy()).all(axis=1)
    missing = pd.Index(images if images is not None else []).difference(names)
    for what, wrong in (("comes twice", names[names.duplicated()]), ("is missing", missing),
                        ("has a value that is no finite number", names[~finite])):  # fmt: skip
        if len(wrong):
            raise ValueError(f"{path}: image {wrong[0]} {what} ({len(wrong)} such images)")
    if not table.size:
        raise ValueError(f"{path}: {len(table)} rows of {table.shape[1]} numbers; expected at least one of each")
    return table if images is None else table.loc[list(images)]


def folded(model: keras.Model) -> keras.Model:
    """The same network for inference, each batch normalization folded into the convolution before it.

    In inference it is one factor and one summand per channel, which the convolution's weights and bias take up. Saves
    two passes over the feature maps per layer; the output differs by rounding.

    Parameters
    ----------
    model
        Functional, nested or not; it stays as it is. A batch normalization that follows no convolution (whole or by
        channel), or one with an activation or with other consumers, is left where it is.

    Returns
    -------
    keras.Model
        A network of its own, with the same names of layers.
    """
    pairs = _normalized(model)
    normalizations = {id(normalization) for normalization in pairs.values()}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if id(layer) in normalizations:
            return keras.layers.Identity(name=layer.name)
        bias = {"use_bias": True} if layer in pairs else {}
        return type(layer).from_config(layer.get_config() | bias)

    def call(layer: keras.layers.Layer, *inputs, **options):
        return layer(*inputs) if isinstance(layer, keras.layers.Identity) else layer(*inputs, **options)

    result = keras.models.clone_model(model, clone_function=clone, call_function=call, recursive=True)
    _copy_weights(model, result, pairs)
    return result


def _last_blocks(backbone: keras.Model, count: int = 4) -> keras.Model:
    """The same layers, giving the last activations of the last `count` blocks: at least 0, and before any pooling."""
    groups = [layers for name, layers in blocks(backbone).items() if name != "stem"][-count:]
    ends = [[layer for layer in layers if _is_activation(layer)][-1] for layers in groups]
    return keras.Model(backbone.input, [layer.output for layer in ends], name=backbone.name)


def _is_activation(layer: keras.layers.Layer) -> bool:
    """Whether a layer's output has passed a nonlinearity, or joins such."""
    own = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.ReLU | keras.layers.Concatenate) or own not in (
        None,
        keras.activations.linear,
    )


def _normalized(model: keras.Model) -> dict:
    """Convolutions to the batch normalizations that alone see their output, at any depth."""
    pairs, inner = {}, [layer for layer in model.layers if not isinstance(layer, keras.Model)]
    for nested in (layer for layer in model.layers if isinstance(layer, keras.Model)):
        pairs |= _normalized(nested)
    seen = [id(tensor) for layer in inner for tensor in keras.tree.flatten(layer.input)] + list(map(id, model.outputs))
    source = {id(layer.output): layer for layer in inner if type(layer) in _FOLDABLE}
    for layer in inner:
        convolution = source.get(id(layer.input)) if isinstance(layer, keras.layers.BatchNormalization) else None
        if convolution and convolution.activation is keras.activations.linear and seen.count(id(layer.input)) == 1:
            pairs[convolution] = layer
    return pairs


def _copy_weights(model: keras.Model, result: keras.Model, pairs: dict) -> None:
    normalizations = list(pairs.values())
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _copy_weights(layer, result.get_layer(layer.name), pairs)
        elif layer in pairs:
            result.get_layer(layer.name).set_weights(_folded_weights(layer, pairs[layer]))
        elif layer.weights and layer not in normalizations:
            result.get_layer(layer.name).set_weights(layer.get_weights())


def _folded_weights(convolution: keras.layers.Layer, normalization: keras.layers.BatchNormalization) -> list:
    """Kernel and bias (out,) of both together, computed in float64.

    The kernel is (h, w, in, out); of a convolution by channel (h, w, in, out / in): the last two axes are the outputs.
    """
    kernel, *bias = (weight.astype(np.float64) for weight in convolution.get_weights())
    names = [name for name, used in (("gamma", normalization.scale), ("beta", normalization.center)) if used]
    values = dict(zip([*names, "mean", "variance"], map(np.float64, normalization.get_weights()), strict=True))
    factor = values.get("gamma", 1) / np.sqrt(values["variance"] + normalization.epsilon)
    by_channel = isinstance(convolution, keras.layers.DepthwiseConv2D)
    return [
        kernel * (factor.reshape(kernel.shape[2:]) if by_channel else factor),
        (sum(bias) - values["mean"]) * factor + values.get("beta", 0),
    ]
