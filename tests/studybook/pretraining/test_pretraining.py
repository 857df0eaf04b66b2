"""Pre-training on drawings: the drawings and their targets, the training, the shipped weights, the probe."""

import json
import os
import re

import keras
import numpy as np
import pandas as pd
import pytest

from histolib import metrics, models, reproducibility
from histolib.metrics import predictions
from histolib.models.backbones import PHANTOM
from studybook.pretraining import figures, learning, patches, probe, recipe, shipping, source, tissue
from studybook.pretraining.films import FILM, draw_film
from studybook.twins.stains import draw_stain

SHIPPED = [name for name in models.APPLICATIONS if (PHANTOM / f"{name}-phantom.npz").exists()]


@pytest.fixture(scope="module")
def drawn():
    return source.draw(120, 3, "training")


def column(drawn, name: str) -> np.ndarray:
    return drawn.targets[:, source.TARGETS.index(name)]


def test_a_field_is_drawn_the_same_twice_and_alone(drawn):
    again = source.draw_field(3, "training", 2)
    assert np.array_equal(again.images, drawn.images[60:90])
    np.testing.assert_array_equal(again.targets, drawn.targets[60:90])


def test_no_stream_is_shared_with_a_twin_or_another_part():
    first = {source.generator(7, part, k).integers(2**63) for part in source.PARTS for k in range(3)}
    twins = {np.random.default_rng(seed).integers(2**63) for seed in (7, [7, 0], [7, 1], [7, 2], [7, source.KEY])}
    assert len(first) == 9 and not first & twins
    with pytest.raises(ValueError, match="part='test'.*held out"):
        source.generator(7, "test", 0)


def test_patches_are_tissue_or_film_and_targets_are_those_of_their_kind(drawn):
    assert drawn.images.shape == (120, 64, 64, 3) and drawn.images.dtype == np.uint8
    gray = (drawn.images == drawn.images[..., :1]).all((1, 2, 3))
    assert gray.reshape(-1, 30).sum(1).tolist() == [source.FILMS] * 4
    assert np.isfinite(column(drawn, "hematoxylin"))[~gray].all() and np.isnan(column(drawn, "hematoxylin"))[gray].all()
    assert np.isfinite(column(drawn, "tissue level"))[gray].all() and np.isnan(column(drawn, "mass"))[~gray].all()
    assert np.nanmin(column(drawn, "nuclear area")) >= 0 and np.nanmax(column(drawn, "nuclear area")) <= 1


def test_targets_describe_what_lies_in_the_patch():
    # One nucleus more in one corner changes the counts of the patch there and of no other.
    rng = np.random.default_rng(0)
    field = tissue.draw_tissue(rng, 128)
    cells = field.nuclei[(field.nuclei[:, :2] < 64).all(1)]
    _, targets = patches.cut(np.random.default_rng(1), field, 64, 64)
    count = patches.TISSUE.index("nuclear count")
    assert np.expm1(targets[0, count]) == pytest.approx(len(cells), abs=1e-3)
    glass = patches.TISSUE.index("glass")
    assert targets[3, glass] ** 2 == pytest.approx(field.maps[tissue.MAPS.index("glass"), 64:, 64:].mean(), abs=1e-5)


def test_colors_vary_more_than_between_patients_of_a_twin():
    def hues(variation):
        return np.std([draw_stain(np.random.default_rng([k]), variation).vectors[0] for k in range(200)], axis=0)

    stains = [patches._conditions(np.random.default_rng([k]))[0].vectors[0] for k in range(200)]
    assert (np.std(stains, axis=0) > 1.2 * hues(1.0)).all()


def test_film_without_a_mass_has_no_mass_to_measure():
    found = [draw_film(np.random.default_rng(k), 64)[1] for k in range(20)]
    for target in found:
        values = dict(zip(FILM, target, strict=True))
        assert np.isfinite(values["mass size"]) == bool(values["mass"])


def test_loss_leaves_out_targets_that_do_not_apply():
    nan, wrong = np.nan, 50.0
    y = np.array([[1.0, nan], [nan, nan]], np.float32)
    p = np.array([[1.5, wrong, 1.0, wrong], [wrong] * 4], np.float32)
    loss = keras.ops.convert_to_numpy(learning.masked_huber(y, p))
    np.testing.assert_allclose(loss, [0.5 * 0.5**2 / 2, 0.0], atol=1e-6)


def test_a_training_is_written_read_again_and_refused_when_changed(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(source, "draw", lambda *_, **__: drawn)
    one = recipe.of("vgg16", images=120, epochs=1, seed=3)
    assert not recipe.finished(one, tmp_path)
    reproducibility.seed(3)
    said = []
    file = recipe.make(one, tmp_path, said.append)
    assert len(said) == 1 and re.fullmatch(r"vgg16, epoch 1/1: loss \d+\.\d{4}", said[0])
    assert recipe.finished(one, tmp_path) and not recipe.finished(
        recipe.of("vgg16", images=240, epochs=1, seed=3), tmp_path
    )
    known = shipping.sidecar("vgg16", tmp_path)
    model, scaling = shipping.shipped("vgg16", tmp_path)
    again = shipping.errors(model, scaling, drawn)["joined"]
    told = np.array([known["errors"][name][0] for name in source.TARGETS], float)
    np.testing.assert_allclose(again, told, atol=0.01)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=r"SHA-256 differs"):
        shipping.sidecar("vgg16", tmp_path)


def test_halves_do_not_depend_on_who_else_is_there():
    names = [str(k) for k in range(400)]
    both = probe.halves(names)
    assert np.array_equal(probe.halves(names[100:]), both[100:]) and 150 < both.sum() < 250


def test_probe_predicts_patients_it_was_not_fitted_to():
    rng = np.random.default_rng(0)
    patients = np.repeat([f"p{k}" for k in range(20)], 15)
    labels = rng.integers(2, size=300)
    values = rng.normal(size=(300, 6)) + 2 * labels[:, None]
    development = probe.halves(patients)
    p = probe.tested({"values": values}, labels, patients, development)["values"]
    assert 5 < len(np.unique(patients[development])) < 15
    assert metrics.scores(labels[~development], p)["auc"] > 0.95


def test_features_of_a_network_with_photographs_and_of_one_with_drawings():
    images = np.random.default_rng(0).integers(0, 256, (3, 50, 50, 3), np.uint8)
    found = probe.pooled_by_weights(images, ["vgg16", "efficientnet_lite0"], [4, 5], side=64)
    names = [f"vgg16, {kind}" for kind in ("random 4", "random 5", "phantom")]
    names += [f"efficientnet_lite0, {kind}" for kind in ("random 4", "random 5", "imagenet")]
    assert list(found) == [name for name in names if "imagenet" not in name or probe.imagenet_at_hand(name[:18])]
    assert found["vgg16, phantom"].shape == (3, 176) and found["efficientnet_lite0, random 4"].shape == (3, 3584)
    assert not np.allclose(found["efficientnet_lite0, random 4"], found["efficientnet_lite0, random 5"])


def test_gains_are_over_every_random_seed_color_and_photographs():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 200)
    manifest = pd.DataFrame({"image_id": map(str, range(200)), "patient": np.arange(200) // 10, "label": y})
    quality = {"vgg16, random 0": 0.0, "vgg16, random 1": 0.9, "vgg16, phantom": 0.3, probe.COLORS: 0.0}
    quality |= {"efficientnet_lite0, random 0": 0.1, "efficientnet_lite0, imagenet": 0.9}
    p = {name: np.clip(rng.random(200) * (1 - q) + q * y, 0, 1) for name, q in quality.items()}
    rows = predictions.of_methods(manifest, p | {probe.CONSTANT: np.full(200, 0.5)})
    merged = probe.trained(rows)
    assert set(merged.loc[merged["method"] == "vgg16, random", "seed"]) == {0, 1}
    found = probe.gains(merged, 50, 0)
    assert found.loc["vgg16, phantom"].index.tolist() == ["vgg16, random", probe.COLORS, "efficientnet_lite0, imagenet"]
    assert found.loc["efficientnet_lite0, imagenet"].index.tolist() == ["efficientnet_lite0, random", probe.COLORS]
    # Over the two random seeds together: one of them is better, the other worse.
    assert found.loc["vgg16, phantom"]["whole interval"].tolist() == ["holds 0", "above 0", "below 0"]
    answers = {"kept": probe.answers(rows, 50, 0)}
    table = probe.told(answers)
    assert table.loc[(probe.DRAWINGS_BEAT_COLOR, "VGG-16 (an eighth wide)"), "kept"].endswith(": holds")
    pair = "VGG-16 (an eighth wide) less EfficientNet-Lite0"
    lost = table.loc[(probe.DRAWINGS_BEAT_PHOTOGRAPHS, pair), "kept"]
    assert lost.startswith("-") and lost.endswith("does not hold")
    said = probe.sentences(answers).data
    assert (
        f"*{probe.DRAWINGS_TEACH}*: cannot tell for VGG-16 (an eighth wide) (kept)." in said and said.count("\n") == 3
    )
    assert "No run" in probe.sentences({}).data


def test_the_plainest_methods_know_darkness_or_nothing():
    labels = np.tile([0, 1], 20)
    images = np.where(labels[:, None, None, None], 40, 200) * np.ones((40, 4, 4, 3), np.uint8)
    development = np.arange(40) < 20
    found = probe.plainest(images.astype(np.uint8), labels, development)
    assert metrics.scores(labels[20:], found[probe.DARKNESS])["auc"] == 1
    assert set(found[probe.CONSTANT]) == {0.5}


def test_what_is_measured_best_and_worst_is_shown_and_said():
    table = pd.DataFrame({"vgg16": [0.9, 0.2, 2.4, 0.5], "resnet50": [1.1, 0.2, 1.2, 0.5]}, ["a", "b", "c", "d"])
    axis = figures.errors(table, "title", 1).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["b", "c"]
    assert [one.get_text() for one in axis.texts] == ["2.4 →"]
    said = figures.measured(table).data
    # Of the quantities a is measured by one network, c by none.
    assert "smallest for b (0.20), d (0.50)" in said and said.endswith("0.95 or more): c.")


# What is shipped.


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_load_and_measure_as_well_as_their_sidecar_says(name):
    known = shipping.sidecar(name)
    fresh = source.draw(150, known["seed"] + 1000, "held out")
    model, scaling = shipping.shipped(name)
    found = shipping.errors(model, scaling, fresh)["joined"]
    told = shipping.table([name])[name]
    # Six fields hold what they happen to hold; the mean over all quantities and the easy ones are steady.
    assert abs(found.mean() - told.mean()) < 0.12
    for quantity in ("hematoxylin", "eosin", "nuclear area", "tissue level"):
        assert found[quantity] < told[quantity] + 0.25 and found[quantity] < 0.9, quantity


def test_shipped_weights_are_small_and_come_with_a_sidecar():
    assert SHIPPED, "no weights are shipped"
    assert sum(path.stat().st_size for path in PHANTOM.iterdir()) < 5_000_000
    for name in SHIPPED:
        known = json.loads((PHANTOM / f"{name}-phantom.json").read_text())
        assert {"seed", "revision", "epochs", "images", "errors", "sha256", "network", "width"} <= set(known)
        assert set(known["errors"]) == set(source.TARGETS)
        assert os.path.getsize(PHANTOM / f"{name}-phantom.npz") > 100_000


def test_outputs_of_the_last_blocks():
    narrow = models.backbone("vgg16", 0.125, None)
    taps = learning.block_outputs(narrow, 4)
    assert [shape[-1] for shape in taps.output_shape] == [16, 32, 64, 64]
    with pytest.raises(ValueError, match=r"count=6: vgg16 has 5 blocks; expected 1 to 5"):
        learning.block_outputs(narrow, 6)
