# Two commands do everything: `make book` and `make test`. `make help` explains the rest. Works with GNU make 3.81 and later.

PROFILE ?= demo
DATA ?=
SET ?=
CHAPTER ?=
SWEEP ?=
DATASET ?= idc
TITLE ?=
KEY ?=
CORES ?= 2
ENGINE ?=
ARGS ?=
PYTHON ?= python3
UV ?= uv
ENV ?=
MODEL ?=
PORT ?= 8866

# Handed on through the environment, so that a folder or a title may have spaces in it.
export DATA MODEL TITLE SWEEP

# ENV=current: run in the environment that is active (conda, a cluster's module) instead of making .venv.
ifeq ($(ENV),current)
VENV :=
RUN := $(PYTHON) -m
else
VENV := .venv/.histolib
RUN := .venv/bin/python -m
endif
# Checks what is asked for, then calls Snakemake: book, or chapter and names, or sweep and a file.
ENGINE_RUN = $(RUN) studybook.engine.run $(1) --profile $(PROFILE) --data "$$DATA" --cores $(CORES) \
	$(if $(strip $(SET)),--set $(SET)) -- $(ENGINE)

.PHONY: help book chapter sweep new test exercises bench screen weights jax lock unlock clean
.DEFAULT_GOAL := help

help:
	@echo 'make book                          execute the chapters on drawn data (demo scale) and render the book'
	@echo 'make book DATA=/path PROFILE=paper the same on real data, with the published settings'
	@echo 'make book SET="seed=1 draws=100"   the same with other parameters, in every chapter that declares them'
	@echo 'make chapter CHAPTER=idc_transfer  execute one chapter; takes PROFILE, DATA and SET too'
	@echo 'make sweep SWEEP=file.yaml         execute a chapter at every point of a grid of its parameters; one table of all'
	@echo 'make new CHAPTER=author_subject    make a chapter that runs at once; DATASET=idc, TITLE="...", KEY=Author2020'
	@echo 'make test                          all tests, the chapters and the book at the smoke scale; ARGS="-k site" goes to pytest'
	@echo 'make exercises                     every exercise, as printed, to its end at the smoke scale (most of an hour)'
	@echo 'make screen                        serve the screening page to this machine alone; MODEL=file.keras, PORT=8866'
	@echo 'make bench                         measure beside peers, print it, and keep it for the book; ARGS=--full'
	@echo 'make weights                       remake the shipped weights: half an hour on two cores'
	@echo 'make jax                           install JAX too; KERAS_BACKEND=jax then runs on it, and make test tries it'
	@echo 'make lock                          resolve requirements.lock anew (needs uv)'
	@echo 'make unlock                        take away the lock of a killed run; book, chapter and sweep do so by themselves'
	@echo 'make clean                         remove runs/ and every cache in this folder'
	@echo
	@echo 'CORES=2        how many cores to use: as many chapters, and parts of their studies, run at once'
	@echo 'ENGINE=...     further options of Snakemake, such as ENGINE="--executor slurm --jobs 10"'
	@echo '               or ENGINE="--profile clusters/slurm"; see book/machines.md'
	@echo 'PYTHON=python3 which Python (3.11 to 3.13) makes .venv'
	@echo 'ENV=current    use the active environment (conda, say) instead of .venv'

# A stamp is touched last: an interrupted installation has none, and is begun anew from an empty folder. Where uv is on
# the path, it installs the same lock file, with the same hashes, in pip's place.
.venv/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "error: PYTHON=$(PYTHON) is `$(PYTHON) --version 2>&1`; Python 3.11, 3.12 or 3.13 is needed," \
			"for instance: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing requirements.lock into .venv; this takes a few minutes, once."
	@$(PYTHON) -m venv --clear .venv
	@if command -v $(UV) >/dev/null 2>&1; \
		then $(UV) pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements.lock; \
		else $(RUN) pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock; fi
	@touch $@

.venv/.histolib: .venv/.installed pyproject.toml
	@$(RUN) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# JAX beside TensorFlow: with it `make test` tries it, and KERAS_BACKEND=jax runs chapters on it.
jax: $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-jax.lock

book: $(VENV)
	@$(call ENGINE_RUN,book)

chapter: $(VENV)
	@test -n "$(CHAPTER)" || { echo "error: which one? make chapter CHAPTER=idc_transfer" >&2; exit 1; }
	@$(call ENGINE_RUN,chapter $(CHAPTER))

sweep: $(VENV)
	@test -n "$(SWEEP)" || { echo "error: which one? make sweep SWEEP=file.yaml" >&2; exit 1; }
	@$(call ENGINE_RUN,sweep "$$SWEEP")

new: $(VENV)
	@test -n "$(CHAPTER)" || { echo "error: of which name? make new CHAPTER=author_subject" >&2; exit 1; }
	@$(RUN) studybook.engine.new "$(CHAPTER)" --dataset "$(DATASET)" --title="$$TITLE" --key "$(KEY)"

test: $(VENV)
	@$(RUN) pytest $(ARGS)

exercises: $(VENV)
	@$(RUN) pytest -m slow tests/notebooks/test_exercises.py $(ARGS)

bench: $(VENV)
	@$(RUN) bench --json runs/bench.json $(ARGS)

# On 127.0.0.1 alone, until Ctrl-C. Without MODEL: the one that the mammography chapter saved last.
screen: $(VENV)
	@$(RUN) studybook.screening.serve apps --model "$$MODEL" --port $(PORT)

# Draws the images of the pre-training and trains on them; a network made by the same recipe is not made again.
weights: $(VENV)
	@$(RUN) studybook.pretraining --network vgg16 resnet50 inceptionv3

# One file for Python 3.11 to 3.13 on Linux and macOS, with the hash of every file.
lock:
	$(UV) pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --all-extras \
		pyproject.toml -o requirements.lock
	$(UV) pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--group pyproject.toml:jax --constraints requirements.lock -o requirements-jax.lock

# Only after a kill or a power cut; a run that is interrupted with Ctrl-C leaves no lock.
unlock: $(VENV)
	@$(RUN) studybook.engine.run unlock --profile $(PROFILE)

clean:
	rm -rf runs .snakemake .pytest_cache .ruff_cache
