"""What a run's predictions say about the claims of the BACH paper."""

import inspect

import numpy as np
import pandas as pd
import pytest

from histolib.metrics import fusion, predictions
from histolib.training import extraction
from studybook.papers.bach_boosting import findings
from studybook.published import reported, verdicts

MANIFEST = pd.DataFrame({"image_id": [f"i{k}" for k in range(40)], "label": np.arange(40) % 4})
MANIFEST["patient"] = MANIFEST["image_id"]


def answers(wrong: int, sure: float = 0.7, shift: int = 0) -> np.ndarray:
    """Probabilities that are wrong in `wrong` images from number `shift` on."""
    called = MANIFEST["label"].to_numpy().copy()
    called[shift : shift + wrong] = (called[shift : shift + wrong] + 1) % 4
    return np.where(np.eye(4)[called] > 0, sure, (1 - sure) / 3)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Two models of two seeds; the first is wrong in 4 and in 8 images, by its average in 8, the second in 12."""
    seeds = {
        "A-400": [answers(4, 0.4), answers(8, 0.9)],
        "B-400": [answers(12, 0.6, 8), answers(12, 0.6, 8)],
    }
    single = [findings.of_seeds(name, MANIFEST, np.stack(p)[:, :, None], 1, (0, 1)) for name, p in seeds.items()]
    single = pd.concat(single)
    others = {
        "color histogram": answers(20),
        "logistic regression": answers(10),
        "random weights": answers(30),
        f"{findings.PLAIN}: A-400": answers(16),
    }
    others = [predictions.table(name, MANIFEST, p) for name, p in others.items()]
    return pd.concat([single, fusion.fuse(single), *others])  # rows are not numbered throughout


def test_differences_by_hand(rows):
    found = findings.differences(rows, draws=50)
    assert findings.best_part(rows) == "A-400"
    right = predictions.scores_of(rows[rows["method"] == fusion.FUSION]).argmax(1) == MANIFEST["label"]
    fused = right.mean()
    values = {
        "best_part": fused - 0.8, "average_part": fused - 0.75, "four_points": fused - 0.84, "color": fused - 0.5,
        "photographs": 0.5, "augmentation": 0.2, "seeds": ((0.8 - 0.85) + 0) / 2,
    }  # fmt: skip
    assert {name: row["value"] for name, row in found.items()} == pytest.approx(values)
    assert all(row["low"] <= row["value"] <= row["high"] for row in found.values())
    assert {*found} <= {claim["id"] for claim in reported.verdicts("bach_boosting")}


def test_how_alike_mistakes_are(rows):
    # Wrong in images 0 to 7 and 8 to 19 of 40: the correlation of two shares that exclude each other.
    expected = (0 - 0.2 * 0.3) / (0.2 * 0.8 * 0.3 * 0.7) ** 0.5
    assert findings.alike(rows) == pytest.approx(expected)
    assert np.isnan(findings.alike(rows[rows["method"] != "B-400"]))


def test_the_interval_is_that_of_drawn_images(rows):
    found = findings.differences(rows, draws=4000)["photographs"]
    # 20 of 40 images are right with one method alone: the share scatters by the root of 0.5 * 0.5 / 40.
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * (0.25 / 40) ** 0.5, rel=0.1)


def test_images_of_one_patient_are_drawn_together(rows):
    by_image = findings.differences(rows, draws=1000)["photographs"]
    twice = rows.assign(patient="p" + (rows["image_id"].str[1:].astype(int) % 10).astype(str))
    by_patient = findings.differences(twice, draws=1000)["photographs"]
    assert by_patient["value"] == by_image["value"] and by_patient["low"] != by_image["low"]


def test_one_seed_and_no_study_leave_claims_open(rows):
    few = rows[(rows["seed"].isna() | (rows["seed"] == 0)) & ~rows["method"].str.startswith(predictions.STUDY)]
    found = findings.differences(few, draws=20)
    assert "seeds" not in found and "augmentation" not in found
    table = verdicts.table("bach_boosting", {"this run": found})
    assert (table["this run"] == verdicts.NOT_RUN).sum() == 3


def test_studies_on_other_images_do_not_matter(rows):
    other = rows[rows["method"] == "random weights"]
    other = other.assign(method=f"{predictions.STUDY}folds", image_id=other["image_id"] + "#0")
    changed = findings.differences(pd.concat([rows, other], ignore_index=True), draws=20)
    pd.testing.assert_frame_equal(pd.DataFrame(changed), pd.DataFrame(findings.differences(rows, draws=20)))


def test_what_is_left_out_is_known_to_the_encoding():
    known = inspect.signature(extraction.encode).parameters
    for name, options in findings.OTHERWISE.items():
        assert name.startswith(predictions.STUDY)
        # Each changes something.
        usual = {key: findings.OWN.get(key, known[key].default) for key in options}
        assert options and all(usual[key] != value for key, value in options.items())
