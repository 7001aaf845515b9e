# Everything lives in .venv; Python 3.11 or newer and make are all that has to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# A hub is many processes and the tests start hundreds: none should compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test check test-containers faults world fuzz bench fmt lock clean

help:  ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/.hub: requirements/hub.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the hub into $(VENV)" >&2
	@$(PIP) --require-hashes -r requirements/hub.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.hub
	@echo "Installing what the checks and tests need" >&2
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.hub  ## play one person's way through real connectors (KEEP=1 stays up)
	@$(BIN)/python deploy/demo/play.py $(if $(KEEP),--keep) $(if $(PORT),--port $(PORT))

up: $(VENV)/.hub  ## run the whole hub with the demo registry, until Ctrl-C
	@$(BIN)/schakel up --with demo

check: $(VENV)/.dev  ## style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy deploy/containers/start-kafka.py deploy/containers/issue-certificates.py deploy/demo/play.py
	@$(BIN)/lint-imports

test: check  ## every check and test, on a real Kafka and a real PostgreSQL (ARGS="-n 0": in turn)
	@$(BIN)/python -m pytest -n 3 --ignore=tests/containers $(ARGS)

test-containers: $(VENV)/.dev  ## build and exercise the containers; starts an engine if none runs
	@bash deploy/containers/prepare.sh
	@$(BIN)/python -m pytest tests/containers -m containers

faults: $(VENV)/.dev  ## kill every part at random instants under load (ARGS="--trials 100 --seed 7")
	@$(BIN)/python -m tests.faults $(ARGS)

world: $(VENV)/.dev  ## prove the domain at length: 2,000 random histories, 5,000 people on a real hub
	@$(BIN)/python -m tests.histories
	@$(BIN)/python -m tests.world $(ARGS)

fuzz: $(VENV)/.dev  ## bytes and calls that nobody thought of, for ten minutes each (ARGS="--seconds 60")
	@$(BIN)/python -m tests.fuzz $(ARGS)
	@$(BIN)/python -m tests.contract $(ARGS)

bench: $(VENV)/.dev  ## measure speed beside floors of the same run (ARGS="--only doors", --quick, --json)
	@$(BIN)/python -m tests.bench $(ARGS)

fmt: $(VENV)/.dev  ## format and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(VENV)/.dev  ## compile the hashed requirements anew
	@cd requirements && compile() { ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header "$$@"; } && \
	  compile hub.in -o hub.txt && compile dev.in -c hub.txt -o dev.txt

clean:  ## remove .venv and demo-data; a hub's own folder (data) stays
	@rm -rf $(VENV) demo-data
