# make run           start the service at http://localhost:8000
# make test          run make check and make check-web, then the tests
# make test-browser  test the pages in Debian's chromium
# make check         check lint, types, layers, migrations and settings
# make check-web     check types, lint and unit tests of the web app, and that web/dist is up to date
# make demo          load sample conversations of demo@localhost and eight other users
# make bench         measure speed and sizes on this machine (benchmarks/README.md)
# make web           build the web app from web/src, with Node.js 20.19 or later
# make schema        generate docs/openapi.yaml from the code
# make messages      compile the translations in locale/
# make install       create the virtualenv only
# make clean         remove the virtualenv and caches, but no data
#
# HOST, PORT, DATA_DIR, DATABASE_URL and the other settings come from the environment or .env (see .env.example).

PYTHON ?= python3
VENV ?= .venv
bin := $(VENV)/bin
manage := $(bin)/python manage.py
# Show pip's output only if it fails.
pip = $(bin)/python -m pip --disable-pip-version-check --no-input install $(1) >$(VENV)/pip.log 2>&1 || { \
	status=$$?; cat $(VENV)/pip.log >&2; exit $$status; }
# The path of a stamp file (see below). Its name contains a checksum of the requirements.
stamp = $(VENV)/.$(1)-$(firstword $(shell cat $(2) | cksum))
run := $(call stamp,run,requirements.txt)
dev := $(call stamp,dev,requirements.txt requirements-dev.txt)
bench := $(call stamp,bench,requirements.txt benchmarks/requirements.txt)
packages := web/node_modules/.installed-$(firstword $(shell cksum < web/package-lock.json))
has_node = node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major * 100 + +minor < 2019 ? 1 : 0)' 2>/dev/null
# Settings as in production, for `check --deploy`.
production = HOST=0.0.0.0 HTTPS=true DEBUG=false ALLOWED_HOSTS=chatstore.example \
	SECRET_KEY=$$($(bin)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.PHONY: help run test test-browser check check-web web demo bench schema messages install clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run: $(run)
	@$(manage) up

test: check check-web
	$(bin)/python -m pytest

test-browser: $(dev)
	$(bin)/python -m pytest browser

check: $(dev)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/python -m mypy .
	$(bin)/lint-imports
	$(manage) makemigrations --check --dry-run
	@echo "manage.py check --deploy, with settings as in production"
	@$(production) $(manage) check --deploy --fail-level WARNING

web: $(packages)
	cd web && npm run --silent build

# Only this target and `web` need Node.js.
check-web:
	@if $(has_node); then \
		$(MAKE) --silent $(packages) && cd web && npm run --silent check && npm run --silent compare; \
	else echo "web/ is not checked, because Node.js 20.19 or later is not installed."; fi

demo: $(run)
	$(manage) loadconversations sample/mt_bench.jsonl --user demo@localhost --create-user
	$(manage) loadsample sample/console.jsonl

bench: $(bench)
	$(bin)/python -m benchmarks

schema: $(run)
	$(manage) spectacular --file docs/openapi.yaml --validate --fail-on-warn

messages: $(dev)
	$(bin)/pybabel compile --directory locale --domain django

install: $(run)

clean:
	rm -rf $(VENV) web/node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache

# A stamp file records that a set of requirements is installed. If the requirements change, the stamp's name changes, so
# make installs them again. make must not compare times, because the clock can be wrong: all stamps have an old time,
# and their prerequisites are order-only (after the `|`).
touch = touch -t 200001010000

$(run): | $(bin)/python
	@echo "Installing requirements.txt into $(VENV)"
	@rm -f $(VENV)/.run* $(VENV)/.dev* $(VENV)/.bench*
	@$(call pip,-r requirements.txt)
	@$(touch) $@

$(dev): | $(run)
	@echo "Installing requirements-dev.txt into $(VENV)"
	@rm -f $(VENV)/.dev*
	@$(call pip,-r requirements-dev.txt)
	@$(touch) $@

$(bench): | $(run)
	@echo "Installing benchmarks/requirements.txt into $(VENV)"
	@rm -f $(VENV)/.bench*
	@$(call pip,-r benchmarks/requirements.txt)
	@$(touch) $@

$(packages):
	@echo "Installing web/package-lock.json into web/node_modules"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@$(touch) $@

$(bin)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "chatstore needs Python 3.11 or later, but $(PYTHON) is older or missing. Use: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot create a virtualenv. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -f $@; exit 1; }
