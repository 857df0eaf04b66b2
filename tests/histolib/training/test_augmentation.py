import keras
import numpy as np
import pytest
from scipy import ndimage

from histolib.images import squares
from histolib.training import augmentation

RNG = np.random.default_rng(0)
IMAGES = (
    ndimage.gaussian_filter(RNG.integers(0, 256, (6, 20, 24, 3)).astype(float), (0, 2, 2, 0)).round().astype(np.uint8)
)


def call(layer, images, training=True):
    return keras.ops.convert_to_numpy(layer(images, training=training))


def expected(image, angle, shift, shear, zoom, mode):
    """The four matrices of ImageDataGenerator written out and multiplied, applied by SciPy in rows and columns."""
    rotate = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
    slant = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    scale = np.diag([zoom[0], zoom[1], 1])
    center = np.array([[1, 0, (image.shape[0] - 1) / 2], [0, 1, (image.shape[1] - 1) / 2], [0, 0, 1]])
    matrix = center @ rotate @ move @ slant @ scale @ np.linalg.inv(center)
    channels = [
        ndimage.affine_transform(image[..., c].astype(float), matrix[:2, :2], matrix[:2, 2], order=1, mode=mode)
        for c in range(3)
    ]
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize(("fill", "mode"), [("nearest", "nearest"), ("reflect", "reflect"), ("wrap", "grid-wrap")])
def test_combined_transform_equals_the_four_matrices(fill, mode):
    count = len(IMAGES)
    draws = {
        "angle": RNG.uniform(-0.7, 0.7, count),
        "shift": RNG.uniform(-4, 4, (2, count)),
        "shear": RNG.uniform(-0.5, 0.5, count),
        "zoom": RNG.uniform(0.7, 1.4, (2, count)),
    }
    tensors = {name: keras.ops.convert_to_tensor(value, "float32") for name, value in draws.items()}
    matrices = augmentation.transforms(**tensors, center=(9.5, 11.5))
    found = keras.ops.convert_to_numpy(augmentation.resample(IMAGES.astype("float32"), matrices, fill))
    for k in range(count):
        one = {name: value[..., k] for name, value in draws.items()}
        assert np.abs(found[k] - expected(IMAGES[k], **one, mode=mode)).max() < 0.05


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_gathers_equal_the_transform_of_keras(fill):
    matrices = augmentation.RandomAffine(40, 0.3, 5.0, 0.4, seed=2).draw(IMAGES)
    images = IMAGES.astype("float32")
    found = keras.ops.convert_to_numpy(augmentation.resample(images, matrices, fill))
    theirs = keras.ops.convert_to_numpy(keras.ops.image.affine_transform(images, matrices, "bilinear", fill))
    assert np.abs(found - theirs).max() < 0.05


def test_zero_ranges_change_nothing():
    layer = augmentation.RandomAffine()
    assert np.allclose(call(layer, IMAGES), IMAGES, atol=1e-3)


def test_inactive_outside_training():
    layer = augmentation.RandomAffine(rotation=90, shift=0.5, seed=1)
    assert np.array_equal(call(layer, IMAGES, training=False), IMAGES)


def test_images_of_a_batch_are_changed_differently_and_repeatably():
    same = np.stack([IMAGES[0]] * 5)
    first, second = (call(augmentation.RandomAffine(40, 0.2, 0.2, 0.2, seed=3), same) for _ in range(2))
    assert np.array_equal(first, second)
    assert all(np.abs(first[0] - other).mean() > 1 for other in first[1:])
    layer = augmentation.RandomAffine(40, seed=3)
    assert not np.array_equal(call(layer, same), call(layer, same))


def test_flip_mirrors_about_half():
    same = np.stack([IMAGES[0]] * 200)
    changed = call(augmentation.RandomAffine(flip=True, seed=0), same)
    mirrored = np.isclose(changed, IMAGES[0][:, ::-1], atol=1e-2).all((1, 2, 3))
    straight = np.isclose(changed, IMAGES[0], atol=1e-2).all((1, 2, 3))
    assert (mirrored | straight).all() and 70 < mirrored.sum() < 130


def test_zoom_below_one_magnifies():
    image = np.zeros((1, 21, 21, 1), np.uint8)
    image[0, 8:13, 8:13] = 200
    large = call(augmentation.RandomAffine(zoom=(0.5, 0.5), seed=0), image)
    assert (large > 100).sum() > 3 * (image > 100).sum()


def test_saved_and_read_back(tmp_path):
    inputs = keras.Input((20, 24, 3))
    model = keras.Model(inputs, augmentation.RandomAffine(40, 0.2, 0.2, 0.2, True, "reflect", 5)(inputs))
    model.save(tmp_path / "m.keras")
    layer = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True).layers[-1]
    assert (layer.rotation, layer.shift, layer.zoom, layer.flip, layer.fill) == (40, 0.2, (0.8, 1.2), True, "reflect")


@pytest.mark.parametrize("wrong", [{"rotation": -1}, {"zoom": 1.0}, {"zoom": (1.2, 0.8)}])
def test_impossible_ranges(wrong):
    with pytest.raises(ValueError, match="expected ranges of at least 0"):
        augmentation.RandomAffine(**wrong)


def test_unknown_fill():
    with pytest.raises(ValueError, match="fill='black'"):
        augmentation.RandomAffine(fill="black")


def test_versions_are_images():
    shown = augmentation.versions(augmentation.RandomAffine(40, seed=1), IMAGES[:2], 3)
    assert list(shown) == ["patch 1", "patch 2"]
    assert all(len(row) == 4 and row[1].dtype == np.uint8 for row in shown.values())


SQUARE = RNG.integers(0, 256, (3, 9, 9, 3), dtype=np.uint8)


def test_dihedral_gives_each_of_the_eight_versions_and_no_other():
    group = squares.eightfold(SQUARE[:1])
    changed = call(augmentation.Dihedral(seed=0), np.repeat(SQUARE[:1], 400, axis=0))
    same = (changed[:, None] == group[None]).all((2, 3, 4))
    assert (same.sum(1) == 1).all() and changed.dtype == np.uint8
    assert (np.abs(same.sum(0) - 50) < 25).all()


def test_dihedral_is_repeatable_differs_between_images_and_rests_outside_training():
    first, second = (call(augmentation.Dihedral(seed=4), np.repeat(SQUARE, 5, axis=0)) for _ in range(2))
    assert np.array_equal(first, second)
    assert len(np.unique(first.reshape(15, -1), axis=0)) > 3
    for k in range(15):
        assert any(np.array_equal(first[k], version) for version in squares.eightfold(SQUARE[k // 5 : k // 5 + 1]))
    assert np.array_equal(call(augmentation.Dihedral(seed=4), SQUARE, training=False), SQUARE)


def test_dihedral_is_saved_read_back_and_inside_a_graph(tmp_path):
    inputs = keras.Input((9, 9, 3), dtype="uint8")
    keras.Model(inputs, augmentation.Dihedral(5)(inputs)).save(tmp_path / "m.keras")
    model = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert model.layers[-1].seed == 5
    assert np.array_equal(model.predict(SQUARE, verbose=0), SQUARE)


def test_dihedral_of_an_oblong_image():
    with pytest.raises(ValueError, match=r"shape \(6, 20, 24, 3\): expected \(N, S, S, C\), as high as wide"):
        augmentation.Dihedral()(IMAGES, training=True)
