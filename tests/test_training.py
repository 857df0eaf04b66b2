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


def test_whole_batches_leave_out_others_each_epoch():
    batches = training.Batches(np.arange(10)[:, None], None, 4, seed=0, whole=True)
    assert len(batches) == 2
    first = np.concatenate([batches[k][0][:, 0] for k in range(2)])
    assert len(set(first)) == 8
    batches.on_epoch_end()
    assert set(first) != set(np.concatenate([batches[k][0][:, 0] for k in range(2)]))
    assert len(training.Batches(np.arange(3)[:, None], None, 4, seed=0, whole=True)) == 1
