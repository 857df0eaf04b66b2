"""Folders as people have them: endings, hidden files, other layouts, and what of a damaged folder is said."""

import csv
import shutil
import struct
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histolib import datasets
from histolib.datasets import bcdr, cbis_ddsm, inbreast, mammograms, mias
from studybook import twins
from studybook.engine import records

FILMS = ("cbis_ddsm", "inbreast", "bcdr", "mias")


def photograph(path, value, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size[::-1], 3), value, np.uint8)).save(path)


def photographs(name, root):
    """A small folder of one of the three sets of photographs, in the published layout."""
    for label in range(4 if name == "bach" else 2):
        for k in range(1, 5):
            value = 50 * label + k
            if name == "idc":
                stem = f"{10000 + k}_idx5_x{k * 50 + 1}_y51_class{label}"
                photograph(root / f"IDC_regular_ps50_idx5/{10000 + k}/{label}/{stem}.png", value, (50, 50))
            elif name == "bach":
                folder, prefix = [("Normal", "n"), ("Benign", "b"), ("InSitu", "is"), ("Invasive", "iv")][label]
                path = root / f"ICIAR2018_BACH_Challenge/Photos/{folder}/{prefix}{k:03d}.tif"
                photograph(path, value, (16, 12))
            else:
                letter, kind, title = [("B", "A", "adenosis"), ("M", "DC", "ductal_carcinoma")][label]
                place = f"{['benign', 'malignant'][label]}/SOB/{title}/SOB_{letter}_{kind}_90-{k}/40X"
                stem = f"SOB_{letter}_{kind}-90-{k}-40-001"
                photograph(root / f"BreaKHis_v1/histology_slides/breast/{place}/{stem}.png", value, (700, 460))
    return root


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of each set, by name, and the JPEG copy of CBIS-DDSM."""
    top = tmp_path_factory.mktemp("sets")
    for name in ("idc", "bach", "breakhis"):
        photographs(name, top / name)
    for name in FILMS:
        twins.write(name, top / name, 6, seed=5, shape=(340, 270))
    twins.write("cbis_ddsm", top / "jpeg", 6, seed=5, shape=(340, 270), layout="jpeg")
    return top


@pytest.fixture
def copy(drawn, tmp_path):
    """A copy of one of them that a test may change."""
    return lambda name: shutil.copytree(drawn / name, tmp_path / name)


def same_but_for_paths(found, expected):
    columns = [name for name in expected.columns if name not in ("path", "outline")]
    pd.testing.assert_frame_equal(found[columns], expected[columns])


@pytest.mark.parametrize("name", ["idc", "bach", "breakhis", *FILMS, "jpeg"])
def test_endings_in_any_case_count_and_hidden_files_do_not(name, copy):
    folder = copy(name)
    known = "cbis_ddsm" if name == "jpeg" else name
    before = datasets.load(known, folder)
    endings = {".png", ".tif", ".dcm", ".pgm", ".jpg", ".xml"}
    files = sorted(path for path in folder.rglob("*") if path.suffix in endings)
    for k, path in enumerate(files):
        if k % 3 == 0:
            path.rename(path.with_suffix(path.suffix.upper()))
        path.with_name(f"._{path.name}").write_bytes(b"left by another computer")
    for place in {path.parent for path in files}:
        (place / "Thumbs.db").write_bytes(b"thumbnails")
        (place / ".DS_Store").write_bytes(b"view")
        (place / "__MACOSX").mkdir()
        shutil.copy(next(path for path in place.iterdir() if path.suffix.lower() in endings), place / "__MACOSX")
    found = datasets.load(known, folder)
    same_but_for_paths(found.table, before.table)
    assert found.left_out == before.left_out and len(found.images(16)) == len(before.table)
    assert found.table["path"].str.fullmatch(r".*\.[A-Z]+").any()


def test_what_is_left_out_is_said_and_kept(copy):
    folder = copy("inbreast")
    before = datasets.load("inbreast", folder)
    first, second, *_ = before.table.drop_duplicates("path").itertuples()
    (before.root / first.path).unlink()
    (before.root / second.outline).unlink()
    found = datasets.load("inbreast", folder)
    new = {reason: found.left_out[reason] for reason in set(found.left_out) - set(before.left_out)}
    assert new == {"film not there": 1, "findings not there (AllXML/<film>.xml)": 1}
    assert found.report().loc["film not there", "left out"] == 1
    assert found.report().loc["all", "left out"] == sum(found.left_out.values())
    assert records.data_facts(found)["left_out"] == found.left_out
    whole = datasets.load("cbis_ddsm", copy("cbis_ddsm"))
    assert whole.report()["left out"].to_dict() == {"all": 0}


def test_files_that_belong_to_no_place_are_counted(copy):
    folder = copy("idc")
    below = folder / "IDC_regular_ps50_idx5"
    photograph(below / "10001/2/x.png", 1, (50, 50))
    (below / "notes.txt").write_text("notes")
    assert datasets.load("idc", folder).left_out == {"image in another folder": 1, "other file (.txt)": 1}
    photos = copy("bach") / "ICIAR2018_BACH_Challenge/Photos"
    photograph(photos / "test/test1.tif", 1, (16, 12))
    (photos / "labels.csv").write_text("n001,Normal")
    found = datasets.load("bach", photos)
    assert found.left_out == {"other file (.csv)": 1} and len(found.unlabeled.table) == 1


@pytest.mark.parametrize("name", FILMS)
def test_empty_films_are_left_out_on_request(name, copy):
    folder = copy(name)
    before = datasets.load(name, folder)
    path = before.table["path"][0]
    (before.root / path).write_bytes(b"")
    with pytest.raises(ValueError, match=r"can be read \(0 bytes"):
        datasets.load(name, folder).images(16)
    found = datasets.load(name, folder, damaged="skip")
    kept = before.table[before.table["path"] != path]
    assert found.table["image_id"].tolist() == kept["image_id"].tolist() and found.skipped
    assert found.all_left_out["damaged"] == len(found.skipped) and len(found.images(16)) == len(kept)


@pytest.mark.parametrize("damage", ["cut", "empty", "gray"])
def test_damaged_masks_are_left_out_on_request(damage, copy):
    folder = copy("cbis_ddsm")
    before = datasets.load("cbis_ddsm", folder)
    path = before.root / before.table["outline"][2]
    for mask in path.parents[2].rglob("*.dcm"):
        if damage == "gray":
            shutil.copy(before.root / before.table["path"][2], mask)
        else:
            mask.write_bytes(mask.read_bytes()[:3000] if damage == "cut" else b"")
    for _ in range(2):  # and again, whatever the cache keeps
        with pytest.raises(ValueError, match="no mask" if damage == "gray" else "that can be read|with pixel data"):
            datasets.load("cbis_ddsm", folder)
        found = datasets.load("cbis_ddsm", folder, damaged="skip")
        assert found.table["image_id"].tolist() == before.table["image_id"].drop(2).tolist()
        assert found.skipped == (path.relative_to(before.root).parents[-3].as_posix(),)


def test_damaged_lists_and_outlines_beside_the_film_are_left_out_on_request(copy):
    folder = copy("inbreast")
    before = datasets.load("inbreast", folder)
    first, second, *_ = before.table.drop_duplicates("outline").itertuples()
    (before.root / first.outline).write_text("<plist>cut sho")
    text = (before.root / second.outline).read_text()
    (before.root / second.outline).write_text(text.replace("<string>(", "<string>(9"))
    found = datasets.load("inbreast", folder, damaged="skip")
    assert set(found.table["outline"]) == set(before.table["outline"]) - {first.outline, second.outline}
    assert found.skipped[0] == first.outline and found.skipped[1].startswith(f"{second.outline}, region ")
    folder = copy("bcdr")
    table = next(folder.rglob(bcdr.OUTLINES))
    with table.open() as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index("lw_x_points")] = " 90000 90010 90005"
    rows[1][rows[0].index("lw_y_points")] = " 90000 90010 90005"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = datasets.load("bcdr", folder, damaged="skip")
    assert len(found.table) == len(rows) - 2 and found.skipped[0].endswith(f"({bcdr.OUTLINES}, row 1)")


def test_the_merger_skips_what_its_sets_skip(drawn, tmp_path):
    for name in ("cbis_ddsm", "inbreast"):
        shutil.copytree(drawn / name, tmp_path / name)
    before = datasets.load("merged", tmp_path)
    row = before.table[before.table["source"] == "inbreast"].iloc[0]
    (tmp_path / row["outline"]).write_text("no list")
    with pytest.raises(ValueError, match="not a property list"):
        datasets.load("merged", tmp_path)
    found = datasets.load("merged", tmp_path, damaged="skip")
    assert found.skipped == (f"inbreast: AllXML/{row['outline'].split('/')[-1]}",)
    assert found.left_out["bcdr: not there"] == 1 and len(found.table) < len(before.table)


def test_errors_tell_what_the_loader_knows(copy):
    photos = copy("bach") / "ICIAR2018_BACH_Challenge/Photos"
    (photos / "InSitu").rename(photos / "In Situ")
    message = r"no image of class 2 \(in situ\); found 12 .*expected in InSitu, folders here: Benign, In Situ, Inv"
    with pytest.raises(ValueError, match=message):
        datasets.load("bach", photos)
    folder = copy("cbis_ddsm")
    root = cbis_ddsm.find(folder)
    for path in (root / "CBIS-DDSM").glob("*_[0-9]"):
        shutil.rmtree(path)
    with pytest.raises(ValueError, match=r"found 0 images in all\. Left out: 16 mask not there"):
        datasets.load("cbis_ddsm", folder)
    folder = inbreast.find(copy("inbreast"))
    (folder / "AllXML").rename(folder / "Lists")
    with pytest.raises(ValueError, match=r"Left out: \d+ film without .*, \d+ findings not there \(AllXML/<film>"):
        datasets.load("inbreast", folder)


def test_cbis_in_several_folders(copy, drawn):
    root = cbis_ddsm.find(copy("cbis_ddsm"))
    for path in sorted((root / "CBIS-DDSM").iterdir()):
        part = "Test" if "Test" in path.name else "Training"
        kind = "ROI Masks" if path.name[-1].isdigit() else "Full Mammogram Images"
        place = root / f"Mass-{part} {kind}" / "CBIS-DDSM"
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / path.name)
    found, expected = datasets.load("cbis_ddsm", root), datasets.load("cbis_ddsm", drawn / "cbis_ddsm")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == {} and len({path.split("/")[0] for path in found.table["path"]}) == 2


def test_cbis_beside_what_an_archive_program_left_and_a_folder_that_may_not_be_read(copy, drawn):
    root = cbis_ddsm.find(copy("cbis_ddsm"))
    for path in sorted((root / "CBIS-DDSM").iterdir()):
        (root / "__MACOSX/CBIS-DDSM" / path.name).mkdir(parents=True)
        (root / "__MACOSX/CBIS-DDSM" / path.name / "._000000.dcm").write_bytes(b"note")
    (root / "lost+found").mkdir(mode=0)
    found = datasets.load("cbis_ddsm", root)
    pd.testing.assert_frame_equal(found.table, datasets.load("cbis_ddsm", drawn / "cbis_ddsm").table)


@pytest.mark.parametrize("depth", ["", "dicom/"])
def test_cbis_in_flat_folders_by_series(depth, copy, drawn):
    root = cbis_ddsm.find(copy("cbis_ddsm"))
    series = {}
    for case in cbis_ddsm.cases(root).itertuples():
        series |= {case.film: case.film_series, case.mask: case.mask_series}
    for path in sorted((root / "CBIS-DDSM").iterdir()):
        place = root / f"{depth}{series[path.name]}"
        place.mkdir(parents=True, exist_ok=True)
        for k, file in enumerate(sorted(path.rglob("*.dcm"))):
            file.rename(place / f"1-{k + 1}.dcm")
    shutil.rmtree(root / "CBIS-DDSM")
    found, expected = datasets.load("cbis_ddsm", root), datasets.load("cbis_ddsm", drawn / "cbis_ddsm")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == {}


def test_the_jpeg_copy_with_its_full_table(copy, drawn):
    root = cbis_ddsm.find(copy("jpeg"))
    info = pd.read_csv(root / "csv/dicom_info.csv", dtype=str)
    assert info["SeriesDescription"].isna().any()
    extra = {f"Column{k}": "value, with a comma" for k in range(28)}
    info.assign(**extra).to_csv(root / "csv/dicom_info.csv", index=False)
    shutil.copy(root / "csv/dicom_info.csv", root / "csv/meta.csv")
    # Crop and mask together in one series, whichever of the two the tables name.
    for case in cbis_ddsm.cases(root).itertuples():
        one, other = root / "jpeg" / case.mask_series, root / "jpeg" / case.crop_series
        if one != other and one.is_dir() and other.is_dir():
            for k, path in enumerate(sorted(other.iterdir())):
                path.rename(one / f"2-{k}.JPG")
            other.rmdir()
    found, expected = datasets.load("cbis_ddsm", root), datasets.load("cbis_ddsm", drawn / "jpeg")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == {}


@pytest.mark.parametrize("place", ["all-mias", "MIAS/films"])
def test_mini_mias_with_its_list_beside_the_films(place, copy, drawn):
    root = mias.find(copy("mias"))
    (root / place).mkdir(parents=True)
    for path in root.glob("*.pgm"):
        path.rename(root / place / path.name)
    (root / "Info.txt").rename(root / "info.txt")
    found, expected = datasets.load("mias", root), datasets.load("mias", drawn / "mias")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == expected.left_out and (found.table["path"].str.startswith(place)).all()
    _, outline, _ = mammograms.show(found, 0)
    np.testing.assert_array_equal(outline, mammograms.show(expected, 0)[1])


def test_inbreast_with_folders_in_other_cases(copy, drawn):
    root = inbreast.find(copy("inbreast"))
    for name in ("AllDICOMs", "AllXML", "INbreast.csv"):
        (root / name).rename(root / name.upper())
    found, expected = datasets.load("inbreast", root), datasets.load("inbreast", drawn / "inbreast")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == expected.left_out


def spreadsheet(path, rows):
    """Save text and whole numbers as an Excel sheet of its second version, a plain sequence of records."""
    record = lambda kind, data: struct.pack("<HH", kind, len(data)) + data  # noqa: E731
    cells = [record(0x0009, struct.pack("<HH", 0, 16))]
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            place = struct.pack("<HH", y, x) + bytes(3)
            if value.isdigit():
                cells.append(record(0x0003, place + struct.pack("<d", int(value))))
            elif value:
                cells.append(record(0x0004, place + bytes([len(value)]) + value.encode("latin-1")))
    path.write_bytes(b"".join([*cells, record(0x000A, b"")]))


def test_inbreast_with_its_spreadsheet_only(copy, drawn):
    pytest.importorskip("xlrd")
    root = inbreast.find(copy("inbreast"))
    with (root / inbreast.FILMS).open(encoding="utf-8-sig", newline="") as file:
        spreadsheet(root / "INbreast.xls", csv.reader(file, delimiter=";"))
    (root / inbreast.FILMS).unlink()
    found, expected = datasets.load("inbreast", root), datasets.load("inbreast", drawn / "inbreast")
    same_but_for_paths(found.table, expected.table)
    assert found.left_out == expected.left_out
    (root / "INbreast.xls").write_bytes(b"no spreadsheet")
    with pytest.raises(ValueError, match=r"INbreast\.xls: not a spreadsheet that can be read"):
        datasets.load("inbreast", root)


def test_a_spreadsheet_without_its_reader_says_what_to_do(copy, monkeypatch):
    root = inbreast.find(copy("inbreast"))
    spreadsheet(root / "INbreast.xls", [["File Name"]])
    (root / inbreast.FILMS).unlink()
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(ValueError, match=r"INbreast\.xls: install xlrd to read it, or save it as INbreast\.csv"):
        datasets.load("inbreast", root)


def test_other_parts_of_bcdr_are_said(copy, tmp_path):
    root = copy("bcdr")
    other = root / "BCDR-D01_dataset" / "bcdr_d01_outlines.csv"
    other.parent.mkdir()
    other.write_text("patient_id,study_id\n1,2\n3,4\n")
    assert datasets.load("bcdr", root).left_out == {"part D01, which is not read": 2}
    shutil.copytree(other.parent, tmp_path / "alone" / "BCDR-D01")
    with pytest.raises(FileNotFoundError, match=r"Expected below it BCDR-F03.*There is: part D01, which is not read"):
        datasets.load("bcdr", tmp_path / "alone")


def test_a_link_to_a_folder_above_does_not_turn_in_a_circle(copy):
    folder = copy("idc")
    before = datasets.load("idc", folder).table
    (folder / "IDC_regular_ps50_idx5" / "10001" / "loop").symlink_to(folder, target_is_directory=True)
    found = datasets.load("idc", folder)
    assert found.table.equals(before) and found.left_out == {}
