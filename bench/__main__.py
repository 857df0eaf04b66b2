"""Print what is measured, against what, as one Markdown table."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import memory
from bench.table import Row, markdown
from histolib import cache
from studybook.engine import records


def _augmentation(size: str) -> list[Row]:
    from bench import augmentation

    return augmentation.rows(images=64, rounds=1) if size == "quick" else augmentation.rows()


def _oversampling(size: str) -> list[Row]:
    from bench import oversampling

    if size == "full":
        # imbalanced-learn takes 13 GB and most of an hour there; `growth` has its time at fewer patches.
        return oversampling.rows(oversampling.FULL, alone=True)
    return oversampling.rows(300, alone=True) if size == "quick" else oversampling.rows(20_000)


def _stain(size: str) -> list[Row]:
    from bench import stain

    return stain.rows((96, 128), rounds=1) if size == "quick" else stain.rows()


def _descriptors(size: str) -> list[Row]:
    from bench import descriptors

    if size == "full":
        return descriptors.rows((768, 1024), size=400)
    return descriptors.rows((96, 128), size=48, crops=4, jitters=2, rounds=1) if size == "quick" else descriptors.rows()


def _encoders(size: str) -> list[Row]:
    from bench import encoders

    if size == "quick":
        return encoders.rows(["efficientnet_lite0"], side=32, images=2, rounds=1)
    return encoders.rows()


def _handcrafted(size: str) -> list[Row]:
    from bench import handcrafted

    if size == "quick":
        return handcrafted.rows(patches=16, rounds=1, workers=1)
    return handcrafted.rows(10_000, photographs=8) if size == "full" else handcrafted.rows()


def _gathering(size: str) -> list[Row]:
    from bench import gathering

    return gathering.rows(5, 140) if size == "quick" else gathering.rows()


def _growth(size: str) -> list[Row]:
    from bench import growth

    if size == "quick":
        return growth.rows((90, 120), limit=5, networks=False)
    if size == "full":
        return growth.rows((4_000, 16_000, 65_000, 277_524), 200)
    return growth.rows((1_000, 2_000, 4_000, 8_000))


# Subject -> its rows at one of the sizes "quick", "default", "full". Imported when asked for.
SUBJECTS: dict[str, Callable[[str], list[Row]]] = {
    "augmentation": _augmentation,
    "oversampling": _oversampling,
    "stain": _stain,
    "descriptors": _descriptors,
    "encoders": _encoders,
    "handcrafted": _handcrafted,
    "gathering": _gathering,
    "growth": _growth,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the same as JSON if asked; returns the exit status."""
    options = _parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows, load = [], os.getloadavg()[0]
    hardware = records.environment()["hardware"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']:.0f} GiB"
    for name in options.only or SUBJECTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        memory.reset()
        found = SUBJECTS[name](options.size)
        peak = memory.peak() / 1e9
        rows += [row if row.memory else replace(row, memory=peak) for row in found]
        if options.json:  # after each subject, so that what took an hour is not lost with the next
            _write(options.json, rows, size=options.size, machine=machine, load=load, note=options.note)
    print(markdown(rows, machine))
    print(f"\n{platform.system()}, Python {platform.python_version()}, load average before {load:.1f}")
    return 0


def _write(file: Path, rows: Sequence[Row], **facts) -> None:
    found = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
        "rows": [asdict(row) for row in rows],
    }
    with cache.atomic_file(file) as part:
        part.write_text(json.dumps(found, indent=1) + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="one subject; may be given several times")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", help="seconds; shows that it runs")
    size.add_argument("--full", dest="size", action="store_const", const="full",
                      help="published sizes; an hour on 2 cores")  # fmt: skip
    parser.add_argument("--json", type=Path, help="file to write the rows to as well")
    parser.add_argument("--note", default="", help="a sentence for the page, such as what else ran on the machine")
    parser.set_defaults(size="default")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
