# make demo  : environment, installation, a course and a plan of the embedded synthetic patient
# make test  : environment with the test extras, whole suite
PYTHON ?= python3
VENV ?= .venv
# CONSTRAINTS=.ci/lowest.txt tests the lowest supported numpy and scipy.
CONSTRAINTS ?=
# Extras of the test environment; EXTRAS=test leaves out slicer-core (1 GB with VTK).
EXTRAS ?= test,slicer
# make test-slicer-versions: tests of the Slicer layer with each of these versions of slicer-core (before, stable,
# preview), in .venv-slicer-<version> (2 GB each); make test-slicer-5.12.4.0 for one.  PYTHON chooses the interpreter.
SLICER_VERSIONS ?= 5.11.0.6 5.12.4.0 5.13.31053.0
# Instead of the version that pyproject.toml names.
SLICER_CORE ?=
DEMO_OUT ?= demo-out
# Processes that share the suite, a file at a time; PARALLEL= runs it in one.
PARALLEL ?= -n 2 --dist loadscope

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CONSTRAINT_ARGS := $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
CORE := RadioembolizationPlanner/radioembolization

.PHONY: demo test test-fast test-slicer test-slicer-versions lint bench validation clean

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
	$(BIN)/radioembolization-planner demo --course --spacing 6 --out $(DEMO_OUT)/course
	$(BIN)/radioembolization-planner demo --out $(DEMO_OUT)

test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.test-installed
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(VENV)/.test-installed
	$(BIN)/python -m pytest -m "not slow and not exhaustive and not slicer and not gui and not real_data"

test-slicer: $(VENV)/.test-installed
	$(if $(SLICER_CORE),$(PIP) install slicer-core==$(SLICER_CORE))
	$(BIN)/python -m pytest Testing/slicer

test-slicer-versions: $(addprefix test-slicer-,$(SLICER_VERSIONS))

test-slicer-%:
	$(MAKE) test-slicer VENV=.venv-slicer-$* SLICER_CORE=$*

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
	rm -rf $(VENV) .venv-slicer-* build dist $(DEMO_OUT)
