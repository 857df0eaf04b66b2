"""Mammography films from DICOM, TIFF and PGM files, in their full depth."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.errors import InvalidDicomError

_GRAY = ("L", "I;16", "I;16B", "I", "F")  # modes of Pillow with one value per pixel


def read(path: Path) -> np.ndarray:
    """Gray values of a film, (H, W); DICOM by its suffix ``.dcm``, everything else with Pillow.

    Raises ValueError as `read_dicom` and `read_gray`.
    """
    return read_dicom(path) if path.suffix.lower() == ".dcm" else read_gray(path)


def size(path: Path) -> tuple[int, int]:
    """Height and width in pixels, from the header alone.

    Raises ValueError if the file's header can't be read.
    """
    if path.suffix.lower() == ".dcm":
        data = _dicom(path, header_only=True)
        _require(path, data, "Rows", "Columns")
        return int(data.Rows), int(data.Columns)
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, SyntaxError) as problem:
        raise _broken(path, "an image", problem) from problem


def read_dicom(path: Path) -> np.ndarray:
    """Gray values of a DICOM file with one gray image, (H, W), as `gray_values`.

    Raises ValueError if the file is no DICOM file, or as `gray_values`; names it.
    """
    return gray_values(_dicom(path), path)


def gray_values(data: pydicom.Dataset, name: Path | str) -> np.ndarray:
    """Gray values of a DICOM data set with one gray image.

    Stored values, times the rescale slope plus the intercept where the file has them (then float32). ``MONOCHROME1``
    (low values are bright) is inverted within its own range, so that dense tissue is bright in every film. Windows for
    display (VOI LUT) are not applied: they would clip.

    Returns
    -------
    ndarray, (H, W)
        The file's integer type, or float32.

    Raises ValueError: if it holds no pixel data, too little of it, or color or several frames; begins with `name`.
    """
    if not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & {element.keyword for element in data}:
        raise ValueError(f"{name}: a DICOM file without pixel data (modality {data.get('Modality', 'not told')})")
    _require(name, data, "Rows", "Columns")
    try:
        with warnings.catch_warnings():
            # Odd lengths and the like: the shape is checked below.
            warnings.simplefilter("ignore")
            pixels = data.pixel_array
    except Exception as problem:  # pydicom lets every decoder's own exceptions through
        raise ValueError(f"{name}: not a DICOM image that can be read ({problem}). Fetch it again.") from problem
    if pixels.ndim != 2:
        raise ValueError(f"{name}: pixels of shape {pixels.shape}; expected one gray image, (rows, columns)")
    slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
    if (slope, intercept) != (1.0, 0.0):
        pixels = (pixels * slope + intercept).astype(np.float32)
    if data.get("PhotometricInterpretation") == "MONOCHROME1":
        ends = float(pixels.max()) + float(pixels.min())
        pixels = (ends - pixels.astype(np.float64)).astype(pixels.dtype)
    return pixels


def read_gray(path: Path) -> np.ndarray:
    """Gray values of a TIFF, PGM or PNG file with 8 or 16 bits, (H, W).

    Raises ValueError if the file is no whole image, or holds color; names it.
    """
    try:
        with Image.open(path) as image:
            mode, pixels = image.mode, np.asarray(image)
    except (OSError, SyntaxError, ValueError) as problem:
        raise _broken(path, "an image", problem) from problem
    if mode == "RGB" and np.array_equal(pixels, np.repeat(pixels[..., :1], 3, axis=2)):
        return pixels[..., 0]
    if mode not in _GRAY:
        raise ValueError(f"{path}: pixels of mode {mode}; expected gray, 8 or 16 bits")
    return pixels


def _dicom(path: Path, header_only: bool = False) -> pydicom.Dataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pydicom.dcmread(path, stop_before_pixels=header_only)
    except InvalidDicomError as problem:
        raise _broken(path, "a DICOM file", "the prefix DICM is missing") from problem
    except Exception as problem:  # a file cut short fails in many ways
        raise _broken(path, "a DICOM file", problem) from problem


def _require(path: Path | str, data: pydicom.Dataset, *names: str) -> None:
    missing = [name for name in names if name not in data]
    if missing:
        raise ValueError(f"{path}: a DICOM file without {', '.join(missing)}; fetch it again")


def _broken(path: Path, kind: str, problem: object) -> ValueError:
    if not path.exists():
        return ValueError(f"{path}: no such file")
    return ValueError(f"{path}: not {kind} that can be read ({path.stat().st_size} bytes; {problem}). Fetch it again.")
