"""The published numbers of the BACH paper."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from histolib import metrics
from histolib.datasets import Dataset
from histolib.descriptors import boosting
from histolib.metrics import predictions
from studybook.papers.bach_boosting import authors, leftout
from studybook.published import reported

PAPER = "bach_boosting"
CLASSES = ("normal", "benign", "in_situ", "invasive")


def test_cells_of_table_1_add_up():
    table = reported.table(PAPER, 1).set_index("method")
    singles = [f"{encoder}-{size}" for encoder in ("ResNet", "VGG", "Inception") for size in (400, 650)]
    assert table.index.tolist() == [*singles, "std", "fusion"]
    # Added up from the paper by column; the row of the fusion makes 349 of 400 images, in steps of 2.5 %.
    columns = [544, 494, 477.5, 528, 494.5, 484, 497, 497, 502.5, 482]
    assert table.loc[singles, table.columns[:10]].sum().tolist() == columns
    assert table.loc["fusion", table.columns[:10]].sum() == 872.5


def test_setting_of_the_boosting_is_the_one_that_is_used():
    found = reported.outside(PAPER).set_index("id")["value"]
    used = boosting.AS_RUN
    names = {
        "rounds": "num_iterations", "learning_rate": "learning_rate", "leaves": "num_leaves", "depth": "max_depth",
        "feature_fraction": "feature_fraction", "bagging_fraction": "bagging_fraction",
        "bagging_frequency": "bagging_freq",
    }  # fmt: skip
    assert {key: found[f"boosting_{key}"] for key in names} == {key: used[name] for key, name in names.items()}


def test_published_answers_give_the_published_results():
    answers, two = authors.answers(), authors.carcinoma()
    assert answers["y_true"].value_counts().tolist() == [100] * 4 and answers["image_id"].is_unique
    assert answers.groupby("fold").size().tolist() == [40] * 10
    assert metrics.per_fold(answers).at["fusion", "mean"] == 87.25
    rates = [metrics.operating_point(two["y_true"], two["p_1"], point) for point in (0.33, 0.5)]
    assert [rate[["sensitivity", "specificity"]].tolist() for rate in rates] == [[0.965, 0.88], [0.93, 0.945]]
    area = metrics.bootstrap(two, draws=2000).loc["auc"]
    assert area.round(4).tolist() == pytest.approx([0.9734, 0.958, 0.987], abs=0.002)
    assert leftout.missed(answers, CLASSES)["missed"].tolist() == [9, 5]
    matrix = metrics.confusion(answers["y_true"], predictions.scores_of(answers), percent=False)
    assert matrix.to_numpy()[1].tolist() == [8, 81, 2, 9]


def test_both_of_the_authors_tables_decide_alike_between_two_classes():
    called = predictions.two_classes(authors.answers())["p_1"] >= 0.5
    assert called.tolist() == (authors.carcinoma()["p_1"] >= 0.5).tolist()


def test_the_authors_log_gives_table_1():
    table, printed = authors.table_1(), reported.table(PAPER, 1).set_index("method")
    both = table.index.intersection(printed.index)
    assert len(both) == 6 and "Inception-400" not in table.index
    assert np.array_equal(table.loc[both, range(1, 11)], printed.loc[both].iloc[:, :10])
    assert table["mean"]["ResNet-800"] == pytest.approx(82.4) and table["mean"]["VGG-1300"] == pytest.approx(81.05)
    first = authors.accuracies().iloc[0]
    assert first[["method", "seed", "fold", "accuracy"]].tolist() == ["ResNet-800", 0, 1, 87.5]


def test_what_the_authors_numbers_say_about_their_claims():
    found, printed = authors.differences(), reported.table(PAPER, 1).set_index("method").iloc[:, :10]
    gain = (printed.loc["fusion"] - printed.loc["ResNet-400"]) / 100
    interval = ttest_1samp(gain, 0).confidence_interval()
    assert found["best_part"].tolist() == pytest.approx([0.031, interval.low, interval.high])
    assert (found["four_points"] - found["best_part"]).tolist() == pytest.approx([-0.04] * 3)
    assert found["half_size"]["value"] == pytest.approx(
        (84.15 - 82.4 + 83.45 - 81.45 + 83.55 - 81.65 + 83.4 - 81.05) / 400
    )
    assert found["average_part"]["low"] > 0 and found["half_size"]["low"] > 0
    assert {*found} <= {claim["id"] for claim in reported.verdicts(PAPER)}


def test_a_threshold_chosen_on_other_folds_never_sees_its_own():
    table = authors.chosen_elsewhere(draws=100)
    rows = authors.carcinoma()
    called = np.zeros(len(rows), bool)
    for fold in range(1, 11):
        others = rows[(rows["fold"] != fold) & (rows["y_true"] == 1)]["p_1"]
        best = max(at for at in others if (others >= at).mean() >= 0.965)
        called |= (rows["fold"] == fold) & (rows["p_1"] >= best)
    positive = rows["y_true"] == 1
    assert table["sensitivity"].iloc[1].startswith(f"{called[positive].mean():.3f} [")
    assert table["specificity"].iloc[1].startswith(f"{1 - called[~positive].mean():.3f} [")
    assert table.iloc[0, 1:].str[:5].tolist() == ["0.965", "0.880"]


def dataset(names: list[str], twin: bool = False) -> Dataset:
    table = pd.DataFrame({"image_id": names, "path": names, "label": 0, "patient": names})
    return Dataset("bach", Path("none"), table, ("a", "b"), (1, 1), twin)


def test_the_authors_folds_are_those_of_their_answers():
    rows = authors.answers().sample(frac=1, random_state=0).iloc[:-1]
    parts = authors.folds(dataset(rows["image_id"].tolist()))
    assert len(parts) == 10 and sorted(len(test) for _, test in parts) == [39] + [40] * 9
    for k, (train, test) in enumerate(parts, start=1):
        assert set(rows["fold"].iloc[test]) == {k} and k not in set(rows["fold"].iloc[train])
        assert len(train) + len(test) == len(rows)


def test_the_authors_folds_belong_to_the_real_images():
    with pytest.raises(ValueError, match="authors_folds: true, but these images are drawn"):
        authors.folds(dataset(["n001"], twin=True))
    with pytest.raises(ValueError, match="authors_folds: image x7 is none of the 400"):
        authors.folds(dataset(["n001", "x7"]))
