from dataclasses import replace

import pytest

from histolib import datasets
from histolib.metrics import splits
from studybook import twins
from studybook.twins import ceiling, ceiling_by_fold


@pytest.fixture(scope="module")
def drawn():
    return datasets.load("breakhis", twins.folder("breakhis", 12, 3))


def test_each_fold_is_told_from_its_own_training_side(drawn):
    rows = ceiling_by_fold.table(drawn, [1, 2])
    train, test = splits.of_fold(drawn.table, 2)
    own = rows[rows["fold"] == 2]
    assert own["image_id"].tolist() == drawn.table["image_id"].iloc[test].tolist()
    assert own["p_1"].to_numpy() == pytest.approx(ceiling.ceiling(drawn, train, test)[:, 1], abs=1e-5)
    assert set(rows["method"]) == {ceiling.METHOD} and set(rows["fold"]) == {1, 2}


def test_of_real_images_nothing_is_known(drawn):
    real = replace(drawn, twin=False)
    assert ceiling_by_fold.table(real, [1]).empty
