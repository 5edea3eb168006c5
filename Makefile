# One environment, .venv, serves every target; it is made on first need and brought up to date when
# pyproject.toml or constraints.txt change.
PYTHON ?= python3
RUN := .venv/bin
STAMP := .venv/.installed
OLDEST := .venv-oldest
OUT := runs/digits

.PHONY: install demo docs test test-slow test-oldest check style clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(RUN)/python || $(PYTHON) -m venv .venv
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint constraints.txt
	touch $@

demo: install
	$(RUN)/ggdr train recipes/digits.py --out $(OUT)
	@echo
	@echo "Images:     $$(ls $(OUT)/samples/fakes-*.png | tail -n 1)"
	@echo "Losses:     $(OUT)/losses.png"
	@echo "Checkpoint: $$(ls -d $(OUT)/checkpoints/* | tail -n 1)"

# The documentation site in site/, without a network; `python -m http.server -d site` shows it, its search too.
docs: install
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build --strict

test: install
	$(RUN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: install
	$(RUN)/python -m pytest -n 2 --dist loadfile -m slow $$(grep -rl --include='test_*.py' 'pytest.mark.slow' tests)

# With the oldest versions that pyproject.toml declares, in an environment of its own, made again each time.
test-oldest:
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct --editable '.[dev]'
	$(OLDEST)/bin/python -m pytest -n 2 --dist loadfile

check: install
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

style: install
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

clean:
	rm -rf .venv $(OLDEST) .pytest_cache .mypy_cache .ruff_cache build dist site *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
