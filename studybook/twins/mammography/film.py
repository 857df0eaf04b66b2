"""A mammography film: the breast's projection, its masses, and what a scanner or detector makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import fft, ndimage

from studybook.twins.mammography.mass import draw_mass
from studybook.twins.mammography.women import Lesion, Woman

SHAPE = (720, 560)  # pixels of 200 micrometers
_COARSE = 2  # tissue is drawn at half the resolution


@dataclass(frozen=True)
class Scanner:
    """How densities become gray values.

    Attributes
    ----------
    bits : int
        Depth of the file.
    low, high : float
        Gray values of no density and of 1, as shares of the range.
    gamma : float
        Of the response.
    blur, noise : float
        Pixels; share of the range.
    label : bool
        Whether film carries a bright label outside of the breast.
    """

    bits: int
    low: float
    high: float
    gamma: float
    blur: float
    noise: float
    label: bool


def draw_film(
    rng: np.random.Generator,
    woman: Woman,
    view: str,
    side: str,
    scanner: Scanner,
    lesions: tuple[Lesion, ...] | None = None,
    shape: tuple[int, int] = SHAPE,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw one film. The chest wall is at the left edge of a left breast's film and at the right edge of a right one's.

    Parameters
    ----------
    rng : numpy.random.Generator
    woman : Woman
    view : str
        ``CC`` or ``MLO``; the pectoral muscle shows in the latter.
    side : str
        ``left`` or ``right``.
    scanner : Scanner
    lesions : tuple of Lesion, optional
        Hers, if left out.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    film : ndarray, uint8 or uint16, `shape`
        Dense tissue is bright.
    outlines : list of ndarray, float, (72, 2)
        Of each lesion: column and row of each point in pixels.
    """
    breast = _Breast(rng, woman, view, shape)
    density = breast.draw(rng, woman)
    outlines = []
    for lesion in woman.lesions if lesions is None else lesions:
        column, row = breast.place(rng, lesion)
        shadow, outline = draw_mass(rng, lesion)
        _add(density, shadow, row, column)
        outlines.append(outline + (column, row))
    density *= breast.inside
    if scanner.label:
        _label(rng, density)
    film = _expose(rng, density, scanner)
    if side == "right":
        film = film[:, ::-1].copy()
        outlines = [np.stack([shape[1] - 1 - outline[:, 0], outline[:, 1]], axis=1) for outline in outlines]
    return film, outlines


class _Breast:
    """Shape of one breast in one view, chest wall at the left edge."""

    def __init__(self, rng: np.random.Generator, woman: Woman, view: str, shape: tuple[int, int]):
        self.shape, self.view = shape, view
        self.width = woman.width * shape[1] * rng.uniform(0.97, 1.03)
        if view == "CC":
            self.nipple, self.up = shape[0] * rng.uniform(0.46, 0.54), woman.height * shape[0] / 2
            self.down = self.up
        else:  # reaches up into the armpit
            self.nipple = shape[0] * rng.uniform(0.56, 0.62)
            self.up, self.down = shape[0] * rng.uniform(0.75, 0.85), woman.height * shape[0] * 0.42
        self.power = rng.uniform(1.9, 2.5)
        row = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(self.nipple)
        self.across = row / np.where(row < 0, self.up, self.down).astype(np.float32)
        self.ahead = np.arange(shape[1], dtype=np.float32) / np.float32(self.width)
        level = 1 - np.maximum(self.ahead, 0) ** self.power - np.abs(self.across) ** self.power
        wave = ndimage.zoom(rng.standard_normal(12), shape[0] / 12, order=3)[: shape[0], None]
        self.level = level.astype(np.float32) + np.float32(0.01) * wave.astype(np.float32)
        self.inside = np.clip(self.level * 40, 0, 1)

    def draw(self, rng: np.random.Generator, woman: Woman) -> np.ndarray:
        """Density of the breast's own tissue, about 0 to 1."""
        thick = np.sqrt(np.clip(self.level / 0.22, 0, 1))
        small = tuple(-(-length // _COARSE) for length in self.shape)
        across, ahead = self.across[::_COARSE], self.ahead[::_COARSE]
        cloud = power_law(rng, small, 3.2)
        # Glandular tissue lies behind the nipple, the more the denser the breast.
        gland = 2.0 * np.exp(-(((ahead - 0.55) / 0.34) ** 2) - (across / 0.5) ** 2) + 0.7 * cloud
        amount = 1 / (1 + np.exp(-(gland - (2.4 - 0.4 * woman.density)) / 0.45))
        # Strands run towards the nipple.
        angle = np.arctan2(across, 1.02 - ahead + 0 * across)
        distance = np.hypot(across, 1.02 - ahead)
        table = power_law(rng, (128, 512), 1.6)
        warp = 6 * cloud
        at = np.stack([(distance * 26 + warp) % 127, (angle * 110 + warp + 256) % 511])
        strands = np.maximum(ndimage.map_coordinates(table, at, order=1), 0)
        tissue = 0.30 + amount * (0.10 + 0.02 * woman.density + 0.03 * cloud) + 0.055 * strands + 0.02 * cloud
        tissue = tissue + 0.018 * power_law(rng, small, 2.0)
        tissue = _doubled(tissue.astype(np.float32))[: self.shape[0], : self.shape[1]]
        if self.view == "MLO":
            tissue = tissue + 0.16 * self._muscle(rng)
        return (thick * tissue).astype(np.float32)

    def place(self, rng: np.random.Generator, lesion: Lesion) -> tuple[float, float]:
        """Column and row of a lesion's center: as far from the nipple in both views, anywhere across."""
        offset = np.clip(lesion.offset + rng.normal(0, 0.12), -0.6, 0.6)
        row = self.nipple + offset * (self.up if offset < 0 else self.down)
        depth = lesion.depth * (1 - abs(offset) ** self.power) ** (1 / self.power)
        margin = lesion.radius + 4
        column = max(depth * self.width, margin)
        return float(column), float(np.clip(row, margin, self.shape[0] - 1 - margin))

    def _muscle(self, rng: np.random.Generator) -> np.ndarray:
        wide, long = self.shape[1] * rng.uniform(0.3, 0.45), self.shape[0] * rng.uniform(0.5, 0.7)
        column = np.arange(self.shape[1], dtype=np.float32) / np.float32(wide)
        row = np.arange(self.shape[0], dtype=np.float32)[:, None] / np.float32(long)
        return 1 / (1 + np.exp(np.clip((column + row**1.15 - 1) * 60, -30, 30)))


def power_law(rng: np.random.Generator, shape: tuple[int, int], exponent: float) -> np.ndarray:
    """Noise of mean 0 and deviation 1 whose power falls with frequency to the power of -`exponent`.

    Mammograms have exponents near 3 (Burgess, Jacobson and Judy, Medical Physics 28, 2001).

    Returns
    -------
    ndarray, float32, `shape`
    """
    size = tuple(fft.next_fast_len(length, real=True) for length in shape)
    frequency = np.hypot(fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1]))
    frequency[0, 0] = np.inf
    spectrum = fft.rfft2(rng.standard_normal(size, dtype=np.float32)) * frequency ** (-exponent / 2)
    field = fft.irfft2(spectrum.astype(np.complex64), size)[: shape[0], : shape[1]]
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _doubled(field: np.ndarray) -> np.ndarray:
    """Twice the rows and columns, linearly interpolated."""
    size = field.shape[1] * _COARSE, field.shape[0] * _COARSE
    return np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BILINEAR))


def _add(density: np.ndarray, shadow: np.ndarray, row: float, column: float) -> None:
    """Add a mass to the film; what lies beyond the edge is lost."""
    top, left = round(row) - shadow.shape[0] // 2, round(column) - shadow.shape[1] // 2
    rows = slice(max(top, 0), min(top + shadow.shape[0], density.shape[0]))
    columns = slice(max(left, 0), min(left + shadow.shape[1], density.shape[1]))
    density[rows, columns] += shadow[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _label(rng: np.random.Generator, density: np.ndarray) -> None:
    """A label with view and side, above the nipple's side of the film."""
    height, width = 26, 58
    top, left = int(rng.integers(8, 40)), density.shape[1] - width - int(rng.integers(8, 30))
    if not density[top : top + height, left : left + width].any():
        density[top : top + height, left : left + width] = 0.85
        density[top + 6 : top + height - 6, left + 8 : left + width - 8 : 7] = 0.1


def _expose(rng: np.random.Generator, density: np.ndarray, scanner: Scanner) -> np.ndarray:
    signal = ndimage.gaussian_filter(density, scanner.blur, truncate=3) if scanner.blur else density
    share = scanner.low + (scanner.high - scanner.low) * np.clip(signal, 0, 1.1) ** scanner.gamma
    grain = scanner.noise * rng.standard_normal(density.shape, dtype=np.float32)
    share = share + grain * (0.3 + (density > 0))
    top = 2**scanner.bits - 1
    return np.clip(share * top + 0.5, 0, top).astype(np.uint8 if scanner.bits <= 8 else np.uint16)
