"""The manifest of a data set, with its images behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from histolib.datasets import packing


@dataclass(frozen=True)
class Dataset:
    """Images as rows of a table.

    Attributes
    ----------
    name
        Name of the data set, as in `histolib.datasets.NAMES`.
    root
        Folder that the paths are relative to.
    table
        One row per image: ``image_id, path, label, label_name, patient`` and the data set's own columns.
    classes
        Names of the classes; ``label`` counts them from 0.
    shape
        Height and width of an image in pixels.
    twin
        Whether the images are drawn, not photographed.
    skipped
        Damaged files that were left out on request, with what of them can't be used where it is not the whole file.
    reader
        How a row becomes pixels.
    unlabeled
        Images of a challenge's test set, whose classes were not published (label -1), or None.
    left_out
        What lies in the whole folder, or is listed there, and is no row for another reason: reason and number.
    """

    name: str
    root: Path
    table: pd.DataFrame
    classes: tuple[str, ...]
    shape: tuple[int, int]
    twin: bool
    skipped: tuple[str, ...] = ()
    reader: packing.Reader = packing.FILES
    unlabeled: "Dataset | None" = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def images(self, size: int | tuple[int, int] | None = None, rows=None, crop: str | None = None) -> np.ndarray:
        """Pixels of the images, in the order of `table`.

        Packed once into one file in the user's cache and memory-mapped from there afterwards. An image that is smaller
        than `shape` lies at the edge of its slide; it is completed by reflecting its own pixels.

        Parameters
        ----------
        size
            Height and width in pixels to rescale to (one number: square); ``None`` keeps `shape`, or the side of the
            crop. Where an image becomes smaller, areas are averaged (Pillow's bilinear filter with its support
            widened).
        rows
            Positions in `table` (integers or a boolean mask); ``None`` means all.
        crop
            ``"center"`` cuts the largest square from the middle before an image is rescaled.

        Returns
        -------
        ndarray of uint8, (N, H, W, 3)
            Memory-mapped and read-only if `rows` is None, otherwise a copy.

        Raises ValueError if a file can't be decoded (names it) or for another `crop`; OSError if the disk is too full.
        """
        reader, native = self._cropped(crop)
        shape = (size, size) if isinstance(size, int) else tuple(size or native)
        pixels = packing.packed(self.root, self.table, native, shape, reader)
        return pixels if rows is None else pixels[np.asarray(rows)]

    def image(self, row: int, crop: str | None = None) -> np.ndarray:
        """Pixels of one image, uint8 (H, W, 3), read by itself: `images` would pack large ones by the gigabyte."""
        reader, native = self._cropped(crop)
        return reader.read(self.root, reader.rows(self.table.iloc[[row]])[0], native)

    def _cropped(self, crop: str | None) -> tuple[packing.Reader, tuple[int, int]]:
        """How a row becomes pixels of which shape, before they are rescaled."""
        if crop not in (None, "center"):
            raise ValueError(f"crop={crop!r}: expected None or 'center'")
        return packing.centered(self.reader, self.shape) if crop else (self.reader, self.shape)

    def odd_sized(self) -> int:
        """Number of images that are not of `shape` and are completed when read."""
        return packing.facts(self.root, self.table, self.shape, self.reader)["odd_sized"]

    @cached_property
    def labels(self) -> np.ndarray:
        """Class of each image, int64 (N,)."""
        return self.table["label"].to_numpy(np.int64)

    @cached_property
    def patients(self) -> np.ndarray:
        """Patient of each image, object (N,)."""
        return self.table["patient"].to_numpy(object)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the manifest and every file's bytes, in order: the same data, the same fingerprint."""
        return packing.facts(self.root, self.table, self.shape, self.reader)["fingerprint"]

    @property
    def all_left_out(self) -> dict[str, int]:
        """`left_out` and the number of damaged files, those among the unlabeled images too."""
        damaged = len(self.skipped) + len(self.unlabeled.skipped if self.unlabeled else ())
        return dict(self.left_out) | ({"damaged": damaged} if damaged else {})

    def report(self) -> pd.DataFrame:
        """What of the folder is no row of `table`: a number for each reason, with a row of totals."""
        counts = pd.Series(self.all_left_out, name="left out", dtype=int)
        return pd.concat([counts, pd.Series({"all": counts.sum()})]).to_frame("left out").rename_axis("reason")

    def summary(self) -> pd.DataFrame:
        """Images, their share and patients by class, with a row of totals."""
        groups = self.table.groupby("label_name", observed=True)
        counts = groups.agg(images=("image_id", "size"), patients=("patient", "nunique"))
        counts = counts.reindex(self.classes, fill_value=0)
        counts.loc["all"] = [len(self.table), self.table["patient"].nunique()]
        counts.insert(1, "share", counts["images"] / len(self.table))
        return counts.astype({"images": int, "patients": int}).rename_axis("class")
