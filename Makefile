# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ERP ?= sim
# Tests start the program hundreds of times: compiled once, it starts a fifth faster.
unexport PYTHONDONTWRITEBYTECODE
WITH_SERVERS := tests/e2e tests/composition tests/integration tests/chaos

.PHONY: demo test test-timing test-pure test-runs test-kafka test-slow test-slow-chaos test-slow-live test-deep test-composition test-composition-short browser-test chart-test image image-test proved dashboards lint types layers check plants bench bench-rules bench-run bench-short bench-take-over lock clean

demo: .venv/runtime.stamp  ## one shift of a simulated plant and two real recordings, through everything (ERP=tryton: a real ERP)
	$(BIN)/lineledger demo --embedded --erp $(ERP) --out out/demo

test: .venv/dev.stamp  ## all tests but the slow ones and those of chart and image; real Kafka and registry where Docker, or Java 17 and Maven, are there; AFTER_PURE, AFTER_RUNS, AFTER_KAFKA: targets behind each of the three lanes
	@$(MAKE) -s test-timing
	@echo "three lanes: pure tests, those that run the program, those with Kafka (the output of the first two follows at the end)"
	@$(MAKE) -sk test-pure $(AFTER_PURE) > .pytest_pure.log 2>&1 & pure=$$!; \
	$(MAKE) -sk test-runs $(AFTER_RUNS) > .pytest_runs.log 2>&1 & runs=$$!; \
	$(MAKE) -sk test-kafka $(AFTER_KAFKA); kafka=$$?; \
	wait $$pure; pure=$$?; cat .pytest_pure.log; \
	wait $$runs; runs=$$?; cat .pytest_runs.log; \
	test $$pure -eq 0 && test $$runs -eq 0 && test $$kafka -eq 0

test-pure: .venv/dev.stamp  ## those that need nothing but Python
	$(BIN)/python -m pytest -q --durations=25 -m "not slow" tests/unit tests/property tests/mutants tests/docs tests/platform tests/plants tests/deploy/test_chart_files.py tests/deploy/test_dashboards.py tests/deploy/test_systemd.py

test-runs: .venv/dev.stamp  ## those that run the program, with Tryton and other servers but without Kafka
	$(BIN)/python -m pytest -q --durations=40 -m "not slow and not timing and not kafka and not registry" $(WITH_SERVERS)

test-kafka: .venv/dev.stamp  ## those with a real Kafka, registry, worker processes
	$(BIN)/python -m pytest -q --durations=40 -m "not slow and not timing and (kafka or registry)" $(WITH_SERVERS)

test-timing: .venv/dev.stamp  ## those that measure by the clock: nothing runs beside them
	$(BIN)/python -m pytest -q -m timing tests/integration

test-slow: test-slow-chaos test-slow-live  ## chaos, outages, long recordings; LINELEDGER_TEST_SHORT=1 makes them smaller

test-slow-chaos: .venv/dev.stamp
	$(BIN)/python -m pytest -q --durations=15 -m slow tests/chaos

test-slow-live: .venv/dev.stamp
	$(BIN)/python -m pytest -q --durations=25 -m slow --ignore tests/chaos --ignore tests/e2e/test_moulding_shop.py

browser-test: .venv/dev.stamp  ## the console in a real Chromium (Debian's package chromium): every screen in three sizes, axe-core, keys, live
	$(BIN)/python -m pytest -q -rs tests/browser

chart-test: .venv/dev.stamp .cache/deploy-tools/stamp  ## the chart: lint, every profile against Kubernetes' own schemas, rules over what is rendered; nothing is skipped
	LINELEDGER_REQUIRE_KAFKA=1 $(BIN)/python -m pytest -q -rs tests/deploy --ignore tests/deploy/image

image: .cache/deploy-tools/stamp  ## out/image: the image, its SBOM and provenance, by buildah; BASE=image@digest, else a Debian root file system
	deploy/image/build.sh

image-test: .venv/dev.stamp .cache/deploy-tools/stamp  ## builds the image twice, looks into it, runs it with runc: a worker on a real Kafka
	LINELEDGER_REQUIRE_KAFKA=1 $(BIN)/python -m pytest -q -rs tests/deploy/image

proved: .venv/dev.stamp  ## did every test that docs/invariants.md names run? (after the tests, with LINELEDGER_PROVED=FOLDER)
	$(BIN)/python -m tests.docs.proved "$(LINELEDGER_PROVED)"

dashboards: .venv/dev.stamp  ## Grafana's pages, from deploy/grafana/dashboards.py into the chart
	$(BIN)/python deploy/grafana/dashboards.py

test-deep: .venv/dev.stamp  ## property tests with ten times the examples, a year of 500 orders a day
	LINELEDGER_DEEP=1 $(BIN)/python -m pytest -q tests/property
	LINELEDGER_YEAR_ORDERS=500 $(BIN)/python -m pytest -q tests/integration/test_year.py

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

layers: .venv/dev.stamp
	$(BIN)/lint-imports

check: lint types layers test

test-composition: .venv/dev.stamp  ## defects planted in the processes of the command line, each found by the test that is named
	$(BIN)/python -m tests.mutants.composition

test-composition-short: .venv/dev.stamp  ## a third of them, those that need no worker process
	$(BIN)/python -m tests.mutants.composition --short

plants: .venv/dev.stamp  ## 2.5 million shots of a moulding shop, exact to the milligram
	$(BIN)/python -m pytest -q -s tests/e2e/test_moulding_shop.py -m slow

bench: .venv/dev.stamp  ## against plain Faust on a real Kafka, medians of 3
	$(BIN)/python -m benchmarks

bench-rules: .venv/dev.stamp  ## other rules on a day of a million raw records
	$(BIN)/python -m benchmarks.simulation

bench-run: .venv/dev.stamp  ## a moulding shop's history of 600,000 shots by one process, medians of 3
	$(BIN)/python -m benchmarks.recorded

bench-short: .venv/dev.stamp
	$(BIN)/python -m benchmarks --short

bench-take-over: .venv/dev.stamp  ## a million rows of orders, cold and warm, on a real Kafka
	$(BIN)/python -m benchmarks.take_over

lock:  ## needs uv; writes hashes and no address
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --group build -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.lock

clean:
	rm -rf .venv out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

.cache/deploy-tools/stamp: deploy/tools/requirements.lock
	mkdir -p .cache && $(PYTHON) -m venv .cache/deploy-tools
	.cache/deploy-tools/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	touch $@

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("lineledger needs Python 3.11 or newer: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

# The package itself is installed without build isolation: nothing enters that the lock files do not hash.
.venv/runtime.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@ .venv/runtime.stamp
