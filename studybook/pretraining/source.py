"""The source task: drawn patches with the quantities that lie in them, cached, drawn by several processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histolib import cache, parallel
from studybook.pretraining.films import FILM, draw_film
from studybook.pretraining.patches import TISSUE, cut
from studybook.pretraining.tissue import draw_tissue

VERSION = 1  # raised whenever patches are drawn differently; part of cache names
TARGETS = (*TISSUE, *FILM)
PARTS = ("training", "held out", "examples")
SIDE, FIELD, STRIDE = 64, 256, 48  # pixels: a patch, a field, the distance between two patches of a field
FILMS = 5  # gray patches that follow each field's 25 patches of tissue
# Twins are drawn from seeds without a spawn key. Every draw here has one that begins with this number, and a seed
# sequence with a spawn key shares no stream with one that has none, whatever the seed (numpy, "Parallel random number
# generation").
KEY = 0x50524554


@dataclass(frozen=True)
class Source:
    """Drawn patches.

    Attributes
    ----------
    images
        uint8, (N, 64, 64, 3).
    targets
        float32, (N, len(TARGETS)); NaN where a quantity does not apply or cannot be seen.
    """

    images: np.ndarray
    targets: np.ndarray


def generator(seed: int, part: str, index: int) -> np.random.Generator:
    """Random generator of one field; its stream is shared with no other field, part, or twin.

    Raises
    ------
    ValueError
        Unknown `part`.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}: expected one of {', '.join(PARTS)}")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(KEY, PARTS.index(part), index)))


def draw_field(seed: int, part: str, index: int) -> Source:
    """The patches of one field, and the gray patches that follow them."""
    rng = generator(seed, part, index)
    images, found = cut(rng, draw_tissue(rng, FIELD), SIDE, STRIDE)
    films = [draw_film(rng, SIDE) for _ in range(FILMS)]
    targets = np.full((len(images) + FILMS, len(TARGETS)), np.nan, np.float32)
    targets[: len(images), : len(TISSUE)] = found
    targets[len(images) :, len(TISSUE) :] = [target for _, target in films]
    return Source(np.concatenate([images, [image for image, _ in films]]), targets)


def draw(count: int, seed: int, part: str = "training", workers: int | None = None) -> Source:
    """Draw patches, or read them from the user's cache if they were drawn before.

    Parameters
    ----------
    count
        Number of patches; rounded up to whole fields of 30.
    seed
        The same seed gives the same patches, however many processes draw.
    part
        One of `PARTS`; no two share a field.
    workers
        Processes; one per core if None; below 200 fields, which take seconds, this process draws alone.

    Raises
    ------
    ValueError
        `count` below 1 or an unknown `part`.
    """
    if count < 1:
        raise ValueError(f"count={count}: expected at least 1")
    per_field = ((FIELD - SIDE) // STRIDE + 1) ** 2 + FILMS
    fields = -(-count // per_field)
    folder = cache.folder("pretraining", f"v{VERSION}-{seed}-{part.replace(' ', '-')}-{fields}")
    tasks = [(seed, part, index) for index in range(fields)]
    if fields < 20 and not folder.is_dir():
        parts = list(map(_drawn, tasks))
        return Source(np.concatenate([p.images for p in parts]), np.concatenate([p.targets for p in parts]))

    def make() -> None:
        cache.require_space(folder, fields * per_field * SIDE * SIDE * 3)
        drawn = parallel.processes(_drawn, tasks, workers if fields >= 200 else 1, batch=8)
        with cache.atomic_folder(folder) as unfinished:
            _write(unfinished, drawn, fields * per_field)

    cache.once(folder, make)
    return Source(np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "targets.npy"))


def _drawn(task: tuple[int, str, int]) -> Source:
    return draw_field(*task)


def _write(folder: Path, parts, count: int) -> None:
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, SIDE, SIDE, 3))
    targets, start = [], 0
    for part in parts:
        images[start : start + len(part.images)] = part.images
        targets.append(part.targets)
        start += len(part.images)
    images.flush()
    np.save(folder / "targets.npy", np.concatenate(targets))
