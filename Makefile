# Everything is installed into .venv; PYTHON is the interpreter that makes it (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test lint bench docs clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp  ## install what a user needs and run the demonstration on real data; writes run/
	$(BIN)/deeplimit demo
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/deeplimit playground; \
	else echo "See it in a browser: $(BIN)/deeplimit playground"; fi

# One thread for each BLAS: the workers share the cores, and more threads than cores make the tests slower.
test: export OMP_NUM_THREADS = 1
test: lint $(VENV)/browser.stamp  ## lint, then every test and every doctest; a skipped test is a failure
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/test.stamp  ## style, format, types, direction of the imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/bench.stamp  ## run each script of benchmarks/ in turn
	@set -e; ran=0; for script in benchmarks/bench_*.py; do \
	  [ -f "$$script" ] || continue; \
	  echo "== $$script"; $(BIN)/python "$$script"; ran=1; \
	done; \
	[ $$ran = 1 ] || { echo "no script named benchmarks/bench_*.py" >&2; exit 1; }

docs: export MPLBACKEND = Agg
docs: $(VENV)/docs.stamp  ## build the documentation into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:  ## remove what the other targets write, the environment included
	rm -rf $(VENV) run build dist docs/_build docs/generated
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is one set of extras, installed at the versions of constraints.txt. The sets share the environment,
# so that each adds to it what the others lack and upgrades nothing.
$(VENV)/run.stamp: EXTRAS = tables,plot,fast
$(VENV)/test.stamp: EXTRAS = test,docs
$(VENV)/bench.stamp: EXTRAS = test,bench
$(VENV)/docs.stamp: EXTRAS = docs
$(VENV)/%.stamp: pyproject.toml constraints.txt | $(VENV)/made.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

# The playground is tested in Chromium, which no Python package brings: as root, Debian's is installed. Where there is
# none in the end, the test run says that its tests are left out.
$(VENV)/browser.stamp: | $(VENV)/made.stamp
	@for name in "$$DEEPLIMIT_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
	  [ -n "$$name" ] && command -v "$$name" >/dev/null && touch $@ && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  timeout 300 apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  timeout 600 apt-get install -y -qq --no-install-recommends chromium >/dev/null && touch $@ && exit 0; fi; \
	echo "No Chromium, and no way to install it here: name one in DEEPLIMIT_CHROMIUM." >&2

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "deeplimit needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
