import keras
import numpy as np
import pytest

from histolib import models, reproducibility, training


def problem():
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    images = rng.integers(0, 100, (64, 8, 8, 3), dtype=np.uint8) + 100 * labels[:, None, None, None].astype(np.uint8)
    return images, labels


def small():
    return models.baseline_cnn((8, 8, 3), filters=(4, 8))


def test_learns_reports_and_repeats():
    images, labels = problem()
    runs, lines = [], []
    for _ in range(2):
        reproducibility.seed(1)
        adam = keras.optimizers.Adam(0.01)
        run = training.fit(small(), images, labels, (images, labels), 5, 8, optimizer=adam, seed=2, say=lines.append)
        runs.append((run, training.predict(run.model, images)))
    (first, p), (second, q) = runs
    assert list(first.history.columns) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert first.history.index.tolist() == [1, 2, 3, 4, 5] and first.seconds > 0
    assert first.history["loss"].iloc[-1] < first.history["loss"].iloc[0]
    assert (p.argmax(1) == labels).mean() > 0.9
    assert first.history.equals(second.history) and np.array_equal(p, q)
    assert len(lines) == 10 and lines[0].startswith("baseline_cnn, epoch 1/5: loss ")


def test_a_head_on_features_learns_too():
    features = np.random.default_rng(0).normal(size=(32, 2, 2, 3)).astype(np.float32)
    labels = (features.mean(axis=(1, 2, 3)) > 0).astype(int)
    fit = training.fit(models.head((2, 2, 3), units=8), features, labels, (features, labels), 9, 8, say=lambda _: None)
    assert fit.history["loss"].iloc[-1] < fit.history["loss"].iloc[0]


def test_batches_hold_every_image_once_per_epoch_in_a_new_order():
    images, labels = problem()
    batches = training.Batches(images, training.one_hot(labels, 2), 10, seed=0)
    orders = []
    for _ in range(2):
        seen = [batches[k] for k in range(len(batches))]
        assert [len(x) for x, _ in seen] == [10] * 6 + [4]
        order = np.concatenate([x.reshape(len(x), -1)[:, :20] for x, _ in seen])
        assert np.array_equal(np.unique(order, axis=0), np.unique(images.reshape(64, -1)[:, :20], axis=0))
        orders.append(order)
        batches.on_epoch_end()
    assert not np.array_equal(*orders)


def test_prediction_keeps_the_order():
    identity = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(1.0)])
    values = np.random.default_rng(0).random((1000, 3)).astype(np.float32)
    assert np.allclose(training.predict(identity, values, 64), values)


def test_bad_settings_are_named():
    images, labels = problem()
    with pytest.raises(ValueError, match="epochs=0"):
        training.fit(small(), images, labels, (images, labels), 0, 8)
    with pytest.raises(ValueError, match="labels from 0 to 2; expected 0 to 1"):
        training.one_hot([0, 2], 2)
    with pytest.raises(ValueError, match="the loss is .*learning rate"):
        optimizer = keras.optimizers.SGD(1e30)
        training.fit(small(), images, labels, (images, labels), 3, 8, optimizer=optimizer, say=lambda _: None)
    with pytest.raises(ValueError, match="seed=-1"):
        reproducibility.seed(-1)


def test_a_reused_network_learns_the_same_as_a_new_one():
    images, labels = problem()

    def fit(seed, rate, reuse=None):
        reproducibility.seed(seed)
        lower = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=1, min_delta=10)
        told = {"seed": seed, "say": lambda _: None, "callbacks": [lower], "reuse": reuse}
        descent = keras.optimizers.SGD(rate, momentum=0.9)
        return training.fit(small(), images, labels, (images, labels), 4, 8, optimizer=descent, **told)

    alone = fit(1, 0.05)
    first = fit(2, 0.01, "small")
    again = fit(1, 0.05, "small")
    assert again.model is first.model and again.history.equals(alone.history)
    assert all(np.array_equal(a, b) for a, b in zip(again.model.get_weights(), alone.model.get_weights(), strict=True))
    other = models.baseline_cnn((8, 8, 3), filters=(4,))
    with pytest.raises(ValueError, match="expected a network of the same architecture"):
        training.fit(other, images, labels, (images, labels), 1, 8, reuse="small")
    training.forget()
    assert fit(1, 0.05, "small").model is not first.model


def two_tasks(regression=False):
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    told = keras.layers.Dense(1) if regression else keras.layers.Dense(4, activation="softmax")
    outputs = {"malignancy": keras.layers.Dense(2, activation="softmax")(x), "magnification": told(x)}
    return keras.Model(inputs, outputs, name="two_tasks")


def cross_entropy(p, labels):
    """Equation 1 of the magnification paper, a mean over images."""
    return -np.log(p[np.arange(len(labels)), labels]).mean()


def test_a_number_weighs_the_loss_of_one_task_or_of_all():
    images, labels = problem()
    both = {"malignancy": labels, "magnification": np.arange(64) % 4}
    for model, wanted in ((small(), labels), (two_tasks(), both)):
        still = {"optimizer": keras.optimizers.SGD(0.0), "say": None}
        whole, half = (training.fit(model, images, wanted, (images, wanted), 1, 64, loss_weights=weight, **still)
                       for weight in (1.0, 0.5))  # fmt: skip
        assert half.history["val_loss"].iloc[0] == pytest.approx(whole.history["val_loss"].iloc[0] / 2, rel=1e-4)


def test_loss_of_two_tasks_is_their_weighted_sum():
    images, labels = problem()
    both = {"malignancy": labels, "magnification": np.arange(64) % 4}
    model = two_tasks()
    still = keras.optimizers.SGD(0.0)
    weights = {"malignancy": 0.25, "magnification": 2.0}
    fit = training.fit(model, images, both, (images, both), 1, 16, optimizer=still, loss_weights=weights,
                       say=lambda _: None)  # fmt: skip
    p = training.predict(model, images)
    parts = {name: cross_entropy(p[name], both[name]) for name in both}
    found = fit.history.loc[1]
    for part in ("", "val_"):
        assert found[f"{part}malignancy_loss"] == pytest.approx(parts["malignancy"], rel=1e-4)
        assert found[f"{part}magnification_loss"] == pytest.approx(parts["magnification"], rel=1e-4)
        # Equation 2.
        total = 0.25 * parts["malignancy"] + 2 * parts["magnification"]
        assert found[f"{part}loss"] == pytest.approx(total, rel=1e-4)
        for name, target in both.items():
            assert found[f"{part}{name}_accuracy"] == pytest.approx((p[name].argmax(1) == target).mean())


def test_weights_are_1_if_none_are_given_and_columns_are_in_order():
    images, labels = problem()
    both = {"magnification": np.arange(64) % 4, "malignancy": labels}
    lines = []
    fit = training.fit(two_tasks(), images, both, (images, both), 2, 16, say=lines.append)
    parts = ["malignancy_loss", "malignancy_accuracy", "magnification_loss", "magnification_accuracy"]
    assert list(fit.history) == ["loss", *parts, "val_loss", *(f"val_{name}" for name in parts)]
    sums = fit.history["val_malignancy_loss"] + fit.history["val_magnification_loss"]
    assert fit.history["val_loss"].to_numpy() == pytest.approx(sums.to_numpy(), rel=1e-4)
    assert list(fit.of_task("malignancy")) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert fit.of_task("malignancy")["val_loss"].equals(fit.history["val_malignancy_loss"])
    assert len(lines) == 2 and lines[0].startswith("two_tasks, epoch 1/2: loss ")
    with pytest.raises(ValueError, match="name='stage': no such task"):
        fit.of_task("stage")


def test_a_task_may_be_a_regression():
    images, labels = problem()
    size = images.mean((1, 2, 3)) / 100
    both = {"malignancy": labels, "magnification": size}
    keras.utils.set_random_seed(0)
    model = two_tasks(regression=True)
    still = training.fit(model, images, both, (images, both), 1, 64, optimizer=keras.optimizers.SGD(0.0),
                         say=lambda _: None).history.loc[1]  # fmt: skip
    given = training.predict(model, images)["magnification"][:, 0]
    assert still["magnification_loss"] == pytest.approx(np.square(given - size).mean(), rel=1e-4)
    assert still["magnification_mean_absolute_error"] == pytest.approx(np.abs(given - size).mean(), rel=1e-4)
    fit = training.fit(model, images, both, (images, both), 40, 16, say=lambda _: None)
    assert fit.history["val_magnification_loss"].iloc[-1] < 0.5 * still["magnification_loss"]
    assert list(fit.of_task("magnification"))[:2] == ["loss", "mean_absolute_error"]


def test_predictions_of_several_tasks_are_a_dictionary_in_order():
    images, _ = problem()
    model = two_tasks()
    found = training.predict(model, images, 10)
    alone = training.predict(model, images[7:8])
    assert {name: values.shape for name, values in found.items()} == {"malignancy": (64, 2), "magnification": (64, 4)}
    assert found["magnification"].dtype == np.float32
    assert np.allclose(found["malignancy"][7], alone["malignancy"][0], atol=1e-6)


def test_batches_keep_the_labels_of_an_image_together():
    images = np.arange(20)[:, None]
    batches = training.Batches(images, {"a": np.arange(20), "b": -np.arange(20)}, 6, seed=1)
    for k in range(len(batches)):
        x, y = batches[k]
        assert np.array_equal(x[:, 0], y["a"]) and np.array_equal(y["a"], -y["b"])


def test_wrong_labels_of_several_tasks_are_named():
    images, labels = problem()
    both = {"malignancy": labels, "magnification": np.arange(64) % 4}

    def fit(model, given, **options):
        training.fit(model, images, given, (images, given), 1, 8, say=lambda _: None, **options)

    with pytest.raises(ValueError, match="labels for one task without a name, but two_tasks has the tasks malignancy"):
        fit(two_tasks(), labels)
    with pytest.raises(ValueError, match="labels for the tasks malignancy, but"):
        fit(two_tasks(), {"malignancy": labels})
    with pytest.raises(ValueError, match="but baseline_cnn has one task without a name"):
        fit(small(), both)
    with pytest.raises(ValueError, match="magnification: labels from 0 to 4; expected 0 to 3"):
        fit(two_tasks(), both | {"magnification": np.arange(64) % 5})
    with pytest.raises(ValueError, match="magnification: floating-point labels for 4 outputs"):
        fit(two_tasks(), both | {"magnification": np.ones(64)})
    with pytest.raises(ValueError, match="magnification: floating-point labels for 1 outputs; expected finite"):
        fit(two_tasks(regression=True), both | {"magnification": np.full(64, np.nan)})
    with pytest.raises(ValueError, match="magnification: 63 for 64 images"):
        fit(two_tasks(), both | {"magnification": np.arange(63) % 4})
    with pytest.raises(ValueError, match="labels: 63 for 64 images"):
        fit(small(), labels[:63])
    with pytest.raises(ValueError, match="loss_weights={'malignancy': 1}: expected one per task, malignancy, magn"):
        fit(two_tasks(), both, loss_weights={"malignancy": 1})
    with pytest.raises(ValueError, match="one per task, but none"):
        fit(small(), labels, loss_weights={"malignancy": 1})
