# `make run` and `make test` are all that is needed; `make help` lists the rest.
# Needs GNU make, and Python 3.12 or newer with venv. Another interpreter: make run PYTHON=/path/to/python3
# Arguments for the command line: make run ARGS="run baseline --worlds 64"

VENV_PYTHON := .venv/bin/python
READY := .venv/.ready
PYENV_PYTHONS := "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3
PYTHON ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run app test bench bench-page screenshots docs check lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: $(READY)  ## run the baseline scenario and print its story
	@$(VENV_PYTHON) run.py $(ARGS)

app: $(READY)  ## open the page in a browser: http://127.0.0.1:8765/
	@$(VENV_PYTHON) run.py app $(ARGS)

test: $(READY)  ## run the tests
	@$(VENV_PYTHON) -m pytest $(ARGS)

bench: $(READY)  ## run the benchmarks
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

bench-page: $(READY)  ## measure the page in a Chromium, and write docs/validation.md
	@$(VENV_PYTHON) -m benchmarks.page $(ARGS)

screenshots: $(READY)  ## take the pictures of docs/screenshots/ anew
	@$(VENV_PYTHON) -m docs.screenshots $(ARGS)

docs: $(READY)  ## write the generated parts of docs/ anew
	@$(VENV_PYTHON) -m docs.generate $(ARGS)

check: $(READY)  ## check style and format
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .

lock:  ## resolve requirements.lock anew (needs uv; ARGS=--upgrade moves every version)
	@command -v uv >/dev/null || { echo "make lock needs uv on the path: python3 -m pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --group dev --universal --python-version 3.12 --generate-hashes --no-annotate \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    --quiet --output-file requirements.lock $(ARGS)

clean:  ## remove .venv and caches
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp comes last, so an installation that was interrupted is begun again. A candidate counts only if it
# runs, is new enough and can make an environment: pyenv's shims exist for versions that are not selected, and
# Debian ships venv apart.
$(READY): requirements.lock .python-version
	@found=; \
	if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; \
	else set -- python3.12 python3.13 python3.14 python3 $(PYENV_PYTHONS); fi; \
	for candidate in "$$@"; do \
	    if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	        found=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Take or Pay needs Python 3.12 or newer with the venv module. None of these is one:" >&2; \
	    for candidate in "$$@"; do \
	        echo "  $$candidate ($$("$$candidate" --version 2>/dev/null || echo 'does not run'))" >&2; \
	    done; \
	    echo "Install one, or name one: make run PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	echo "Making .venv with $$("$$found" --version) and the locked packages: three to five minutes, once (the model is compiled too)." >&2; \
	"$$found" -m venv --clear --prompt take-or-pay .venv
	@$(VENV_PYTHON) -m pip install -qq --no-input --disable-pip-version-check --require-hashes -r requirements.lock
	@-$(VENV_PYTHON) -c 'import model'  # compiles the kernels, which are kept; without it the first run would
	@touch $@
