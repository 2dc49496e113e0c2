# Two commands on a fresh machine: `make demo` and `make test`. Only Python 3.11, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help install demo test check format docs screenshots clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Afflux needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}; run make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Afflux and its pinned dependencies into $(VENV) (one to three minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile -c constraints.txt -e '.[test]'
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q forecast
	@touch $@

install: $(VENV)/.installed  ## install into .venv, pinned by constraints.txt

demo: install  ## simulate the estuary, train, publish, print the weekend, serve on port 8000 (SERVE=0: do not serve)
	@$(BIN)/afflux demo --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve,--serve)

check: install  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: install check  ## lint, types, and every test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

format: install  ## let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install  ## regenerate the generated pages of docs/ and docs/schemas/
	$(BIN)/python -m forecast.docs

screenshots: install  ## make the demo and take the README's two pictures of the page (needs Chromium)
	@test -e demo/.afflux-demo || $(BIN)/afflux demo --no-serve
	$(BIN)/python -m scripts.screenshots demo docs/images

clean:  ## remove what the commands made, not your data
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
