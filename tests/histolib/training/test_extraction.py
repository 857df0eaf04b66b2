import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench import descriptors as authors
from histolib import models
from histolib.datasets import Dataset, packing
from histolib.images import crops, stain
from histolib.models import features
from histolib.training import extraction
from studybook.twins import idc

SHAPE, SIZE = (60, 80), 24
FEW = dict(scale=0.5, size=SIZE, crops=3, jitters=2)


def encoder(seed=0, width=5, size=SIZE, **options):
    """A tiny network with fixed weights, the same in every process."""
    inputs = keras.Input((size, size, 3), dtype="uint8", name="patch")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs)
    x = keras.layers.Conv2D(width, 3, activation="relu", name="convolution")(x)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="average", **options)(x), name="tiny")
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def dataset(folder: Path, count: int = 4, read: list | None = None) -> Dataset:
    """Images on disk, written once; the names of those that are read go into `read`."""
    for k in range(count):
        if not (folder / f"{k}.png").exists():
            folder.mkdir(exist_ok=True)
            Image.fromarray(idc.draw_patient(k, 0, 2, 2)[0][: SHAPE[0], : SHAPE[1]]).save(folder / f"{k}.png")
    table = pd.DataFrame(
        {"image_id": [f"image {k}" for k in range(count)], "path": [f"{k}.png" for k in range(count)], "label": -1}
    )

    def reading(root, row, shape):
        if read is not None:
            read.append(row.path)
        return packing.read_complete(root / row.path, shape)

    return Dataset("tiny", folder, table, ("a", "b"), SHAPE, True, reader=packing.Reader(reading))


@pytest.fixture
def images(tmp_path):
    return dataset(tmp_path / "images")


def one_after_the_other(network, image, image_id, kind, normalize=True, jitters=2, seed=0):
    """What `describe` should give, by the library's parts on whole images."""
    image = crops.rescaled(image, FEW["scale"])
    image = stain.normalize(image) if normalize else image
    factors, places = extraction.draw(image_id, image.shape[:2], SIZE, FEW["crops"], jitters, seed, kind=kind)
    found = []
    for pair, place in zip(factors, places, strict=True):
        density = sum(stain.jitter_tables(pair[None])[0, k][image[..., k]] for k in range(3))
        jittered = np.rint(256 * np.exp(-density) - 1).clip(0, 255).astype(np.uint8)
        found.append(features.power_mean(network.predict_on_batch(crops.cut(jittered, place, SIZE))))
    return np.stack(found)


def test_descriptors_are_those_of_the_steps_one_after_the_other(images, tmp_path):
    networks = {"one": encoder(1), "other": encoder(2, 7)}
    found = extraction.encode(images, networks, folder=tmp_path / "kept", **FEW)
    assert {name: (values.shape, values.dtype.name) for name, values in found.items()} == {
        "one": ((4, 2, 5), "float32"),
        "other": ((4, 2, 7), "float32"),
    }
    for k, image_id in enumerate(images.table["image_id"]):
        image = packing.read(images.root / f"{k}.png")
        for name, network in networks.items():
            assert np.allclose(
                found[name][k], one_after_the_other(network, image, image_id, f"{name}-{SIZE}"), rtol=1e-4, atol=1e-6
            )


@pytest.mark.parametrize(("pixels", "calls"), [(30_000, (3, 4)), (9_000, (1, 4)), (6_500, (1, 2)), (10, (1, 1))])
def test_equal_to_the_authors_order_however_many_go_through_together(pixels, calls, monkeypatch):
    monkeypatch.setattr(extraction, "_PIXELS", pixels)
    compare_with_the_authors_order(encoder(), SHAPE, SIZE)
    assert extraction.Describer({"e": encoder()}, SHAPE, SIZE)._batch(3, 4) == calls


def test_equal_to_the_authors_order_with_a_pretrained_network():
    network = features.extractor(models.backbone("resnet50", 0.125, "phantom"), (40, 40, 3), "average")
    compare_with_the_authors_order(network, (72, 96), 40)


def compare_with_the_authors_order(network, shape, size):
    image = idc.draw_patient(1, 0, 2, 2)[0][: shape[0], : shape[1]]
    factors, places = extraction.draw("x", shape, size, crops=4, jitters=3)
    normalized = stain.normalize(image, robust=False)
    found = extraction.Describer({"e": network}, shape, size)(normalized, factors, places)["e"]
    expected = authors.authors_order(network, image, factors, places, size)
    assert found.shape == (3, network.output_shape[-1]) and np.abs(found - expected).max() < 1e-4 * expected.max()


def test_order_and_neighbors_do_not_matter(images, tmp_path):
    whole = extraction.encode(images, {"e": encoder()}, folder=tmp_path / "a", **FEW)["e"]
    part = dataclasses.replace(images, table=images.table.iloc[[3, 1]].reset_index(drop=True))
    found = extraction.encode(part, {"f": encoder(5), "e": encoder()}, folder=tmp_path / "b", **FEW)["e"]
    assert np.allclose(found, whole[[3, 1]], rtol=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_encoders_see_the_same_crops_only_if_they_share_them(shared, images, tmp_path):
    options = FEW | {"folder": tmp_path, "shared": shared}
    first = extraction.encode(images, {"a": encoder(1)}, **options)
    later = extraction.encode(images, {"a": encoder(1), "b": encoder(1)}, **options)
    assert np.array_equal(first["a"], later["a"]) and np.allclose(later["b"], later["a"], rtol=1e-5) == shared


def test_without_jitter_the_staining_stays(images, tmp_path):
    network, rest = encoder(), {key: value for key, value in FEW.items() if key != "jitters"}
    plain = extraction.encode(images, {"e": network}, jitters=0, folder=tmp_path, **rest)["e"]
    by_one = extraction.encode(images, {"e": network}, jitters=1, low=1, high=1, folder=tmp_path, **rest)["e"]
    assert plain.shape == (4, 1, 5) and np.allclose(plain, by_one, rtol=1e-5)
    image = crops.rescaled(packing.read(images.root / "0.png"), 0.5)
    places = extraction.draw("image 0", image.shape[:2], SIZE, 3, 0, kind=f"e-{SIZE}")[1][0]
    expected = features.power_mean(network.predict_on_batch(crops.cut(stain.normalize(image), places, SIZE)))
    assert np.allclose(plain[0, 0], expected, rtol=1e-4)


@pytest.mark.parametrize("p", [1, np.inf])
def test_crops_can_be_pooled_otherwise(p, images, tmp_path):
    options = FEW | {"folder": tmp_path, "shared": True, "crops": 1}
    # One crop is its own mean and maximum; of three the mean lies below the 3-norm, and the maximum above.
    one, pooled = (extraction.encode(images, {"e": encoder()}, **options, p=q)["e"] for q in (3, p))
    assert np.allclose(one, pooled, rtol=1e-5)
    three, pooled = (extraction.encode(images, {"e": encoder()}, **options | {"crops": 3}, p=q)["e"] for q in (3, p))
    assert ((pooled - three) * (1 if p > 3 else -1) > -1e-6).all() and not np.allclose(pooled, three, rtol=1e-3)


def test_normalization_can_be_left_out(images, tmp_path):
    found = extraction.encode(images, {"e": encoder()}, normalize=False, folder=tmp_path, **FEW)["e"]
    expected = one_after_the_other(
        encoder(), packing.read(images.root / "2.png"), "image 2", f"e-{SIZE}", normalize=False
    )
    assert np.allclose(found[2], expected, rtol=1e-4, atol=1e-6)


def test_normalization_as_published_by_name(images, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(stain, "attempt", lambda image, robust: asked.append(robust) or (image, ""))
    for normalize in (True, "published"):
        extraction.encode(images, {"e": encoder()}, normalize=normalize, folder=tmp_path, **FEW)
    assert set(asked[: len(asked) // 2]) == {True} and set(asked[len(asked) // 2 :]) == {False}
    with pytest.raises(ValueError, match="normalize='robust': expected True, False or 'published'"):
        extraction.encode(images, {"e": encoder()}, normalize="robust", folder=tmp_path, **FEW)


def test_images_that_fall_back_are_named_with_the_reason_also_when_read_again(images, tmp_path):
    Image.fromarray(np.full((*SHAPE, 3), 200, np.uint8)).save(images.root / "1.png")
    for networks in ({"e": encoder()}, {"e": encoder()}, {"f": encoder(1), "e": encoder()}):
        found = extraction.encode(images, networks, folder=tmp_path / "kept", **FEW)
        assert list(found.fallbacks) == ["image 1"] and "two stains can't be told apart" in found.fallbacks["image 1"]
    assert extraction.encode(images, networks, normalize=False, folder=tmp_path / "kept", **FEW).fallbacks == {}


def test_draws_depend_on_seed_image_jitter_and_kind_only():
    factors, places = extraction.draw("n001", (60, 80), 20, crops=4, jitters=6, seed=3)
    fewer = extraction.draw("n001", (60, 80), 20, crops=4, jitters=2, seed=3)
    assert factors.shape == (6, 2) and places.shape == (6, 4, 5) and (factors >= 0.7).all() and (factors <= 1.3).all()
    assert np.array_equal(fewer[0], factors[:2]) and np.array_equal(fewer[1], places[:2])
    assert len(np.unique(factors)) == 12 and len(np.unique(places.reshape(24, 5), axis=0)) > 20
    others = [dict(image_id="n002", seed=3), dict(image_id="n001", seed=4), dict(image_id="n001", seed=3, kind="e-20")]
    for other in (extraction.draw(shape=(60, 80), size=20, crops=4, jitters=6, **one) for one in others):
        assert not np.array_equal(other[0], factors) and not np.array_equal(other[1], places)
    unchanged, first = extraction.draw("n001", (60, 80), 20, 4, 0, 3)
    assert unchanged.tolist() == [[1, 1]] and np.array_equal(first, places[:1])


# What is kept


def test_what_is_kept_is_read_again_only_if_all_is_the_same(tmp_path):
    read: list = []
    images = dataset(tmp_path / "images", 2, read)
    options = FEW | {"folder": tmp_path / "kept"}

    def times(network=None, **changes):
        read.clear()
        extraction.encode(images, {"e": network or encoder()}, **options | changes)
        return len(read)

    assert times() == 2 and times() == 0
    changes = [dict(scale=0.6), dict(crops=4), dict(jitters=3), dict(seed=1), dict(low=0.8), dict(high=1.2)]
    changes += [dict(normalize=False), dict(shared=True), dict(p=1), dict(channels=True)]
    assert [times(**change) for change in changes] == [2] * 10
    assert times(encoder(9)) == 2 and times(encoder(keepdims=False)) == 0
    assert times(encoder(size=25), size=25) == 2
    assert times() == 0
    os.utime(tmp_path / "images" / "1.png", ns=(1, 1))
    assert times() == 1 and read == ["1.png"] and times() == 0


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None, np.zeros((2, 4), np.float32), np.zeros((2, 5))])
def test_a_damaged_file_is_made_again(damage, tmp_path):
    read: list = []
    images = dataset(tmp_path / "images", 2, read)
    whole = extraction.encode(images, {"e": encoder()}, folder=tmp_path / "kept", **FEW)["e"]
    file = next((tmp_path / "kept").rglob("image_1-*.npy"))
    if isinstance(damage, np.ndarray):
        np.save(file, damage)
    else:
        file.write_bytes(file.read_bytes()[:-7] if damage is None else damage)
    read.clear()
    again = extraction.encode(images, {"e": encoder()}, folder=tmp_path / "kept", **FEW)["e"]
    assert read == ["1.png"] and np.allclose(again, whole, rtol=1e-5)


def killed(folder: Path, pictures: Path) -> None:
    """Describe, and die in the middle of writing the third image's second file. Runs in a process of its own."""
    save, written = np.save, []

    def half(path, values):
        save(path, values)
        written.append(path)
        if len(written) == 6:
            with open(path, "r+b") as stream:
                stream.truncate(os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    np.save = half
    extraction.encode(dataset(pictures), {"a": encoder(1), "b": encoder(2)}, folder=folder, **FEW)


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    read: list = []
    images, networks = dataset(tmp_path / "images", read=read), {"a": encoder(1), "b": encoder(2)}
    code = f"from test_extraction import *; killed(Path({str(tmp_path / 'kept')!r}), Path({str(images.root)!r}))"
    here = Path(__file__).resolve().parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    child = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    whole = sorted(file.name.split("-")[0] for file in (tmp_path / "kept").rglob("*.npy") if file.name[0] != ".")
    assert whole == ["image_0", "image_0", "image_1", "image_1", "image_2"]
    assert len(list((tmp_path / "kept").rglob(".*.npy"))) == 1  # the half-written one
    resumed = extraction.encode(images, networks, folder=tmp_path / "kept", **FEW)
    assert read == ["2.png", "3.png"]
    fresh = extraction.encode(images, networks, folder=tmp_path / "fresh", **FEW)
    assert all(np.allclose(resumed[name], fresh[name], rtol=1e-5) for name in networks)


def test_the_users_cache_is_the_usual_place(images, monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path / "cache"))
    extraction.encode(images, {"e": encoder()}, **FEW)
    assert len(list((tmp_path / "cache" / "descriptors").glob("e-*/image_*.npy"))) == 4


def test_an_empty_data_set_and_a_progress_bar(images, tmp_path, capsys):
    empty = dataclasses.replace(images, table=images.table.iloc[:0])
    assert extraction.encode(empty, {"e": encoder()}, folder=tmp_path, **FEW)["e"].shape == (0, 2, 5)
    assert capsys.readouterr().err == ""  # no bar where nobody looks


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(scale=0), "scale=0:"),
        (dict(size=31), r"encoders\['e'\] takes .*expected \(None, 31, 31, 3\)"),
        (dict(scale=0.25), "size=24: larger than the image, 15 x 20 pixels"),
        (dict(crops=0), "count=0"),
        (dict(jitters=-1), "jitters=-1"),
        (dict(seed=-1), "seed=-1"),
        (dict(low=1.4), "low=1.4, high=1.3"),
        (dict(encoders={}), "none given"),
        (dict(encoders={"a/b": encoder()}), "'a/b' is no file name"),
        (dict(encoders={"e": encoder(keepdims=True)}), r"gives \(None, 1, 1, 5\); expected \(None, D\)"),
    ],
)
def test_what_does_not_fit_is_said_before_any_work(change, message, tmp_path):
    read: list = []
    images = dataset(tmp_path / "images", 1, read)
    with pytest.raises(ValueError, match=message):
        extraction.encode(images, **{"encoders": {"e": encoder()}} | FEW | {"folder": tmp_path / "kept"} | change)
    assert read == [] and not (tmp_path / "kept").exists()


def test_an_image_that_cannot_be_read_is_named(images, tmp_path):
    (images.root / "2.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="2.png: not a whole image file"):
        extraction.encode(images, {"e": encoder()}, folder=tmp_path / "kept", **FEW)


def test_fingerprint_knows_layers_and_weights():
    prints = [extraction.fingerprint(model) for model in (encoder(), encoder(), encoder(1), encoder(keepdims=True))]
    assert prints[0] == prints[1] and len(set(prints)) == 3
    backbone = models.backbone("vgg16", 0.02, None)
    changes = [("average", None), ("blocks", None), ("blocks", 16), ("blocks", 24)]  # a side of encoding counts too
    each = {extraction.fingerprint(features.extractor(backbone, (32, 32, 3), *change)) for change in changes}
    assert len(each) == 4
