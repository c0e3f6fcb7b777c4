# make demo        everything, then the dashboard on the embedded sample
# make demo-store  all of it but serving
# make test        lint, types and all tests
PYTHON ?= python3
PORT ?= 5006
EPOCHS ?= 30
BIN := .venv/bin
SAMPLE := data/samples/demo
PHYSICS := data/runs/demo-physics
VANILLA := data/runs/demo-vanilla
STORE := data/stores/demo

.PHONY: demo demo-store test check browser clean

demo: demo-store
	@echo "the dashboard: http://localhost:$(PORT)/app (Ctrl-C ends it)"
	BOKEH_SIGN_SESSIONS=yes BOKEH_SECRET_KEY=$$($(BIN)/bokeh secret) \
	  $(BIN)/panel serve dashboard/app.py --port $(PORT) --warm --args $(STORE)

demo-store: $(STORE)/store.json

# A made thing that is older than what it was made of is made again; an unfinished one goes on.
$(STORE)/store.json: $(PHYSICS)/run.json $(VANILLA)/run.json | .venv/demo
	@rm -rf $(@D)
	$(BIN)/python -m train.encode $(SAMPLE) $(STORE) --run physics=$(PHYSICS) --run vanilla=$(VANILLA)

$(PHYSICS)/run.json: $(SAMPLE)/sample.json | .venv/demo
	@rm -rf $(@D)
	$(BIN)/python -m train.train $(SAMPLE) $(PHYSICS) --model physics --epochs $(EPOCHS)

$(VANILLA)/run.json: $(SAMPLE)/sample.json | .venv/demo
	@rm -rf $(@D)
	$(BIN)/python -m train.train $(SAMPLE) $(VANILLA) --model vanilla --epochs $(EPOCHS)

$(SAMPLE)/sample.json: | .venv/demo
	$(BIN)/python -m data.simulate $(SAMPLE) --workers 2

.venv/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --disable-pip-version-check -q -e '.[dashboard,fast,simulate,report]'
	@touch $@

.venv/test: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --disable-pip-version-check -q -e '.[test]'
	@touch $@ .venv/demo

# The browser of the browser tests: installed where we may (Debian as root), else as found.
browser:
	@command -v chromium >/dev/null || { [ -e /etc/debian_version ] && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "no chromium: the browser tests will be skipped"

# What lints JavaScript and CSS, where npx of Node.js can fetch it.
BIOME := @biomejs/biome@2.6.8

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if npx --yes $(BIOME) --version >/dev/null 2>&1; then npx --yes $(BIOME) lint --error-on-warnings; \
	  else echo "npx of Node.js cannot be had: JavaScript and CSS were not linted"; fi

test: check browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

clean:
	rm -rf data/samples/demo* data/runs/demo-* data/stores/demo*
