import keras
import numpy as np
import pytest

from histolib import models, training
from histolib.descriptors import baselines, embeddings
from histolib.models import features


def table_file(folder, ending: str, ids=("b", "a", "10"), values=((1.5, 2), (3, 4), (5, 6))):
    path = folder / f"features{ending}"
    if ending == ".npz":
        np.savez(path, image_id=np.array(ids, str), features=np.array(values, float))
    else:
        lines = [",".join([str(one), *map(str, row)]) for one, row in zip(ids, values)]
        path.write_text("\n".join(["image_id,x,y", *lines]) + "\n")
    return path


@pytest.mark.parametrize("ending", [".csv", ".npz"])
def test_features_from_elsewhere_come_in_the_order_that_is_asked_for(tmp_path, ending):
    path = table_file(tmp_path, ending)
    assert features.from_table(path).index.tolist() == ["b", "a", "10"]
    found = features.from_table(path, ["10", "b"])
    assert found.to_numpy().dtype == np.float32 and found.to_numpy().tolist() == [[5, 6], [1.5, 2]]
    assert found.index.tolist() == ["10", "b"]


@pytest.mark.parametrize("ending", [".csv", ".npz"])
@pytest.mark.parametrize(
    ("ids", "value", "words"),
    [
        (("b", "a", "b"), 1, r"image b comes twice \(1 such images\)"),
        (("b", "c", "10"), 1, r"image a is missing \(1 such images\)"),
        (("b", "a", "10"), np.nan, r"image b has a value that is no finite number"),
        (("b", "a", "10"), np.inf, r"image b has a value that is no finite number"),
    ],
)
def test_a_table_of_features_that_cannot_be_used_is_named(tmp_path, ending, ids, value, words):
    path = table_file(tmp_path, ending, ids, ((value, 2), (3, 4), (5, 6)))
    with pytest.raises(ValueError, match=f"features{ending}: {words}"):
        features.from_table(path, ["a", "b"])


def test_a_table_of_features_of_another_kind_is_named(tmp_path):
    with pytest.raises(ValueError, match="features.xls: expected a file that ends in .csv or .npz"):
        features.from_table(tmp_path / "features.xls")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="other.npz: arrays x; expected image_id and features"):
        features.from_table(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="features.csv: image a has a value that is no finite"):
        features.from_table(table_file(tmp_path, ".csv", ("a",), (("x", 2),)))
    with pytest.raises(ValueError, match="0 rows of 2 numbers"):
        features.from_table(table_file(tmp_path, ".csv", (), ()))


def test_color_forest_learns_color_and_repeats():
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    images = rng.integers(0, 200, (80, 6, 6, 3), dtype=np.uint8)
    images[labels == 1, ..., 2] //= 4
    first, second = (
        baselines.color_forest(images[:60], labels[:60], seed=1, trees=20).predict_proba(images[60:]) for _ in range(2)
    )
    assert np.allclose(first, second, atol=1e-12)  # trees are summed by threads, in any order
    assert (first.argmax(1) == labels[60:]).mean() > 0.9


def test_tsne_keeps_clusters_apart_and_repeats():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    values = rng.normal(0, 1, (80, 1, 1, 12)) + 8 * labels[:, None, None, None]
    first, second = (embeddings.tsne(values, seed=3) for _ in range(2))
    assert first.shape == (80, 2) and np.array_equal(first, second)
    assert embeddings.neighbor_agreement(first, labels) == 1
    assert embeddings.neighbor_shares(first, labels)[:, 1].tolist() == labels.tolist()
    mixed = rng.permutation(labels)
    assert embeddings.neighbor_agreement(first, mixed) < 0.75
    with pytest.raises(ValueError, match="9 rows"):
        embeddings.tsne(values[:9], 0)
    varied = np.array([(x, 2 * x) for x in range(20)], float)
    assert np.isfinite(embeddings.tsne(varied, 0)).all()
    with pytest.raises(ValueError, match="0 of 4 columns differ between the rows; t-SNE needs 2"):
        embeddings.tsne(np.ones((20, 4)), 0)
    with pytest.raises(ValueError, match="1 of 1 columns differ"):
        embeddings.tsne(varied[:, :1], 0)
    with pytest.raises(ValueError, match="1 values are not finite"):
        embeddings.tsne(np.where(varied == 38, np.nan, varied), 0)


@pytest.mark.parametrize(
    ("p", "expected"), [(1, [2, 2.5]), (2, [5**0.5, 12.5**0.5]), (3, [14 ** (1 / 3), 62.5 ** (1 / 3)])]
)
def test_power_mean_by_hand(p, expected):
    found = features.power_mean(np.array([[1.0, 0], [3, 5]]), p)
    assert np.allclose(found, expected)


def test_power_mean_between_mean_and_maximum():
    values = np.random.default_rng(0).random((4, 6, 20, 9)).astype(np.float32)
    rising = [features.power_mean(values, p) for p in (0.5, 1, 3, 10, 1000, np.inf)]
    assert all(found.shape == (4, 6, 9) and found.dtype == np.float32 for found in rising)
    assert all((a <= b * (1 + 1e-5)).all() for a, b in zip(rising, rising[1:]))
    assert np.allclose(rising[1], values.mean(2)) and np.array_equal(rising[-1], values.max(2))
    assert np.allclose(rising[2], (values.astype(float) ** 3).mean(2) ** (1 / 3), rtol=1e-5)
    assert np.allclose(rising[-2], values.max(2), rtol=0.01)
    assert np.allclose(features.power_mean(values[..., ::-1, :]), rising[2], rtol=1e-5)


def test_power_mean_neither_overflows_nor_divides_by_zero():
    values = np.array([[1e30, 0, 1e-30], [1e30, 0, 1e-30]], np.float32)
    assert np.allclose(features.power_mean(values), [1e30, 0, 1e-30])
    assert features.power_mean(np.array([[2, 0]])).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("values", "p", "message"),
    [
        ([[1.0, -0.5]], 3, "from -0.5 to 1.0; expected finite numbers of at least 0"),
        ([[1.0, np.nan]], 3, "expected finite"),
        ([1.0, 2.0], 3, r"shape \(2,\)"),
        (np.ones((0, 4)), 3, "at least one descriptor"),
        ([[1.0]], 0, "p=0"),
    ],
)
def test_power_mean_refuses(values, p, message):
    with pytest.raises(ValueError, match=message):
        features.power_mean(np.array(values), p)


def test_blocks_of_vgg16_are_the_means_of_their_last_convolutions():
    backbone = models.backbone("vgg16", 0.125, None)
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    found = training.predict(features.extractor(backbone, (40, 40, 3), "blocks"), images)
    names = ["block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"]
    maps = keras.Model(backbone.input, [backbone.get_layer(name).output for name in names])
    expected = [keras.ops.convert_to_numpy(part).mean((1, 2)) for part in maps(models.Preprocessing("caffe")(images))]
    assert found.shape == (2, 1408 // 8) and np.allclose(found, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-5)


def test_descriptors_have_the_published_length():
    assert features.extractor(models.backbone("vgg16", 1.0, None), (32, 32, 3), "blocks").output_shape == (None, 1408)
    with pytest.raises(ValueError, match="pooling='max': expected None, 'average' or 'blocks'"):
        features.extractor(models.backbone("vgg16", 0.05, None), (32, 32, 3), "max")


def test_folded_network_gives_the_same_without_normalization():
    network = features.extractor(models.backbone("inceptionv3", 0.125, "phantom"), (80, 80, 3), "average")
    images = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)
    before, weights = network.predict_on_batch(images), network.get_weights()
    folded = features.folded(network)
    assert np.abs(folded.predict_on_batch(images) - before).max() < 1e-5 * np.abs(before).max()
    kinds = [[type(layer).__name__ for layer in one.get_layer("inceptionv3").layers] for one in (network, folded)]
    assert [each.count("BatchNormalization") for each in kinds] == [94, 0]
    assert all(np.array_equal(a, b) for a, b in zip(weights, network.get_weights(), strict=True))


@pytest.mark.parametrize("multiplier", [1, 2])
def test_convolutions_by_channel_are_folded_too(multiplier):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=multiplier, use_bias=False, name="by_channel")(inputs)
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="normalization")(x))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in model.get_weights()])
    images = rng.random((2, 8, 8, 3), np.float32)
    folded = features.folded(model)
    assert not [layer for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert np.allclose(model.predict_on_batch(images), folded.predict_on_batch(images), rtol=1e-5)


def test_efficientnet_is_folded_whole():
    network = features.extractor(models.backbone("efficientnet_lite0", 0.25, None), (48, 48, 3), "blocks", side=32)
    folded = features.folded(network)
    left = [layer for layer in folded.get_layer("efficientnet_lite0").layers if "BatchNorm" in type(layer).__name__]
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    assert not left and np.allclose(folded.predict_on_batch(images), network.predict_on_batch(images), atol=1e-5)


def test_folding_leaves_what_it_must():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization(name="first")(inputs)  # after no convolution
    seen = keras.layers.Conv2D(4, 3, name="seen_twice")(x)
    x = keras.layers.BatchNormalization(name="second")(seen)
    x = keras.layers.Conv2D(4, 1, activation="relu", name="with_activation")(keras.layers.Add()([x, seen]))
    x = keras.layers.BatchNormalization(name="third")(x)
    x = keras.layers.Conv2D(5, 3, use_bias=False, name="plain")(x)
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="fourth", scale=False)(x))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in model.get_weights()])
    images = rng.random((2, 8, 8, 3), np.float32)
    folded = features.folded(model)
    left = [layer.name for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert left == ["first", "second", "third"] and folded.get_layer("plain").use_bias
    before, after = (model.predict_on_batch(images), folded.predict_on_batch(images))
    assert np.allclose(before, after, rtol=1e-5)
