# A thin door to Meson and the tools. `make help` lists what there is.
#
# Every build lives in a folder of its own; BUILD=other names another developer build.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SETUP ?= tools/setup.sh

.DEFAULT_GOAL := build
.PHONY: help setup build release tsan shared fuzz-build run test unit bench fuzz lint install clean

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## install what building, testing and linting need (a second run does nothing)
	@$(SETUP) build web test fuzz lint

build: ## the developer build in build/: ASan and UBSan, -Og
	@$(SETUP) build web
	@tools/build.sh $(BUILD)

release: ## the release build in build-release/: -O3, LTO, hardening, trained (PROFILE=again|none)
	@$(SETUP) build web
	@tools/build.sh build-release

run: release ## set up, build, and show the demo: web UI on http://127.0.0.1:10853
	@build-release/src/vantage demo

test: ## set up, and run every test; the last line is `N passed, N failed`
	@$(SETUP) build web test fuzz
	@tools/run-tests --build $(BUILD)

unit: build ## only the tests of the developer build
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs

tsan: ## the ThreadSanitizer build in build-tsan/
	@$(SETUP) build web
	@tools/build.sh build-tsan

shared: ## every room a shared library: a call to a room one may not use does not link
	@$(SETUP) build web
	@tools/build.sh build-shared

fuzz-build: # the libFuzzer targets in build-fuzz/
	@$(SETUP) build web fuzz
	@tools/build.sh build-fuzz

fuzz: fuzz-build ## fuzz every parser, FUZZ_SECONDS=60 each, one only by FUZZ=name
	@tools/run-fuzz --seconds $(or $(FUZZ_SECONDS),60) $(FUZZ)

bench: release ## measure; prints one table
	@$(SETUP) bench
	@bench/run --vantage build-release/src/vantage

lint: ## house rules, warnings as errors of gcc and clang, clang-tidy (LINT=all: on all files)
	@$(SETUP) build web fuzz lint
	@tools/lint.sh $(LINT)

install: release ## install to $(DESTDIR)$(PREFIX)
	@tools/install.sh build-release "$(DESTDIR)" "$(PREFIX)"

clean: ## remove the builds
	rm -rf build build-release build-tsan build-shared build-fuzz build-lint
