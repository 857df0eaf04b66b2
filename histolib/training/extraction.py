"""Descriptors of images by pretrained networks, over random stainings and crops (Rakhlin et al. 2018, section 2.3)."""

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm.auto import tqdm

from histolib import cache
from histolib.datasets import Dataset
from histolib.images import crops as cropping
from histolib.images import stain
from histolib.models import features

FORMAT = 3  # raised whenever the same parameters give other descriptors; part of the files' names
_PIXELS = 10_000_000  # of images and crops in one call: bounds the memory, and is enough for a GPU
_AHEAD = 4  # images that are read and normalized while another one is encoded


class Encoded(dict):
    """Name of the encoder to descriptors; `fallbacks`: ``image_id`` to why the image could not be normalized."""

    fallbacks: dict[str, str]


def encode(
    dataset: Dataset,
    encoders: Mapping[str, keras.Model],
    scale: float,
    size: int,
    crops: int = 20,
    jitters: int = 50,
    seed: int = 0,
    low: float = 0.7,
    high: float = 1.3,
    normalize: bool | str = True,
    shared: bool = False,
    p: float = 3,
    channels: bool = False,
    folder: Path | str | None = None,
    progress: bool = False,
) -> Encoded:
    """Descriptors of every image: scaled, normalized, jittered, cropped, encoded, and pooled over the crops.

    What has been computed is kept, one file per image and encoder, and read again where the parameters, the encoder's
    layers and weights, and the image's file (its size and time) are the same: a run that was stopped goes on where it
    was. An image's descriptors depend on `seed`, on its own `image_id`, and, unless `shared`, on the encoder's name and
    `size`; not on other images or encoders.

    Parameters
    ----------
    dataset
        Its images are read one by one; nothing is packed.
    encoders
        Name (letters, digits, ``.``, ``_`` and ``-``) to network: uint8 (N, size, size, 3) to (N, D), at least 0, as
        `features.extractor` gives them with pooling.
    scale
        Of the images, above 0 and at most 1; see `images.crops.rescaled`.
    size
        Side of the crops in pixels, after scaling.
    crops
        Per descriptor; pooled by the p-norm (`features.power_mean`).
    jitters
        Descriptors per image, each with its own factors of hematoxylin and eosin and its own crops. 0: one descriptor,
        without jitter.
    seed
        Seed of all draws, at least 0.
    low, high
        Range of the factors, see `stain.jitter`.
    normalize
        Whether images are first brought to a common staining (`stain.attempt`); "published": without its `robust`
        precautions.
    shared
        Whether all encoders see the same stainings, and crops drawn alike at every size. Models of them then make more
        of their mistakes on the same images, and their average gains less.
    p
        Of the norm that pools the crops: 1 is their mean, ``inf`` their maximum.
    channels
        Whether the factors multiply the densities of red and green in place of the stains' amounts, as the code of
        Rakhlin et al. 2018 had it until December 2020.
    folder
        Where files are kept; None: the user's cache. Files that no longer fit are not removed.
    progress
        Show a bar with images per second.

    Returns
    -------
    Encoded
        Name of the encoder to float32 (images, max(1, jitters), D), in the order of the data set's table. Its
        `fallbacks` name the images that `stain.attempt` gave back as they are.

    Raises
    ------
    ValueError
        A parameter that is out of range; crops larger than the image; an encoder whose name or output does not fit; an
        image that can't be read.
    """
    if normalize not in (True, False, "published"):
        raise ValueError(f"normalize={normalize!r}: expected True, False or 'published'")
    shape = cropping.rescaled_shape(dataset.shape, scale)
    parameters = dict(format=FORMAT, scale=float(scale), size=size, crops=crops, jitters=jitters, seed=seed)
    way = {True: "robust", "published": True}.get(normalize, False)
    parameters |= dict(low=float(low), high=float(high), normalize=way, shape=list(dataset.shape))
    parameters |= dict(shared=bool(shared), p=float(p), channels=bool(channels))
    describer = Describer(encoders, shape, size)
    ids, rows = dataset.table["image_id"].tolist(), dataset.reader.rows(dataset.table)
    if ids:
        draw(ids[0], shape, size, crops, jitters, seed, low, high)  # parameters out of range show before long work
    stores = {name: Path(folder or cache.folder("descriptors")) / f"{name}-{_key(parameters, fingerprint(encoder))}"
              for name, encoder in encoders.items()}  # fmt: skip
    names = [_file_name(dataset, one, row) for one, row in zip(ids, rows)]
    count = max(1, jitters)
    kept = {name: [_read(folder / file, (count, describer.widths[name])) for file in names]
            for name, folder in stores.items()}  # fmt: skip
    missing = [k for k in range(len(ids)) if any(values[k] is None for values in kept.values())]

    def prepared(k: int) -> tuple[np.ndarray, str]:
        image = cropping.rescaled(dataset.reader.read(dataset.root, rows[k], dataset.shape), scale)
        return stain.attempt(image, robust=normalize != "published") if normalize else (image, "")

    bar = tqdm(missing, "descriptors", len(ids), unit="image", initial=len(ids) - len(missing), disable=not progress)
    for k, (image, reason) in zip(bar, _ahead(prepared, missing)):
        asked = [name for name in encoders if kept[name][k] is None]
        for group in [asked] if shared else [[name] for name in asked]:
            drawn = draw(ids[k], shape, size, crops, jitters, seed, low, high, "" if shared else f"{group[0]}-{size}")
            for name, values in describer(image, *drawn, group, p, channels).items():
                with cache.atomic_file(stores[name] / names[k]) as part:
                    np.save(part, values)
                    (stores[name] / names[k]).with_suffix(".txt").write_text(reason)
                kept[name][k] = values
    empty = {name: np.empty((0, count, width), np.float32) for name, width in describer.widths.items()}
    found = Encoded((name, np.stack(values) if values else empty[name]) for name, values in kept.items())
    reasons = [(next(iter(stores.values())) / name).with_suffix(".txt").read_text() for name in names]
    found.fallbacks = {image_id: reason for image_id, reason in zip(ids, reasons) if reason}
    return found


def draw(
    image_id: str,
    shape: tuple[int, int],
    size: int,
    crops: int = 20,
    jitters: int = 50,
    seed: int = 0,
    low: float = 0.7,
    high: float = 1.3,
    kind: str = "",
) -> tuple[np.ndarray, np.ndarray]:
    """What is random about the descriptors of one image; jitter k is the same however many are drawn.

    Parameters as for `encode`; `shape` is the image's height and width in pixels, after scaling, and `kind` names the
    kind of descriptor that the draws are for, nothing if all kinds share them.

    Returns
    -------
    factors : ndarray of float64, (max(1, jitters), 2)
        Of hematoxylin and eosin, as `stain.draw_factors` draws them; all 1 if `jitters` is 0.
    places : ndarray of int64, (max(1, jitters), crops, 5)
        As `images.crops.draw` gives them.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the crops are larger than the image.
    """
    if jitters < 0 or seed < 0:
        raise ValueError(f"jitters={jitters}, seed={seed}: expected at least 0")
    words = np.frombuffer(hashlib.sha256(f"{kind}/{image_id}".encode()).digest()[:16], np.uint32).tolist()
    factors, places = np.ones((max(1, jitters), 2)), []
    for k in range(len(factors)):
        rng = np.random.default_rng([seed, k, *words])
        drawn = stain.draw_factors(rng, low, high)
        if jitters:
            factors[k] = drawn
        places.append(cropping.draw(shape, size, crops, rng))
    return factors, np.stack(places)


class Describer:
    """Encoders for images of one shape: jitter, crops and encoding in one graph on the device.

    The numbers are those of jittering the image, cutting it and encoding the crops, one jitter after the other. But the
    image goes to the device once, jitters that fit into the memory together go through together, and batch
    normalizations are folded into the convolutions.

    Parameters
    ----------
    encoders
        As for `encode`.
    shape
        Height and width of the images in pixels.
    size
        Side of the crops in pixels.

    Attributes
    ----------
    widths
        Name of the encoder to the length D of its descriptors.

    Raises
    ------
    ValueError
        If an encoder's name is no file name, or it does not map crops to descriptors.
    """

    def __init__(self, encoders: Mapping[str, keras.Model], shape: tuple[int, int], size: int):
        if not encoders:
            raise ValueError("encoders: none given; expected at least one")
        for name, encoder in encoders.items():
            _check_encoder(name, encoder, size)
        self.encoders, self.shape, self.size = dict(encoders), tuple(shape), size
        self.widths = {name: encoder.output_shape[-1] for name, encoder in encoders.items()}
        self._folded: dict[str, keras.Model] = {}
        self._graphs: dict[tuple[str, ...], _Graph] = {}

    def __call__(
        self,
        image: np.ndarray,
        factors: np.ndarray,
        places: np.ndarray,
        names: Sequence[str] | None = None,
        p: float = 3,
        channels: bool = False,
    ) -> dict[str, np.ndarray]:
        """Descriptors of one image, uint8 (H, W, 3), by name: float32 (jitters, D).

        `factors` and `places` as `draw` gives them; `names` of the encoders that are asked, None for all; `p` and
        `channels` as of `encode`.
        """
        names = tuple(self.encoders if names is None else names)
        graph = self._graph(names)
        graph.image.assign(image)
        tables = stain.jitter_tables(factors, channels)
        strides = np.stack([cropping.strides(place, self.size, self.shape[1]) for place in places])
        jitters, crops = self._batch(*strides.shape[:2])
        found: dict[str, list] = {name: [] for name in names}
        for k in range(0, len(tables), jitters):
            parts = [graph.predict_on_batch((tables[k : k + jitters], strides[k : k + jitters, j : j + crops]))
                     for j in range(0, strides.shape[1], crops)]  # fmt: skip
            for name, *pieces in zip(names, *parts):
                found[name].append(features.power_mean(np.concatenate(pieces, axis=1), p))
        return {name: np.concatenate(values) for name, values in found.items()}

    def _batch(self, jitters: int, crops: int) -> tuple[int, int]:
        """Jitters and crops per call, divisors of their numbers, so that each call has the same shape."""
        whole, crop = self.shape[0] * self.shape[1], self.size**2
        if whole + crops * crop > _PIXELS:
            return 1, _divisor(crops, (_PIXELS - whole) // crop)
        return _divisor(jitters, _PIXELS // (whole + crops * crop)), crops

    def _graph(self, names: tuple[str, ...]) -> "_Graph":
        for name in names:
            if name not in self._folded:
                self._folded[name] = features.folded(self.encoders[name])
        if names not in self._graphs:
            self._graphs[names] = _Graph([self._folded[name] for name in names], self.shape, self.size)
        return self._graphs[names]


class _Graph(keras.Model):
    """Maps tables (J, 3, 256, 3) and strides (J, N, 3) to descriptors of crops, (J, N, D) from each encoder.

    Whole numbers are of the strides' type: TensorFlow computes with int32, but not with int64, on the host.
    """

    def __init__(self, encoders: Sequence[keras.Model], shape: tuple[int, int], size: int):
        super().__init__(name="descriptors")
        self.encoders, self.size = list(encoders), size
        self.image = self.add_weight(
            (*shape, 3), "zeros", "uint8", trainable=False, autocast=False, name="image"
        )  # stays on the device for all calls

    def call(self, inputs):
        tables, strides = inputs
        crops = self._cut(self._jittered(tables, strides.dtype), strides)
        outputs = [encoder(crops, training=False) for encoder in self.encoders]
        return [ops.reshape(found, (-1, ops.shape(strides)[1], found.shape[-1])) for found in outputs]

    def _jittered(self, tables, whole):
        """All jittered images, uint8 (J, H * W, 3). By tables, since a GPU would round in a matrix product."""
        levels = [ops.cast(ops.reshape(self.image[..., k], (-1,)), whole) for k in range(3)]
        density = sum(ops.take(tables[:, k], levels[k], axis=1) for k in range(3))
        changed = stain.JITTER_LIGHT * ops.exp(-density) - 1.0
        return ops.cast(ops.clip(ops.round(changed), 0.0, 255.0), "uint8")

    def _cut(self, pixels, strides):
        """Crops of all jittered images by one gather, uint8 (J * N, size, size, 3)."""
        first = ops.arange(ops.shape(pixels)[0], dtype=strides.dtype) * pixels.shape[1]
        side = ops.arange(self.size, dtype=strides.dtype)
        start, down, right = (strides[:, :, k, None, None] for k in range(3))
        at = start + first[:, None, None, None] + down * side[:, None] + right * side
        found = ops.take(ops.reshape(pixels, (-1, 3)), ops.reshape(at, (-1,)), axis=0)
        return ops.reshape(found, (-1, self.size, self.size, 3))


def fingerprint(encoder: keras.Model) -> str:
    """SHA-256 in hexadecimal over the layers and the weights of a network."""
    digest = hashlib.sha256(json.dumps(encoder.get_config(), sort_keys=True, default=str).encode())
    for weight in encoder.get_weights():
        digest.update(f"{weight.dtype}{weight.shape}".encode() + np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _check_encoder(name: str, encoder: keras.Model, size: int) -> None:
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(f"encoders: the name {name!r} is no file name; expected letters, digits, '.', '_' and '-'")
    taken, given = encoder.input_shape, encoder.output_shape
    if len(given) != 2 or given[1] is None:
        raise ValueError(f"encoders[{name!r}] gives {given}; expected (None, D), as features.extractor with pooling")
    if tuple(taken[1:]) not in {(size, size, 3), (None, None, 3)}:
        raise ValueError(f"encoders[{name!r}] takes {taken}; expected (None, {size}, {size}, 3) for crops of {size}")


def _key(*parts) -> str:
    """First digits of a hash over values that JSON knows."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _file_name(dataset: Dataset, image_id: str, row) -> str:
    """Changes with the manifest's row, and with the size and the time of the image's file."""
    status = (dataset.root / row.path).stat()
    readable = re.sub(r"[^\w.-]", "_", str(image_id))
    return f"{readable}-{_key(dataset.name, image_id, list(row), status.st_size, status.st_mtime_ns)}.npy"


def _read(file: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Descriptors that were kept; None if they are not there or not whole."""
    try:
        values = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = values.shape == shape and values.dtype == np.float32 and file.with_suffix(".txt").is_file()
    return values if whole else None


def _ahead(work: Callable, items: Iterable) -> Iterator:
    """`work` done by threads on the next few items; results in order."""
    with ThreadPoolExecutor(_AHEAD) as pool:
        pending: deque = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _divisor(number: int, most: int) -> int:
    """The largest divisor of `number` that is at most `most`, at least 1."""
    return next((k for k in range(min(number, most), 1, -1) if number % k == 0), 1)
