# Every target creates the virtual environment it needs. `make demo` and `make test`
# are all that a new user has to know.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-all lint benchmarks clean

# 64 backgrounds in the scan keep the demo under two minutes on two cores; the page
# says so. Everything else is measured on the default of 1,000.
demo: $(VENV)/.package
	$(BIN)/tangermeme-gia report --n-scan 64 --out demo-report
	@echo "Open demo-report/index.html in a browser; figures, tables and results lie beside it."

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
$(VENV)/.package: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(INSTALLED): $(VENV)/.package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
