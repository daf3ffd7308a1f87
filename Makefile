# make run    recorded speech becomes intents, with the real models
# make test   format, types and tests
# make test-train  the tests of the trainers, with PyTorch
# make fuzz   every decoder under a coverage-guided fuzzer: MINUTES=10 each, JOBS=4 at once
# make soak   the live daemon for MINUTES=60, hours of noise, and the fault tests in their long form
# make bench  benchmarks against plain loops of the same libraries
# make bench-picovoice LABELS=… NOISE=…  Picovoice's speech-to-intent benchmark, with peers
# make bench-peers SNIPS=… HWU64=… [SNIPS_MODEL=… HWU64_MODEL=…]  language understanding, with peers
# make bench-language  the shipped language model against larger ones, fp32 and PyTorch
# Each sets up .venv by itself; a second call starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRAIN := .venv-train
REPLAYS := tests/replays

.PHONY: run test lint test-train fuzz soak bench bench-picovoice bench-peers bench-language wheel clean

run: $(VENV)/.run
	@$(BIN)/intentd replay $(REPLAYS)/coffee -c coffee --expect $(REPLAYS)/coffee/expect.ndjson --at-least 8
	@$(BIN)/intentd replay $(REPLAYS)/home -c home --expect $(REPLAYS)/home/expect.ndjson --at-least 8
	@$(BIN)/intentd replay $(REPLAYS)/dictation -c dictation

test: lint
	$(BIN)/python -m pytest -n 3 --dist loadfile

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The trainers' tests need PyTorch, in an environment of their own.
test-train: $(TRAIN)/.train
	$(TRAIN)/bin/python -m pytest tests/training

# Ten minutes and a million inputs for each: a matter of hours.
MINUTES ?= 10
JOBS ?= 1
TARGETS ?=
fuzz: $(VENV)/.test
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'atheris>=3'
	cd tests && ../$(BIN)/python -m fuzz --minutes $(MINUTES) --jobs $(JOBS) --folder ../build/fuzz $(TARGETS)

soak: MINUTES := 60
soak: $(VENV)/.test
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'matplotlib>=3.8'
	INTENTD_LONG=1 $(if $(FAULTS),INTENTD_FAULTS=$(FAULTS)) $(BIN)/python -m pytest -s tests/faults
	$(BIN)/python -m tests.soak.quiet --hours 1
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks

bench-picovoice: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks.picovoice $(LABELS) $(NOISE) --docs

bench-peers: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks.peers --docs \
	  $(if $(SNIPS),--snips $(SNIPS)) $(if $(HWU64),--hwu64 $(HWU64)) \
	  $(if $(SNIPS_MODEL),--snips-model $(SNIPS_MODEL)) $(if $(HWU64_MODEL),--hwu64-model $(HWU64_MODEL))

bench-language: $(TRAIN)/.train
	$(TRAIN)/bin/python -m tests.benchmarks.language --docs

wheel: $(VENV)/.test
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

clean:
	rm -rf $(VENV) $(TRAIN) .venv-peers dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.run: $(BIN)/python pyproject.toml
	@echo "installing intentd into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[noise]' || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check -e . # RNNoise isn't everywhere
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	@echo "installing intentd and its test tools into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.run

$(TRAIN)/.train: $(TRAIN)/bin/python pyproject.toml
	@echo "installing intentd and its trainers into $(TRAIN)"
	@$(TRAIN)/bin/python -m pip install -q --disable-pip-version-check 'torch==2.13.0'
	@$(TRAIN)/bin/python -m pip install -q --disable-pip-version-check -e '.[test,train,label]'
	@touch $@

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: intentd needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $* >/dev/null 2>&1 || $(PYTHON) -m virtualenv -q $* 2>/dev/null || { \
	  rm -rf $*; \
	  echo "error: can't make a virtual environment; install the package python3-venv" \
	       "(Debian, Ubuntu), or: $(PYTHON) -m pip install virtualenv" >&2; exit 1; }
