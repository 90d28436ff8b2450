# rnnedge -- `make help` lists the targets. Everything needed is installed by `make setup`.
VENV ?= .venv
PYTHON ?= $(shell scripts/find-python.sh)
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo setup test nightly mutate figures tflm accuracy check format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(VENV)/.installed ## simulated sensor -> trained GRU -> emulated Cortex-M4, bit for bit
	@scripts/system-packages.sh demo
	$(BIN)/rnnedge demo --out build/demo

setup: $(VENV)/.installed ## virtual environment, Python packages, compilers, emulator
	@scripts/system-packages.sh test
	@echo "ready: . $(BIN)/activate; rnnedge doctor"

test: setup ## linters, types and the whole test suite
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest tests --ignore tests/nightly -n 2 --dist loadscope --cov --cov-report=term-missing:skip-covered

nightly: setup ## 10^7 random steps on the host and 10^5 on every core, bit for bit
	$(BIN)/pytest tests/nightly -s -q -n 0

mutate: setup ## change one rounding, shift or index of each kernel in turn: the tests must fail
	$(BIN)/python -m tests.mutate

figures: setup ## renew the recorded sizes and counts, and the table in docs/figures.md
	$(BIN)/python -m tests.figures --write

tflm: setup ## renew the figures of TensorFlow Lite Micro in docs/tflm.md (trains on HAPT: ten minutes)
	$(BIN)/python -m tests.tflm_table --write

accuracy: setup ## train on public recordings, renew docs/accuracy.md (hours)
	$(BIN)/python -m tests.accuracy

check: $(VENV)/.installed ## linters and types: ruff, mypy --strict, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(shell git ls-files '*.c' '*.h')

format: $(VENV)/.installed ## format Python and C
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(shell git ls-files '*.c' '*.h')

clean: ## remove the virtual environment and build results
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/.installed: pyproject.toml
	@scripts/system-packages.sh python
	$(PYTHON) -m venv $(VENV)
	@echo "installing Python packages into $(VENV), TensorFlow among them: some minutes, 2.5 GB"
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
