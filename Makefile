# Two commands do everything: `make demo` runs a region, `make test` passes the tests.
# Both make the virtual environment when it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DISTRIBUTIONS := proto plugins/sdk operator plugins/kit web plugins/extracts plugins/council_records plugins/savvi \
	plugins/nhs_shielding plugins/notifications plugins/gazetteer plugins/open_areas plugins/sql \
	plugins/household_factors node coordinator rehearsal
STUBS := proto/folkmoot/v1
DEMO_OUT ?= rehearsal-region
DEMO_HOUSEHOLDS ?= 5000
CASEWORK_OUT ?= rehearsal-borough
CASEWORK_HOUSEHOLDS ?= 20000
SIMULATION_STEPS ?= 20000
SIMULATION_SEED ?= $(shell date +%s)
NIGHT_EXAMPLES ?= 20
SOAK_MINUTES ?= 60
SOAK_NODES ?= 40
SOAK_SEED ?= 1
ATTACK ?= 10
ROLE ?= all
KEY ?= bundle-key.pem
# One process more than processors, since many tests wait for other processes. Neighbours stay
# together, so that what a module sets up is set up once; who is done first helps.
PROCESSES ?= $(shell expr $$(nproc) + 1)
PYTEST := $(BIN)/pytest -n $(PROCESSES) --dist worksteal

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo view casework test test-slow test-all night soak attack audit lint format proto check-proto lock simulate bench bench-peers lock-peers bundle docs clean help setup

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## Make the virtual environment

$(READY): requirements.lock VERSION one_version.py $(DISTRIBUTIONS:%=%/pyproject.toml) \
		web/build_assets.py $(wildcard web/assets/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Folkmoot needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "The venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip > /dev/null
	@echo "Installing the locked requirements into $(VENV) (once, a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation \
		$(addprefix --editable ./,$(DISTRIBUTIONS))
# Installed packages come compiled, what stands here does not: each process would do it again.
	@$(BIN)/python -m compileall -q -j 0 $(DISTRIBUTIONS)
	@touch $@

demo: $(READY)  ## Run a ten-council region on this machine
	$(BIN)/folkmoot-rehearse --councils 10 --households $(DEMO_HOUSEHOLDS) --seed 7 --out $(DEMO_OUT) --replace

casework: $(READY)  ## Open the casework site of a rehearsed borough, which it makes the first time
	@test -d $(CASEWORK_OUT)/councils || $(BIN)/folkmoot-rehearse --councils E09000002 --node-alone \
		--households $(CASEWORK_HOUSEHOLDS) --seed 7 --out $(CASEWORK_OUT)
	$(BIN)/folkmoot-rehearse --casework --out $(CASEWORK_OUT)

view: $(READY)  ## Open the web site of the region that `make demo` has run
	$(BIN)/folkmoot-rehearse --view --out $(DEMO_OUT)

test: $(READY)  ## Run the tests that take less than ten minutes
	$(PYTEST) -m "not slow and not benchmark"

test-slow: $(READY)  ## Run the slow tests, those that `make test` leaves out
	$(PYTEST) -m "slow and not benchmark"

test-all: $(READY)  ## Run both at once, as .ci/run does; starts once
	$(PYTEST) -m "not benchmark"

night: $(READY)  ## Run both for hours, with cases marked night: NIGHT_EXAMPLES=20 times the examples, long simulations
	FOLKMOOT_NIGHT=1 FOLKMOOT_EXAMPLES=$(NIGHT_EXAMPLES) FOLKMOOT_NEIGHBOURS=30 FOLKMOOT_ATTACK=$(ATTACK) SIMULATION_STEPS=$(SIMULATION_STEPS) \
		SIMULATION_SEED=$(SIMULATION_SEED) $(PYTEST) -m "not benchmark" --timeout 0

simulate: $(READY)  ## Simulate faults at length: SIMULATION_STEPS=20000 SIMULATION_SEED=...
	SIMULATION_STEPS=$(SIMULATION_STEPS) SIMULATION_SEED=$(SIMULATION_SEED) \
		$(BIN)/pytest -n 2 -rP tests/simulation/test_random_sequences.py

soak: $(READY)  ## Kill, cut off and starve 40 nodes for an hour: SOAK_MINUTES=60 SOAK_NODES=40 SOAK_SEED=1
	SOAK_MINUTES=$(SOAK_MINUTES) SOAK_NODES=$(SOAK_NODES) SOAK_SEED=$(SOAK_SEED) \
		$(BIN)/pytest -n 0 -rP tests/simulation/test_soak.py

docs: $(READY)  ## Build the documentation site into build/site (no internet needed)
	$(BIN)/python -m documentation.build

lint: $(READY) check-proto  ## Check style, types, import rules, plain English and the contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(DISTRIBUTIONS) bundling documentation one_version.py
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(DISTRIBUTIONS) bundling
	$(BIN)/pytest -q -n 0 tests/architecture/test_plain_english.py

format: $(READY)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: $(READY)  ## Generate the stubs from the .proto files
	rm -f $(STUBS)/*_pb2*
	cd proto && PATH="$(abspath $(BIN)):$$PATH" ../$(BIN)/python -m grpc_tools.protoc -I . \
		--python_out=. --mypy_out=quiet:. folkmoot/v1/*.proto
	cd proto && PATH="$(abspath $(BIN)):$$PATH" ../$(BIN)/python -m grpc_tools.protoc -I . \
		--grpc_python_out=. --mypy_grpc_out=quiet:. \
		folkmoot/v1/enrolment.proto folkmoot/v1/collection.proto

check-proto: $(READY)  ## Lint the contract, and compare the stubs with it
	cd proto && ../$(BIN)/buf lint
	$(BIN)/python proto/check_stubs.py

lock: $(READY)  ## Pin the requirements again, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header requirements.in -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header bundling/pip.in -o bundling/pip.lock

attack: $(READY)  ## Attack ATTACK=10 times as hard as the tests do
	FOLKMOOT_ATTACK=$(ATTACK) $(BIN)/pytest -n 0 -rP --timeout 0 tests/attack

audit: $(READY)  ## Look the locked requirements up in a database of known vulnerabilities (internet)
	test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit \
		&& $(VENV)-audit/bin/pip install --quiet pip-audit; }
	$(VENV)-audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict

bundle: $(READY)  ## Make offline bundles in dist/: ROLE=node, coordinator or vendor; KEY=signing key
	$(BIN)/python -m bundling --role $(ROLE) --key $(KEY)

bench: $(READY)  ## Measure speed and memory as ratios in one run
	$(BIN)/python tests/benchmarks/run.py

bench-peers: $(READY)  ## Compare one histogram with other libraries, each in its own environment
	$(BIN)/python tests/benchmarks/peers/compare.py

lock-peers: $(READY)  ## Pin the other libraries of bench-peers again, with hashes
	$(BIN)/python -m pip install --quiet uv
	for peer in tests/benchmarks/peers/requirements/*.in; do \
		$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header $$peer -o $${peer%.in}.lock || exit 1; done

clean:  ## Remove the environment and everything made
	rm -rf $(VENV) $(VENV)-audit $(VENV)-peers .wheels dist $(DEMO_OUT) bench-results screenshots web/folkmoot_web/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
