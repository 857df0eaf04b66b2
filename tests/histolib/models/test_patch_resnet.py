import depth
import keras
import numpy as np
import pytest

from histolib import models, training
from histolib.images import contrast
from histolib.training import augmentation
from studybook.papers.breakhis_patches import study

TINY = {"width": 0.0625, "blocks": (1, 1)}  # 4 and 8 feature maps
PATCHES = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)


def _layer(model, name):
    return model.get_layer(name)


def test_parameters_by_hand():
    model = models.patch_resnet(64, **TINY)
    first = 7 * 7 * 3 * 4 + 4 * 4
    block1 = 2 * (3 * 3 * 4 * 4 + 4 * 4)
    block2 = (3 * 3 * 4 * 8 + 4 * 8) + (3 * 3 * 8 * 8 + 4 * 8) + (1 * 1 * 4 * 8 + 4 * 8)
    assert model.count_params() == first + block1 + block2 + 8 * 2 + 2 == 1934


def test_the_published_depth_at_full_width():
    model = models.patch_resnet()
    assert model.input_shape == (None, 128, 128, 3) and model.output_shape == (None, 2)
    # ResNet-18 without its 1,000 classes, 11,689,512 - 513,000, with four numbers per normalized map instead of two.
    moving = sum(int(np.prod(w.shape)) for w in model.non_trainable_weights)
    assert model.count_params() - moving - (512 * 2 + 2) == 11_689_512 - 513_000
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 17 + 3
    assert depth.convolutions(model) == 17


@pytest.mark.parametrize(("size", "maps"), [(64, 32), (128, 64), (256, 64)])
@pytest.mark.parametrize("down", ["pooling", "stride"])
def test_larger_patches_are_reduced_first(size, maps, down):
    model = models.patch_resnet(size, down=down, **TINY)
    assert _layer(model, "pool1").output.shape[1:] == (maps, maps, 4)
    names = [layer.name for layer in model.layers]
    assert ("reduction" in names) == (size == 256 and down == "pooling")
    assert _layer(model, "convolution1").strides == ((2, 2) if size == 256 and down == "stride" else (1, 1))
    p = training.predict(model, np.resize(PATCHES, (2, size, size, 3)))
    assert p.shape == (2, 2) and np.allclose(p.sum(axis=1), 1, atol=1e-5)


def test_where_images_are_shrunk_smaller_patches_are_reduced():
    for size, factor in ((64, None), (65, 2), (128, 2), (129, 3)):
        layers = {layer.name: layer for layer in models.patch_resnet(size, native=64, **TINY).layers}
        assert (layers["reduction"].pool_size if factor else "reduction" not in layers) == (
            (factor, factor) if factor else True
        )
    with pytest.raises(ValueError, match="native=0: expected at least 1 pixel"):
        models.patch_resnet(64, native=0)


def test_each_structure_differs_in_what_its_name_says():
    def facts(name):
        model = models.patch_resnet(64, **study.STRUCTURES[name], **TINY)
        first = _layer(model, "convolution1")
        pools = [layer.name for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
        rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
        return {
            "kernel": first.kernel_size[0],
            "stride": first.strides[0],
            "maps": (first.filters, _layer(model, "average").output.shape[-1]),
            "poolings": len(pools),
            "dropout": rates,
            "side": _layer(model, "relu_stage1_block1").output.shape[1],
        }

    normal = {"kernel": 7, "stride": 1, "maps": (4, 8), "poolings": 1, "dropout": [], "side": 32}
    changes = {
        "normal": {},
        "3x3": {"kernel": 3},
        "stride 2": {"stride": 2, "side": 16},
        "feature maps doubled": {"maps": (8, 16)},
        "two poolings": {"poolings": 2, "side": 16},
        "dropout": {"dropout": [0.5]},
    }
    assert {name: facts(name) for name in study.STRUCTURES} == {name: normal | made for name, made in changes.items()}


def test_a_block_whose_branch_is_zero_hands_on_what_it_got():
    model = models.patch_resnet(64, **TINY)
    for part in ("gamma", "beta"):
        weight = getattr(_layer(model, "normalization_stage1_block1b"), part)
        weight.assign(np.zeros(weight.shape))
    names = ("pool1", "relu_stage1_block1", "relu_stage1_block1a")
    probe = keras.Model(model.input, [_layer(model, name).output for name in names])
    before, after, inner = probe.predict(PATCHES, verbose=0)
    assert np.array_equal(before, after) and before.std() > 0 and inner.std() > 0


def test_the_first_maps_are_those_of_the_whole_network():
    model = models.patch_resnet(64, **TINY)
    maps = training.predict(models.first_maps(model), PATCHES)
    assert maps.shape == (8, 64, 64, 4) and maps.min() == 0 and maps.max() > 0
    # By hand: pixels to [-1, 1], the convolution, and normalization by what it starts with (mean 0, variance 1).
    kernel = _layer(model, "convolution1").get_weights()[0]
    window = PATCHES[0, 17:24, 27:34] / 127.5 - 1
    expected = np.maximum(np.tensordot(window, kernel, 3) / np.sqrt(1 + 1e-3), 0)
    assert np.allclose(maps[0, 20, 30], expected, atol=1e-4)


def test_penalty_is_l2_of_all_kernels():
    model = models.patch_resnet(64, l2=0.1, **TINY)
    kernels = [layer.get_weights()[0] for layer in model.layers if hasattr(layer, "kernel")]
    expected = 0.1 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert len(kernels) == 7 and float(sum(model.losses)) == pytest.approx(expected, rel=1e-4)
    assert not models.patch_resnet(64, **TINY).losses


def test_augmentation_changes_training_patches_only():
    model = models.patch_resnet(64, augment=augmentation.RandomAffine(rotation=90, seed=0), **TINY)
    names = [layer.name for layer in model.layers]
    assert names.index("rescaling") == 2 and isinstance(model.layers[1], augmentation.RandomAffine)
    assert np.array_equal(training.predict(model, PATCHES), training.predict(model, PATCHES))
    scaled = keras.Model(model.input, _layer(model, "rescaling").output)
    assert np.allclose(scaled(PATCHES), PATCHES / 127.5 - 1, atol=1e-5)
    assert not np.allclose(scaled(PATCHES, training=True), PATCHES / 127.5 - 1, atol=0.1)


def test_it_learns_treated_patches_and_changes_every_weight():
    treated = contrast.treatment("whitening").fit(PATCHES).transform(PATCHES)
    model = models.patch_resnet(64, **TINY)
    before = [w.copy() for w in model.get_weights()]
    labels = np.arange(8) % 2
    fit = training.fit(model, treated, labels, (treated, labels), 3, 4, say=lambda _: None)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert all(changed) and fit.history["loss"].iloc[-1] < fit.history["loss"].iloc[0]


def test_kept_and_loaded_again(tmp_path):
    model = models.patch_resnet(64, **study.STRUCTURES["dropout"], **TINY)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.allclose(training.predict(loaded, PATCHES), training.predict(model, PATCHES), atol=1e-6)
    assert models.layer_table(model).loc["dropout", "kind"] == "dropout 0.5"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 16}, "input_size=16: expected at least 32"),
        ({"classes": 1}, "classes=1.*classes is too small"),
        ({"first_kernel": 0}, "first_kernel is too small"),
        ({"stride": 0}, "stride is too small"),
        ({"maps": 0}, "maps is too small"),
        ({"pools": -1}, "pools is too small"),
        ({"blocks": ()}, "blocks="),
        ({"blocks": (2, 0)}, "at least 1 block"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"l2": -1}, "l2=-1"),
        ({"width": 0}, "width=0"),
        ({"down": "crop"}, "down='crop'"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        models.patch_resnet(**options)
