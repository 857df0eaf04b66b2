"""Two stages: the head alone, then the last blocks with it."""

import numpy as np
import pytest

from histolib import models
from histolib.training import finetuning


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    labels = np.arange(24) % 2
    images = generator.integers(0, 120, (24, 32, 32, 3)).astype(np.uint8)
    images[labels == 1] += 100
    return images, labels


@pytest.fixture
def network():
    backbone = models.backbone("vgg16", 0.0625, None, (32, 32, 3))
    top = models.deep_head(backbone.output_shape[1:], units=(8, 8), l2=1e-3)
    return backbone, models.transfer(backbone, top, (32, 32, 3), normalize=models.GlobalContrast())


def both(network, blocks, data, schedule):
    """Both stages on one network."""
    backbone, model = network
    told = {"images": data[0], "labels": data[1], "validation": data, "schedule": schedule, "say": lambda line: None}
    first = finetuning.fit_head(model, backbone, **told)
    return finetuning.fit_blocks(model, backbone, blocks, first, **told) if blocks else first


def weights(backbone):
    return {layer.name: layer.get_weights()[0].copy() for layer in backbone.layers if layer.weights}


@pytest.mark.parametrize("blocks", [0, 1])
def test_only_the_chosen_blocks_change(data, network, blocks):
    backbone, _ = network
    before = weights(backbone)
    schedule = finetuning.Schedule(2, 3, 8, 1e-2, 20)
    fit = both(network, blocks, data, schedule)
    after = weights(backbone)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert {name.split("_")[0] for name in changed} == ({"block5"} if blocks else set())
    assert fit.history["stage"].tolist() == ["head"] * 2 + ["tuning"] * (3 if blocks else 0)
    assert fit.history.index.tolist() == list(range(1, len(fit.history) + 1))


def test_the_second_stage_stops_when_nothing_improves_and_lowers_its_rate(data, network, monkeypatch):
    monkeypatch.setattr(finetuning, "PLATEAU", 1)
    schedule = finetuning.Schedule(1, 12, 8, 0.0, 2)  # a rate of 0: the loss can't fall
    fit = both(network, 1, data, schedule)
    assert (fit.history["stage"] == "tuning").sum() < 12


def test_the_second_stage_starts_from_the_first_and_leaves_it_as_it_is(data, network):
    backbone, model = network
    told = {"images": data[0], "labels": data[1], "validation": data, "say": lambda line: None}
    first = finetuning.fit_head(model, backbone, schedule=finetuning.Schedule(2, 1, 8, 1e-2, 20), **told)
    kept = [value.copy() for value in model.get_weights()]
    other = models.copy(backbone)
    top = models.deep_head(other.output_shape[1:], units=(8, 8), l2=1e-3)
    again = models.transfer(other, top, (32, 32, 3), normalize=models.GlobalContrast())
    second = finetuning.fit_blocks(again, other, 1, first, schedule=finetuning.Schedule(2, 1, 8, 0.0, 20), **told)
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True))
    # At a rate of 0 only the running means of batch normalization move.
    name = next(layer.name for layer in other.layers if layer.weights)
    assert np.array_equal(backbone.get_layer(name).get_weights()[0], other.get_layer(name).get_weights()[0])
    assert second.seconds > first.seconds and len(second.history) == 3


def test_unknown_number_of_blocks(data, network):
    backbone, model = network
    with pytest.raises(ValueError, match="blocks=4: expected one of 1, 2, 3, 'all'"):
        finetuning.fit_blocks(model, backbone, 4, None, *data, data, finetuning.Schedule())
