"""Images that anybody may hand in, read with suspicion: the header is checked before anything is decoded."""

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

PIXELS = 64_000_000
BYTES = 128 * 2**20
SMALLEST = 16  # pixels along a side
FORMATS = ("PNG", "JPEG", "TIFF", "PPM")  # Pillow reads PGM under the last name
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # transfer syntax of a DICOM file that is compressed as a whole


@dataclass(frozen=True)
class Film:
    """An image that was read.

    Attributes
    ----------
    pixels
        Gray values (H, W) in the file's own depth.
    notes
        What a reader should know about it, one sentence each.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def read(source: Path | str | bytes, name: str | None = None) -> Film:
    """Read PNG, JPEG, TIFF, PGM or DICOM; the kind is told by content, not by name.

    Color becomes gray (ITU-R 601, as Pillow does it), an alpha channel is left out, of a TIFF with several pages the
    first is read, and 12 or 16 bits keep their depth: `predict` scales each region by its own range, as the data
    sets' loaders do.

    Parameters
    ----------
    source
        A path, or the file's content.
    name
        Name for messages; that of the path if None.

    Raises
    ------
    ValueError
        One sentence that names the file and what was found: empty, more than `BYTES` or `PIXELS`, no image, cut short,
        without pixels, too small, with values that are no numbers.
    OSError
        If the file can't be opened.
    """
    name = name or ("the image" if isinstance(source, bytes) else str(source))
    size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
    if not size:
        raise ValueError(f"{name} is empty.")
    if size > BYTES:
        raise ValueError(f"{name} has {size / 2**20:,.0f} MiB; at most {BYTES // 2**20} MiB are read.")
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters about a file becomes an error or a note
        film = _dicom(data, name) if data[128:132] == b"DICM" else _picture(data, name)
    height, width = film.pixels.shape
    if min(height, width) < SMALLEST:
        raise ValueError(f"{name} has {width} x {height} pixels; at least {SMALLEST} along each side are needed.")
    low, high = film.pixels.min(), film.pixels.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{name} holds values that are no finite numbers.")
    if film.pixels.dtype != np.uint8:
        note = f"Its values, {low:g} to {high:g}, keep their depth; each region is scaled by its own range."
        film = Film(film.pixels, (*film.notes, note))
    return film


def _dicom(data: bytes, name: str) -> Film:
    import pydicom  # here, so that the page is there a second earlier

    from histolib.datasets import films

    if _DEFLATED in data[:4096]:
        raise ValueError(f"{name} is a DICOM file that is compressed as a whole; such files are not read.")
    try:
        found = pydicom.dcmread(io.BytesIO(data))  # the pixels stay as they are stored
        frames, rows, columns = (int(found.get(key) or 1) for key in ("NumberOfFrames", "Rows", "Columns"))
    except Exception as problem:  # a file cut short fails in many ways
        raise _damaged(name, data) from problem
    _require_room(columns, rows * frames, name)
    try:
        return Film(films.gray_values(found, name))
    except ValueError as problem:
        raise ValueError(" ".join(str(problem).split())) from problem  # decoders speak in several lines


def _picture(data: bytes, name: str) -> Film:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)  # reads the header only
    except UnidentifiedImageError as problem:
        raise ValueError(f"{name} is no image that can be read; expected PNG, JPEG, TIFF, PGM or DICOM.") from problem
    except Image.DecompressionBombError as problem:
        count = re.search(r"\((\d+) pixels\)", str(problem))
        found = f"{int(count[1]):,}" if count else "far too many"
        raise ValueError(f"{name} has {found} pixels; at most {PIXELS // 10**6} million are read.") from problem
    except Exception as problem:  # each decoder has errors of its own
        raise _damaged(name, data) from problem
    with image:
        _require_room(*image.size, name)
        try:
            image.load()
            return _gray(image)
        except Exception as problem:
            raise _damaged(name, data) from problem


def _gray(image: Image.Image) -> Film:
    """Gray values of a loaded image, those of more than 8 bits as they are."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Film(np.asarray(image))
    alpha = "A" in image.getbands() or "transparency" in image.info
    notes = ["Its transparency was left out."] if alpha else []
    color = image.convert("RGB")
    bands = color.split()
    if any(bands[0].tobytes() != band.tobytes() for band in bands[1:]):
        notes.append("Its colors became gray.")
    return Film(np.asarray(color.convert("L")), tuple(notes))


def _require_room(width: int, height: int, name: str) -> None:
    if width * height > PIXELS:
        raise ValueError(f"{name} has {width:,} x {height:,} pixels; at most {PIXELS // 10**6} million are read.")


def _damaged(name: str, data: bytes) -> ValueError:
    return ValueError(f"{name} is cut short or damaged: its {len(data):,} bytes don't give a whole image.")
