# Targets for developers: `make demo` to try it, `make test` and `make check` before a commit.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs rules soak bench mutants nightly golden clean tools lock
.PHONY: dist packages chart release-files image-test image-tools package-test package-tools

demo: $(VENV)/.run
	$(BIN)/pf-exporter demo

# Two processes more than there are cores, because many tests wait. A module's tests run in one process, because some
# start a Prometheus or build a wheel for all of them; tests/conftest.py has their order.
PARALLEL = --numprocesses=$(shell expr $$(nproc) + 2) --dist=loadscope --no-loadscope-reorder
# Otherwise each process compiles all tests again.
unexport PYTHONDONTWRITEBYTECODE
# Not UTC, and not a whole hour from it: a test that needs the local time to be UTC fails.
ZONE ?= Asia/Kathmandu

test: $(VENV)/.dev tools
	TZ=$(ZONE) $(BIN)/python -m pytest $(PARALLEL) --cov

image-test: $(VENV)/.dev image-tools
	$(BIN)/python -m pytest tests/release/image.py

# Installs the .deb in a small Debian in a temporary folder, as root.
package-test: $(VENV)/.dev $(VENV)/.release package-tools
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	$(BIN)/python -m pytest tests/release/packages.py

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

# Two builds of a commit have the same bytes, because all times in a release are that of the commit. PROJECT_URL is the
# address of the project, for the metadata of the wheel, the packages and the chart.
dist packages chart release-files: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
dist packages chart release-files: export PROJECT_URL ?=

# Build a release: sdist, wheel and SBOM (CycloneDX).
dist: $(VENV)/.release
	rm -rf dist
	mkdir dist
	$(BIN)/python -m tools.sbom > dist/sbom.cdx.json
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python -m tools.archives dist/*.tar.gz

# A .deb and a .rpm for the Python PACKAGE_PYTHON and the architecture of this machine.
PACKAGE_PYTHON ?= /usr/bin/python3
MAINTAINER ?= pf_exporter <pf-exporter@example.org>
packages: dist
	$(BIN)/python -m tools.packages --wheel dist/*.whl --to dist --python '$(PACKAGE_PYTHON)' --maintainer '$(MAINTAINER)'

# The Helm chart with its rules and dashboards. IMAGE is the default of image.repository, RUNBOOK_BASE as for `rules`.
IMAGE ?=
chart: $(VENV)/.dev
	mkdir -p dist
	$(BIN)/python -m tools.chart --to dist --image '$(IMAGE)' --runbook-base '$(RUNBOOK_BASE)'

# Rules, dashboards (also for grafana.com) and the mixin, each as an archive.
release-files: $(VENV)/.dev
	mkdir -p dist
	$(BIN)/python -m tools.release_files --to dist --runbook-base '$(RUNBOOK_BASE)'

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

# Installs missing programs as root on Debian, and changes nothing else: tools/programs.txt.
tools:
	@tools/install-programs test

# The image test uses a base image built from Debian packages; it takes minutes.
image-tools:
	@tools/install-programs image

# The package test builds packages for Debian's Python, and checks them with lintian and rpm.
package-tools:
	@tools/install-programs package

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
