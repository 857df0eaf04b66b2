"""Squares cut from the middle, and their eight versions."""

import numpy as np
import pytest

from histolib.images import squares

RNG = np.random.default_rng(0)


def test_center_of_an_image_of_breakhis():
    image = np.broadcast_to(np.arange(700)[None, :, None], (460, 700, 3))
    square = squares.center(image)
    assert square.shape == (460, 460, 3) and square[0, 0, 0] == 120 and square[0, -1, 0] == 579


@pytest.mark.parametrize(("shape", "expected"), [((4, 7), (1, 4)), ((7, 4), (1, 4)), ((5, 5), (0, 5))])
def test_center_of_any_shape(shape, expected):
    image = np.arange(shape[0] * shape[1]).reshape(shape)
    start, side = expected
    rows = slice(start, start + side) if shape[0] > shape[1] else slice(0, side)
    columns = slice(start, start + side) if shape[1] > shape[0] else slice(0, side)
    assert np.array_equal(squares.center(image), image[rows, columns])


def test_eightfold_holds_eight_different_versions_of_each_image_the_first_itself():
    images = RNG.integers(0, 256, (3, 6, 6, 3), dtype=np.uint8)
    versions = squares.eightfold(images)
    assert versions.shape == (24, 6, 6, 3) and versions.dtype == np.uint8
    assert np.array_equal(versions[::8], images)
    assert len(np.unique(versions.reshape(24, -1), axis=0)) == 24
    # The same pixels everywhere, in other places.
    assert np.array_equal(np.sort(versions.reshape(3, 8, -1, 3), axis=2)[:, 0], np.sort(images.reshape(3, -1, 3), 1))


def test_eightfold_is_a_group():
    image = RNG.integers(0, 256, (1, 5, 5, 3), dtype=np.uint8)
    first = {version.tobytes() for version in squares.eightfold(image)}
    assert len(first) == 8
    again = {version.tobytes() for version in squares.eightfold(squares.eightfold(image))}
    assert again == first


def test_oblong_images_are_an_error():
    with pytest.raises(ValueError, match=r"shape \(2, 4, 6, 3\): expected \(N, S, S, C\)"):
        squares.eightfold(np.zeros((2, 4, 6, 3)))
