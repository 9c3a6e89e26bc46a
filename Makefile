.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help serve test test-slow check format bench lock schemas clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Daybook needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

serve: $(READY)  ## run Daybook on its embedded Postgres and NATS (DAYBOOK_HOST, DAYBOOK_PORT, DAYBOOK_DATA)
	@exec $(BIN)/daybook serve

# Two at a time, each on servers of its own; not those that measure, have processes run and die, or tamper with a log that is
# kept.
BESIDE := $(addprefix tests/,api application domain eventstore gateways projections sequences)

test: $(READY)  ## run the tests, on real servers of their own
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(BESIDE)
	$(BIN)/python -m pytest tests $(BESIDE:%=--ignore=%)
endif

test-slow: $(READY)  ## run the soak, chaos and large-data tests
	$(BIN)/python -m pytest -m slow $(ARGS)

check: $(READY)  ## lint, format check and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## measure against the ceiling of this machine
	$(BIN)/python -m bench $(ARGS)

schemas: $(READY)  ## write schemas/openapi.json, schemas/events/*.json and docs/events.md anew
	$(BIN)/daybook openapi --write

lock: $(READY)  ## pin the dependencies anew, with hashes
	$(PYTHON) -m pip --version >/dev/null && $(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --group dev --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.lock

clean:  ## remove the environment (data in .daybook stays)
	rm -rf $(VENV)
