import keras
import numpy as np
import pytest

from histolib import models, training
from histolib.models import features
from histolib.training import augmentation

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 50, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vgg():
    return models.backbone("vgg16", 0.125, None, (50, 50, 3))


def test_baseline_is_the_published_network():
    model = models.baseline_cnn(
        augment=augmentation.RandomAffine(40, seed=0), standardize=models.standardization(IMAGES)
    )
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.kernel_size for layer in convolutions] == [(3, 3)] * 4
    assert [layer.filters for layer in convolutions] == [32, 64, 128, 128]
    assert model.input_shape == (None, 50, 50, 3) and model.output_shape == (None, 2)
    p = training.predict(model, IMAGES)
    assert p.shape == (12, 2) and np.allclose(p.sum(1), 1, atol=1e-5)


def test_standardization_gives_mean_0_and_deviation_1():
    rng = np.random.default_rng(1)
    images = np.clip(rng.normal([200, 120, 60], [10, 30, 5], (40, 8, 8, 3)), 0, 255).astype(np.uint8)
    changed = keras.ops.convert_to_numpy(models.standardization(images, block=7)(images.astype("float32")))
    assert np.allclose(changed.mean((0, 1, 2)), 0, atol=1e-3) and np.allclose(changed.std((0, 1, 2)), 1, atol=1e-3)


def test_standardization_of_one_color_stays_finite():
    images = np.full((3, 4, 4, 3), 9, np.uint8)
    assert np.isfinite(keras.ops.convert_to_numpy(models.standardization(images)(images.astype("float32")))).all()


def test_layer_table_says_what_is_frozen(vgg):
    models.unfreeze(vgg, 2)
    full = models.transfer(vgg, models.head(vgg.output_shape[1:]), (50, 50, 3))
    table = models.layer_table(full)
    trainable = table.index[table["state"] == "trainable"].tolist()
    expected = [f"block{b}_conv{c}" for b in (4, 5) for c in (1, 2, 3)] + ["dense", "probabilities"]
    assert trainable == expected
    assert table["parameters"].sum() == full.count_params()
    assert table.loc["dropout", "kind"] == "dropout 0.5" and table.loc["dropout", "state"] == ""


def test_training_changes_unfrozen_layers_only(vgg):
    tuned = models.unfreeze(models.copy(vgg), 1)
    before = {layer.name: [w.copy() for w in layer.get_weights()] for layer in tuned.layers}
    full = models.transfer(tuned, models.head(tuned.output_shape[1:]), (50, 50, 3))
    training.fit(full, IMAGES, np.arange(12) % 2, (IMAGES, np.arange(12) % 2), 1, 4, say=lambda _: None)
    for layer in tuned.layers:
        same = all(np.array_equal(a, b) for a, b in zip(before[layer.name], layer.get_weights(), strict=True))
        assert same == (not layer.name.startswith("block5_conv")), layer.name


def test_copy_has_the_same_output_and_its_own_weights(vgg):
    other = models.copy(vgg)
    a, b = (training.predict(features.extractor(m, (50, 50, 3)), IMAGES) for m in (vgg, other))
    assert np.allclose(a, b, atol=1e-6)
    other.set_weights([w * 0 for w in other.get_weights()])
    assert np.abs(vgg.get_weights()[0]).max() > 0


def test_preprocessing_equals_that_of_keras():
    pixels = IMAGES.astype("float32")
    for name, module in (("vgg16", keras.applications.vgg16), ("inceptionv3", keras.applications.inception_v3)):
        ours = keras.ops.convert_to_numpy(models.Preprocessing.of(name)(pixels))
        assert np.allclose(ours, module.preprocess_input(pixels.copy()), atol=1e-4)


def test_head_of_features_and_of_maps():
    assert models.head(64).count_params() == models.head((1, 1, 64)).count_params() == 64 * 512 + 512 + 512 * 2 + 2


def test_extractor_pools_on_request():
    vgg = models.backbone("vgg16", 0.125, None)
    maps = training.predict(features.extractor(vgg, (70, 70, 3)), np.zeros((2, 70, 70, 3), np.uint8))
    pooled = training.predict(features.extractor(vgg, (70, 70, 3), "average"), np.zeros((2, 70, 70, 3), np.uint8))
    assert maps.shape == (2, 2, 2, 64) and np.allclose(maps.mean((1, 2)), pooled, atol=1e-5)
    with pytest.raises(ValueError, match="pooling='max'"):
        features.extractor(vgg, (50, 50, 3), "max")
