"""Scores of several trainings and folds, their differences, and the answers to the paper's claims."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from studybook.papers.mammography_finetuning import figures, findings, paired
from studybook.published import reported


def rows(method, fold, y, p, first=0):
    ids = [f"r{k}" for k in range(first, first + len(y))]
    women = [f"w{k // 2}" for k in range(first, first + len(y))]
    told = {"method": method, "fold": fold, "image_id": ids, "patient": women, "y_true": y}
    return pd.DataFrame(told | {"p_0": 1 - np.asarray(p), "p_1": p, "kind": "mass", "density": "2"})


@pytest.fixture
def predictions():
    generator = np.random.default_rng(0)
    y = np.tile([0, 0, 1, 1], 10)
    parts = []
    for name, worth in (("plain classifier", 0.0), ("2 blocks", 1.5), ("2 blocks, training 2", 1.0)):
        for fold in (0, 1):
            p = 1 / (1 + np.exp(-(generator.normal(0, 1, 40) + worth * (2 * y - 1))))
            parts.append(rows(f"a, vgg16, imagenet, {name}", fold, y, p, 40 * fold))
    return pd.concat(parts, ignore_index=True)


def test_the_area_of_many_weightings_is_scikit_learns():
    generator = np.random.default_rng(0)
    y, p = generator.integers(0, 2, 50), generator.random(50).round(1)
    weights = generator.integers(0, 3, (4, 50))
    assert paired.auc(y, p, weights) == pytest.approx([roc_auc_score(y, p, sample_weight=w) for w in weights])
    assert np.isnan(paired.auc(y, p, np.where(y == 1, 0, 1)[None])).all()


def test_a_score_is_the_mean_over_folds_and_trainings(predictions):
    named = paired.named(predictions)
    assert named.groupby("method")["training"].agg(set).to_dict() == {"plain classifier": {"1"}, "2 blocks": {"1", "2"}}
    found = paired.summary(named, 50, 0).loc[("2 blocks", "auc")]
    parts = named[named.method == "2 blocks"].groupby(["training", "fold"])
    each = parts.apply(lambda part: roc_auc_score(part.y_true, part.p_1))
    assert found["value"] == pytest.approx(each.mean()) and found["low"] < found["value"] < found["high"]
    assert found["trainings"] == ", ".join(f"{value:.3f}" for value in each.groupby("training").mean())


def test_differences_are_on_the_regions_that_both_were_tested_on(predictions):
    named = paired.named(predictions)
    pair = ("2 blocks", "plain classifier")
    whole = paired.differences(named, [pair], 50, 0).loc[(*pair, "auc")]
    assert whole["low"] > 0
    half = named[(named.method != pair[1]) | (named.fold == 0)]
    assert paired.differences(half, [pair], 50, 0).equals(paired.differences(named[named.fold == 0], [pair], 50, 0))
    apart = named[(named.method == pair[0]) == (named.fold == 0)]
    with pytest.raises(ValueError, match="no region in common"):
        paired.differences(apart, [pair], 50, 0)


def test_every_answer_belongs_to_a_claim_of_the_papers_file(predictions):
    claims = {one["id"] for one in reported.verdicts("mammography_finetuning")}
    assert claims == {*findings.PAIRS, "all_blocks_guess", "unseen_set"}
    named = paired.named(predictions)
    unseen = predictions[predictions.method == "a, vgg16, imagenet, 2 blocks"]
    found = findings.answers(named, unseen, 50, 0)
    assert set(found) == {"two_over_none", "unseen_set"} and found["two_over_none"]["low"] > 0
    assert found["unseen_set"]["value"] == pytest.approx(
        paired.summary(paired.named(unseen), 5, 0)["value"].iloc[0] - 0.5
    )


def test_blocks_are_chosen_by_the_part_that_is_named():
    y = np.array([0, 1] * 4)
    good, bad = np.where(y == 1, 0.9, 0.1), np.where(y == 1, 0.1, 0.9)
    table = pd.concat([rows("a, 1 block", 0, y, bad), rows("a, 2 blocks", 0, y, good)])
    units = pd.DataFrame({
        "dataset": "a", "weights": "imagenet", "blocks": [1, 2], "training": 0, "fold": 0,
        "method": ["a, 1 block", "a, 2 blocks"], "validation": [0.3, 0.5],
    })  # fmt: skip
    by = {part: findings.chosen(units, table, part) for part in findings.CHOSEN}
    assert by["validation"]["p_1"].tolist() == bad.tolist() and by["test"]["p_1"].tolist() == good.tolist()
    assert by["test"]["method"].unique().tolist() == ["a, blocks chosen on the test part"]
    assert findings.chosen(units.head(1), table, "test").empty


def test_tables_of_results_and_traits(predictions):
    named = paired.named(predictions)
    table = findings.results(named, "plain classifier", 50, 0)
    assert table.loc["plain classifier", "AUC less plain classifier"] == "–"
    assert table.loc["2 blocks", "AUC less plain classifier"].startswith("+")
    told = findings.by_trait(named, "2 blocks", "density", 50, 0)
    assert told.loc["2", ["regions", "women", "malignant"]].tolist() == [80, 40, 40]


def test_a_curve_takes_its_places_from_the_methods_names(predictions):
    names = {"plain classifier": "plain classifier", "2 blocks": "plain classifier, 12 women"}
    names = {f"a, vgg16, imagenet, {old}": f"a, vgg16, imagenet, {new}" for old, new in names.items()}
    table = predictions.assign(method=predictions["method"].map(names)).dropna()
    found = findings.curve(table, 25, 1.0, 50, 0)
    assert found[["kind", "women", "difficulty"]].to_numpy().tolist() == [
        ["plain classifier", 25, 1.0],
        ["plain classifier", 12, 1.0],
    ]
    part = table[table.method.str.contains("12 women") & (table.fold == 0)]
    assert found["value"].iloc[1] == pytest.approx(roc_auc_score(part.y_true, part.p_1))
    assert findings.curve(table[~table.method.str.contains("women")], 25, 1.0, 50, 0).empty


def test_what_was_asked_about_another_set_is_told_apart(predictions):
    rows = pd.concat([predictions, predictions.assign(method=predictions["method"] + ", tested on mias")])
    assert findings.on_other_set(rows).tolist() == [False] * len(predictions) + [True] * len(predictions)


def test_the_ladder_is_compared_with_folds_by_woman(predictions):
    rows = paired.named(predictions)
    image = rows[rows.method == "plain classifier"].assign(method="plain classifier, by image")
    old = findings.ladder(pd.concat([rows, image]), 50, 0)
    assert [*old.index] == ["folds by image", "folds by woman"]
    assert old.loc["folds by image", ["less", "auc value"]].tolist() == ["folds by woman", 0]
    woman = rows[rows.method == "2 blocks"].query("training == '1'").assign(method="plain classifier, by woman")
    new = findings.ladder(pd.concat([rows.assign(official=True), image, woman]), 50, 0)
    assert [*new.index] == ["folds by image", "folds by woman", "official parts"]
    assert new.loc["folds by woman", "less"] == "–" and new.loc["official parts", "accuracy high"] < 0
    shown = findings.told(new)
    (axis,) = figures.ladder({"real a": new}, "steps").axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["official parts", "folds by image"]
    assert shown.loc["folds by woman", "points of accuracy"] == "–" and shown["regions"].tolist() == [80] * 3
    assert findings.gap("real a", new).startswith("On real a, ") and "in a" not in findings.gap("a", new)
    blind = new.rename({"folds by woman": "no lesion shown, folds by woman"})
    assert findings.gap("a", blind).endswith(f"shown: AUC {new.loc['folds by woman', 'AUC']:.3f} with folds by woman.")
    assert findings.ladder(rows, 50, 0).empty and findings.told(pd.DataFrame()).empty


def test_a_network_of_the_ladder_is_compared_with_the_same_training(predictions):
    rows = paired.named(predictions)
    stopped = rows[(rows.method == "2 blocks") & (rows.training == "1")]
    found = findings.ladder(pd.concat([rows, stopped.assign(method="2 blocks, stopped on the test part")]), 50, 0)
    step = found.loc["two blocks, stopped on the test part"]
    assert step["auc value"] == step["accuracy low"] == 0 and step["less"] == "2 blocks"


def test_an_ablation_is_compared_with_two_blocks_of_the_first_training(predictions):
    rows = paired.named(predictions)
    assert findings.ablated(rows, 50, 0).empty
    other = rows[(rows.method == "2 blocks") & (rows.training == "1")].assign(method="2 blocks, without dropout")
    found = findings.ablated(pd.concat([rows, other]), 50, 0)
    assert found.iloc[:, -1].tolist() == ["–", "+0.000 [+0.000, +0.000]"] and "AUC of each training" not in found


def test_which_steps_a_set_can_show_is_counted():
    told = {"image_id": [*"abcd"], "patient": [*"1122"], "path": [*"pqrr"], "side": [*"lrll"], "label": 0}
    found = findings.companions(pd.DataFrame(told), 1)
    assert found["groups"].tolist()[:5] == [4, 3, "not told by the set", 3, 2]
    assert found.iloc[[0, 1, 3, 4], 1].tolist() == ["100%", "50%", "50%", "0%"]
    assert found.loc["by archive", "groups"] == "1 other set"


def test_which_set_a_region_is_from_is_told_fairly_from_few():
    y = np.array([1, 1] + [0] * 8)
    told = rows("a, gray levels and noise, by woman, which set", 0, y, np.where(y == 1, 0.3, 0.1))
    found = findings.which_set(paired.named(told), 20, 0)
    # All probabilities lie below 0.5, those of the set above its share of a fifth.
    assert found["balanced accuracy"].iloc[0].startswith("1.000") and found["of this set"].iloc[0] == 2


def test_knowing_the_set_is_worth_its_share_of_malignant_regions():
    table = pd.DataFrame({"source": [*"aaaabbbb"], "label": [1, 1, 1, 0, 1, 0, 0, 0]})
    # Of 16 pairs 9 are ordered rightly by the set, 6 tie, 1 is wrong.
    assert findings.knowing_the_set(table) == pytest.approx((9 + 6 / 2) / 16)


def test_kept_runs_are_told_apart_by_the_set_that_was_tested(predictions):
    other = predictions.assign(method=predictions["method"].str.replace("a, ", "mias, "))
    same = predictions.assign(method=predictions["method"].str.replace("a, ", "inbreast, "))
    record = {"data": {"twin": False}}
    found = findings.by_set({"x": (record, pd.concat([same, other])), "y": (record, other)})
    assert {name: len(one) for name, one in found.items()} == {
        "real INbreast, kept": len(same), "real MIAS, kept": len(other),
    }  # fmt: skip


def test_the_brightest_place_is_found_on_the_film():
    heat = np.zeros((10, 20))
    heat[2, 15] = 1  # a quarter down and three quarters across: row 125, column 277.5 of the film
    answer = SimpleNamespace(region=(100, 200, 200, 300), heat_map=heat)
    box = pd.Series({"top": 120, "bottom": 130, "left": 270, "right": 280})
    assert findings.on_box(answer, box)
    assert not findings.on_box(answer, box + pd.Series({"top": 6, "bottom": 6, "left": 0, "right": 0}))
    assert not findings.on_box(answer, box + pd.Series({"top": 0, "bottom": 0, "left": 8, "right": 8}))
