# The verbs of this repository. Continuous integration has no others; `make` alone lists them.

SWIFT ?= swift
SECONDS_PER_FUZZER ?= 60
FORMATTED := $(wildcard Sources Tests Benchmarks) Package.swift
PYTEST := .venv/bin/python -m pytest

.PHONY: help deps deps-build deps-check deps-e2e deps-bench toolchain
.PHONY: build test lint check run bench e2e fuzz sanitize

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

deps: deps-bench ## install whatever any verb needs: system packages (apt) and .venv
deps-build: toolchain
	@scripts/deps build
deps-check: toolchain
	@scripts/deps build check
deps-e2e: toolchain
	@scripts/deps build check e2e
deps-bench: toolchain
	@scripts/deps build check e2e bench

toolchain:
	@scripts/toolchain $(SWIFT)

build: deps-build ## optimised binaries in .build/release
	$(SWIFT) build -c release

test: deps-build ## unit tests
	$(SWIFT) test

lint: toolchain ## formatting, with the repository's .swift-format
	$(SWIFT) format lint --strict --parallel --recursive $(FORMATTED)

check: deps-check lint ## lint, one debug build, unit tests, the core end-to-end stories
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	PENSTOCK_BIN_DIR=.build/debug $(PYTEST) Tests/EndToEnd -m core

run: build ## serve conf/quickstart.yaml: two model replicas behind the gateway
	@exec .build/release/penstock serve --config conf/quickstart.yaml

bench: deps-bench build ## CPU, latency and memory beside other proxies; SCENARIOS="tls-small h2-tls"
	Benchmarks/run $(SCENARIOS)

e2e: deps-e2e build ## every end-to-end story, with third-party clients and servers
	PENSTOCK_BIN_DIR=.build/release $(PYTEST) Tests/EndToEnd

fuzz: deps-build ## libFuzzer over the parsers; SECONDS_PER_FUZZER=60
	Tests/Fuzz/run $(SECONDS_PER_FUZZER)

sanitize: deps-check ## unit tests and core stories under ThreadSanitizer and AddressSanitizer
	SWIFT=$(SWIFT) scripts/sanitize thread
	SWIFT=$(SWIFT) scripts/sanitize address
