"""BACH: the loader on a made tree and on the twin; the twin's layout, repeatability and architecture."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histolib import cache, datasets
from histolib.datasets import bach
from histolib.datasets.locating import Notes
from studybook import twins
from studybook.twins import bach as twin_of
from studybook.twins import glands, lesions, section
from studybook.twins.stains import draw_stain

CLASS_FOLDERS = {"Normal": "n", "Benign": "b", "InSitu": "is", "Invasive": "iv"}


def save(path, value=0, size=(16, 12), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), value, np.uint8)).convert(mode).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    """Three images of each class and a test set of twelve, in the published layout, 16 x 12 pixels."""
    folder = tmp_path / bach.FOLDER / "Photos"
    for label, (name, prefix) in enumerate(CLASS_FOLDERS.items()):
        for k in (1, 2, 3):
            save(folder / name / f"{prefix}{k:03d}.tif", 50 * label + k)
    for k in range(12):
        save(tmp_path / bach.TEST_FOLDER / "Photos" / f"test{k}.tif", 200 + k)
    return folder


@pytest.mark.parametrize("place", [0, 1, 2])
def test_patients_that_a_table_lists_are_kept_together(photos, place):
    assert (bach.scan(photos, Notes())["patient"] == bach.scan(photos, Notes())["image_id"]).all()
    file = [photos, *photos.parents][place] / bach.PATIENTS
    file.write_text("image,patient\nn001.tif,7\nb002,7\niv003.tif,8\n")
    table = datasets.load("bach", photos.parents[1]).table.set_index("image_id")
    assert table.loc[["n001", "b002", "iv003", "n002"], "patient"].tolist() == ["patient 7"] * 2 + ["patient 8", "n002"]
    assert table["patient"].nunique() == len(table) - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,patient\nn001,7\n", "columns name, patient; expected image and patient"),
        ("image,patient\nn001,7\nn001.tif,8\n", "image n001 comes twice"),
        ("image,patient\nn004,7\n", "image n004 comes twice, or is not among the 12 images"),
    ],
)
def test_a_table_of_patients_that_does_not_fit_is_refused(photos, text, message):
    (photos / bach.PATIENTS).write_text(text)
    with pytest.raises(ValueError, match=message):
        bach.scan(photos, Notes())


@pytest.fixture(scope="module")
def drawn():
    """Three drawings of each class."""
    found = [twin_of.draw_labeled(index, seed=5) for index in range(12)]
    return [[drawing for drawing, label in found if label == k] for k in range(4)]


@pytest.fixture(scope="module")
def small():
    """Ten small images of each class."""

    def draw(label, k):
        rng = np.random.default_rng([label, k])
        lesion = lesions.draw_lesion(rng, lesions.NAMES[label], (96, 128), 0.3)
        return section.paint(rng, lesion, draw_stain(rng), 0.3).image

    return [[draw(label, k) for k in range(10)] for label in range(4)]


def epithelium(name, count=8):
    """Glands of `count` fields, not yet painted."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        yield lesions.draw_lesion(rng, name, twin_of.SHAPE, twin_of.SCALE).ducts.maps(rng)


@pytest.fixture(scope="module")
def twin(_own_cache):
    return datasets.load("bach", twins.folder("bach", 8, 3))


def test_manifest(photos, tmp_path):
    dataset = datasets.load("bach", tmp_path)
    table = dataset.table
    assert list(table.columns) == ["image_id", "path", "label", "label_name", "patient"]
    assert dataset.classes == ("normal", "benign", "in situ", "invasive") and dataset.shape == (12, 16)
    assert table["path"].tolist()[:4] == ["Normal/n001.tif", "Normal/n002.tif", "Normal/n003.tif", "Benign/b001.tif"]
    assert table["label"].tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert table.loc[6, ["image_id", "label_name", "patient"]].tolist() == ["is001", "in situ", "is001"]
    assert dataset.images()[:, 0, 0, 0].tolist() == [1, 2, 3, 51, 52, 53, 101, 102, 103, 151, 152, 153]
    assert not dataset.twin and dataset.odd_sized() == 0


def test_the_test_set_has_no_classes_and_counts_by_number(photos, tmp_path):
    test = datasets.load("bach", tmp_path).unlabeled
    assert test.table["image_id"].tolist() == [f"test{k}" for k in range(12)]
    assert set(test.table["label"]) == {-1} and set(test.table["label_name"]) == {""}
    assert test.table["patient"].tolist() == test.table["image_id"].tolist()
    assert test.images()[:, 0, 0, 0].tolist() == list(range(200, 212))
    assert test.classes == bach.CLASSES and test.unlabeled is None
    assert test.summary().loc["all", "images"] == 12 and test.summary().loc["normal", "images"] == 0
    before = test.fingerprint
    path = save(tmp_path / bach.TEST_FOLDER / "Photos" / "test3.tif", 7)
    os.utime(path, ns=(1, 1))
    again = datasets.load("bach", tmp_path)
    assert again.unlabeled.fingerprint != before
    assert again.fingerprint == datasets.load("bach", photos).fingerprint


@pytest.mark.parametrize("above", ["", "bach", f"bach/{bach.FOLDER}", bach.FOLDER])
def test_root_may_be_any_level(photos, tmp_path, tmp_path_factory, above):
    top = tmp_path_factory.mktemp("top")
    shutil.copytree(photos.parent, top / above / bach.FOLDER)
    shutil.copytree(tmp_path / bach.TEST_FOLDER, top / above / bach.TEST_FOLDER)
    folder = top / above / bach.FOLDER
    for root in (top, folder.parent, folder, folder / "Photos"):
        dataset = datasets.load("bach", root)
        assert len(dataset.table) == 12 and len(dataset.unlabeled.table) == 12, root


@pytest.mark.parametrize(
    "place", ["data/test", "data/Photos/test", "data/Photos/../ICIAR2018_BACH_Challenge_TestDataset"]
)
def test_other_places_of_the_test_images(photos, tmp_path_factory, place):
    top = tmp_path_factory.mktemp("top")
    shutil.copytree(photos, top / "data" / "Photos")
    assert datasets.load("bach", top / "data").unlabeled is None
    save(top / place / "test0.png", 9)
    assert datasets.load("bach", top / "data").unlabeled.images()[0, 0, 0, 0] == 9


def test_an_unrelated_test_folder_is_passed_over(photos, tmp_path):
    shutil.rmtree(tmp_path / bach.TEST_FOLDER)
    save(tmp_path / "test" / "cat.png")
    assert datasets.load("bach", tmp_path).unlabeled is None


def test_junk_is_passed_over(photos, tmp_path):
    for name in ("Thumbs.db", "._n001.tif", ".DS_Store", "notes.txt"):
        (photos / "Normal" / name).write_bytes(b"junk")
        (tmp_path / bach.TEST_FOLDER / "Photos" / name).write_bytes(b"junk")
    (photos / "microscopy_ground_truth.csv").write_text("n001.tif,Normal\n")
    dataset = datasets.load("bach", tmp_path)
    assert len(dataset.images()) == len(dataset.unlabeled.images()) == 12


@pytest.mark.parametrize(("wrong", "message"), [
    ("Normal/b009.tif", "Normal/b009.tif lies in the folder of another class"),
    ("InSitu/n009.tif", "InSitu/n009.tif lies in the folder of another class"),
    ("Benign/photo 1.tif", "Benign/photo 1.tif is not named as expected, b<number>.tif"),
    ("Invasive/iv001.png", r"iv001\.png, iv001\.tif are one image in several files"),
    ("Invasive/iv1.tif", r"iv001\.tif, iv1\.tif are one image in several files"),
    ("Normal/test1.tif", "Normal/test1.tif lies in the folder of another class"),
])  # fmt: skip
def test_wrong_names_are_named(photos, wrong, message):
    save(photos / wrong)
    with pytest.raises(ValueError, match=message):
        datasets.load("bach", photos)


def test_wrong_name_in_the_test_set(photos, tmp_path):
    save(tmp_path / bach.TEST_FOLDER / "Photos" / "n001.tif")
    with pytest.raises(ValueError, match="n001.tif lies in the folder of another class; here are test<number>"):
        datasets.load("bach", tmp_path)


def test_wrong_folders_show_the_layout(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is not a folder.*ICIAR2018_BACH_Challenge/Photos/\{Normal"):
        datasets.load("bach", tmp_path / "absent")
    (tmp_path / "Photos" / "Normal").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"no BACH images \(found Photos\).*\{n,b,is,iv\}<number>"):
        datasets.load("bach", tmp_path)


@pytest.mark.parametrize("missing", [True, False])
def test_a_class_without_images_is_an_error(photos, missing):
    shutil.rmtree(photos / "InSitu")
    if not missing:
        (photos / "InSitu").mkdir()
    with pytest.raises(ValueError, match=r"no image of class 2 \(in situ\); found 9"):
        datasets.load("bach", photos)


@pytest.mark.parametrize("size", [(16, 11), (15, 12), (20, 20)])
def test_an_image_of_another_size_is_named(photos, size):
    save(photos / "Normal" / "n001.tif", size=size)
    with pytest.raises(ValueError, match=rf"n001\.tif: {size[1]}x{size[0]} pixels .*other images have 12x16"):
        datasets.load("bach", photos).images()
    skipped = datasets.load("bach", photos, damaged="skip")
    assert skipped.skipped == ("Normal/n001.tif",) and len(skipped.images()) == 11


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_a_damaged_file_is_named_and_left_out_only_on_request(photos, tmp_path, content):
    test = tmp_path / bach.TEST_FOLDER / "Photos" / "test4.tif"
    for path in (photos / "Normal" / "n001.tif", test):
        path.write_bytes(path.read_bytes()[:300] if content is None else content)
    dataset = datasets.load("bach", tmp_path)
    with pytest.raises(ValueError, match=r"n001\.tif: not a whole image file .*damaged='skip'"):
        dataset.images()
    with pytest.raises(ValueError, match=r"test4\.tif: not a whole image file"):
        dataset.unlabeled.images()
    dataset = datasets.load("bach", tmp_path, damaged="skip")
    assert dataset.skipped == ("Normal/n001.tif",) and dataset.unlabeled.skipped == ("test4.tif",)
    assert len(dataset.images()) == len(dataset.unlabeled.images()) == 11


def test_no_file_is_an_image(tmp_path):
    for name, prefix in CLASS_FOLDERS.items():
        save(tmp_path / name / f"{prefix}001.tif").write_bytes(b"")
    with pytest.raises(ValueError, match="none of the 4 files can be opened as an image"):
        datasets.load("bach", tmp_path)


@pytest.mark.parametrize("mode", ["I;16", "F", "CMYK"])
def test_more_than_8_bits_or_other_colors_are_an_error(photos, mode):
    dtype = {"I;16": np.uint16, "F": np.float32}.get(mode)
    image = Image.new("CMYK", (16, 12)) if dtype is None else Image.fromarray(np.zeros((12, 16), dtype))
    image.save(photos / "Normal" / "n001.tif")
    with pytest.raises(ValueError, match=r"n001\.tif: .*expected 8-bit"):
        datasets.load("bach", photos).images()


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_three_channels_of_16_bits_are_an_error(photos, suffix):
    from skimage import io

    (photos / "Normal" / "n001.tif").unlink()
    pixels = np.full((12, 16, 3), 1000, np.uint16)
    path = photos / "Normal" / f"n001{suffix}"
    if suffix == ".tif":
        io.imsave(path, pixels, check_contrast=False)
    else:
        write_png_16(path, pixels)
    with pytest.raises(ValueError, match=rf"n001\{suffix}: 16 bits per channel"):
        datasets.load("bach", photos).images()


def write_png_16(path, pixels):
    """A PNG of 16 bits per channel, which Pillow can read but not write."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_transparent_images_become_rgb(photos, mode):
    save(photos / "Normal" / "n001.tif", 77, mode=mode)
    assert datasets.load("bach", photos).images()[0, 0, 0].tolist() == [77, 77, 77]


def test_choosing_images_keeps_the_classes_even(photos):
    four = datasets.load("bach", photos, patients=4, seed=1).table
    assert four["label"].tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(four, datasets.load("bach", photos, patients=4, seed=1).table)
    chosen = {tuple(datasets.load("bach", photos, patients=4, seed=seed).table["image_id"]) for seed in range(8)}
    assert len(chosen) > 4
    assert sorted(np.bincount(datasets.load("bach", photos, patients=10).labels)) == [2, 2, 3, 3]
    assert len(datasets.load("bach", photos, patients=12).table) == 12
    with pytest.raises(ValueError, match="patients=13, but .* holds 12"):
        datasets.load("bach", photos, patients=13)


@pytest.mark.parametrize(("sizes", "total", "shares"), [
    ([100, 100, 100, 100], 40, [10, 10, 10, 10]),
    ([30, 10], 8, [6, 2]),
    ([97, 2, 1], 10, [8, 1, 1]),
    ([5, 5, 5], 2, [1, 1, 0]),
    ([3, 4], 7, [3, 4]),
])  # fmt: skip
def test_shares(sizes, total, shares):
    assert datasets._shares(sizes, total) == shares


def test_twin_has_the_published_layout(twin):
    assert twin.twin and twin.root.parts[-2:] == (bach.FOLDER, "Photos")
    names = sorted(p.relative_to(twin.root).as_posix() for p in twin.root.rglob("*.*"))
    assert names == sorted(f"{name}/{prefix}00{k}.tif" for name, prefix in CLASS_FOLDERS.items() for k in (1, 2))
    assert np.bincount(twin.labels).tolist() == [2, 2, 2, 2]
    test = twin.unlabeled
    assert test.root.parts[-2:] == (bach.TEST_FOLDER, "Photos")
    assert test.table["path"].tolist() == ["test0.tif", "test1.tif", "test2.tif", "test3.tif"]
    others = {p.name for p in twin.root.parents[1].rglob("*") if p.is_file() and p.suffix != ".tif"}
    assert others == {datasets.MARK, "traits_bach.csv"}
    assert twin.images().shape == (8, 384, 512, 3) and test.images().shape == (4, 384, 512, 3)
    with Image.open(twin.root / "Normal" / "n001.tif") as image:
        assert (image.format, image.mode, image.size, image.info["compression"]) == ("TIFF", "RGB", (512, 384), "raw")


def test_twin_shows_what_was_drawn_and_the_test_set_every_class(twin):
    for row, name in ((0, "n001"), (5, "is002")):
        assert twin.table["image_id"][[0, 5][row > 0]] == name
        index = {"n001": 0, "is002": 6}[name]
        assert np.array_equal(twin.images()[row], twin_of.draw_labeled(index, seed=3)[0].image)
    drawing, label = twin_of.draw_unlabeled(1, seed=3)
    assert np.array_equal(twin.unlabeled.images()[1], drawing.image) and label in range(4)


def test_test_images_show_each_class_in_no_fixed_order(monkeypatch):
    monkeypatch.setattr(twin_of, "_draw", lambda *_: None)
    orders = [[twin_of.draw_unlabeled(k, seed)[1] for k in range(4)] for seed in range(6)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len({tuple(order) for order in orders}) > 2
    assert [twin_of.unlabeled_count(n) for n in (4, 40, 49, 400)] == [4, 4, 4, 40]


@pytest.mark.parametrize(("suffix", "tolerance"), [(".png", 0), (".jpg", 12)])
def test_the_same_tree_in_another_format(twin, tmp_path, suffix, tolerance):
    for source in twin.root.parents[1].rglob("*.tif"):
        target = (tmp_path / source.relative_to(twin.root.parents[1])).with_suffix(suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(source).save(target, quality=95)
    other = datasets.load("bach", tmp_path)
    assert other.table["image_id"].tolist() == twin.table["image_id"].tolist()
    for a, b in ((other, twin), (other.unlabeled, twin.unlabeled)):
        assert np.abs(a.images().astype(int) - b.images()).mean() <= tolerance


def test_same_seed_same_bytes_however_many_are_drawn_by_however_many(twin, tmp_path):
    assert twins.write("bach", tmp_path, 4, seed=3, workers=2) == tmp_path / bach.FOLDER
    files = sorted(tmp_path.rglob("*.tif"))
    assert len(files) == 4 + 4
    for path in files:
        assert path.read_bytes() == (twin.root.parents[1] / path.relative_to(tmp_path)).read_bytes()


def test_other_seed_other_image(drawn):
    other = twin_of.draw_labeled(0, seed=6)[0].image
    assert np.abs(other.astype(float) - drawn[0][0].image).mean() > 5


def test_an_interrupted_drawing_leaves_no_twin(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path))
    saved = []

    def interrupt(task):
        saved.append(task)
        task[-1].write_bytes(b"half")
        if len(saved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(twin_of, "_save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        datasets.load("bach", twins.folder("bach", 4))
    assert len(saved) == 3 and list((tmp_path / "twins").iterdir()) == []


@pytest.mark.parametrize("patients", [0, 3, 3997])
def test_a_number_that_cannot_be_drawn(tmp_path, patients):
    with pytest.raises(ValueError, match=rf"patients: {patients} found, 4 \(one of each class\) to 3996 is right"):
        twins.write("bach", tmp_path / "new", patients, seed=0)
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_told_before_drawing(monkeypatch, tmp_path):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    monkeypatch.setattr(twin_of, "_save", lambda _: pytest.fail("drawn"))
    with pytest.raises(OSError, match="are needed and 0 MiB are free"):
        twins.write("bach", tmp_path, 4, seed=0)


def test_normal_and_benign_glands_keep_their_lumens():
    """Lumens take a good part of the glands and no cell is carcinoma's; benign glands are crowded."""
    crowding = []
    for name in ("normal", "benign"):
        fields = list(epithelium(name))
        for found in fields:
            assert not found.carcinoma.any() and not found.necrosis.any()
            assert found.lumen.sum() > 0.1 * found.inside.sum() > 0
        crowding.append(np.mean([found.inside.mean() for found in fields]))
    assert crowding[1] > 1.4 * crowding[0]


def test_in_situ_fills_ducts_up_to_a_boundary():
    for found in epithelium("in situ"):
        assert found.carcinoma.mean() > 0.03
        # Below the outline there are cells everywhere; only deeper there may be round holes or dead cells.
        rim = found.carcinoma & (found.depth < 9)
        assert found.cells[rim].mean() > 0.9 and not found.layered[found.carcinoma].any()


def test_invasive_has_no_boundary(drawn):
    for drawing in drawn[3]:
        assert drawing.invasive.mean() > 0.1 and not drawing.epithelium.carcinoma.any()


def test_the_boundary_shows_in_the_pixels(drawn):
    """Hematoxylin drops within 6 micrometers from a filled duct to the stroma around, and lumens are bright."""
    stain = draw_stain(np.random.default_rng(0), variation=0)
    for drawing in drawn[2]:
        amount, found = stain.amounts(drawing.image)[..., 0], drawing.epithelium
        outside = (found.inside == 0) & (found.depth < 6)
        within = found.carcinoma & (found.depth > 3) & (found.depth < 12) & (found.lumen < 0.1)
        assert amount[within].mean() > 1.4 * amount[outside].mean()
    for drawing in drawn[0] + drawn[1]:
        empty = (drawing.epithelium.lumen == 1) & (drawing.epithelium.secretion == 0)
        assert empty.sum() < 50 or drawing.image[empty].mean() > 200


def test_color_tells_little(small):
    """The nearest class by mean color, each image left out in turn, is right for less than 6 of 10 images."""
    means = np.array([[image.mean((0, 1)) for image in group] for group in small])
    right = []
    for label in range(4):
        for k in range(means.shape[1]):
            centers = means.mean(1)
            centers[label] = np.delete(means[label], k, axis=0).mean(0)
            right.append(np.linalg.norm(centers - means[label, k], axis=1).argmin() == label)
    assert np.mean(right) < 0.6


def test_stains_differ_between_images(small):
    """The color of collagen, which makes up most of a field."""
    colors = np.array([np.median(image.reshape(-1, 3), axis=0) for group in small for image in group])
    assert colors.std(0).min() > 4


def test_unknown_lesion():
    with pytest.raises(ValueError, match="'malign' found, one of normal, benign, in situ, invasive"):
        lesions.draw_lesion(np.random.default_rng(0), "malign", (20, 20), 0.5)


def test_a_duct_has_a_wall_around_its_lumen():
    ducts = glands.Ducts((100, 120), scale=0.5)
    center = np.array([100.0, 120.0])
    assert not ducts.taken(center, 60)
    ducts.add(np.random.default_rng(0), center, 60, glands.Filling(wall=10), bulge=0, stretch=1)
    assert ducts.taken(center, 5) and ducts.taken(center + [0, 75], 20) and not ducts.taken(center + [0, 75], 10)
    found = ducts.maps(np.random.default_rng(1))
    distance = np.hypot(*(np.mgrid[:100, :120] - np.array([50, 60])[:, None, None])) * 2
    assert found.lumen[distance < 42].min() == 1 and found.lumen[distance > 56].max() == 0
    assert found.cells[(distance > 54) & (distance < 57)].min() > 0.99 and found.cells[distance > 61].max() == 0
    assert np.abs(distance[found.layer] - 55).max() < 3.5
    assert abs(found.inside.sum() * 4 / (np.pi * 60**2) - 1) < 0.03


def test_a_filled_duct_has_no_lumen_and_dies_in_its_middle():
    ducts = glands.Ducts((100, 100), scale=0.5)
    filling = glands.Filling(np.inf, necrosis=40, carcinoma=True)
    ducts.add(np.random.default_rng(0), np.array([100.0, 100.0]), 80, filling, bulge=0, stretch=1)
    found = ducts.maps(np.random.default_rng(1))
    assert not found.lumen.any() and not found.layer.any()
    assert found.necrosis[50, 50] == 1 and found.cells[50, 20] == 1 and found.carcinoma.sum() == found.inside.sum()


def test_an_empty_field_has_no_epithelium():
    found = glands.Ducts((20, 30), scale=0.5).maps(np.random.default_rng(0))
    assert not found.inside.any() and not found.cells.any() and found.depth.min() > 100


def test_points_on_a_line_keep_their_distance():
    line = np.zeros((40, 200), bool)
    line[20] = True
    rows, columns = glands.spread(np.random.default_rng(0), line, 5)
    assert set(rows) == {20} and np.diff(np.sort(columns)).min() >= 5
    assert 200 / 9 < len(columns) <= 40
    assert len(glands.spread(np.random.default_rng(0), np.zeros((5, 5), bool), 5)[0]) == 0
