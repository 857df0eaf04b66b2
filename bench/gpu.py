"""Measure an accelerator at the published sizes: ``python -m bench.gpu``, with any Keras backend (KERAS_BACKEND).

Prints JSON; a table goes to the standard error. Needs no data. ``--tiny`` shows that it runs, on any machine.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import keras
import numpy as np

from bench import chapters, generator
from bench.accelerator import matrix_rate, operations, patches, peak_memory, timed
from histolib import models, reproducibility, training
from histolib.models import features
from histolib.training import augmentation
from histolib.training.execution import Indexed, Resident

PATCHES, NEGATIVE = 277_524, 198_738  # of the real data set
TRAINING = 0.8  # share of the patches; oversampled to as many positive as negative ones: 317,981
FINE_TUNING = 0.81  # share of the oversampled ones, the rest validates
EPOCHS_HEAD = 50  # of the dense layers, on frozen features or with the last two blocks
SMALL = 8192  # images behind the feeds from the host; ImageDataGenerator holds them as float32
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "scipy")
NOTES = {
    "feed": "images lie on the device as uint8; a batch is a list of row numbers, gathered inside the graph",
    "feed of from_host and image_data_generator": "batches of images from the host, as histolib.training feeds them",
    "minutes.baseline": "epochs over the oversampled training set, compilation included, no validation",
    "minutes.feature_extraction": "VGG-16 feature maps of all patches, compilation and the way to the host included, "
    "and 50 epochs of the dense layers on them, extrapolated; 81 % of the oversampled training set",
    "minutes.fine_tuning": "last two blocks and head, 50 epochs, extrapolated; 81 % of the oversampled training set",
    "minutes.descriptors": "of 400 images: three encoders, two sizes of crops, 20 crops, 50 jitters; extrapolated",
    "minutes.two_blocks": "last two blocks of Inception v3 at 224, 90 epochs over four fifths of 6,116 regions",
    "minutes.magnification": "network of one task, 400 epochs over three quarters of 7,909 images at 100",
    "minutes.patch_resnet": "residual network, stride 2, 30 epochs over 70 patches of each image of one magnification",
    "minutes_large_batch": "the same at the large batch; not what was published",
    "weights": "random: they do not change the time",
    "flops_share": "operations of convolutions and dense layers, training step counted by gradients that are needed, "
    "over the rate of a large matrix product of the same dtype in the same run, both at the backend's default settings",
}


class Bench:
    """One run; `report` fills up step by step."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.sizes = options, chapters.TINY if options.tiny else chapters.Sizes()
        if options.mixed:
            keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
        # Repeatable kernels are not asked for: they cost time on a GPU, and the papers had none.
        reproducibility.seed(options.seed, deterministic=False)
        grown = round(2 * TRAINING * options.images * NEGATIVE / PATCHES)
        self.images, labels = patches(max(grown, options.images), options.patients, options.seed)
        self.rows, self.targets = np.arange(len(self.images), dtype=np.int32), training.one_hot(labels, 2)
        self.train = grown
        self.resident = Resident(self.images)
        self.precision = keras.mixed_precision.dtype_policy()
        self.rate = matrix_rate(self.precision.compute_dtype)
        self.report = self._header()

    def throughput(self, batch: int, name: str) -> None:
        """Images per second of the baseline in training, with and without augmentation, by feed."""
        short, seed = self.options.short, self.options.seed
        shown = self.report["images_per_second"].setdefault(name, {})
        rows = self._rows(batch * (self.train // batch), batch)
        for kind, change in (("augmented", self._augment()), ("plain", None)):
            shown[kind] = self._run(Indexed(models.baseline_cnn(augment=change), self.resident), rows, batch, short)
        count = batch * (min(self.train, SMALL) // batch)
        images, targets = self.images[:count], self.targets[:count]
        host = training.Batches(images, targets, batch, seed)
        shown["from_host"] = self._run(models.baseline_cnn(augment=self._augment()), host, batch, short)
        flow = generator.flow(images, targets, batch, seed)
        shown["image_data_generator"] = self._run(generator.network(), flow, batch, short)
        share = self._share(operations(models.baseline_cnn())[1], shown["plain"])
        self.report["flops_share"][f"baseline training, {name}"] = share

    def baseline(self, batch: int, minutes: dict, name: str) -> None:
        """The published epochs over the oversampled training set, with augmentation."""
        model = Indexed(models.baseline_cnn(augment=self._augment()), self.resident)
        minutes["baseline"] = self._whole(
            model, self._rows(self.train, batch), batch, self.options.epochs, f"baseline, {name}", "binary_crossentropy"
        )

    def feature_extraction(self, minutes: dict) -> None:
        """VGG-16 features of all patches, and the dense layers that learn from them."""
        backbone = self._backbone()
        model = Indexed(features.extractor(backbone, self.images.shape[1:]), self.resident)
        rows, batch = self.rows[: self.options.images], max(self.options.large, self.options.batch)
        start = time.perf_counter()
        training.predict(model, rows[:batch], batch)
        begun = time.perf_counter()
        maps = training.predict(model, rows, batch)
        end = time.perf_counter()
        # The first batch compiled the graph: its time is counted, its images are not.
        minutes["feature_extraction"] = (end - start) / 60 + self._dense(maps)
        speed = self.report["images_per_second"]["feature_extraction"] = len(rows) / (end - begun)
        self.report["batch_sizes"]["feature_extraction"] = batch
        self.report["flops_share"]["feature extraction"] = self._share(operations(backbone)[0], speed)

    def _dense(self, maps: np.ndarray) -> float:
        """Minutes of the dense layers on frozen features, at the published batch size."""
        count, batch = round(FINE_TUNING * self.train), self.options.batch
        again = maps[np.arange(count) % len(maps)]  # blends have features of their own, which take the same time
        batches = training.Batches(again, self.targets[:count], batch, self.options.seed)
        head = models.head(maps.shape[1:])
        return self._whole(head, batches, batch, EPOCHS_HEAD, "dense layers", "categorical_crossentropy")

    def fine_tuning(self, batch: int, minutes: dict, name: str) -> None:
        """The last two blocks of VGG-16 and the head."""
        backbone = models.unfreeze(self._backbone(), 2)
        whole = models.transfer(backbone, models.head(backbone.output_shape[1:]), self.images.shape[1:])
        batches = self._rows(round(FINE_TUNING * self.train), batch)
        label = f"fine-tuning, {name}"
        minutes["fine_tuning"] = self._whole(
            Indexed(whole, self.resident), batches, batch, EPOCHS_HEAD, label, "categorical_crossentropy"
        )
        speed = self.report["training"][label]["images_per_second"]
        self.report["flops_share"][label] = self._share(operations(whole)[1], speed)

    def descriptors(self, minutes: dict) -> None:
        """All descriptors of the chapter on four classes of tissue."""
        minutes["descriptors"] = chapters.descriptors(self.sizes, self.options.seed) / 60

    def chapter(self, name: str, minutes: dict) -> None:
        """The network of another chapter, a function of `bench.chapters`."""
        model, timing = getattr(chapters, name)(self.sizes, self.options.seed, self.options.limit)
        self.report["training"][name], minutes[name] = vars(timing), timing.seconds / 60
        self.report["flops_share"][name] = self._share(operations(model)[1], timing.images_per_second)

    def _run(self, model, batches, batch: int, limit: float) -> float:
        return timed(model, batches, batch, 99, limit, "binary_crossentropy").images_per_second

    def _whole(self, model, batches, batch: int, epochs: int, label: str, loss: str) -> float:
        timing = timed(model, batches, batch, epochs, self.options.limit, loss)
        self.report["training"][label] = vars(timing)
        return timing.seconds / 60

    def _rows(self, count: int, batch: int) -> training.Batches:
        return training.Batches(self.rows[:count], self.targets[:count], batch, self.options.seed)

    def _augment(self) -> keras.layers.Layer:
        ranges = generator.ROTATION, generator.SHIFT, generator.SHEAR, generator.ZOOM
        return augmentation.RandomAffine(*ranges, seed=self.options.seed)

    def _backbone(self) -> keras.Model:
        return models.backbone("vgg16", self.options.width, None, self.images.shape[1:])

    def _share(self, operations_per_image: int, images_per_second: float) -> float:
        return operations_per_image * images_per_second / self.rate

    def _header(self) -> dict:
        return {
            "accelerator": (reproducibility.accelerators() or [f"CPU ({platform.machine()})"])[0],
            "backend": keras.backend.backend(),
            "precision": self.precision.name,
            "measured": datetime.now(UTC).isoformat(timespec="seconds"),
            "images": self.options.images,
            "training_images": self.train,
            "width": self.options.width,
            "batch_sizes": {"published": self.options.batch, "large": self.options.large},
            "peak_device_memory_gb": None,
            "matrix_tflops": self.rate / 1e12,
            "minutes": {},
            "minutes_large_batch": {},
            "images_per_second": {},
            "flops_share": {},
            "training": {},
            "versions": {"python": platform.python_version()} | _versions(),
            "notes": NOTES,
        }


def main(arguments: Sequence[str] | None = None) -> dict:
    """Measure, print, and return what was found."""
    options = _parse(arguments)
    bench = Bench(options)
    small, large = f"batch {options.batch}", f"batch {options.large}"
    published, other = bench.report["minutes"], bench.report["minutes_large_batch"]
    steps = [
        lambda: bench.throughput(options.batch, small),
        lambda: bench.feature_extraction(published),
        lambda: bench.baseline(options.batch, published, small),
        lambda: bench.fine_tuning(options.batch, published, small),
        lambda: bench.descriptors(published),
        *(partial(bench.chapter, name, published) for name in ("two_blocks", "magnification", "patch_resnet")),
    ]
    if options.large:
        steps += [
            lambda: bench.throughput(options.large, large),
            lambda: bench.baseline(options.large, other, large),
            lambda: bench.fine_tuning(options.large, other, large),
        ]
    for k, step in enumerate(steps, start=1):
        step()
        bench.report["peak_device_memory_gb"] = peak_memory()
        text = json.dumps(_rounded(bench.report), indent=1)
        if options.json:  # after every step: a run that is cut short leaves what it has measured
            options.json.write_text(text + "\n")
        print(f"{k}/{len(steps)}", file=sys.stderr, flush=True)
    print(_table(bench.report), file=sys.stderr)
    print(text)
    return bench.report


def _table(report: dict) -> str:
    lines = [f"{report['accelerator']}, {report['backend']}, {report['precision']}, {report['images']:,} patches"]
    for key in ("minutes", "minutes_large_batch"):
        lines += [f"{name:<45}{value:>12.2f} min ({key})" for name, value in report[key].items()]
    for name, found in report["images_per_second"].items():
        kinds = found if isinstance(found, dict) else {"": found}
        lines += [f"{f'{name} {kind}':<45}{value:>12,.0f} images/s" for kind, value in kinds.items()]
    lines += [f"{name:<45}{value:>12.1%} of the matrix rate" for name, value in report["flops_share"].items()]
    return "\n".join([*lines, f"{'matrix rate':<45}{report['matrix_tflops']:>12.2f} TFLOP/s"])


def _rounded(value):
    """The same with four significant digits in every float."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--images", type=int, default=PATCHES, help="patches of the data set")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of the baseline")
    parser.add_argument("--batch", type=int, default=32, help="the published batch size")
    parser.add_argument(
        "--large", type=int, default=1024, help="a batch size that suits the chip, reported apart; 0: none"
    )
    parser.add_argument("--mixed", action="store_true", help="compute in bfloat16, keep weights in float32")
    parser.add_argument("--limit", type=float, default=90, help="seconds per training, the rest is extrapolated")
    parser.add_argument("--short", type=float, default=8, help="seconds per measurement of images per second")
    parser.add_argument("--width", type=float, default=1.0, help="width of VGG-16, for trying this out")
    parser.add_argument("--patients", type=int, default=12, help="slides drawn, of about 60 distinct patches each")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything that is drawn")
    parser.add_argument("--json", type=Path, help="file to write to after every step, such as gpu.json")
    parser.add_argument("--tiny", action="store_true", help="seconds on any machine; its numbers mean nothing")
    options = parser.parse_args(arguments)
    if options.tiny:
        vars(options).update(images=100, epochs=1, batch=8, large=0, limit=0.1, short=0.1, width=0.02, patients=1)
    return options


if __name__ == "__main__":
    main()
