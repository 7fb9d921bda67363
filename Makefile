# Every target is one command that can be typed without make; ARGS is passed on to it.
.DEFAULT_GOAL := help
.PHONY: help build run test unit e2e node lint format house sanitize crashes tampering fuzz docs documentation faults bench counts demo interchange conformance prove current contrib cases completions documents deployment matrix chain dist release clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the release programs
	scripts/install-dependencies build
	scripts/build

run: ## Install what is missing, build, run download-all (make run ARGS="plan --json")
	@scripts/run $(ARGS)

test: ## Install what is missing and run every test
	scripts/test

unit: ## Run the unit and integration tests, those of the Python files among them
	scripts/test unit

e2e: ## Run the end-to-end tests with the release program
	scripts/test e2e

node: ## Make a bundle and set it up on a throw-away machine without internet
	scripts/test node

lint: ## Check the style of Swift, Python, shell and YAML
	scripts/lint

format: ## Bring the layout of Swift and Python into that style
	scripts/lint --fix

house: ## Measure the source: files, functions, imports, repeated lines
	@scripts/house

sanitize: ## Run the unit and integration tests under the thread and the address sanitizer
	@scripts/sanitize

crashes: ## Kill target-setup and download-all again and again, and write docs/crashes.md (root)
	@scripts/crashes

tampering: ## Change each kind of file of a bundle in each way, and write docs/tampering.md (root)
	@scripts/tampering

fuzz: ## Let libFuzzer look for bytes that break a reader (make fuzz ARGS="--seconds 600 yaml")
	@scripts/fuzz $(ARGS)

docs: ## Write what is generated: config/config.yml, docs/reference/settings.md and docs/man
	WRITE_DOCS=1 swift test --filter GeneratedFilesTests

documentation: ## Make the reference pages of the modules in .build/documentation; a warning of DocC is a failure
	swift build
	scripts/documentation

faults: ## Write docs/faults.md: what comes of every kind of transfer in every kind of fault
	WRITE_DOCS=1 swift test --filter FaultMatrixTests

bench: ## Measure all jobs beside their peers, and write docs/performance.md (make bench ARGS="--small files lines")
	scripts/install-dependencies build run bench
	scripts/build
	KUBESPRAY_TREE="$(KUBESPRAY_TREE)" Benchmarks/run $(ARGS)

demo: ## Make a small bundle and set it up on a throw-away machine without internet, in some minutes
	@scripts/demo

dist: ## Make what a release is in dist/: archive, .deb, .rpm, install.sh, checksums (KEY=file signs them)
	@scripts/dist

release: ## Make a release and try it where nothing is installed (root; PACKAGES=yes ROOTS=yes for more)
	scripts/build
	Tests/Release/run

completions: ## Let bash, zsh and fish complete both release programs
	Tests/Completions/run $(ARGS)

documents: ## Type each command of the documents with both release programs, where it can do no harm (root)
	Tests/Documents/run $(ARGS)

cases: ## Small inputs as people bring them, given to the release programs
	scripts/build
	Tests/Cases/run $(ARGS)

deployment: ## Real kubespray from its bundle on booted machines without internet (KUBESPRAY_TREE="folder...")
	scripts/build
	Tests/Deployment/run $(KUBESPRAY_TREE)

matrix: ## The same with each network plugin and other choices, and write docs/matrix.md (KUBESPRAY_TREE="folder...")
	scripts/build
	REPORT=docs/matrix.md Tests/Deployment/matrix $(KUBESPRAY_TREE)

chain: ## Releases one after the other on one admin host, by deltas, and write docs/chain.md (KUBESPRAY_TREE="folder folder...")
	scripts/build
	REPORT=docs/chain.md Tests/Deployment/chain $(KUBESPRAY_TREE)

interchange: ## Our programs and the shell project's scripts on each other's bundles (SHELL_PROJECT=folder)
	SHELL_PROJECT="$(SHELL_PROJECT)" Tests/Interchange/run

counts: ## Count requests, bytes and instructions of small fixed jobs, and compare them with Tests/Counts/bounds.tsv
	scripts/build
	Tests/Counts/run $(ARGS)

conformance: ## Compare our catalog with a real kubespray's own lists (KUBESPRAY_TREE=folder)
	Tests/Conformance/run "$(KUBESPRAY_TREE)"

prove: ## The closure proof for each plugin, engine and add-on of real kubespray trees (KUBESPRAY_TREE=folder)
	Tests/Conformance/prove "$(KUBESPRAY_TREE)"

current: ## Look at every supported kubespray release and at master, and write docs/current.md (KUBESPRAY_CLONE=folder)
	REPORT=docs/current.md Tests/Conformance/current $(KUBESPRAY_CLONE)

contrib: ## Run contrib/offline's own scripts on our archives, and load-push on theirs (KUBESPRAY_TREE=folder; root, podman)
	scripts/build
	Tests/Conformance/contrib "$(KUBESPRAY_TREE)"

clean: ## Remove build products (outputs/ and cache/ stay)
	swift package clean
