"""The plan of the IDC study, units of it, and what is said of them."""

import json

import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from histolib.metrics import predictions
from studybook.engine import parameters, units
from studybook.papers.idc_transfer import figures, findings, study
from studybook.published import verdicts

OWN = {
    "patients": 10, "training_seeds": [0, 1], "epochs_baseline": 1, "epochs_features": 1, "epochs_tuning": 1,
    "batch_size": 64, "rates": [0.01], "side": 32, "crafted": ["gray", "fuzzy_color"], "classifier": "quadratic",
    "protocols_of": [study.FOREST],
}  # fmt: skip


@pytest.fixture(scope="module")
def values(root):
    declared = parameters.of_notebook(root / "notebooks/idc_transfer.ipynb")
    return {name: one.default for name, one in declared.items()} | OWN


@pytest.fixture(scope="module")
def plan(values):
    return study.plan(values)


@pytest.fixture(scope="module")
def found(plan, tmp_path_factory):
    return units.gather(study, plan, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def rows(found, values):
    return findings.named(found, values)


def test_every_comparison_is_planned_once(plan):
    labels = [study.label(one) for one in plan]
    assert len(set(labels)) == len(labels) and json.loads(json.dumps(plan)) == plan
    networks = [(one["kind"], one["training_seed"]) for one in plan if one["kind"] in study.NETWORKS]
    assert networks == [(name, seed) for name in study.NETWORKS for seed in (0, 1)] + [(study.TUNING, 0)]
    others = {(one["split"], one["oversample"]) for one in plan} - {study.HONEST}
    assert others == {study.BY_PATCH, study.PUBLISHED}
    assert {study.group(one) for one in plan} >= {
        "patient-train-baseline",
        "patch-before-fitted",
        "patient-train-vgg16",
    }


def test_the_published_protocol_as_the_runs_own_is_planned_once(values):
    plan = study.plan(values | {"split": "patch", "oversample": "before", "protocols_of": [study.TUNING]})
    tuned = [
        one for one in plan if one["kind"] == study.TUNING and (one["split"], one["oversample"]) == study.PUBLISHED
    ]
    assert sorted((one["rate"], one["training_seed"]) for one in tuned) == [(0.001, 0), (0.001, 1), (0.01, 0)]


@pytest.mark.parametrize(("name", "value"), [("training_seeds", []), ("protocols_of", ["no such method"])])
def test_an_error_names_the_parameter(values, name, value):
    with pytest.raises(ValueError, match=name):
        study.plan(values | {name: value})


def test_whole_slides_alone_are_a_choice(plan):
    one = plan[0]
    counts = study.dataset(one).table["patient"].value_counts()
    kept = study.parts(one | {"least_patches": int(counts.median())})
    found = pd.concat([kept.train, kept.validation, kept.test])
    assert set(found["patient"]) == set(counts.index[counts >= counts.median()])
    with pytest.raises(ValueError, match="least_patches=9999: no patient"):
        study.parts(one | {"least_patches": 9999})


def test_all_methods_are_tested_on_the_same_patients(found, rows):
    tested = findings.comparable(rows)
    assert tested.groupby(["method", "seed"])["image_id"].apply(tuple).nunique() == 1
    assert set(tested["method"]) == {
        *study.NETWORKS, study.FROZEN, *study.PLAIN, study.CEILING, "gray histogram", "fuzzy color histogram",
    }  # fmt: skip
    assert set(tested.loc[tested["method"] == study.SCRATCH, "seed"]) == {0, 1}
    sides = found.units.set_index("split")["patients on both sides"]
    assert (sides["patient"] == 0).all() and (sides["patch"] > 0).all()
    before = found.units[found.units["oversample"] == "before"].iloc[0]
    # A fifth of the patches is tested, so a blend's two parents are both there with a chance of a few per cent.
    assert before["blends in the test part"] > 0 and before["blends with a parent in training"] > 0.5


def test_one_answer_to_everything_is_the_larger_class(rows):
    constant = rows[rows["method"] == study.CONSTANT]
    assert constant["p_1"].nunique() == 1 and metrics.one_answer(constant) == {study.CONSTANT: 0}


def test_the_threshold_is_the_best_on_the_validation_part():
    labels, scores = np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.25, 0.4])
    at = study.threshold(labels, scores)
    assert metrics.scores(labels, scores, at)["balanced_accuracy"] == pytest.approx(5 / 6)
    assert study.threshold(np.zeros(3), scores[:3]) == 0.5


def test_the_paper_claims_are_answered_by_a_run_and_by_a_kept_one(rows, root):
    votes = pd.concat(
        rows[rows["method"] == method].assign(method=findings.MAP + name)
        for method, name in ((study.FOREST, "VGG-16"), (study.DARKNESS, "color histograms"))
    )
    mine = findings.answers(pd.concat([rows, votes]), 20, 0)
    kept = findings.answers(predictions.load(root / "records/idc_transfer/sample/predictions.csv.gz"), 20, 0)
    assert set(mine) == {*findings.PAIRS, "tuning_collapses", "features_apart"} and set(kept) <= set(mine)
    table = verdicts.table("idc_transfer", {"kept": kept, "this run": mine})
    assert len(table) == len(mine) and verdicts.NOT_RUN not in set(table["this run"])
    assert set(findings.OPENING) <= set(mine)


def test_protocols_stand_beside_one_another_in_old_and_new_runs(rows, values):
    new = findings.protocols(rows, values)["method"].unique().tolist()
    assert new == [
        "by patient, SMOTE train, color_histogram", "by patch, SMOTE train, color_histogram",
        "by patch, SMOTE before, color_histogram",
    ]  # fmt: skip
    # Runs that were kept before networks were among them.
    short = rows["method"].str.replace(r"^(study: by .*), color_histogram$", r"\1", regex=True)
    assert not short.equals(rows["method"])
    assert findings.protocols(rows.assign(method=short), values)["method"].unique().tolist() == new


def test_fine_tuning_by_learning_rate_takes_the_first_training(rows, values):
    table = findings.rates({"run": rows}, {"run": values}, 20, 0)
    assert table["rate"].tolist() == [0.001, 0.01] and set(table["protocol"]) == {"by patient, SMOTE train"}
    flat = table.assign(value=[0.8, 0.5], low=[0.7, 0.45], high=[0.9, 0.55])
    assert "reaches one half at 0.01; the highest is 0.80 [0.70, 0.90] at 0.001" in findings.collapsed(flat).data
    assert "at none of these rates" in findings.collapsed(flat.assign(low=0.6)).data


def test_published_accuracies_are_held_against_the_published_protocol(rows, values):
    networks = rows[rows["method"].isin(study.NETWORKS)]
    published = networks.assign(method="study: by patch, SMOTE before, " + networks["method"])
    every = {"run": pd.concat([rows, published]), "old": rows}
    table = findings.published_protocol(every, dict.fromkeys(every, values), 20, 0)
    assert table.index.tolist() == [("run", name) for name in study.NETWORKS]
    assert table["published"].tolist() == [0.85, 0.81, 0.51]
    right = (networks["y_true"] == (networks["p_1"] >= 0.5)).groupby(networks["method"]).mean()
    assert table["value"].tolist() == pytest.approx(right[list(study.NETWORKS)].tolist())
    text = findings.came_back(table.assign(value=0.8, low=[0.79, 0.82, 0.5], high=0.9)).data
    assert text.count("(inside)") == 2 and "feature extraction 0.80 [0.82, 0.90], published 0.81 (outside)" in text
    assert "protocols_of" in findings.came_back(table.iloc[:0]).data


def test_confusion_in_shares_of_all_images():
    rows = pd.DataFrame({"method": "m", "y_true": [0, 0, 0, 1], "p_1": [0.1, 0.6, 0.2, 0.7]})
    assert findings.confusion_shares(rows).loc["m"].to_dict() == {"tp": 25, "fp": 25, "tn": 50, "fn": 0}


def test_classes_are_counted_before_and_after():
    counts = pd.DataFrame({"before": [9, 3], "after, both": [9, 9]}, index=["negative", "positive"])
    axis = figures.class_counts(counts, "title").axes[0]
    assert [bar.get_height() for bars in axis.containers for bar in bars] == [9, 9, 3, 9]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["before", "after,\nboth"]
    assert axis.get_title() == "title" and axis.get_ylabel() == "number of patches"


def test_patches_of_a_slide_lie_in_their_places():
    placed = pd.DataFrame({"x": [1, 101, 1], "y": [51, 51, 1], "y_true": [0, 1, 1], "p_1": [0.2, 0.7, 0.9]})
    figure = figures.slide_map(placed, "title")
    truth, given = (np.ma.filled(axis.images[0].get_array(), np.nan) for axis in figure.axes[:2])
    np.testing.assert_equal(truth, [[1, np.nan, np.nan], [0, np.nan, 1]])
    np.testing.assert_equal(given, [[0.9, np.nan, np.nan], [0.2, np.nan, 0.7]])
    assert figure.axes[0].get_xlabel() == "column (50 pixels each)" and figure._suptitle.get_text() == "title"
