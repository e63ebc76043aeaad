# make demo   a whole DAOS system on this machine; make test   every test; make check   the inner loop
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

PROGRAMS := dmg daos_server daos_agent daos_lab

.PHONY: install demo demo-down test lint check format bench proto docs man clean

install: $(INSTALLED)

# The stamp depends on what decides the environment's content, so an unchanged clone installs once.
$(INSTALLED): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "daos-control needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "No venv module: on Debian, apt-get install python3-venv, or point PYTHON at another interpreter"; rm -rf $(VENV); exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	@$(BIN)/daos_lab up

demo-down: install
	@$(BIN)/daos_lab down

test: install
	$(BIN)/pytest -n auto -m "not chaos" tests
	$(BIN)/pytest -m chaos tests

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/pytest -q -n auto tests/unit tests/contract tests/compat

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install
	$(BIN)/python -m benchmarks

proto: install
	$(BIN)/python scripts/generate_wire.py

docs: install
	$(BIN)/python scripts/generate_reference.py

# Manual pages and completion scripts, as a package installs them.
man: install
	@mkdir -p build/man build/completion
	@for program in $(PROGRAMS); do \
	    section=8; [ $$program = daos_lab ] && section=1; \
	    $(BIN)/$$program manpage --output build/man/$$program.$$section && \
	    for shell in bash zsh fish; do $(BIN)/$$program completion $$shell > build/completion/$$program.$$shell; done || exit 1; \
	done; ls build/man build/completion

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
