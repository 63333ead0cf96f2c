# `make help` explains every target. Nothing has to be installed first but Python 3.11 or newer and make.

PYTHON ?= python3
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help demo check format test test-portal test-browser browser-and-postgres deep bench bench-scale bench-peers load real-stripe lock messages clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/.run ## a hotel with guests, a Stripe simulator, a mailbox, the portal and its worker, on this machine
	@exec $(BIN)/python -m portal demo $(DEMO)

check: .venv/.dev ## format, lint, types and templates; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates stripe_simulator/templates demo_mailbox/templates

format: .venv/.dev ## put the code in its usual shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: .venv/.dev browser-and-postgres ## every test, on SQLite and PostgreSQL, with a real browser
	@$(MAKE) --no-print-directory --jobs 2 --keep-going test-portal test-browser

test-portal:
	$(BIN)/python -m pytest -q -m "not deep" -n 4 --dist loadfile --ignore tests/browser $(TEST)

test-browser: # at the same time as the others: a browser mostly waits
	$(BIN)/python -m pytest -q -m "not deep" tests/browser

browser-and-postgres:
	@sh tests/find_browser_and_postgres.sh

deep: .venv/.dev browser-and-postgres ## the long runs: more random schedules, more kills (many minutes)
	DEEP=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/browser $(TEST)

bench: .venv/.dev ## pages, payments and messages beside the least that they could cost (two minutes): docs/performance.md
	$(BIN)/python -m bench.pages $(BENCH)

bench-scale: .venv/.dev ## hotels with 1,000 and 200,000 reservations asked the same questions, on both databases (minutes)
	$(BIN)/python -m bench.scale $(BENCH)

bench-peers: .venv/.dev ## messages from Stripe beside dj-stripe, which gets an environment of its own (minutes)
	$(BIN)/python -m bench.peers $(BENCH)

load: .venv/.dev ## a busy day: guests who pay at once, Stripe's messages in a burst: make load GUESTS=100 LOAD="--only burst"
	$(BIN)/python -m bench.load $(GUESTS) $(LOAD)

real-stripe: .venv/.dev ## the same expectations of Stripe itself: make real-stripe STRIPE_TEST_KEY=sk_test_...
	@test -n "$(STRIPE_TEST_KEY)" || { echo "Give a test key: make real-stripe STRIPE_TEST_KEY=sk_test_..."; exit 1; }
	STRIPE_TEST_KEY=$(STRIPE_TEST_KEY) $(BIN)/python -m pytest -q tests/real_stripe

lock: .venv/.dev ## renew requirements*.txt from requirements*.in
	$(LOCK) --upgrade requirements.in -o requirements.txt
	$(LOCK) --upgrade requirements-ssm.in -o requirements-ssm.txt
	$(LOCK) --upgrade requirements-dev.in -o requirements-dev.txt
	$(LOCK) --upgrade bench/peers/requirements.in -o bench/peers/requirements.txt

messages: .venv/.dev ## collect the texts to translate; LANGUAGE=de starts or renews a translation
	mkdir -p var portal/translations
	$(BIN)/pybabel extract -F babel.cfg -k N_ -k lazy_gettext -k plain_text -k plain_plural:1,2 --no-location -o var/messages.pot .
	@test -z "$(LANGUAGE)" || ( test -d portal/translations/$(LANGUAGE) \
		&& $(BIN)/pybabel update -i var/messages.pot -d portal/translations -l $(LANGUAGE) \
		|| $(BIN)/pybabel init -i var/messages.pot -d portal/translations -l $(LANGUAGE) )
	@if ls portal/translations/*/LC_MESSAGES/*.po >/dev/null 2>&1; then $(BIN)/pybabel compile -d portal/translations; fi

clean: ## remove what these targets made
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.venv/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The portal needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
