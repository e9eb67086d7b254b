# make report [STUDY=study.yaml AS_OF=2026-10-31 REPORT_LANG=zh]; without STUDY: the demo study.
PYTHON ?= python3
BIN := .venv/bin
UV := .bench/lock/bin/uv

.DEFAULT_GOAL := help
.PHONY: help env report test lint unit gates simulate nbval lab bench lock

# PROFILE=ci: all examples and the slow tests; dev, the default, is for before every change
PROFILE ?= dev
export PROFILE
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# $(call timed,what,command): run, then say how long it took
timed = @start=$$(date +%s); $(2) && echo "$(1): $$(($$(date +%s) - start)) s"

help:
	@echo "make report   environment, demo study, all notebooks, reports/.../index.html"
	@echo "make test     everything that must hold, the notebooks included; PROFILE=ci: all examples"
	@echo "make gates    the statistics on 2,000 simulated experiments each; make simulate: 10,000"

env: .venv/.stamp

.venv/.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) and "Python 3.11 or 3.12 is needed, this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@echo "Installing $$(grep -c == requirements.lock) packages into .venv, two to five minutes ..."
	@$(PYTHON) -m venv .venv
	$(call timed,install,$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && $(BIN)/pip install -q --disable-pip-version-check --no-deps -e .)
	@touch $@

report: env
	$(call timed,report,$(BIN)/toolkit report $(if $(STUDY),"$(STUDY)") $(if $(AS_OF),--as-of $(AS_OF)) $(if $(REPORT_LANG),--lang $(REPORT_LANG)))

test: env
	@$(MAKE) --no-print-directory --keep-going lint unit nbval

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(call timed,mypy,$(BIN)/mypy)

unit: env
	$(call timed,tests,$(PYTEST))

gates: env
	$(call timed,gates,SIMULATION_RUNS=2000 $(PYTEST) tests/gates)

simulate: env
	$(call timed,simulations,SIMULATION_RUNS=10000 $(PYTEST) tests/gates)

nbval: env
	$(call timed,notebooks,$(BIN)/pytest --nbval -n 2 --dist loadfile notebooks)

lab: env
	$(BIN)/jupyter lab notebooks/

bench: env
	$(BIN)/python tests/bench/snapshot.py

lock:
	@test -x $(UV) || { $(PYTHON) -m venv .bench/lock && .bench/lock/bin/pip install -q uv==0.13.9; }
	$(UV) pip compile pyproject.toml --extra dev --extra zh --generate-hashes --universal --python-version 3.11 --no-annotate --no-header --no-strip-extras -q -o requirements.lock
