"""INbreast: a release by hand, which findings count, and damaged releases."""

import plistlib

import numpy as np
import pytest
from scanned import left_out

from histolib import datasets
from histolib.datasets import inbreast
from histolib.datasets.locating import Notes
from studybook.twins.mammography import dicom


@pytest.fixture
def release(tmp_path):
    """One film of 90 x 70 pixels in the layout of the release, with findings that a test hands in."""

    def write(*rois, score="4b", lines=(), name="20000001_abc123_MG_L_ML_ANON.dcm", plist=None):
        pixels = np.arange(6300, dtype=np.uint16).reshape(90, 70)
        dicom.save(tmp_path / "AllDICOMs" / name, pixels, "removed", "left", "MLO", 14)
        (tmp_path / "AllDICOMs" / "._20000001.dcm").write_text("left by another system")
        (tmp_path / "AllXML").mkdir(exist_ok=True)
        regions = [
            {"Name": title, "NumberOfPoints": len(points), "Point_px": [f"({x}, {y})" for x, y in points]}
            for title, points in rois
        ]
        plist = plist or {"Images": [{"NumberOfROIs": len(regions), "ROIs": regions}]}
        (tmp_path / "AllXML" / "20000001.xml").write_bytes(plistlib.dumps(plist))
        header = ";".join(inbreast.HEADER)
        first = f"removed;removed;L;MLO;201001;20000001;3;{score}"
        (tmp_path / "INbreast.csv").write_text("\r\n".join([header, first, *lines, ";;;;;;;", ""]))
        return tmp_path

    return write


TRIANGLE = [(10.2, 20.0), (30.9, 25.5), (12.0, 40.0)]


def test_inbreast_by_hand(release):
    folder = release(("Mass", TRIANGLE), lines=["removed;removed;R;CC;201001;20000002;1;1"])
    (row,) = inbreast.scan(folder, Notes()).itertuples()
    assert (row.top, row.left, row.bottom, row.right) == (20, 10, 41, 31)
    assert (row.patient, row.side, row.view, row.birads, row.density) == ("abc123", "left", "MLO", "4b", 3)
    assert (row.image_id, row.label, row.finding) == ("20000001_1", 1, "mass")
    np.testing.assert_allclose(inbreast.contour(folder, row), TRIANGLE)
    assert left_out(inbreast, folder) == {"film not there": 1}


@pytest.mark.parametrize(("score", "label"), [("1", 0), ("2", 0), ("3", 0), ("4a", 1), ("4c", 1), ("5", 1), ("6", 1)])
def test_birads_to_classes(release, score, label):
    assert inbreast.scan(release(("Mass", TRIANGLE), score=score), Notes())["label"].tolist() == [label]


def test_which_findings_are_masses(release):
    near, far = [(x + 3, y) for x, y in TRIANGLE], [(x + 35, y + 40) for x, y in TRIANGLE]
    folder = release(
        ("Mass ", TRIANGLE), ("Spiculated Region", near), ("Espiculated Region", far), ("Calcification", [(5, 5)]),
        ("Mass", [(60, 60), (61, 61)]), ("Cluster", far),
    )  # fmt: skip
    assert inbreast.scan(folder, Notes())["finding"].tolist() == ["mass", "espiculated region"]
    assert left_out(inbreast, folder) == {
        "finding: calcification": 1, "finding: cluster": 1, "mass of fewer than three points": 1,
        "spiculated region of a mass": 1,
    }  # fmt: skip


def test_films_without_findings_or_assessment_are_counted(release):
    folder = release(("Mass", TRIANGLE), score="0")
    assert left_out(inbreast, folder) == {"film not assessed (BI-RADS 0)": 1}
    for score, reason in {"1": "film without findings", "2": "findings not there (AllXML/<film>.xml)"}.items():
        folder = release(("Mass", TRIANGLE), score=score)
        (folder / "AllXML" / "20000001.xml").unlink()
        assert left_out(inbreast, folder) == {reason: 1}
    message = r"class 0 \(benign\), 1 \(malignant\); found 0 images in all\. Left out: 1 findings not there \(AllXML"
    with pytest.raises(ValueError, match=message):
        datasets.load("inbreast", folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": "7"}, r"INbreast\.csv, line 2: Bi-Rads '7'; expected 0 to 6"),
        ({"name": "20000001_abc123_MG_R_ML_ANON.dcm"}, r"R_ML_ANON\.dcm: INbreast\.csv lists this film as L MLO"),
        ({"name": "20000009_abc123_MG_L_ML_ANON.dcm"}, "film 20000009 is not listed in INbreast.csv"),
        ({"name": "film.dcm"}, r"film\.dcm is not named as expected, INbreast Release 1\.0"),
        ({"plist": {"Images": []}}, r"20000001\.xml: not a property list with regions \(IndexError"),
        ({"plist": {"Images": [{"NumberOfROIs": 2, "ROIs": []}]}}, "fewer regions or points than it says"),
        (
            {"plist": {"Images": [{"NumberOfROIs": 1, "ROIs": [
                {"Name": "Mass", "NumberOfPoints": 1, "Point_px": ["1; 2"]}]}]}},
            r"20000001\.xml: .*point '1; 2' is not '\(x, y\)'",
        ),
    ],
)  # fmt: skip
def test_damaged_releases_are_named(release, change, message):
    with pytest.raises(ValueError, match=message):
        inbreast.scan(release(("Mass", TRIANGLE), **change), Notes())


def test_other_damage_of_a_release(release):
    folder = release(("Mass", [(x + 500, y) for x, y in TRIANGLE]))
    with pytest.raises(ValueError, match=r"20000001\.xml, region 1: the outline .* outside of the film of 90x70"):
        inbreast.scan(folder, Notes())
    (folder / "AllXML" / "20000001.xml").write_text("<plist>cut sho")
    with pytest.raises(ValueError, match=r"20000001\.xml: not a property list"):
        inbreast.scan(folder, Notes())
    (folder / "INbreast.csv").write_text("Patient ID,View\nremoved,CC\n")
    with pytest.raises(ValueError, match=r"INbreast\.csv: no column ACR, .*expected, with semicolons, Patient ID; Pat"):
        inbreast.scan(folder, Notes())
