# What people and CI run. `make` alone lists the targets; `make demo` and `make test` are the two to
# know. Both install what a fresh Debian or Ubuntu lacks (see .ci/prepare).

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Where rustup puts cargo, and where .ci/prepare puts promtool, pebble and the servers of
# `make compare`.
export PATH := $(PATH):$(HOME)/.cargo/bin:$(CURDIR)/target/tools/usr/bin:$(CURDIR)/target/tools/usr/sbin

# Further arguments of the program: make demo ARGS='--https-port 9443', make compare ARGS='--only h1,h2'
ARGS ?=

REFERENCE := docs/reference.md

.PHONY: help demo test build check release dist image stack instructions size figures compare scale bless docs clean

help: ## List the targets
	@echo 'make TARGET, where TARGET is one of:'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

demo: ## Build the gateway and run it in front of sample applications
	@.ci/prepare build
	cargo build --package gateway
	@exec cargo run --quiet --package gateway -- demo $(ARGS)

test: ## Run every test
	@.ci/prepare build test compare deploy
	cargo test --workspace

build: ## Build everything, quickly, for working on it
	@.ci/prepare build
	cargo build --workspace --all-targets

check: ## Check format, lints, documentation and licences
	@.ci/prepare build
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package gateway-deploy --test '*' -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items
	@.ci/deny

release: ## Build target/release/gateway, optimised and stripped
	@.ci/prepare build
	cargo build --package gateway --release

dist: ## Build target/dist/gateway as it is shipped: fat LTO, and optimised by a profile
	@.ci/prepare build dist
	@.ci/dist

image: ## Build the static binary and the image gateway:VERSION from it
	@.ci/prepare build image
	@deploy/image

stack: ## Try everything that deploys on a Docker Engine; where none runs, this says so
	@.ci/prepare build image deploy
	@.ci/stack

instructions: ## Count the instructions of the request path's steps, and compare with the kept figures
	@.ci/prepare build test
	@.ci/instructions

size: release ## Say how large the release binary is
	@ls -l target/release/gateway | awk '{ printf "%.1f MiB  %s\n", $$5 / 1048576, $$NF }'

figures: release ## Measure what the documentation says about size, start and memory
	@.ci/prepare test
	@.ci/figures

compare: dist ## Measure the gateway beside nginx, HAProxy and Caddy; write docs/benchmarks.md
	@.ci/prepare compare
	cargo build --quiet --package loadtest --release
	target/release/loadtest compare --json target/compare.json \
		--markdown docs/benchmarks.md --svg docs/benchmarks.svg $(ARGS)

scale: dist ## Measure the gateway with many sites, connections and cores; write docs/benchmarks.md
	cargo build --quiet --package loadtest --release
	target/release/loadtest scale --json target/scale.json --markdown docs/benchmarks.md $(ARGS)

bless: ## Write the golden files and the reference anew, to be read in the difference
	BLESS=1 cargo test --workspace --lib --test golden --test cli --test compare --test dns --test files
	@$(MAKE) docs

docs: ## Write docs/reference.md anew
	cargo run --quiet --package gateway -- schema --markdown > target/reference.md
	mv target/reference.md $(REFERENCE)

clean: ## Remove everything that was built
	cargo clean
