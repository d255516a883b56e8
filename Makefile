# Commands of the project. All of them need Python 3.11 or newer and make; each installs what it uses.

PYTHON ?= python3
PORT ?= 45432
DATA ?= ./data
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
NODE := tests/drivers/node

.PHONY: serve install kernel test check test-drivers test-suites test-cases-oracle record bench format clean

## Start the server on 127.0.0.1:$(PORT) with its databases in $(DATA)
serve: install
	$(BIN)/litephant serve --port $(PORT) --data $(DATA)

## Make .venv/bin/litephant
install: $(VENV)/.installed

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml $(wildcard proxy/session/_kernel*.p?[xi]) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[mcp]'
	touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

## Make sure that the compiled kernel is there (proxy/session/kernel.py), which is optional elsewhere
kernel: $(VENV)/.installed
	command -v cc > /dev/null || (apt-get update -q && apt-get install -qy gcc libc6-dev)
	$(BIN)/python -c 'import proxy.session._kernel' || $(BIN)/python -m pip install --quiet --no-deps --editable .
	$(BIN)/python -c 'import proxy.session._kernel'

## Run the tests
test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(JOBS)

## Run what needs no tests: format, lint, types, import contracts
check: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports

## Run the clients that need more than pip: Node's drivers, Debian's psql
test-drivers: $(VENV)/.installed-test $(NODE)/node_modules/.installed
	command -v psql > /dev/null || (apt-get update -q && apt-get install -qy postgresql-client)
	command -v systemd-analyze > /dev/null || (apt-get update -q && apt-get install -qy systemd)
	$(BIN)/python -m pytest -m node

$(NODE)/node_modules/.installed: $(NODE)/package.json $(NODE)/package-lock.json
	command -v npm > /dev/null || (apt-get update -q && apt-get install -qy nodejs npm)
	cd $(NODE) && npm ci
	touch $@

## Run other projects' test suites against the server: minutes
test-suites: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m suite

## Prove that the recorded answers are PostgreSQL's
test-cases-oracle: $(VENV)/.installed-test
	$(BIN)/python -m pytest tests/cases --target=postgres -n $(JOBS)

## Write PostgreSQL's answers into the case files
record: $(VENV)/.installed-test
	$(BIN)/python -m pytest tests/cases --record

## Measure against PostgreSQL 18 and write docs/PERFORMANCE.md
bench: $(VENV)/.installed-test kernel
	$(BIN)/python -m bench --write

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(NODE)/node_modules build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage
