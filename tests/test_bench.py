import json
import shutil
import sys

import numpy as np
import pytest

from bench import __main__ as command
from bench import accelerator, generator, gpu, growth, oversampling, table
from histolib import models
from studybook.engine import needs


def test_the_table_is_markdown_with_every_row_whole(capsys, tmp_path):
    assert command.main(["--quick", "--note", "alone", "--json", str(tmp_path / "rows.json")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    found = json.loads((tmp_path / "rows.json").read_text())
    assert len(lines) == 2 + len(found["rows"]) and {line.count("|") for line in lines} == {10}
    assert all(row["memory"] > 0.1 for row in found["rows"]) and found["machine"] in lines[-1]
    assert found["note"] == "alone"
    grown = {(row["step"], row["size"]) for row in found["rows"] if row["step"]}
    assert ("SMOTE", 90) in grown and ("pack", 120) in grown and len(grown) == 8
    peers = [row["peer"] for row in found["rows"]]
    assert "Keras's EfficientNetB0, random weights" in peers
    assert peers[:2] == ["no augmentation (the limit)", "Keras's ImageDataGenerator on the CPU"]
    assert all(row["ours"] > 0 for row in found["rows"])
    assert all((row["theirs"] is None) == (row["peer"] == "–") == (row["ratio"] is None) for row in found["rows"])


def test_a_subject_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "augmentatoin"])
    assert "invalid choice: 'augmentatoin'" in capsys.readouterr().err


def test_a_row_without_peer_has_no_ratio():
    assert table.Row("x", 2.0, "s", "them", 4.0).ratio == 0.5
    assert "–" in table.markdown([table.Row("x", 1234.5, "s")], "m")
    assert "1,234" in table.markdown([table.Row("x", 1234.4, "s")], "m")


def test_a_step_that_would_take_too_long_or_too_much_memory_is_left_out(monkeypatch):
    known, done = [growth.Known(100, 1.0, 0)], []
    assert growth._timed(lambda: done.append(1), known, 10_000, limit=60) is None and not done
    assert growth._timed(lambda: done.append(1), known, 20_000, limit=60) is None  # what was left out stays out
    squared = [growth.Known(100, 1.0, 0), growth.Known(200, 4.0, 0)]
    assert growth._timed(lambda: done.append(1), squared, 1000, limit=60) is None
    linear = [growth.Known(100, 1.0, 0), growth.Known(1000, 10.0, 0)]
    assert growth._timed(lambda: done.append(1), linear, 5000, limit=60).size == 5000 and done == [1]
    monkeypatch.setattr(needs, "memory", lambda: 8000)  # MB
    small = [growth.Known(100, 1.0, 1.2e9, 1e9)]
    assert growth._timed(lambda: done.append(1), small, 3000, limit=60) and done == [1, 1]  # 7 GB
    small = [growth.Known(100, 1.0, 1.2e9, 1e9)]
    assert growth._timed(lambda: done.append(1), small, 4000, limit=60) is None  # 9 GB


def test_a_contender_that_fails_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RuntimeError, match="histolib on .* ended with 1"):
        oversampling.measure("histolib", tmp_path)


def test_the_accelerator_report_is_json_with_its_keys(capsys, tmp_path):
    file = tmp_path / "gpu_test.json"
    gpu.main(["--tiny", "--json", str(file)])
    report = json.loads(capsys.readouterr().out)
    assert json.loads(file.read_text()) == report
    assert {"accelerator", "backend", "precision", "batch_sizes", "flops_share", "versions", "notes"} <= set(report)
    chapters = {"descriptors", "two_blocks", "magnification", "patch_resnet"}
    assert set(report["minutes"]) == {"baseline", "feature_extraction", "fine_tuning"} | chapters
    assert report["training_images"] == 115 and {"two_blocks", "magnification", "patch_resnet"} < set(
        report["flops_share"]
    )
    assert report["peak_device_memory_gb"] is None or report["peak_device_memory_gb"] > 0
    assert set(report["images_per_second"]["batch 8"]) == {"augmented", "plain", "from_host", "image_data_generator"}
    head = report["training"]["dense layers"]
    assert head["epochs"] == 50 and report["minutes"]["feature_extraction"] > head["seconds"] / 60
    assert all(value > 0 for part in ("minutes", "flops_share") for value in report[part].values())


def test_full_size_is_the_papers():
    assert round(2 * gpu.TRAINING * gpu.NEGATIVE) == 317_981


def test_operations_of_the_baseline_by_hand():
    sizes, filters = (50, 25, 12, 6), (3, 32, 64, 128, 128)
    layers = [2 * 9 * a * b * side**2 for a, b, side in zip(filters[:-1], filters[1:], sizes, strict=True)]
    forward, first = sum(layers) + 2 * 128 * 3 * 3 * 2, layers[0]
    assert accelerator.operations(models.baseline_cnn()) == (forward, 3 * forward - first)


def test_operations_of_frozen_layers_are_counted_once():
    backbone = models.unfreeze(models.backbone("vgg16", 0.02, None, (50, 50, 3)), 0)
    forward, training = accelerator.operations(backbone)
    assert forward == training > 0


def test_the_generator_gives_scaled_float_images():
    images = np.full((8, 50, 50, 3), 255, np.uint8)
    batch, targets = generator.flow(images, np.eye(2, dtype=np.float32)[[0, 1] * 4], 4, seed=0)[0]
    assert batch.shape == (4, 50, 50, 3) and batch.dtype == np.float32 and np.allclose(batch, 1) and len(targets) == 4
    assert generator.network().input_shape == (None, 50, 50, 3) and "scipy" in sys.modules
