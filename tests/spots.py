"""A model with a known answer, and images to hand in, good and bad."""

import io
import json
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
)

CLASSES = ("benign", "malignant")
SIDE = 64


def model():
    """Malignant where an 8 x 8 block is bright: probability sigma(20 (brightest block - 1/2))."""
    import keras
    from keras import layers

    inputs = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.GlobalMaxPooling2D()(layers.AveragePooling2D(8)(x))
    answer = layers.Dense(2, activation="softmax", name="answer")
    network = keras.Model(inputs, answer(x), name="spots")
    answer.set_weights([np.array([[0, 20 / 3]] * 3, np.float32), np.array([0, -10], np.float32)])
    return network


def saved(folder: Path, **others) -> Path:
    """The model, saved as the chapter does it."""
    from studybook import screening

    given = {"data": {"name": "mias", "twin": True, "images": 12}, "metrics": {"AUC": [0.9, 0.8, 0.95]},
             "preprocessing": {"window": 96}, "revision": "0123abc"}  # fmt: skip
    return screening.save(model(), folder / "spots.keras", CLASSES, **given | others)


def changed(file: Path, **values) -> None:
    """Let the card of a saved model say something else."""
    card = file.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | values))


def film(
    height: int = 240, width: int = 200, center: tuple[int, int] | None = (60, 140), radius: int = 16
) -> np.ndarray:
    """Gray tissue (uint8) from 0 to 110 with a bright disk, or none."""
    rows, columns = np.indices((height, width))
    pixels = (55 + 55 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.uint8)
    if center is not None:
        pixels[(rows - center[0]) ** 2 + (columns - center[1]) ** 2 <= radius**2] = 255
    return pixels


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """An image file's content."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@cache
def bomb(side: int = 20_000) -> bytes:
    """A PNG of black pixels in some 200 kB; decoded, 20,000 x 20,000 of them would take 400 MB."""
    rows = zlib.compress(bytes(side * (1 + (side + 7) // 8)), 1)
    parts = (b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0), b"IDAT" + rows, b"IEND")
    chunks = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def dicom(pixels: np.ndarray | None, broken: bool = False, **others) -> bytes:
    """A DICOM file; without pixels a wrapped document; `broken`: compressed as JPEG 2000, which it isn't."""
    kind = ComputedRadiographyImageStorage if pixels is not None else EncapsulatedPDFStorage
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta, data.SOPClassUID, data.SOPInstanceUID = meta, kind, "1.2.3"
    data.Modality = "MG" if pixels is not None else "DOC"
    if pixels is not None:
        data.Rows, data.Columns = pixels.shape
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated = data.BitsStored = pixels.itemsize * 8
        data.HighBit = data.BitsStored - 1
        data.add_new("PixelData", "OW", pixels.tobytes())
    if broken:
        meta.TransferSyntaxUID = JPEG2000Lossless
        data["PixelData"].value, data["PixelData"].VR = encapsulate([bytes(100)]), "OB"
    for name, value in others.items():
        setattr(data, name, value)
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def tiff_of_floats(value: float) -> bytes:
    pixels = np.ones((20, 20), np.float32)
    pixels[3, 3] = value
    return encoded(pixels, "TIFF")


# What must be refused: name to content and message.
BAD = {
    "empty.png": (b"", "empty.png is empty."),
    "text.png": (b"hello, I am no image\n" * 20, "text.png is no image that can be read; expected PNG, JPEG"),
    "cut.png": (encoded(film())[:3000], "cut.png is cut short or damaged: its 3,000 bytes"),
    "cut.jpg": (encoded(film(), "JPEG")[:2000], "cut.jpg is cut short or damaged"),
    "cut.tif": (encoded(film(), "TIFF")[:200], "cut.tif is cut short or damaged|cut.tif is no image"),
    "cut.pgm": (b"P5\n200 240\n255\n" + bytes(500), "cut.pgm is cut short or damaged"),
    "huge.png": (bomb(), "huge.png has 400,000,000 pixels; at most 64 million are read."),
    "large.png": (bomb(8001), "large.png has 8,001 x 8,001 pixels; at most 64 million are read."),
    "large.pgm": (b"P5\n9000 9000\n255\n", "large.pgm has 9,000 x 9,000 pixels"),
    "tiny.png": (encoded(film(15, 40, None)), "tiny.png has 40 x 15 pixels; at least 16 along each side"),
    "nan.tif": (tiff_of_floats(np.nan), "nan.tif holds values that are no finite numbers."),
    "inf.tif": (tiff_of_floats(np.inf), "inf.tif holds values that are no finite numbers."),
    "report.dcm": (dicom(None), r"report.dcm: a DICOM file without pixel data \(modality DOC\)"),
    "cut.dcm": (dicom(film())[:2000], "cut.dcm: not a DICOM image|cut.dcm is cut short"),
    "broken.dcm": (dicom(film(), broken=True), "broken.dcm: not a DICOM image that can be read"),
    "header.dcm": (dicom(film())[:140], "header.dcm"),
    "frames.dcm": (dicom(film(), NumberOfFrames=9000), "frames.dcm has 200 x 2,160,000 pixels"),
    "packed.dcm": (bytes(128) + b"DICM" + b"1.2.840.10008.1.2.1.99", "packed.dcm .* compressed as a whole"),
}
