# make book   sets up, runs the study on the embedded default, builds the book into _build/html
# make study  computes every run of every chapter (hours; goes on where it was stopped), then records the scores
# make test   sets up, runs the tests
# make torture  kills a small study again and again (KILLS=50) and prints what survived
# make lab    JupyterLab on the notebooks
# make clean  removes what is built; `make distclean` also finished runs and the environment

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
KILLS  ?= 50
READY  := $(VENV)/ready

.PHONY: book study test torture lab clean distclean setup
setup: $(READY)

book: $(READY)
	$(BIN)/xstilts book

study: $(READY)
	$(BIN)/xstilts compute
	$(BIN)/xstilts record

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

torture: $(READY)
	$(BIN)/python tests/torture.py --kills $(KILLS) --chapters $$(($(KILLS) / 10))

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=. --ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

clean:
	rm -rf _build book/chapters .pytest_cache .hypothesis

distclean: clean
	rm -rf $(VENV) store
