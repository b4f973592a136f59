# Everyday commands; `make help` lists them.
#
# PG_CONFIG names the PostgreSQL to build for (14 to 18); unless given, tools/server finds one.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.NOTPARALLEL:

# Backtraces of the environment would reach clients as DETAIL of errors.
unexport RUST_BACKTRACE
unexport RUST_LIB_BACKTRACE

# Asked when used, not when read: `make setup` may only now install the server.
FEATURE = $(or $(shell tools/server feature),$(error no usable PostgreSQL (make setup)))
# pg15 is the default feature: naming it again would make cargo build it a second time.
CARGO_FEATURES = $(if $(filter pg15,$(FEATURE)),,--no-default-features --features $(FEATURE)) --features pkcs11

# What cargo-pgrx builds tests inside a server with: those that need none share that build.
IN_SERVER_FEATURES = --no-default-features --features '$(FEATURE) pkcs11 pg_test'

# Spares a second build of all dependencies. Other processors need what it turns off, packages for
# others are built without it.
ifeq ($(shell uname -m),x86_64)
DEVELOP = CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1
endif

# A heading before each step of the long commands.
say = @printf '\n== %s\n' '$(1)'

.PHONY: all
all: build

.PHONY: build
build: ## Build for development
	$(DEVELOP) cargo build $(CARGO_FEATURES)

.PHONY: setup
setup: ## Install what is missing: Debian packages, cargo-pgrx
	@tools/setup

.PHONY: demo
demo: setup ## See the main job: a web shop arrives anonymized (CUSTOMERS=10000)
	@tools/install
	@tools/demo

.PHONY: demo-stop
demo-stop: ## Remove all that the demo made
	@tools/demo-stop

.PHONY: check
check: ## Format, lints, tests that need no server
	$(call say,format)
	cargo fmt --all --check
	$(call say,lints)
	$(DEVELOP) cargo clippy --all-targets $(CARGO_FEATURES) --features pg_test -- -D warnings
	# Its shared files have their tests in the extension.
	$(DEVELOP) cargo clippy -p confiture-verify --bins --test vectors -- -D warnings
	$(call say,tests without a server)
	$(DEVELOP) cargo test --workspace $(IN_SERVER_FEATURES) -- --skip pg_test::

.PHONY: test
test: ## Every test there is
	@tools/setup tests
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-5} $(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test-in-database
	@$(MAKE) --no-print-directory installcheck

.PHONY: test-18
test-18: ## The tests that need a server, on PostgreSQL 18
	@export PG_CONFIG=$$(tools/postgres-18); tools/setup tests; \
	$(MAKE) --no-print-directory test-in-database installcheck

.PHONY: check-18
check-18: ## Of the tests of the installed extension those that may depend on the server, on PostgreSQL 18
	@export PG_CONFIG=$$(tools/postgres-18); tools/setup tests; \
	$(MAKE) --no-print-directory install; \
	tests/cluster/run -m 'not any_server'

.PHONY: test-in-database
test-in-database: ## Tests inside a server (T=name for some of them)
	$(call say,tests in the database)
	@$(DEVELOP) tools/test-in-database $(T)

.PHONY: installcheck
installcheck: install ## Tests of the installed extension, on throw-away servers
	$(call say,tests of the installed extension)
	@tests/cluster/run

.PHONY: stress
stress: ## Tests that take long (half an hour): a million values through FPE, kills at random, 64 sessions
	$(call say,format-preserving encryption)
	CONFITURE_FPE_ROUNDS=1000000 $(DEVELOP) cargo test $(CARGO_FEATURES) --lib ff1_agrees
	$(call say,runs with workers that are killed)
	CONFITURE_ROUNDS=50 tests/cluster/run test_workers_crash.py
	$(call say,work of every kind while processes are killed)
	CONFITURE_ROUNDS=100 tests/cluster/run -rP test_crash.py
	$(call say,64 sessions of mixed work)
	CONFITURE_SESSIONS=64 CONFITURE_SECONDS=600 tests/cluster/run -rP test_load.py

.PHONY: fuzz
fuzz: ## Fuzz what reads anything from outside, and all functions by sqlsmith (FUZZ_SECONDS=600 each)
	$(call say,fuzzing)
	tools/fuzz
	$(call say,random statements)
	@tools/install
	tools/sqlsmith $(or $(FUZZ_SECONDS),600)

.PHONY: bench
bench: ## Measure what the documentation gives figures of
	$(call say,measurements)
	@tools/bench

.PHONY: bench-large
bench-large: ## Measure runs of up to a hundred million rows: half an hour, sixty gigabytes
	$(call say,large runs)
	@tools/bench large

.PHONY: install
install: ## Build for release and install into this PostgreSQL
	$(call say,install)
	@tools/install

.PHONY: verifier
verifier: ## Build confiture-verify, which checks an exported ledger without a server
	cargo build --release -p confiture-verify

.PHONY: package
package: ## Packages in target/package: a .deb for this PostgreSQL, an archive for PGXN
	@tools/package-deb
	@tools/package-pgxn

.PHONY: reproducible
reproducible: ## Build the packages twice from nothing and compare them (ten minutes)
	@tools/reproducible

.PHONY: site
site: ## The documentation as static HTML with search, in target/site/html (needs mdBook)
	@tools/site

.PHONY: schema
schema: ## Print the SQL of the extension
	@$(DEVELOP) cargo pgrx schema $(FEATURE)

.PHONY: docs
docs: ## Build the documentation of the code, warnings are errors
	$(DEVELOP) RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items $(CARGO_FEATURES)

.PHONY: deny
deny: ## Licenses and advisories of the dependencies (needs cargo-deny)
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo 'skipped: cargo install cargo-deny --locked'; exit; fi; \
	cargo deny check licenses bans sources; \
	if cargo deny fetch db >/dev/null 2>&1; then cargo deny check --disable-fetch advisories; \
	else echo 'advisories: not asked, their database cannot be reached'; fi

.PHONY: sbom
sbom: ## Bill of materials of what is shipped, CycloneDX JSON (needs cargo-cyclonedx)
	@tools/sbom || [ $$? -eq 3 ]

.PHONY: clean
clean: ## Remove what was built
	cargo clean

.PHONY: help
help: ## This list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
