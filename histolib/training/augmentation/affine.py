"""Random rotation, shift, shear and zoom."""

import math

import keras
from keras import ops

FILLS = ("nearest", "reflect", "wrap", "constant")


@keras.saving.register_keras_serializable("histolib")
class RandomAffine(keras.layers.Layer):
    """Rotation, shift, shear and zoom drawn per image and applied as one affine transform.

    The four matrices are those of ``ImageDataGenerator`` as of Keras 2.2.4 (rotation, shift, shear, zoom, in rows and
    columns around the image's center), so that published settings keep their meaning. Applying their product once
    blurs less than four transforms would. Active in training only.

    Parameters
    ----------
    rotation
        Largest angle in degrees, either way.
    shift
        Largest shift as a share of height and of width, either way.
    shear
        Largest shear angle in **degrees**, as ``ImageDataGenerator`` takes it: the published 0.2 is a fifth of a
        degree.
    zoom
        Smallest and largest factor, drawn for height and width separately; one number z means (1 - z, 1 + z).
        Below 1 the image appears larger.
    flip
        Whether half of the images are mirrored left to right.
    fill
        What stands beyond the image: ``"nearest"``, ``"reflect"``, ``"wrap"`` or ``"constant"`` (black).
    seed
        Seed of the draws.

    Call arguments: images (N, H, W, C), any numeric dtype. Returns the layer's compute dtype, same shape.

    Raises
    ------
    ValueError
        A range that is negative or a zoom that is not positive.
    """

    def __init__(self, rotation=0.0, shift=0.0, shear=0.0, zoom=0.0, flip=False, fill="nearest", seed=None, **kwargs):
        super().__init__(**kwargs)
        low, high = (1 - zoom, 1 + zoom) if isinstance(zoom, int | float) else zoom
        if fill not in FILLS:
            raise ValueError(f"fill={fill!r}: expected one of {', '.join(FILLS)}")
        if min(rotation, shift, shear) < 0 or not 0 < low <= high:
            raise ValueError(
                f"rotation={rotation}, shift={shift}, shear={shear}, zoom={zoom}: "
                "expected ranges of at least 0, and a zoom with positive factors, the smaller first"
            )
        self.rotation, self.shift, self.shear, self.zoom = rotation, shift, shear, (low, high)
        self.flip, self.fill, self.seed = flip, fill, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        return resample(images, self.draw(images), self.fill)

    def draw(self, images):
        """Transforms for a batch, float32 (N, 8): output x, y to input x, y, as `keras.ops.image` takes them."""
        count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        u = keras.random.uniform((7, count), -1.0, 1.0, seed=self.generator)
        middle, half = sum(self.zoom) / 2, (self.zoom[1] - self.zoom[0]) / 2
        mirror = ops.where(u[6] < 0, -1.0, 1.0) if self.flip else ops.ones_like(u[6])
        return transforms(
            angle=u[0] * math.radians(self.rotation),
            shift=(u[1] * self.shift * height, u[2] * self.shift * width),
            shear=u[3] * math.radians(self.shear),
            zoom=(middle + half * u[4], (middle + half * u[5]) * mirror),
            center=((height - 1) / 2, (width - 1) / 2),
        )

    def get_config(self):
        names = ("rotation", "shift", "shear", "zoom", "flip", "fill", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}


def resample(images, matrices, fill: str = "nearest"):
    """Affine transforms with bilinear interpolation, by four gathers on all images at once.

    Equal to ``keras.ops.image.affine_transform``, which loops over the images on PyTorch and differs between backends
    for ``"wrap"``; this is the same work on every backend. `make bench` measures what it costs.

    Parameters
    ----------
    images
        Float tensor (N, H, W, C), H, W and C known.
    matrices
        (N, 8), output x, y to input x, y, as `transforms` gives them.
    fill
        As in `RandomAffine`.

    Returns
    -------
    tensor, (N, H, W, C)
    """
    height, width, channels = images.shape[1:]
    t = [ops.reshape(matrices[:, k], (-1, 1, 1)) for k in range(6)]
    x = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, -1))
    y = ops.reshape(ops.arange(height, dtype="float32"), (1, -1, 1))
    column, row = t[0] * x + t[1] * y + t[2], t[3] * x + t[4] * y + t[5]
    left, upper = ops.floor(column), ops.floor(row)
    across, down = (ops.cast(part, images.dtype)[..., None] for part in (column - left, row - upper))
    left, upper = ops.cast(left, "int32"), ops.cast(upper, "int32")
    flat = ops.reshape(images, (-1, channels))
    first = ops.reshape(ops.arange(ops.shape(images)[0], dtype="int32") * (height * width), (-1, 1, 1))

    def line(at):
        """One of the two rows of pixels that a point lies between, interpolated along x."""
        start = first + _inside(at, height, fill) * width
        one, other = (_pixel(flat, start, at, k, height, width, fill) for k in (left, left + 1))
        return one + across * (other - one)

    above = line(upper)
    return above + down * (line(upper + 1) - above)


def _pixel(flat, start, row, column, height: int, width: int, fill: str):
    pixel = ops.take(flat, start + _inside(column, width, fill), axis=0)
    if fill != "constant":
        return pixel
    known = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return pixel * ops.cast(known, pixel.dtype)[..., None]


def _inside(k, size: int, fill: str):
    """Index `k` brought into 0 ... size - 1."""
    if fill == "wrap":
        return ops.mod(k, size)
    if fill == "reflect":
        k = ops.mod(k, 2 * size)
        return ops.minimum(k, 2 * size - 1 - k)
    return ops.clip(k, 0, size - 1)


def transforms(angle, shift, shear, zoom, center):
    """Combined matrices: rotation · shift · shear · zoom, around `center`, in rows and columns.

    Parameters
    ----------
    angle, shear
        Tensors (N,), radians.
    shift, zoom
        Pairs of tensors (N,): rows, columns; shift in pixels.
    center
        Row and column that stay in place, in pixels.

    Returns
    -------
    tensor, (N, 8)
        ``x_in = t0 x + t1 y + t2``, ``y_in = t3 x + t4 y + t5``, with x the column and y the row of the output.
    """
    cos, sin = ops.cos(angle), ops.sin(angle)
    # Rows of rotation · shear; the shear matrix is [[1, -sin s], [0, cos s]].
    yy, yx = cos, -cos * ops.sin(shear) - sin * ops.cos(shear)
    xy, xx = sin, -sin * ops.sin(shear) + cos * ops.cos(shear)
    yy, xy = yy * zoom[0], xy * zoom[0]
    yx, xx = yx * zoom[1], xx * zoom[1]
    move_y = cos * shift[0] - sin * shift[1]
    move_x = sin * shift[0] + cos * shift[1]
    offset_y = move_y + center[0] - yy * center[0] - yx * center[1]
    offset_x = move_x + center[1] - xy * center[0] - xx * center[1]
    zero = ops.zeros_like(offset_x)
    return ops.stack([xx, xy, offset_x, yx, yy, offset_y, zero, zero], axis=1)
