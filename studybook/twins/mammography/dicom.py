"""DICOM files of mammograms, with valid file meta information."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid


def uid(*words: object) -> str:
    """A unique identifier that depends on `words` only."""
    return str(generate_uid(entropy_srcs=[repr(word) for word in words]))


def save(
    path: Path, pixels: np.ndarray, patient: str, side: str, view: str, bits: int, series: str = "", **more
) -> None:
    """Write one gray image.

    Parameters
    ----------
    path : Path
        Its folder is made.
    pixels : ndarray, uint8 or uint16, (H, W)
    patient : str
        PatientID.
    side, view : str
        ``left`` or ``right``; ``CC`` or ``MLO``.
    bits : int
        BitsStored.
    series : str
        SeriesDescription.
    **more
        Further elements by keyword, for example ``PhotometricInterpretation`` or ``StudyInstanceUID``.
    """
    data = Dataset()
    data.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    data.SOPInstanceUID = uid(path.name, patient, side, view, series)
    data.StudyInstanceUID, data.SeriesInstanceUID = uid(patient, "study"), uid(patient, side, view, series)
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.ReferringPhysicianName = ""
    data.Modality, data.Manufacturer, data.SeriesDescription = "MG", "", series
    data.PatientName = data.PatientID = patient
    data.PatientBirthDate = data.PatientSex = data.StudyID = ""
    data.SeriesNumber = data.InstanceNumber = "1"
    data.ImageLaterality, data.ViewPosition = side[0].upper(), view
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, 0
    for keyword, value in more.items():
        setattr(data, keyword, value)
    data.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = UID(data.SOPClassUID)
    data.file_meta.MediaStorageSOPInstanceUID = UID(data.SOPInstanceUID)
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
