import colorsys
import re
import subprocess
import sys

import mahotas
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from histolib import datasets, descriptors
from histolib.descriptors import color, common, frequencies, graphs, patterns, running, texture, words
from studybook.papers.idc_transfer import quoted
from studybook.published import reported
from studybook.twins import idc

NAMES = list(descriptors.REGISTRY)
TURNED = [
    "fuzzy_color",
    "rgb",
    "gray",
    "hsv",
    "lbp",
    "clbp",
    "haralick",
    "glcm",
    "pftas",
]  # claim rotation by 90 degrees
WHOLE = ["fuzzy_color", "rgb", "gray", "hsv", "binary_partition", "lbp", "clbp", "lpq"]  # histograms of every pixel


def levels(pixels) -> np.ndarray:
    """One image whose three channels are the given gray levels."""
    return np.repeat(np.asarray(pixels, np.uint8)[None, ..., None], 3, axis=3)


def texture_of(seed: int, side: int = 64, highest: int = 255) -> np.ndarray:
    """Smooth random gray levels that fill 0 to `highest`."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 1.2)
    return np.rint((smooth - smooth.min()) / np.ptp(smooth) * highest).astype(np.uint8)


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    """Six drawn patches."""
    return idc.draw_patient(1, 3, 2, 3)[0].reshape(2, 50, 3, 50, 3).swapaxes(1, 2).reshape(6, 50, 50, 3).copy()


# The registry.


def test_the_registry_has_the_descriptors_that_a_paper_quotes():
    own = "feature_extraction"  # the row of the paper itself
    assert set(quoted.DESCRIPTORS) == set(reported.table("idc_transfer", 4)["method"]) - {own}
    assert set(quoted.DESCRIPTORS.values()) < set(descriptors.REGISTRY)
    assert len(descriptors.REGISTRY) == 15 and all(found.name == name for name, found in descriptors.REGISTRY.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_descriptor_has_its_dimension_and_a_source(name, tissue):
    descriptor = descriptors.find(name)
    found = descriptor.function(tissue)
    assert found.dtype == np.float32 and found.shape == (6, descriptor.columns) and np.isfinite(found).all()
    first, year = re.match(r"(\w+).*? (\d{4}), ", descriptor.citation).groups()
    assert found.std(axis=0).max() > 0
    assert first in descriptor.function.__doc__ and year in descriptor.function.__doc__
    assert np.array_equal(found[2:3], descriptor.function(tissue[2:3])), "an image's neighbors change it"
    assert descriptor.function(tissue[:0]).shape == (0, descriptor.columns)


@pytest.mark.parametrize("shape", [(50, 50), (1, 1), (2, 2), (1, 30), (30, 1), (7, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_degenerate_images_have_finite_descriptors(name, shape):
    descriptor = descriptors.find(name)
    images = np.stack([np.full((*shape, 3), level, np.uint8) for level in (0, 128, 255)])
    noise = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), dtype=np.uint8)
    found = descriptor.function(np.concatenate([images, noise]))
    assert found.shape == (4, descriptor.columns) and np.isfinite(found).all()
    if name in WHOLE:
        assert np.allclose(found.sum(1), 1)
    if descriptor.transformer:
        assert np.isfinite(descriptor.transformer(0).fit_transform(found)).all()


@pytest.mark.parametrize("name", TURNED)
def test_rotation_by_90_degrees_changes_nothing(name, tissue):
    function = descriptors.find(name).function
    assert np.allclose(function(tissue), function(np.rot90(tissue, axes=(1, 2))), rtol=1e-4, atol=1e-4)


BAD = [((2, 5, 5), "u1"), ((5, 5, 3), "u1"), ((1, 5, 5, 4), "u1"), ((1, 5, 5, 3), "f8"), ((1, 0, 5, 3), "u1")]


@pytest.mark.parametrize("bad", [np.zeros(*kind) for kind in BAD], ids=lambda a: f"{a.dtype}{a.shape}")
def test_another_type_or_shape_is_named(bad):
    for name in NAMES:
        with pytest.raises(ValueError, match=r"expected uint8 \(0-255\), \(N, H, W, 3\)") as error:
            descriptors.find(name).function(bad)
        assert str(bad.dtype) in str(error.value) and str(bad.shape) in str(error.value)


def test_the_package_does_not_load_a_backend():
    code = "import sys, histolib.descriptors; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Running.


def test_processes_memory_maps_and_rows_give_the_same(tissue, tmp_path, capsys):
    np.save(tmp_path / "images.npy", tissue)
    mapped, rows = np.load(tmp_path / "images.npy", mmap_mode="r"), np.array([5, 0, 3, 4])
    expected = patterns.binary_pattern(tissue)
    assert np.array_equal(descriptors.compute(mapped, "lbp", workers=2, progress=True)[0], expected)
    bar = capsys.readouterr()
    assert "local binary patterns: 100%" in bar.err and "6/6" in bar.err and not bar.out
    assert np.array_equal(descriptors.compute(mapped, "lbp", workers=2, rows=rows)[0], expected[rows])
    assert np.array_equal(descriptors.compute(tissue, "lbp", workers=2, rows=rows)[0], expected[rows])
    assert np.array_equal(descriptors.compute(tissue, "lbp", rows=rows)[0], expected[rows])
    assert not capsys.readouterr().err


def _is_mapped(images: np.ndarray) -> np.ndarray:
    while isinstance(images.base, np.ndarray) and not isinstance(images, np.memmap):
        images = images.base
    return np.array([[isinstance(images, np.memmap)]])


def test_a_memory_mapped_array_reaches_the_processes_as_its_file(tissue, tmp_path):
    np.save(tmp_path / "images.npy", tissue)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    parts = [np.arange(0, 3), np.arange(3, 6)]
    assert [bool(found.all()) for found, _ in running._spread(_is_mapped, mapped, parts, 2)] == [True, True]
    assert not any(found.any() for found, _ in running._spread(_is_mapped, tissue, parts, 2))


@pytest.mark.parametrize("options, message", [
    ({"name": "lpb"}, "name='lpb' is no descriptor; there is: fuzzy_color"),
    ({"workers": 0}, "workers=0: expected at least 1"),
    ({"rows": [0, 6]}, "rows: positions 0 to 6; expected 0 to 5"),
    ({"rows": [True] * 6}, "rows: bool of shape .6,.; expected positions"),
])  # fmt: skip
def test_wrong_requests_are_named(options, message, tissue):
    with pytest.raises(ValueError, match=message):
        descriptors.compute(tissue, **{"name": "gray"} | options)


# Color.


def test_rgb_histogram_by_hand_and_by_numpy(tissue):
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0] = (255, 0, 0), (250, 10, 20)
    image[0, 1] = (0, 32, 64), (0, 0, 31)
    found = color.rgb_histogram(image)[0]
    assert found[7 * 64] == 0.5 and found[1 * 8 + 2] == 0.25 and found[0] == 0.25
    expected = np.histogramdd(tissue[0].reshape(-1, 3), bins=[8] * 3, range=[(0, 256)] * 3)[0] / 2500
    assert np.allclose(color.rgb_histogram(tissue[:1])[0], expected.ravel())


def test_gray_histogram_is_numpys_and_gray_is_pillows(tissue):
    gray = common.gray(tissue[0])
    assert np.abs(gray.astype(int) - np.asarray(Image.fromarray(tissue[0]).convert("L"))).max() <= 1
    assert np.array_equal(common.gray(levels(np.arange(256).reshape(16, 16)))[0].ravel(), np.arange(256))
    expected = np.histogram(gray, bins=64, range=(0, 256))[0] / gray.size
    assert np.allclose(color.gray_histogram(tissue[:1])[0], expected)


def test_hsv_histogram_is_colorsys(tissue):
    pixels = tissue[0, ::5, ::5].reshape(-1, 3) / 255
    bins = [[min(int(v * n), n - 1) for v, n in zip(colorsys.rgb_to_hsv(*p), (16, 4, 4))] for p in pixels]
    expected = np.bincount([h * 16 + s * 4 + v for h, s, v in bins], minlength=256) / len(pixels)
    # A value on the border of two bins is rounded otherwise by the two.
    assert np.abs(color.hsv_histogram(tissue[:1, ::5, ::5])[0] - expected).sum() < 0.05
    for pixel, place in {(255, 0, 0): 15, (255, 255, 255): 3, (0, 0, 0): 0, (0, 0, 255): 10 * 16 + 15}.items():
        assert color.hsv_histogram(np.array([[[pixel]]], np.uint8))[0, place] == 1


def test_fuzzy_colors_are_memberships():
    table = color.memberships()
    assert table.shape == (4096, 64) and table.min() >= 0 and np.allclose(table.sum(1), 1, atol=1e-5)
    assert len(set(table.argmax(1))) == 64, "a coarse color is nobody's nearest"
    one = np.full((1, 3, 3, 3), (200, 40, 90), np.uint8)
    assert np.allclose(color.fuzzy_color_histogram(one)[0], table[12 * 256 + 2 * 16 + 5], atol=1e-6)


def test_fuzzy_colors_change_less_than_bins_with_a_small_shift():
    image = np.full((1, 4, 4, 3), 127, np.uint8)
    fuzzy, sharp = (
        np.abs(f(image + np.uint8(1)) - f(image)).sum() for f in (color.fuzzy_color_histogram, color.rgb_histogram)
    )
    assert sharp == 2 and fuzzy < 0.7 * sharp


# Frequencies.


def test_jpeg_coefficients_of_a_flat_image_by_hand():
    found = frequencies.jpeg_histogram(np.full((1, 12, 9, 3), 100, np.uint8)).reshape(3, 8, 8)
    expected = np.zeros((3, 8, 8))
    expected[:, 0, 0] = round(8 * 100 / 16), round(8 * 128 / 17), round(8 * 128 / 17)
    assert np.array_equal(found, expected)


def test_jpeg_coefficients_are_the_standards_double_sum(tissue):
    block = common.gray(tissue[0])[8:16, 8:16].astype(float)
    y, (a, b) = np.arange(8), np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    cosines = np.cos((2 * y + 1) * y[:, None] * np.pi / 16)  # frequency, place
    scale = np.where(a == 0, np.sqrt(0.5), 1) * np.where(b == 0, np.sqrt(0.5), 1) / 4
    expected = np.abs(np.rint(scale * (cosines @ block @ cosines.T) / frequencies.QUANTIZATION[0]))
    found = frequencies.jpeg_histogram(levels(block)).reshape(3, 8, 8)
    assert np.array_equal(found[0], expected) and expected[1:].any() and not found[1:].reshape(2, -1)[:, 1:].any()
    assert frequencies.QUANTIZATION.shape == (3, 8, 8) and frequencies.QUANTIZATION[0, 7, 7] == 99


def test_local_phase_is_the_fourier_transform_of_a_window():
    pixels = texture_of(0, 9)
    place, side = (4, 5), np.arange(-3, 4)
    window = pixels[1:8, 2:9].astype(float)
    waves = [(0, 1 / 7), (1 / 7, 0), (1 / 7, 1 / 7), (-1 / 7, 1 / 7)]  # vertical and horizontal frequency
    sums = [np.sum(window * np.exp(-2j * np.pi * (v * side[:, None] + u * side))) for v, u in waves]
    parts = frequencies._local_fourier(pixels[None].astype(float)).reshape(8, 3, 3)[:, place[0] - 3, place[1] - 3]
    assert np.allclose(parts, [z.real for z in sums] + [z.imag for z in sums])


def test_whitening_decorrelates():
    places = np.array([(row, column) for row in range(7) for column in range(7)])
    covariance = 0.9 ** np.linalg.norm(places[:, None] - places, axis=2)
    transform = frequencies.whitening() @ frequencies._local_fourier(np.eye(49).reshape(49, 7, 7))
    assert np.allclose(transform @ covariance @ transform.T, np.eye(8))


def test_local_phase_of_a_flat_image_has_all_bits():
    assert frequencies.local_phase(levels(np.full((20, 20), 77)))[0, 255] == 1


def _grain(kind: int, seed: int) -> np.ndarray:
    """Gray levels of one of four sharp textures."""
    smoothing = [(0.5, 0.5), (0.5, 1.5), (1.5, 0.5), (1.0, 1.0)][kind]
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(96, 96)), smoothing)
    return noise / noise.std() * 40 + 128


@pytest.mark.parametrize("blur", [lambda x: ndimage.gaussian_filter(x, 1), lambda x: ndimage.uniform_filter(x, 3)])
def test_local_phase_withstands_blur_better_than_binary_patterns(blur):
    change, known = {}, {}
    for name in ("lpq", "binary_partition", "lbp"):
        sharp, blurred = (
            [
                [descriptors.find(name).function(levels(f(_grain(k, seed)).clip(0, 255)))[0] for seed in range(3)]
                for k in range(4)
            ]
            for f in (lambda x: x, blur)
        )
        sharp, blurred = np.array(sharp), np.array(blurred)
        change[name] = np.abs(sharp - blurred).sum(2).mean()
        distance = np.abs(blurred[:, :, None] - sharp.mean(1)).sum(3)  # to each of the four textures
        known[name] = (distance.argmin(2) == np.arange(4)[:, None]).mean()
    assert change["lpq"] < 0.5 * min(change["binary_partition"], change["lbp"])
    assert known["lpq"] > max(known["binary_partition"], known["lbp"])


# Neighbors of a pixel.


@pytest.mark.parametrize("kind, tile", [
    ("vertical", [[255, 0], [255, 0]]), ("horizontal", [[255, 255], [0, 0]]), ("45 degrees", [[255, 127], [127, 0]]),
    ("135 degrees", [[127, 255], [0, 127]]), ("no direction", [[255, 0], [0, 255]]),
])  # fmt: skip
def test_edges_of_one_kind(kind, tile):
    found = patterns.edge_histogram(levels(np.tile(tile, (20, 20)))).reshape(16, 5)
    expected = np.arange(5) == list(patterns.EDGES).index(kind)
    assert np.array_equal(found, np.tile(expected, (16, 1)))


def test_edges_lie_in_their_part_and_faint_ones_are_none():
    pixels = np.full((40, 40), 100)
    pixels[:10, 30:] = np.tile([[100, 200]], (10, 5))  # the upper right of 4 x 4 parts
    found = patterns.edge_histogram(levels(pixels)).reshape(4, 4, 5)
    assert found[0, 3, 0] == 1 and found.sum() == 1
    assert not patterns.edge_histogram(levels(np.tile([[100, 105]], (40, 20)))).any()  # a response of 10
    assert patterns.edge_histogram(levels(np.tile([[100, 106]], (40, 20)))).reshape(16, 5)[:, 0].all()  # of 12


def test_edges_of_a_large_image_are_those_of_larger_blocks():
    small = np.random.default_rng(0).integers(0, 256, (68, 68))  # 4,624 and 18,496 pixels
    assert np.allclose(
        patterns.edge_histogram(levels(small)), patterns.edge_histogram(levels(np.kron(small, np.ones((2, 2)))))
    )


def test_binary_codes_of_a_dark_pixel_by_hand():
    pixels = np.full((5, 5), 200)
    pixels[2, 2] = 10
    found = patterns.binary_partition(levels(pixels))[0] * 25
    expected = np.zeros(256)
    expected[255] = 17  # the dark pixel, and those that do not touch it
    expected[[255 - 2**bit for bit in range(8)]] = 1
    assert np.allclose(found, expected)
    bit_of_left = 4  # the pixel to the right of the dark one lacks its left neighbor
    row = patterns.binary_partition(levels([[10, 200, 200]]))[0] * 3
    assert row[255 - 2**bit_of_left - 2**3 - 2**5] == 1


def test_increasing_changes_of_gray_keep_binary_codes():
    pixels = texture_of(1, highest=60)
    rng = np.random.default_rng(2)
    lookup = np.sort(rng.choice(256, 61, replace=False))
    one, other, affine = (levels(x) for x in (pixels, lookup[pixels], pixels * 3 + 20))
    assert np.array_equal(patterns.binary_partition(one), patterns.binary_partition(other))
    assert np.allclose(patterns.binary_pattern(one), patterns.binary_pattern(affine))
    assert np.allclose(patterns.completed_pattern(one), patterns.completed_pattern(affine), atol=2e-3)
    assert np.abs(patterns.binary_pattern(one) - patterns.binary_pattern(other)).sum() < 0.1
    assert np.abs(color.gray_histogram(one) - color.gray_histogram(other)).sum() > 1


def test_uniform_codes_by_hand():
    assert patterns.UNIFORM[[0, 0b1, 0b10000001, 0b111, 255]].tolist() == [0, 1, 2, 3, 8]
    assert patterns.UNIFORM[[0b101, 0b10101010]].tolist() == [9, 9] and (patterns.UNIFORM < 9).sum() == 58


def test_signs_of_completed_patterns_are_scikit_images_patterns(tissue):
    signs = patterns.completed_pattern(tissue).reshape(6, 10, 20).sum(2)
    assert np.allclose(signs, patterns.binary_pattern(tissue), atol=1e-3)
    wide = np.pad(common.gray(tissue[0]), 1, mode="edge")
    codes = local_binary_pattern(wide, 8, 1, "uniform")[1:-1, 1:-1].astype(int)
    assert np.allclose(patterns.binary_pattern(tissue[:1])[0], np.bincount(codes.ravel(), minlength=10) / 2500)


def test_completed_pattern_by_hand():
    assert patterns.completed_pattern(levels(np.full((6, 6), 90)))[0, 8 * 20 + 8 * 2 + 1] == 1
    pixels = np.zeros((9, 9))
    pixels[4, 4] = 200  # one bright pixel: no neighbor as bright, all differences above their mean, above the mean
    found = patterns.completed_pattern(levels(pixels))[0]
    assert np.isclose(found[0 * 20 + 8 * 2 + 1], 1 / 81)
    assert np.isclose(found[8 * 20 + 0 * 2 + 0], 72 / 81)  # far from it nothing differs


# Gray levels that follow each other, and bright pixels that lie together.


def test_haralick_and_cooccurrence_agree(tissue):
    image = common.gray(tissue[0]) // 4
    own = texture.haralick(tissue[:1])[0]
    matrix = graycomatrix(image, [1], np.arange(4) * np.pi / 4, 64, symmetric=True, normed=True)
    for place, name in enumerate(("ASM", "contrast", "correlation")):
        per_angle = graycoprops(matrix, name)[0]
        assert np.isclose(own[place], per_angle.mean(), rtol=1e-4)
        assert np.isclose(own[13 + place], np.ptp(per_angle), rtol=1e-3, atol=1e-6)
    assert np.isclose(own[4], graycoprops(matrix, "homogeneity").mean(), rtol=1e-4)


def test_cooccurrence_of_a_checkerboard_by_hand():
    pixels = np.indices((20, 20)).sum(0) % 2 * 255  # levels 0 and 31
    found = texture.cooccurrence(levels(pixels)).reshape(6, 3)
    contrast, asm, correlation = found[0], found[3], found[4]
    assert np.allclose(contrast[0], 31**2 / 2)  # of four directions the two diagonals never differ
    assert np.allclose(asm, 0.5, atol=0.01) and np.allclose(correlation, 0, atol=0.01)


def test_threshold_adjacency_by_its_formula(tissue):
    plane = tissue[0, ..., 1]
    threshold = mahotas.otsu(plane)
    above = plane[plane > threshold]
    mean, deviation = above.mean(), above.std()
    masks = [(plane > mean - deviation) & (plane < mean + deviation), plane > mean - deviation, plane > mean]
    neighbors = np.ones((3, 3))
    neighbors[1, 1] = 0
    expected = []
    for mask in [*masks, *(~mask for mask in masks)]:
        inside = ndimage.convolve(mask.astype(int), neighbors.astype(int), mode="reflect")
        expected.append(np.bincount(inside[~mask], minlength=9) / (~mask).sum())
    assert np.allclose(texture.threshold_adjacency(tissue[:1])[0, 54:108], np.concatenate(expected), atol=1e-6)


# The graph of nuclei.


def test_statistics_of_a_triangle_by_hand():
    found = graphs.statistics(np.array([[0.0, 0.0], [0.0, 3.0], [4.0, 0.0]]), 500)
    edges, triangles, first, third, fifth = found[1:21].reshape(5, 4)
    assert found[0] == 60 and np.allclose(edges, [4, np.std([3, 4, 5]), 0.6, 1 - 1 / (1 + np.std([3, 4, 5]) / 4)])
    assert np.allclose(triangles, [6, 0, 1, 0]) and np.allclose(first[[0, 2]], [10 / 3, 0.75])
    assert not third.any() and not fifth.any() and np.allclose(found[21:], [2, 0] * 3)


@pytest.mark.parametrize(
    "points", [np.empty((0, 2)), np.ones((1, 2)), np.eye(2), np.arange(8.0).repeat(2).reshape(8, 2)]
)
def test_few_nuclei_or_nuclei_on_a_line_have_no_triangles(points):
    found = graphs.statistics(points, 2500)
    assert np.isfinite(found).all() and not found[1:9].any() and np.isclose(found[0], len(points) * 4)


def test_drawn_nuclei_are_found_where_they_are():
    places = np.array([(12, 12), (12, 36), (25, 24), (38, 12), (40, 40)])
    image = np.full((52, 52, 3), (235, 190, 215), np.uint8)
    rows, columns = np.indices((52, 52))
    for row, column in places:
        image[(rows - row) ** 2 + (columns - column) ** 2 <= 16] = (80, 50, 130)
    found = graphs.nuclei(image)
    assert len(found) == 5 and np.abs(found[np.lexsort(found.T[::-1])] - places).max() < 1
    turned = graphs.nuclear_graph(np.rot90(image)[None])
    assert np.allclose(turned[0, :1], graphs.nuclear_graph(image[None])[0, :1])
    assert len(graphs.nuclei(np.full((30, 30, 3), 255, np.uint8))) == 0


# Words.


def test_keypoints_are_counted_and_blank_images_have_none(tissue):
    found = words.keypoints(np.concatenate([tissue, np.full((1, 50, 50, 3), 200, np.uint8)]))
    assert found[:6, 0].min() >= 1 and found[:, 0].max() <= words.KEYPOINTS and not found[6].any()
    packed = words._descriptors(found)
    assert packed.shape == (found[:, 0].sum(), words.BYTES) and found.max() <= 255


def _columns(*images: list[int]) -> np.ndarray:
    """Columns of `keypoints` for images with keypoints whose bytes are all the given number."""
    columns = np.zeros((len(images), words.COLUMNS), np.float32)
    for row, image in zip(columns, images):
        row[0], row[1 : 1 + len(image) * words.BYTES] = len(image), np.repeat(image, words.BYTES)
    return columns


def test_words_are_learned_from_the_images_that_are_fitted():
    train = _columns([0, 0, 255], [255, 255], [], [0])
    bag = words.BagOfWords(words=2, seed=1).fit(train)
    found = bag.transform(train)
    dark = bag.transform(_columns([0]))[0].argmax()
    assert np.allclose(found[:, dark], [2 / 3, 0, 0, 1]) and np.allclose(found.sum(1), [1, 1, 0, 1])
    # A keypoint that was not there while fitting goes to the nearest word, and moves none.
    assert np.array_equal(bag.transform(_columns([1]))[0], bag.transform(_columns([0]))[0])
    assert np.array_equal(bag.transform(train), found)


def test_words_do_not_depend_on_the_run_and_few_keypoints_leave_words_empty(tissue):
    columns = words.keypoints(tissue)
    one, other = (words.BagOfWords(words=16, sample=200, seed=3).fit_transform(columns) for _ in range(2))
    assert np.array_equal(one, other) and np.allclose(one.sum(1), 1)
    few = words.BagOfWords(words=8).fit_transform(_columns([3], [200], [3]))
    assert few.shape == (3, 8) and np.array_equal(few[0], few[2]) and not few[:, 2:].any()
    assert not words.BagOfWords(words=8).fit_transform(_columns([], [])).any()


# Real images.


@pytest.mark.parametrize("name", NAMES)
def test_real_patches_and_a_real_photograph(name, samples):
    patches = datasets.load("idc", samples)
    images = patches.images(rows=np.linspace(0, len(patches.table) - 1, 8).astype(int))
    photograph = np.asarray(Image.open(min((samples / "breakhis").rglob("*.png"))).convert("RGB"))[None, :230, :230]
    for pixels in (images, photograph):
        found = descriptors.compute(pixels, name, workers=1)[0]
        assert found.shape == (len(pixels), descriptors.find(name).columns) and np.isfinite(found).all() and found.any()
    assert len(np.unique(descriptors.compute(images, name, workers=1)[0], axis=0)) == 8
