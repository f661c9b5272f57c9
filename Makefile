# The only door: people and CI call the same targets. Bare `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
SHARED := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup lock fmt lint types imports spell check test test-fast fresh-machine fuzz campaigns rehearse rehearse-plan image synth docs bench-serving bench-planning bench-load bench-emulator soak campaigns-load clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with every extra and every tool, as the lock files say

$(READY): requirements/setup.lock requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tonnage needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(READY) ## resolve the versions again and write the lock files
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 requirements/setup.in -o requirements/setup.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --all-extras --group dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --constraint requirements/dev.lock --group fuzz pyproject.toml -o requirements/fuzz.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --constraint requirements/dev.lock pyproject.toml -o src/tonnage/deployment/image_files/serving.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --constraint requirements/dev.lock pyproject.toml requirements/serving-sklearn.in -o src/tonnage/deployment/image_files/serving-sklearn.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --constraint requirements/dev.lock --extra load pyproject.toml requirements/swarm.in -o src/tonnage/deployment/swarm/swarm_files/swarm.lock

fmt: $(READY) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

lint: $(READY) ## check style and format
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY) ## check the types, strictly
	$(BIN)/mypy

imports: $(READY) ## check that imports point down
	$(BIN)/lint-imports

spell: $(READY) ## check the spelling
	$(BIN)/codespell

test: $(READY) ## run every test: with two workers, then one by one what tests/alone.txt lists
	failed=; \
	$(SHARED) -m "not alone" || failed="$$failed beside-each-other"; \
	$(BIN)/python -m pytest -m alone || failed="$$failed alone"; \
	test -z "$$failed" || { echo "make test: failed in part:$$failed (see its summary above)" >&2; exit 1; }

test-fast: $(READY) ## run the unit tests but for the slow ones (a minute)
	$(SHARED) tests/unit -m "not slow"

fresh-machine: $(READY) ## go through the tutorial in an empty container, and record it (5 minutes; needs Docker or root)
	$(BIN)/python scripts/record_fresh_machine.py

fuzz: $(READY) ## fuzz the parser of requests, guided by coverage (1 minute)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/fuzz.lock
	$(BIN)/python tests/fuzz/fuzz_requests.py -max_total_time=60 -artifact_prefix=tests/fuzz/

campaigns: $(READY) campaigns-load ## drain a thousand instances under load, and kill a hundred workers (5 minutes)
	$(BIN)/python examples/real_estate/train.py
	cd examples/real_estate && ../../$(BIN)/tonnage pack model.joblib --service service:RealEstate -o artefact
	$(BIN)/python benchmarks/serving/drain_campaign.py

check: lint types imports spell test ## all that must be green

docs: $(READY) ## write the generated pages and build the site, without warnings
	$(BIN)/python scripts/cli_reference.py
	$(BIN)/python scripts/settings_reference.py
	$(BIN)/python tests/conformance.py
	$(BIN)/zensical build --clean --strict

rehearse: $(READY) ## run the whole story on this machine and write its report
	$(BIN)/python examples/real_estate/train.py
	$(BIN)/tonnage rehearse --config examples/real_estate/tonnage.toml

rehearse-plan: $(READY) ## the same, and rehearse the plan that it ends in
	$(BIN)/python examples/real_estate/train.py
	$(BIN)/tonnage rehearse --config examples/real_estate/tonnage.toml --confirm-plan

image: $(READY) ## build the example's container image with Docker
	$(BIN)/python examples/real_estate/train.py
	$(BIN)/tonnage image --config examples/real_estate/tonnage.toml --tag real-estate $(if $(BASE),--base $(BASE))

synth: $(READY) ## write the example's CloudFormation templates to build/cdk.out (needs Node.js)
	$(BIN)/python examples/real_estate/train.py
	$(BIN)/tonnage synth --config examples/real_estate/tonnage.toml -o build/cdk.out

bench-serving: $(READY) ## measure serving beside its peers (12 minutes of two quiet cores)
	$(BIN)/python benchmarks/serving/run.py

bench-planning: $(READY) ## measure planning: the original's ramp, regret on unseen weeks, the simulator's speed
	$(BIN)/python benchmarks/planning/ramp.py
	$(BIN)/python benchmarks/planning/regret.py
	$(BIN)/python benchmarks/planning/simulation_speed.py
	$(BIN)/python benchmarks/planning/emulator_agreement.py

bench-emulator: $(READY) ## measure the emulator: router, recovery, 200 scale-ins, scale-out, rise and fall (8 minutes)
	$(BIN)/python benchmarks/emulator/router.py
	$(BIN)/python benchmarks/emulator/recovery.py
	$(BIN)/python benchmarks/emulator/scale_ins.py
	$(BIN)/python benchmarks/emulator/scale_out.py
	$(BIN)/python benchmarks/emulator/rise_and_fall.py --picture docs/pictures/emulator-rise-and-fall.png

soak: $(READY) ## run the emulator for eight virtual hours; its memory must stay flat (4 minutes)
	$(BIN)/python benchmarks/emulator/soak.py

bench-load: $(READY) ## measure the load generator: speed, a frozen target, h2load, faults (8 minutes)
	$(BIN)/python benchmarks/loadtest/generator_speed.py
	$(BIN)/python benchmarks/loadtest/freeze.py
	$(BIN)/python benchmarks/loadtest/against_h2load.py
	$(BIN)/python benchmarks/loadtest/generator_faults.py
	$(BIN)/python benchmarks/loadtest/render_truth.py

campaigns-load: $(READY) ## measure the search and the comparison by the thousand, and for real (2 hours)
	$(BIN)/python examples/real_estate/train.py
	cd examples/real_estate && ../../$(BIN)/tonnage pack model.joblib --service service:RealEstate -o artefact
	$(BIN)/python benchmarks/loadtest/line_campaign.py
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target build/mlrsearch -r benchmarks/loadtest/requirements-mlrsearch.in
	PYTHONPATH=build/mlrsearch $(BIN)/python benchmarks/loadtest/line_mlrsearch.py
	$(BIN)/python benchmarks/loadtest/line_capped.py
	$(BIN)/python benchmarks/loadtest/line_scaling.py
	$(BIN)/python benchmarks/loadtest/line_render.py
	$(BIN)/python benchmarks/loadtest/record_noise.py
	$(BIN)/python benchmarks/loadtest/compare_campaign.py
	$(BIN)/python benchmarks/loadtest/compare_real.py
	$(BIN)/python benchmarks/loadtest/render_truth.py

clean: ## remove what the targets wrote, .venv included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
