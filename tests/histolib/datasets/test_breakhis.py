"""BreaKHis: the loader on a made tree, the official folds, the real sample; the twin's layout and its nested fields."""

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import ndimage

from histolib import datasets
from histolib.datasets import breakhis
from histolib.metrics import splits
from studybook import twins
from studybook.twins import breakhis as twin_of
from studybook.twins import tumors
from studybook.twins.nuclei import Ellipses

SIZES = [(5005, 2904), (5506, 2403), (5332, 2577), (5211, 2698), (4826, 3083)]
BREAST = "BreaKHis_v1/histology_slides/breast"


def save(root, name, kind="adenosis", side="benign", size=(700, 460), folder=None):
    stem, slide = name[:-4], name.split("-", 1)
    place = f"{slide[0]}_{slide[1].rsplit('-', 2)[0]}/{stem.split('-')[-2]}X"
    path = root / BREAST / (folder or f"{side}/SOB/{kind}/{place}") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), 9, np.uint8)).save(path)
    return path


@pytest.fixture
def tree(tmp_path):
    """One slide of the publication, two that are not in it, a note of the computer and a thumbnail file."""
    for magnification in (400, 40):
        save(tmp_path, f"SOB_B_A-14-22549AB-{magnification}-002.png")
    save(tmp_path, "SOB_M_DC-90-5-100-010.png", "ductal_carcinoma", "malignant", (700, 456))
    save(tmp_path, "SOB_M_DC-90-5-100-009.png", "ductal_carcinoma", "malignant")
    last = save(tmp_path, "SOB_M_LC-90-7C-200-001.png", "lobular_carcinoma", "malignant")
    last.with_name("._SOB_M_LC-90-7C-200-001.png").write_bytes(b"note")
    last.with_name("Thumbs.db").write_bytes(b"thumbs")
    return tmp_path


@pytest.fixture(scope="module")
def twin(_own_cache):
    return datasets.load("breakhis", twins.folder("breakhis", 2, 3))


@pytest.fixture(scope="module")
def fields():
    """Photographs and windows of one field each of a benign and a malignant patient, by magnification."""
    return [{m: (image, window) for m, image, window, _ in twin_of.draw(index, 0, seed=4)} for index in (0, 1)]


def test_manifest(tree):
    dataset = datasets.load("breakhis", tree)
    table = dataset.table
    assert dataset.classes == ("benign", "malignant") and dataset.shape == (460, 700)
    assert table["patient"].tolist() == ["A-14-22549AB"] * 2 + ["DC-90-5"] * 2 + ["LC-90-7C"]
    assert table["case"].tolist() == ["14-22549"] * 2 + ["90-5"] * 2 + ["90-7"]
    assert table["slide"].tolist() == ["14-22549AB"] * 2 + ["90-5"] * 2 + ["90-7C"]
    assert table["magnification"].tolist() == [40, 400, 100, 100, 200] and table["seq"].tolist() == [2, 2, 9, 10, 1]
    assert table["label_name"].tolist() == ["benign"] * 2 + ["malignant"] * 3
    assert table["tumor_type"].tolist() == ["A", "A", "DC", "DC", "LC"]
    assert table["official"].tolist() == [True, True, False, False, False]
    assert table.loc[0, [f"fold_{k}" for k in range(1, 6)]].tolist() == ["train"] * 3 + ["test"] * 2
    assert dataset.odd_sized() == 1 and (dataset.images()[3] == 9).all()


@pytest.mark.parametrize("name", ["", "breakhis", "BreaKHis_v1", "breakhis/BreaKHis_v1"])
def test_folder_is_found_where_archives_put_it(tree, name):
    root = tree / "elsewhere"
    target = root / name
    shutil.copytree(tree / "BreaKHis_v1", target / "BreaKHis_v1")
    found = breakhis.find(root)
    assert found == target / BREAST
    assert breakhis.find(found) == breakhis.find(found.parent) == found
    assert datasets.available(root) == ("breakhis",)


def test_absent_folder_is_told_with_the_layout(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds no BreaKHis images \(found photos\).*histology_slides"):
        datasets.load("breakhis", tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SOB_B_A-14-1-40-1.jpg.png", {}, "1.jpg.png is not named as expected"),
        ("SOB_B_A-14-1-50-001.png", {}, "is not named as expected"),
        ("SOB_B_XX-14-1-40-001.png", {}, "is not named as expected"),
        ("SOB_M_A-14-1-40-001.png", {}, r"names class M, but tumor type A \(adenosis\) is not"),
        (
            "SOB_B_A-14-1-40-001.png",
            {"kind": "fibroadenoma"},
            r"another folder.*expected benign/SOB/adenosis/SOB_B_A_14",
        ),
        ("SOB_B_A-14-1-40-001.png", {"folder": "benign/SOB/adenosis/SOB_B_A_14-1/100X"}, "expected .*SOB_B_A_14-1/40X"),
        ("SOB_B_A-14-1-40-001.png", {"folder": "benign/SOB/adenosis/SOB_B_A_14-2/40X"}, "expected .*SOB_B_A_14-1/40X"),
        ("SOB_B_A-14-1-40-001.png", {"side": "malignant"}, "expected benign/SOB/adenosis"),
    ],
)
def test_wrong_names_are_errors_that_name_the_file(tree, name, options, message):
    save(tree, name, **options)
    with pytest.raises(ValueError, match=message) as problem:
        datasets.load("breakhis", tree)
    assert name in str(problem.value)


def test_too_large_and_damaged_images_are_named(tree):
    save(tree, "SOB_B_A-14-1-40-001.png", size=(800, 460))
    with pytest.raises(ValueError, match="SOB_B_A-14-1-40-001.png: an image of 460x800 pixels is larger"):
        datasets.load("breakhis", tree).images()
    broken = save(tree, "SOB_B_A-14-1-40-001.png")
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(ValueError, match="SOB_B_A-14-1-40-001.png: not a whole image file"):
        datasets.load("breakhis", tree).images()
    assert len(datasets.load("breakhis", tree, damaged="skip").skipped) == 1


def test_official_folds_count_as_published():
    folds = breakhis.official_folds()
    assert len(folds) == 7909 and folds["image_id"].is_unique and folds["patient"].nunique() == 82
    counts = [tuple((folds[f"fold_{k}"] == side).sum() for side in ("train", "test")) for k in range(1, 6)]
    assert counts == SIZES
    assert folds.groupby("patient")[[f"fold_{k}" for k in range(1, 6)]].nunique().max().max() == 1
    assert folds["magnification"].value_counts().to_dict() == {100: 2081, 200: 2013, 40: 1995, 400: 1820}
    by_class = folds.drop_duplicates("patient")["image_id"].str[4].value_counts()
    assert by_class.to_dict() == {"M": 58, "B": 24}


def test_patients_and_cases_of_the_official_folds():
    """What the module's description says about who is a patient."""
    folds = breakhis.official_folds().drop_duplicates("patient").set_index("patient").filter(like="fold_")
    slides = folds.index.str.split("-", n=1).str[1]
    cases = slides.str.replace(r"[A-Z]+$", "", regex=True)
    assert slides.nunique() == 81 and slides[slides.duplicated()].tolist() == ["14-13412"]
    tested = {name: np.flatnonzero(folds.loc[name] == "test") + 1 for name in ("DC-14-13412", "LC-14-13412")}
    assert tested["DC-14-13412"].tolist() == [3, 5] and tested["LC-14-13412"].tolist() == [1]
    assert cases.nunique() == 70
    several = [name for name, count in Counter(cases).items() if count > 1]
    assert len(several) == 10 and all((folds[cases == name].nunique() > 1).any() for name in several)


def test_official_folds_are_those_of_the_published_files(samples):
    known = breakhis.official_folds()
    for fold in range(1, 6):
        columns = ["file", "magnification", "fold", "side"]
        path = samples / f"breakhis/mkfold/dsfold{fold}.txt"
        found = pd.read_csv(path, sep="|", header=None, names=columns).set_index("file")
        ours = known.assign(file=known["image_id"] + ".png").set_index("file").reindex(found.index)
        assert len(found) == 7909 and (ours[f"fold_{fold}"] == found["side"]).all()
        assert (ours["magnification"] == found["magnification"]).all()


def test_real_sample(samples):
    dataset = datasets.load("breakhis", samples)
    table = dataset.table
    assert len(table) == 182 and table["patient"].nunique() == 33 and table["official"].all()
    assert table["magnification"].value_counts().to_dict() == {100: 86, 40: 45, 200: 29, 400: 22}
    known = breakhis.official_folds().set_index("image_id").reindex(table["image_id"])
    assert (known["patient"].to_numpy() == table["patient"].to_numpy()).all()
    assert dataset.odd_sized() == 0 and dataset.image(0).shape == (460, 700, 3)
    for fold in range(1, 6):
        for by in splits.CHOICES:
            train, test = splits.of_fold(table, fold, by)
            assert len(train) + len(test) == 182
            assert not set(table["patient"][train]) & set(table["patient"][test])
            assert set(table["label"][train]) == set(table["label"][test]) == {0, 1}


def test_twin_has_the_layout_and_the_loader_reads_it(twin):
    table = twin.table
    assert twin.twin and len(table) == 2 * 4 * 3 and twin.odd_sized() == 0
    assert table.groupby(["patient", "magnification"]).size().eq(3).all()
    assert not table["official"].any() and table["slide"].str.startswith("90-").all()
    assert table["patient"].unique().tolist() == ["F-90-10002", "DC-90-10001"]
    assert table.loc[0, "path"] == "benign/SOB/fibroadenoma/SOB_B_F_90-10002/40X/SOB_B_F-90-10002-40-001.png"
    image = twin.image(0)
    assert image.shape == (460, 700, 3) and 90 < image.mean() < 240 and image.std() > 10


def test_turns_of_tumor_types():
    assert Counter(twin_of.tumor_types(82)) == {k: n for k, (n, _) in (twin_of.BENIGN | twin_of.MALIGNANT).items()}
    assert twin_of.tumor_types(10) == twin_of.tumor_types(82)[:10]
    assert [sum(k in twin_of.BENIGN for k in twin_of.tumor_types(n)) for n in (2, 12, 24, 41)] == [1, 4, 7, 12]
    assert set(breakhis.TYPES) == set(tumors.TYPES) == {*twin_of.BENIGN, *twin_of.MALIGNANT}
    names = {k: name for k, (_, name) in (twin_of.BENIGN | twin_of.MALIGNANT).items()}
    assert names == breakhis.TYPES


@pytest.mark.parametrize(("patients", "workers"), [(3, 1), (2, 2)])
def test_a_patient_depends_neither_on_others_nor_on_workers(twin, tmp_path, patients, workers):
    root = twins.write("breakhis", tmp_path, patients=patients, seed=3, images=1, workers=workers)
    files = {path.relative_to(root / "histology_slides/breast"): path for path in root.rglob("*.png")}
    assert len(files) == 4 * patients
    shared = [name for name in files if (twin.root / name).exists()]
    assert len(shared) == 8
    assert all((twin.root / name).read_bytes() == files[name].read_bytes() for name in shared)


def test_folds_of_a_folder_without_official_patients(tmp_path):
    for number, kind in enumerate(twin_of.tumor_types(9)):
        side, letter = ("benign", "B") if kind in twin_of.BENIGN else ("malignant", "M")
        save(tmp_path, f"SOB_{letter}_{kind}-90-{number}-40-001.png", breakhis.TYPES[kind], side)
    table = datasets.load("breakhis", tmp_path).table
    for fold in range(1, 6):
        found, drawn = splits.of_fold(table, fold), splits.of_fold(table, fold, "drawn")
        assert all(np.array_equal(a, b) for a, b in zip(found, drawn, strict=True)) and len(found[1]) == 3


def test_each_magnification_lies_within_the_one_before(fields):
    for field in fields:
        outer = None
        for magnification in twin_of.MAGNIFICATIONS:
            window = field[magnification][1]
            assert window.zoom == pytest.approx(magnification / 40)
            height, width = 460 / window.zoom, 700 / window.zoom
            box = np.array([window.top, window.left, window.top + height, window.left + width])
            if outer is not None:
                assert (box[:2] >= outer[:2] - 1e-6).all() and (box[2:] <= outer[2:] + 1e-6).all()
            outer = box


@pytest.mark.parametrize("magnification", [100, 200, 400])
def test_a_higher_magnification_shows_the_same_tissue(fields, magnification):
    for field in fields:
        low, high = field[40][0].mean(2), field[magnification][0].mean(2)
        window = field[magnification][1]
        small = ndimage.zoom(ndimage.gaussian_filter(high, window.zoom / 2), 1 / window.zoom, order=1)
        top, left = round(window.top), round(window.left)
        part = low[top : top + small.shape[0], left : left + small.shape[1]]
        there = np.corrcoef(part[2:-2, 2:-2].ravel(), small[: part.shape[0], : part.shape[1]][2:-2, 2:-2].ravel())[0, 1]
        assert there > 0.6


def test_pixels_of_nuclei_grow_with_the_magnification(fields):
    for field in fields:
        whole = field[40][1]
        nucleus = Ellipses(*(np.array([value]) for value in (0.0, 0.0, 4.0, 2.0, 0.0, 1.0)))
        for magnification in (40, 100, 200, 400):
            zoom = field[magnification][1].zoom
            center = nucleus._replace(rows=np.array([230 / zoom]), columns=np.array([350 / zoom]))
            seen = np.zeros(whole.shape, np.float32)
            replace(whole, zoom=zoom).nuclei(seen, center)
            assert seen.sum() == pytest.approx(np.pi * 8 * zoom**2, rel=0.05)


def test_photographs_of_higher_magnifications_are_smoother(fields):
    """Where nuclei have more pixels, neighboring pixels are more alike."""
    for field in fields:
        steps = []
        for magnification in twin_of.MAGNIFICATIONS:
            gray = ndimage.gaussian_filter(field[magnification][0].mean(2), 1)
            steps.append(np.abs(np.diff(gray, axis=1)).mean() / gray.std())
        assert steps == sorted(steps, reverse=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"patients": 1}, "patients: 1 found, 2"), ({"patients": 4, "images": 0}, "images: 0 found, 1 to 999")],
)
def test_twin_that_can_not_be_drawn(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        twins.write("breakhis", tmp_path, seed=0, **options)


def test_unknown_tumor_is_an_error():
    with pytest.raises(ValueError, match="kind: 'XX' found, one of A, F"):
        tumors.draw_ducts(np.random.default_rng(0), "XX", (40, 60), 0.8)
