# Every target creates the virtual environment it needs. `make demo` and `make test`
# are all that a new user has to know.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

FAST := "not slow and not cluster"

# A file's tests share what they set up, so that a process takes whole files.
WORKERS := -n auto --maxprocesses 8 --dist loadfile

.PHONY: demo test test-all test-cluster test-pages test-models test-documented test-kernels fuzz lint docs bench paper clean

# The whole analysis, on the default of 1,000 backgrounds.
demo: $(VENV)/.package
	$(BIN)/tangermeme-gia report --out demo-report
	@echo "Open demo-report/index.html in a browser; figures, tables and results lie beside it."

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m $(FAST) $(WORKERS)

test-all: $(INSTALLED)
	$(BIN)/python -m pytest

# Drivers and workers in processes of their own, which are killed; five minutes.
test-cluster: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m cluster

# The report's pages in Chromium (a package of the system) with axe-core of npm; without
# them `make test` leaves these tests out, and says so.
test-pages: $(INSTALLED)
	npm install --no-save --no-package-lock axe-core
	$(BIN)/python -m pytest -m $(FAST) tests/integration/test_report_page.py

# Models of other packages, in an environment of their own: docs/howto/model_families.md.
MODELS := .venv-models
test-models: $(MODELS)/.installed
	KERAS_BACKEND=torch $(MODELS)/bin/python -m pytest tests/families
	$(MODELS)/bin/python -m pytest tests/integration/test_tutorials.py -k 6_a_published_model

$(MODELS)/.installed: pyproject.toml constraints.txt tests/families/requirements.txt
	$(PYTHON) -m venv $(MODELS)
	$(MODELS)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	$(MODELS)/bin/python -m pip install --quiet --no-deps --requirement tests/families/requirements.txt
	touch $@

# Pages, docstrings, tutorials and what both packages do together.
test-documented: $(INSTALLED)
	$(BIN)/python -m pytest -m $(FAST) $(WORKERS) tests/integration tangermeme_gia residualbind

# Processors add up in another order, and so do threads; what is documented holds on all.
KERNELS := ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 ONEDNN_MAX_CPU_ISA=AVX2
test-kernels: $(INSTALLED)
	@for kernel in $(KERNELS); do for threads in 1 2; do \
		setting="$$kernel OMP_NUM_THREADS=$$threads"; \
		echo "test-kernels: $$setting"; \
		env $$setting $(MAKE) --no-print-directory test-documented || \
			{ echo "test-kernels: failed with $$setting" >&2; exit 1; }; \
	done; done

# 5,000 spoilt files for each reader; half an hour on one core.
fuzz: $(INSTALLED)
	FUZZ_FILES=5000 $(BIN)/python -m pytest -s tests/fuzz

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.13

# Warnings are errors, links to unknown names too; the site is docs/_build/html.
docs: $(VENV)/.installed-docs
	rm -rf docs/api/generated
	$(BIN)/python -m sphinx -E -W --keep-going -n -q -b html docs docs/_build/html

# Writes the tables of speed and memory to benchmarks/results/; half an hour on two cores.
bench: $(INSTALLED)
	$(BIN)/python benchmarks/speed.py

# Every panel of the paper beside its statement: paper/paper.html. DATA is a folder of models
# of `residualbind train`; ARGS are further options (docs/paper.md). What is trained on
# simulated probes for panels without data is kept in paper/trained: half an hour, once.
paper: $(INSTALLED)
	$(BIN)/python -m benchmarks.paper --out paper $(if $(DATA),--data $(DATA)) $(ARGS)

clean:
	rm -rf $(VENV) $(MODELS) docs/_build docs/_tutorials docs/api/generated

# constraints.txt keeps our own installs on the CPU build of torch.
$(VENV)/.package: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

# bpnet-lite is for tutorial 4. Its dependency macs3, which no model needs, compiles for
# many minutes, so it comes without dependencies; the others are installed by now.
$(INSTALLED): $(VENV)/.package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps "bpnet-lite>=1.1"
	touch $@

$(VENV)/.installed-docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $(VENV)/.installed-docs
