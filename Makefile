# Herald. Needs python3 (3.11 or newer) and make; everything else goes into .venv, from hash-locked requirements.
# The targets in .venv are stamps: what is up to date is not done again.
.DEFAULT_GOAL := help

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
UV := uv>=0.13,<0.14
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url $(UPGRADE)

.PHONY: help setup serve test check lint contracts types bench mutate docs screenshots openapi lock audit check-evidence clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r target text; do printf '  make %-15s %s\n' "$$target" "$$text"; done

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Herald needs Python 3.11 or newer. Name one: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "python3 cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; exit 1; }
	@touch $@

# Run time: the locked requirements, then the package itself, built by the locked setuptools without the network.
$(RUN): pyproject.toml requirements.lock requirements-build.lock | $(MADE)
	@echo "Installing Herald into $(VENV)"
	@$(INSTALL) --require-hashes --requirement requirements-build.lock --requirement requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements-dev.lock
	@echo "Installing the development tools into $(VENV)"
	@$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

setup: $(DEV) ## Install everything, development tools included, into .venv

serve: $(RUN) ## Migrate the embedded SQLite file and serve on loopback
	$(BIN)/herald serve

test: $(DEV) ## Run all tests
	$(BIN)/pytest -n $(JOBS)

check: lint types test ## Lint, types, import contracts and all tests: what CI runs

lint: contracts $(DEV) ## Ruff's rules and format, and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

contracts: $(DEV) ## Who may import whom (import-linter)
	$(BIN)/lint-imports --no-logo

types: $(DEV) ## mypy --strict
	$(BIN)/mypy --strict app herald_client

bench: $(DEV) ## Run the benchmarks one after the other; each prints its ratio
	@set -e; for each in benchmarks/[a-z]*.py; do \
		name=$$(basename "$$each" .py); echo "== $$name"; $(BIN)/python -m "benchmarks.$$name"; done

mutate: $(DEV) ## Mutation tests of the tables, the editions and the domain (long; docs/mutation.md)
	$(BIN)/python -m benchmarks.mutate && $(BIN)/python -m benchmarks.mutate --again

screenshots: $(DEV) ## Take the pictures of docs/pages.md anew (needs a chromium)
	$(BIN)/python -m tools.screenshots

docs: $(DEV) ## Write what is made from the code: the pages of docs/, README's answer, openapi/
	$(BIN)/python -m tools.make_docs
	@$(MAKE) --no-print-directory openapi

openapi: $(DEV) ## Export the contract to openapi/openapi.json
	$(BIN)/herald openapi > openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json

lock: $(RUN) ## Lock the requirements of pyproject.toml, with hashes (UPGRADE=--upgrade: at their newest)
	$(INSTALL) '$(UV)'
	$(COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) --output-file requirements-build.lock -

audit: $(DEV) ## Look the locked requirements up in the advisory database (needs the network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock --requirement requirements-build.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.lock

check-evidence: $(DEV) ## Hold the evidence pack against the text of its source: REVIEW=path
	$(BIN)/python -m app.evidence.check $(REVIEW)

clean: ## Remove .venv and everything made by tools; the data in var/ stays
	rm -rf $(VENV) build *.egg-info mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
