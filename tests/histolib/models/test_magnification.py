"""The network for all magnifications and its response normalization."""

import keras
import numpy as np
import pytest

from histolib import models, training
from histolib.training import augmentation

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (8, 100, 100, 3), dtype=np.uint8)


def by_formula(a, size, k, alpha, beta):
    """Section 3.3 of Krizhevsky et al. 2012 written out, i and j as there."""
    channels, half = a.shape[-1], size // 2
    b = np.empty_like(a)
    for i in range(channels):
        total = sum(a[..., j] ** 2 for j in range(max(0, i - half), min(channels - 1, i + half) + 1))
        b[..., i] = a[..., i] / (k + alpha * total) ** beta
    return b


@pytest.mark.parametrize("channels", [1, 3, 5, 11])
@pytest.mark.parametrize("settings", [{}, {"size": 3, "k": 1.0, "alpha": 0.5, "beta": 0.5}, {"size": 1, "alpha": 1.0}])
def test_response_normalization_is_the_formula(channels, settings):
    a = (RNG.normal(0, 100, (2, 4, 3, channels))).astype(np.float32)
    found = keras.ops.convert_to_numpy(models.LocalResponseNormalization(**settings)(a))
    expected = by_formula(a.astype(np.float64), **({"size": 5, "k": 2.0, "alpha": 1e-4, "beta": 0.75} | settings))
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_response_normalization_by_hand():
    layer = models.LocalResponseNormalization(size=3, k=1.0, alpha=1.0, beta=1.0)
    found = keras.ops.convert_to_numpy(layer(np.array([[[[1.0, 2.0, 3.0]]]], np.float32)))
    assert found.ravel() == pytest.approx([1 / 6, 2 / 15, 3 / 14])


def test_response_normalization_is_saved_and_read_back(tmp_path):
    inputs = keras.Input((4, 4, 6))
    model = keras.Model(inputs, models.LocalResponseNormalization(3, 1.5, 0.1, 0.6)(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    layer = again.layers[-1]
    assert (layer.size, layer.k, layer.alpha, layer.beta) == (3, 1.5, 0.1, 0.6)
    a = RNG.random((1, 4, 4, 6)).astype(np.float32)
    assert np.array_equal(model.predict(a, verbose=0), again.predict(a, verbose=0))


@pytest.mark.parametrize("wrong", [{"size": 4}, {"size": 0}, {"k": 0}, {"alpha": -1}])
def test_impossible_response_normalization(wrong):
    with pytest.raises(ValueError, match="expected an odd size"):
        models.LocalResponseNormalization(**wrong)


def test_network_is_the_published_one():
    model = models.magnification_cnn(2)
    table = models.layer_table(model)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.kernel_size) for layer in convolutions] == [
        (96, (7, 7)),
        (256, (5, 5)),
        (384, (3, 3)),
    ]
    pools = [layer for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert [(layer.pool_size, layer.strides) for layer in pools] == [((3, 3), (2, 2))] * 3
    order = [name for name in table.index if name not in ("malignancy", "magnification")]
    assert order == ["centering", "conv1", "pool1", "normalization1", "conv2", "pool2", "normalization2", "conv3",
                     "pool3", "flatten", "dense1", "dropout1", "dense2", "dropout2"]  # fmt: skip
    sizes = [table.at[name, "output"] for name in ("conv1", "pool1", "pool2", "pool3", "flatten")]
    assert sizes == ["24 × 24 × 96", "12 × 12 × 96", "6 × 6 × 256", "3 × 3 × 384", "3456"]
    assert model.count_params() == (7 * 7 * 3 + 1) * 96 + (5 * 5 * 96 + 1) * 256 + (3 * 3 * 256 + 1) * 384 + (
        3457 + 513
    ) * 512 + 513 * (2 + 4)
    assert [table.at[f"dropout{k}", "kind"] for k in (1, 2)] == ["dropout 0.5"] * 2


def test_maps_of_the_cited_network_are_those_of_its_definition():
    table = models.layer_table(models.magnification_cnn(input_shape=(227, 227, 3), width=1 / 96))
    sizes = [table.at[name, "output"].split(" ")[0] for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "pool3")]
    assert sizes == ["56", "28", "28", "14", "14", "7"]


def test_one_task_is_trained_and_predicted_like_any_classifier():
    model = models.magnification_cnn(width=0.1, augment=augmentation.Dihedral(0))
    assert model.output_shape == (None, 2)
    labels = np.arange(8) % 2
    fit = training.fit(model, IMAGES, labels, (IMAGES, labels), 2, 4, optimizer=keras.optimizers.SGD(0.001, 0.9),
                       say=lambda _: None)  # fmt: skip
    p = training.predict(model, IMAGES)
    assert p.shape == (8, 2) and np.allclose(p.sum(1), 1, atol=1e-5) and np.isfinite(fit.history).all(axis=None)


@pytest.mark.parametrize(("regression", "still"), [(False, "magnification"), (True, "malignancy")])
def test_two_tasks_share_the_trunk_and_each_moves_it(regression, still):
    magnification = np.array([40, 100, 200, 400] * 2)
    model = models.magnification_cnn(2, (31, 31, 3), width=0.1, regression=regression)
    told = models.log_magnification(magnification) if regression else np.arange(8) % 4
    labels = {"malignancy": np.arange(8) % 2, "magnification": told}
    before = {name: model.get_layer(name).get_weights()[0] for name in ("conv1", "malignancy", "magnification")}
    images, weights = IMAGES[:, :31, :31], {name: float(name != still) for name in labels}
    training.fit(model, images, labels, (images, labels), 1, 8, optimizer=keras.optimizers.SGD(0.001),
                 loss_weights=weights, say=lambda _: None)  # fmt: skip
    same = {name: np.array_equal(model.get_layer(name).get_weights()[0], old) for name, old in before.items()}
    assert same == {"conv1": False, "malignancy": False, "magnification": False} | {still: True}
    p = training.predict(model, images)
    assert p["magnification"].shape == (8, 1 if regression else 4) and p["malignancy"].shape == (8, 2)


def test_network_is_saved_and_read_back(tmp_path):
    model = models.magnification_cnn(2, width=0.05, augment=augmentation.Dihedral(0))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    p, q = training.predict(model, IMAGES), training.predict(again, IMAGES)
    assert all(np.array_equal(p[name], q[name]) for name in ("malignancy", "magnification"))


def test_targets_of_the_regression():
    found = models.log_magnification([40, 100, 200, 400])
    assert found.dtype == np.float32 and found.mean() == pytest.approx(0, abs=1e-6)
    assert np.diff(found) == pytest.approx([np.log2(2.5), 1, 1], rel=1e-5)
    assert models.magnification_of(found) == pytest.approx([40, 100, 200, 400], rel=1e-5)
    with pytest.raises(ValueError, match="a magnification of 0"):
        models.log_magnification([40, 0])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"tasks": 3}, "tasks=3"),
        ({"tasks": 1, "regression": True}, "a regression only with 2"),
        ({"width": 0}, "width=0"),
        ({"input_shape": (6, 100, 3)}, "at least 7x7 pixels"),
    ],
)
def test_impossible_networks(settings, told):
    with pytest.raises(ValueError, match=told):
        models.magnification_cnn(**settings)


def test_response_normalization_acts_alike_at_every_scale_of_the_pixels():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    plain = models.magnification_cnn(1, (32, 32, 3), width=0.1, standardize=keras.layers.Rescaling(1, -128))
    scaled = models.magnification_cnn(
        1, (32, 32, 3), width=0.1, standardize=keras.layers.Rescaling(1 / 64, -2), scale=64
    )
    scaled.set_weights(plain.get_weights())
    outputs = [keras.Model(net.input, net.get_layer("normalization1").output)(images) for net in (plain, scaled)]
    assert np.allclose(outputs[0], 64 * np.asarray(outputs[1]), rtol=1e-4, atol=1e-3)
    before = keras.Model(scaled.input, scaled.get_layer("pool1").output)(images)
    share = np.asarray(outputs[1]) / np.maximum(np.asarray(before), 1e-9)
    assert share[np.asarray(before) > 1e-3].std() > 0.01  # not just a constant
