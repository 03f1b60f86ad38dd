# Two commands do everything on a fresh machine: `make demo` (the main job) and `make test`.
# The first Python from 3.11 on that runs, or the one that is named: make PY=/path/to/python3.12
OLD_ENOUGH := -c "import sys; sys.exit(sys.version_info < (3, 11))"
PY ?= $(shell for each in python3.11 python3.12 python3.13 python3; do $$each $(OLD_ENOUGH) 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: demo test quick fuzz coverage e2e lint types notebooks docs bench dist clean

demo: .venv/.ready
	$(BIN)/workup demo

test: .venv/.ready
	$(BIN)/python -m pytest -n 2 -q

# What is worth a look after each change, in about a minute once kernels are compiled: lint, and the quick tests of the language, the engine, records and
# the plan. Name others by QUICK="tests/app".
QUICK ?= tests/scenarios tests/envs/engine tests/envs/records tests/agents/test_acting.py tests/house/test_plan.py
quick: lint
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not hypothesis and not torch and not e2e" $(QUICK)

# Tests that make up their examples, with examples that nobody has tried yet.
fuzz: .venv/.ready
	$(BIN)/python -m pytest -n 2 -q -m hypothesis --hypothesis-profile="fresh examples" tests

# Pages in a browser: Chromium (`apt-get install chromium`, or its file in WORKUP_CHROMIUM). Fails without one.
e2e: .venv/.ready
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 $(PIP) install -q -e ".[e2e]"
	$(BIN)/python -m pytest -q tests/e2e

# Python that no test runs; below the share that pyproject.toml names (`fail_under`) it fails. Kernels are left out.
coverage: .venv/.ready
	$(BIN)/python -m pytest -n 2 -q --cov --cov-report=term:skip-covered

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed
	$(BIN)/mypy -p workup
	$(BIN)/mypy tests --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls

notebooks: .venv/.ready
	$(BIN)/jupytext --quiet --to ipynb notebooks/*.py
	$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

# The site, in site/; the packages that build it are fetched once, the site itself is built without a network.
docs: .venv/.ready
	$(BIN)/mkdocs --version > /dev/null 2>&1 || $(PIP) install -q -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet  # an advertisement, not a warning of ours

bench: .venv/.ready
	$(BIN)/workup bench speed

# The two files of a release, each made as a release would be: the wheel out of the source archive.
dist: .venv/.ready
	rm -rf dist
	$(BIN)/python -m build
	tar tzf dist/*.tar.gz
	$(BIN)/python -m zipfile -l dist/*.whl

# A CPU build of torch first, or pip brings gigabytes of CUDA with it.
.venv/.installed: pyproject.toml
	@"$(PY)" $(OLD_ENOUGH) || { echo "workup needs Python 3.11 or newer; name one: make PY=/path/to/python3.12" >&2; exit 1; }
	$(PY) -m venv .venv
	$(PIP) install -q "torch==2.13.0+cpu" || $(PIP) install -q --index-url $(TORCH_CPU_INDEX) "torch>=2.8,<2.14"
	$(PIP) install -q -e ".[train,test]"
	$(BIN)/python -c "import torch; assert torch.version.cuda is None"
	touch $@

# Compiled kernels, without which the first test or command would begin with a silent minute.
.venv/.ready: .venv/.installed
	$(BIN)/workup warm
	touch $@

clean:
	rm -rf .venv build dist site *.egg-info src/*.egg-info
