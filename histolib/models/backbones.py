"""Convolutional networks without their top, at the published width or narrower."""

import os
import re
from pathlib import Path

import keras
import numpy as np
from keras import ops

from histolib.models import efficientnet

_BUILDERS = {
    "vgg16": keras.applications.VGG16,
    "resnet50": keras.applications.ResNet50,
    "inceptionv3": keras.applications.InceptionV3,
}
APPLICATIONS = tuple(_BUILDERS)
BACKBONES = (*APPLICATIONS, *efficientnet.NAMES)
_MODES = {"vgg16": "caffe", "resnet50": "caffe", "inceptionv3": "tf"} | dict.fromkeys(efficientnet.NAMES, "lite")
_SMALLEST = {"inceptionv3": 75}
PHANTOM_WIDTH = 0.125  # of the weights that are shipped
PHANTOM = Path(__file__).resolve().parent / "weights"
_FILES = {
    "vgg16": "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "resnet50": "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "inceptionv3": "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
# Names that Keras gives to layers that have none, with a number that counts over the session.
_AUTOMATIC = re.compile(
    r"(input_layer|conv2d|batch_normalization|activation|max_pooling2d|average_pooling2d|concatenate)(?:_\d+)?"
)
# How a layer's name gives its block.
_BLOCK_NAMES = {"vgg16": r"(block\d)_", "resnet50": r"(conv[2-5]_block\d)_"}
_BLOCK_NAMES |= dict.fromkeys(efficientnet.NAMES, r"(stage\d)_")


def backbone(name: str, width: float = 1.0, weights: str | Path | None = "imagenet", input_shape=(None, None, 3)):
    """A network without its top, its input preprocessed as its weights expect (see `Preprocessing`).

    Parameters
    ----------
    name
        One of `BACKBONES`.
    width
        1.0 is the published network: 14,714,688 (VGG-16), 23,587,712 (ResNet-50), 21,802,784 (Inception v3), 3,413,024,
        4,189,344 and 4,869,168 (EfficientNet-Lite 0, 1 and 2) parameters. Any other width multiplies the filters of
        every convolution of the same graph (at least 4 remain).
    weights
        ``"imagenet"`` (width 1.0 only; of `APPLICATIONS` Keras's own file in Keras's own cache, of EfficientNet-Lite
        that of an installed package), ``"phantom"`` (width 1/8 of `APPLICATIONS` only; learned from drawn images),
        ``None`` (random), or the path of a weights file (``.weights.h5`` or ``.npz``).
    input_shape
        Height, width and channels.

    Returns
    -------
    keras.Model
        Output: feature maps, (N, h, w, C).

    Raises
    ------
    ValueError
        Unknown `name`; a width out of (0, 1]; ImageNet weights at another width; weights of another network or width.
    FileNotFoundError
        `weights` can't be found, or can't be fetched; says which file to put where.
    """
    if name not in BACKBONES:
        raise ValueError(f"name={name!r}: expected one of {', '.join(BACKBONES)}")
    if not 0 < width <= 1:
        raise ValueError(f"width={width}: expected a number above 0 and at most 1")
    _check_width(name, width, weights)
    needed = _SMALLEST.get(name, 32)
    smallest = min([s for s in input_shape[:2] if s], default=needed)
    if smallest < needed:
        raise ValueError(f"{name} needs images of at least {needed} pixels, not {smallest}")
    # Located before the network is built: a missing file should not cost a minute first.
    file = {"imagenet": _imagenet_file, "phantom": _phantom_file}.get(weights, lambda _: weights)(name)
    if name in efficientnet.NAMES:
        model = efficientnet.build(name, input_shape)
    else:
        model = _BUILDERS[name](include_top=False, weights=None, input_shape=input_shape, name=name)
    model = keras.Model.from_config(_adapted(model.get_config(), width))
    if file is not None:
        _load(model, Path(file), name, width)
    return model


def blocks(model: keras.Model) -> dict[str, list[keras.layers.Layer]]:
    """Layers of a backbone by block, first to last.

    VGG-16 has 5 blocks, ResNet-50 has 16 residual blocks, Inception v3 has 11 modules (each ends at a ``mixed`` layer).
    Layers before the first block belong to the block ``stem``, which no number in `unfreeze` counts. Raises ValueError
    if the model is no backbone.
    """
    if model.name not in BACKBONES:
        raise ValueError(f"{model.name!r} is no backbone; expected one of {', '.join(BACKBONES)}")
    groups: dict[str, list] = {}
    pending: list = []
    for layer in model.layers:
        if model.name == "inceptionv3":
            pending.append(layer)
            if not groups and _ends_stem(pending):
                groups["stem"] = pending
                pending = []
            elif re.fullmatch(r"mixed\d+", layer.name):
                groups[layer.name] = pending
                pending = []
        else:
            match = re.match(_BLOCK_NAMES[model.name], layer.name)
            groups.setdefault(match[1] if match else "stem", []).append(layer)
    return groups


def unfreeze(model: keras.Model, blocks: int | str = 0) -> keras.Model:
    """Make the last blocks of a backbone trainable, freeze the rest, and return it.

    `blocks` is the number of last blocks to train, or ``"all"`` (the stem too), else a ValueError. Batch normalization
    in a frozen block stays in inference mode, as Keras 3 does for a layer that is not trainable.
    """
    groups = _groups(model)
    names = [name for name in groups if name != "stem"]
    if blocks != "all" and (not isinstance(blocks, int) or not 0 <= blocks <= len(names)):
        raise ValueError(
            f"blocks={blocks!r}: {model.name} has {len(names)} blocks; expected 0 to {len(names)} or 'all'"
        )
    chosen = set(groups) if blocks == "all" else set(names[len(names) - blocks :])
    model.trainable = True
    for name, layers in groups.items():
        for layer in layers:
            layer.trainable = name in chosen
    return model


def imagenet_at_hand(name: str) -> bool:
    """Whether the ImageNet weights of a backbone are on this machine, so that nothing need be fetched."""
    return efficientnet.installed(name) if name in efficientnet.NAMES else (_keras_folder() / _FILES[name]).exists()


def copy(model: keras.Model) -> keras.Model:
    """A second network with the same graph, names and weights."""
    second = keras.Model.from_config(model.get_config())
    second.set_weights(model.get_weights())
    return second


def trainable_layers(model: keras.Model) -> list[str]:
    """Names of the layers with weights that training would change, in order."""
    return [layer.name for layer in model.layers if layer.trainable_weights]


@keras.saving.register_keras_serializable("histolib")
class Preprocessing(keras.layers.Layer):
    """Pixels as a backbone's weights expect them.

    ``"caffe"`` (VGG-16, ResNet-50): blue, green, red, each less its mean over ImageNet (103.939, 116.779, 123.68).
    ``"tf"`` (Inception v3): scaled to [-1, 1]. ``"lite"`` (EfficientNet-Lite): (x - 127) / 128.

    Call arguments: images (N, H, W, 3) in [0, 255]. Returns the layer's compute dtype, same shape.
    """

    def __init__(self, mode: str, **kwargs):
        super().__init__(**kwargs)
        if mode not in ("caffe", "tf", "lite"):
            raise ValueError(f"mode={mode!r}: expected 'caffe', 'tf' or 'lite'")
        self.mode = mode

    @classmethod
    def of(cls, name: str) -> "Preprocessing":
        """The layer that belongs to the backbone `name`."""
        return cls(_MODES[name], name="preprocessing")

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        if self.mode == "tf":
            return images / 127.5 - 1.0
        if self.mode == "lite":
            return (images - 127.0) / 128.0
        return ops.flip(images, axis=-1) - ops.convert_to_tensor([103.939, 116.779, 123.68], dtype=self.compute_dtype)

    def get_config(self):
        return super().get_config() | {"mode": self.mode}


_groups = blocks  # `unfreeze` has a parameter of the same name


def _ends_stem(layers: list) -> bool:
    """The stem of Inception v3 ends at its second pooling layer."""
    return sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in layers) == 2


def _adapted(config: dict, width: float) -> dict:
    """The same graph with every convolution's filters times `width`, and names that depend on nothing built before.

    Keras numbers the layers that have no name of their own (all but few of Inception v3) over the whole session; here
    they are numbered from 1 in each network.
    """
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for layer in config["layers"]:
        layer.pop("build_config", None)  # holds the shapes of the full width
        if "filters" in layer["config"] and width != 1.0:
            layer["config"]["filters"] = max(4, round(layer["config"]["filters"] * width))
        if match := _AUTOMATIC.fullmatch(layer["name"]):
            counts[match[1]] = counts.get(match[1], 0) + 1
            names[layer["name"]] = f"{match[1]}_{counts[match[1]]}"
    return _renamed(config, names)


def _renamed(node, names: dict[str, str]):
    """A configuration with every mention of a layer's name replaced."""
    if isinstance(node, dict):
        return {key: value if key == "class_name" else _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return type(node)(_renamed(value, names) for value in node)
    return names.get(node, node) if isinstance(node, str) else node


def _check_width(name: str, width: float, weights: str | Path | None) -> None:
    if weights == "imagenet" and width != 1.0:
        raise ValueError(
            f"ImageNet weights of {name} exist at width 1.0 only, not at {width}; pass weights=None or a file"
        )
    if weights == "phantom" and name not in APPLICATIONS:
        raise ValueError(f"weights='phantom': there are none of {name}, only of {', '.join(APPLICATIONS)}")
    if weights == "phantom" and width != PHANTOM_WIDTH:
        raise ValueError(f"phantom weights of {name} exist at width {PHANTOM_WIDTH} only, not at {width}")


def _phantom_file(name: str) -> Path:
    return PHANTOM / f"{name}-phantom.npz"


def _keras_folder() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"


def _imagenet_file(name: str) -> Path:
    """Path of an installed package's weights, or of Keras's own, fetched by Keras if they are not in its cache."""
    if name in efficientnet.NAMES:
        return efficientnet.file_of(name)
    folder = _keras_folder()
    file = folder / _FILES[name]
    if file.exists():
        return file
    try:
        _BUILDERS[name](include_top=False, weights="imagenet")
    except Exception as problem:  # Keras raises a bare Exception when the download fails
        raise FileNotFoundError(
            f"The ImageNet weights of {name} are not in Keras's cache and could not be fetched ({problem}). "
            f"Put the file {_FILES[name]} into {folder}, or choose other weights."
        ) from problem
    return file


def _load(model: keras.Model, file: Path, name: str, width: float) -> None:
    if not file.exists():
        raise FileNotFoundError(
            f"weights={str(file)!r}: there is no such file; expected weights of {name} at width {width}"
        )
    try:
        if file.suffix == ".pth":
            _assign(model, efficientnet.imagenet(name, file))
        elif file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as saved:
                _assign(model, {key: saved[key] for key in saved.files if not key.startswith("other/")})
        else:
            model.load_weights(file)
    except Exception as problem:  # h5py, Keras and zip errors differ by format
        raise ValueError(f"{file} does not hold weights of {name} at width {width}: {problem}") from problem


def save(model: keras.Model, file: Path | str, **others: np.ndarray) -> None:
    """Write a backbone's weights as float16 arrays named ``layer/weight``, and `others` beside them (npz)."""
    arrays = {key: np.asarray(value, np.float16) for key, value in _weights(model).items()}
    with open(file, "wb") as stream:
        np.savez_compressed(stream, **arrays, **{f"other/{key}": value for key, value in others.items()})


def _weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights by the name of their layer and their own."""
    return {f"{layer.name}/{weight.name}": weight.numpy() for layer in model.layers for weight in layer.weights}


def _assign(model: keras.Model, found: dict[str, np.ndarray]) -> None:
    """Give a model weights by the name of their layer and their own, all of them or none."""
    wanted = {f"{layer.name}/{weight.name}": weight for layer in model.layers for weight in layer.weights}
    if found.keys() != wanted.keys():
        raise ValueError(f"its layers differ, for instance {sorted(found.keys() ^ wanted.keys())[0]}")
    for key, weight in wanted.items():
        if found[key].shape != weight.shape:
            raise ValueError(f"{key} is of shape {found[key].shape}; expected {tuple(weight.shape)}")
    for key, weight in wanted.items():
        weight.assign(found[key].astype(np.float32))
