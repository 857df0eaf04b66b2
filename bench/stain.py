"""Stain normalization and jitter: ours, and each formula written down as it stands, over all pixels at once."""

import time

import numpy as np

from bench.table import Row
from histolib.images import stain
from studybook.twins import idc

SHAPE = (768, 1024)  # of the images of Rakhlin et al. 2018 at scale 0.5
PEER = "NumPy, formula by formula over all pixels"


def rows(shape: tuple[int, int] = SHAPE, rounds: int = 9) -> list[Row]:
    """Compare on one drawn image; the two take turns, and a ratio is the median of the rounds' ratios."""
    image = drawn(shape)
    factors = (0.8, 1.2)
    contenders = {
        "stain normalization": (lambda: stain.normalize(image, robust=False), lambda: normalize(image)),
        "stain jitter": (lambda: stain.jitter(image, 0), lambda: jitter(image, factors)),
    }
    aims = {"stain normalization": "at least 2", "stain jitter": "–"}
    found = []
    for what, (ours, theirs) in contenders.items():
        speed = np.array([(1 / _seconds(ours), 1 / _seconds(theirs)) for _ in range(rounds + 1)][1:])
        ratio = float(np.median(speed[:, 0] / speed[:, 1]))
        size = f"{shape[1]} × {shape[0]}"
        found.append(Row(f"{what}, {size}", *_middle(speed[:, 0], speed[:, 1]), aims[what], ratio))
    return found


def drawn(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A drawn slide of `shape`, uint8 (H, W, 3)."""
    count = [-(-side // idc.SIDE) for side in shape]
    image = idc.draw_patient(1, seed, *count).image
    return np.ascontiguousarray(image[: shape[0], : shape[1]])


def normalize(image: np.ndarray) -> np.ndarray:
    """`stain.normalize` without `robust`, for images with enough tissue: Macenko et al. 2009, step by step."""
    density = -np.log((image.reshape(-1, 3).astype(np.float64) + 1) / stain.TRANSMITTED)
    tissue = density[(density >= stain.THRESHOLD).all(axis=1)]
    plane = np.linalg.eigh(np.cov(tissue, rowvar=False))[1][:, [2, 1]]
    plane *= np.where(plane.sum(axis=0) < 0, -1, 1)
    turned = tissue @ plane
    low, high = np.percentile(np.arctan2(turned[:, 1], turned[:, 0]), stain.PERCENTILES)
    one, other = (plane @ [np.cos(angle), np.sin(angle)] for angle in (low, high))
    stains = np.array([one, other] if one[0] > other[0] else [other, one])
    amounts = np.linalg.lstsq(stains.T, density.T, rcond=None)[0]
    amounts *= (stain.REFERENCE_MAXIMUM / np.percentile(amounts, stain.PERCENTILES[1], axis=1))[:, None]
    levels = stain.TRANSMITTED * np.exp(-(stain.REFERENCE.T @ amounts))
    return np.rint(levels).clip(0, 255).astype(np.uint8).T.reshape(image.shape)


def jitter(image: np.ndarray, factors) -> np.ndarray:
    """`histolib.images.stain.jitter` by given factors: separate, multiply, and combine again."""
    density = -np.log((image.reshape(-1, 3).astype(np.float64) + 1) / 256)
    amounts = density @ np.linalg.inv(stain.RUIFROK)
    amounts[:, :2] *= factors
    levels = 256 * np.exp(-(amounts @ stain.RUIFROK)) - 1
    return np.rint(levels).clip(0, 255).astype(np.uint8).reshape(image.shape)


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _middle(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, str, str, float]:
    return float(np.median(ours)), "images/s, more is better", PEER, float(np.median(theirs))
