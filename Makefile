# `make` alone prints what there is. Needs Python 3.11 with pip, and make; no root, no Docker.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo up test test-fast check format lint types walls generated generate kafka bench lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install
PYTEST := $(BIN)/python -m pytest -n 2

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## Build the environment in .venv (once, and again when the lock changes)

demo: install ## Eleven stories: transfers between cities, a day at the counter; leaves nothing running
	@$(BIN)/yibao demo

up: install ## Serve everything on 127.0.0.1:8080 (see /docs); data are kept in var/
	@$(BIN)/yibao up

test: install ## Run all tests
	$(PYTEST)

test-fast: install ## Run the tests that are neither slow nor need Kafka
	$(PYTEST) -m "not slow and not kafka"

check: lint types walls generated test ## Everything the CI runs: format, lint, types, walls, generated files, tests

format: install ## Rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install ## Check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install ## Check the types
	$(BIN)/mypy

walls: install ## Check who imports whom
	$(BIN)/lint-imports --no-logo

generated: install ## Check that the generated files are up to date
	$(BIN)/yibao generate --check

generate: install ## Write the generated files: openapi/, docs/settings.md
	$(BIN)/yibao generate

kafka: install ## Fetch Apache Kafka (once; needs Java and Maven) and run it in the foreground
	@$(BIN)/yibao kafka

bench: install ## Measure the hot paths beside their floors, in one run
	@$(BIN)/yibao bench

lock: ## Pin the dependencies of pyproject.toml anew (needs uv); add UPGRADE=--upgrade for newer versions
	uv pip compile -q pyproject.toml --extra dev --extra build $(UPGRADE) $(LOCK_FORMAT) -o requirements.lock
	uv pip compile -q pyproject.toml --extra build -c requirements.lock $(LOCK_FORMAT) -o requirements-runtime.lock
LOCK_FORMAT := --universal --generate-hashes --no-header --no-annotate

clean: ## Remove the environment, caches and build products; keeps your data in var/
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

# The environment is made without a pip of its own: the caller's pip fills it, so a Python
# whose ensurepip was taken out by its distribution will do.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@echo "Installing $$(grep -c == requirements.lock) packages into .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --without-pip .venv
	@$(PIP) --require-hashes -r requirements.lock | awk '/^Collecting/ && ++n % 20 == 0 {print "  " n " ..."; fflush()}'
	@$(PIP) -q --no-deps --no-build-isolation -e .
	@touch $@
