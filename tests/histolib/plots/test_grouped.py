import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from histolib import plots

SCORES = pd.DataFrame(
    [
        {"magnification": m, "rule": r, "score": s, "value": 0.6 + 0.1 * k, "low": 0.5, "high": 0.9}
        for s in ("accuracy", "F1")
        for k, r in enumerate(("sum", "vote", "exist"))
        for m in ("40×", "100×")
    ]
)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def _points(axis) -> dict:
    """Label of each drawn group to its values, in order."""
    return {bars.get_label(): bars.lines[0].get_ydata().tolist() for bars in axis.containers}


def test_groups_stand_in_order_and_apart():
    plots.style()
    figure = plots.grouped(SCORES, "title", hue="rule", panel="score")
    assert [axis.get_ylabel() for axis in figure.axes] == ["accuracy", "F1"]
    assert figure.axes[-1].get_xlabel() == "magnification"
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == ["40×", "100×"]
    found = _points(figure.axes[0])
    assert list(found) == ["sum", "vote", "exist"] and found["vote"] == pytest.approx([0.7, 0.7])
    places = np.sort(np.concatenate([bars.lines[0].get_xdata() for bars in figure.axes[0].containers]).astype(float))
    assert np.diff(places).min() > 0.15 and (np.abs(places - np.rint(places)) < 0.45).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sum", "vote", "exist"]


def test_reported_values_are_hollow_and_need_no_interval():
    reported = SCORES[["magnification", "rule", "score"]].assign(value=0.95)[SCORES["score"] == "accuracy"]
    figure = plots.grouped(SCORES, "title", hue="rule", panel="score", reported=reported)
    hollow = [bars.lines[0] for bars in figure.axes[0].containers if bars.lines[0].get_markerfacecolor() == "white"]
    assert len(hollow) == 3 and all((line.get_ydata() == 0.95).all() for line in hollow)
    assert figure.legends[0].get_texts()[-1].get_text() == "hollow: reported"


def test_one_panel_without_its_column():
    one = SCORES[SCORES["score"] == "F1"].drop(columns="score")
    figure = plots.grouped(one, "title", hue="rule", label="image F1")
    assert [axis.get_ylabel() for axis in figure.axes] == ["image F1"]
    many = pd.concat([one.assign(rule=f"{k}") for k in range(9)])
    with pytest.raises(ValueError, match="9 variants; expected at most 8"):
        plots.grouped(many, "title", hue="rule")
