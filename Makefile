# The commands of everyday work. Each makes .venv first, and again when the pinned packages have changed.
.PHONY: demo pictures test test-slow bench capacity promtool alerts collector drill drill-short test-embedded test-containers image-check cluster-check cluster-test cluster-guide check format lock clean
.DEFAULT_GOAL := demo
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Python 3.11 by preference, else a newer python3. `make PYTHON=…` chooses another.
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
STAMP := .venv/.installed
# Tests go to some workers, each with servers of its own; who is done takes from who is not.
SIDE_BY_SIDE := $(BIN)/python -m pytest -q -n auto --dist worksteal

demo: $(STAMP)  ## A board's meeting from the year's plan to the notice board, in a minute
	@$(BIN)/justera demo

test: check  ## The checks, then every test, on what the machine has: Kafka, PostgreSQL, a browser, or the embedded servers
	@echo "Running the tests ..."
	@$(SIDE_BY_SIDE) -m "not slow"

test-slow: $(STAMP)  ## What takes longer: every page at every width and language, kills, fuzzing, Postfix with Chromium
	@echo "Running the slow tests ..."
	@$(SIDE_BY_SIDE) -m slow

drill: $(STAMP)  ## Kills, pauses and fills up parts while hundreds of agreements run; `make drill DRILL=postgres` for one
	@$(BIN)/python -m pytest -q -s -m drill tests/drills $(if $(DRILL),-k test_$(DRILL))

drill-short: $(STAMP)  ## The same in some minutes
	@JUSTERA_DRILL_SHORT=1 $(BIN)/python -m pytest -q -s -m drill tests/drills

bench: $(STAMP) .venv/.peers  ## How fast it is, beside bare baselines; `make bench BENCH="relay documents"` for some parts
	@$(BIN)/python -m tests.benchmarks $(BENCH)

capacity: $(STAMP)  ## What an event, a meeting and an agreement cost with 10^7 events and 10^5 agreements stored, into docs/capacity.json
	@$(BIN)/python -m tests.benchmarks.capacity $(CAPACITY)

# Debian 12's own Go is too old to build these.
GO := $(or $(shell command -v go),$(wildcard /usr/local/go/bin/go))
GO_LACKS = is built by Go (1.26 or newer), which is not here: install it from https://go.dev/dl/, or by brew install go

# Prometheus' own judge of alerts, without what finds targets in clouds: that is most of it, and alerts need none.
PROMTOOL_VERSION := v0.316.0
PROMTOOL := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/justera/bin/promtool

promtool: $(PROMTOOL)  ## Builds promtool into the user's cache, some minutes once; needs Go

$(PROMTOOL):
	@test -n "$(GO)" || { echo "promtool $(GO_LACKS)"; exit 1; }
	@echo "Building promtool (some minutes) ..."
	@mkdir -p $(@D)
	@GOBIN=$(@D) GOFLAGS=-trimpath GOGC=400 $(GO) install -ldflags '-s -w' -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@$(PROMTOOL_VERSION)

alerts: $(STAMP) promtool  ## Has promtool judge the alerts: each fires when it should, and not before
	@JUSTERA_TEST_REQUIRE=promtool $(BIN)/python -m pytest -q tests/unit/deploy/test_monitoring.py

# A collector of traces that takes OTLP and passes it on, for tests/integration/traces.
COLLECTOR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/justera/bin/otelcol

collector: $(COLLECTOR)  ## Builds an OpenTelemetry collector into the user's cache, a minute or two once; needs Go

$(COLLECTOR): $(wildcard tests/support/collector/*.go tests/support/collector/go.*)
	@test -n "$(GO)" || { echo "The collector $(GO_LACKS)"; exit 1; }
	@echo "Building the collector (a minute or two) ..."
	@mkdir -p $(@D)
	@cd tests/support/collector && GOGC=400 $(GO) build -trimpath -ldflags '-s -w' -o $@ .

# What is measured beside ours. Without it the rest is measured all the same.
.venv/.peers: tests/benchmarks/requirements.txt $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $< && touch $@ || echo "Without Celery and faststream-outbox, then"

pictures: $(STAMP)  ## The pictures of the secretary's guide anew, from the pages of the invented association; needs Chromium
	@$(BIN)/python -m tests.support.guide_pictures

test-embedded: $(STAMP)  ## The tests that touch Kafka and PostgreSQL once more, on the embedded servers
	@echo "Running the tests on the embedded servers ..."
	@JUSTERA_TEST_PARTS=embedded $(SIDE_BY_SIDE) -m "not slow"

test-containers: $(STAMP)  ## Messaging on Kafka and PostgreSQL in Docker, and our own image deployed by Compose; PARTS=messaging or deployment
	@$(BIN)/python -m tests.containers $(PARTS)

image-check: $(STAMP)  ## What the image holds, built twice without Docker: the same to the bit, known by its bill; some minutes
	@$(BIN)/python -m pytest -q -s -m image tests/image

cluster-check: $(STAMP)  ## Each overlay before a real Kubernetes API server; needs Go, and a quarter of an hour the first time
	@$(BIN)/python -m tests.cluster check

cluster-test: $(STAMP)  ## Agreements on the cluster of KUBECONFIG, or on one of our own, while its pods come and go
	@$(BIN)/python -m tests.cluster test

cluster-guide: $(STAMP)  ## docs/operations.md's first install on an empty cluster, word for word, and its first failures
	@$(BIN)/python -m tests.cluster guide

check: $(STAMP)  ## Style, types, layers
	@echo "Checking style, types and layers ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(STAMP)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

# Pins everything the project, its embedded servers and its developers use, keeping pins that still fit; for the image,
# only what production uses, with hashes, and what makes a wheel of it.
lock: $(STAMP)
	@$(BIN)/pip install --quiet pip-tools
	@$(BIN)/python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb')); print(*p['project']['dependencies'], *p['project']['optional-dependencies']['embedded'], *p['project']['optional-dependencies']['telemetry'], *p['dependency-groups']['dev'], sep='\n')" > .venv/everything.in
	@$(BIN)/pip-compile --quiet --no-header --no-annotate --no-emit-options --strip-extras --output-file requirements.lock .venv/everything.in
	@$(BIN)/pip-compile --quiet --no-header --no-annotate --no-emit-options --strip-extras --generate-hashes --constraint requirements.lock --extra telemetry --output-file deploy/requirements.txt pyproject.toml
	@$(BIN)/pip-compile --quiet --no-header --no-annotate --no-emit-options --strip-extras --generate-hashes --allow-unsafe --all-build-deps --only-build-deps --output-file deploy/build-requirements.txt pyproject.toml

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Justera needs Python 3.11 or newer (apt install python3 python3-venv, or brew install python)"; exit 1; }
	@echo "Installing into .venv (some minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info justera-demo
