"""studybook.engine.measured: the page shows what was measured, and says so where nothing was."""

import json
from dataclasses import asdict

import pytest

from bench.table import Row
from studybook.engine import measured


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    return tmp_path


def page(folder, *kept):
    measured.write(folder, *kept)
    return (folder / "measured.md").read_text("utf8")


def test_rows_stand_with_machine_peer_and_memory_and_are_plotted_by_size(folder):
    rows = [Row(f"SMOTE, {n} patches", n / 100, "s", "a peer", n / 50 if n < 300 else None, memory=1.5, step="SMOTE",
                size=n) for n in (100, 200, 300)]  # fmt: skip
    rows += [Row("stain", 120.0, "images/s", "NumPy", 60.0), Row("decode", 9.0, "s"), Row("peak memory", 6.5, "GB")]
    found = {"machine": "a chip, 2 cores", "measured": "2026-01-02T03:04:05", "load": 0.5, "size": "default",
             "note": "Alone.", "rows": [asdict(row) for row in rows]}  # fmt: skip
    file = folder / "laptop.json"
    file.write_text(json.dumps(found))
    text = page(folder, [file], [])
    assert (
        "## a chip, 2 cores" in text
        and "size *default*. Alone." in text
        and "2026-01-02" in text
        and measured.NO_BENCH not in text
    )
    assert "| SMOTE, 100 patches | 1.00 | 2.00 | 0.50 | s | a peer | 1.50 |" in text
    assert "| SMOTE, 300 patches | 3.00 | – | – |" in text and "| stain | 120 | 60.00 | 2.00 |" in text
    assert "decode" not in text and "| peak memory | 6.50 |" in text
    assert (folder / "pictures/growth_laptop.png").stat().st_size > 1000 and "growth_laptop.png" in text
    ours, theirs = measured.growth(found["rows"]).axes[0].lines
    assert ours.get_ydata().tolist() == [1, 2, 3] and theirs.get_xdata().tolist() == [100, 200, 300]


def test_what_was_not_measured_is_said(folder):
    text = page(folder, [], [])
    assert measured.NO_BENCH in text and measured.NO_GPU in text


def test_minutes_on_an_accelerator(folder):
    file = folder / "gpu.json"
    file.write_text(json.dumps({"accelerator": "Chip 1", "backend": "jax", "precision": "float32",
                                "minutes": {"baseline": 3.5}}))  # fmt: skip
    text = page(folder, [], [file])
    assert "## Chip 1, jax, float32" in text and "| baseline | 3.50 |" in text and measured.NO_GPU not in text
