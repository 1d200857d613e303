# The two commands: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
FAULTS ?= 1

.PHONY: demo test docs faults fuzz install lint

demo: install
	$(BIN)/python -m cemai_opt optimize

test: install lint
	$(BIN)/python -m pytest -n 2

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html, or, to search it too: $(BIN)/python -m http.server -d site"

faults: install
	$(BIN)/python -m benchmarks.faults --faults $(FAULTS)

fuzz: install
	$(BIN)/python -m tests.fuzz

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@
