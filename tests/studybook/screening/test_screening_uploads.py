"""Images that anybody may hand in: what is read, what is said, what is refused."""

import numpy as np
import pytest
import spots
from PIL import Image

from studybook import screening
from studybook.screening import uploads


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_gray_images_are_read_as_they_are(kind):
    found = screening.read(spots.encoded(spots.film(), kind))
    assert np.array_equal(found.pixels, spots.film()) and found.notes == ()


def test_a_path_and_a_jpeg_are_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(spots.encoded(spots.film(), "JPEG"))
    found = screening.read(tmp_path / "a.jpg")
    assert np.abs(found.pixels.astype(int) - spots.film()).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "DICOM"])
def test_sixteen_bits_keep_their_depth(kind):
    deep = spots.film().astype(np.uint16) * 16
    found = screening.read(spots.dicom(deep) if kind == "DICOM" else spots.encoded(deep, kind))
    assert np.array_equal(found.pixels, deep)
    assert found.notes == ("Its values, 0 to 4080, keep their depth; each region is scaled by its own range.",)


def test_sixteen_bit_pgm_is_read():
    deep = spots.film(20, 30).astype(np.uint16) * 16
    found = screening.read(b"P5\n30 20\n65535\n" + deep.astype(">u2").tobytes())
    assert np.array_equal(found.pixels, deep)


def test_dicom_is_read_as_the_data_sets_read_it():
    deep = spots.film().astype(np.uint16)
    inverted = screening.read(spots.dicom(deep, PhotometricInterpretation="MONOCHROME1")).pixels
    assert np.array_equal(inverted, deep.max() + deep.min() - deep)


def test_transparency_and_color_are_left_out_and_said():
    gray = spots.film()
    alpha = np.dstack([gray, gray, gray, 255 - gray])
    found = screening.read(spots.encoded(alpha))
    assert np.array_equal(found.pixels, gray) and found.notes == ("Its transparency was left out.",)
    red = screening.read(spots.encoded(np.dstack([gray, gray * 0, gray * 0])))
    assert red.pixels.shape == gray.shape and red.notes == ("Its colors became gray.",)


@pytest.mark.parametrize("name", spots.BAD)
def test_a_bad_upload_gets_one_sentence(name):
    content, message = spots.BAD[name]
    with pytest.raises(ValueError, match=message) as caught:
        screening.read(content, name)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    contents = spots.bomb(), spots.bomb(8001)

    def load(*arguments):
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    for content in contents:
        with pytest.raises(ValueError, match="at most 64 million"):
            screening.read(content)


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path):
    with open(tmp_path / "big.png", "wb") as stream:
        stream.truncate(uploads.BYTES + 1)
    with pytest.raises(ValueError, match="big.png has 128 MiB"):
        screening.read(tmp_path / "big.png")
