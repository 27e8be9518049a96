# The README's commands. `make demo` and `make test` need Python 3.11+, make and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The packages that `bench-quality` compares with want other versions than the site's.
PEERS := .venv-benchmarks
PORT ?= 8000
TESTS ?=
TYPED := recommender/config recommender/demo.py recommender/interactions.py recommender/vectors.py \
	recommender/embedders recommender/training recommender/serving

TEMPLATES = $(shell find templates -name '*.html')
DJADE = $(BIN)/djade --target-version 5.2
# For what reads the settings and connects to nothing.
UNUSED := SECRET_KEY=only-for-checks-that-connect-to-nothing DATABASE_URL=postgresql://unused/unused \
	REDIS_URL=redis://unused

.PHONY: demo dev test spark bench-quality bench-spaces bench-scale bench-engines lint format types check requirements clean

# What the README promises -----------------------------------------------------------------------

demo: $(VENV)/.installed
	@$(BIN)/python manage.py demo --port $(PORT)

# The same with DEBUG on; the web server restarts when a file changes (the worker does not).
dev: $(VENV)/.installed
	@DEBUG=1 exec $(BIN)/python manage.py demo --port $(PORT) --reload

test: $(VENV)/.installed
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)

# For `train --engine spark`, and for its tests, which are skipped without: Java 17 is needed besides.
spark: $(VENV)/.installed-spark

# How good are the recommendations, beside other packages'? `make bench-quality DATA=folder`; every
# row of the table gets MINUTES to choose its settings in. `BENCH=--help` tells what else it takes.
MINUTES ?= 10
PROTOCOL ?= both
DATA ?=
BENCH ?=
bench-quality: $(VENV)/.installed $(PEERS)/.installed
	@$(BIN)/python -m benchmarks.quality $(DATA) --minutes $(MINUTES) --protocol $(PROTOCOL) $(BENCH)

# What is each embedding space good for, and does the search find what is meant?
# `make bench-spaces DATA=folder FILMS=folder`, of MovieLens's form and of Wikipedia's films.
FILMS ?=
bench-spaces: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.spaces $(DATA) $(FILMS) $(BENCH)
	@$(BIN)/python -m benchmarks.meaning $(FILMS) --ratings $(DATA) --held-out
	@$(BIN)/python -m benchmarks.cold $(DATA) --wikipedia $(FILMS)

# What does each stage take, beside the best that is possible here? `make bench-scale SIZE=1m`;
# 100k, 1m, 10m or 32m ratings, of which all but the first are made from the sample, or from DATA.
SIZE ?= 1m
bench-scale: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.scale $(SIZE) $(if $(DATA),--data $(DATA)) $(BENCH)

# How long do other engines take to learn as many factors in as many iterations, and how well?
bench-engines: $(VENV)/.installed-spark $(PEERS)/.installed
	@$(BIN)/python -m benchmarks.scale.engines $(SIZE) $(if $(DATA),--data $(DATA)) $(BENCH)

# The workshop ------------------------------------------------------------------------------------

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(DJADE) --check $(TEMPLATES)
	$(BIN)/hadolint docker/Dockerfile

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(DJADE) $(TEMPLATES) || true
	$(DJADE) --check $(TEMPLATES)

types: $(VENV)/.installed-dev
	$(UNUSED) $(BIN)/mypy $(TYPED)

check: $(VENV)/.installed
	$(BIN)/python manage.py makemigrations --check --dry-run
	HTTPS=1 DEBUG=0 ALLOWED_HOSTS=marquee.example $(BIN)/python manage.py check --deploy --fail-level WARNING

# Compile the pins anew; `make requirements UPGRADE=--upgrade` takes newer versions.
COMPILE = ../$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--custom-compile-command "make requirements" $(UPGRADE)
requirements: $(VENV)/bin/uv
	cd requirements && $(COMPILE) requirements.in --output-file ../requirements.txt
	cd requirements && $(COMPILE) production.in --constraint ../requirements.txt --output-file production.txt
	cd requirements && $(COMPILE) dev.in --constraint ../requirements.txt --output-file dev.txt
	cd requirements && $(COMPILE) benchmarks.in --constraint production.txt --override without-torch.txt \
		--output-file benchmarks.txt

clean:
	rm -rf $(VENV) $(PEERS) .pytest_cache .ruff_cache .mypy_cache .hypothesis staticfiles

# What they need -----------------------------------------------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing the packages into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo "Installing the workshop's tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	@touch $@

# Half a gigabyte comes as a source package; to compress what is unpacked at once would take longest.
$(VENV)/.installed-spark: requirements/spark.txt $(VENV)/.installed
	@echo "Installing Spark into $(VENV) (half a minute or so, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--config-settings=--build-option=--compression=stored --requirement requirements/spark.txt
	@touch $@

# Only LensKit needs torch, and any build will do: the one for CPUs is far smaller than Linux's own.
$(PEERS)/.installed: requirements/benchmarks.txt
	@echo "Installing the packages to compare with into $(PEERS) (some minutes, once)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/benchmarks.txt
	@touch $@

$(VENV)/bin/uv: | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
