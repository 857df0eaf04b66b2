"""What holds for every mammography set and for their merger, on drawn in the published layouts."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from scanned import left_out
from sklearn.metrics import roc_auc_score

from histolib import datasets
from histolib.datasets import bcdr, cbis_ddsm, films, inbreast, mammograms, merged, mias, regions
from histolib.datasets.locating import Notes
from studybook import twins
from studybook.twins.mammography import film, women

SETS = {"cbis_ddsm": cbis_ddsm, "inbreast": inbreast, "bcdr": bcdr, "mias": mias}
SHAPE = (340, 270)
PATIENTS = 6


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Small drawn of all sets, below one folder."""
    folder = tmp_path_factory.mktemp("twins")
    for name in SETS:
        twins.write(name, folder, PATIENTS, seed=5, shape=SHAPE)
    return folder


@pytest.fixture
def copy(drawn, tmp_path):
    """A copy of one twin that a test may damage."""

    def make(name):
        folder = SETS[name].find(drawn)
        return shutil.copytree(folder, tmp_path / folder.name)

    return make


@pytest.fixture(params=[*SETS])
def dataset(request, drawn):
    return datasets.load(request.param, drawn)


def test_manifest(dataset):
    table = dataset.table
    assert list(table.columns[: len(mammograms.COLUMNS)]) == list(mammograms.COLUMNS)
    assert table["image_id"].is_unique and table["image_id"].is_monotonic_increasing
    assert set(table["label_name"]) == {"benign", "malignant"} and dataset.classes == ("benign", "malignant")
    assert table["patient"].nunique() == PATIENTS
    assert set(table["view"]) == ({"MLO"} if dataset.name == "mias" else {"CC", "MLO"})
    assert set(table["side"]) == {"left", "right"}
    assert (table["window"] == 300).all() and (table["edge"] == "rescale").all()
    assert (table["top"] >= 0).all() and (table["bottom"] <= table["film_height"]).all()
    # The published protocols split by image: films of one patient must be recognizable as such.
    if dataset.name != "mias":
        assert (table.groupby("patient")["path"].nunique() == 2).all()


def test_regions_films_and_contours(dataset):
    images = dataset.images()
    assert images.shape == (len(dataset.table), 224, 224, 3) and images.dtype == np.uint8
    assert (images == images[..., :1]).all() and (images.reshape(len(images), -1).max(1) == 255).all()
    for k, row in enumerate(dataset.table.itertuples()):
        pixels, contour, window = mammograms.show(dataset, k)
        assert pixels.shape == (row.film_height, row.film_width)
        box = row.top, row.left, row.bottom, row.right
        assert window == regions.window(pixels.shape, box)
        np.testing.assert_array_equal(images[k], regions.as_image(regions.crop(pixels, box)))
        # A circle of mini-MIAS may leave the film, a box may not.
        inside = np.clip(contour, 0, np.array(pixels.shape[::-1]) - 1)
        low, high = inside.min(0), inside.max(0)
        np.testing.assert_allclose([*low, *high], [row.left, row.top, row.right - 1, row.bottom - 1], atol=2.5)


def test_masses_are_brighter_than_what_surrounds_them(dataset):
    table = dataset.table
    bright = 0
    for row in table.itertuples():
        pixels = dataset.reader.film(dataset.root, row).astype(float)
        inside = pixels[row.top : row.bottom, row.left : row.right]
        quarter = inside.shape[0] // 4, inside.shape[1] // 4
        bright += inside[quarter[0] : -quarter[0], quarter[1] : -quarter[1]].mean() > inside.mean()
    assert bright >= 0.8 * len(table)


def test_twins_are_drawn_alike_again_and_do_not_depend_on_their_number(dataset, tmp_path):
    again = SETS[dataset.name].find(twins.write(dataset.name, tmp_path, 2, seed=5, shape=SHAPE).parent)
    rows = SETS[dataset.name].scan(again, Notes())
    assert rows["patient"].nunique() == 2 and set(rows["image_id"]) < set(dataset.table["image_id"])
    for path in set(rows["path"]) | set(rows["outline"]) - {"Info.txt", bcdr.OUTLINES}:
        assert (again / path).read_bytes() == (dataset.root / path).read_bytes()
    other = twins.write(dataset.name, tmp_path / "other", 1, seed=6, shape=SHAPE)
    first = sorted(again.rglob(f"*{(again / rows['path'][0]).suffix}"))[0]
    assert first.read_bytes() != sorted(other.rglob(f"*{first.suffix}"))[0].read_bytes()


def test_windows_of_another_size(dataset):
    wide = replace(dataset, table=dataset.table.assign(window=120, edge="shift"))
    assert (dataset.table["window"] == 300).all()
    row = wide.table.iloc[0]
    pixels = films.read(wide.root / row["path"])
    box = tuple(row[["top", "left", "bottom", "right"]])
    np.testing.assert_array_equal(wide.images()[0], regions.as_image(regions.crop(pixels, box, 120, edge="shift")))


@pytest.mark.parametrize("name", SETS)
def test_a_folder_without_the_set_shows_the_layout(name, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(FileNotFoundError, match=r"films \(found other\)\. Expected below it "):
        datasets.load(name, tmp_path)
    with pytest.raises(FileNotFoundError, match="is not a folder. Expected a folder that holds"):
        datasets.load(name, tmp_path / "absent")


@pytest.mark.parametrize("name", ["inbreast", "bcdr", "mias"])
def test_a_damaged_film_is_named_and_left_out_on_request(name, copy):
    folder = copy(name)
    table = SETS[name].scan(folder, Notes())
    path = folder / table["path"][0]
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ValueError, match=rf"{path.name}.* can be read \(.*bytes.*Fetch it again"):
        datasets.load(name, folder).images()
    dataset = datasets.load(name, folder, damaged="skip")
    assert dataset.skipped == (table["path"][0],)
    assert len(dataset.table) == (table["path"] != table["path"][0]).sum() == len(dataset.images())


def test_traits_overlap_between_the_classes():
    rng = np.random.default_rng(0)
    lesions = [women.draw_lesion(rng, bool(k % 2)) for k in range(600)]
    labels = [lesion.malignant for lesion in lesions]
    for trait in ("irregularity", "blur", "spicules", "density"):
        assert 0.9 < roc_auc_score(labels, [getattr(lesion, trait) for lesion in lesions]) < 0.985
    assert 0.5 < roc_auc_score(labels, [lesion.radius for lesion in lesions]) < 0.75


def test_classes_can_be_told_apart_on_the_regions_but_not_perfectly():
    down, right = np.mgrid[:224, :224] - 111.5
    distance = np.hypot(down, right)
    ring = (distance > 15) & (distance < 55)
    score, labels = [], []
    for index in range(36):
        woman, rng = women.draw_woman(1, index, "test")
        pixels, outlines = film.draw_film(
            rng, woman, "CC", woman.side, twins.mias.SCANNER, woman.lesions[:1], (450, 350)
        )
        place = mammograms.placed(outlines[0], pixels.shape, "")
        box = place["top"], place["left"], place["bottom"], place["right"]
        region = regions.crop(pixels, box, edge="reflect")
        gradient = np.gradient(region)
        along = np.abs(gradient[0] * right - gradient[1] * down) / distance
        toward = np.abs(gradient[0] * down + gradient[1] * right) / distance
        # Strands run outward: gray values change around a spiculated mass more than away from it.
        score.append(along[ring].mean() / toward[ring].mean())
        labels.append(woman.malignant)
    assert 0.6 < roc_auc_score(labels, score) < 0.95


def test_power_law_noise_falls_as_asked():
    field = film.power_law(np.random.default_rng(0), (256, 256), 3.0)
    power = np.abs(np.fft.fft2(field)) ** 2
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256))
    low, high = power[(frequency > 0.02) & (frequency < 0.04)], power[(frequency > 0.2) & (frequency < 0.4)]
    assert np.log10(low.mean() / high.mean()) == pytest.approx(3, abs=0.25)
    assert abs(field.mean()) < 1e-4 and abs(field.std() - 1) < 1e-4


@pytest.mark.parametrize(
    ("name", "patients", "message"),
    [("mias", 300, "1 to 299"), ("cbis_ddsm", 0, "1 to 9999"), ("merged", 2, "at least 3"), ("bcdr", 0, "patients: 0")],
)
def test_numbers_of_patients_that_cannot_be_drawn(name, patients, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        twins.write(name, tmp_path, patients)
    assert not any(tmp_path.iterdir())


def test_the_merged_set_is_the_union(drawn):
    whole = datasets.load("merged", drawn)
    parts = {name: datasets.load(name, drawn) for name in merged.SOURCES}
    assert whole.table["source"].value_counts().to_dict() == {name: len(p.table) for name, p in parts.items()}
    images = whole.images()
    for name, part in parts.items():
        rows = whole.table["source"] == name
        assert whole.table.loc[rows, "image_id"].tolist() == [f"{name}_{k}" for k in part.table["image_id"]]
        assert whole.table.loc[rows, "patient"].str.startswith(f"{name}_").all()
        np.testing.assert_array_equal(images[rows], part.images())
        first = int(np.flatnonzero(rows)[0])
        for one, other in zip(mammograms.show(whole, first), mammograms.show(part, 0), strict=True):
            np.testing.assert_array_equal(one, other)
    assert left_out(merged, whole.root) == {
        f"{name}: {why}": count for name in parts for why, count in left_out(SETS[name], parts[name].root).items()
    }


def test_merging_needs_two_sets_and_tells_what_is_missing(copy):
    root = copy("bcdr").parent
    with pytest.raises(FileNotFoundError, match="holds bcdr of .*needs at least two. Missing cbis_ddsm: .*; inbreast"):
        datasets.load("merged", root)
    copy("inbreast")
    assert set(datasets.load("merged", root).table["source"]) == {"bcdr", "inbreast"}
    assert left_out(merged, root)["cbis_ddsm: not there"] == 1


def test_the_merged_twin_holds_the_same_women(drawn, tmp_path):
    root = twins.write("merged", tmp_path, 4, seed=5, shape=SHAPE)
    table = merged.scan(root, Notes())
    assert table.groupby("source")["patient"].nunique().to_dict() == {"bcdr": 1, "cbis_ddsm": 2, "inbreast": 1}
    assert set(table["image_id"]) <= set(merged.scan(drawn, Notes())["image_id"])


def test_the_twin_is_drawn_and_read_by_name():
    dataset = datasets.load("bcdr", twins.folder("bcdr", 2))
    assert dataset.twin and dataset.labels.tolist().count(1) > 0 and dataset.shape == (224, 224)
    assert (dataset.table["film_height"] == 720).all()
    assert set(SETS) | {"merged"} <= set(datasets.NAMES)


def test_windows_of_another_size_or_by_the_lesion(dataset):
    small, by_lesion = mammograms.windowed(dataset, 40), mammograms.windowed(dataset, 1.5)
    assert set(small.table["window"]) == {40} and small.fingerprint != dataset.fingerprint
    box = dataset.table[["bottom", "right"]].to_numpy() - dataset.table[["top", "left"]].to_numpy()
    assert (by_lesion.table["window"] == np.ceil(1.5 * box.max(axis=1))).all()
    assert small.images(32).shape == by_lesion.images(32).shape == dataset.images(32).shape
    assert not np.array_equal(small.images(32), by_lesion.images(32))
    with pytest.raises(ValueError, match="size=0"):
        mammograms.windowed(dataset, 0)
