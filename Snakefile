# The engine behind `make`. Targets are files, so the profile is part of what is asked for:
#   snakemake --cores 2 runs/demo/book/_build/html/index.html       the book at the demo scale
#   snakemake --cores 2 runs/paper/idc_transfer/record.json         one chapter at the published scale
# Each chapter's runs/<profile>/<chapter>/parameters.yaml must be there: `python -m studybook.engine.chapters prepare` writes it.
# Every path is relative, so the same file runs on a cluster: add `--executor slurm --jobs 10` (with that plugin installed).
import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())
from studybook.engine import dependencies, needs, running, units

running.hold()
CHAPTERS = sorted(path.stem for path in Path("notebooks").glob("*.ipynb"))
# They set the papers' runs beside each other, so they come last.
ACROSS = [name for name in CHAPTERS if name in ("comparison",)]
PYTHON = sys.executable
# Seconds for one cell; three days, for the published settings on a CPU. Only a guard against a kernel that hangs.
CELL_TIMEOUT = int(os.environ.get("CELL_TIMEOUT") or 259200)
# Processes, at most, for the units of a chapter: to start one takes as long as a small unit. Elsewhere one per group.
PROCESSES = {"smoke": 1, "demo": 2}

os.environ |= {
    "PYTHONHASHSEED": "0",
    # Python's own kernel, whatever kernels the user has registered elsewhere.
    "JUPYTER_PATH": "",
    "JUPYTER_PREFER_ENV_PATH": "1",
    # Start-up messages below the level of an error; a user's own choice goes first.
    "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "NO_COLOR": "1",
}


def files(folder, pattern="**/*"):
    """Files below a folder that exist now, sorted; relative paths."""
    return sorted(path.as_posix() for path in Path(folder).glob(pattern) if path.is_file())


def is_paper(chapter):
    """Whether a chapter rebuilds a paper."""
    return Path("studybook/papers", chapter).is_dir()


def kept_records(wildcards):
    """Kept runs that a chapter shows: its own, or, of one that belongs to no paper, those of all chapters."""
    return files("records" if wildcards.chapter in ACROSS else f"records/{wildcards.chapter}")


def runs_beside(wildcards):
    """The runs of this book that a chapter across the papers shows: those of all papers that are asked for too."""
    if wildcards.chapter not in ACROSS:
        return []
    folder = Path("runs", wildcards.profile)
    papers = filter(is_paper, CHAPTERS)
    return [f"{folder}/{name}/record.json" for name in papers if (folder / name / "parameters.yaml").exists()]


def code_of(source):
    """Files that some code depends on, as its imports say; relative paths."""
    return [os.path.relpath(path) for path in dependencies.files(source)]


def chapter_code(wildcards):
    """What a chapter is executed with: what its notebook imports, and its paper's numbers, or those of all papers."""
    used = code_of(dependencies.of_notebook(Path("notebooks", f"{wildcards.chapter}.ipynb")))
    papers, own = "studybook/papers", wildcards.chapter
    if not is_paper(own) and "studybook/published/reported.py" in used:
        own = "*"
    return used + files(papers, f"{own}/published.yaml") + files(papers, f"{own}/*.csv")


def study_code(wildcards):
    """What the units of a chapter's study are computed with."""
    return code_of(f"from {units.room(wildcards.chapter)} import study")


def urgent(wildcards):
    """1 for the papers and what waits for their runs; the other chapters fill the cores that these leave free."""
    return int(wildcards.chapter in ACROSS or is_paper(wildcards.chapter))


def needed(rule, what):
    """What the jobs of a rule ask a cluster for, by their scale; studybook/engine/needs.yaml holds it."""
    return lambda wildcards: needs.of(wildcards.profile)[rule][what]


def stamps(wildcards):
    """One file per group of units of a chapter's study; a chapter without a study has none."""
    folder = Path("runs", wildcards.profile, wildcards.chapter)
    _, groups = units.prepared(wildcards.chapter, folder / "parameters.yaml", PROCESSES.get(wildcards.profile))
    return [f"{folder}/units/{group}.json" for group in groups]


wildcard_constraints:
    profile="[A-Za-z0-9_-]+",
    chapter="[a-z0-9_]+",
    group="[A-Za-z0-9_-]+",


localrules:
    book,


rule units:
    # Part of a chapter's study, before the chapter, so that several parts run at once; it resumes where it was stopped.
    input:
        notebook="notebooks/{chapter}.ipynb",
        parameters="runs/{profile}/{chapter}/parameters.yaml",
        code=study_code,
    output:
        "runs/{profile}/{chapter}/units/{group}.json",
    log:
        "runs/{profile}/{chapter}/units/{group}.log",
    params:
        backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
        processes=lambda wildcards: PROCESSES.get(wildcards.profile, 0),
    threads: 1
    priority: urgent
    resources:
        mem_mb=needed("units", "mem_mb"),
        runtime=needed("units", "runtime"),
    shell:
        '"{PYTHON}" -m studybook.engine.units {wildcards.chapter} {wildcards.group} --processes {params.processes} --parameters "{input.parameters}" --stamp "{output}" '
        '> "{log}" 2>&1 || {{ echo "exit status $?" >> "{log}"; exit 1; }}'


rule chapter:
    input:
        notebook="notebooks/{chapter}.ipynb",
        parameters="runs/{profile}/{chapter}/parameters.yaml",
        code=chapter_code,
        kept=kept_records,
        beside=runs_beside,
        units=stamps,
    output:
        # Written by the chapter itself, at its end; Snakemake removes it before a run and after a failed one.
        "runs/{profile}/{chapter}/record.json",
    log:
        # Snakemake keeps logs when a job fails: the partly executed notebook stays for reading.
        notebook="runs/{profile}/{chapter}/{chapter}.ipynb",
        text="runs/{profile}/{chapter}/papermill.log",
    params:
        # Another backend, another run.
        backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
    # Snakemake hands this number to OpenMP and BLAS, so it also fixes how sums are rounded. Two chapters side by side
    # are done before two one after the other, each with two threads; networks take the cores that are free anyway.
    threads: 1
    priority: urgent
    resources:
        mem_mb=needed("chapter", "mem_mb"),
        runtime=needed("chapter", "runtime"),
    shell:
        'rm -f "{log.notebook}"; '
        '"{PYTHON}" -m studybook.engine.running papermill "{input.notebook}" "{log.notebook}" -f "{input.parameters}" -k python3 --cwd notebooks '
        '--execution-timeout {CELL_TIMEOUT} --no-progress-bar --log-output > "{log.text}" 2>&1 '
        '|| {{ echo "exit status $?" >> "{log.text}"; exit 1; }}'


rule book:
    input:
        records=expand("runs/{{profile}}/{chapter}/record.json", chapter=CHAPTERS),
        notebooks=expand("runs/{{profile}}/{chapter}/{chapter}.ipynb", chapter=CHAPTERS),
        pages=files("book"),
        config="_config.yml",
        builder=code_of("from studybook.engine import book; from studybook.comparison import glance")
        + files("studybook/papers", "*/published.yaml"),
        kept=files("records", "*/*/record.json"),
        measured=files("records", "bench/*.json") + files("records", "gpu/*.json") + files("runs", "bench.json"),
    output:
        "runs/{profile}/book/_build/html/index.html",
    params:
        # The launch buttons lead there: another address, another book.
        repository=os.environ.get("BOOK_REPOSITORY", ""),
    log:
        "runs/{profile}/book.log",
    shell:
        '"{PYTHON}" -m studybook.engine.book --profile {wildcards.profile} > "{log}" 2>&1 '
        '|| {{ echo "exit status $?" >> "{log}"; exit 1; }}'
