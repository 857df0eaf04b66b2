"""Maps of what an answer rests on, for networks whose answer is known by construction."""

import keras
import numpy as np
import pytest

from histolib import models, training
from studybook.papers.breakhis_magnification import ablation

IMAGES = np.random.default_rng(0).integers(100, 256, (2, 32, 32, 3), dtype=np.uint8)


def corners(regression=False):
    """Two tasks on one convolution: malignancy reads the upper left place, magnification the lower right one."""
    inputs = keras.Input((32, 32, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(2, 8, 8, activation="relu", name="look")(x)
    x = keras.layers.Flatten()(x)
    one = keras.layers.Dense(2, activation="softmax", name="malignancy")
    two = keras.layers.Dense(1, name="magnification") if regression else keras.layers.Dense(
        4, activation="softmax", name="magnification")  # fmt: skip
    model = keras.Model(inputs, {"malignancy": one(x), "magnification": two(x)}, name="corners")
    model.get_layer("look").set_weights([np.full((8, 8, 3, 2), 1 / 192), np.zeros(2)])
    for name, place in (("malignancy", 0), ("magnification", 15)):
        weights, bias = model.get_layer(name).get_weights()
        weights[:] = 0
        weights[2 * place : 2 * place + 2, -1] = 3
        model.get_layer(name).set_weights([weights, bias])
    return model


def peak(found):
    """Row and column of the highest value, 0 to 3 of four places each."""
    return tuple(int(k) // 8 for k in np.unravel_index(found.argmax(), found.shape))


def one_map(model, image, output="malignancy", target=1, layer=None):
    return ablation.maps(model, image[None], {output: target}, layer)[output][0]


def test_each_task_is_shown_where_it_looks():
    maps = ablation.maps(corners(), IMAGES, {"malignancy": 1, "magnification": 3})
    for name, place in (("malignancy", (0, 0)), ("magnification", (3, 3))):
        found = maps[name]
        assert found.shape == (2, 32, 32) and found.dtype == np.float32
        assert found.min() == 0 and found.max() == 1
        for one in found:
            assert peak(one) == place
            # Nothing beyond the neighboring places, between which the map is interpolated.
            far = one[16:] if place == (0, 0) else one[:16]
            assert far.max() == 0


def test_what_speaks_against_a_class_is_not_shown():
    assert one_map(corners(), IMAGES[0], "malignancy", 0).max() == 0


def test_targets_may_differ_between_images():
    maps = ablation.maps(corners(), IMAGES, {"malignancy": np.array([0, 1])})["malignancy"]
    assert maps[0].max() == 0 and peak(maps[1]) == (0, 0)


def test_a_regression_is_asked_what_raises_and_what_lowers_it():
    model = corners(regression=True)
    assert peak(one_map(model, IMAGES[0], "magnification", 1)) == (3, 3)
    assert one_map(model, IMAGES[0], "magnification", 0).max() == 0


def test_a_network_with_one_output_and_an_earlier_convolution():
    keras.utils.set_random_seed(0)
    model = models.magnification_cnn(input_shape=(60, 60, 3), width=0.05)
    images = np.random.default_rng(1).integers(0, 256, (2, 60, 60, 3), dtype=np.uint8)
    p = training.predict(model, images)
    for layer in (None, "conv1"):
        maps = ablation.maps(model, images, {"malignancy": p.argmax(1)}, layer)["malignancy"]
        assert maps.shape == (2, 60, 60) and np.isfinite(maps).all() and maps.max() <= 1
    assert maps.max() == 1


def test_an_oblong_image_keeps_its_shape():
    model = models.magnification_cnn(2, (40, 72, 3), width=0.05)
    assert one_map(model, np.zeros((40, 72, 3), np.uint8)).shape == (40, 72)


def test_wrong_questions_are_named():
    model = corners()
    with pytest.raises(ValueError, match="targets for stage: corners has the outputs malignancy, magnification"):
        one_map(model, IMAGES[0], "stage")
    with pytest.raises(ValueError, match="malignancy: class 2; expected 0 to 1"):
        one_map(model, IMAGES[0], "malignancy", 2)
    with pytest.raises(ValueError, match="layer='conv9': expected one of .* corners that give maps, .*, look"):
        one_map(model, IMAGES[0], layer="conv9")
    with pytest.raises(ValueError, match="layer=None: expected one of"):
        inputs = keras.Input((32, 32, 3))
        one_map(keras.Model(inputs, keras.layers.Flatten()(inputs)), IMAGES[0])
    with pytest.raises(ValueError, match="maps with values of -1"):
        inputs = keras.Input((32, 32, 3))
        below = keras.layers.Rescaling(0.0, -1.0, name="below")(inputs)
        one_map(keras.Model(inputs, keras.layers.Flatten()(below)), IMAGES[0], layer="below")


def test_overlapping_pooling_shows_in_what_comes_out_of_a_convolution_less_in_what_goes_in():
    inputs = keras.Input((6, 6, 1), dtype="uint8")
    x = keras.layers.Conv2D(1, 1, activation="relu", name="first")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Conv2D(1, 3, padding="same", activation="relu", name="last")(x)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(3, 2, padding="same")(x))
    model = keras.Model(inputs, keras.layers.Dense(1, name="sum")(x))
    for name, value in (("first", 1.0), ("last", 1 / 9), ("sum", 1.0)):
        weights, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([np.full_like(weights, value), bias])
    images = np.random.default_rng(2).integers(0, 256, (20, 6, 6, 1), dtype=np.uint8)
    shares = {}
    for layer in (None, "last"):
        places = ablation.maps(model, images, {"sum": 1}, layer)["sum"].mean(0)
        # Rows and columns 2 of six lie in two windows of the pooling, rows and columns 3 in one.
        shares[layer] = places[2, 2] / places[3, 3]
    assert shares["last"] > 2 > 1.5 > shares[None]
