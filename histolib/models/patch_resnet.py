"""A residual network for patches, and variants of it."""

import math
from collections.abc import Sequence

import keras
from keras import layers

NATIVE = 128  # pixels, the largest input that is not reduced first
FILTERS = 64  # of the first convolution and the first residual blocks (He et al. 2016)
SMALLEST = 32  # pixels


def patch_resnet(
    input_size: int = NATIVE,
    classes: int = 2,
    first_kernel: int = 7,
    stride: int = 1,
    maps: int = 1,
    pools: int = 1,
    dropout: float = 0.0,
    width: float = 1.0,
    blocks: Sequence[int] = (2, 2, 2, 2),
    l2: float = 0.0,
    augment=None,
    down: str = "pooling",
    native: int = NATIVE,
) -> keras.Model:
    """First convolution, pooling, residual blocks, pooling, dense layer.

    Basic blocks in stages as in the 18-layer network of He et al. 2016 (batch normalization after each convolution, a
    1x1 convolution as shortcut where the shape changes); but the first convolution has stride 1, dropout may stand
    before the dense layer, and patches above `native` pixels are reduced first.

    Parameters
    ----------
    input_size
        Side of a patch in pixels, at least 32. Above `native` the patch is first reduced, as `down` says, by the
        smallest whole factor that leaves at most `native`: 256 by 2.
    classes
        Number of classes, at least 2.
    first_kernel, stride
        Side and stride of the first convolution.
    maps, width
        Factors of all numbers of feature maps, of which at least 4 remain.
    pools
        Max poolings (3x3, stride 2) between the first convolution and the residual blocks.
    dropout
        Share of the averaged features that is dropped.
    blocks
        Residual blocks of each stage; each stage after the first halves the size and doubles the feature maps.
    l2
        Factor of the sum of squared weights of convolutions and dense layer, added to the loss.
    augment
        Layer applied to training images (`histolib.training.augmentation`), or None.
    down
        ``"pooling"``, averages over the patch itself, or ``"stride"``, a larger stride of the first convolution.
    native
        Largest side in pixels that is not reduced.

    Returns
    -------
    keras.Model
        uint8 patches (N, input_size, input_size, 3), raw or from `images.contrast`, to probabilities (N, classes).
        Layers ``convolution1`` and ``relu1`` are the first convolution and what it hands on.

    Raises
    ------
    ValueError
        If an option is out of range.
    """
    _check(input_size, classes, first_kernel, stride, maps, pools, dropout, width, blocks, l2, down, native)
    make = _Maker(keras.regularizers.L2(l2) if l2 else None)
    factor = math.ceil(input_size / native)
    inputs = keras.Input((input_size, input_size, 3), dtype="uint8", name="patch")
    x = inputs if augment is None else augment(inputs)
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(x)
    if factor > 1 and down == "pooling":
        x = layers.AveragePooling2D(factor, name="reduction")(x)
    elif factor > 1:
        stride *= factor
    filters = max(4, round(FILTERS * maps * width))
    x = layers.ReLU(name="relu1")(make.convolution(x, filters, first_kernel, stride, "1"))
    for k in range(1, pools + 1):
        x = layers.MaxPooling2D(3, 2, padding="same", name=f"pool{k}")(x)
    for stage, count in enumerate(blocks, start=1):
        for k in range(1, count + 1):
            halved = stage > 1 and k == 1
            x = make.block(x, filters * 2 ** (stage - 1), 2 if halved else 1, f"stage{stage}_block{k}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", kernel_regularizer=make.penalty, name="probabilities")(x)
    return keras.Model(inputs, outputs, name="patch_resnet")


def first_maps(model: keras.Model) -> keras.Model:
    """The same network up to its first convolution's feature maps (N, h, w, maps), after normalization and ReLU."""
    return keras.Model(model.input, model.get_layer("relu1").output, name="first_maps")


class _Maker:
    """Layers that share a penalty."""

    def __init__(self, penalty):
        self.penalty = penalty

    def convolution(self, x, filters: int, kernel: int, stride: int, name: str):
        """Convolution, then batch normalization, which brings the bias."""
        settings = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
        x = layers.Conv2D(
            filters, kernel, stride, kernel_regularizer=self.penalty, name=f"convolution{name}", **settings
        )(x)
        # Running means that follow within the few hundred steps of a short training.
        return layers.BatchNormalization(momentum=0.9, name=f"normalization{name}")(x)

    def block(self, x, filters: int, stride: int, name: str):
        """Two convolutions of 3x3 and a shortcut around them (He et al. 2016, equations 1 and 2)."""
        branch = layers.ReLU(name=f"relu_{name}a")(self.convolution(x, filters, 3, stride, f"_{name}a"))
        branch = self.convolution(branch, filters, 3, 1, f"_{name}b")
        if stride > 1 or x.shape[-1] != filters:
            x = self.convolution(x, filters, 1, stride, f"_{name}_shortcut")
        return layers.ReLU(name=f"relu_{name}")(layers.Add(name=f"sum_{name}")([x, branch]))


def _check(input_size, classes, first_kernel, stride, maps, pools, dropout, width, blocks, l2, down, native) -> None:
    if input_size < SMALLEST:
        raise ValueError(f"input_size={input_size}: expected at least {SMALLEST} pixels")
    counts = {"first_kernel": first_kernel, "stride": stride, "maps": maps, "classes": classes - 1}
    low = [name for name, value in counts.items() if value < 1]
    if low or pools < 0:
        raise ValueError(
            f"classes={classes}, first_kernel={first_kernel}, stride={stride}, maps={maps}, pools={pools}: "
            f"{(low or ['pools'])[0]} is too small"
        )
    if not blocks or min(blocks) < 1:
        raise ValueError(f"blocks={tuple(blocks)}: expected stages of at least 1 block each")
    if not 0 <= dropout < 1 or l2 < 0 or width <= 0:
        raise ValueError(f"dropout={dropout}, l2={l2}, width={width}: expected 0 to below 1, at least 0, and above 0")
    if down not in ("pooling", "stride"):
        raise ValueError(f"down={down!r}: expected 'pooling' or 'stride'")
    if native < 1:
        raise ValueError(f"native={native}: expected at least 1 pixel")
