# Needs git, make and Python 3.11 or newer; everything else is installed into .venv from requirements/*.txt, by hash.
# The tests start servers too; `make test` installs those that are missing with apt-get.
# `make` alone lists the commands.

PORT ?= 8080
HOST ?= 127.0.0.1
EXAMPLE ?= examples/machine-monitor
ARGS ?=
# Tests wait more than they compute, so there are more at once than cores. What ARGS picks runs in one process.
PARALLEL := -n auto --dist worksteal
# Which Python makes the environment; PYTHON=python3.13 picks one by name.
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
LOCKED := $(PIP) install -qq --require-hashes
# The import paths of other frameworks, each a small package of its own.
ALIASES := $(wildcard compat/*/pyproject.toml)
# The package itself and these: editable, built by the pinned builder in the environment, nothing fetched.
SELF := $(PIP) install -qq --no-deps --no-build-isolation --no-index --editable . \
	$(patsubst %/pyproject.toml,--editable ./%,$(ALIASES))

.PHONY: help run test check servers lint types imports format bench dist torture docs lock clean venv
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:
	@echo 'make run       start $(EXAMPLE) on $(HOST):$(PORT) (PORT= and HOST= change it), Ctrl-C stops it'
	@echo 'make test      all checks and all tests (ARGS="-k name" picks tests)'
	@echo 'make check     ruff, mypy, import contract: seconds'
	@echo 'make format    sort imports, apply safe fixes'
	@echo 'make bench     the figures, as ratios against bare code'
	@echo 'make dist      source archives and wheels of Junctor and of compat/, into dist/'
	@echo 'make torture   the long crash campaigns, with a table of what they came to (JUNCTOR_MINUTES=, JUNCTOR_CYCLES=,'
	@echo '               JUNCTOR_SOAK_MINUTES=, JUNCTOR_SEED=; docs/guide/reliability.md tells what they are)'
	@echo 'make docs      the documentation site, into site/ (ARGS=serve shows it while you write)'
	@echo 'make lock      pin the requirements again (UPGRADE=--upgrade takes newer ones)'
	@echo 'make clean     remove the environment and what tools left behind'

# Ctrl-C belongs to the service alone: it gets the terminal in a process group of its own, so that make does not die of
# the same key and a clean stop is exit code 0. Ctrl-Z would leave make waiting for a stopped group, so it is off.
FOREGROUND := import os, signal, sys; \
	tty = os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp(); \
	tty and [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTTOU, signal.SIGTSTP)]; \
	tty and (os.setpgid(0, 0), os.tcsetpgrp(0, os.getpid())); \
	os.execv(sys.argv[1], sys.argv[1:])

run: $(VENV)/.run
	@$(PY) -c '$(FOREGROUND)' $(VENV)/bin/junctor run $(EXAMPLE) --host $(HOST) --port $(PORT) $(ARGS)

test: check servers
	$(PY) -m pytest $(or $(strip $(ARGS)),$(PARALLEL))

check: lint types imports

# Only what is missing, with apt-get. Tests start these servers themselves, on free ports.
servers: $(VENV)/.folder
	@$(PY) -m tests.servers.install

lint: $(VENV)/.test
	$(PY) -m ruff check .

types: $(VENV)/.test
	$(PY) -m mypy

imports: $(VENV)/.test
	$(VENV)/bin/lint-imports

format: $(VENV)/.test
	$(PY) -m ruff check --fix .

bench: $(VENV)/.bench
	$(PY) -m benchmarks $(ARGS)

dist: $(VENV)/.test
	for place in . $(patsubst %/pyproject.toml,%,$(ALIASES)); do \
	  $(PY) -m build --no-isolation --outdir dist $$place || exit 1; \
	done

torture: $(VENV)/.test
	$(PY) -m pytest -m torture $(ARGS)

docs: $(VENV)/.test
	$(PY) -m mkdocs $(or $(ARGS),build)

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment -----------------------------------------------------------------------------------------------

# An environment holds absolute paths: in a folder that was moved or copied, or whose Python is gone, it is made anew.
ifneq ($(wildcard $(VENV)/.folder),)
ifneq ($(shell cat $(VENV)/.folder):$(shell $(PY) -c 'print("works")' 2>/dev/null),$(CURDIR):works)
STALE := --clear
.PHONY: $(VENV)/.folder
endif
endif

venv: $(VENV)/.test

$(VENV)/.folder:
	@found=; old=; \
	for name in $(CANDIDATES); do \
	  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  old=$$name; \
	  "$$name" -c 'import venv, ensurepip' 2>/dev/null && { found=$$name; break; }; \
	done; \
	if [ -z "$$old" ]; then \
	  echo 'Junctor needs Python 3.11 or newer; none of these is one: $(CANDIDATES).' >&2; \
	  echo 'Install one, or name it: make PYTHON=/path/to/python3 run' >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "$$old cannot make environments: its modules venv and ensurepip are missing." >&2; \
	  echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" -c 'import sys; print("Python", sys.version.split()[0])')"; \
	"$$found" -m venv $(STALE) $(VENV)
	@echo '$(CURDIR)' > $@

$(VENV)/.run: $(VENV)/.folder pyproject.toml requirements/run.txt requirements/build.txt requirements/example.txt $(ALIASES)
	@echo 'Installing what a node needs'
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt -r requirements/example.txt
	@$(SELF)
	@touch $@

$(VENV)/.test: $(VENV)/.folder pyproject.toml requirements/test.txt $(ALIASES)
	@echo 'Installing what the tests need'
	@$(LOCKED) -r requirements/test.txt
	@$(SELF)
	@touch $(VENV)/.run $@

$(VENV)/.bench: $(VENV)/.test requirements/peer.txt
	@echo 'Installing what the figures are compared with'
	@$(LOCKED) -r requirements/peer.txt
	@touch $@

# The pins ------------------------------------------------------------------------------------------------------

# One resolution for everything (test.txt), the smaller lists are cut from it. No address of an index or a folder of the
# machine that locks may get into the files.
UPGRADE ?=
UV := $(VENV)/lock/bin/uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
SOURCES := pyproject.toml requirements/build.in requirements/example.in requirements/docs.in requirements/test.in

lock: $(UV)
	$(COMPILE) $(UPGRADE) $(SOURCES) -o requirements/test.txt
	$(COMPILE) pyproject.toml -c requirements/test.txt -o requirements/run.txt
	$(COMPILE) requirements/build.in -c requirements/test.txt -o requirements/build.txt
	$(COMPILE) requirements/example.in -c requirements/test.txt -o requirements/example.txt
	$(COMPILE) requirements/docs.in -c requirements/test.txt -o requirements/docs.txt
	$(COMPILE) requirements/peer.in -c requirements/test.txt -o requirements/peer.txt
	$(COMPILE) requirements/pip-services.in -o requirements/pip-services.txt
	$(COMPILE) requirements/microservicebus.in -o requirements/microservicebus.txt
	$(COMPILE) $(UPGRADE) requirements/lock.in -o requirements/lock.txt
	@! grep -nE '://|^-' requirements/*.txt

$(UV): $(VENV)/.folder requirements/lock.txt
	@$(PY) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r requirements/lock.txt
	@touch $@
