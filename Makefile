# Targets for developers: `make demo` to try it, `make test` and `make check` before a commit.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs rules soak bench mutants nightly golden clean tools lock dist image-test image-tools

demo: $(VENV)/.run
	$(BIN)/pf-exporter demo

# On all cores. A module's tests run in one process, because some start a Prometheus or build a wheel for all of them.
PARALLEL := --numprocesses=auto --dist=loadscope
# Not UTC, and not a whole hour from it: a test that needs the local time to be UTC fails.
ZONE ?= Asia/Kathmandu

test: $(VENV)/.dev tools
	TZ=$(ZONE) $(BIN)/python -m pytest $(PARALLEL) --cov

image-test: $(VENV)/.dev image-tools
	$(BIN)/python -m pytest tests/release/image.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: $(VENV)/.dev
	$(BIN)/python -m tools.generate_docs
	$(BIN)/python -m tools.generate_deploy
	$(BIN)/python -m tools.generate_shell_files

# The rule files, from the mixin. RUNBOOK_BASE makes the links to the runbook absolute, CONFIG changes thresholds and
# labels, OUTPUT is where the files go.
RUNBOOK_BASE ?=
CONFIG ?=
OUTPUT ?= prometheus

rules: $(VENV)/.dev
	$(BIN)/python -m tools.generate_rules --runbook-base='$(RUNBOOK_BASE)' --output='$(OUTPUT)' $(if $(CONFIG),--config='$(CONFIG)')
	$(BIN)/python -m tools.generate_deploy

soak: MINUTES = 3
soak: $(VENV)/.run
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(VENV)/.run
	$(BIN)/python -m benchmarks

# MODULES names modules or packages; otherwise the lines that changed since the last tag or origin/main.
mutants: MINUTES = 20
mutants: $(VENV)/.dev tools
	$(BIN)/python -m tools.mutants --minutes $(MINUTES) $(MODULES)

# All tests in random order, with new random examples.
nightly: $(VENV)/.dev tools
	$(BIN)/python -m pip install --quiet --editable '.[nightly]'
	TZ=UTC $(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile=nightly

golden: $(VENV)/.dev
	$(BIN)/python -m pytest --update-golden -k golden

# Update the lock files of the image and of its build, after a change of the requirements or for newer versions.
lock: LOCKED := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --upgrade
lock: $(VENV)/.release
	$(LOCKED) --output-file requirements.txt setup.cfg
	sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(LOCKED) --output-file requirements-build.txt -

# Build a release: sdist, wheel and SBOM (CycloneDX).
dist: $(VENV)/.release
	rm -rf dist
	mkdir dist
	$(BIN)/python -m tools.sbom > dist/sbom.cdx.json
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	$(BIN)/python -m build --no-isolation --outdir dist .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

# Installs missing programs as root on Debian, and changes nothing else: tools/programs.txt.
tools:
	@tools/install-programs test

# The image test uses a base image built from Debian packages; it takes minutes.
image-tools:
	@tools/install-programs image

$(VENV)/bin/python:
	@PYTHON=$(PYTHON) tools/install-programs venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python setup.cfg
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.release: $(VENV)/bin/python setup.cfg
	$(BIN)/python -m pip install --quiet --editable '.[release]'
	@touch $@ $(VENV)/.run

$(VENV)/.dev: $(VENV)/bin/python setup.cfg
	$(BIN)/python -m pip install --quiet --editable '.[test,check]'
	@touch $@ $(VENV)/.run
