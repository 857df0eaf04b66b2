import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

from histolib import metrics, plots
from histolib.metrics import predictions  # noqa: E402

RNG = np.random.default_rng(0)
CLASSES = ("IDC negative", "IDC positive")


def figures():
    images = list(RNG.integers(0, 256, (4, 6, 6, 3), dtype=np.uint8))
    history = pd.DataFrame(
        RNG.random((3, 4)), columns=["loss", "accuracy", "val_loss", "val_accuracy"], index=[1, 2, 3]
    )
    manifest = pd.DataFrame({"image_id": range(40), "patient": np.arange(40) % 8, "label": np.arange(40) % 2})
    table = predictions.table("m", manifest, RNG.random(40))
    yield "image_grid", plots.image_grid({"a": images, "b": images[:2]}, "title")
    yield "curves", plots.curves({"m": history, "n": history}, "title")
    yield "confusion", plots.confusion({"m": metrics.confusion(table.y_true, table.p_1)}, CLASSES, "title")
    four = metrics.confusion([0, 1, 2, 3], np.eye(4)[[0, 1, 1, 3]], percent=False)
    yield "confusion of four", plots.confusion({"m": four}, ("normal", "benign", "in situ", "invasive"), "title", 0, 1)
    points = pd.DataFrame({"sensitivity": [0.9, 0.8], "specificity": [0.5, 0.7]}, index=["0.33", "0.50"])
    curve = metrics.bootstrap(table, metrics.roc, draws=5)
    yield "roc", plots.roc({"m": curve, "n": curve[["value"]]}, {"m": points, "published": points}, "title")
    yield "embedding", plots.embedding({"f": RNG.random((40, 2))}, table.y_true, CLASSES, "title")
    yield "intervals", plots.intervals({"run": metrics.summary(table, 10)}, "auc", "title", "AUC")


@pytest.fixture(scope="module")
def drawn():
    """Drawn when they are needed: other tests close all figures that there are."""
    return dict(figures())


@pytest.mark.parametrize(
    "name",
    ["image_grid", "curves", "confusion", "confusion of four", "roc", "embedding", "intervals"],
)  # fmt: skip
def test_figure_is_drawn_titled_and_labeled(name, drawn):
    figure = drawn.pop(name)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    assert pixels[..., :3].std() > 5
    assert figure._suptitle is not None or figure.axes[0].get_title()
    if name != "image_grid":
        labeled = [axis for axis in figure.axes if axis.get_ylabel() or axis.get_xlabel()]
        assert labeled and len(figure.axes) >= 1
    matplotlib.pyplot.close(figure)


def test_short_names_of_classes_are_told_apart():
    matrix = pd.DataFrame(np.eye(2))
    for classes, expected in ((CLASSES, ["negative", "positive"]), (("in situ", "invasive"), ["in situ", "invasive"])):
        figure = plots.confusion({"m": matrix}, classes, "title")
        assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == expected
        matplotlib.pyplot.close(figure)


def test_roc_marks_set_points_where_they_are():
    curve = pd.DataFrame({"value": [0.0, 1.0]}, index=[0.0, 1.0])
    points = pd.DataFrame({"sensitivity": [0.965], "specificity": [0.88]}, index=["0.33"])
    figure = plots.roc({"m": curve}, {"published": points}, "title")
    marks = next(line for line in figure.axes[0].lines if line.get_label() == "published: set points")
    assert marks.get_xdata().tolist() == pytest.approx([0.12]) and marks.get_ydata().tolist() == [0.965]
    assert "0.33" in [text.get_text() for text in figure.axes[0].texts]
    matplotlib.pyplot.close(figure)
