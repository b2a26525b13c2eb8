# Every target is one line of intent; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test nightly lint format bench docs lock help clean

help: ## say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/run ## the main job, shown on a gateway of its own (Ctrl-C ends it)
	@$(BIN)/passerelle demo $(ARGS)

test: .venv/dev ## lint, types, imports and all tests, on SQLite and on PostgreSQL
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

lint: .venv/dev ## format, lint, strict types, the floors of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

nightly: .venv/dev ## the long versions of properties, races and kill loops, with their counters
	PASSERELLE_KILLS=$${PASSERELLE_KILLS:-100} $(BIN)/pytest -s -m nightly $(ARGS)

bench: .venv/dev ## reads, searches, creates … beside the raw limits, as ratios
	$(BIN)/python -m bench $(ARGS)

docs: .venv/dev ## write the reference pages again from the code
	$(BIN)/python -m tools.write_reference
	$(BIN)/python -m tools.write_bad_input

format: .venv/dev ## put every file in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the dependencies again, with hashes
	uv pip compile -q --universal --generate-hashes requirements/run.in -o requirements/run.lock --custom-compile-command "make lock"
	uv pip compile -q --universal --generate-hashes requirements/dev.in -c requirements/run.lock -o requirements/dev.lock --custom-compile-command "make lock"

clean: ## forget the environment and what was built
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run: requirements/run.lock pyproject.toml | .venv/bin/python
	@test -e .venv/dev || { echo "Installation des dépendances…"; $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.lock; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements/dev.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the tests need…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
