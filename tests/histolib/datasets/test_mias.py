"""mini-MIAS: the list's lines by hand, corrupt ones, and the real sample."""

import numpy as np
import pytest
from PIL import Image
from scanned import left_out

from histolib import datasets
from histolib.datasets import mias
from histolib.datasets.locating import Notes


@pytest.fixture
def info(tmp_path):
    """Write ``Info.txt`` from lines, with films 001 and 002 of 200 rows and 100 columns."""

    def write(*lines):
        for name in ("mdb001", "mdb002"):
            Image.fromarray(np.arange(20000, dtype=np.uint16).reshape(200, 100).astype(np.uint8)).save(
                tmp_path / f"{name}.pgm"
            )
        (tmp_path / "Info.txt").write_text("A head that mdb does not open\r\n\r\n" + "\r\n".join(lines) + "\r\n")
        return tmp_path

    return write


def test_mias_entries_by_hand(info):
    folder = info(
        "mdb001 F CIRC B 40 150 10", "mdb001 F SPIC M 60 20 25", "mdb002 G NORM ", "mdb003 D CALC M *NOTE 3* ",
        "mdb004 D CIRC B", "mdb005 D ASYM M 1 2 3",
    )  # fmt: skip
    table = mias.scan(folder, Notes())
    assert table["image_id"].tolist() == ["mdb001_1", "mdb001_2"]
    first, second = table.itertuples()
    # y counts from the bottom: row 199 - 150 = 49.
    assert (first.top, first.left, first.bottom, first.right) == (39, 30, 60, 51)
    assert (second.top, second.left, second.bottom, second.right) == (154, 35, 200, 86)  # clipped below
    assert (first.label, second.label, first.patient, first.side) == (0, 1, "001", "right")
    assert (second.abnormality, second.tissue, second.radius) == ("SPIC", "fatty", 25)
    contour = mias.contour(folder, first)
    np.testing.assert_allclose(np.hypot(contour[:, 0] - 40, contour[:, 1] - 49), 10, atol=1e-5)
    assert left_out(mias, folder) == {"film not there": 1, "normal": 1, "without a position": 2}


@pytest.mark.parametrize(
    "line",
    [
        "mdb001 F CIRC", "mdb001 X NORM", "mdb001 F CIRC B 40 150", "mdb001 F CIRC B 40 150 x", "mdb001 F LUMP B 1 2 3",
        "mdb001 F CIRC U 40 150 10", "mdb1 F NORM", "mdb001 F NORM B 1 2 3", "mdb001 F CIRC B 40 -150 10",
    ],
)  # fmt: skip
def test_a_corrupt_line_is_named_with_its_number(line, info):
    with pytest.raises(ValueError, match=r"Info\.txt, line 4: 'mdb.*' can't be understood; expected <mdbNNN>"):
        mias.scan(info("mdb002 F NORM", line), Notes())


def test_a_circle_beside_the_film_is_named(info):
    with pytest.raises(ValueError, match=r"Info\.txt, line 3: the outline .* lies outside of the film of 200x100"):
        mias.scan(info("mdb001 F CIRC B 400 150 10"), Notes())
    with pytest.raises(ValueError, match="no line describes a film"):
        mias.scan(info("nothing"), Notes())


def test_real_mias(samples):
    dataset = datasets.load("mias", samples)
    assert (len(dataset.table), dataset.table["patient"].nunique()) == (58, 55)
    assert np.bincount(dataset.labels).tolist() == [35, 23]
    assert left_out(mias, dataset.root) == {"film not there": 61, "normal": 207, "without a position": 4}
    row = dataset.table.set_index("image_id").loc["mdb001_1"]
    # 535 425 197 of the list, from the bottom of 1024 rows.
    assert row[["top", "left", "bottom", "right"]].tolist() == [401, 338, 796, 733]
    images = dataset.images()
    assert images.shape == (58, 224, 224, 3)


def test_real_lesions_lie_where_the_list_says(samples):
    dataset = datasets.load("mias", samples)
    table = dataset.table[dataset.table["abnormality"].isin(["CIRC", "SPIC"]) & (dataset.table["radius"] < 100)]
    brighter = {False: 0, True: 0}
    for row in table.itertuples():
        pixels = dataset.reader.film(dataset.root, row).astype(float)
        for flipped in brighter:
            rows = (1024 - row.bottom, 1024 - row.top) if flipped else (row.top, row.bottom)
            inside = pixels[rows[0] : rows[1], row.left : row.right].mean()
            around = pixels[max(rows[0] - 40, 0) : rows[1] + 40, max(row.left - 40, 0) : row.right + 40].mean()
            brighter[flipped] += inside > 1.05 * around
    assert brighter[False] > 0.75 * len(table) > brighter[True]
