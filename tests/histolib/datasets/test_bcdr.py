"""BCDR-F03: one row by hand, and damaged tables."""

import csv

import numpy as np
import pytest
from PIL import Image
from scanned import left_out

from histolib.datasets import bcdr
from histolib.datasets.locating import Notes
from studybook import twins


@pytest.fixture
def outlines(tmp_path):
    """One film of 90 x 70 pixels and a table with one row that a test may change."""
    name = "patient_7/study_9/img_7_9_1_LO.tif"
    (tmp_path / name).parent.mkdir(parents=True)
    Image.fromarray(np.arange(6300, dtype=np.uint16).reshape(90, 70).astype(np.uint8)).save(tmp_path / name)

    def write(header=bcdr.HEADER, extra=(), **changes):
        row = dict.fromkeys(bcdr.HEADER, "0") | {
            "patient_id": "7", "study_id": "9", "lesion_id": "3", "segmentation_id": "4", "image_view": "4",
            "image_filename": name, "lw_x_points": "10 30 12", "lw_y_points": "20 25 40", "mammography_nodule": "1",
            "age": "61", "density": "NaN", "classification": "Malign",
        } | changes  # fmt: skip
        values = [[row[column] for column in header], *([(row | more)[column] for column in header] for more in extra)]
        lines = [",".join(header), *(",".join(f" {value}" for value in line) for line in values)]
        (tmp_path / bcdr.OUTLINES).write_text("\n".join(lines) + "\n\n")
        return tmp_path

    return write


def test_bcdr_by_hand(outlines):
    folder = outlines(extra=[{"mammography_nodule": "0"}, {"image_filename": "patient_8/absent.tif"}])
    (row,) = bcdr.scan(folder, Notes()).itertuples()
    assert (row.top, row.left, row.bottom, row.right) == (20, 10, 41, 31)
    assert (row.patient, row.study, row.lesion, row.segmentation) == ("7", "9", "3", "4")
    assert (row.label, row.side, row.view, row.age, row.density) == (1, "left", "MLO", 61, 0)
    assert row.image_id == "img_7_9_1_LO_lesion3_4"
    np.testing.assert_array_equal(bcdr.contour(folder, row), [(10, 20), (30, 25), (12, 40)])
    assert left_out(bcdr, folder) == {"film not there": 1, "no mass": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lw_x_points": "10 30"}, "row 1: 2 points in lw_x_points, 3 in lw_y_points"),
        ({"lw_x_points": "10 30 x"}, "row 1: points are not numbers"),
        ({"lw_x_points": "", "lw_y_points": ""}, "row 1: 0 points"),
        ({"lw_x_points": "100 300 120"}, "row 1: the outline .* lies outside of the film of 90x70"),
        ({"image_view": "5"}, "row 1: image_view '5'; expected one of 1, 2, 3, 4"),
        ({"classification": "Unknown"}, "row 1: classification 'Unknown'; expected Benign or Malign"),
        ({"age": "1,2"}, "row 1: 20 values; expected 19"),
        ({"header": bcdr.HEADER[:-1]}, "no column classification; expected patient_id, study_id"),
    ],
)
def test_damaged_outlines_are_named(outlines, change, message):
    with pytest.raises(ValueError, match=rf"bcdr_f03_outlines\.csv.*{message}"):
        bcdr.scan(outlines(**change), Notes())


def test_a_lesion_that_is_listed_twice_is_an_error(outlines):
    with pytest.raises(ValueError, match="1 lesions are listed more than once, the first is img_7_9_1_LO_lesion3_4"):
        bcdr.scan(outlines(extra=[{}]), Notes())


def test_the_twin_has_the_published_header(tmp_path):
    with (twins.write("bcdr", tmp_path, 1, shape=(340, 270)) / bcdr.OUTLINES).open() as file:
        assert tuple(next(csv.reader(file))) == bcdr.HEADER
