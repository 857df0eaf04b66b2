import os
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histolib import cache, datasets
from histolib.datasets import idc, packing
from studybook import twins


@pytest.fixture
def folder(tmp_path):
    """Two patients with three patches per class, in the real layout."""
    for patient in ("10001", "10002"):
        for label in (0, 1):
            for k in range(3):
                save(tmp_path, patient, label, 1 + 50 * k)
    return tmp_path


def save(root, patient, label, x, size=(50, 50), color=None):
    path = root / idc.FOLDER / patient / str(label) / f"{patient}_idx5_x{x}_y51_class{label}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), color if color is not None else 40 * label + x % 256, np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_manifest_columns_and_order(folder):
    table = datasets.load("idc", folder).table
    assert list(table.columns) == ["image_id", "path", "label", "label_name", "patient", "x", "y"]
    assert table["path"].is_monotonic_increasing
    first = table.iloc[0]
    assert (first.image_id, first.patient, first.label, first.x, first.y) == (
        "10001_idx5_x101_y51_class0", "10001", 0, 101, 51,
    )  # fmt: skip


@pytest.mark.parametrize("inside", ["", "idc"])
def test_root_may_be_any_level_above(folder, tmp_path_factory, inside):
    top = tmp_path_factory.mktemp("top")
    shutil.copytree(folder, top / inside, dirs_exist_ok=True)
    assert len(datasets.load("idc", top).table) == 12
    assert len(datasets.load("idc", top / inside / idc.FOLDER).table) == 12


def test_the_doubled_copy_of_the_archive_is_counted_once(folder):
    shutil.copytree(folder / idc.FOLDER / "10001", folder / "10001")
    assert len(datasets.load("idc", folder).table) == 12


def test_images_are_uint8_in_table_order_and_mapped(folder):
    dataset = datasets.load("idc", folder)
    images = dataset.images()
    assert images.dtype == np.uint8 and images.shape == (12, 50, 50, 3) and isinstance(images, np.memmap)
    expected = [(40 * row.label + row.x) % 256 for row in dataset.table.itertuples()]
    assert images[:, 0, 0, 0].tolist() == expected
    assert np.array_equal(dataset.images(rows=[3, 1]), images[[3, 1]])
    assert dataset.images(size=25).shape == (12, 25, 25, 3)


def test_edge_patches_are_completed_by_reflection(folder):
    rng = np.random.default_rng(0)
    path = save(folder, "10001", 0, 501, size=(50, 7))
    pixels = rng.integers(0, 256, (7, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    dataset = datasets.load("idc", folder)
    image = dataset.images(rows=np.flatnonzero(dataset.table["x"] == 501))[0]
    assert np.array_equal(image[:7], pixels) and np.array_equal(image[7:14], pixels[::-1])
    assert dataset.odd_sized() == 1


def test_a_patch_one_pixel_high_is_completed():
    line = np.arange(150, dtype=np.uint8).reshape(1, 50, 3)
    assert np.array_equal(packing.complete(line, (50, 50)), np.repeat(line, 50, axis=0))


def test_a_patch_that_is_too_large_is_an_error():
    with pytest.raises(ValueError, match="60x50 pixels is larger than the expected 50x50"):
        packing.complete(np.zeros((60, 50, 3), np.uint8), (50, 50))


def test_packed_once_and_again_after_a_change(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path / "own"))
    dataset = datasets.load("idc", folder)
    dataset.images()
    (file,) = (tmp_path / "own" / "packed").iterdir()
    written = file.stat().st_mtime_ns
    datasets.load("idc", folder).images()
    assert file.stat().st_mtime_ns == written
    save(folder, "10001", 0, 1, color=7)
    os.utime(folder / idc.FOLDER / dataset.table["path"][0], ns=(1, 1))
    assert 7 in datasets.load("idc", folder).images()[:, 0, 0, 0]


def test_fingerprint_follows_content(folder):
    before = datasets.load("idc", folder).fingerprint
    assert datasets.load("idc", folder).fingerprint == before
    path = save(folder, "10002", 1, 1, color=9)
    os.utime(path, ns=(1, 1))
    assert datasets.load("idc", folder).fingerprint != before


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_a_damaged_file_is_named_and_left_out_only_on_request(folder, content):
    path = save(folder, "10001", 1, 901, color=np.random.default_rng(0).integers(0, 256, (50, 50, 3)))
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(ValueError, match=r"x901_y51_class1\.png: not a whole image file .*damaged='skip'"):
        datasets.load("idc", folder).images()
    dataset = datasets.load("idc", folder, damaged="skip")
    assert dataset.skipped == ("10001/1/10001_idx5_x901_y51_class1.png",)
    assert len(dataset.table) == len(dataset.images()) == 12


def test_a_patch_that_is_too_large_is_named_and_left_out_only_on_request(folder):
    save(folder, "10001", 1, 901, size=(60, 60))
    with pytest.raises(ValueError, match=r"x901_y51_class1\.png: an image of 60x60 pixels is larger"):
        datasets.load("idc", folder).images()
    assert len(datasets.load("idc", folder, damaged="skip").skipped) == 1


def test_a_16_bit_file_is_an_error(folder):
    path = save(folder, "10001", 1, 901)
    Image.fromarray(np.zeros((50, 50), np.uint16)).save(path)
    with pytest.raises(ValueError, match="expected 8-bit"):
        datasets.load("idc", folder).images()


def test_an_interrupted_packing_leaves_nothing(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path / "own"))

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(packing, "complete", interrupt)
        datasets.load("idc", folder).images()
    assert list((tmp_path / "own" / "packed").glob("*.npy")) == []
    assert len(datasets.load("idc", folder).images()) == 12


def test_a_full_disk_is_told_before_decoding(folder, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    monkeypatch.setattr(packing, "read", lambda _: pytest.fail("decoded"))
    save(folder, "10001", 0, 701)
    with pytest.raises(OSError, match="are needed and 0 MiB are free"):
        datasets.load("idc", folder).images()


def test_wrong_folders_show_the_layout(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder.*IDC_regular_ps50_idx5/<patient>"):
        datasets.load("idc", tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"found nothing.*IDC_regular_ps50_idx5/<patient>/<0 or 1>"):
        datasets.load("idc", tmp_path)


def test_a_wrong_name_or_place_is_named(folder):
    wrong = folder / idc.FOLDER / "10001" / "0" / "10002_idx5_x1_y1_class0.png"
    shutil.copy(save(folder, "10002", 0, 1), wrong)
    with pytest.raises(ValueError, match="10002_idx5_x1_y1_class0.png lies in the folder of another patient"):
        datasets.load("idc", folder)
    wrong.rename(wrong.with_name("patch.png"))
    with pytest.raises(ValueError, match=r"10001/0/patch\.png is not named as expected"):
        datasets.load("idc", folder)


def test_a_class_without_images_is_an_error(folder):
    for patient in ("10001", "10002"):
        shutil.rmtree(folder / idc.FOLDER / patient / "1")
    with pytest.raises(ValueError, match=r"no image of class 1 \(IDC positive\); found 6"):
        datasets.load("idc", folder)


def test_choosing_patients(folder):
    one = datasets.load("idc", folder, patients=1, seed=3)
    assert one.table["patient"].nunique() == 1
    pd.testing.assert_frame_equal(one.table, datasets.load("idc", folder, patients=1, seed=3).table)
    with pytest.raises(ValueError, match="patients=5, but .* holds 2"):
        datasets.load("idc", folder, patients=5)


@pytest.mark.parametrize("wrong", [{"name": "idx"}, {"patients": 0}, {"damaged": "ignore"}])
def test_wrong_arguments_are_named(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        datasets.load(**({"name": "idc", "root": "."} | wrong))


def test_twin_is_read_by_the_same_loader_and_drawn_once(twin):
    assert twin.twin and twin.table["patient"].nunique() == 10
    again = datasets.load("idc", twins.folder("idc", 10))
    assert again.root == twin.root and again.fingerprint == twin.fingerprint
    summary = twin.summary()
    assert summary.loc["all", "images"] == len(twin.table) and summary["share"].iloc[:2].sum() == pytest.approx(1)


def test_an_interrupted_drawing_leaves_no_twin(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path))

    def interrupt(name, folder, patients, seed, difficulty):
        (folder / "half").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(twins, "write", interrupt)
        twins.folder("idc", 2)
    assert list((tmp_path / "twins").iterdir()) == []
    assert datasets.load("idc", twins.folder("idc", 3)).table["patient"].nunique() == 3


def test_a_twin_is_known_by_its_mark_from_wherever_it_is_handed_in(twin, folder, tmp_path):
    assert datasets.load("idc", twin.root).twin and datasets.load("idc", twin.root.parent).twin
    assert datasets.load("idc", twin.root.parent, patients=4, seed=1).table["patient"].nunique() == 4
    shutil.copytree(twin.root.parent, tmp_path / "copy")
    assert datasets.load("idc", tmp_path / "copy").twin
    assert not datasets.load("idc", folder).twin
    # One drawn image among real ones is enough.
    shutil.copytree(twin.root / "90001", folder / idc.FOLDER / "90001")
    (folder / idc.FOLDER / "90001" / datasets.MARK).write_text("{}")
    assert datasets.load("idc", folder).twin


def test_real_sample(samples):
    dataset = datasets.load("idc", samples)
    assert len(dataset.table) == 14164 and dataset.table["patient"].nunique() == 200
    assert np.bincount(dataset.labels).tolist() == [10064, 4100]
    assert dataset.odd_sized() == 80
    assert dataset.images().shape == (14164, 50, 50, 3)


@pytest.fixture
def oblong(tmp_path):
    """Four images of 46x70 pixels: fine stripes in the middle square, black beside it."""
    rng = np.random.default_rng(0)
    for k in range(4):
        pixels = np.zeros((46, 70, 3), np.uint8)
        pixels[:, 12:58] = rng.integers(0, 256, (46, 46, 3))
        pixels[:, 12:58:2, 0], pixels[:, 13:58:2, 0] = 200, 100
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    table = pd.DataFrame({"image_id": list("0123"), "path": [f"{k}.png" for k in range(4)], "label": [0, 1, 0, 1],
                          "label_name": list("abab"), "patient": "p"})  # fmt: skip
    return datasets.Dataset("stripes", tmp_path, table, ("a", "b"), (46, 70), False)


def test_the_middle_square_is_cut_before_an_image_is_rescaled(oblong):
    whole, middle = oblong.images(), oblong.images(crop="center")
    assert whole.shape == (4, 46, 70, 3) and middle.shape == (4, 46, 46, 3)
    assert np.array_equal(middle, whole[:, :, 12:58])
    assert np.array_equal(oblong.image(2, crop="center"), middle[2]) and oblong.image(2).shape == (46, 70, 3)
    small = oblong.images(10, crop="center")
    assert small.shape == (4, 10, 10, 3) and small.min() > 0  # nothing of what was black beside the square
    # Not taken from every fourth or fifth pixel, which would be 100 or 200: averaged.
    assert np.abs(small[..., 0].astype(int) - 150).max() < 30
    assert np.array_equal(oblong.images(10, rows=[3], crop="center")[0], small[3])
    assert oblong.images(10).min() == 0


def test_crops_are_packed_once_and_apart(oblong, monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path / "own"))
    # Distorted to the size of the crop, and cropped: two files.
    assert not np.array_equal(oblong.images(46), oblong.images(crop="center"))
    oblong.images(crop="center")
    files = list((tmp_path / "own" / "packed").iterdir())
    assert len(files) == 2 and all(file.stat().st_size < 4 * 46 * 46 * 3 + 200 for file in files)


def test_an_unknown_crop_is_named(oblong):
    with pytest.raises(ValueError, match="crop='middle': expected None or 'center'"):
        oblong.images(10, crop="middle")
