"""CBIS-DDSM: the real tables, masks known by their content, and damaged releases."""

import os
import shutil

import numpy as np
import pytest
from scanned import left_out

from histolib import datasets
from histolib.datasets import cbis_ddsm, mammograms, masks
from histolib.datasets.locating import Notes
from studybook import twins
from studybook.twins.mammography import dicom


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Folder of a small twin."""
    return twins.write("cbis_ddsm", tmp_path_factory.mktemp("twin"), 6, seed=5, shape=(340, 270))


@pytest.fixture
def release(twin, tmp_path):
    """A copy of it that a test may damage."""
    return shutil.copytree(twin, tmp_path / "release")


def saved(path, pixels, bits=16):
    dicom.save(path, pixels, "P", "left", "CC", bits)
    return path


def test_real_tables(samples):
    mass = cbis_ddsm.cases(samples / "cbis-ddsm")
    assert mass.groupby("split")["patient"].agg(["size", "nunique"]).to_dict("index") == {
        "test": {"size": 378, "nunique": 201}, "train": {"size": 1318, "nunique": 691},
    }  # fmt: skip
    assert mass["pathology"].value_counts().to_dict() == {
        "MALIGNANT": 784, "BENIGN": 771, "BENIGN_WITHOUT_CALLBACK": 141,
    }  # fmt: skip
    assert mass["mask"].is_unique and mass["film"].nunique() == 1592
    assert not mass["mask"].str.contains(r"\s").any()
    named = mass["film"] + "_" + mass["abnormality_id"]
    assert (named == mass["mask"]).all()
    both = cbis_ddsm.cases(samples / "cbis-ddsm", cbis_ddsm.KINDS)
    assert both["kind"].value_counts().to_dict() == {"calc": 1872, "mass": 1696}
    by_part = both.groupby("patient")["split"].nunique()
    # The official parts are disjoint for masses, not for masses and calcifications together.
    assert mass.groupby("patient")["split"].nunique().max() == 1 and (by_part > 1).sum() == 31


def test_real_tables_without_images_are_told(samples):
    with pytest.raises(FileNotFoundError, match=r"The tables are there \(.*cbis-ddsm\), folders of images are not"):
        datasets.load("cbis_ddsm", samples / "cbis-ddsm")


def test_cbis_columns_and_official_parts(twin):
    table = datasets.load("cbis_ddsm", twin).table
    assert tuple(table.columns) == (*mammograms.COLUMNS, *cbis_ddsm.OWN)
    assert table.groupby("split")["patient"].nunique().to_dict() == {"test": 1, "train": 5}
    assert set(table["pathology"]) <= set(cbis_ddsm.PATHOLOGIES)
    assert ((table["pathology"] == "MALIGNANT") == (table["label"] == 1)).all()
    raw = (cbis_ddsm.find(twin) / "mass_case_description_train_set.csv").read_text()
    assert '.dcm\n"' in raw  # a line break inside of a quoted field, as in the real tables
    series = {path.parent.name for path in cbis_ddsm.find(twin).rglob("*.dcm")}
    assert any(name.startswith("1.2.") for name in series) and any("ROI mask images" in name for name in series)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The same twin in the layout of the JPEG copy."""
    return twins.write("cbis_ddsm", tmp_path_factory.mktemp("jpeg"), 6, seed=5, shape=(340, 270), layout="jpeg")


def test_the_jpeg_copy_holds_the_same_lesions(twin, copy):
    ours, theirs = (datasets.load("cbis_ddsm", folder) for folder in (copy, twin))
    same = ["image_id", "label", "patient", "view", "side", *cbis_ddsm.OWN]
    assert ours.table[same].equals(theirs.table[same]) and ours.twin
    edges = ["top", "left", "bottom", "right"]
    assert (ours.table[edges] - theirs.table[edges]).abs().to_numpy().max() <= 1
    assert ours.table["path"].str.fullmatch(r"jpeg/[\d.]+/1-1\.jpg").all() and left_out(cbis_ddsm, copy) == {}
    difference = ours.images(64).astype(int) - theirs.images(64)
    assert np.abs(difference).mean() < 3
    row = next(ours.table.iloc[[0]].itertuples(index=False))
    outline = ours.reader.contour(ours.root, row)
    found = *outline.min(0)[::-1], *(outline.max(0)[::-1] + 1)
    assert np.abs(np.array(found) - [row.top, row.left, row.bottom, row.right]).max() < 2


def test_a_series_of_the_jpeg_copy_may_be_absent_or_mistaken_for_the_crop(copy, tmp_path):
    release = shutil.copytree(copy, tmp_path / "copy")
    table = cbis_ddsm.scan(release, Notes())
    shutil.rmtree((release / table["path"][0]).parent)
    lost = (table["path"] == table["path"][0]).sum()
    assert len(cbis_ddsm.scan(release, Notes())) == len(table) - lost
    assert left_out(cbis_ddsm, release) == {"film not there": lost}
    # The tables may name the series of the crop as that of the mask, and the other way round.
    for path in release.glob("csv/mass*.csv"):
        text = path.read_text()
        heads = text.replace("cropped image file path", "?").replace("ROI mask file path", "cropped image file path")
        path.write_text(heads.replace("?", "ROI mask file path"))
    swapped = cbis_ddsm.scan(release, Notes())
    assert swapped["outline"].tolist() == cbis_ddsm.scan(copy, Notes())["outline"][lost:].tolist()


def test_real_jpeg_copy(samples):
    dataset = datasets.load("cbis_ddsm", samples)
    assert dataset.root.name == "cbis-ddsm-jpeg" and not dataset.twin
    assert np.bincount(dataset.labels).tolist() == [645, 531] and dataset.table["patient"].nunique() == 624
    assert dataset.table["split"].value_counts().to_dict() == {"train": 910, "test": 266}
    assert left_out(cbis_ddsm, dataset.root) == {}


@pytest.fixture
def lesion(tmp_path):
    """Write one lesion's files: film of 100 x 80 pixels, crop, and a mask that a test hands in."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(1000, 60000, (100, 80)).astype(np.uint16)

    def write(mask, first="crop"):
        shutil.rmtree(tmp_path / "film", ignore_errors=True)
        shutil.rmtree(tmp_path / "mask", ignore_errors=True)
        saved(tmp_path / "film" / "a" / "b" / "000000.dcm", pixels)
        names = ("1-1.dcm", "1-2.dcm") if first == "crop" else ("1-2.dcm", "1-1.dcm")
        saved(tmp_path / "mask" / "a" / "b" / names[0], np.ascontiguousarray(pixels[20:60, 10:40]))
        if mask is not None:
            saved(tmp_path / "mask" / "a" / "b" / names[1], mask.astype(np.uint8), 8)
        return masks.locate(tmp_path, [([tmp_path / "film"], [tmp_path / "mask"])])[0]

    return write


def square(shape=(100, 80), rows=(30, 50), columns=(20, 60)):
    mask = np.zeros(shape)
    mask[slice(*rows), slice(*columns)] = 255
    return mask


@pytest.mark.parametrize("first", ["crop", "mask"])
def test_the_mask_is_known_by_its_content(lesion, first):
    found = lesion(square(), first)
    assert found.mask == f"mask/a/b/{'1-2' if first == 'crop' else '1-1'}.dcm"
    assert (found.film, found.size, found.box) == ("film/a/b/000000.dcm", (100, 80), (30, 20, 50, 60))


def test_a_mask_of_another_size_has_its_box_rescaled(lesion, tmp_path):
    found = lesion(square((80, 64), (24, 40), (16, 48)))
    assert found.box == (30, 20, 50, 60)
    contour = masks.contour(tmp_path / found.mask, found.size)
    np.testing.assert_allclose(contour.min(0), [19.5, 29.5], atol=0.7)
    np.testing.assert_allclose(contour.max(0), [59.5, 49.5], atol=0.7)


def test_specks_and_a_few_gray_pixels_do_not_move_the_box(lesion):
    mask = square()
    mask[90, 70] = mask[2:4, 2:4] = 255
    mask[80, 10:18] = 100
    assert lesion(mask).box == (30, 20, 50, 60)


def test_folders_without_a_mask_are_named(lesion):
    gray = square() + np.arange(80)
    for mask in (None, gray, np.zeros((100, 80))):
        with pytest.raises(ValueError, match=r"mask: no mask \(two values\) among its images; found 1-"):
            lesion(mask)
    with pytest.raises(ValueError, match="a mask of 100x40 pixels does not belong to the film .* of 100x80"):
        lesion(square((100, 40), columns=(5, 20)))
    with pytest.raises(ValueError, match="a mask of 30x24 pixels does not belong"):
        lesion(square((30, 24), (5, 9), (5, 9)))


def test_masks_are_read_once_and_again_after_a_change(lesion, tmp_path, monkeypatch):
    found = lesion(square())
    folders = [([tmp_path / "film"], [tmp_path / "mask"])]
    with monkeypatch.context() as patched:
        patched.setattr(masks, "outline", lambda *_: pytest.fail("read again"))
        assert masks.locate(tmp_path, folders) == [found]
    saved(tmp_path / found.mask, square(rows=(10, 50)).astype(np.uint8), 8)
    os.utime(tmp_path / found.mask, ns=(1, 1))
    assert masks.locate(tmp_path, folders)[0].box == (10, 20, 50, 60)


def test_films_and_masks_that_are_absent_are_counted(release):
    table = cbis_ddsm.scan(release, Notes())
    film_folder, mask_folder = (release / table[column][row] for column, row in (("path", 0), ("outline", 2)))
    shutil.rmtree(film_folder.parents[2])
    shutil.rmtree(mask_folder.parents[2])
    fewer = cbis_ddsm.scan(release, Notes())
    lost = (table["path"] == table["path"][0]).sum()
    assert len(fewer) == len(table) - lost - 1
    assert left_out(cbis_ddsm, release) == {"film not there": lost, "mask not there": 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pathology", "result", "no column for pathology; found "),
        ("MALIGNANT", "BAD", r"row \d+: pathology 'BAD'; expected BENIGN or BENIGN_WITHOUT_CALLBACK or MALIGNANT"),
        (",CC,", ",XX,", "row 1: view 'XX'; expected CC or MLO"),
    ],
)
def test_a_damaged_table_is_named(old, new, message, release):
    path = release / "mass_case_description_train_set.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"{path.name}.*{message}"):
        cbis_ddsm.scan(release, Notes())
    path.with_name("mass_case_description_test_set.csv").unlink()
    path.write_text(path.read_text().replace(new, old, 1))
    with pytest.raises(ValueError, match=r"mass_case_description_test_set\.csv is missing"):
        cbis_ddsm.scan(release, Notes())
