"""Where the data sets are to be had, and whether all of one is there: ``list``, ``fetch NAME``, ``check NAME``."""

import argparse
import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from histolib import datasets
from histolib.datasets import fetching
from histolib.datasets.locating import Notes

CATALOG = yaml.safe_load(Path(__file__).with_name("catalog.yaml").read_text("utf8"))


def check(name: str, root: Path) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A data set's folder beside what is published of it.

    Returns a table, a row for each thing that is counted (``expected``, NA if nothing is; ``found``; ``off``), and the
    names behind the numbers by kind.
    """
    dataset, about, notes, rows = datasets.load(name, root, damaged="skip"), CATALOG[name], Notes(skip=True), []
    datasets.SOURCES[name].scan(dataset.root, notes)
    table = dataset.table
    for column, expected in about["published"].items():
        if isinstance(expected, dict):
            title, found = column.replace("label_name", "class"), table[column].value_counts()
            rows += [(f"{title} {value}", count, found.get(value, 0)) for value, count in expected.items()]
        else:
            rows.append((column, expected, len(table) if column == "images" else table["patient"].nunique()))
    classes = table.groupby("patient")["label"].nunique()
    names = {
        "listed, not there": notes.missing,
        "damaged": [*dataset.skipped, *(dataset.unlabeled.skipped if dataset.unlabeled else ())],
        "same picture in two patients or classes": _same(dataset),
        "patient of two classes": classes.index[classes > 1].tolist() if about.get("one_class_per_patient") else [],
    }
    rows += [(kind, 0, len(found)) for kind, found in names.items()]
    rows += [("of another size", pd.NA if about.get("odd_sizes") else 0, dataset.odd_sized())]
    rows += [(f"left out: {reason}", pd.NA, count) for reason, count in dataset.left_out.items()]
    counts = pd.DataFrame(rows, columns=["what", "expected", "found"]).set_index("what").astype("Int64")
    return counts.assign(off=(counts["expected"] != counts["found"]).fillna(False)), names


def _same(dataset: datasets.Dataset) -> list[str]:
    """Pictures that several patients or classes have, as paths joined by ``=``; those of one color don't count."""

    def digest(row) -> str | None:
        film = getattr(dataset.reader, "film", None)
        pixels = film(dataset.root, row) if film else dataset.reader.read(dataset.root, row, dataset.shape)
        return hashlib.sha256(pixels.tobytes()).hexdigest() if np.ptp(pixels) else None

    table = dataset.table.drop_duplicates("path")
    with ThreadPoolExecutor() as pool:
        table = table.assign(digest=list(pool.map(digest, table.itertuples(index=False))))
    groups = table.groupby("digest").filter(lambda rows: rows[["patient", "label"]].nunique().max() > 1)
    return groups.groupby("digest")["path"].agg(" = ".join).tolist()


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 1 if a data set can't be fetched or something of it is off, otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m histolib.datasets", description=__doc__)
    parser.add_argument("command", choices=["list", "fetch", "check"])
    parser.add_argument("name", nargs="?", choices=CATALOG)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the data sets (default: data)")
    parser.add_argument("--names", type=int, default=10, help="names shown of a kind (default: 10)")
    given = parser.parse_args(arguments)
    if given.command != "list" and given.name is None:
        parser.error(f"{given.command} needs a name: {', '.join(CATALOG)}")
    try:
        if given.command == "check":
            counts, names = check(given.name, given.data)
            print(counts.assign(off=np.where(counts["off"], "off", "")).to_string())
            for kind, found in names.items():
                more = [f"and {len(found) - given.names:,} more (--names)"] if len(found) > given.names else []
                if found:
                    print(f"\n{kind}:", *found[: given.names], *more, sep="\n  ")
            return int(counts["off"].any())
        for name in [given.name] if given.name else CATALOG:
            about = CATALOG[name]
            how = f"{about['how']} Put it below {given.data / name}." if "how" in about else "It can be fetched."
            lines = (f"{key}: {about[key]}" for key in ("page", "licence", "size", "cite"))
            print(f"{name}: {about['title']}", *lines, how, sep="\n  ")
        if given.command == "fetch":
            if "how" in about:
                return 1
            print(f"It is in {fetching.fetch(given.name, about, given.data)}.")
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
