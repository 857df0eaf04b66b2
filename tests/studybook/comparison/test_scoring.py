"""Scores at the chosen threshold, and the tests of differences, against what is known of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from histolib import metrics
from studybook.comparison import scoring
from studybook.published import multiple


def answers(name: str, seed: int = 0, per_patient: int = 1, strength: float = 1.0, training: int = 0) -> pd.DataFrame:
    """Made-up answers about 60 images, the same images for every seed."""
    rng, count = np.random.default_rng(seed), 60
    y = np.arange(count) // per_patient % 2
    p = stats.norm.cdf(strength * (y - 0.5) + rng.normal(size=count))
    columns = {"method": f"toy: {name}", "set": "toy", "fold": 0, "image_id": [f"{k:02d}" for k in range(count)]}
    columns |= {"patient": [f"w{k // per_patient}" for k in range(count)], "y_true": y, "p_0": 1 - p, "p_1": p}
    return pd.DataFrame(columns | {"seed": training, "threshold": 0.3})


def test_the_threshold_comes_to_lie_at_one_half_and_the_order_stays():
    rows = answers("a")
    moved = scoring.at_half(rows)
    assert ((rows.p_1 >= 0.3) == (moved.p_1 >= 0.5)).all()
    assert (rows.p_1.rank() == moved.p_1.rank()).all()
    assert moved.p_1.between(0, 1).all() and np.allclose(moved.p_0 + moved.p_1, 1)


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_a_threshold_at_the_end_decides_as_it_says(at):
    rows = answers("a").assign(threshold=at)
    assert ((rows.p_1 >= at) == (scoring.at_half(rows).p_1 >= 0.5)).all()


def test_scores_have_intervals_and_the_brier_score_is_of_the_probabilities_themselves():
    rows = answers("a")
    found = scoring.summary(rows, 50, 0).loc["toy: a"]
    assert list(found.index) == list(scoring.SCORES)
    assert found.at["brier", "value"] == pytest.approx(((rows.p_1 - rows.y_true) ** 2).mean())
    assert found.at["auc", "value"] == pytest.approx(metrics.scores(rows.y_true, rows.p_1)["auc"])
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def delong_by_definition(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """DeLong's test with every pair of images written out."""
    y = one.y_true.to_numpy()
    parts = []
    for rows in (one, other):
        p = rows.p_1.to_numpy()
        above = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
        parts.append((above.mean(1), above.mean(0)))
    up, down = parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]
    error = np.sqrt(up.var(ddof=1) / len(up) + down.var(ddof=1) / len(down))
    return 2 * stats.norm.sf(abs(up.mean()) / error)


def test_delong_is_delongs_where_each_patient_has_one_image():
    one, other = answers("a", 1), answers("b", 2, strength=0.3)
    assert scoring.delong(one, other) == pytest.approx(delong_by_definition(one, other), rel=1e-9)


def test_delong_of_several_images_of_a_patient_agrees_with_the_bootstrap():
    one, other = answers("a", 1, 3), answers("b", 2, 3, strength=0.2)
    drawn = metrics.differences(pd.concat([one, other]), [("toy: a", "toy: b")], 800)
    p = multiple.of_interval(drawn.xs("auc", level="score")).iloc[0]
    z = [stats.norm.isf(value / 2) for value in (p, scoring.delong(one, other))]
    assert z[0] == pytest.approx(z[1], rel=0.2)


def test_mcnemar_counts_images_that_one_method_alone_has_right():
    one, other = answers("a", 1), answers("b", 2, strength=0.2)
    right = [rows.p_1.ge(0.5) == rows.y_true.eq(1) for rows in (one, other)]
    b, c = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    assert scoring.mcnemar(one, other) == pytest.approx(stats.chi2.sf((b - c) ** 2 / (b + c), 1))
    assert scoring.mcnemar(one, one) == 1


def test_pairs_of_all_sets_are_corrected_together():
    rows = pd.concat([answers("a", 1), answers("b", 2, strength=3), answers("c", 3, strength=0)])
    found = scoring.pairs(rows, 60, 0)
    assert len(found) == 3 and (found["AUC"] >= found["p"]).all() and (found["decisions"] >= found["mcnemar"]).all()
    assert found["AUC"].min() == pytest.approx(found["p"].min() * 6)
    assert found["AUC"].idxmin() == ("toy", "b", "c")


def test_two_names_for_the_same_answers_are_not_told_apart():
    found = scoring.pairs(pd.concat([answers("a"), answers("b")]), 20, 0).iloc[0]
    assert found["value"] == 0 and found["p"] == found["delong"] == found["mcnemar"] == 1


def test_other_test_images_are_refused():
    rows = pd.concat([answers("a"), answers("b").iloc[1:]])
    with pytest.raises(ValueError, match="toy: toy: b, seed 0, was tested on other images"):
        scoring.check_same(rows)


def test_sentences_name_the_best_and_what_is_like_it():
    rows = scoring.marked(pd.concat([answers("a", 1), answers("b", 2, strength=3)]), ["toy"])
    scores, found = scoring.summary(rows, 60, 0), scoring.pairs(rows, 60, 0)
    said = scoring.sentences({"this run": scores}, {"this run": found}).data
    assert "*toy (drawn)*: the largest AUC has b" in said and "Of 1 pairs of methods in this run" in said
    assert "No run on real images" in scoring.opening({}, {}).data


def test_holm_leaves_out_what_is_missing():
    p = pd.Series({"a": 0.01, "b": np.nan, "c": 0.04, "d": 0.03})
    assert multiple.holm(p).dropna().to_dict() == pytest.approx({"a": 0.03, "d": 0.06, "c": 0.06})
