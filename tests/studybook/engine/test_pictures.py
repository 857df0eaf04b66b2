"""studybook.engine.pictures: labels point at what they name."""

import numpy as np
import pytest
from PIL import Image

from studybook.engine import pictures
from studybook.twins.specimen import draw_field, draw_traits


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(pictures.SEED)
    return draw_field(rng, draw_traits(rng, "DC"), pictures.SHAPE, pictures.SCALE)


def test_labels_point_at_what_they_name(field):
    places = {name: tuple(int(value) for value in place) for name, place in pictures.labels(field).items()}
    assert field.tumor.cells[places["carcinoma"]] > 0.5
    assert field.hollow[places["fat cell"]] > 0.9
    assert field.spaces[places["lumen"]] > 0.9 and field.tumor.epithelium.lumen[places["lumen"]] > 0.5
    wall, stroma = places["gland (its wall)"], places["stroma (collagen)"]
    assert field.tumor.epithelium.layered[wall] and field.cells[wall] > 0.5
    assert field.cells[stroma] < 0.1 and field.spaces[stroma] < 0.1 and field.adipose[stroma] < 0.1
    small = field.placed[pictures.LYMPHOCYTES][0]
    row, column = places["lymphocytes"]
    assert (np.hypot(small.rows - row, small.columns - column) < 30).sum() >= 8


def test_pictures_are_written_and_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        pictures.write(tmp_path / name)
    for name in ("tissue.png", "mammogram.png"):
        first, second = (np.asarray(Image.open(tmp_path / folder / name).convert("L"), float) for folder in "ab")
        assert first.std() > 20 and (first == second).all()
