"""The plan of the patch study, its sides and patches, and units of it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histolib import metrics, training
from histolib.images import patches
from histolib.metrics import aggregation
from studybook import twins
from studybook.engine import units
from studybook.papers.breakhis_patches import figures, findings, patch_data, scoring
from studybook.papers.breakhis_patches import study as study
from studybook.published import beside, verdicts

VALUES = {
    "data": None, "patients": 12, "data_seed": 3, "difficulty": 1.0,  "damaged": "error",
    "seed": 0, "split": "official", "folds": [1], "magnifications": [200],
    "base_contrast": "whitening", "base_structure": "stride 2", "base_cropping": "sliding 128", "contrasts": ["raw"],
    "structures": ["normal"], "croppings": ["random 256"], "networks": list(study.EARLIER), "shares": [0.5],
    "regularizations": ["none", "L2", "dropout"], "grid": False, "scale": 0.25, "overlap": 0.5, "crops": 5,
    "whole_size": 24, "width": 0.0625, "blocks": [1], "cnn_dropout": 0.25, "frozen_network": "efficientnet_lite0",
    "frozen_weights": "imagenet", "frozen_width": 1.0, "frozen_side": 32, "tuned_stages": 1, "tuned_rate": 1e-3,
    "tuned_dropout": 0.5, "validation": 0.25, "epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "patience": 2,
    "precision": "float32",
    "l2": 1e-3, "trainings": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return study.plan(VALUES)


def _unit(plan, **settings):
    return next(one for one in plan if all(one[name] == value for name, value in settings.items()))


def test_what_is_compared_is_planned_once_and_differs_in_one_setting(plan):
    assert [study.method(one) for one in plan] == [
        "ResNet, stride 2, whitening, sliding 128, 200x",
        "ResNet, stride 2, raw, sliding 128, 200x",
        "ResNet, normal, whitening, sliding 128, 200x",
        "ResNet, stride 2, whitening, random 256, 200x",
        "ResNet, stride 2, whitening, sliding 128, 50 % of the patients, 200x",
        "ResNet, stride 2, whitening, sliding 128, none, 200x",
        "ResNet, stride 2, whitening, sliding 128, L2, 200x",
        "ResNet, stride 2, whitening, sliding 128, dropout, 200x",
        "ResNet, stride 2, whitening, sliding 128, training 2, 200x",
        "ResNet, stride 2, raw, sliding 128, training 2, 200x",
        "color histogram, raw, whole, 200x",
        "SVM, raw, whole, 200x",
        "CNN on patches, raw, sliding 128, 200x",
        "CNN on whole images, raw, whole, 200x",
        "DeCAF, raw, sliding 128, 200x",
        "Lite0 fine-tuned, raw, sliding 128, 200x",
    ]
    assert [one["saved"] for one in plan] == [True] + [False] * (len(plan) - 1)
    assert json.loads(json.dumps(plan)) == plan
    assert study.plan(VALUES | {"contrasts": ["whitening", "raw", "raw"]}) == plan


def test_names_tell_all_units_of_the_whole_grid_apart():
    values = VALUES | {
        "contrasts": list(study.contrast.TREATMENTS), "structures": list(study.STRUCTURES), "grid": True,
        "croppings": list(patch_data.CROPPINGS), "magnifications": [40, 100, 200, 400], "folds": [1, 2],
    }  # fmt: skip
    whole = study.plan(values)
    assert len(whole) == 2 * 4 * (7 * 6 * 5 + 3 + 1 + 6 + 7)
    assert len({study.label(one) for one in whole}) == len(whole)
    assert len({(study.method(one), one["fold"]) for one in whole}) == len(whole)
    assert {study.group(one) for one in whole if one["network"] != study.OURS} == {
        f"earlier-fold{fold}-{k}x" for fold in (1, 2) for k in {one["magnification"] for one in whole}
    }


def test_croppings_of_the_slides():
    manifest = pd.DataFrame({"image_id": ["a"]})
    found = {name: len(patches.table(manifest, (460, 700), **how)) for name, how in patch_data.CROPPINGS.items()}
    assert found == {"random 256": 16, "random 64": 16, "sliding 128": 70, "sliding 64": 14 * 21,
                     patch_data.RESIZED: 16}  # fmt: skip


def test_a_resized_image_is_one_patch_of_the_network_s_side(plan):
    one = plan[0] | {"cropping": patch_data.RESIZED}
    (learned, rows), _, (test, tested) = patch_data.sides(one)
    assert learned[:2].shape[1:3] == test[:2].shape[1:3] == (32, 32)
    assert (rows.groupby("image_id").size() == VALUES["crops"]).all() and tested["image_id"].is_unique
    whole = patch_data.treated(plan[0])
    assert patch_data.treated(one).shape[1:3] == (32, 32) != whole.shape[1:3]


def test_planning_imports_no_network_library():
    code = "import sys; from studybook.papers.breakhis_patches import study; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"contrasts": ["clahe"]}, "contrast 'clahe'.*raw, CLAHE"),
        ({"base_structure": "deep"}, "structure 'deep'.*normal"),
        ({"croppings": ["sliding 32"]}, "cropping 'sliding 32'"),
        ({"networks": ["ResNet"]}, "network 'ResNet'.*SVM.*Lite0 fine-tuned"),
        ({"regularizations": ["l2"]}, "regularization 'l2'"),
        ({"shares": [0]}, "share 0"),
        ({"cnn_dropout": 1.0}, "cnn_dropout=1.0"),
        ({"tuned_dropout": -0.1}, "tuned_dropout=-0.1"),
    ],
)
def test_what_does_not_exist_is_refused_before_any_work(changed, message):
    with pytest.raises(ValueError, match=message):
        study.plan(VALUES | changed)


def test_a_damaged_file_stops_the_run_or_is_left_out(plan, tmp_path):
    folder = shutil.copytree(twins.folder("breakhis", 12, 3), tmp_path / "set")
    one = sorted(folder.rglob("*.png"))[0]
    one.write_bytes(one.read_bytes()[:200])
    real = plan[0] | {"data": str(folder), "patients": None}
    with pytest.raises(ValueError, match="damaged='skip'"):
        patch_data.dataset(real).images(16)
    assert len(patch_data.dataset(real | {"damaged": "skip"}).skipped) == 1


def test_no_patient_is_on_two_sides_and_fewer_patients_are_some_of_all(plan):
    three = {one["share"]: patch_data.parts(one) for one in plan if one["network"] == study.OURS}
    patients = patch_data.images_of(plan[0])["patient"].to_numpy()
    for parts in three.values():
        sides = [set(patients[rows]) for rows in parts]
        assert all(sides) and not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert set(three[0.5][0]) < set(three[1.0][0])
    assert all(np.array_equal(three[0.5][k], three[1.0][k]) for k in (1, 2))


def test_a_side_without_a_class_is_an_error_that_says_which(plan, monkeypatch):
    table = patch_data.images_of(plan[0])
    monkeypatch.setattr(patch_data, "images_of", lambda settings: table[table["label"] == 1].reset_index(drop=True))
    with pytest.raises(ValueError, match=r"fold 1 \(official\), 200x: .*training.*benign"):
        patch_data.parts(plan[0])


def test_every_cropping_learns_from_as_many_patches_and_votes_with_as_many_as_windows_have_places(plan):
    # Images of 115 by 175 pixels: windows of 32 at 0, 16, ..., 80 and 83; windows of 64 at 0, 32 and 51.
    for cropping, size, tested in (("sliding 128", 32, 7 * 10), ("random 256", 64, 3 * 5)):
        one = _unit(plan, cropping=cropping, network=study.OURS)
        (train, rows), (check, checked), (test, answers) = patch_data.sides(one)
        images = [len(at) for at in patch_data.parts(one)]
        assert [len(train), len(check), len(test)] == [5 * images[0], 5 * images[1], tested * images[2]]
        assert train.shape[1:] == (size, size, 3) and len(train) == len(rows)
        treated, places = patch_data.treated(one), answers[["image", "row", "column"]].to_numpy()
        whole = np.stack([treated[image, row : row + size, column : column + size] for image, row, column in places])
        assert np.array_equal(test[:], whole)
        assert set(rows["image_id"]).isdisjoint(checked["image_id"])


def test_contrast_is_learned_from_training_images_only(plan):
    train, _, test = patch_data.parts(plan[0])
    pixels = patch_data.treated(plan[0] | {"contrast": "raw"})
    fitted = study.contrast.treatment("whitening", **patch_data.treating(plan[0])).fit(pixels[train], 0)
    assert np.array_equal(patch_data.treated(plan[0])[test], fitted.transform(pixels[test]))
    fewer = _unit(plan, share=0.5)
    assert not np.array_equal(patch_data.treated(fewer), patch_data.treated(plan[0]))


def test_the_places_shown_are_those_cut(plan):
    found = patch_data.places(plan[0], 2, ["sliding 64", "random 64"])
    assert found["sliding 64"][1] == found["random 64"][1] == 16
    assert len(found["random 64"][0]) == len(found["sliding 64"][0]) == 14 * 21
    assert len(found["random 64"][0]) > VALUES["crops"]
    assert patch_data.counted(plan).shape == (1, 6)


def test_random_crops_may_be_more_for_learning_than_for_the_vote(plan):
    one = _unit(plan, cropping="random 256") | {"crops": 20}
    rows = patch_data.windows(one).groupby("image")
    assert (rows.size() == 20).all() and (rows["learned"].sum() == 20).all() and (rows["tested"].sum() == 15).all()


def test_a_share_of_the_patients_takes_as_many_steps(plan, monkeypatch):
    from histolib import training

    asked = []

    def fit(*given, callbacks, **settings):
        asked.append((given[4], callbacks[0].patience))
        raise InterruptedError

    monkeypatch.setattr(training, "fit", fit)
    for share in (1.0, 0.5, 0.75):
        with pytest.raises(InterruptedError):
            study.compute(plan[0] | {"share": share, "contrast": "raw"})
    assert asked == [(2, 2), (4, 4), (3, 3)]


def test_the_dropout_of_the_earlier_network_is_the_parameter(plan):
    model = study.untrained(_unit(plan, network="CNN on whole images"))
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.25, 0.25]


@pytest.mark.parametrize("scale", [0.25, 0.3, 0.5, 1.0])
def test_only_the_largest_patches_are_reduced_by_half_at_every_scale(plan, scale):
    for cropping, reduced in (("random 256", True), ("sliding 128", False), ("sliding 64", False)):
        if round(scale * 64) >= 32 or cropping != "sliding 64":
            one = plan[0] | {"scale": scale, "cropping": cropping}
            names = {layer.name: layer for layer in study.untrained(one).layers}
            assert ("reduction" in names) == reduced
            assert not reduced or names["reduction"].pool_size == (2, 2)


def test_a_unit_is_the_same_alone_and_after_others_of_its_group(plan):
    second = _unit(plan, regularization="none")
    study.compute(plan[0])
    after = study.compute(second)
    training.forget()
    alone = study.compute(second)
    assert alone.predictions.equals(after.predictions)
    assert alone.tables["history"].equals(after.tables["history"]) and len(alone.tables["history"]) == 2


@pytest.fixture(scope="module")
def found(plan, tmp_path_factory):
    few = [one | {"epochs": 1} for one in plan if one["structure"] != "normal" and one["cropping"] != "random 256"]
    few = [one for one in few if one["regularization"] not in ("none", "dropout")]
    return units.gather(study, few, tmp_path_factory.mktemp("units"), kept=scoring.joined(3))


@pytest.fixture(scope="module")
def saved(found):
    """All patches, as they are never held at the paper's scale."""
    return found.saved()


def test_all_methods_are_tested_on_the_same_images_with_names_of_their_patches(found, saved):
    for _, rows in saved.groupby("method"):
        assert set(rows["image_id"]) == set(found.predictions["image_id"])
        assert rows["patch_id"].is_unique and rows["patch_id"].str.startswith(tuple(rows["image_id"])).all()
    assert (found.units["malignant share"].between(0.3, 0.9)).all()


@pytest.mark.parametrize("rule", aggregation.RULES)
def test_images_tell_what_all_patches_together_told(found, saved, rule):
    shares = found.units.set_index(["method", "fold"])["malignant share"]
    by = scoring.levels(found.predictions, rule, 3)
    for level, rows in by.items():
        parts = []
        for key, part in saved.groupby(["method", "fold"], sort=False):
            prior = (1 - shares[key], shares[key]) if rule == "sum" else None
            parts.append(aggregation.aggregate(part, level, rule, 3, prior=prior))
        expected = pd.concat(parts, ignore_index=True)
        names = ["method", "fold", "image_id", "patient", "y_true", "p_1"]
        pd.testing.assert_frame_equal(rows[names], expected[names], check_exact=True)
        assert np.allclose(rows["p_0"], expected["p_0"], atol=2e-6, rtol=0)
    scores = scoring.scores(found, by, draws=3, seed=1)
    each = {"patch": saved} | by
    old = pd.concat({level: metrics.summary(rows, 3, 1) for level, rows in each.items()}, names=["level"])
    old = old.reorder_levels(["method", "level", "score"]).loc[found.units["method"].unique()]
    pd.testing.assert_frame_equal(scores, old, check_exact=True)


def test_scores_of_levels_differences_and_maps(found):
    levels = scoring.levels(found.predictions)
    assert len(levels["image"]) > len(levels["patient"])
    scores = scoring.scores(found, levels, draws=5)
    chosen = scoring.varied(found, "contrast")
    assert chosen["variant"].tolist() == ["whitening", "raw"] and chosen["saved"].tolist() == [True, False]
    tidy = scoring.of_variants(chosen, scores)
    assert list(dict.fromkeys(tidy["score"]))[:2] == ["patch AUC", "image accuracy"]
    assert scoring.wide(tidy).shape == (2, 5)
    against = scoring.varied(found, "network")
    assert against["variant"].tolist() == [study.OURS, scoring.RAW, *study.EARLIER]
    tidy = scoring.of_variants(against, scores, scoring.SHOWN_OF_METHODS)
    uncut = tidy["variant"].isin(["color histogram", "SVM", "CNN on whole images"]) & tidy["score"].str.startswith(
        "patch"
    )
    assert tidy["value"].isna().equals(uncut)
    table = scoring.votes(found, against, tidy)
    assert table.columns[[0, 3]].tolist() == ["patches per tested image", "image balanced accuracy"]
    assert table["patches per tested image"].tolist() == [70, 70, 1, 1, 70, 1, 70, 70]
    assert table.loc[("200×", "SVM"), "patch AUC"] == "–" != table.loc[("200×", "DeCAF"), "patch AUC"]
    rules = scoring.rules(found, chosen[chosen["saved"]], 3, draws=5)
    assert list(dict.fromkeys(rules["variant"])) == ["sum", "vote", "average", "exist", "exist-3"]
    gaps = findings.gaps(found, scores)
    assert gaps.shape == (2, 6) and gaps.index.get_level_values(1).tolist() == ["early stopping", "L2"]
    assert gaps["epoch kept"].tolist() == gaps["last epoch"].tolist() == ["1", "1"]
    assert findings.certainty(found, chosen[chosen["saved"]], scores).shape == (1, 2)
    unit = study.base(found, fold=1)
    maps = study.localized(unit, findings.typical(levels["image"][levels["image"]["method"] == unit["method"]]), 0.5)
    for image, values in maps.values():
        assert image.shape[:2] == values.shape == (115, 175) and 0 <= values.min() <= values.max() <= 1


def test_the_image_shown_has_the_median_probability(found):
    rows = found.predictions.query("method == @found.units['method'].iloc[0]")
    shown = findings.typical(rows)
    assert shown["y_true"].tolist() == [0, 1]
    for row in shown.itertuples():
        p = rows.loc[rows["y_true"] == row.y_true, "p_1"]
        assert (p < row.p_1).sum() <= len(p) / 2 and (p > row.p_1).sum() <= len(p) / 2


def test_a_setting_that_is_not_varied_is_an_error(found):
    with pytest.raises(ValueError, match="name='epochs'.*network"):
        scoring.varied(found, "epochs")


def test_names_tell_the_settings_of_this_run_and_of_earlier_ones(found):
    told = findings.named(found.predictions.drop_duplicates(["method", "fold"]))
    units_ = found.units.set_index(["method", "fold"])
    for name in ("network", "structure", "contrast", "cropping", "regularization", "share", "magnification"):
        assert told[name].tolist() == units_.loc[list(zip(told["method"], told["fold"])), name].tolist()
    assert (told["training"] - 1).tolist() == units_.loc[list(zip(told["method"], told["fold"])), "training"].tolist()


def test_differences_are_paired_over_all_trainings(found):
    levels = scoring.levels(found.predictions)
    rows = findings.of_variants(levels["image"], "contrast")
    assert set(rows["method"]) == {"raw", "whitening"} and set(rows["training"]) == {1, 2}
    less = findings.difference(rows, "raw", ["whitening"], draws=5)
    right = ((rows["p_1"] >= 0.5) == rows["y_true"]).groupby(rows["method"]).mean()
    assert less["value"] == pytest.approx(right["raw"] - right["whitening"])
    each = findings.trainings(levels["image"], "whitening", "raw", draws=5)
    assert each.shape == (2, 1)
    mean = np.mean([float(text.split()[0]) for text in each["200×"]])
    assert mean == pytest.approx(-less["value"], abs=1e-3)
    assert findings.difference(rows, "raw", ["CLAHE"]) is None


def test_the_base_setting_less_each_other_value(found):
    images = scoring.levels(found.predictions)["image"]
    table = findings.against_base(images, "contrast", draws=5)
    assert table.index.tolist() == [("200×", "whitening less raw")]
    assert findings.text(table).columns.tolist() == ["image accuracy", "balanced accuracy", "AUC"]
    assert "whitening less raw at 200×" in findings.read(table)
    none = findings.against_base(images, "structure", draws=5)
    assert none.empty and findings.text(none).empty and "base setting only" in findings.read(none)
    assert len(pd.concat({"none": findings.text(none), "one": findings.text(table)})) == 1


def test_statements_are_corrected_for_their_number(found):
    table = findings.statements(scoring.levels(found.predictions), draws=20)
    there = table[table["this run"] != findings.HERE]
    assert len(there) == 4 * 3 + 2 and len(table) > len(there)  # four methods, three scores; two rules
    assert (there["p (Holm)"].astype(float) <= 1).all()
    # By hand: p values 0.0455, 0.3173 (values of 2 and 1 standard errors), times 2 and 1.
    rows = {"one": pd.Series({"value": 2.0, "low": 2 - 1.96, "high": 2 + 1.96}),
            "two": pd.Series({"value": 1.0, "low": 1 - 1.96, "high": 1 + 1.96})}  # fmt: skip
    keys = {("said", name): one for name, one in rows.items()} | {("said", "three"): None}
    assert findings._corrected(keys)["p (Holm)"].tolist() == ["0.09", "0.32", "–"]


def test_claims_are_answered_from_predictions_alone(found):
    told = findings.differences(scoring.levels(found.predictions), draws=5)
    assert set(told) == {"rules_better", "sum_better", "better_than_others", "better_for_patients"}
    rows = found.predictions[~found.predictions["method"].str.contains("L2|%|raw")]
    right = {rule: ((rows[rule] >= 0.5) == rows["y_true"]).mean() for rule in aggregation.RULES}
    assert told["sum_better"]["value"] == pytest.approx(right["sum"] - right["exist"])
    assert told["rules_better"]["value"] == pytest.approx((right["average"] + right["vote"]) / 2 - right["exist"])
    shown = verdicts.table("breakhis_patches", {"run": told})
    assert (shown["run"] != verdicts.NOT_RUN).sum() == 4
    auc = pd.Series({"value": 0.1, "low": 0.05, "high": 0.2})
    assert findings.differences(scoring.levels(found.predictions), 5, 0, auc)["auc_low"] is auc


def test_the_lowest_and_the_highest_magnification_are_read_again(found, saved):
    assert findings.auc_by_magnification(found) is None
    first, name = found.units[:1], found.units["method"].iloc[0]
    at = {k: name.replace("200x", f"{k}x") for k in (40, 100, 200)}
    other = first.assign(method=at[40], folder=found.units["folder"].iloc[1])
    three = replace(found, units=pd.concat([other, first.assign(method=at[100]), first]),
                    predictions=pd.DataFrame({"method": at.values()}))  # fmt: skip
    scores = [metrics.scores(*saved.loc[saved["method"] == one, ["y_true", "p_1"]].to_numpy().T)["auc"]
              for one in found.units["method"].iloc[:2]]  # fmt: skip
    assert findings.auc_by_magnification(three, draws=5)["value"] == pytest.approx(scores[0] - scores[1])
    same = replace(three, units=three.units.assign(folder=first["folder"].iloc[0]))
    assert findings.auc_by_magnification(same, draws=5).tolist() == [0, 0, 0]


def test_differences_from_constant_and_colors_are_of_all_magnifications_together(found):
    rows = findings.with_constant(scoring.levels(found.predictions)["image"])
    assert set(rows["method"]) == {findings.CONSTANT, study.OURS, scoring.RAW, *study.EARLIER}
    table = findings.beaten(rows, draws=5)
    assert table.index.tolist() == [name for name in dict.fromkeys(rows["method"]) if name != findings.CONSTANT]
    assert table.columns.unique(0).tolist() == ["less always malignant", "less color histogram"]
    one = metrics.scores(*rows.loc[rows["method"] == "DeCAF", ["y_true", "p_1"]].to_numpy().T)
    assert table.loc["DeCAF", ("less always malignant", "AUC")].startswith(f"{one['auc'] - 0.5:+.2f} [")
    assert table.loc["color histogram", ("less color histogram", "AUC")] == "–"
    table = beside.recognized(rows, findings.TITLES, ["fold", "magnification"], draws=5)
    assert table.columns.tolist() == ["recognition rate", *findings.TITLES.values()]
    rate = metrics.recognition_rate(rows, ["method"])["DeCAF"]
    assert table.loc["DeCAF", "recognition rate"].startswith(f"{rate:.2f} [")
    base = scoring.levels(found.predictions)["image"].query("method == @found.units['method'].iloc[0]")
    drawn = findings.with_constant(base, base.assign(method=findings.CEILING, p_0=0.25, p_1=0.75))
    assert drawn["method"].unique().tolist() == [findings.CONSTANT, findings.CEILING, study.OURS]
    assert (drawn.loc[drawn["method"] == findings.CEILING, "p_1"] == 0.75).all()
    perfect = rows.assign(p_1=rows["p_1"].where(rows["method"] != "DeCAF", 0.1 + 0.8 * rows["y_true"]))
    perfect = perfect[perfect["method"].isin([findings.CONSTANT, "DeCAF"])]
    assert findings.winners(perfect, draws=20) == ["DeCAF"]


def test_the_choice_on_the_test_is_never_below_that_on_validation(found):
    images = scoring.levels(found.predictions)["image"]
    rows = findings.selected(found, images)
    right = ((rows["p_1"] >= 0.5) == rows["y_true"]).groupby(rows["method"]).mean()
    own = images[images["method"].str.startswith(study.OURS)]
    each = ((own["p_1"] >= 0.5) == own["y_true"]).groupby(own["method"]).mean()
    assert right["chosen on the test"] == each.max() >= right["chosen on validation"]
    units_ = found.units[found.units["network"] == study.OURS]
    checked = {row["method"]: found.tables["history"][name].loc[row["epoch kept"], "val_accuracy"]
               for name, row in units_.iterrows()}  # fmt: skip
    best = max(checked, key=checked.get)
    chosen = rows[rows["method"] == "chosen on validation"]
    assert chosen["p_1"].tolist() == own[own["method"] == best]["p_1"].tolist()


def test_methods_with_one_answer_are_marked(found):
    scores = scoring.scores(found, scoring.levels(found.predictions), draws=5)
    tidy = scoring.of_variants(scoring.varied(found, "contrast"), scores)
    marked = scoring.wide(tidy, flags=[tidy["method"].iloc[-1]]).index.get_level_values("variant")
    assert marked.tolist() == ["whitening", "raw ⚑ one answer"]


def test_fine_tuning_changes_the_last_stages_and_no_statistics(plan):
    unit = _unit(plan, network=study.TUNED)
    (learned, rows), (check, checked), _ = patch_data.sides(unit)
    before = study.untrained(unit)
    fit, _ = study.train(
        study.untrained(unit), unit, learned, rows["label"].to_numpy(), (check, checked["label"].to_numpy())
    )
    old, new = (model.get_layer("efficientnet_lite0") for model in (before, fit.model))
    pairs = [(layer.name, *both) for layer in old.layers
             for both in zip(layer.get_weights(), new.get_layer(layer.name).get_weights(), strict=True)]  # fmt: skip
    changed = [name for name, a, b in pairs if not np.array_equal(a, b)]
    assert changed and all(name.startswith("stage7_") and not name.endswith("_bn") for name in changed)
    assert float(fit.model.optimizer.learning_rate) == pytest.approx(1e-3)


def test_a_figure_of_one_variant_is_left_out(found):
    scores = scoring.scores(found, scoring.levels(found.predictions), draws=5)
    contrasts = scoring.of_variants(scoring.varied(found, "contrast"), scores)
    assert figures.variants(contrasts[contrasts["variant"] == "raw"], "one") is None
    assert len(figures.variants(contrasts, "two").axes) >= 2
