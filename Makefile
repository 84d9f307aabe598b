# Two commands for a newcomer: `make demo` and `make test`. `make bench` measures.

SHELL := /bin/bash
CARGO ?= cargo
VENV := target/venv
PYTHON := $(VENV)/bin/python
NODE := target/node
SQLTOOLS := target/sqltools

# What building and testing need beyond Rust, by name.
DEBIAN_BUILD := build-essential
# The clients that the tests try (tests/clients): FreeTDS, its ODBC driver, jTDS and its Java, go-mssqldb and its Go (80
# MB), OpenSSL's headers for Microsoft's crate mssql-tds. Of PyPI's, Microsoft's ODBC driver is 10 MB.
DEBIAN_TEST := default-jre-headless freetds-bin golang-github-denisenkom-go-mssqldb-dev golang-go libicu72 \
	libjtds-java libssl-dev pkg-config python3 python3-venv tdsodbc unixodbc
PYPI_TEST := pytest==9.2.0 pytest-xdist==3.8.0 JPype1==1.7.1 impacket==0.13.1 mssql-python==1.16.0 \
	mssql-python-odbc==18.6.2.2 mssql-python-rs==0.3.0 pymssql==2.4.6 pyodbc==5.5.0 pyOpenSSL==24.2.1 \
	python-tds==1.17.1 sqlalchemy==2.1.9
# Microsoft's SQL Tools Service lies in this wheel (43 MB), for Linux on x86-64; it wants Debian 12's libicu72.
PYPI_SQLTOOLS := mssql-cli==1.0.0
# The newest whose Node.js Debian has.
NPM_TEST := tedious@19.2.1
# Each has instances of its own.
CLIENT_TEST_PROCESSES ?= 2

# Installs the Debian packages that are missing; asks for root only when there are any.
define install_debian
missing=(); for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
if [ $${#missing[@]} -gt 0 ]; then \
  run=; [ "$$(id -u)" = 0 ] || run=sudo; \
  $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq $${missing[@]}; \
fi
endef

.PHONY: demo build test lint unit clients clients-table bench clean

demo: build-tools
	$(CARGO) build --release --bin muster
	target/release/muster demo --once

build:
	$(CARGO) build --release --bin muster

.PHONY: build-tools test-tools
build-tools:
	@command -v cc >/dev/null || { $(call install_debian,$(DEBIAN_BUILD)); }

test-tools: build-tools $(VENV)/.done $(NODE)/.done $(SQLTOOLS)/.done
	@$(call install_debian,$(DEBIAN_TEST))

$(VENV)/.done: Makefile
	@$(call install_debian,$(DEBIAN_TEST))
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet $(PYPI_TEST)
	touch $@

$(SQLTOOLS)/.done: $(VENV)/.done
	rm -rf $(SQLTOOLS)
	$(VENV)/bin/pip download --quiet --no-deps --dest $(SQLTOOLS) $(PYPI_SQLTOOLS)
	$(PYTHON) -m zipfile -e $(SQLTOOLS)/*.whl $(SQLTOOLS)
	rm $(SQLTOOLS)/*.whl
	touch $@

$(NODE)/.done: Makefile
	@command -v npm >/dev/null || { $(call install_debian,nodejs npm); }
	rm -rf $(NODE)
	mkdir -p $(NODE)
	npm install --prefix $(NODE) --no-audit --no-fund --loglevel=error $(NPM_TEST)
	touch $@

test: test-tools lint unit clients

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit:
	$(CARGO) test --workspace --no-fail-fast

# The program as the tests of the workspace build it: any other choice of packages would build it anew.
clients: test-tools
	$(CARGO) test --workspace --no-run --quiet
	MUSTER_TEST_BINARY=$(CURDIR)/target/debug/muster $(PYTHON) -m pytest -q -n $(CLIENT_TEST_PROCESSES) tests

# Writes the lines of docs/clients.md anew.
clients-table:
	MUSTER_TEST_REWRITE_TABLE=1 $(MAKE) clients

bench:
	$(CARGO) build --release --bin muster
	$(CARGO) bench --workspace

clean:
	$(CARGO) clean
