"""Phantoms: layout, continuity, determinism, and what the drawn classes promise."""

import re

import numpy as np
import pytest
from PIL import Image

from studybook import twins
from studybook.twins import fields, habit, idc, nuclei, slide, stains, tissue

NAME = re.compile(r"(\d{5})_idx5_x(\d+)_y(\d+)_class([01])\.png")
PATIENTS = 10


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    return twins.write("idc", tmp_path_factory.mktemp("twin"), PATIENTS, seed=3, rows=6, columns=6)


@pytest.fixture(scope="module")
def files(twin):
    return sorted(twin.rglob("*.png"))


def read(path):
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def test_layout_and_names(twin, files):
    assert twin.name == "IDC_regular_ps50_idx5"
    assert sorted(p.name for p in twin.iterdir()) == [str(90001 + k) for k in range(PATIENTS)]
    assert 0.8 * 36 * PATIENTS < len(files) <= 36 * PATIENTS
    for path in files:
        patient, x, y, label = NAME.fullmatch(path.name).groups()
        assert path.parts[-3:-1] == (patient, label)
        assert int(x) % 50 == 1 and int(y) % 50 == 1
        assert 1 <= int(x) <= 251 and 1 <= int(y) <= 251


def test_few_edge_patches_fall_short(files):
    shapes = {path: read(path).shape for path in files}
    short = {path: shape for path, shape in shapes.items() if shape != (50, 50, 3)}
    assert 0 < len(short) < 0.06 * len(files)
    for path, (height, width, _) in short.items():
        _, x, y, _ = NAME.fullmatch(path.name).groups()
        assert (height == 50 or y == "251") and (width == 50 or x == "251")
        assert min(height, width) < 50


def test_patches_carry_tissue(files):
    for path in files:
        assert (read(path)[..., 1] < 215).mean() >= idc.MINIMUM_TISSUE


def test_prevalence(files):
    prevalence = np.mean([path.parent.name == "1" for path in files])
    assert 0.15 < prevalence < 0.42


def test_tumor_fractions_follow_the_real_set():
    fractions = np.array([idc.tumor_fraction(q) for q in np.linspace(0, 0.9999, 400)])
    assert fractions.min() == 0 and 0.85 < fractions.max() <= 1
    assert np.all(np.diff(fractions) >= 0)
    assert 0.26 < fractions.mean() < 0.32


def test_neighbors_fit_together(twin):
    across, within, stranger = [], [], []
    for patient in sorted(twin.iterdir())[:4]:
        grid = {}
        for path in sorted(patient.rglob("*.png")):
            _, x, y, _ = NAME.fullmatch(path.name).groups()
            grid[int(x), int(y)] = read(path).astype(float)
        whole = [patch for patch in grid.values() if patch.shape == (50, 50, 3)]
        for (x, y), patch in grid.items():
            for other, first, second in (
                (grid.get((x + 50, y)), patch[:, -1], lambda q: q[:, 0]),
                (grid.get((x, y + 50)), patch[-1], lambda q: q[0]),
            ):
                if other is None or patch.shape != (50, 50, 3) or other.shape != patch.shape:
                    continue
                across.append(np.abs(first - second(other)).mean())
                within.append(np.abs(np.diff(patch, axis=0)).mean())
                stranger.append(np.abs(first - second(whole[len(across) * 7 % len(whole)])).mean())
    assert len(across) > 100
    assert np.mean(across) < 1.1 * np.mean(within)
    assert np.mean(across) < 0.6 * np.mean(stranger)


def test_same_seed_same_bytes(twin, files, tmp_path):
    fewer = twins.write("idc", tmp_path, 2, seed=3, rows=6, columns=6)
    again = sorted(fewer.rglob("*.png"))
    expected = [path for path in files if path.parts[-3] in ("90001", "90002")]
    assert [path.name for path in again] == [path.name for path in expected]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(again, expected, strict=True))


def test_other_seed_other_slide():
    first, second = (idc.draw_patient(0, seed, rows=2, columns=2).image for seed in (1, 2))
    assert np.abs(first.astype(float) - second).mean() > 5


def test_labels_agree_with_the_mask(twin):
    checked = 0
    for index in range(3):
        image, tumor, *_ = idc.draw_patient(index, seed=3, rows=6, columns=6)
        assert image.dtype == np.uint8 and tumor.dtype == bool and image.shape == (*tumor.shape, 3)
        for path in sorted((twin / str(90001 + index)).rglob("*.png")):
            _, x, y, label = NAME.fullmatch(path.name).groups()
            window = (slice(int(y) - 1, int(y) + 49), slice(int(x) - 1, int(x) + 49))
            assert np.array_equal(read(path), image[window])
            assert int(label) == (tumor[window].mean() >= idc.POSITIVE_FRACTION)
            checked += 1
    assert checked > 80


def test_tumor_fraction_is_obeyed():
    stain = stains.draw_stain(np.random.default_rng(0), variation=0)
    for wanted in (0.0, 0.4, 1.0):
        tumor = idc.draw_slide(np.random.default_rng(5), 4, 4, stain, tumor=wanted).tumor
        assert abs(tumor.mean() - wanted) < 0.17
    assert not idc.draw_slide(np.random.default_rng(5), 4, 4, stain, tumor=0.0).tumor.any()


def test_tumor_holds_more_hematoxylin():
    """The classes differ in what they are made of, on the average, under one and the same stain."""
    stain = stains.draw_stain(np.random.default_rng(0), variation=0)
    inside, outside = [], []
    for seed in range(6):
        image, tumor, *_ = idc.draw_slide(np.random.default_rng(seed), 5, 5, stain, tumor=0.4)
        amount = stain.amounts(image)[..., 0]
        inside.append(amount[tumor].mean())
        outside.append(amount[~tumor].mean())
    assert np.mean(inside) > 1.3 * np.mean(outside)


def test_stains_differ_between_patients():
    """Color of collagen: the spread between patients exceeds that between the halves of one slide."""
    means = []
    for index in range(PATIENTS):
        image = idc.draw_patient(index, seed=11, rows=4, columns=4).image
        halves = []
        for half in (image[:100], image[100:]):
            pixels = half.reshape(-1, 3).astype(float)
            halves.append(np.median(pixels[(pixels[:, 1] < 200) & (pixels[:, 0] > 180)], axis=0))
        means.append(halves)
    means = np.array(means)
    between = means.mean(1).std(0)
    within = np.abs(means[:, 0] - means[:, 1]).mean(0) / 2
    assert between.mean() > 2 * within.mean()


def test_colors_return_to_amounts():
    rng = np.random.default_rng(0)
    stain = stains.draw_stain(rng)
    hematoxylin, eosin = rng.uniform(0, 1, (2, 20, 30)).astype(np.float32)
    exact = stain.amounts(stain.render(hematoxylin, eosin))
    np.testing.assert_allclose(exact, np.stack([hematoxylin, eosin], -1), atol=1e-4)
    rounded = stain.amounts(stains.to_uint8(stain.render(hematoxylin, eosin)))
    np.testing.assert_allclose(rounded, np.stack([hematoxylin, eosin], -1), atol=0.05)
    np.testing.assert_allclose(stain.render(np.zeros((1, 1)))[0, 0], stain.white, rtol=1e-6)


def test_vectors_are_units_and_vary():
    drawn = [stains.draw_stain(np.random.default_rng(k)) for k in range(5)]
    for stain in drawn:
        np.testing.assert_allclose(np.linalg.norm(stain.vectors, axis=1), 1, rtol=1e-5)
        assert np.all(stain.white <= 255)
    assert np.std([stain.vectors[0, 0] for stain in drawn]) > 0.01
    still = [stains.draw_stain(np.random.default_rng(k), variation=0).vectors for k in range(2)]
    np.testing.assert_array_equal(*still)


def test_smooth_field_is_standard_and_smooth():
    field = fields.smooth_field(np.random.default_rng(0), (300, 200), 6.0)
    assert field.shape == (300, 200) and field.dtype == np.float32
    assert abs(field.mean()) < 0.2 and abs(field.std() - 1) < 0.15
    assert np.abs(np.diff(field, axis=0)).mean() < 0.25


def test_fibers_are_smoother_along_than_across():
    flow = fields.draw_flow(np.random.default_rng(1), (200, 200), 1000.0, bend=0)
    texture = flow.texture(np.random.default_rng(2), 3, 40)
    rows, columns = np.mgrid[20:180, 20:180]
    angle = flow.angle(rows, columns)
    steps = {}
    for name, turn in (("along", 0), ("across", np.pi / 2)):
        down = np.rint(rows + 4 * np.sin(angle + turn)).astype(int)
        right = np.rint(columns + 4 * np.cos(angle + turn)).astype(int)
        steps[name] = np.abs(texture[down, right] - texture[rows, columns]).mean()
    assert steps["along"] < 0.5 * steps["across"]


def test_cells_find_the_nearest_points():
    mask = np.ones((40, 50), bool)
    nearest, second, owner, points = fields.cells(np.random.default_rng(0), mask, 9.0)
    pixels = np.argwhere(mask)
    distance = np.linalg.norm(pixels[:, None] - points, axis=-1)
    np.testing.assert_array_equal(owner, distance.argmin(1))
    np.testing.assert_allclose(nearest, distance.min(1), rtol=1e-4)
    assert np.all(second >= nearest)


def test_nuclei_scale_with_magnification():
    kind = nuclei.Nuclei(spacing=20, radius=4, pleomorphism=0.0, unevenness=0.0)
    areas, numbers = [], []
    for scale in (0.5, 2.0):
        target = np.zeros((int(400 * scale),) * 2, np.float32)
        number = len(nuclei.draw_nuclei(np.random.default_rng(0), target, np.ones_like(target), kind, scale).rows)
        numbers.append(number)
        areas.append((target > 0.5 * kind.intensity).sum() / scale**2 / number)
    assert 0.8 < numbers[0] / numbers[1] < 1.25
    assert np.all(np.abs(np.array(areas) / (np.pi * 16) - 1) < 0.35)


def test_gland_has_a_wall_around_its_lumen():
    glands = tissue.Glands(*np.zeros((2, 80, 80), np.float32))
    tissue.draw_gland(np.random.default_rng(0), glands, (40.0, 40.0), 25, 8, 1.0, 0.0, 1.0)
    distance = np.hypot(*(np.mgrid[:80, :80] - 40))
    assert glands.lumen[distance < 15].min() == 1
    assert glands.wall[(distance > 18.5) & (distance < 23)].min() == 1
    assert glands.wall[distance > 27].max() == 0


def test_fat_is_hollow_only_where_asked():
    amount = np.ones((120, 120), np.float32)
    amount[:, :60] = -1
    hollow, region = tissue.fat(np.random.default_rng(0), amount, 0.25)
    assert hollow[:, 75:].mean() > 0.5 > 0.01 > hollow[:, :45].mean()
    assert np.all(region >= hollow - 1e-6)


def test_sensor_compression_changes_little():
    image = slide.paint(
        np.random.default_rng(0), (60, 70), stains.draw_stain(np.random.default_rng(1)),
        habit.draw_habit(np.random.default_rng(2), 0.3), 0.25,
    )[0]  # fmt: skip
    compressed = tissue.sensor(np.random.default_rng(0), image, blur=0, noise=0, quality=90)
    assert compressed.shape == image.shape and compressed.dtype == np.uint8
    difference = np.abs(compressed.astype(float) - image).mean()
    assert 0 < difference < 12
    np.testing.assert_array_equal(tissue.sensor(np.random.default_rng(0), image, blur=0, noise=0), image)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda folder: twins.write("idd", folder, 1), "'idd'.*idc"),
        (lambda folder: twins.write("idc", folder, 0), "patients: 0"),
        (lambda folder: twins.write("idc", folder, 10000), "patients: 10000"),
        (lambda folder: twins.write("idc", folder, 1, rows=0), "rows"),
        (lambda folder: habit.draw_habit(np.random.default_rng(0), 1.5), "tumor: 1.5"),
        (lambda folder: stains.draw_stain(np.random.default_rng(0), -1), "variation: -1"),
        (lambda folder: fields.smooth_field(np.random.default_rng(0), (5, 5), 0.5), "scale: 0.5"),
    ],
)
def test_errors_name_what_is_wrong(call, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        call(tmp_path)
    assert not any(tmp_path.iterdir())


def test_positions_at_the_very_edge_stay_inside_in_single_precision():
    positions = np.array([0.0, 1599.9, np.nextafter(1600.0, 0.0)])
    found = nuclei._within(positions, 1600)
    assert found.dtype == np.float32 and found.max() < 1600 and found.astype(int).tolist() == [0, 1599, 1599]
