"""What a reader sees of a run: which step of how many, of which chapter, the time so far; why one failed, and its log.

A logger plugin of Snakemake, whose own messages go to ``.snakemake/log/`` alone. `studybook.engine.run` registers this
module; Snakemake asks a plugin's module for a class named `LogHandler`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

EVERY = 60  # seconds between two lines about what is running
SHOWN = 40  # lines of a failed step's log
_CELL = re.compile(r"Executing Cell (\d+)")  # what papermill writes before each
# Where in a log the story of a failure begins: papermill's, Python's, or that of the program that renders the book.
_BEGINS = "Exception encountered", "Traceback (most recent", "WARNING", "ERROR"
_STATUS = re.compile(r"exit status (\d+)")  # the last line of a log, written by the Snakefile
# What executors and Snakemake warn of at every run, or say once more after a step has failed.
_NOISE = re.compile(
    r"SLURM account|At least one job did not complete|Exiting because a job|^Rules: |no wall ?time", re.I
)
# In an executor's log of a job, among what Snakemake says there, the lines of the programs that started it.
_OUTSIDE = re.compile(r"^\S+: (?:error|fatal): ")
# What an executor adds to why a job failed that tells a reader nothing more.
_VAGUE = re.compile(r"Detailed failure reason unavailable \(.*?\)\.?|For further error details see .*|sbatch call: .*")


@dataclass
class Step:
    """One of a run's jobs: its name for a reader, its logs, and when it began (seconds since the epoch)."""

    name: str
    logs: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Failure:
    """Why a step failed, and the file that tells more, if there is one."""

    name: str
    reason: str
    log: str | None


class LogHandler(LogHandlerBase):
    """Prints Snakemake's events as plain lines to stderr; `failures` and `problems` hold what went wrong."""

    writes_to_stream, writes_to_file = True, False
    has_filter, has_formatter, needs_rulegraph = True, True, False
    latest: LogHandler

    def __post_init__(self) -> None:
        self.failures: list[Failure] = []
        self.problems: list[tuple[str, str]] = []  # class of an error of the run as a whole, message
        self.total = self.done = self.begun = 0
        self._steps: dict[int, Step] = {}
        self._start = time.time()
        self._guard, self._over = threading.Lock(), threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()
        LogHandler.latest = self

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event and tell the reader, if it is for one."""
        try:
            with self._guard:
                self._take(record)
        except Exception:  # a line that can't be printed must not end a run of hours
            self.handleError(record)

    def close(self) -> None:
        """No more lines about what is running."""
        self._over.set()
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        event, told = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO:
            self.total = told["stats"]["total"]
        elif event == LogEvent.JOB_INFO:
            step = Step(name(told["rule_name"], told["wildcards"], told["output"]), list(told["log"]))
            self._steps[told["jobid"]] = step
            self.begun += 1
            where = f"; log: {step.logs[-1]}" if step.logs else ""
            self._say(f"step {self.begun} of {self.total}: {step.name}{where}")
        elif event == LogEvent.JOB_FINISHED:
            self.done += 1
            if step := self._steps.pop(told["job_id"], None):
                self._say(f"done, {self.done} of {self.total}: {step.name}, in {clock(time.time() - step.began)}")
        elif event == LogEvent.JOB_ERROR:
            self._fail(told)
        elif event == LogEvent.ERROR:
            self.problems.append((told["exception"], record.getMessage().strip()))
        elif event is None and record.levelno >= logging.WARNING and not _NOISE.search(record.getMessage()):
            self._say(record.getMessage().strip())

    def _fail(self, told: dict) -> None:
        step = self._steps.pop(told["jobid"], None) or Step(name(told["rule_name"], {}, told["output"]), told["log"])
        own = [Path(log) for log in step.logs if _fresh(log, step.began)]
        # What the executor keeps of a job, for one that failed before it had a log of its own.
        others = [Path(part) for log in told["log"] for part in str(log).split(", ") if part not in step.logs]
        reason, log = why(own, [log for log in others if log.is_file()], told["rule_msg"])
        self.failures.append(Failure(step.name, reason, str(log) if log else None))
        self._say(f"FAILED: {step.name}")
        for line in _tail(log) if log in own else []:
            print(f"    {line}", file=sys.stderr)

    def _beat(self) -> None:
        while not self._over.wait(EVERY):
            with self._guard, suppress(OSError, ValueError):  # a log that is just being replaced
                if self._steps:
                    now = time.time()
                    running = (
                        f"{step.name} for {clock(now - step.began)}{_cell(step)}" for step in self._steps.values()
                    )
                    self._say(f"running ({self.done} of {self.total} done): {'; '.join(running)}")

    def _say(self, text: str) -> None:
        print(f"{clock(time.time() - self._start):>8}  {text}", file=sys.stderr, flush=True)


def name(rule: str, wildcards: dict, output: Iterable[str]) -> str:
    """A step's name for a reader: its chapter, and which part of it."""
    if rule == "units" and wildcards:
        return f"{wildcards['chapter']}, part {wildcards['group']} ({wildcards['profile']})"
    if rule == "chapter" and wildcards:
        return f"{wildcards['chapter']}, notebook ({wildcards['profile']})"
    return f"the {rule} ({wildcards['profile']})" if "profile" in wildcards else ", ".join(output) or rule


def clock(seconds: float) -> str:
    """Time as minutes and seconds, with hours from the first on: ``0:05``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def why(logs: Iterable[Path], others: Iterable[Path], message: str | None) -> tuple[str, Path | None]:
    """Why a step failed, in one line, and the log that says so.

    Parameters
    ----------
    logs
        The step's own, those that there are; notebooks among them tell nothing.
    others
        What the executor keeps of the job.
    message
        What the executor says of the job, if anything: that it was refused or canceled.
    """
    texts = [(log, lines) for log in logs if log.suffix != ".ipynb" and (lines := _lines(log))]
    for log, lines in texts:
        status = _STATUS.fullmatch(lines[-1])
        if status and int(status[1]) == 137:
            return "killed (exit status 137): by hand, or because memory ran out", log
        told = [line for line in lines if not _STATUS.fullmatch(line)]
        if status and told:
            return told[-1], log
    said = _VAGUE.sub("", " ".join((message or "").split())).strip()
    for log in others:
        outside = [line for line in _lines(log) if _OUTSIDE.search(line)]
        return " ".join([said, *outside[-1:]]).strip(), log
    log, lines = texts[0] if texts else (None, [])
    return said or (lines[-1] if lines else "it ended without a word: killed by hand, or because memory ran out"), log


def summary(failures: Iterable[Failure]) -> str:
    """The last lines of a run that failed: each step with its reason and its log."""
    lines = []
    for one in failures:
        lines += [f"error: {one.name}: {one.reason}", *([f"    see {one.log}"] if one.log else [])]
    return "\n".join(lines)


def _fresh(log: str, began: float) -> bool:
    """Whether a log is of this run, not of an earlier one; clocks of two machines differ by a little."""
    return Path(log).is_file() and Path(log).stat().st_mtime > began - 2


def _lines(log: Path) -> list[str]:
    return [line for line in log.read_text("utf8", "replace").splitlines() if line.strip()]


def _tail(log: Path) -> list[str]:
    """The end of a log, from where it begins to tell of a failure."""
    lines = [line for line in _lines(log) if not _STATUS.fullmatch(line)]
    starts = (k for word in _BEGINS for k, line in enumerate(lines) if word in line)
    return lines[next(starts, 0) :][-SHOWN:]


def _cell(step: Step) -> str:
    """How far a notebook is, by papermill's log."""
    found = [log for log in step.logs if log.endswith(".log") and _fresh(log, step.began)]
    cells = _CELL.findall(Path(found[0]).read_text("utf8", "replace")) if found else []
    book = [Path(log) for log in step.logs if log.endswith(".ipynb") and Path(log).is_file()]
    if not cells or not book:
        return ""
    return f", cell {cells[-1]} of {len(json.loads(book[0].read_text('utf8'))['cells'])}"
