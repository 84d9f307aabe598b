# Two commands for a newcomer: `make demo` and `make test`. `make bench` measures.

SHELL := /bin/bash
CARGO ?= cargo
VENV := target/venv
PYTHON := $(VENV)/bin/python

# What building and testing need beyond Rust, by name.
DEBIAN_BUILD := build-essential
DEBIAN_TEST := freetds-bin python3 python3-venv
PYPI_TEST := pytest==9.2.0 pymssql==2.4.6 python-tds==1.17.1

# Installs the Debian packages that are missing; asks for root only when there are any.
define install_debian
missing=(); for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
if [ $${#missing[@]} -gt 0 ]; then \
  run=; [ "$$(id -u)" = 0 ] || run=sudo; \
  $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq $${missing[@]}; \
fi
endef

.PHONY: demo build test lint unit clients bench clean

demo: build-tools
	$(CARGO) build --release --bin muster
	target/release/muster demo --once

build:
	$(CARGO) build --release --bin muster

.PHONY: build-tools test-tools
build-tools:
	@command -v cc >/dev/null || { $(call install_debian,$(DEBIAN_BUILD)); }

test-tools: build-tools $(VENV)/.done
	@$(call install_debian,$(DEBIAN_TEST))

$(VENV)/.done: Makefile
	@$(call install_debian,$(DEBIAN_TEST))
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet $(PYPI_TEST)
	touch $@

test: test-tools lint unit clients

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit:
	$(CARGO) test --workspace --no-fail-fast

clients: test-tools
	$(CARGO) build --bin muster
	MUSTER_TEST_BINARY=$(CURDIR)/target/debug/muster $(PYTHON) -m pytest -q tests

bench:
	$(CARGO) build --release --bin muster
	$(CARGO) bench --workspace

clean:
	$(CARGO) clean
