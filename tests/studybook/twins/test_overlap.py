"""Difficulty and traits: one rule for every twin, and a table of what was drawn."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from histolib import datasets
from studybook import twins
from studybook.twins import bach, breakhis, idc, lesions, nuclei, overlap, truth
from studybook.twins.mammography import women

FILMS = {"patients": 4, "shape": (340, 270)}
SMALL = {
    "bach": {"patients": 4, "workers": 1},
    "bcdr": FILMS,
    "breakhis": {"patients": 2, "images": 1, "workers": 1},
    "cbis_ddsm": FILMS,
    "idc": {"patients": 4, "rows": 3, "columns": 3},
    "inbreast": FILMS,
    "merged": {**FILMS, "patients": 6},
    "mias": FILMS,
}


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != datasets.MARK
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Each twin in a folder of its own, drawn without saying how difficult."""
    folders = {name: tmp_path_factory.mktemp(name) for name in twins.NAMES}
    for name, options in SMALL.items():
        twins.write(name, folders[name], seed=7, **options)
    return folders


@pytest.mark.parametrize("name", twins.NAMES)
def test_difficulty_1_is_the_drawing_without_it_and_others_differ(name, drawn, tmp_path):
    for difficulty in (1.0, 8.0):
        twins.write(name, tmp_path / str(difficulty), seed=7, difficulty=difficulty, **SMALL[name])
    assert content(tmp_path / "1.0") == content(drawn[name])
    assert content(tmp_path / "8.0") != content(drawn[name])


@pytest.mark.parametrize("name", twins.NAMES)
def test_every_image_has_its_traits_and_the_loader_sees_none(name, drawn, tmp_path):
    dataset = datasets.load(name, drawn[name])
    table = twins.traits(dataset)
    assert len(table) == len(dataset.table) and np.isfinite(table.to_numpy(float)).all()
    assert not {"label", "label_name", "malignant", "patient", "image_id"} & set(table)
    rows = np.arange(len(table))[::-2]
    part = replace(dataset, table=dataset.table.iloc[rows].reset_index(drop=True))
    pd.testing.assert_frame_equal(twins.traits(part), table.iloc[rows].reset_index(drop=True))
    copy = tmp_path / "copy"
    shutil.copytree(drawn[name], copy, ignore=shutil.ignore_patterns("traits_*"))
    pd.testing.assert_frame_equal(datasets.load(name, copy).table, dataset.table)
    with pytest.raises(ValueError, match=rf"traits_{name}.csv is not there.*draw the twin anew"):
        twins.traits(datasets.load(name, copy))
    (copy / datasets.MARK).unlink()
    assert twins.traits(datasets.load(name, copy)) is None


def test_images_without_traits_are_named(drawn):
    dataset = datasets.load("mias", drawn["mias"])
    other = replace(dataset, table=dataset.table.assign(image_id=["mdb001_1", *dataset.table["image_id"][1:]]))
    with pytest.raises(ValueError, match="no traits of 1 images, as of mdb001_1"):
        twins.traits(other)


def test_test_images_of_bach_have_traits_as_well(drawn):
    unlabeled = datasets.load("bach", drawn["bach"]).unlabeled
    assert len(twins.traits(unlabeled)) == len(unlabeled.table) == 4


def test_traits_are_of_the_lesion_in_the_row(drawn):
    dataset = datasets.load("bcdr", drawn["bcdr"])
    woman, _ = women.draw_woman(7, 1, "bcdr")
    rows = (dataset.patients == "9002") & dataset.table["image_id"].str.contains("_lesion11_")
    found = twins.traits(dataset)[rows]
    assert len(found) == 2
    np.testing.assert_allclose(found["spicules"], woman.lesions[0].spicules, rtol=1e-5)


def test_traits_are_of_the_patch_and_the_photograph(drawn):
    dataset = datasets.load("idc", drawn["idc"])
    traits = twins.traits(dataset)
    for k in (0, len(traits) - 1):
        row = dataset.table.iloc[k]
        slide = idc.draw_patient(int(row["patient"]) - idc.FIRST_PATIENT, 7, 3, 3)
        window = np.s_[row["y"] - 1 : row["y"] + 49, row["x"] - 1 : row["x"] + 49]
        assert traits["carcinoma"][k] == pytest.approx(slide.carcinoma[window].mean(), rel=1e-4, abs=1e-6)
    dataset = datasets.load("bach", drawn["bach"])
    row = int(np.flatnonzero(dataset.table["image_id"] == "b001")[0])
    assert twins.traits(dataset).iloc[row].to_dict() == pytest.approx(bach.draw_labeled(1, 7)[0].traits, rel=1e-4)
    dataset = datasets.load("breakhis", drawn["breakhis"])
    wide = twins.traits(dataset)[dataset.table["magnification"] == 40]
    assert wide["crowding"].gt(0).all() and wide["radius"].between(2, 7).all()


def test_a_difficult_twin_lies_in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path))
    monkeypatch.setattr(twins, "write", lambda name, folder, **options: (folder / "there").touch())
    version = twins.VERSION["mias"]
    names = [twins.folder("mias", 3, 5, *more).name for more in ((), (1,), (2,), (0.5,))]
    plain = f"mias-v{version}-3-5"
    assert names == [plain, plain, f"{plain}-difficulty2.0", f"{plain}-difficulty0.5"]


@pytest.mark.parametrize("difficulty", [0, -1.0, float("nan")])
def test_a_difficulty_that_is_not_above_0(difficulty, tmp_path):
    with pytest.raises(ValueError, match=rf"difficulty: {difficulty} found, a number above 0 is right"):
        twins.write("mias", tmp_path, 2, difficulty=difficulty)
    assert not any(tmp_path.iterdir())


def test_means_of_traits_move_by_the_difficulty():
    assert overlap.shift(5.0, 3.0, 1.0) == 0
    assert overlap.shift(5.0, 3.0, 2.0) == -1.0 and overlap.shift(5.0, 3.0, 0.5) == 2.0
    score = []
    for difficulty in (0.5, 1.0, 2.0, 8.0):
        rng = np.random.default_rng(0)
        masses = [women.draw_lesion(rng, bool(k % 2), difficulty) for k in range(400)]
        score.append(roc_auc_score([m.malignant for m in masses], [m.spicules for m in masses]))
    assert score == sorted(score, reverse=True) and score[0] > 0.99 and score[-1] < 0.65


def test_a_share_of_fields_borrows_and_each_goes_on_borrowing_the_same():
    seen = {d: [overlap.shown("x", "abcd", d, [3, k, 1]) for k in range(800)] for d in (0.5, 1, 2, 4, np.inf)}
    assert set(seen[0.5]) == set(seen[1]) == {"x"}
    for difficulty, share in ((2, 0.5), (4, 0.75), (np.inf, 1)):
        assert np.mean([one != "x" for one in seen[difficulty]]) == pytest.approx(share, abs=0.06)
    assert all(a in ("x", b) for a, b in zip(seen[2], seen[4], strict=True))
    assert min(seen[np.inf].count(one) for one in "abcd") > 150


def test_fields_of_histology_show_another_class_under_their_own_label(monkeypatch):
    shown = []
    monkeypatch.setattr(bach, "paint", lambda rng, lesion, stain, scale: lesion)
    monkeypatch.setattr(bach, "draw_lesion", lambda rng, name, *_: shown.append(name) or _lesion())
    labels = [bach.draw_labeled(k, 0, np.inf)[1] for k in range(80)]
    assert labels == [k % 4 for k in range(80)]
    assert {(label, name) for label, name in zip(labels, shown, strict=True)} > {(0, "invasive"), (3, "normal")}


def _lesion():
    return lesions.Lesion(None, 10.0, 0.0, nuclei.Nuclei(spacing=10, radius=4.5))


def test_outlines_of_a_difficult_slide_leave_the_tumor_but_keep_the_picture():
    share = []
    for difficulty in (1.0, 2.0, np.inf):
        slides = [idc.draw_patient(index, 1, 4, 4, difficulty) for index in range(8)]
        inside = np.concatenate([slide.carcinoma[slide.tumor] for slide in slides]).mean()
        outside = np.concatenate([slide.carcinoma[~slide.tumor] for slide in slides]).mean()
        share.append(inside - outside)
        if difficulty == 1:
            images = [slide.image for slide in slides]
        assert all(np.array_equal(a, slide.image) for a, slide in zip(images, slides, strict=True))
    assert share[0] > 0.3 and share[0] > share[1] + 0.05 > share[2] and share[2] < 0.2


def test_a_patients_fields_borrow_a_tumor_but_not_a_stain(monkeypatch):
    class Drawn(Exception):
        pass

    def stop(rng, traits, *_):
        raise Drawn(traits)

    monkeypatch.setattr(breakhis, "draw_field", stop)

    def traits(image, difficulty):
        with pytest.raises(Drawn) as stopped:
            next(breakhis.draw(0, image, 4, difficulty))
        return stopped.value.args[0]

    own, others = traits(0, 1.0), [traits(image, np.inf) for image in range(12)]
    assert own.kind == "DC" and len({one.kind for one in others}) > 2
    assert all(np.array_equal(one.stain.vectors, own.stain.vectors) for one in others)


def test_nuclei_move_apart_below_difficulty_1():
    cells, healthy = nuclei.Nuclei(spacing=10, radius=5, pleomorphism=0.3), nuclei.Nuclei(7, 4, 0.1)
    assert overlap.apart(cells, healthy, 1.0) == overlap.apart(cells, healthy, 3.0) == cells
    moved = overlap.apart(cells, healthy, 0.5)
    assert (moved.radius, moved.pleomorphism, moved.spacing) == pytest.approx((6, 0.5, 12))
    assert overlap.apart(cells, healthy, 0.01) == overlap.apart(cells, healthy, 1 / 3)


def test_a_table_is_written_in_one_place(tmp_path):
    truth.save(tmp_path, "idc", [{"image_id": "a", "radius": 1.23456789}])
    assert truth.place(tmp_path, "idc").read_text() == "image_id,radius\na,1.23457\n"
