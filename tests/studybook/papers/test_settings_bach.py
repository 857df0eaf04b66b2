"""Encoders of the BACH chapter: any backbone has a name for tables, and descriptors of any size of crop."""

import keras
import numpy as np
import pytest

from histolib import models
from histolib.models import features
from studybook.papers.bach_boosting import settings
from studybook.published import reported


def test_every_backbone_has_a_short_name_of_its_own():
    names = [settings.short(name) for name in models.BACKBONES]
    published = {row.rpartition("-")[0] for row in reported.table("bach_boosting", 1)["method"]} - {""}
    assert len(set(names)) == len(names) and published <= set(names)
    assert names[-3:] == ["Lite0", "Lite1", "Lite2"]


def test_a_narrow_network_does_not_stand_under_the_name_of_a_whole_one():
    assert settings.short("vgg16", 0.125) == "VGG (width 0.125)" and settings.short("vgg16", 1) == "VGG"


@pytest.mark.parametrize(("name", "length"), [("vgg16", 1408 // 8), ("resnet50", 2048 // 8)])
def test_networks_are_pooled_as_published(name, length):
    encoder = settings.encoder(models.backbone(name, 0.125, None), None)
    assert encoder.output_shape == (None, length)


def test_crops_of_any_size_are_encoded_at_one_side():
    encoder = settings.encoder(models.backbone("efficientnet_lite0", 0.25, None), 32)
    crops = np.random.default_rng(0).integers(0, 256, (2, 70, 70, 3), dtype=np.uint8)
    assert np.array_equal(encoder.predict_on_batch(crops[:, :50, :50]).shape, encoder.predict_on_batch(crops).shape)
    assert encoder.predict_on_batch(crops).min() >= 0


def test_windows_of_seven_places_drop_what_is_left_over():
    inputs = keras.Input((None, None, 3))
    backbone = keras.Model(inputs, keras.layers.AveragePooling2D(32)(inputs), name="resnet50")
    crops = np.random.default_rng(0).integers(0, 256, (1, 288, 288, 3), dtype=np.uint8)
    maps = np.asarray(features.extractor(backbone, (None, None, 3))(crops))
    assert maps.shape[1:3] == (9, 9)
    windows = np.asarray(settings.encoder(backbone, None, windows=True)(crops))
    assert np.allclose(windows, maps[:, :7, :7].mean((1, 2)), atol=1e-5)
    with pytest.raises(ValueError, match=r"encode_side=128.*224 pixels"):
        settings.encoder(backbone, 128, windows=True)
