"""What the checks of each paper find: every check that does not agree, and the numbers behind the notable ones."""

import re

import pytest
from checks import by_verdict, report

from studybook.papers.breakhis_magnification import checks as magnification
from studybook.published import consistency, reported
from studybook.published.report import Paper

CONTRADICTS, NOT_STATED, OUTSIDE = "contradicts itself", "not stated", "differs from an outside fact"
NETWORKS = ("vgg16", "resnet50", "inceptionv3")
MODELS = ("baseline", "feature_extraction", "fine_tuning")
# Number of checks, and those that do not agree, by verdict.
VERDICTS = {
    "idc_transfer": (69, {
        CONTRADICTS: """patches_fit one_test_part one_average table_3_accuracy_baseline table_3_f1_fine_tuning
            table_3_precision_feature_extraction table_3_precision_fine_tuning table_5_accuracy table_5_f1 table_5_share
            tables_3_and_5_accuracy quoted_share_by_accuracy name_of_score_rgb name_of_score_original
            name_of_score_pooling baseline_above_by_accuracy baseline_above_by_f1 features_above_by_f1
            features_above_baseline fuzzy_f1 fuzzy_accuracy rgb_f1 f1_gain_by_table accuracy_gain_by_text
            accuracy_gain_by_table best_handcrafted time_against_tuning time_against_scratch rotation shift
            table_of_confusion table_of_handcrafted figure_of_flat_curve""",
        NOT_STATED: " ".join(f"test_share_{model}" for model in MODELS) + " real_test_patches quoted_share",
        OUTSIDE: "archive_patients beta_2",
    }),
    "bach_boosting": (87, {
        CONTRADICTS: """boosting_overfits descriptors_needed enlargement abstract_set_point models_shown
            seeds_averaged std_resnet_400 std_resnet_650 std_vgg_400 std_vgg_650 std_inception_400
            std_inception_650 gain_in_points gain_in_percent""",
        NOT_STATED: "chance_fusion",
        OUTSIDE: "pretraining_classes log_std_resnet_650",
    }),
    "mammography_finetuning": (67, {
        CONTRADICTS: "md_cases tuned_layers early_stopping figure_of_all_blocks fastest framework_md "
        + " ".join(f"std_{dataset}_{network}" for dataset in ("bcdr", "inbreast") for network in NETWORKS),
        NOT_STATED: """ddsm_regions inceptionv3_time unseen_ddsm unseen_bcdr unseen_inbreast lead_ddsm lead_bcdr
            lead_inbreast lead_md wrong_images above_others_mias others_both_scores""",
        OUTSIDE: """inbreast_regions resnet50_blocks inceptionv3_blocks resnet50_activations input_size
            deepest_by_way""",
    }),
    "breakhis_magnification": (31, {
        CONTRADICTS: "score_name gain_200 second_task classifier_name",
        NOT_STATED: "sides_stride_4_not_padded weights gain_of_one_patient",
        OUTSIDE: "slides test_share patients_apart ever_tested",
    }),
    "breakhis_patches": (22, {
        CONTRADICTS: "images unit kowal_images",
        OUTSIDE: "george_images highest_axis agreement slides axes_from_zero",
    }),
}  # fmt: skip
# What the recomputed column holds.
FOUND = {
    "idc_transfer": {
        "patches": "277524", "class_ratio": "2.5225", "women": "162", "archive_patients": "279",
        "patches_fit": "205902", "total_fine_tuning": "100.53", "test_share_baseline": "0.2839",
        "one_test_part": "no common share", "real_test_patches": "39.6 %", "one_average": "none",
        "table_3_accuracy_baseline": "0.8385", "table_3_precision_baseline": "0.8626", "table_3_f1_baseline": "0.83376",
        "table_3_accuracy_fine_tuning": "0.515", "table_3_f1_fine_tuning": "0.0687", "table_5_accuracy": "0.8385",
        "table_5_share": "0.502", "tables_3_and_5_accuracy": "0.8562", "quoted_share_by_balanced": "0.2086 to 0.2100",
        "quoted_share_by_accuracy": "0.4705", "name_of_score_original": "84.23", "baseline_above_by_accuracy": "0.8387",
        "baseline_above_by_f1": "0.7029", "features_above_baseline": "0.81, 0.81", "pooling_f1_gain": "11.506",
        "confusion_fine_tuning": "1.8, 0.03, 50, 48.7", "f1_gain_by_text": "20.8955", "accuracy_gain_by_text": "3.846",
        "time_against_scratch": "0.0958", "time_against_tuning": "0.108", "figure_of_flat_curve": "8",
    },
    "bach_boosting": {
        "models_shown": "300", "descriptors_needed": "600", "enlargement": "50", "pretraining_classes": "1000",
        "seeds_averaged": "47 of 60", "std_resnet_400": "3.86", "std_resnet_650": "4.87", "std_vgg_400": "2.21",
        "std_vgg_650": "3.88", "std_inception_400": "6.31", "std_inception_650": "5.22",
        "gain_in_points": "3.1 to 4.7", "gain_in_percent": "3.7 to 5.7", "chance_fusion": "2.7 to 7.3",
        "abstract_set_point": "92.25", "descriptors": "300", "models": "600", "descriptor_length": "1408",
        "fusion_steps": "2.5", "constituent_steps": "0.5", "mean_fusion": "87.25", "mean_inception_650": "82.55",
        "fusion_images": "349 of 400", "std_fusion": "2.61", "std_seeds_inception_400": "at least 6.40",
        "std_fold_3": "5.718", "std_mean": "3", "steadier": "1.83",
        "high_sensitivity_point": "193 of 200 and 176 of 200", "middle_point": "186 of 200 and 189 of 200",
        "missed_at_point": "14 at 0.50", "accuracy_at_point": "93.75 at 0.50", "auc": "0.910 to 0.994",
        "answers_missed_in_situ": "9", "answers_missed_invasive": "5", "answers_accuracy": "87.25",
        "answers_two_class_accuracy": "93.75", "answers_two_class_std": "2.30", "answers_auc": "0.97337",
        "answers_high_sensitivity": "96.5", "answers_middle_specificity": "94.5",
        "log_cells_resnet_400": "10 the same", "log_std_resnet_650": "5.145", "log_std_vgg_400": "2.876",
    },
    "mammography_finetuning": {
        "ddsm_cases": "1329", "ddsm_views": "5316", "md_images": "6116", "md_cases": "1679", "vgg16_layers": "23",
        "bcdr_regions": "at most 600", "ddsm_regions": "at most 2658", "inbreast_regions": "at most 107",
        "right_answers_inbreast": "190, 185, 191 of 200", "right_answers_ddsm": "5163, 5171, 5175 of 5316",
        "best_md": "inceptionv3", "resnet50_time": "122.1", "inceptionv3_time": "at least 91.6", "fastest": "DDSM, MD",
        "slowest": "DDSM, BCDR, INbreast, MD", "by_size_resnet50": "92.50, 96.50, 97.27, 98.77",
        "above_others_ddsm": "5175 of 5316", "above_others_mias": "111 of 113", "others_both_scores": "DDSM",
        "abstract_bcdr": "96.67, 0.96", "discussion_md": "98.94", "unseen_ddsm": "0.8 %", "unseen_bcdr": "19.9 %",
        "resnet50_blocks": "130, 7, 14, 23", "inceptionv3_blocks": "221, 22, 44, 58",
        "deepest_by_way": "resnet50 49, inceptionv3 47", "input_size": "299", "std_inbreast_vgg16": "0.00 or 1.58",
        "std_bcdr_resnet50": "2.26 or 2.31", "lead_inbreast": "lead 0.50, standard deviation 2.00",
        "framework_md": "97.22", "wrong_images": "141 + 20 + 9 = 170", "tuned_layers": "8, 22, 44",
        "figure_of_all_blocks": "6",
    },
    "breakhis_magnification": {
        "images": "7909", "images_per_patient": "24.329", "images_in_all": "7708", "enlargement": "8",
        "sides_stride_1_not_padded": "46, 20, 8", "sides_as_in_the_cited_network": "12, 6, 3",
        "sides_stride_4_not_padded": "11, 3, 0", "weights": "2.6 to 35.0 million", "weights_of_second_task": "2052",
        "gain_40": "+1.57", "gain_200": "-0.30", "gain_400": "+2.19", "above_all_malignant": "67.9",
        "gain_of_one_patient": "+1.42 on average, +2.23 at most; one patient is 3.57", "above_most_frequent": "26.3",
        "beside_pftas": "-0.08", "test_share": "36.7, 30.4, 32.6, 34.1, 39.0", "slides": "81",
        "patients_apart": "1, 3, 5", "ever_tested": "69, in 140 places", "score_name": "Recognition Rate",
        "second_task": "-1.12", "classifier_name": "QDA",
    },
    "breakhis_patches": {
        "images": "7909", "images_by_class": "7909", "images_100": "2081", "slides": "81", "highest_axis": "100",
        "variants_preprocessing": "7", "variants_comparison_patients": "5", "axes_from_zero": "0 %", "unit": "patch",
        "kowal_patients": "50, 48, 50, 49 of 50", "kowal_other_images": "406, 386, 396, 403 of 450",
        "kowal_images": "none, none, 440, none of 500", "george_images": "92", "esteva_human": "66.0",
        "agreement": "75.3",
    },
}  # fmt: skip
REMARKS = {
    "breakhis_magnification": "letters tuned_on_test_images gain_by_augmentation training_time",
    "breakhis_patches": """cropping_chart_title better_than_others sliding_or_random stride complexity
        resizing_without_result largest_difference sum_and_average precision auc""",
}


@pytest.fixture(scope="module")
def reports():
    return {paper: report(paper) for paper in reported.papers()}


@pytest.mark.parametrize("paper", VERDICTS)
def test_disagreements_are_these_and_no_others(reports, paper):
    number, verdicts = VERDICTS[paper]
    assert len(reports[paper]) == number
    assert by_verdict(reports[paper]) == {verdict: {*ids.split()} for verdict, ids in verdicts.items()}


@pytest.mark.parametrize("paper", FOUND)
def test_recomputed_numbers(reports, paper):
    recomputed = reports[paper]["recomputed"]
    assert {id: recomputed[id] for id, text in FOUND[paper].items() if text not in recomputed[id]} == {}


@pytest.mark.parametrize("paper", reported.papers())
def test_every_row_is_filled_and_what_differs_is_explained(reports, paper):
    report = reports[paper]
    assert all(re.fullmatch("[a-z0-9_]+", id) for id in report.index)
    assert not report.duplicated(["check", "place"]).any()
    assert (report[["check", "place", "reported", "recomputed"]] != "").all(axis=None)
    # Wherever numbers disagree the reader is told what that may mean, but for rows that speak alone.
    silent = report[(report["verdict"] != "agrees") & (report["remark"] == "")]
    assert set(silent.index) <= {"table_5_accuracy", "table_5_f1"}


@pytest.mark.parametrize("paper", VERDICTS)
def test_remarks_are_apart_from_checks(paper):
    found = consistency.remarks(paper)
    assert set(found.index) == {*REMARKS.get(paper, "").split()}
    assert found["remark"].str.endswith(".").all() and not found["remark"].str.contains("{", regex=False).any()


def test_averages_of_table_3(reports):
    remark = reports["idc_transfer"]["remark"]
    fits = {method: remark[f"table_3_precision_{method}"] for method in MODELS}
    assert "positive class" in fits["baseline"] and "mean of both" not in fits["baseline"]
    assert fits["feature_extraction"] == fits["fine_tuning"] and "mean of both classes" in fits["fine_tuning"]
    assert "class" not in remark["table_3_f1_fine_tuning"]


def test_the_best_handcrafted_features_are_the_first_of_table_4():
    table = reported.table("idc_transfer", 4).query("method != 'feature_extraction'").set_index("method")
    assert table["f1"].idxmax() == table["accuracy"].idxmax() == "fuzzy color histogram"


def test_deviations_of_constituents_and_their_divisor(reports):
    remark = reports["bach_boosting"]["remark"]
    assert "4.07" in remark["std_resnet_400"] and "larger" in remark["std_resnet_400"]
    assert (
        "if divided by one less" in remark["std_inception_650"]
        and "seeds" in remark["std_inception_650"]
        and "2.75" in remark["std_fusion"]
    )


def test_the_gain_on_the_merged_data_by_hand(reports):
    # 6116 images with 1.06 % wrong are 64.8; were all of them DDSM's, 1 - 64.8 / 5316 of those are right.
    row = reports["mammography_finetuning"].loc["wrong_images"]
    assert row["reported"] == "65" and "97.35 to at least 98.78 %" in row["remark"]


@pytest.mark.parametrize(("dataset", "lead"), [("bcdr", "vgg16 is 1 image of 600"), ("md", "resnet50 is 10 images of")])
def test_leads_are_counted_in_images(reports, dataset, lead):
    assert lead in reports["mammography_finetuning"].at[f"lead_{dataset}", "remark"]


def test_quoted_range_and_axis_are_the_extremes_of_their_columns():
    patients = reported.table("breakhis_patches", "kowal").set_index("method")["patients"]
    assert patients.min() == patients["FCM"] and patients.max() == patients["KM"]
    assert reported.table("breakhis_patches", "charts").set_index("chart")["high"].idxmax() == "aggregation_precision"


def test_weights_by_hand():
    paper = Paper("breakhis_magnification")
    convolutions = 96 * (3 * 49 + 1) + 256 * (96 * 25 + 1) + 384 * (256 * 9 + 1)
    dense = 512 * (384 * 9 + 1) + 512 * 513
    assert magnification.weights(paper, side=3) == convolutions + dense + 2 * 513
    assert magnification.weights(paper, side=3, tasks=2) == convolutions + dense + 6 * 513


def test_sizes_by_hand():
    paper = Paper("breakhis_magnification")
    # 100 - 7 + 1 = 94, (94 - 3) // 2 + 1 = 46; 42 and 20; 18 and 8.
    assert magnification.sizes(paper, stride=1) == [46, 20, 8]
    # 25, 12; 12, 5; 5, 2.
    assert magnification.sizes(paper, 4, ("convolution",)) == [12, 5, 2]
    # (100 - 7) // 4 + 1 = 24, and 24 / 2, 12 / 2, 6 / 2 with a last window beyond the border.
    assert magnification.cited_sizes(paper) == [12, 6, 3]


def test_gains_carry_the_rounding_of_both_numbers():
    gain = magnification.gains(Paper("breakhis_magnification"))["200"]
    assert gain == pytest.approx((-0.30, -0.31, -0.29))
