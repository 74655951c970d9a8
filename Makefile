# Everything a newcomer needs: python3 (3.11 or later) with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# SOURCE=rtsp://..., onvif://..., usb:/dev/video0 or a path (docs/config.md): what `make run` watches
# instead of the demo camera. It goes through the environment, since a command line (and with it a
# camera's password) is public.
SOURCE ?=
export VIGIL_SOURCE := $(SOURCE)

# TORCH_INDEX=<index of CPU-only builds> saves the CUDA libraries (about 5 GB).
TORCH_INDEX ?=

PIP_INSTALL := $(BIN)/pip --disable-pip-version-check --no-input install --quiet
# One thread per stage: two threads on two busy cores were slower.
export OMP_NUM_THREADS ?= 1
unexport PYTHONPATH

.PHONY: help run test check fix bench bench-cameras bench-many bench-gpu chaos fuzz evaluate clean

help:   ## Show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(VENV)/.runtime   ## Install if needed, start everything, print the dashboard's address
	@$(BIN)/vigil run $(ARGS)

test: $(VENV)/.dev   ## All tests; pass ARGS="-k loiter" for some
	@scripts/test-setup.sh
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev   ## Format, lint, types, layers, architecture and docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_architecture.py tests/test_docs.py

fix: $(VENV)/.dev   ## Format and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev   ## Cost of each stage and of the whole path, in one run
	@scripts/test-setup.sh
	$(BIN)/python -m tests.bench $(ARGS)

bench-cameras: $(VENV)/.dev   ## Cameras watched, against a plain script: ARGS="--published <YOLOX file>"
	$(BIN)/python -m tests.bench.cameras $(ARGS)

bench-many: $(VENV)/.dev   ## 16 RTSP cameras for half an hour: losses, memory, CPU, latency: ARGS="--minutes 5"
	$(BIN)/python -m tests.bench.many_cameras $(ARGS)

bench-gpu: $(VENV)/.dev   ## The encoder on a CUDA device: images/s, latency, share of the peak
	$(BIN)/python -m tests.bench.gpu $(ARGS)

chaos: $(VENV)/.dev   ## What must hold when cameras and stages fail: ARGS="C1 P2", ARGS=--write
	@scripts/test-setup.sh
	$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(VENV)/.dev   ## Hand strange bytes to what strangers can reach: ARGS="onvif-answer --seconds 300"
	$(BIN)/python -m tests.fuzz $(ARGS)

evaluate: $(VENV)/.runtime   ## Score a folder of labelled clips: make evaluate DATA=folder
	$(BIN)/vigil evaluate $(DATA) $(ARGS)

clean:   ## Remove the virtual environment and caches; state in .vigil stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Vigil needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V). Try: make run PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python constraints.txt constraints-gpu.txt pyproject.toml
	@echo "Installing Vigil into $(VENV) (once; about 3 minutes, most of it torch) ..."
	$(PIP_INSTALL) --require-hashes -r constraints.txt
ifeq ($(TORCH_INDEX),)
	$(PIP_INSTALL) --require-hashes -r constraints-gpu.txt
else
	$(PIP_INSTALL) --index-url $(TORCH_INDEX) $$(sed -nE 's/^((torch|torchvision)==[0-9.]+).*/\1/p' constraints-gpu.txt)
endif
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime constraints-dev.txt
	$(PIP_INSTALL) --require-hashes -r constraints-dev.txt
	@touch $@
