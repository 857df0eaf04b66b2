"""The methods of the five papers, and simple ones, behind one face, so that a matrix is a loop.

A method is made by `make` from settings. ``fit(dataset, rows, validation)`` learns from the images at `rows`; the
images at `validation` may decide when to stop, and nothing else. ``predict(dataset, rows)`` gives the probability of
class 1, float (N,). Rows are positions in `Dataset.table`. Every method sees the same small squares (`Method.images`).
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache

import keras
import numpy as np
import pandas as pd

from histolib import descriptors, models, reproducibility, training
from histolib.datasets import Dataset
from histolib.descriptors import baselines, boosting, classifiers, comparison
from histolib.images import crops, patches
from histolib.metrics import aggregation, predictions
from histolib.models import features
from histolib.training import augmentation
from studybook.comparison import names

LITE = "efficientnet_lite0"
GLASS, BLACK = 220, 10  # gray levels: all channels above are glass or paper, all below are padding or air
SIZES = (400 / 1024, 650 / 1024)  # of the crops of Rakhlin et al. 2018, as shares of an image's side
_CHUNK = 64  # images that are cut into crops at a time


@cache
def _encoder(side: int, seen: int) -> keras.Model:
    """EfficientNet-Lite0's last four blocks, frozen, for squares of `side` pixels that it sees at `seen`."""
    return features.extractor(models.backbone(LITE), (side, side, 3), "blocks", seen)


class Method(ABC):
    """What all methods have: the settings, the images as they see them, the number of their weights (None: no count).

    Settings: ``side`` (pixels), ``seed``, and what a method names itself.
    """

    weights: int | None = None

    def __init__(self, settings: Mapping):
        self.settings, self.side, self.seed = settings, settings["side"], settings["seed"]

    def images(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        """uint8 (N, side, side, 3); of an oblong image the largest square in its middle."""
        oblong = dataset.shape[0] != dataset.shape[1]
        return dataset.images(self.side, rows, crop="center" if oblong else None)

    @abstractmethod
    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        """Learn from the images at `rows`; those at `validation` may say when to stop."""

    @abstractmethod
    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        """Probability of class 1, float (N,)."""


class Constant(Method):
    """The share of class 1 among the training images, whatever the image."""

    weights = 1

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        self.share = dataset.labels[rows].mean()

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), self.share)


class ColorForest(Method):
    """A random forest that knows how often each color occurs."""

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        self.model = baselines.color_forest(self.images(dataset, rows), dataset.labels[rows], self.seed)

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(self.images(dataset, rows))[:, 1]


class Described(Method):
    """A classifier of numbers that describe an image; its strength is chosen within the training part, by patient."""

    classifier = "logistic"
    below = 0  # weights of the network that describes

    @abstractmethod
    def describe(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        """Numbers of each image, float (N, D)."""

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        chosen = comparison.limited(rows, dataset.labels, self.settings["limit"] or None, self.seed)
        known = dataset.labels[chosen], dataset.patients[chosen]
        self.model = classifiers.fit(self.classifier, self.describe(dataset, chosen), *known, self.seed, workers=1)
        if self.classifier == "logistic":
            last = self.model[-1]
            self.weights = self.below + last.coef_.size + last.intercept_.size

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(self.describe(dataset, rows))[:, 1]


class Traits(Described):
    """A logistic regression on how an image was made: the length of its file, its glass, its padding."""

    def describe(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        images = self.images(dataset, rows)
        length = [(dataset.root / path).stat().st_size for path in dataset.table["path"].iloc[rows]]
        glass, black = ((images.min(3) > GLASS).mean((1, 2)), (images.max(3) < BLACK).mean((1, 2)))
        return np.column_stack([np.log(length), glass, black])


class Crafted(Described):
    """A support vector machine on several hand-crafted descriptors together."""

    classifier = "svm"

    def describe(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        images = self.images(dataset, rows)
        chosen = self.settings["crafted"].split()
        return np.hstack([descriptors.compute(images, name, workers=1)[0] for name in chosen])


class Frozen(Described):
    """A logistic regression on the last four blocks of EfficientNet-Lite0, which learned from photographs."""

    def describe(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        encoder = _encoder(self.side, self.settings["lite_side"])
        self.below = encoder.count_params()
        return training.predict(encoder, self.images(dataset, rows))


class Table(Described):
    """A logistic regression on features that a reader brings (`features.from_table`)."""

    def describe(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        wanted = dataset.table["image_id"].iloc[rows]
        return features.from_table(self.settings["features_table"], wanted).to_numpy()


class Boosted(Method):
    """Trees on EfficientNet-Lite0's descriptors of turned crops, pooled by the 3-norm; two crop sizes are averaged."""

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        labels = dataset.labels[rows]
        known = boosting.trees.complete(boosting.trees.PARAMETERS, labels)
        self.models = [
            boosting.trees.train(
                boosting.trees.binned(self.pooled(dataset, rows, size), labels, known), known, self.seed
            )
            for size in SIZES
        ]

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        each = [
            boosting.trees.predict(model, self.pooled(dataset, rows, size))[:, :, 1].mean(axis=1)
            for model, size in zip(self.models, SIZES)
        ]
        return np.mean(each, axis=0)

    def pooled(self, dataset: Dataset, rows: np.ndarray, share: float) -> np.ndarray:
        """Descriptors, float32 (N, augmentations, D), from crops of this share of an image's side."""
        size, count, times = round(share * self.side), self.settings["crops"], self.settings["augmentations"]
        encoder = _encoder(size, self.settings["lite_side"])
        ids, found = dataset.table["image_id"].to_numpy(), []
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            cut = [
                crops.random_crops(image, size, count * times, [self.seed, size, zlib.crc32(name.encode())])
                for image, name in zip(self.images(dataset, part), ids[part])
            ]
            values = training.predict(encoder, np.concatenate(cut))
            found.append(features.power_mean(values.reshape(len(part), times, count, -1)))
        return np.concatenate(found)


class Network(Method):
    """A network that is trained until the validation loss falls no longer; the best epoch's weights are kept."""

    rate = 1e-3

    @abstractmethod
    def untrained(self, images: np.ndarray) -> keras.Model:
        """The network before training; `images` are those of the training part."""

    def augment(self) -> keras.layers.Layer:
        """Quarter turns and mirroring: no image here has an upright."""
        return augmentation.Dihedral(self.seed)

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        shown = [(self.images(dataset, part), dataset.labels[part]) for part in (rows, validation)]
        self.learn(shown[0], shown[1])

    def learn(self, shown: tuple, check: tuple) -> None:
        """Train on images and labels, and stop by others."""
        reproducibility.seed(self.seed)
        network = self.untrained(shown[0])
        stop = keras.callbacks.EarlyStopping(patience=self.settings["patience"], restore_best_weights=True)
        adam = keras.optimizers.Adam(self.rate)
        # A graph is compiled once for all seeds and folds.
        graph = tuple(self.settings.get(name) for name in ("kind", "side", "lite_side", "blocks", "width", "patch"))
        self.model = training.fit(
            network, *shown, check, self.settings["epochs"], self.settings["batch_size"],
            optimizer=adam, seed=self.seed, say=None, callbacks=[stop], reuse=graph,
            execution=training.Execution(self.settings["precision"]),
        ).model  # fmt: skip
        self.weights = self.model.count_params()

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        return training.predict(self.model, self.images(dataset, rows))[:, 1]


class Baseline(Network):
    """Four convolutions from scratch."""

    def untrained(self, images: np.ndarray) -> keras.Model:
        return models.baseline_cnn(images.shape[1:], 2, self.augment(), models.standardization(images))


class Tuned(Network):
    """EfficientNet-Lite0 with its last blocks trained further, under new dense layers."""

    rate = 5e-4

    def untrained(self, images: np.ndarray) -> keras.Model:
        side, blocks = self.settings["lite_side"], self.settings["blocks"]
        body = models.unfreeze(
            models.backbone(LITE, input_shape=(side, side, 3)), blocks if blocks == "all" else int(blocks)
        )
        maps = keras.Input(body.output_shape[1:])
        pool = keras.layers.GlobalAveragePooling2D()
        top = keras.Sequential([maps, pool, models.head(maps.shape[-1])], name="head")
        return models.transfer(body, top, images.shape[1:], self.augment(), side=side)


class Magnification(Network):
    """The network of BreaKHis's four magnifications, with one task."""

    def untrained(self, images: np.ndarray) -> keras.Model:
        scaled = models.standardization(images)
        return models.magnification_cnn(
            1, images.shape[1:], width=self.settings["width"], augment=self.augment(), standardize=scaled, scale=64
        )


class Patches(Network):
    """A residual network for patches; an image's answer is the mean of its patches' answers."""

    def untrained(self, images: np.ndarray) -> keras.Model:
        return models.patch_resnet(
            self.settings["patch"], first_kernel=3, width=self.settings["width"], blocks=(1, 1, 1),
            augment=self.augment(),
        )  # fmt: skip

    def fit(self, dataset: Dataset, rows: np.ndarray, validation: np.ndarray) -> None:
        drawn = self.cut(dataset, rows, "random")
        self.learn(*((images, places["label"].to_numpy()) for images, places in (drawn, self.cut(dataset, validation))))

    def predict(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        images, places = self.cut(dataset, rows)
        said = predictions.table("patches", places, training.predict(self.model, images))
        said = said.assign(patch_id=places["patch_id"])
        return aggregation.aggregate(said, "image", "average")["p_1"].to_numpy()

    def cut(self, dataset: Dataset, rows: np.ndarray, how: str = "sliding") -> tuple[patches.Cut, pd.DataFrame]:
        """Patches of images, at places all over each or drawn, and their table."""
        images, size = self.images(dataset, rows), self.settings["patch"]
        places = patches.table(
            dataset.table.iloc[rows], images.shape[1:3], size, how, 0.5, self.settings["crops"], self.seed
        )
        return patches.Cut(images, places), places


_CLASSES: dict[str, Callable[[Mapping], Method]] = {
    names.CONSTANT: Constant,
    names.TRAITS: Traits,
    names.COLORS: ColorForest,
    names.CRAFTED: Crafted,
    names.FROZEN: Frozen,
    names.TABLE: Table,
    names.BOOSTED: Boosted,
    names.BASELINE: Baseline,
    names.TUNED: Tuned,
    names.MAGNIFICATION: Magnification,
    names.PATCHES: Patches,
}


def make(settings: Mapping) -> Method:
    """A method, unfitted, by ``settings["kind"]``, one of `names.KINDS`."""
    return _CLASSES[settings["kind"]](settings)
