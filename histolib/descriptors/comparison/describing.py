"""Descriptors of images by name, with the time that they took."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histolib import descriptors
from histolib.descriptors import running


@dataclass(frozen=True)
class Described:
    """Descriptors of images by name, float32 (N, columns), and the seconds of one core that 1,000 images took."""

    features: Mapping[str, np.ndarray]
    seconds: Mapping[str, float]

    def __len__(self) -> int:
        return len(next(iter(self.features.values())))


@dataclass(frozen=True)
class Joined:
    """Chosen images of one array followed by all images of another, never copied into one."""

    first: np.ndarray
    rows: np.ndarray
    second: np.ndarray

    def __len__(self) -> int:
        return len(self.rows) + len(self.second)


def describe(
    images: np.ndarray,
    names: Sequence[str] = tuple(descriptors.REGISTRY),
    workers: int | None = None,
    progress: bool = False,
) -> Described:
    """Describe images by several descriptors once, for the folds of a cross-validation to share.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3); may be memory-mapped.
    names
        Of `descriptors.REGISTRY`.
    workers, progress
        As for `descriptors.describe`.

    Returns
    -------
    Described

    Raises
    ------
    ValueError
        No name or an unknown one, before anything is described; and as `descriptors.describe`.
    """
    if not names:
        raise ValueError("names: none; expected at least one descriptor")
    for name in names:
        descriptors.find(name)
    found = {name: _timed(images, name, None, workers, progress) for name in names}
    return Described({k: v for k, (v, _) in found.items()}, {k: seconds for k, (_, seconds) in found.items()})


def chosen(images, names, train, test, workers, progress) -> Iterator[tuple[str, np.ndarray, float]]:
    """Name, descriptors of the training images followed by those of the test images, seconds per 1,000 images."""
    for name in names:
        if isinstance(images, Described):
            features = images.features[name]
            yield name, np.concatenate([features[train], features[test]]), images.seconds[name]
        elif isinstance(images, Joined):
            one, fast = _timed(images.first, name, images.rows[train], workers, progress)
            other, slow = _timed(images.second, name, test - len(images.rows), workers, progress)
            mean = (fast * len(train) + slow * len(test)) / (len(train) + len(test))
            yield name, np.concatenate([one, other]), mean
        else:
            yield name, *_timed(images, name, np.concatenate([train, test]), workers, progress)


def _timed(images, name: str, rows, workers, progress) -> tuple[np.ndarray, float]:
    found, seconds = running.timed(images, name, workers, progress, rows)
    return found, 1000 * seconds / max(1, len(found))
