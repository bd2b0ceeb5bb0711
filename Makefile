# Every target creates the virtual environment it needs. `make demo` and `make test`
# are all that a new user has to know.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-all lint benchmarks clean

demo: $(INSTALLED)
	$(BIN)/python scripts/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow"

test-all: $(INSTALLED)
	$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

benchmarks: $(INSTALLED)
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/inference.py
	$(BIN)/python benchmarks/training_epoch.py
	$(BIN)/python benchmarks/backgrounds.py

clean:
	rm -rf $(VENV)

# constraints.txt keeps our own installs on the CPU build of torch.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(INSTALLED)
