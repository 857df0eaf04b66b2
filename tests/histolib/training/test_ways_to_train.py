"""However steps are run, a training gives the same."""

import keras
import numpy as np
import pytest
from test_training import problem, small, two_tasks

from histolib import models, reproducibility, training
from histolib.training import execution

HELD = training.Execution(held=True)


def learned(way=None, reuse=None, make=small, wanted=None, batch_size=10, **options):
    """A short training on 64 images, whose last batch is smaller, with early stopping; and its predictions."""
    images, labels = problem()
    labels = labels if wanted is None else wanted(labels)
    reproducibility.seed(1)
    stop = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True, min_delta=10)
    descent = keras.optimizers.SGD(0.05, momentum=0.9)
    fit = training.fit(make(), images, labels, (images, labels), 4, batch_size, optimizer=descent, seed=2, say=None,
                       callbacks=[stop], reuse=reuse, execution=way, **options)  # fmt: skip
    return fit, training.predict(fit.model, images)


@pytest.mark.parametrize("way", [HELD, training.Execution(steps=3, held=True), training.Execution(jit=False)],
                         ids=["held", "held, several steps", "not compiled"])  # fmt: skip
def test_the_result_is_the_same(way):
    if reproducibility.backend() == "torch" and way.steps:
        pytest.skip("PyTorch takes single steps")
    (plain, p), (other, q) = learned(), learned(way)
    assert len(plain.history) == 2  # stopped early, and put back to the first epoch
    np.testing.assert_allclose(other.history, plain.history, rtol=1e-4)
    for a, b in zip(plain.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(p, q, atol=1e-4)
    assert plain.model.input_shape == other.model.input_shape == (None, 8, 8, 3)


def test_several_tasks_with_images_on_the_device():
    both = {"make": two_tasks, "wanted": lambda labels: {"malignancy": labels, "magnification": np.arange(64) % 4}}
    (plain, p), (held, q) = learned(**both, loss_weights=0.5), learned(HELD, **both, loss_weights=0.5)
    assert list(held.history) == list(plain.history)
    np.testing.assert_allclose(held.history, plain.history, rtol=1e-4)
    np.testing.assert_allclose(p["magnification"], q["magnification"], atol=1e-4)


def test_images_and_features_on_the_device_are_gathered_as_they_are():
    rng, rows = np.random.default_rng(0), np.array([3, 31, 3], np.int32)
    for values in (rng.normal(size=(32, 5)).astype(np.float32), rng.integers(0, 256, (32, 4, 4, 3), dtype=np.uint8)):
        resident = execution.Resident(values[:20], values[20:])
        found = keras.ops.convert_to_numpy(resident(rows))
        assert found.dtype == values.dtype and np.array_equal(found, values[rows]) and not resident.trainable_weights


def test_a_reused_network_holds_the_new_images():
    alone, first = learned(HELD), learned(HELD, "held")
    again = learned(HELD, "held")
    assert again[0].model is first[0].model and again[0].history.equals(alone[0].history)
    assert np.array_equal(again[1], alone[1])
    other = learned(training.Execution(held=True, jit=False), "held")  # another way is another graph
    assert other[0].model is not first[0].model
    training.forget()


def test_mixed_precision_learns_and_leaves_a_network_of_full_precision():
    seen = []
    half = training.Execution(precision="bfloat16")

    def make():
        model = models.transfer(*_body())
        inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
        seen.extend([inner[0].layers[1], inner[1].layers[-1], inner[1].layers[-3]])
        return model

    images, labels = problem()
    reproducibility.seed(0)
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: seen.append([x.compute_dtype for x in seen[:3]]))
    fit = training.fit(make(), images, labels, (images, labels), 6, 16, say=None, callbacks=[watch], execution=half)
    # A convolution of the backbone, the last layer, one before it.
    assert seen[3] == ["bfloat16", "float32", "bfloat16"]
    assert {weight.dtype for weight in fit.model.weights} == {"float32"}
    assert {layer.compute_dtype for layer in seen[:3]} == {"float32"}
    p = training.predict(fit.model, images)
    assert p.dtype == np.float32 and (p.argmax(1) == labels).mean() > 0.9
    full = models.transfer(*_body())
    full.set_weights(fit.model.get_weights())
    np.testing.assert_allclose(training.predict(full, images), p, rtol=1e-5, atol=1e-7)


def _body():
    inputs = keras.Input((8, 8, 3), name="x")
    maps = keras.layers.Conv2D(8, 3, activation="relu")(inputs)
    return keras.Model(inputs, maps, name="vgg16"), models.head((6, 6, 8), units=16), (8, 8, 3)


def test_what_is_chosen_depends_on_the_accelerator(monkeypatch):
    images = np.zeros((4, 8), np.uint8)
    way = training.Execution()
    monkeypatch.setattr(reproducibility, "accelerators", list)
    assert (way.steps_of(100), way.holds(images)) == (1, False)
    monkeypatch.setattr(reproducibility, "accelerators", lambda: ["a GPU"])
    monkeypatch.setattr(reproducibility, "backend", lambda: "jax")
    # At least two calls for each epoch, so that a progress can be seen; images only where they fit.
    assert [way.steps_of(count) for count in (1, 3, 10, 100)] == [1, 1, 5, 16] and way.holds(images)
    assert not way.holds(np.broadcast_to(images[:1], (10**9, 8)))
    monkeypatch.setattr(reproducibility, "backend", lambda: "torch")
    assert way.steps_of(100) == 1


def test_prediction_in_several_steps_keeps_the_order(monkeypatch):
    if reproducibility.backend() == "torch":
        pytest.skip("PyTorch takes single steps")
    identity = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(1.0)])
    values = np.random.default_rng(0).random((1000, 3)).astype(np.float32)
    monkeypatch.setattr(reproducibility, "accelerators", lambda: ["a GPU"])
    assert np.allclose(training.predict(identity, values, 64), values)
    assert identity.steps_per_execution == 1


def test_other_ways_are_refused():
    with pytest.raises(ValueError, match="precision='float16', steps=None: expected 'float32' or 'bfloat16'"):
        training.Execution(precision="float16")
    with pytest.raises(ValueError, match="steps=0"):
        training.Execution(steps=0)
