"""Averages over seeds, crop sizes and encoders, and what is left without one of them."""

import pandas as pd
import pytest
from fused import FOLD, MANIFEST, one_class, rows

from histolib import metrics
from histolib.metrics import fusion, predictions
from studybook.papers.bach_boosting import findings


def test_rows_of_seeds_average_augmentations_only():
    p = one_class([[[0.1, 0.3], [0.5, 0.7], [0.9, 0.9]], [[0, 0], [1, 1], [0, 1]]])
    table = findings.of_seeds("ResNet-400", MANIFEST, p, FOLD, [3, 8])
    assert list(table.columns) == ["method", "fold", "seed", "image_id", "patient", "y_true", "p_0", "p_1"]
    assert table["seed"].tolist() == [3, 3, 3, 8, 8, 8] and table["fold"].tolist() == [1, 2, 1] * 2
    assert table["p_1"].tolist() == [0.2, 0.6, 0.9, 0, 1, 0.5]


def test_fusion_by_hand():
    first = findings.of_seeds(
        "ResNet-400", MANIFEST, one_class([[[0.2], [0.6], [0.9]], [[0.4], [1], [0.5]]]), FOLD, [0, 1]
    )
    second = findings.of_seeds("VGG-650", MANIFEST, one_class([[[0], [0], [1]], [[0.2], [0.4], [0.4]]]), FOLD, [0, 1])
    both = pd.concat([first, second])
    fused = fusion.fuse(both)
    assert list(fused.columns) == ["method", "fold", "image_id", "patient", "y_true", "p_0", "p_1"]
    assert fused["method"].unique().tolist() == ["fusion"]
    assert fused["image_id"].tolist() == ["a", "b", "c"] and fused["fold"].tolist() == [1, 2, 1]
    assert fused["p_1"].tolist() == [0.2, 0.5, 0.7]
    over_seeds = fusion.fuse(both, None)
    assert over_seeds["method"].tolist() == ["ResNet-400"] * 3 + ["VGG-650"] * 3
    assert over_seeds["p_1"].tolist() == [0.3, 0.8, 0.7, 0.1, 0.2, 0.7]


def test_fusion_does_not_depend_on_the_order_of_rows_and_comes_again_from_what_was_saved(tmp_path):
    table = rows()
    fused = fusion.fuse(table)
    shuffled = fusion.fuse(table.sample(frac=1, random_state=0)).sort_values("image_id", ignore_index=True)
    pd.testing.assert_frame_equal(fused, shuffled)
    predictions.save(table, tmp_path / "p.csv.gz")
    again = fusion.fuse(predictions.load(tmp_path / "p.csv.gz"))
    pd.testing.assert_frame_equal(fused, again, check_dtype=False)


def test_saved_seeds_keep_the_table_per_fold(tmp_path):
    table = pd.concat([rows(), fusion.fuse(rows())], ignore_index=True)
    predictions.save(table, tmp_path / "p.csv.gz")
    again = predictions.load(tmp_path / "p.csv.gz")
    first, second = (metrics.per_fold(part, apart=["fusion"]) for part in (table, again))
    pd.testing.assert_frame_equal(first, second)
    assert first.index.tolist()[-2:] == ["std", "fusion"]


def test_bad_input_is_named():
    p = one_class([[[0.2], [0.6], [0.9]]])
    with pytest.raises(ValueError, match=r"m: shape \(1, 3, 1, 2\); expected \(2 seeds, images"):
        findings.of_seeds("m", MANIFEST, p, FOLD, [0, 1])
    table = findings.of_seeds("net", MANIFEST, p, FOLD, [0])
    with pytest.raises(ValueError, match="image a has 1 rows, image b 2; expected equally many"):
        fusion.fuse(pd.concat([table, table[table["image_id"] != "a"]]))
    with pytest.raises(ValueError, match="image c: fold, patient or class differ"):
        fusion.fuse(pd.concat([table, table.assign(y_true=[0, 1, 0])]))
