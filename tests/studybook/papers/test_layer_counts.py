"""Layers as the mammography paper counts them, and how deep a network is."""

import depth
import keras
import pytest

from histolib import models
from studybook.papers.mammography_finetuning import layers
from studybook.published import reported

PAPER = "mammography_finetuning"
COLUMNS = ["total", "last_1", "last_2", "last_3"]


@pytest.fixture(scope="module")
def backbones():
    return {name: models.backbone(name, 0.125, None) for name in models.APPLICATIONS}


@pytest.fixture
def published():
    return reported.table(PAPER, 1).set_index("method")


def listed(id: str) -> list[int]:
    return [int(count) for count in reported.value(PAPER, id).split(", ")]


def test_every_layer_but_the_input_counts(backbones):
    counted = layers.counted(backbones["vgg16"], dense=5)
    assert counted.to_dict() == {"total": 13 + 5 + 5, "last_1": 3 + 1, "last_2": 2 * 4, "last_3": 3 * 4}
    assert counted.name == "vgg16"
    assert layers.counted(backbones["vgg16"], dense=0, last=1).to_dict() == {"total": 18, "last_1": 4}


def test_activations_count_on_request(backbones):
    # A residual block without a shortcut of its own: 3 convolutions, 3 normalizations, 3 activations, 1 addition.
    assert layers.counted(backbones["resnet50"], activations=True)["last_1"] == 10
    assert layers.counted(backbones["resnet50"])["last_1"] == 7


def test_totals_of_table_1_follow_from_one_rule_each(backbones, published):
    # Only ResNet-50 had activation layers in the Keras of the time.
    for name, backbone in backbones.items():
        counted = layers.counted(backbone, activations=name == "resnet50")
        assert counted["total"] == published.at[name, "total"]


def test_differences_to_the_block_counts_of_table_1(backbones, published):
    difference = {
        name: (published.loc[name] - layers.counted(backbone, activations=name == "resnet50"))[COLUMNS].tolist()
        for name, backbone in backbones.items()
    }
    assert difference == {"vgg16": [0, 0, 0, 0], "resnet50": [0, 2, 2, 2], "inceptionv3": [0, 3, 0, 0]}


@pytest.mark.parametrize("name", models.APPLICATIONS)
def test_the_counts_in_the_papers_file_are_those_of_the_graphs(backbones, name):
    backbone = backbones[name]
    assert listed(f"{name}_by_note") == layers.counted(backbone).tolist()
    assert int(reported.value(PAPER, f"{name}_depth")) == depth.convolutions(backbone)


def test_the_count_with_activations_in_the_papers_file(backbones):
    counted = layers.counted(backbones["resnet50"], activations=True)
    assert listed("resnet50_with_activations") == counted.tolist()


def test_more_blocks_than_there_are():
    model = models.backbone("vgg16", 0.125, None)
    with pytest.raises(ValueError, match="last=6: vgg16 has 5 blocks"):
        layers.counted(model, last=6)
    with pytest.raises(ValueError, match="is no backbone"):
        layers.counted(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="other"))
