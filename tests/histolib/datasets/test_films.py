"""Films from DICOM, TIFF and PGM files: depth, inversion, and damaged files."""

import numpy as np
import pytest
from PIL import Image

from histolib.datasets import films
from studybook.twins.mammography import dicom

PIXELS = np.arange(30, dtype=np.uint16).reshape(5, 6) * 100 + 7


def saved(path, pixels=PIXELS, bits=16, **more):
    dicom.save(path, pixels, "P", "left", "CC", bits, **more)
    return path


def test_dicom_keeps_its_depth(tmp_path):
    pixels = films.read(saved(tmp_path / "a.dcm"))
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, PIXELS)
    assert films.size(tmp_path / "a.dcm") == (5, 6)


def test_monochrome1_is_inverted(tmp_path):
    pixels = films.read(saved(tmp_path / "a.dcm", PhotometricInterpretation="MONOCHROME1"))
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, PIXELS[::-1, ::-1])


def test_signed_monochrome1_does_not_overflow(tmp_path):
    wide = np.array([[-32768, 0], [5, 32767]], np.int16)
    path = saved(tmp_path / "a.dcm", wide, PhotometricInterpretation="MONOCHROME1", PixelRepresentation=1)
    np.testing.assert_array_equal(films.read(path), [[32767, -1], [-6, -32768]])


def test_rescale_slope_is_applied(tmp_path):
    pixels = films.read(saved(tmp_path / "a.dcm", RescaleSlope="0.25", RescaleIntercept="-3.5"))
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, PIXELS * 0.25 - 3.5)


def test_bad_dicom_is_named(tmp_path):
    from pydicom import dcmread

    path = saved(tmp_path / "a.dcm")
    data = dcmread(path)
    del data.PixelData
    data.save_as(path)
    with pytest.raises(ValueError, match=r"a\.dcm: a DICOM file without pixel data \(modality MG\)"):
        films.read(path)
    del data.Rows
    data.save_as(path)
    with pytest.raises(ValueError, match=r"a\.dcm: a DICOM file without Rows"):
        films.size(path)
    path.write_text("no DICOM file at all" * 20)
    with pytest.raises(ValueError, match=r"a\.dcm: not a DICOM file .*DICM is missing"):
        films.read(path)
    whole = saved(tmp_path / "b.dcm").read_bytes()
    (tmp_path / "b.dcm").write_bytes(whole[:-20])
    with pytest.raises(ValueError, match=r"b\.dcm: not a DICOM .*Fetch it again"):
        films.read(tmp_path / "b.dcm")
    color = np.zeros((4, 4, 3), np.uint8)
    saved(tmp_path / "c.dcm", color[..., 0], 8)
    data = dcmread(tmp_path / "c.dcm")
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.PixelData = color.tobytes()
    data.save_as(tmp_path / "c.dcm")
    with pytest.raises(ValueError, match=r"c\.dcm: pixels of shape \(4, 4, 3\); expected one gray image"):
        films.read(tmp_path / "c.dcm")
    with pytest.raises(ValueError, match=r"d\.dcm: no such file"):
        films.read(tmp_path / "d.dcm")


@pytest.mark.parametrize("suffix", ["tif", "pgm", "png"])
def test_gray_files_of_16_bits_keep_their_depth(suffix, tmp_path):
    path = tmp_path / f"film.{suffix}"
    Image.fromarray(PIXELS).save(path)
    np.testing.assert_array_equal(films.read(path), PIXELS)
    assert films.size(path) == (5, 6)


def test_color_and_broken_files_are_named(tmp_path):
    path = tmp_path / "film.tif"
    Image.fromarray(np.repeat(PIXELS.astype(np.uint8)[..., None], 3, axis=2)).save(path)
    np.testing.assert_array_equal(films.read(path), PIXELS.astype(np.uint8))  # gray written as color
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 6, 3), dtype=np.uint8)).save(path)
    with pytest.raises(ValueError, match=r"film\.tif: pixels of mode RGB; expected gray"):
        films.read(path)
    path.write_text("text")
    for reading in (films.read, films.size):
        with pytest.raises(ValueError, match=r"film\.tif: not an image that can be read \(4 bytes"):
            reading(path)
