"""Hand-crafted descriptors: ours over several processes, and a plain loop over the images in one."""

import os
import time
from collections.abc import Callable

import mahotas
import numpy as np
from skimage.color import rgb2gray, rgb2hsv
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from bench.stain import drawn
from bench.table import Row
from histolib import descriptors
from histolib.descriptors import texture
from studybook.twins import idc

SIDE = idc.SIDE
PHOTOGRAPH = (460, 700)  # pixels, of BreaKHis
SAME = "the same function image by image, one process"
LOOP = "scikit-image, mahotas, NumPy image by image, one process"
SLOW = ("orb",)  # measured on a tenth of the images


def rows(
    patches: int = 2000, rounds: int = 3, workers: int | None = None, photographs: int = 0, names: tuple[str, ...] = ()
) -> list[Row]:
    """Compare on drawn patches; the two take turns, and a ratio is the median of the rounds' ratios."""
    workers = workers or os.cpu_count() or 1
    images = drawn_patches(patches)
    names = names or tuple(descriptors.REGISTRY)
    # Starts the processes, which import the library and make the one table that all images share.
    descriptors.compute(images[: 4 * workers], "fuzzy_color", workers)
    found = [_row(name, images[: max(4, patches // 10)] if name in SLOW else images, rounds, workers) for name in names]
    if photographs:
        found += [_row(name, drawn_photographs(photographs), 1, workers, peer=False) for name in names]
    return found


def drawn_patches(count: int) -> np.ndarray:
    """Patches cut from a drawn slide, repeated if there are many, uint8 (count, 50, 50, 3)."""
    side = min(20, int(np.ceil(np.sqrt(count))))
    slide = drawn((side * SIDE, side * SIDE))
    cut = slide.reshape(side, SIDE, side, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
    return np.resize(cut, (count, SIDE, SIDE, 3))


def drawn_photographs(count: int) -> np.ndarray:
    """One drawn slide, turned over and over, uint8 (count, 460, 700, 3)."""
    slide = drawn(PHOTOGRAPH)
    return np.stack([np.roll(slide, 37 * k, axis=(0, 1)) for k in range(count)])


def _row(name: str, images: np.ndarray, rounds: int, workers: int, peer: bool = True) -> Row:
    descriptor = descriptors.find(name)
    loop = PEERS.get(name, descriptor.function)
    few = images[: max(2, len(images) // 4)]
    kind = "histogram" if descriptor.kind == "histogram" else "other"
    height, width = images.shape[1:3]
    what = f"{descriptor.title}, {len(images):,} images of {width} × {height}, {workers} process{'es' * (workers > 1)}"
    ours = [_speed(lambda: descriptors.compute(images, name, workers), len(images)) for _ in range(rounds)]
    if not peer:
        return Row(what, float(np.median(ours)), "images/s, more is better")
    theirs = [_speed(lambda: [loop(image[None]) for image in few], len(few)) for _ in range(rounds)]
    ratio = float(np.median(np.divide(ours, theirs)))
    aim = {"histogram": "at least 200 images/s", "other": "at least 20 images/s"}[kind]
    named = LOOP if name in PEERS else SAME
    return Row(what, float(np.median(ours)), "images/s, more is better", named, float(np.median(theirs)), aim, ratio)


def _speed(work: Callable, count: int) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _gray(images: np.ndarray) -> np.ndarray:
    return np.rint(rgb2gray(images[0]) * 255).astype(np.uint8)


def _rgb(images: np.ndarray) -> np.ndarray:
    return np.histogramdd(images.reshape(-1, 3), bins=[8] * 3, range=[(0, 256)] * 3)[0]


def _hsv(images: np.ndarray) -> np.ndarray:
    return np.histogramdd(rgb2hsv(images[0]).reshape(-1, 3), bins=[16, 4, 4], range=[(0, 1)] * 3)[0]


def _pattern(method: str, bins: int) -> Callable:
    return lambda images: np.bincount(
        local_binary_pattern(_gray(images), 8, 1, method).astype(int).ravel(), minlength=bins
    )


def _cooccurrence(images: np.ndarray) -> list[np.ndarray]:
    angles, levels = np.arange(4) * np.pi / 4, texture.COOCCURRENCE_LEVELS
    image = _gray(images) // (256 // levels)
    matrix = graycomatrix(image, texture.DISTANCES, angles, levels, symmetric=True, normed=True)
    return [graycoprops(matrix, name) for name in texture.PROPERTIES]


PEERS = {
    "rgb": _rgb,
    "hsv": _hsv,
    "gray": lambda images: np.histogram(_gray(images), bins=64, range=(0, 256)),
    "binary_partition": _pattern("default", 256),
    "lbp": _pattern("uniform", 10),
    "haralick": lambda images: mahotas.features.haralick(
        _gray(images) // (256 // texture.HARALICK_LEVELS), return_mean_ptp=True
    ),
    "glcm": _cooccurrence,
    "pftas": lambda images: [mahotas.features.pftas(images[0, ..., channel]) for channel in range(3)],
}
