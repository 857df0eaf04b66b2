"""From a data set to a training, a validation and a test part: who is on which side, and where SMOTE stands."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from histolib.metrics import splits
from histolib.training import oversampling

OVERSAMPLE = ("train", "before", "none")


@dataclass(frozen=True)
class Parts:
    """Images, uint8 (N, H, W, 3), and manifests of the three parts.

    The manifests have a column ``synthetic``: whether SMOTE made the image. `leaked` is the number of patients with
    images in both the training and the test part, `blended` the number of test images that SMOTE made.
    """

    train_images: np.ndarray
    train: pd.DataFrame
    validation_images: np.ndarray
    validation: pd.DataFrame
    test_images: np.ndarray
    test: pd.DataFrame

    @property
    def leaked(self) -> int:
        """Patients on both sides, synthetic images' parents counted."""
        sides = [set(part["patient"]) | set(part["second_patient"]) - {""} for part in (self.train, self.test)]
        return len(sides[0] & sides[1])

    @property
    def blended(self) -> int:
        """Test images that SMOTE made."""
        return int(self.test["synthetic"].sum())

    @property
    def related(self) -> float:
        """Share of the test images that SMOTE made of which a parent is in the training part; NaN if it made none."""
        parents, known = self.test.loc[self.test["synthetic"], "parents"], set(self.train["image_id"])
        return float(np.mean([not known.isdisjoint(names.split(" ")) for names in parents])) if len(parents) else np.nan

    def sizes(self) -> pd.DataFrame:
        """Images and patients of each part (rows); synthetic images are counted apart."""
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        columns = {
            "patients": [part["patient"].nunique() for part in parts.values()],
            "real patches": [int((~part["synthetic"]).sum()) for part in parts.values()],
            "synthetic patches": [int(part["synthetic"].sum()) for part in parts.values()],
        }
        return pd.DataFrame(columns, index=list(parts))

    def counts(self, classes: tuple[str, ...]) -> pd.DataFrame:
        """Images per class (rows) in the training part before and after oversampling and in the test part (columns)."""
        real = self.train[~self.train["synthetic"]]
        columns = {"training, before SMOTE": real, "training, after SMOTE": self.train, "test": self.test}
        counted = {name: np.bincount(part["label"], minlength=len(classes)) for name, part in columns.items()}
        return pd.DataFrame(counted, index=pd.Index(classes, name="class"))


def prepare(
    images: np.ndarray,
    manifest: pd.DataFrame,
    split: str = "patient",
    oversample: str = "train",
    test_share: float = 0.2,
    validation_share: float = 0.19,
    seed: int = 0,
) -> Parts:
    """Split a data set into three parts and oversample.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    manifest
        Rows of `Dataset.table`.
    split
        ``"patient"`` or ``"patch"``; see `splits.two_parts`.
    oversample
        ``"train"``: SMOTE on the training part, after the split. ``"before"``: on everything, before the split,
        which lets blends of training tissue into the test part; for studying that leak only. ``"none"``: no SMOTE.
    test_share
        Share of all images to test on.
    validation_share
        Share of the rest to validate on.
    seed
        Seed of the split and of SMOTE.

    Returns
    -------
    Parts

    Raises
    ------
    ValueError
        Unknown `split` or `oversample`; a part that can't be filled.
    """
    if oversample not in OVERSAMPLE:
        raise ValueError(f"oversample={oversample!r}: expected one of {', '.join(map(repr, OVERSAMPLE))}")
    manifest = oversampling.unblended(manifest)
    if oversample == "before":
        images, manifest = oversampling.extend(images, manifest, seed)
    rows = splits.three_parts(manifest["label"], manifest["patient"], test_share, validation_share, split, seed)
    train_images, train = images[rows.train], manifest.iloc[rows.train]
    if oversample == "train":
        train_images, train = oversampling.extend(train_images, train, seed)
    held_out = [part for chosen in rows[1:] for part in (images[chosen], manifest.iloc[chosen])]
    return Parts(train_images, train, *held_out)
