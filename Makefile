# make demo  : environment, installation, plan of the embedded synthetic patient
# make test  : environment with the test extras, whole suite
PYTHON ?= python3
VENV ?= .venv
# CONSTRAINTS=.ci/lowest.txt tests the lowest supported numpy and scipy.
CONSTRAINTS ?=
# Extras of the test environment; EXTRAS=test leaves out slicer-core (1 GB with VTK).
EXTRAS ?= test,slicer
DEMO_OUT ?= demo-out

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CONSTRAINT_ARGS := $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
CORE := RadioembolizationPlanner/radioembolization

.PHONY: demo test test-fast lint bench validation clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 11) <= sys.version_info < (3, 14), 'Python 3.11 to 3.13 is needed, this is ' + sys.version + '; call make PYTHON=python3.12'"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install $(CONSTRAINT_ARGS) -e .
	touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	bash .ci/system-packages
	$(PIP) install $(CONSTRAINT_ARGS) -e '.[$(EXTRAS)]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/radioembolization-planner demo --out $(DEMO_OUT)

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest

test-fast: $(VENV)/.test-installed
	$(BIN)/python -m pytest -m "not slow and not exhaustive and not slicer and not gui and not real_data"

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test-installed
	$(BIN)/python Testing/benchmarks/run_all.py

validation: $(VENV)/.test-installed
	$(PIP) install $(CONSTRAINT_ARGS) -e '.[validation]'
	$(BIN)/python -m pytest -q -m exhaustive
	$(BIN)/python Testing/validation/run_all.py

clean:
	rm -rf $(VENV) build dist $(DEMO_OUT)
