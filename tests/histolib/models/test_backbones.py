"""Backbones: published sizes, blocks as the papers count them, names, widths, and weights files."""

import keras
import numpy as np
import pytest

from histolib import models
from histolib.models import backbones

PARAMETERS = {"vgg16": 14_714_688, "resnet50": 23_587_712, "inceptionv3": 21_802_784}
PARAMETERS |= {"efficientnet_lite0": 3_413_024, "efficientnet_lite1": 4_189_344, "efficientnet_lite2": 4_869_168}
BLOCKS = {"vgg16": 5, "resnet50": 16, "inceptionv3": 11} | dict.fromkeys(models.BACKBONES[3:], 7)
LAST = {"vgg16": "block5_pool", "resnet50": "conv5_block3_out", "inceptionv3": "mixed10"}
LAST |= dict.fromkeys(models.BACKBONES[3:], "stage7_head_relu")


@pytest.fixture(scope="module")
def narrow():
    return {name: models.backbone(name, 0.125, None) for name in models.BACKBONES}


def numbered(groups: dict) -> list[str]:
    return [name for name in groups if name != "stem"]


@pytest.mark.parametrize("name", models.BACKBONES)
def test_full_width_is_the_published_network(name, narrow):
    full = models.backbone(name, weights=None)
    assert full.count_params() == PARAMETERS[name]
    # The same graph at every width: names, and so blocks, freezing and tables, are those of the full network.
    assert [layer.name for layer in full.layers] == [layer.name for layer in narrow[name].layers]
    assert narrow[name].count_params() < PARAMETERS[name] / 40


@pytest.mark.parametrize("name", models.BACKBONES)
def test_blocks_are_counted_as_in_the_papers(name, narrow):
    groups = models.blocks(narrow[name])
    assert len(numbered(groups)) == BLOCKS[name]
    assert [layer.name for layers in groups.values() for layer in layers] != []
    assert sum(map(len, groups.values())) == len(narrow[name].layers)
    assert list(groups.values())[-1][-1].name == LAST[name]


@pytest.mark.parametrize("name", models.BACKBONES)
def test_unfreezing_two_blocks_trains_the_layers_of_the_last_two(name, narrow):
    model = narrow[name]
    models.unfreeze(model, 2)
    groups = models.blocks(model)
    last_two = {layer.name for block in numbered(groups)[-2:] for layer in groups[block] if layer.weights}
    assert set(models.trainable_layers(model)) == last_two
    assert models.trainable_layers(models.unfreeze(model, 0)) == []
    everything = [layer.name for layer in model.layers if layer.weights]
    assert models.trainable_layers(models.unfreeze(model, "all")) == everything


def test_layers_of_known_blocks(narrow):
    models.unfreeze(narrow["vgg16"], 1)
    assert models.trainable_layers(narrow["vgg16"]) == ["block5_conv1", "block5_conv2", "block5_conv3"]
    models.unfreeze(narrow["resnet50"], 1)
    assert all(name.startswith("conv5_block3_") for name in models.trainable_layers(narrow["resnet50"]))
    groups = models.blocks(narrow["inceptionv3"])
    assert list(groups)[:2] == ["stem", "mixed0"] and list(groups)[-1] == "mixed10"


def test_batch_normalization_of_a_frozen_block_keeps_its_statistics():
    model = models.unfreeze(models.backbone("resnet50", 0.125, None), 1)
    frozen, free = model.get_layer("conv1_bn"), model.get_layer("conv5_block3_1_bn")
    before = [keras.ops.convert_to_numpy(layer.moving_mean) for layer in (frozen, free)]
    model(np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32"), training=True)
    assert np.array_equal(before[0], frozen.moving_mean) and not np.array_equal(before[1], free.moving_mean)


@pytest.mark.parametrize("name", models.BACKBONES)
def test_names_depend_on_nothing_built_before(name, narrow):
    keras.layers.Conv2D(1, 1), keras.layers.Activation("relu"), keras.Input((2,))
    again = models.backbone(name, 0.125, None)
    assert [layer.name for layer in again.layers] == [layer.name for layer in narrow[name].layers]
    assert {k: [x.name for x in v] for k, v in models.blocks(again).items()} == {
        k: [x.name for x in v] for k, v in models.blocks(narrow[name]).items()
    }


@pytest.mark.parametrize("name", models.BACKBONES)
def test_a_file_of_weights_comes_back_to_half_precision(name, narrow, tmp_path):
    backbones.save(narrow[name], tmp_path / "w.npz", other=np.zeros(2))
    again = models.backbone(name, 0.125, tmp_path / "w.npz")
    for a, b in zip(narrow[name].get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


def test_weights_of_another_network_or_width_are_refused(narrow, tmp_path):
    file = tmp_path / "w.npz"
    backbones.save(narrow["vgg16"], file)
    with pytest.raises(ValueError, match="does not hold weights of resnet50 at width 0.125: its layers differ"):
        models.backbone("resnet50", 0.125, file)
    with pytest.raises(ValueError, match=r"vgg16 at width 0.25: block1_conv1/\w+ is of shape .* expected"):
        models.backbone("vgg16", 0.25, file)


def test_phantom_weights_exist_at_one_width_only():
    with pytest.raises(ValueError, match="phantom weights of vgg16 exist at width 0.125 only, not at 1.0"):
        models.backbone("vgg16", 1.0, "phantom")


def test_imagenet_weights_that_cannot_be_fetched_say_which_file_to_put_where(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def offline(**_):
        raise Exception("URL fetch failure on storage.example: None -- no network")

    monkeypatch.setitem(backbones._BUILDERS, "vgg16", offline)
    with pytest.raises(FileNotFoundError) as caught:
        models.backbone("vgg16", weights="imagenet")
    message = str(caught.value)
    assert "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5" in message
    assert str(tmp_path / "models") in message and "no network" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vgg19"}, "name='vgg19'"),
        ({"name": "vgg16", "width": 0}, "width=0"),
        ({"name": "vgg16", "width": 0.5, "weights": "imagenet"}, "ImageNet weights of vgg16 exist at width 1.0 only"),
        ({"name": "inceptionv3", "weights": None, "input_shape": (50, 50, 3)}, "needs images of at least 75 pixels"),
    ],
)
def test_impossible_backbones_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.backbone(**arguments)


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nosuch.npz"):
        models.backbone("vgg16", 0.125, tmp_path / "nosuch.npz")
