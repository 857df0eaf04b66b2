"""What a microscope with a video camera shows of a drawn field, at any magnification."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from studybook.twins.specimen import Field, clefts
from studybook.twins.stains import to_uint8
from studybook.twins.zoom import Window

_INSIDE_SEEN = 2.0  # zoom from which nuclei have a rim and a pale inside


def photograph(rng: np.random.Generator, field: Field, window: Window) -> np.ndarray:
    """What the microscope shows of `field` in `window`; uint8 (H, W, 3)."""
    stain, zoom, px = field.traits.stain, window.zoom, field.scale
    ragged = 0.0 if zoom == 1 else np.clip(0.15 * window.noise(1, 5 * px), -0.35, 0.35)
    spaces, cells = window.sharp(field.spaces, ragged), window.sharp(field.cells, ragged)
    hollow, blood = window.sharp(field.hollow), window.soft(field.blood).clip(0, 1)
    blood = blood * (0.75 + 0.2 * window.noise(2, 6 * px))
    matrix = (1 - hollow) * (1 - spaces) * (1 - clefts(field, window))
    eosin = _eosin(field, window, cells, spaces) * matrix
    hematoxylin = _hematoxylin(field, window, cells, matrix)
    exposure = np.float32(np.exp(0.04 * rng.standard_normal()))
    thickness = window.soft(field.thickness)
    stain = replace(stain, white=np.minimum(stain.white * exposure, 254))
    light = stain.render(hematoxylin * thickness, eosin * thickness * (1 - blood), blood * (1 - hollow))
    return _exposed(rng, light, zoom)


def _exposed(rng: np.random.Generator, light: np.ndarray, zoom: float) -> np.ndarray:
    """What lens and camera make of intensities, float (H, W, 3); uint8."""
    # The lens resolves less than the camera at the highest magnification, and the focus is not always met.
    blur = float(np.hypot(0.55, rng.uniform(0.10, 0.22) * zoom))
    light = ndimage.gaussian_filter(light, (blur, blur, 0), truncate=2.5)
    light += np.float32(rng.uniform(1.0, 2.5)) * rng.standard_normal((*light.shape[:2], 1), np.float32)
    return to_uint8(light)


def _eosin(field: Field, window: Window, cells: np.ndarray, spaces: np.ndarray) -> np.ndarray:
    """Collagen streaked by its fibers, cytoplasm, the membrane below epithelium, secretion and dead cells."""
    px, traits, bed = field.scale, field.traits, window.soft(field.bed)
    fine = 0.26 * window.fibers(5, 4.5 * px, 34 * px) + 0.14 * window.noise(6, 70 * px)
    if window.zoom >= _INSIDE_SEEN:
        fine = fine + 0.2 * window.fibers(7, 1.2 * px, 18 * px) + 0.1 * window.noise(8, 0.9 * px)
    eosin = np.exp(fine) * np.float32(traits.collagen) * (1 - 0.5 * bed)
    mucin = window.soft(field.tumor.mucin).clip(0, 1)
    eosin = eosin * (1 - 0.9 * mucin)
    grain = 1 + 0.18 * window.noise(9, 2.5 * px)
    eosin = eosin * (1 - cells) + traits.cytoplasm * grain * cells
    eosin = eosin + 0.2 * window.soft(field.edge) * (1 - spaces)
    dead = window.soft(field.tumor.epithelium.necrosis).clip(0, 1)
    eosin = eosin * (1 - dead) + (0.5 + 0.15 * window.noise(10, 5 * px)) * dead
    secretion = window.soft(field.tumor.epithelium.secretion * field.spaces)
    return np.maximum(eosin, 0) + secretion * (1 + 0.2 * window.noise(11, 8 * px))


def _hematoxylin(field: Field, window: Window, cells: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A wash over cytoplasm, loose stroma and mucin, and the nuclei of all cells."""
    px, mucin = field.scale, window.soft(field.tumor.mucin).clip(0, 1)
    wash = 0.05 + 0.07 * window.soft(field.bed) + (0.07 + 0.5 * field.traits.cytoplasm) * cells
    wash = wash + mucin * (0.03 + 0.04 * np.abs(window.fibers(12, 5 * px, 40 * px)))
    nuclei = np.zeros(window.shape, np.float32)
    inside = np.zeros(window.shape, np.float32)
    for placed, paleness in field.placed:
        window.nuclei(nuclei, placed)
        if window.zoom >= _INSIDE_SEEN:
            window.nuclei(inside, placed, shrink=0.8 * px, share=paleness)
    grain = np.exp(0.24 * window.noise(13, 1.0 * px) + 0.16 * window.noise(14, 2.6 * px))
    # Nuclei bulge into lumens.
    return wash * matrix + np.maximum(nuclei - inside, 0) * grain * (0.6 + 0.4 * matrix)
