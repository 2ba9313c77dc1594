# The project's commands. `make book` and `make test` need Python 3.11 or newer, make and a package index, nothing else;
# every other target starts from the same environment. Without make: `python -m lil.dev book` and `python -m lil.dev test`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed
HTML   := _build/html
MODE   ?= auto

# Where it is set, each of the many processes that run notebooks and tests would compile the package's modules again.
unexport PYTHONDONTWRITEBYTECODE
# Sources and pages are UTF-8, whatever the locale.
export PYTHONUTF8 ?= 1

# The library changes nothing of its process, so these are set here. A waiting thread of OpenMP soon sleeps: where other
# processes want the cores too, the VGG13's passes take a quarter less of their time. glibc keeps freed memory for the next
# step: 2 to 5 % less time of the cores.
export GOMP_SPINCOUNT ?= 20000
reproduce reproduce-paper record affirm witness bench: export MALLOC_MMAP_MAX_ ?= 0
reproduce reproduce-paper record affirm witness bench: export MALLOC_TRIM_THRESHOLD_ ?= 17179869184

.DEFAULT_GOAL := help
.PHONY: help install book pages html pdf lab test test-all lint audit test-corruption test-environments test-faults test-inputs test-long \
	test-machines test-mutants test-newest test-oldest test-planted plain reproduce reproduce-paper record affirm witness bench references \
	readme-picture lock clean

help:            ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

install: $(READY)  ## the environment alone: .venv, from requirements.lock

# With INDEX=, PyTorch comes from that package index, which may have builds without CUDA's 3 GB. An environment that was
# copied here with the folder runs the code of the old folder, so it is made anew.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m lil.dev install --index "$(INDEX)"

MADE_AS := $(shell sed -nE 's/^command = .* -m venv (--[^ ]+ )*//p' $(VENV)/pyvenv.cfg 2>/dev/null)
ifneq "$(or $(MADE_AS),$(CURDIR)/$(VENV))" "$(CURDIR)/$(VENV)"
.PHONY: $(READY)
endif

book: pages      ## execute every notebook and build the book, its PDF too where a Chromium is; MODE=recorded: no computing, no PDF
ifneq "$(MODE)" "recorded"
	@$(BIN)/python -m lil.paper.pdf --if-possible
endif
	@$(MAKE) --no-print-directory html

pages: $(READY)  ## execute every notebook, without building the book
	$(BIN)/python -m lil.paper book --mode $(MODE)

# Everything anew (--all): an incremental build keeps old glued numbers. A warning is an error: without -W a page that
# failed would still leave the exit code at 0.
html: $(READY)   ## build the book from the pages that are there
	$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" --path-output . --all -W -n --keep-going --quiet
	@echo "The book: $(CURDIR)/$(HTML)/intro.html"

pdf: $(READY)    ## print the pages that are there as one PDF, which the next `make html` links to; needs a Chromium
	@$(BIN)/python -m lil.paper.pdf

lab: $(READY) requirements-lab.lock  ## open JupyterLab on the text notebooks; the first time it is installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lab.lock
	$(BIN)/lil lab

TESTS := $(BIN)/python -m pytest --numprocesses auto --no-loadscope-reorder --nbval-lax --nbval-current-env

test: $(READY)   ## unit tests, and the paper's notebooks live at the quick profile, by nbval; minutes
	$(TESTS) -m "not slow"

test-all: $(READY)  ## every test: the other notebooks, whole commands, the book in a browser, samples of the trials
	$(TESTS)

lint: $(READY)  ## style and types: ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The tool is no dependency of the project: it has an environment of its own, made anew each time. --strict: a package that
# the index does not know would else be left out in silence.
audit:           ## compare the pinned packages with the public database of known vulnerabilities; needs a network
	$(PYTHON) -m venv --clear .cache/audit
	.cache/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.cache/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock
	.cache/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements-lab.lock

test-environments: $(READY)  ## unit tests in hard places: folders, owners, permissions, encodings, options of Python
	$(BIN)/python -m tests.trust.environments

# VARIANTS="sse plain" runs some of them, and VARIANTS=bands those whose executions nbval's references consist of; ONLY="table1"
# the test files with a word in their names.
VARIANTS ?=
ONLY     ?=
test-machines: $(READY)  ## notebooks, recipes and experiments as other machines and with other packages; an hour or two
	$(BIN)/python -m tests.trust.machines $(VARIANTS) $(if $(ONLY),--only $(ONLY))

test-oldest: $(READY)  ## the same with the oldest packages that pyproject.toml allows
test-newest: $(READY)  ## the same with the newest packages there are
test-oldest test-newest:
	$(BIN)/python -m tests.trust.machines $(@:test-%=%)

test-long: $(READY)  ## fifty runs of each quick experiment in one process: memory, files and threads; ONLY="table1" runs some; hours
	$(BIN)/python -m tests.trust.long_use $(ONLY)

test-corruption: $(READY)  ## 2,000 changes of bytes in every kind of file: each is detected, or harmless
	$(BIN)/python -m tests.trust.corruption

test-faults: $(READY)  ## 300 kills, full disks, refused access, two at once: nothing is lost
	$(BIN)/python -m tests.trust.kills

test-inputs: $(READY)  ## thousands of bad values for functions, commands and notebooks
	$(BIN)/python -m tests.trust.inputs

test-planted: $(READY)  ## plant mistakes one at a time: the tests must notice each; an hour of one core at most
	$(BIN)/python -m tests.trust.planted

test-mutants: $(READY)  ## change operators and constants of a sample of lines: the tests must notice each
	$(BIN)/python -m tests.trust.mutants

plain: $(READY)  ## without lil/fast: science, notebooks, and three figures at the paper's scale; hours
	.ci/plain

reproduce: $(READY)  ## everything live at the paper's scale, then a table: paper, record, now
	$(BIN)/lil reproduce --mode live

# The clean accuracies that Figure 3 prints are Table 1's; table1 itself adds what may have made the paper's baseline.
FIGURES := fig1_mappings fig2_rings fig3_mnist fig3_cifar10 fig4_torus figA1_distances

reproduce-paper: $(READY)  ## what the paper itself shows, and no more: some 15 minutes on two cores
	$(BIN)/lil reproduce --mode live --profile shown $(FIGURES)

record: $(READY)  ## everything live, and keep it as the record in results/
	$(BIN)/lil reproduce --record

# Probes are small: one thread computes them in the least time, and gives the same bits whatever else is running.
affirm: export OMP_NUM_THREADS ?= 1
affirm: $(READY)  ## make every record current again that is stale by its code alone, if old and new code agree
	$(BIN)/lil results affirm

witness: $(READY)  ## recompute members of every record by the plain engine, and note the largest difference
	$(BIN)/lil results witness

bench: $(READY)  ## timings, beside those of a straightforward twin, for the book's status page
	$(BIN)/python -m pytest benchmarks/ -o addopts= --record-timings     # without the checks of shapes, which take time

references: $(READY)  ## rewrite what nbval compares with, after a change that is meant to alter results
	$(BIN)/python -m lil.paper references

readme-picture: $(READY)  ## draw the picture of the README and of the first page, from the record of Figure 2
	$(BIN)/python -m lil.plotting.cover

# With UPGRADE= the pinned versions stay, and only packages that pyproject.toml names since then are added.
UPGRADE ?= --upgrade
PINNING := --universal --python-version 3.11 --generate-hashes --quiet --no-header

lock:            ## pin every package anew, for all systems and Python versions; with UPGRADE= only add new ones
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	.cache/lock/bin/uv pip compile pyproject.toml --extra book --extra cluster --extra test --extra dev \
		$(PINNING) $(UPGRADE) --output-file requirements.lock
	.cache/lock/bin/uv pip compile pyproject.toml --extra lab --constraints requirements.lock \
		$(PINNING) $(UPGRADE) --output-file requirements-lab.lock
	$(PYTHON) -m tests.wheels .cache/lock/bin/uv

clean:           ## remove what was built, but not the environment
	rm -rf _build book/nb .benchmarks
