# Fareline: everything a developer runs. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
MEMBERS := libs/contracts libs/chassis tools/devstack services/order-binder services/call-router services/recording-ingest
SOURCES := $(addsuffix /src,$(MEMBERS))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(VENV)/.complete ## make the virtual environment from requirements.lock

$(VENV)/.complete: requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	@"$(PYTHON)" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Fareline needs Python 3.11 or later with its venv module: install it, or name it with PYTHON=…" >&2; exit 2; }
	@echo "Making the virtual environment in $(VENV) (about a minute)…"
	@"$(PYTHON)" -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(MEMBERS))
	@$(VENV)/bin/pip check --disable-pip-version-check
	@touch $@

.PHONY: demo
demo: venv ## play the whole story on this machine: Kafka, Postgres, three services, one call after another
	@$(PY) -m fareline_devstack demo

.PHONY: up
up: venv ## start everything and leave it running; addresses in .fareline/stack.env
	@$(PY) -m fareline_devstack up

.PHONY: down
down: venv ## stop what `make up` started
	@$(PY) -m fareline_devstack down

.PHONY: status
status: venv ## say what `make up` left running
	@$(PY) -m fareline_devstack status

.PHONY: test
test: venv ## every test, on real Kafka and Postgres, with the story end to end
	@$(PY) -m pytest -m "not engine and not tools"

.PHONY: test-random
test-random: venv ## the same in random order
	@$(PY) -m pytest --random-order -m "not engine and not tools"

.PHONY: unit
unit: venv ## the tests that need nothing but Python
	@$(PY) -m pytest -q -n auto --dist worksteal --ignore-glob='*/integration/*' -m "not stack and not e2e and not engine and not tools"

.PHONY: fuzz
fuzz: venv ## nightly: made-up webhooks at both PBX adapters, a minute each way
	@FARELINE_FUZZ_S=60 $(PY) -m pytest -q services/call-router/tests/unit/test_fuzz_webhooks.py

.PHONY: check
check: venv format-check lint imports types generated unit ## format, lint, import rules, types, generated files, unit tests

.PHONY: format
format: venv ## format the code
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

.PHONY: format-check
format-check: venv ## fail where the code is not formatted
	@$(VENV)/bin/ruff format --check .

.PHONY: lint
lint: venv ## ruff
	@$(VENV)/bin/ruff check .

.PHONY: imports
imports: venv ## the import rules between and inside the members
	@$(VENV)/bin/lint-imports --no-cache

.PHONY: types
types: venv ## mypy, strict
	@$(VENV)/bin/mypy $(SOURCES)

.PHONY: generate
generate: venv ## write schemas and docs/flows.md from the contracts
	@$(PY) -m fareline_contracts generate

.PHONY: generated
generated: venv ## fail where generated files are not current or a released schema is broken
	@$(PY) -m fareline_contracts check

.PHONY: lock
lock: venv ## write requirements.lock anew from requirements.in (needs uv)
	@uv pip compile requirements.in --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --quiet -o requirements.lock

IMAGE_TAG ?= dev
IMAGES := order-binder call-router recording-ingest

.PHONY: images
images: ## build the three images as fareline/<service>:dev (needs a Docker engine)
	@for service in $(IMAGES); do \
	  docker build --quiet --file services/$$service/Dockerfile --tag fareline/$$service:$(IMAGE_TAG) \
	    --build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' services/$$service/pyproject.toml)" \
	    --build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo none)" . >/dev/null && \
	  echo "fareline/$$service:$(IMAGE_TAG)" || exit 1; done

.PHONY: image-locks
image-locks: venv ## write what goes into each image, as a part of requirements.lock
	@$(PY) -m deploy.images.locks

.PHONY: containers
containers: venv images ## play the story against the images, by docker-compose.yml (needs a Docker engine)
	@$(PY) -m fareline_devstack containers

.PHONY: k8s
k8s: venv ## write what in deploy/k8s is generated: topics, rules, rendered overlays
	@$(PY) -m deploy.k8s.generate

.PHONY: deploy-check
deploy-check: venv ## check manifests, images, compose, what watches it, and migrations with others' tools
	@PYTHON="$(PYTHON)" deploy/tools.sh
	@$(PY) -m pytest -q -rs -m tools tests/deployment

VERSION ?= Unreleased

.PHONY: release-notes
release-notes: venv ## print the notes of VERSION, or of what is not released yet
	@$(PY) deploy/release_notes.py --version "$(VERSION)"

.PHONY: test-engine
test-engine: venv ## the tests of images, compose and outages on a real Docker engine, several minutes
	@$(PY) -m pytest -m engine -rs tests/deployment

.PHONY: bench
bench: bench-router bench-binder bench-ingest ## measure everything, as ratios against baselines in the same run

.PHONY: bench-router
bench-router: venv ## call-router: answers beside an echo and a SELECT, answers under news, the load of its replica
	@$(PY) -m bench router

.PHONY: bench-ingest
bench-ingest: venv ## recording-ingest: recordings stored, analysts' questions, call events
	@$(PY) -m bench recordings
	@$(PY) -m bench calllog
	@$(PY) -m bench projection

.PHONY: bench-binder
bench-binder: venv ## order-binder: order events ingested, until they are routable, and a backlog
	@$(PY) -m bench binder

.PHONY: nightly
nightly: venv ## the long runs: 10,000 recordings through three workers that are killed; order-binder at every failpoint
	@FARELINE_KILLED_RECORDINGS=10000 $(PY) -m pytest services/recording-ingest/tests/integration/test_ingest_kills.py
	@FARELINE_EFFORT=20 $(PY) -m pytest services/order-binder/tests/model services/order-binder/tests/faults \
	  services/order-binder/tests/integration/test_binder_query_plans.py
