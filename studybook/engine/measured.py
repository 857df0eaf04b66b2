"""The page "How fast": what ``make bench`` and ``python -m bench.gpu`` measured, from the files that they wrote."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

INTRODUCTION = """# How fast

What this library does is measured beside a named peer, both in one run and in turns. A ratio is ours over the peer's:
where less is better, below 1 is faster. Peak memory is that of the whole process while ours ran, imports and the images
themselves included. Numbers of another machine are others; run `make bench` on yours."""
NO_BENCH = "No run of `make bench` is kept with this book, so that no number stands here."
NO_GPU = """## On an accelerator

No accelerator was measured: none was at hand. `python -m bench.gpu` does it, for every chapter at the published sizes,
and has been tried on a processor only, with `--tiny`."""


def write(folder: Path, bench: Iterable[Path], accelerators: Iterable[Path]) -> None:
    """Write ``measured.md`` into `folder`, and its pictures into ``pictures/`` there, which is there.

    Parameters
    ----------
    folder
        The staged prose.
    bench
        JSON files of ``python -m bench --json``, one section each.
    accelerators
        JSON files of ``python -m bench.gpu --json``.
    """
    parts = [INTRODUCTION]
    for path in bench:
        found = json.loads(path.read_text("utf8"))
        parts += [f"## {found['machine']}", _when(found), _table(found["rows"])]
        if any(row["step"] for row in found["rows"]):
            growth(found["rows"]).savefig(folder / f"pictures/growth_{path.stem}.png", dpi=110)
            parts.append(f"```{{figure}} pictures/growth_{path.stem}.png\n:alt: Seconds of each step by the number of "
                         "patches, ours and the peer's\n\nHow cost grows with the number of patches. A point that is "
                         "missing was not measured: it would have taken too long.\n```")  # fmt: skip
    parts = parts if len(parts) > 1 else [*parts, NO_BENCH]
    on_chips = [_accelerator(json.loads(path.read_text("utf8"))) for path in accelerators]
    (folder / "measured.md").write_text("\n\n".join([*parts, *(on_chips or [NO_GPU]), ""]), "utf8")


def growth(rows: Iterable[Mapping[str, Any]]) -> Figure:
    """Seconds by number of patches of each step, ours and the peer's, both axes logarithmic."""
    steps: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["step"]:
            steps.setdefault(row["step"], []).append(row)
    lines = -(-len(steps) // 2)
    figure = Figure(figsize=(8, 3.1 * lines), layout="constrained")
    for axes, (name, found) in zip(figure.subplots(lines, 2, squeeze=False, sharex=True).flat, steps.items()):
        sizes = [row["size"] for row in found]
        axes.loglog(sizes, [row["ours"] for row in found], "o-", label="ours")
        axes.loglog(sizes, [row["theirs"] or float("nan") for row in found], "s--", label=found[0]["peer"])
        axes.set(xlabel="patches", ylabel="seconds")
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_title(textwrap.fill(name, 38), fontsize="medium", pad=32)
        axes.legend(fontsize="x-small", loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure


def _when(found: Mapping[str, Any]) -> str:
    told = f"Measured on {found['measured'][:10]}; load average before it {found['load']:.1f}, size *{found['size']}*."
    return f"{told} {found['note']}" if found.get("note") else told


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Without times that have no peer: they say something of this machine alone."""
    lines = ["| What | Ours | Peer's | Ratio | Unit | Peer | Peak memory, GB |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["peer"] == "–" and row["unit"].startswith("s"):
            continue
        ours, theirs, ratio, memory = (_number(row[name]) for name in ("ours", "theirs", "ratio", "memory"))
        lines.append(f"| {row['what']} | {ours} | {theirs} | {ratio} | {row['unit']} | {row['peer']} | {memory} |")
    return "\n".join(lines)


def _accelerator(found: Mapping[str, Any]) -> str:
    title = f"## {found['accelerator']}, {found['backend']}, {found['precision']}"
    rows = [f"| {name} | {_number(minutes)} |" for name, minutes in found["minutes"].items()]
    return "\n".join([title, "", "| Training | Minutes |", "|---|---|", *rows])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
