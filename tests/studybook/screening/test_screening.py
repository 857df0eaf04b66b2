"""Saved models and their cards, predictions with heat maps, the command."""

import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
import spots
from PIL import Image

from histolib import datasets, models
from studybook import screening, twins
from studybook.screening import cards, occlusion, serve
from studybook.screening.__main__ import main
from studybook.screening.prediction import square

# --- model and card ---


def test_a_model_comes_back_with_its_card(file, screener):
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    assert np.allclose(screener.model.predict_on_batch(images), spots.model().predict_on_batch(images), atol=1e-6)
    card = screener.card
    assert (card.classes, card.input_shape, card.window) == (spots.CLASSES, (64, 64, 3), 96)
    assert (card.edge, card.out, card.revision, card.model) == ("rescale", 64, "0123abc", "spots.keras")
    assert card.sha256 == cards.digest(file) and card.metrics == {"AUC": [0.9, 0.8, 0.95]}
    assert sorted(path.name for path in file.parent.iterdir()) == ["spots.json", "spots.keras"]


def test_the_networks_of_the_book_are_saved_with_their_own_layers_and_without_the_optimizer(tmp_path):
    backbone = models.backbone("vgg16", 0.125, None, (32, 32, 3))
    model = models.transfer(backbone, models.head(backbone.output_shape[1:], units=4), (32, 32, 3))
    model.compile("adam", "categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    file = screening.save(model, tmp_path, ("a", "b"), data={"twin": False})
    assert file == tmp_path / "vgg16_head.keras"
    loaded = screening.load(file).model
    assert file.stat().st_size < 1.5 * 4 * model.count_params()
    image = np.full((1, 32, 32, 3), 77, np.uint8)
    assert np.allclose(loaded.predict_on_batch(image), model.predict_on_batch(image), atol=1e-6)
    assert screening.save(model, tmp_path / "model", ("a", "b"), data={"twin": False}).name == "model.keras"


def test_a_card_describes_the_data_set_that_was_learned_from(twin):
    found = screening.describe(twin)
    assert found["classes"] == ("IDC negative", "IDC positive") and found["preprocessing"] == {}
    assert found["data"]["twin"] is True and found["data"]["patients"] == 10


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"data": {"name": "mias"}}, r"data\['twin'\] is None"),
        ({"preprocessing": {"window": 0}}, r"preprocessing\['window'\] is 0"),
        ({"preprocessing": {"edge": "wrap"}}, "'wrap'.*rescale, shift, reflect"),
    ],
)
def test_what_a_card_cannot_say_is_not_saved(tmp_path, others, message):
    with pytest.raises(ValueError, match=message):
        spots.saved(tmp_path, **others)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_another_kind_is_not_saved(tmp_path):
    for classes, message in ((("a", "b", "c"), "for 3 classes"), (("a", "a"), r"classes=\('a', 'a'\)")):
        with pytest.raises(ValueError, match=message):
            screening.save(spots.model(), tmp_path / "m", classes, data={"twin": True})
    flat = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, activation="softmax")])
    with pytest.raises(ValueError, match=r"\(None, 8\)"):
        screening.save(flat, tmp_path / "m", ("a", "b"), data={"twin": True})
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, kernel_initializer="ones")]
    with pytest.raises(ValueError, match="outputs sum to"):
        screening.save(keras.Sequential(layers), tmp_path / "m", ("a", "b"), data={"twin": True})
    assert list(tmp_path.iterdir()) == []


def test_model_and_card_must_belong_together(tmp_path):
    file = spots.saved(tmp_path)
    with pytest.raises(FileNotFoundError, match="other.keras"):
        screening.load(tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"spots\.json.*\.keras"):
        screening.load(tmp_path / "spots.json")
    spots.changed(file, sha256="0" * 64)
    with pytest.raises(ValueError, match="spots.json.*spots.keras"):
        screening.load(file)
    spots.changed(file, schema=99)
    with pytest.raises(ValueError, match="schema 99"):
        screening.load(file)
    spots.changed(file, schema=1, classes="benign")
    with pytest.raises(ValueError, match="'classes'"):
        screening.load(file)
    cards.path_of(file).write_text("{")
    with pytest.raises(ValueError, match="not a whole card"):
        screening.load(file)
    cards.path_of(file).unlink()
    with pytest.raises(FileNotFoundError, match="spots.json"):
        screening.load(file)


def test_a_card_that_tells_something_else_of_the_model_is_refused(tmp_path):
    file = spots.saved(tmp_path)
    spots.changed(file, classes=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"\(None, 2\) for 3 classes"):
        screening.load(file)
    spots.changed(file, classes=["a", "b"], input_shape=[32, 32, 3])
    with pytest.raises(ValueError, match=r"\(64, 64, 3\).*\(32, 32, 3\)"):
        screening.load(file)


def test_a_file_that_brings_its_own_code_is_refused(tmp_path):
    file = spots.saved(tmp_path)
    inputs = keras.Input((64, 64, 3))
    given = keras.layers.Lambda(lambda x: x[:, 0, 0, :2], output_shape=(2,))(inputs)
    keras.Model(inputs, given).save(file)
    spots.changed(file, sha256=cards.digest(file))
    with pytest.raises(ValueError, match="spots.keras: .*safe mode"):
        screening.load(file)


def test_a_damaged_model_file_is_refused(tmp_path):
    file = spots.saved(tmp_path)
    file.write_bytes(file.read_bytes()[:500])
    spots.changed(file, sha256=cards.digest(file))
    with pytest.raises(ValueError, match="spots.keras: .*safe mode"):
        screening.load(file)


def test_the_model_saved_last_is_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="CHAPTER=mammography_finetuning.*MODEL="):
        screening.newest(tmp_path)
    for k, place in enumerate(
        ("demo/mammography_finetuning/units/a", "paper/mammography_finetuning/screening", "x/other")
    ):
        file = tmp_path / "runs" / place / "model.keras"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (k, k))
    half = tmp_path / "runs/demo/mammography_finetuning/units/.b-1/model.keras"
    half.parent.mkdir()
    half.touch()
    assert screening.newest(tmp_path).parent.name == "screening"


# --- predictions ---


def test_the_answer_is_the_known_one(screener):
    bright = screening.predict(screener, spots.film(64, 64, (32, 32)))
    assert bright.label == "malignant" and bright.probabilities["malignant"] == pytest.approx(1 / (1 + np.exp(-10)))
    assert sum(bright.probabilities.values()) == pytest.approx(1)
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    # Brightest block of eight columns: the mean of the last eight of sixty-four steps.
    value = ramp[0, -8:].mean() / 255
    p = screening.predict(screener, ramp, heat_map=False).probabilities["malignant"]
    assert p == pytest.approx(1 / (1 + np.exp(-20 * (value - 0.5))), rel=1e-4)


def test_the_heat_map_finds_what_the_answer_rests_on(screener):
    for center in ((16, 48), (40, 12)):
        found = screening.predict(screener, spots.film(64, 64, center, radius=7))
        heat, (y, x) = found.heat_map, np.unravel_index(found.heat_map.argmax(), (64, 64))
        assert heat.shape == (64, 64) and heat.dtype == np.float32 and heat.min() >= 0 and heat.max() == 1
        assert np.hypot(y - center[0], x - center[1]) < 6
        rows, columns = np.indices(heat.shape)
        far = np.hypot(rows - center[0], columns - center[1]) > 24
        assert heat[far].max() < 0.1


def test_a_saturated_answer_still_has_a_heat_map(screener):
    # In single precision the probability is 1 whether a little is covered or not; its log-odds are not.
    assert occlusion._log_odds(np.array([[1e-30, 1.0]], np.float32), 1)[0] == pytest.approx(30 * np.log(10), rel=1e-6)
    assert np.isfinite(occlusion._log_odds(np.array([[0.0, 1.0]]), 0)).all()


def test_nothing_rests_on_an_image_of_one_value(screener):
    found = screening.predict(screener, np.full((50, 50), 9, np.uint8))
    assert found.label == "benign" and not found.heat_map.any()
    with pytest.raises(ValueError, match="grid=1"):
        occlusion.heat_map(screener.model, found.shown, 0, grid=1)


def test_a_region_is_shown_alone_and_scaled_by_its_own_range(screener):
    film = spots.film().astype(np.uint16) * 16
    with_spot = screening.predict(screener, film, (20, 100, 100, 180))
    assert with_spot.label == "malignant" and with_spot.region == (20, 100, 100, 180)
    assert with_spot.heat_map.shape == (80, 80) and with_spot.shown.shape == (64, 64, 3)
    assert (with_spot.shown.min(), with_spot.shown.max()) == (0, 255)
    same = screening.predict(screener, spots.film(), (20, 100, 100, 180))
    assert np.abs(same.shown.astype(int) - with_spot.shown).max() <= 1


def test_a_region_that_is_not_square_is_completed_around_its_center(screener):
    found = screening.predict(screener, spots.film(), (100, 40, 120, 100))
    assert found.region == (80, 40, 140, 100) and found.heat_map.shape == (60, 60)


@pytest.mark.parametrize(("edge", "region"), [("rescale", (0, 70, 40, 130)), ("shift", (0, 70, 60, 130)),
                                              ("reflect", (0, 70, 40, 130))])  # fmt: skip
def test_at_the_edge_the_card_decides(tmp_path, edge, region):
    file = spots.saved(tmp_path, preprocessing={"window": 60, "edge": edge})
    found = screening.predict(screening.load(file), spots.film(), (0, 70, 20, 130))
    assert found.region == region
    assert found.heat_map.shape == (region[2] - region[0], region[3] - region[1])


def test_the_model_sees_what_the_data_set_would_give_it(tmp_path):
    from histolib.datasets import regions

    file = spots.saved(tmp_path, preprocessing={"window": 96, "out": 128, "edge": "rescale"})
    found = screening.predict(screening.load(file), spots.film(), (20, 90, 116, 186), heat_map=False)
    region = regions.as_image(regions.crop(spots.film(), (60, 130, 76, 146), 96, 128, "rescale"))
    assert np.array_equal(found.shown, np.asarray(Image.fromarray(region).resize((64, 64), Image.Resampling.BILINEAR)))
    assert found.heat_map is None


def test_a_films_regions_are_shown_as_the_data_set_gives_them(tmp_path):
    dataset = datasets.load("mias", twins.folder("mias", 4))
    file = screening.save(spots.model(), tmp_path, **screening.describe(dataset))
    screener, images = screening.load(file), dataset.images(spots.SIDE)
    assert (screener.card.window, screener.card.edge, screener.card.out) == (300, "rescale", 224)
    for row, image in zip(dataset.table.itertuples(), images, strict=True):
        box = row.top, row.left, row.bottom, row.right
        found = screening.predict(screener, dataset.root / row.path, box, side=300, heat_map=False)
        assert np.array_equal(found.shown, image), row.image_id


def test_without_a_region_the_whole_film_is_shown(screener, tmp_path):
    (tmp_path / "film.png").write_bytes(spots.encoded(spots.film()))
    found = screening.predict(screener, tmp_path / "film.png")
    assert found.region == (0, 0, 240, 200) and found.heat_map.shape == (240, 200)
    y, x = np.unravel_index(found.heat_map.argmax(), found.heat_map.shape)
    assert np.hypot(y - 60, x - 140) < 20


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ((0, 0, 241, 100), "bottom 241.*240 rows"),
        ((50, 0, 40, 100), "bottom 40"),
        ((0, 0, 10, 15), "15 pixels: expected at least 16"),
        ((0, 0, 50), "expected four numbers"),
    ],
)
def test_a_region_must_lie_inside(screener, region, message):
    with pytest.raises(ValueError, match=message):
        screening.predict(screener, spots.film(), region)


def test_an_array_must_be_gray(screener):
    with pytest.raises(ValueError, match=r"\(20, 20, 3\)"):
        screening.predict(screener, np.zeros((20, 20, 3)))


def test_a_square_stays_inside_the_film():
    assert square((50, 60), 20, (100, 200)) == (40, 50, 60, 70)
    assert square((0, 199), 20, (100, 200)) == (0, 180, 20, 200)
    assert square((50, 60), 500, (100, 200)) == (0, 10, 100, 110)


# --- the command ---


@pytest.fixture
def images(tmp_path):
    (tmp_path / "spot.png").write_bytes(spots.encoded(spots.film()))
    (tmp_path / "plain.pgm").write_bytes(spots.encoded(np.full((64, 64), 5, np.uint8), "PPM"))
    (tmp_path / "text.png").write_text("no image")
    return tmp_path


def test_the_command_prints_a_table(file, images, capsys):
    assert main([str(file), str(images / "spot.png"), str(images / "plain.pgm")]) == 0
    out, err = capsys.readouterr()
    header, first, second = (line.split() for line in out.splitlines())
    assert header == ["file", "label", "benign", "malignant", "top,left,bottom,right"]
    assert first[1] == "malignant" and first[-1] == "0,0,240,200" and float(first[3]) > 0.8
    assert second[1] == "benign" and second[-1] == "0,0,64,64"
    assert "not for diagnosis" in err and "drawn images" in err


def test_a_bad_file_stops_no_other(file, images, capsys):
    paths = [str(images / name) for name in ("text.png", "spot.png", "gone.png")]
    assert main([str(file), *paths, "--json", "--region", "20,100,100,180"]) == 1
    out, err = capsys.readouterr()
    bad, good, gone = json.loads(out)
    assert good["label"] == "malignant" and good["region"] == [20, 100, 100, 180]
    assert sum(good["probabilities"].values()) == pytest.approx(1)
    assert "is no image that can be read" in bad["error"] and "gone.png" in gone["error"]
    assert err.count("error: ") == 2


def test_a_center_takes_the_square_that_the_model_learned_from(file, images, capsys):
    assert main([str(file), str(images / "spot.png"), "--json", "--center", "60,140"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["region"] == [12, 92, 108, 188]
    assert main([str(file), str(images / "spot.png"), "--json", "--center", "60,340"]) == 1
    assert "center 60, 340: expected a pixel" in capsys.readouterr().err


def test_heat_maps_are_written_on_request(file, images):
    assert main([str(file), str(images / "spot.png"), "--heat-maps", str(images / "maps")]) == 0
    with Image.open(images / "maps/spot.png") as image:
        pixels = np.asarray(image).astype(int)
    assert pixels.shape == (240, 200, 3)
    colored = np.ptp(pixels, axis=2) > 40
    assert colored[60, 140] and not colored[200, 20]


def test_the_command_says_what_is_wrong_with_the_model_or_a_region(images, capsys):
    assert main([str(images / "gone.keras"), str(images / "spot.png")]) == 2
    assert "gone.keras: no such model file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["m.keras", "a.png", "--region", "1,2,3"])
    assert "'1,2,3': expected 4 whole numbers" in capsys.readouterr().err


def test_serving_stops_at_once_without_a_model_or_a_port(tmp_path, file, capsys):
    (tmp_path / "apps").mkdir()
    assert serve.main([str(tmp_path / "apps")]) == 2
    assert "make one with `make chapter CHAPTER=mammography_finetuning`" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve.main([str(tmp_path / "apps"), "--model", str(file), "--port", str(port)]) == 2
    assert f"port {port} is not free" in capsys.readouterr().err


def test_the_package_starts_without_keras():
    heavy = (
        "import sys, studybook.screening, studybook.screening.page; print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
