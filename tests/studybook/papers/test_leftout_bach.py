"""The fusion without one kind of variety; missed carcinomas."""

import numpy as np
import pandas as pd
import pytest
from fused import FOLD, MANIFEST, one_class, rows

from histolib.metrics import predictions
from studybook.papers.bach_boosting import findings, leftout


def test_ablations_leave_one_kind_of_variety_out():
    table = rows()
    found = leftout.ablations(table)
    assert found["method"].unique().tolist() == [
        "fusion", "one seed", "crop size 400 alone", "crop size 650 alone", "ResNet alone", "VGG alone",
        "ResNet-400 alone", "ResNet-650 alone", "VGG-400 alone", "VGG-650 alone",
    ]  # fmt: skip
    p = table.set_index(["method", "seed", "image_id"])["p_1"].unstack("image_id")
    expected = {
        "fusion": p,
        "one seed": p.xs(0, level="seed"),
        "crop size 650 alone": p.loc[["ResNet-650", "VGG-650"]],
        "VGG alone": p.loc[["VGG-400", "VGG-650"]],
        "ResNet-400 alone": p.loc[["ResNet-400"]],
    }
    for method, part in expected.items():
        np.testing.assert_allclose(found.loc[found["method"] == method, "p_1"], part.mean(), atol=1e-6)


def test_ablations_name_nothing_twice():
    table = rows(seeds=1)
    table = table[table["method"] != "VGG-400"]
    methods = leftout.ablations(table[table["method"].str.endswith("650")])["method"].unique().tolist()
    assert methods == ["fusion", "ResNet alone", "VGG alone"]


def test_a_method_that_is_not_named_by_its_parts_is_refused():
    table = findings.of_seeds("net", MANIFEST, one_class([[[0.2], [0.6], [0.9]]]), FOLD, [0])
    with pytest.raises(ValueError, match="method 'net': expected a name of the form <encoder>-<crop size>"):
        leftout.ablations(table)


def test_missed_carcinomas_by_class():
    names = ("normal", "benign", "in situ", "invasive")
    manifest = pd.DataFrame({"image_id": list("abcdef"), "patient": "p", "label": [0, 2, 2, 2, 3, 3]})
    rows = predictions.table("a", manifest, np.eye(4)[[0, 0, 3, 2, 3, 1]])
    found = leftout.missed(pd.concat([rows, rows.assign(method="b", p_0=0.0, p_1=0.0, p_2=1.0, p_3=0.0)]), names)
    assert found.index.tolist() == [("a", "in situ"), ("a", "invasive"), ("b", "in situ"), ("b", "invasive")]
    # In situ carcinoma that is called invasive is not missed.
    assert found.loc["a"].to_numpy().tolist() == [[3, 1, 1 / 3], [2, 1, 1 / 2]]
    assert found.loc["b", "missed"].tolist() == [0, 0]
    rows[[f"p_{k}" for k in range(4)]] = [0.4, 0.2, 0.3, 0.1]  # 3/7 for carcinoma
    assert leftout.missed(rows, names)["missed"].tolist() == [3, 2]
    assert leftout.missed(rows, names, threshold=0.33)["missed"].tolist() == [0, 0]
    with pytest.raises(ValueError, match="2 names for the probabilities of 4 classes"):
        leftout.missed(rows, ("no", "yes"))
