import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from histolib.metrics import aggregation, predictions

PATCHES = {"a": [0.9, 0.4, 0.4], "b": [0.45, 0.45, 0.3], "c": [0.6, 0.55, 0.1, 0.1], "d": [0.7]}
PATIENTS = {"a": "p", "b": "p", "c": "q", "d": "q"}
LABELS = {"p": 0, "q": 1}


def _table(parts=PATCHES, method="m") -> pd.DataFrame:
    """Rows of patches in a mixed order, from the probabilities of class 1 or of all classes."""
    rows = []
    for image, values in parts.items():
        for k, value in enumerate(values):
            p = [1 - value, value] if np.isscalar(value) else value
            patient = PATIENTS[image]
            keys = {"method": method, "fold": 0, "image_id": image, "patient": patient, "y_true": LABELS[patient]}
            rows.append(keys | {"patch_id": f"{image}/{k}"} | {f"p_{j}": one for j, one in enumerate(p)})
    return pd.DataFrame(rows).sample(frac=1, random_state=1).reset_index(drop=True)


def _scores(rule, by="image", parts=PATCHES, **options) -> dict[str, float]:
    """p_1 of each image or patient; that the rows sum to 1 is checked on the way."""
    found = aggregation.aggregate(_table(parts), by, rule, **options)
    assert np.allclose(predictions.scores_of(found).sum(axis=1), 1, atol=2e-6)
    return found.set_index(f"{by}_id" if by == "image" else by)["p_1"].sort_index().to_dict()


def test_average_by_hand():
    assert _scores("average") == {"a": 0.566667, "b": 0.4, "c": 0.3375, "d": 0.7}
    # Of images, not of patches: (0.566667 + 0.4) / 2 and (0.3375 + 0.7) / 2.
    assert _scores("average", "patient") == pytest.approx({"p": 0.483334, "q": 0.51875}, abs=2e-6)


def test_vote_by_hand():
    assert _scores("vote") == {"a": 0.333333, "b": 0.0, "c": 0.5, "d": 1.0}
    assert _scores("vote", threshold=0.4) == {"a": 1.0, "b": 0.666667, "c": 0.5, "d": 1.0}
    # Images a and b are not, c (a tie) and d are voted class 1.
    assert _scores("vote", "patient") == {"p": 0.0, "q": 1.0}


def test_exist_by_hand():
    assert _scores("exist") == {"a": 0.9, "b": 0.45, "c": 0.6, "d": 0.7}
    # A threshold of 0.75 comes to lie at 0.5: 0.9 is 0.6 of the way from 0.75 to 1, 0.45 of the way from 0 likewise.
    assert _scores("exist", threshold=0.75) == pytest.approx(
        {"a": 0.5 + 0.5 * 0.6, "b": 0.5 * 0.6, "c": 0.5 * 0.8, "d": 0.5 * 0.7 / 0.75}, abs=1e-6
    )
    assert _scores("exist", "patient") == {"p": 0.9, "q": 0.7}


def test_exist_n_by_hand():
    assert _scores("exist-n", n=1) == _scores("exist")
    assert _scores("exist-n", n=2) == {"a": 0.4, "b": 0.45, "c": 0.55, "d": 0.7}
    assert _scores("exist-n", n=3) == {"a": 0.4, "b": 0.3, "c": 0.1, "d": 0.7}
    # Fewer parts than n: all of them must be.
    assert _scores("exist-n", n=9) == {"a": 0.4, "b": 0.3, "c": 0.1, "d": 0.7}
    assert _scores("exist-n", "patient", n=2) == {"p": 0.4, "q": 0.55}


def test_sum_by_hand_and_by_its_formula():
    assert _scores("sum") == _scores("average")
    prior = [0.25, 0.75]
    found = _scores("sum", prior=prior)
    # Image a: 3 patches, mean 0.566667; less 2/3 of 0.25, drawn to 0.5 by 0.5 / 0.75.
    assert found["a"] == pytest.approx(0.5 + (0.566667 - 0.25 * 2 / 3 - 0.5) * 2 / 3, abs=1e-6)
    for image, values in PATCHES.items():
        kittler = [(1 - len(values)) * prior[k] + sum(v if k else 1 - v for v in values) for k in (0, 1)]
        assert (found[image] >= 0.5) == (kittler[1] >= kittler[0])
    # Three patches at the prior say nothing new; what remains is the prior itself.
    assert _scores("sum", parts={"d": [0.75] * 3}, prior=prior)["d"] > 0.5
    assert found["a"] < 0.5 < _scores("sum")["a"]


def test_the_rules_differ_and_agree_where_they_must():
    decisions = {rule: {k: p >= 0.5 for k, p in _scores(rule, n=2).items()} for rule in aggregation.RULES}
    assert [decisions[rule]["a"] for rule in ("average", "vote", "exist", "exist-n")] == [True, False, True, False]
    assert [decisions[rule]["c"] for rule in ("average", "vote", "exist", "exist-n")] == [False, True, True, True]
    one = {"a": [0.3], "c": [0.8]}
    priors = {"sum": {"prior": [0.2, 0.8]}}
    told = {rule: _scores(rule, parts=one, **priors.get(rule, {})) for rule in aggregation.RULES}
    assert all((p["a"] < 0.5) and (p["c"] >= 0.5) for p in told.values())


def test_three_classes():
    parts = {"a": [[0.5, 0.3, 0.2], [0.4, 0.6, 0.0], [0.4, 0.6, 0.0]], "c": [[0.4, 0.4, 0.2], [0.0, 0.2, 0.8]]}
    voted = aggregation.aggregate(_table(parts), rule="vote").set_index("image_id").filter(like="p_")
    assert voted.loc["a"].tolist() == [0.333333, 0.666667, 0]
    # Of equals the first: patch 0 of image c is given to class 0, and so is the image.
    assert voted.loc["c"].tolist() == [0.5, 0, 0.5] and metrics.confusion([0], voted.loc[["c"]]).loc[0, 0] == 100
    averaged = aggregation.aggregate(_table(parts), rule="average").set_index("image_id").filter(like="p_")
    assert averaged.loc["a"].tolist() == pytest.approx([1.3 / 3, 0.5, 0.2 / 3], abs=1e-6)
    prior = np.array([0.1, 0.6, 0.3])
    summed = aggregation.aggregate(_table(parts), rule="sum", prior=prior).set_index("image_id").filter(like="p_")
    for image, values in parts.items():
        kittler = (1 - len(values)) * prior + np.sum(values, axis=0)
        assert np.array_equal(np.argsort(summed.loc[image]), np.argsort(kittler))
    assert summed.min(axis=None) >= 0 and summed.loc["a"].argmax() == 0
    with pytest.raises(ValueError, match="'exist' needs two classes, not 3; predictions.two_classes"):
        aggregation.aggregate(_table(parts), rule="exist")


@pytest.mark.parametrize("rule", aggregation.RULES)
def test_scores_are_monotone_in_range_and_blind_to_order(rule):
    rng = np.random.default_rng(0)
    values = {name: rng.beta(0.4, 0.4, size) for name, size in zip("abcd", (1, 2, 7, 40), strict=True)}
    values["b"][:] = 0, 1
    options = {"n": 3, "threshold": 0.3} | ({"prior": [0.05, 0.95]} if rule == "sum" else {})
    before = _scores(rule, parts=values, **options)
    assert min(before.values()) >= 0 and max(before.values()) <= 1
    raised = {name: p + 0.5 * (1 - p) for name, p in values.items()}
    after = _scores(rule, parts=raised, **options)
    assert all(after[name] >= before[name] for name in values) and after != before
    table = _table(values)
    shuffled = aggregation.aggregate(table.iloc[::-1], rule=rule, **options).sort_values("image_id")
    expected = aggregation.aggregate(table, rule=rule, **options).sort_values("image_id")
    pd.testing.assert_frame_equal(shuffled.reset_index(drop=True), expected.reset_index(drop=True))


def test_ties_count_as_class_1_of_two():
    for rule, values in (("vote", [0.9, 0.1]), ("average", [0.4, 0.6]), ("exist", [0.5, 0.0]), ("sum", [0.3, 0.7])):
        found = aggregation.aggregate(_table({"c": values}), rule=rule)
        assert found["p_1"].tolist() == [0.5] and metrics.scores(found["y_true"], found["p_1"])["accuracy"] == 1
    even = _table({"c": [0.25, 0.5, 0.75]}).assign(patient="q")
    assert aggregation.aggregate(even, rule="vote")["p_1"].tolist() == [0.666667]


def test_result_is_a_table_of_predictions():
    table = pd.concat([_table(), _table(method="n").assign(fold=1)], ignore_index=True)
    found = aggregation.aggregate(table, "image", "average")
    assert list(found) == [*predictions.KEYS, "p_0", "p_1"] and len(found) == 8
    assert found["image_id"].tolist()[:4] == list(dict.fromkeys(table["image_id"]))
    assert set(zip(found["method"], found["fold"], strict=True)) == {("m", 0), ("n", 1)}
    people = aggregation.aggregate(found, "patient", "average")
    assert (people["image_id"] == people["patient"]).all() and len(people) == 4
    pd.testing.assert_frame_equal(people, aggregation.aggregate(table, "patient", "average"), atol=2e-6)
    assert metrics.summary(people, draws=5).loc[("m", "accuracy"), "value"] == 1.0


def test_kept_columns_keep_groups_apart():
    table = pd.concat([_table().assign(magnification=m) for m in (40, 100)]).assign(note="x")
    with pytest.raises(ValueError, match="comes twice"):
        aggregation.aggregate(table, "patient", "vote")
    found = aggregation.aggregate(table, "patient", "vote", keep=["magnification"])
    assert found.groupby("magnification")["patient"].agg(set).tolist() == [{"p", "q"}] * 2 and "note" not in found


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t, {"by": "slide"}, "by='slide': expected 'image' or 'patient'"),
        (lambda t: t, {"rule": "max"}, "rule='max': expected one of sum, vote"),
        (lambda t: t, {"rule": "exist-n", "n": 0}, "n=0"),
        (lambda t: t, {"threshold": 1.0}, "threshold=1.0"),
        (lambda t: t, {"prior": [0.5, 0.6]}, "2 shares above 0 with the sum 1"),
        (lambda t: t, {"prior": [1 / 3] * 3}, "2 shares"),
        (lambda t: t, {"rule": "vote", "prior": [0.5, 0.5]}, "'vote' has no use for it"),
        (lambda t: t, {"keep": ["magnification"]}, "column magnification is missing"),
        (lambda t: t.drop(columns="patch_id"), {}, "column patch_id is missing; found method"),
        (lambda t: t.drop(columns=["patient", "p_0"]), {}, "column patient, p_0 is missing"),
        (lambda t: t[:0], {}, "no row to aggregate"),
        (lambda t: t.assign(p_1=t["p_1"] + 0.1), {}, "sum to 1 in each row"),
        (lambda t: t.assign(p_1=np.nan), {}, "must be finite"),
        (lambda t: t.assign(y_true=[0] + [1] * 10), {}, r"y_true is 0 and 1; expected one"),
        (lambda t: t.assign(patient="p"), {"by": "patient"}, r"patient p \(method m\): y_true is 0 and 1"),
        (lambda t: t.assign(patient=list("pqpqpqpqpqp"), y_true=0), {}, "patient is p and q; expected one"),
        (lambda t: pd.concat([t, t[:1]]), {}, r"patch_id ./\d comes twice"),
    ],
)
def test_refusals(change, options, message):
    with pytest.raises(ValueError, match=message):
        aggregation.aggregate(change(_table()), **options)
