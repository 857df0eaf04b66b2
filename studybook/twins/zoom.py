"""One field of tissue under several objectives: drawn once, looked at through windows of any size.

Outlines and soft regions are maps at the lowest magnification, which a window enlarges smoothly; their edges are made
sharp again there. Nuclei are kept one by one and drawn anew in each window. Fibers and grain are read from tables of
noise at the place in the tissue. So a higher magnification shows the same tissue with more in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from studybook.twins.fields import Flow
from studybook.twins.nuclei import Ellipses, stamp_nuclei

_SAMPLES = 5  # per thickness of a streak: enough to draw it smoothly


@dataclass(frozen=True)
class Window:
    """A part of a field, enlarged to the size of the whole.

    Attributes
    ----------
    flow : Flow
        Fibers of the whole field, coordinates in its pixels.
    top, left : float
        Corner in pixels of the field.
    zoom : float
        How many times the field is enlarged, at least 1.
    seed : int
        Of all textures: the same in every window of a field.
    """

    flow: Flow
    top: float
    left: float
    zoom: float
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, as of the whole field."""
        return self.flow.across.shape

    def inside(self, zoom: float, corner: np.ndarray) -> Window:
        """A window `zoom` times smaller within this one; `corner` (0-1, 0-1) is its place there."""
        room = np.array(self.shape) / self.zoom * (1 - 1 / zoom)
        top, left = np.array([self.top, self.left]) + corner * room
        return Window(self.flow, float(top), float(left), self.zoom * zoom, self.seed)

    def soft(self, values: np.ndarray) -> np.ndarray:
        """A map of the field, float (H, W), enlarged smoothly."""
        if self.zoom == 1 or not values.any():
            return values
        return self._resized(values, (self.left, self.top, *self._end))

    def sharp(self, cover: np.ndarray, ragged: np.ndarray | float = 0.0) -> np.ndarray:
        """Coverage, (H, W), enlarged with edges one pixel wide; `ragged` moves them (pixels of the field)."""
        if self.zoom == 1:
            return cover
        return np.clip((self.soft(cover) - np.float32(0.5) + ragged) * np.float32(self.zoom) + np.float32(0.5), 0, 1)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """What the window shows of a map, (h, w), not enlarged."""
        return values[int(self.top) : int(self._end[1]) + 1, int(self.left) : int(self._end[0]) + 1]

    def fibers(self, key: int, thickness: float, length: float) -> np.ndarray:
        """Noise in streaks along the fibers, sizes in pixels of the field; the same `key`, the same noise."""
        return self._texture(self._flow, key, thickness, length)

    def noise(self, key: int, grain: float) -> np.ndarray:
        """Noise without direction; `grain` in pixels of the field."""
        return self._texture(self._plain, key, grain, grain)

    def nuclei(self, target: np.ndarray, placed: Ellipses, shrink: float = 0.0, share: float = 1.0) -> None:
        """Draw those nuclei of the field (sizes in its pixels) that the window shows into `target`.

        Parameters
        ----------
        shrink : float
            Taken from both half axes, pixels of the field; nuclei that vanish are left out.
        share : float
            Of the hematoxylin that is drawn.
        """
        rows, columns = (placed.rows - self.top) * self.zoom, (placed.columns - self.left) * self.zoom
        long, short = (placed.long - shrink) * self.zoom, (placed.short - shrink) * self.zoom
        seen = (rows > -long) & (rows < self.shape[0] + long) & (columns > -long) & (columns < self.shape[1] + long)
        seen &= short > 0.2
        each = [rows, columns, long, short, placed.angle, placed.value * share]
        rows, columns, long, short, angle, value = (values[seen] for values in each)
        # Small and large ones by themselves: each costs as much time as the largest drawn with it.
        for part in np.array_split(np.argsort(long), 4):
            stamp_nuclei(target, Ellipses(*(v[part] for v in (rows, columns, long, short, angle, value))))

    @property
    def _end(self) -> tuple[float, float]:
        height, width = self.shape
        return self.left + width / self.zoom, self.top + height / self.zoom

    @cached_property
    def _flow(self) -> Flow:
        return Flow(self.soft(self.flow.across), self.soft(self.flow.along), self.flow.table)

    @cached_property
    def _plain(self) -> Flow:
        row, column = (np.arange(size, dtype=np.float32) / np.float32(self.zoom) for size in self.shape)
        row, column = np.broadcast_arrays(row[:, None] + np.float32(self.top), column + np.float32(self.left))
        return Flow(row, column, self.flow.table)

    def _texture(self, flow: Flow, key: int, thickness: float, length: float) -> np.ndarray:
        rng = np.random.default_rng([self.seed, key])
        stride = max(1, int(thickness * self.zoom / _SAMPLES))
        if stride == 1:
            return flow.texture(rng, thickness, length)
        coarse = Flow(flow.across[::stride, ::stride], flow.along[::stride, ::stride], flow.table)
        height, width = self.shape
        # Samples lie at the upper left pixel of their squares.
        box = (0.5 - 0.5 / stride, 0.5 - 0.5 / stride)
        values = np.pad(coarse.texture(rng, thickness, length), 1, mode="edge")[1:, 1:]
        end = box[0] + width / stride, box[1] + height / stride
        return self._resized(values, (*box, *end), Image.Resampling.BILINEAR)

    def _resized(
        self, values: np.ndarray, box: tuple[float, float, float, float], how=Image.Resampling.BICUBIC
    ) -> np.ndarray:
        picture = Image.fromarray(np.ascontiguousarray(values, np.float32))
        return np.asarray(picture.resize(self.shape[::-1], how, box=box))
