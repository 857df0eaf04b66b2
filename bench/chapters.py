"""The networks of the other chapters at the published sizes, for `bench.gpu`: random images, time extrapolated."""

import time
from dataclasses import dataclass

import keras
import numpy as np

from bench.accelerator import Timing, timed
from histolib import models, training
from histolib.models import features
from histolib.training import augmentation, extraction


@dataclass(frozen=True)
class Sizes:
    """What is published, unless another number stands here."""

    # Rakhlin et al. 2018: 400 images at half size, crops of two sizes, 20 crops and 50 jitters, three encoders.
    photographs: int = 400
    shape: tuple[int, int] = (768, 1024)
    crops: tuple[int, ...] = (400, 650)
    crops_each: int = 20
    jitters: int = 50
    encoders: tuple[str, ...] = ("resnet50", "vgg16", "inceptionv3")
    measured: int = 4  # photographs that are described, beyond the first
    # Chougrad et al. 2018: the merger of three sets, four fifths of it trained on, batches of 128, 90 epochs at most.
    regions: int = 4893
    region: int = 224
    finetuned: str = "inceptionv3"
    batch_regions: int = 128
    epochs_regions: int = 90
    # Bayramoglu et al. 2016: about three quarters of 7,909 images of 100 × 100, batches of 100; epochs not published.
    images: int = 5932
    image: int = 100
    batch_images: int = 100
    epochs_images: int = 400
    # Patches of 128 × 128, 70 of each of the training images of one magnification; epochs and batch not given.
    patches: int = 70 * 1400
    patch: int = 128
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    batch_patches: int = 64
    epochs_patches: int = 30
    width: float = 1.0


TINY = Sizes(
    photographs=2, shape=(96, 128), crops=(48,), crops_each=2, jitters=1, encoders=("resnet50",), measured=1,
    regions=16, region=32, finetuned="vgg16", batch_regions=4, epochs_regions=1, images=16, image=32, batch_images=4,
    epochs_images=1, patches=16, patch=32, blocks=(1, 1), batch_patches=4, epochs_patches=1, width=0.05,
)  # fmt: skip


def descriptors(sizes: Sizes, seed: int) -> float:
    """Seconds for the descriptors of all photographs by all encoders at all sizes of crops, compilation included."""
    image = np.random.default_rng(seed).integers(0, 256, (*sizes.shape, 3), dtype=np.uint8)
    total = 0.0
    for size in sizes.crops:
        encoders = {
            name: features.extractor(models.backbone(name, sizes.width, None), (size, size, 3), "average")
            for name in sizes.encoders
        }
        describer = extraction.Describer(encoders, sizes.shape, size)
        drawn = [extraction.draw(str(k), sizes.shape, size, sizes.crops_each, sizes.jitters) for k in range(2)]
        start = time.perf_counter()
        describer(image, *drawn[0])
        begun = time.perf_counter()
        for _ in range(sizes.measured):
            describer(image, *drawn[1])
        end = time.perf_counter()
        total += begun - start + (end - begun) / sizes.measured * (sizes.photographs - 1)
    return total


def two_blocks(sizes: Sizes, seed: int, limit: float) -> tuple[keras.Model, Timing]:
    """Fine-tuning of the last two blocks, without the head's first stage."""
    shape = (sizes.region, sizes.region, 3)
    body = models.unfreeze(models.backbone(sizes.finetuned, sizes.width, None, shape), 2)
    maps = keras.Input(body.output_shape[1:])
    top = keras.Sequential([maps, keras.layers.GlobalAveragePooling2D(), models.head(maps.shape[-1])], name="head")
    model = models.transfer(body, top, shape)
    batches = _batches(sizes.regions, sizes.region, sizes.batch_regions, seed)
    return model, timed(model, batches, sizes.batch_regions, sizes.epochs_regions, limit, "categorical_crossentropy")


def magnification(sizes: Sizes, seed: int, limit: float) -> tuple[keras.Model, Timing]:
    """The network of one task with its augmentation."""
    turned = augmentation.Dihedral(seed)
    model = models.magnification_cnn(1, (sizes.image,) * 2 + (3,), width=sizes.width, augment=turned)
    batches = _batches(sizes.images, sizes.image, sizes.batch_images, seed)
    return model, timed(model, batches, sizes.batch_images, sizes.epochs_images, limit, "categorical_crossentropy")


def patch_resnet(sizes: Sizes, seed: int, limit: float) -> tuple[keras.Model, Timing]:
    """The residual network of one magnification, the structure with stride 2."""
    turned = augmentation.Dihedral(seed)
    model = models.patch_resnet(sizes.patch, width=sizes.width, stride=2, blocks=sizes.blocks, augment=turned)
    batches = _batches(sizes.patches, sizes.patch, sizes.batch_patches, seed)
    return model, timed(model, batches, sizes.batch_patches, sizes.epochs_patches, limit, "categorical_crossentropy")


def _batches(count: int, side: int, batch: int, seed: int) -> training.Batches:
    """A few hundred random images, repeated without taking memory more than once."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (min(count, 512), side, side, 3), dtype=np.uint8)
    rows = np.arange(count) % len(pixels)
    return _Repeated(pixels, rows, training.one_hot(rng.integers(0, 2, count), 2), batch, seed)


class _Repeated(training.Batches):
    """Batches of images of which each stands at several rows."""

    def __init__(self, pixels: np.ndarray, rows: np.ndarray, targets: np.ndarray, batch: int, seed: int):
        super().__init__(rows, targets, batch, seed)
        self.pixels = pixels

    def __getitem__(self, k: int):
        rows, targets = super().__getitem__(k)
        return self.pixels[rows], targets
