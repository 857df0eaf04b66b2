"""What `make book`, `make chapter` and `make sweep` call: checks, then Snakemake, then what came of it in plain words.

``python -m studybook.engine.run book|chapter|sweep|unlock [NAME ...] [--profile ...] [-- OPTIONS OF SNAKEMAKE]``, run
in the repository's top folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from snakemake import cli
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from studybook.engine import chapters, needs, progress, running, sweep
from studybook.engine.parameters import ParameterError

LOGGER = "studybook"
# Options with which Snakemake has something of its own to say.
_TALKATIVE = {"-n", "--dry-run", "--dryrun", "--verbose", "--logger", "--touch", "-t", "--unlock", "--summary", "-S"}
_ELSEWHERE = ("--executor", "-e", "--profile")  # options that may send jobs to other machines
_BUSY = (
    "error: another run in this folder is still at work on the same files: another `make`, or a job that outlived one "
    "that was killed. Wait until it has ended, or end it; on a cluster, look at its queue."
)


def snakemake(targets: Sequence[str], cores: int, options: Sequence[str], alone: bool) -> int:
    """Make files; returns the exit status, after the last lines have told what failed.

    Parameters
    ----------
    targets
        Files, relative to the current folder.
    cores
        How many to use on this machine.
    options
        Further options of Snakemake.
    alone
        Whether no other process works on this folder's runs: then a killed run left a lock behind, which is removed.
    """
    command = ["--cores", str(cores), "--keep-going", "--rerun-incomplete", "--scheduler", "greedy"]
    if not any(one.partition("=")[0] in _ELSEWHERE for one in options):
        # What is known to take much memory does not run at once with another such job.
        command += ["--resources", f"mem_mb={needs.memory()}"]
    command += options
    if _TALKATIVE & set(options):
        return _call([*command, "--", *targets])
    LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{LOGGER}", progress)
    status = _call([*command, "--logger", LOGGER, "--", *targets])
    if "LockException" in (kind for kind, _ in _log().problems) and alone:
        print("A run was killed here; its lock is removed.", file=sys.stderr)
        if _call(["--cores", "1", "--unlock", "--quiet", "all", "--", *targets]) == 0:
            status = _call([*command, "--logger", LOGGER, "--", *targets])
    if status:
        _tell()
    return status


def _call(command: Sequence[str]) -> int:
    try:
        cli.main(list(command))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _log() -> progress.LogHandler:
    return progress.LogHandler.latest


def _tell() -> None:
    """The last lines of a run that failed."""
    for kind, message in _log().problems:
        # Snakemake's own words about a step that failed.
        if not (_log().failures and kind in ("RuleException", "WorkflowError")):
            print(_BUSY if kind == "LockException" else f"error: {message}", file=sys.stderr)
    if _log().failures:
        print(progress.summary(_log().failures), file=sys.stderr)
        print(f"{_log().done} of {_log().total} steps are done and are kept; the same command goes on from there.",
              file=sys.stderr)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 1 if a step failed, 2 if what was asked for is wrong."""
    parser = argparse.ArgumentParser(prog="python -m studybook.engine.run", description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["book", "chapter", "sweep", "unlock"])
    parser.add_argument("names", nargs="*", help="chapters; of a sweep its file")
    parser.add_argument("--profile", default="demo", help="a folder below profiles/ (default: demo)")
    parser.add_argument("--data", help="folder of real data; without it, twins are drawn")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="parameters")
    parser.add_argument("--cores", type=int, default=2, help="how many to use on this machine")
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    chosen, options = parser.parse_args(given[:cut]), given[cut + 1 :]
    html = f"runs/{chosen.profile}/book/_build/html/index.html"
    try:
        alone = _begin()
        if chosen.what == "unlock":
            return _call(["--cores", "1", "--unlock", "--quiet", "all", "--", html]) if alone else _busy()
        for shortage in needs.shortages(chosen.profile, not any(one in _ELSEWHERE for one in options)):
            print(f"note: {shortage}", file=sys.stderr)
        if chosen.what == "sweep":
            return _sweep(chosen, options, alone)
        files = chapters.prepare(chosen.profile, chosen.names, chosen.data, chapters.settings(chosen.set))
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    targets = [html] if chosen.what == "book" else [f"{file.parent.as_posix()}/record.json" for file in files]
    if status := snakemake(targets, chosen.cores, options, alone):
        if chosen.what == "book" and Path(html).exists():
            print(f"{html} shows earlier runs.", file=sys.stderr)
        return status
    if chosen.what == "book":
        print(f"The book lies at {Path(html).absolute()}")
    for file in files if chosen.what == "chapter" else []:
        print(f"Executed: {(file.parent / file.parent.name).absolute()}.ipynb")
    return 0


def _begin() -> bool:
    """Take note that this process runs here, and clear away what killed ones left; whether no other runs."""
    try:
        alone = running.hold()
        Path("runs").mkdir(exist_ok=True)
        if not os.access("runs", os.W_OK):
            raise PermissionError(13, "no permission to write")
    except OSError as problem:
        raise ParameterError(
            f"{Path.cwd()}: {problem.strerror}. A run writes to runs/ and .snakemake/ below this folder: make it "
            "writable, or work in a copy that is"
        ) from None
    for left in running.tidy():
        print(f"note: {left} was left unfinished by a killed run; it is removed", file=sys.stderr)
    return alone


def _busy() -> int:
    print(_BUSY, file=sys.stderr)
    return 1


def _sweep(chosen: argparse.Namespace, options: Sequence[str], alone: bool) -> int:
    if len(chosen.names) != 1:
        raise ParameterError("one file is needed: make sweep SWEEP=file.yaml")
    found = sweep.read(Path(chosen.names[0]), chosen.profile, chosen.data, chapters.settings(chosen.set))
    targets = [f"runs/{point.run}/{found.chapter}/record.json" for point in sweep.prepare(found)]
    print(f"{len(targets)} runs of {found.chapter}: {', '.join(found.grid)}", file=sys.stderr)
    status = snakemake(targets, chosen.cores, options, alone)
    print(f"The sweep's table and page: {sweep.gather(found).absolute()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
