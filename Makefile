# AiAccount Sync. A line that begins with ## is the help of the target below it.
# PYTHON=python3.12 make ... takes another Python (3.11 or later).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit lint model stateful mutants fuzz kafka bench chaos chaos-long clean

## help: show this
help:
	@sed -n 's/^## //p' Makefile

# What a target needs is installed once and again when the pins change.
$(VENV)/demo.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "AiAccount Sync needs Python 3.11 or later, and $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>&1): name another with PYTHON=..." >&2; exit 1; }
	@echo "Setting up $(VENV) (what runs) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) -e '.[embedded]'
	@touch $@

$(VENV)/dev.done: $(VENV)/demo.done
	@echo "Setting up $(VENV) (what tests and checks) ..."
	@$(INSTALL) -e '.[embedded,dev]'
	@touch $@

## setup: make the virtual environment with all that the other targets need
setup: $(VENV)/dev.done

## demo: play a trading day on embedded servers and check the books, in about a minute
demo: $(VENV)/demo.done
	@$(BIN)/python -m deploy.demo

## test: run all tests, on Apache Kafka where Java 17 and Maven are there
test: setup
	@$(BIN)/python -m deploy.servers fetch
	@$(BIN)/python -m pytest -n 2 --dist worksteal

## unit: run the tests that need no server
unit: setup
	@$(BIN)/python -m pytest tests/unit

## lint: check style, types and import directions
lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

## model: look at every state of the delivery protocol, and at what each part of it is for
model: setup
	@$(BIN)/python -m tests.model
	@$(BIN)/python -m tests.model --ablation

## stateful: run 20,000 random schedules of the real code over servers in memory, from a new seed
stateful: setup
	@$(BIN)/python -m tests.stateful

## mutants: make the code wrong in the places that matter, and see that a named test notices each
mutants: setup
	@$(BIN)/python -m tests.mutants

## fuzz: look for bad input that breaks something, 60 s for each noun (SECONDS=600 make fuzz)
fuzz: setup
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

## kafka: run Apache Kafka until Ctrl-C
kafka: $(VENV)/demo.done
	@$(BIN)/python -m deploy.servers kafka

## bench: measure, each figure beside its yardstick
bench: setup
	@$(BIN)/python -m deploy.servers fetch
	@$(BIN)/python -m tests.bench

## chaos: kill, pause and spoil everything in three rounds with new seeds, then check (SEEDS="1 2 3" replays)
chaos: setup
	@$(BIN)/python -m deploy.servers fetch
	@$(BIN)/python -m tests.chaos $(SEEDS:%=--seed %)

## chaos-long: the same with 2,000 kills, in about an hour and a half
chaos-long: setup
	@$(BIN)/python -m deploy.servers fetch
	@$(BIN)/python -m tests.chaos --kills 2000

## clean: remove all that the other targets made
clean:
	rm -rf $(VENV) .tools .build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
