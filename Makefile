.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= $(shell echo $$(( $$(nproc) + 1 )))  # tests wait for servers now and then: one more than there are cores

INSIDE := tests/contract tests/service tests/unit tests/structure  # the longest files first: no worker ends alone
INSTALL := deploy/install_locked.sh $(BIN)/python

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(VENV)/run: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "安装运行所需的软件包（首次一到三分钟，下载快慢不同）……"
	@$(INSTALL) requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q services shared deploy   # or else each start does
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.lock
	@echo "安装测试所需的软件包……"
	@$(INSTALL) requirements-dev.lock
	@touch $@

install: $(VENV)/run   ## install what running needs into .venv

run: $(VENV)/run       ## start the whole product on this machine
	@$(BIN)/yangguang serve all

test: $(VENV)/dev      ## unit, service, contract and structure tests, and the main job end to end in one process
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=10 -m "not kafka and not long" $(INSIDE)
	@$(BIN)/python -m pytest --durations=10 -m "not kafka" tests/e2e/test_main_job.py tests/e2e/test_start.py

test-all: test         ## what `make test` leaves out too: every odd value in every field, real Kafka, separate processes, a browser, drills, the wheel
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=10 -m "kafka or long" $(INSIDE)
	@$(BIN)/python -m pytest tests/e2e/test_demo.py   # alone: it says how long it takes
	@$(BIN)/python -m pytest --durations=15 --ignore tests/e2e/test_start.py --ignore tests/e2e/test_demo.py tests/e2e tests/drills   # these watch the clock: one after the other

coverage: $(VENV)/dev   ## the tests in this process, with branch coverage
	@$(BIN)/python -m pytest $(INSIDE) --cov --cov-report=term:skip-covered

lint: $(VENV)/dev      ## every static gate
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy services shared deploy tests/fixtures
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/vulture

run-kafka: $(VENV)/run ## start it as separate processes over a real Apache Kafka
	@$(BIN)/python -m deploy.local.launch

demo: $(VENV)/run      ## start it with thirty cases in all periods, and a clock to move
	@$(BIN)/python -m deploy.demo.launch

bench: $(VENV)/dev      ## measure 2,000 cases, in one process and as separate ones
	@$(BIN)/python -m tests.bench --mode embedded
	@$(BIN)/python -m tests.bench --mode kafka

drills: $(VENV)/dev     ## kill processes and the broker while notices go out, at full length
	@YANGGUANG_DRILLS=full $(BIN)/python -m pytest tests/drills -o log_cli=true -o log_cli_level=WARNING

kafka: $(VENV)/run     ## fetch and start a real Apache Kafka on 127.0.0.1:9092
	@$(BIN)/python -m deploy.kafka.launch

kafka-fetch: $(VENV)/run  ## only fetch it
	@$(BIN)/python -m deploy.kafka.launch --fetch-only

images: $(VENV)/run     ## make the base images of docker-compose.yml from this machine's packages (root, Docker)
	@deploy/images/make.sh

lock: $(VENV)/dev      ## make the lock files anew
	@$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --strip-extras --no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --strip-extras --no-header --no-annotate --extra build --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock

.PHONY: help install run run-kafka demo bench drills test test-all coverage lint kafka kafka-fetch images lock
