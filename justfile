# What can be done with this checkout. Each recipe is one command that also works without just.

python := ".venv/bin/python"

# The packages that the lock leaves out; docs/decisions/0004 says why.
left_out := "--no-emit-package openvino-telemetry"
compile := "uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-emit-index-url --no-emit-find-links --custom-compile-command 'just lock' " + left_out

# List the recipes.
default:
    @just --list

# Tell the whole story on photographs that packages ship.
demo *options:
    python3 bootstrap.py demo {{ options }}

# Run the tests.
test *options:
    python3 bootstrap.py test {{ options }}

# Run the tests that take an hour of CPU: every byte of a log of 10,000 entries changed in turn.
soak:
    SAYSO_SOAK=1 {{ python }} -m pytest tests/ledger

# Run all that CI runs.
check:
    .ci/run

# Put the code in the form that CI expects.
format:
    {{ python }} -m ruff check --fix
    {{ python }} -m ruff format

# Lock the packages anew, the newest that fit; `just lock -P NAME` moves one alone.
lock *options="--upgrade":
    {{ compile }} {{ options }} pyproject.toml --extra demo --group dev -o requirements-dev.lock > /dev/null
    {{ compile }} pyproject.toml --extra demo --group build -c requirements-dev.lock -o requirements.lock > /dev/null

# Measure everything, keep the results, draw the plots and write the page of figures.
bench *options:
    {{ python }} benchmarks/run.py {{ options }}
