# Two commands do everything on a fresh machine: `make demo` (the main job) and `make test`.
PY ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: demo test fuzz lint types notebooks docs bench clean

demo: .venv/.ready
	$(BIN)/workup demo

test: .venv/.ready
	$(BIN)/python -m pytest -n 2 -q

# Tests that make up their examples, with examples that nobody has tried yet.
fuzz: .venv/.ready
	$(BIN)/python -m pytest -n 2 -q -m hypothesis --hypothesis-profile="fresh examples" tests

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy -p workup
	$(BIN)/mypy tests --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls

notebooks: .venv/.ready
	$(BIN)/jupytext --quiet --to ipynb notebooks/*.py
	$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

# The site, in site/; the packages that build it are fetched once, the site itself is built without a network.
docs: .venv/.ready
	$(BIN)/mkdocs --version > /dev/null 2>&1 || $(PIP) install -q -e ".[docs]"
	$(BIN)/mkdocs build --strict --quiet

bench: .venv/.ready
	$(BIN)/workup bench speed

# A CPU build of torch first, or pip brings gigabytes of CUDA with it.
.venv/.ready: pyproject.toml
	$(PY) -m venv .venv
	$(PIP) install -q "torch==2.13.0+cpu" || $(PIP) install -q --index-url $(TORCH_CPU_INDEX) "torch>=2.8,<2.14"
	$(PIP) install -q -e ".[train,test]"
	$(BIN)/python -c "import torch; assert torch.version.cuda is None"
	$(BIN)/workup warm
	touch $@

clean:
	rm -rf .venv build dist site *.egg-info src/*.egg-info
