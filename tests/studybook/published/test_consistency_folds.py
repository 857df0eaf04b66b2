"""Accuracies of folds in whole images: hand-worked and brute-forced cases."""

import itertools

import numpy as np
import pytest

from studybook.published.folds import kept_apart, right_answers, spreads
from studybook.published.intervals import Range


def test_right_answers_are_whole_images():
    assert right_answers("98.23", 113) == [111]
    assert right_answers("50", 200) == [99, 100, 101]
    assert right_answers("33.33", 200) == []
    assert right_answers(Range(50, 50, 51), 100) == [50, 51]
    assert right_answers("100", 10) == [10]


def test_spreads_by_hand():
    # 190 of 200 right: 38 in each of five folds of 40, or one more here and one less there: 2 (1/40)^2 over 5 or 4.
    expected = [0, 100 / 40 * np.sqrt(2 / 5), 100 / 40 * np.sqrt(2 / 4)]
    assert spreads("95.00", 200, 5, limit=1.8) == pytest.approx(expected)


def test_spreads_agree_with_trying_all_folds():
    tried = set()
    for counts in itertools.product(range(7), repeat=4):
        if sum(counts) == 17:
            share = np.array(counts) / 6 * 100
            tried |= {round(float(share.std(ddof=d)), 6) for d in (0, 1)}
    # Printed with two digits, 70.83 of 24 images means 17.
    assert right_answers("70.83", 24) == [17]
    limit = 30
    found = [round(value, 6) for value in spreads("70.83", 24, 4, limit)]
    assert sorted(set(found)) == sorted(value for value in tried if value <= limit)


def test_spreads_need_folds_of_one_size():
    with pytest.raises(ValueError, match="203 images do not make 5 equal folds"):
        spreads("95.00", 203, 5, 1)


def test_kept_apart_by_simulation():
    rng = np.random.default_rng(0)
    alone = []
    for _ in range(400):
        folds = rng.permutation(np.repeat(np.arange(5), 8)).reshape(20, 2)  # 20 cases with two images each
        alone.append((folds[:, 0] == folds[:, 1]).mean())
    assert kept_apart(40, 2, 5) == pytest.approx(np.mean(alone), abs=0.015)
    assert kept_apart(40, 2, 5) == pytest.approx(7 / 39)
    assert kept_apart(100, 1, 5) == 1
