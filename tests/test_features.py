import numpy as np
import pytest

from histolib import baselines, embeddings, features


def test_histogram_of_known_images():
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    half = red.copy()
    half[:2] = 0
    histogram = features.color_histogram(np.stack([red, half]), bins=2)
    assert histogram.dtype == np.float32 and histogram.shape == (2, 8)
    assert histogram[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert histogram[1].tolist() == [0.5, 0, 0, 0, 0.5, 0, 0, 0]


def test_histogram_equals_numpy_and_does_not_depend_on_blocks():
    images = np.random.default_rng(0).integers(0, 256, (7, 9, 5, 3), dtype=np.uint8)
    found = features.color_histogram(images, bins=4)
    for image, row in zip(images, found, strict=True):
        expected = np.histogramdd(image.reshape(-1, 3), bins=4, range=[(0, 256)] * 3)[0].ravel() / 45
        assert np.allclose(row, expected)
    assert np.array_equal(found, features.color_histogram(images, bins=4, block=2))
    with pytest.raises(ValueError, match="bins=7"):
        features.color_histogram(images, bins=7)


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
    mixed = rng.permutation(labels)
    assert embeddings.neighbor_agreement(first, mixed) < 0.75
    with pytest.raises(ValueError, match="9 rows"):
        embeddings.tsne(values[:9], 0)
