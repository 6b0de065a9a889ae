# make run: from a fresh clone to a running Odoo. make test: the same set-up, then all tests.
#   make run  PORT=8069 DB=finance_connect ODOO_ARGS="--log-level=debug"
#   make test ONLY=finance_connector_base      an addon, a file, file::test, or plain|addons|contract|system
#   make bench NAME=queue
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3,$(shell $(name) -c 'import sys, venv; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)) python3)
SCRIPTS := $(PYTHON) -m scripts

export PORT DB ODOO_ARGS

.PHONY: help setup run test soak bench lint format pot reset
help:
	@sed -n 's/^# *//p' Makefile | head -4
setup:
	@$(SCRIPTS) setup
run:
	@$(SCRIPTS) run
test:
	@$(SCRIPTS) test $(ONLY)
soak:
	@SOAK=1 $(SCRIPTS) test $(ONLY)
bench:
	@$(SCRIPTS) bench $(NAME)
lint:
	@$(SCRIPTS) lint
format:
	@$(SCRIPTS) lint --fix
pot:
	@$(SCRIPTS) pot
reset:
	@$(SCRIPTS) reset
