# The README's commands. `make demo` and `make test` need Python 3.11+, make and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: demo dev test lint format types check requirements clean

demo: $(VENV)/.installed
	@$(BIN)/python manage.py demo --port $(PORT)

dev: $(VENV)/.installed
	@DEBUG=1 $(BIN)/python manage.py demo --port $(PORT) --reload

test: $(VENV)/.installed
	@$(BIN)/python -m pytest

$(VENV)/.installed: requirements.txt
	@echo "Installing the packages into $(VENV) (a minute or two, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@
