import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE

from histolib.training import oversampling


def patches(counts, seed=0, shape=(6, 6, 3)):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8), labels


@pytest.mark.parametrize("counts", [(90, 30), (40, 100), (50, 20, 35)])
def test_equals_imbalanced_learn_rounded(counts):
    images, labels = patches(counts)
    grown, grown_labels = oversampling.smote(images, labels, seed=3)
    flat = images.reshape(len(images), -1).astype(np.float64)
    expected, expected_labels = SMOTE(random_state=3).fit_resample(flat, labels)
    assert grown.dtype == np.uint8
    assert np.array_equal(grown.reshape(len(grown), -1), np.rint(expected).astype(np.uint8))
    assert np.array_equal(grown_labels, expected_labels)


def test_equals_imbalanced_learn_over_several_tiles(monkeypatch):
    monkeypatch.setattr(oversampling, "_TILE", 16)
    test_equals_imbalanced_learn_rounded((200, 70))


def test_identical_images_are_their_own_nearest():
    images = np.zeros((30, 4, 4, 3), np.uint8)
    labels = np.repeat([0, 1], [20, 10])
    grown, _, parents = oversampling.smote(images, labels, seed=0, return_parents=True)
    assert grown.max() == 0 and (parents >= 20).all() and (parents[:, 0] != parents[:, 1]).all()


def test_synthetic_images_lie_between_their_parents():
    images, labels = patches((80, 20))
    grown, grown_labels, parents = oversampling.smote(images, labels, seed=1, return_parents=True)
    low, high = np.minimum(*images[parents.T].astype(int)), np.maximum(*images[parents.T].astype(int))
    new = grown[len(images) :]
    assert ((new >= low) & (new <= high)).all()
    assert (labels[parents] == 1).all() and np.bincount(grown_labels).tolist() == [80, 80]
    assert np.array_equal(grown[: len(images)], images)


def test_extend_gives_rows_for_synthetic_images():
    images, labels = patches((40, 15))
    manifest = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(55)],
            "patient": [f"p{k % 5}" for k in range(55)],
            "label": labels,
            "path": "x",
        }
    )
    grown, table = oversampling.extend(images, manifest, seed=0)
    assert len(grown) == len(table) == 80 and table["synthetic"].sum() == 25
    assert table["image_id"].is_unique and table.loc[table.synthetic, "label"].eq(1).all()
    assert set(table.loc[table.synthetic, "second_patient"]) <= set(manifest["patient"])


def test_errors():
    images, labels = patches((20, 4))
    with pytest.raises(ValueError, match="class 1 has 4 images; with neighbors=5 at least 6"):
        oversampling.smote(images, labels, 0)
    with pytest.raises(TypeError, match="float64; expected uint8"):
        oversampling.smote(images.astype(float), labels, 0)
    with pytest.raises(ValueError, match="1 class"):
        oversampling.smote(images, labels * 0, 0)
    with pytest.raises(ValueError, match="24 images but 3 labels"):
        oversampling.smote(images, [0, 1, 1], 0)
