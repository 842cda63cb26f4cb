# evetwin. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED := 0

BIN := bin
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w
GOBUILD := go build -trimpath -buildvcs=auto -ldflags '$(LDFLAGS)'
LINT := go tool -modfile=.ci/lint/go.mod golangci-lint
RUNTESTS := $(BIN)/runtests

# Where the tests of real parts stand; everything else is the fast part.
LIVE := backends/child backends/conform backends/sim/lab backends/sim/qemu backends/sim/swtpm \
	core/host/live scenarios/twin/livetest cmd/evetwin/uptest cmd/evetwin/tracetest cmd/zedbox/boxtest
LINUX := backends/linux scenarios/linux
WHOLE := e2e

# What can be given on the command line.
ARGS ?=
RECORD ?=
PLANT ?=
FUZZTIME ?= 30s
SOAKSEEDS ?= 10000
E2ETIME ?= 60m

##@ Use

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(BIN)/evetwin ## install what real parts need: QEMU, swtpm, guest kernel
	$(BIN)/evetwin setup

.PHONY: up
up: setup ## a whole device, its controller and its network; options in ARGS
	$(BIN)/evetwin up $(ARGS)

.PHONY: image
image: ## the bootable image of the QEMU device
	@echo 'evetwin has no bootable image yet: "make up" runs the device in this system' >&2; exit 1

##@ Test

.PHONY: test
test: $(BIN)/evetwin ## all tests but e2e; the end says what was left out
	@.ci/test RECORD='$(RECORD)'

.PHONY: test-fast
test-fast: $(RUNTESTS) ## models only: no root, no processes, no network
	@echo '== fast part'
	@$(RUNTESTS) $(if $(RECORD),-record $(RECORD)) $$(.ci/packages fast '$(LIVE)' '$(LINUX)' '$(WHOLE)')

.PHONY: test-live
test-live: $(RUNTESTS) ## real time: software TPM, QEMU guests, child processes
	@echo '== live part'
	@$(call realtests,$(LIVE))

.PHONY: test-linux
test-linux: $(RUNTESTS) ## a real kernel: network namespaces, filters, partitions (root)
	@echo '== linux part'
	@$(call realtests,$(LINUX))

# realtests runs the tests of some folders one package at a time: guests and namespaces share a
# machine. An empty part is said, not passed over.
define realtests
list=$$(.ci/packages only '$(1)'); \
if [ -n "$$list" ]; then $(RUNTESTS) $(if $(RECORD),-record $(RECORD)) -p 1 -timeout 15m $$list; \
else echo 'left out: no packages in $(1)'; fi
endef

.PHONY: behaviours
behaviours: ## run all tests; which of the 213 behaviours are proven, and where
	@go run ./core/archtest/behaviours $(ARGS)

.PHONY: planted
planted: $(RUNTESTS) ## planted defects must be found, by the house rules and by explore; PLANT=name for one
	@$(if $(PLANT),,$(RUNTESTS) -count=1 -run '^TestPlanted' ./...)
	EVETWIN_PLANT='$(PLANT)' go test -tags planted -count=1 -timeout 60m -v -run '^TestPlanted' \
		./scenarios/explore ./scenarios/recording

.PHONY: replays
replays: setup ## record some 130 runs of all kinds, replay each; how many differ
	@$(BIN)/evetwin bench replays $(ARGS)

.PHONY: e2e
e2e: setup $(RUNTESTS) ## boot the QEMU device and run the scenarios against it; SLICE=k/n for a part
	@list=$$(.ci/packages only '$(WHOLE)'); \
	if [ -n "$$list" ]; then EVETWIN_SLICE='$(SLICE)' $(RUNTESTS) $(if $(RECORD),-record $(RECORD)) \
		-count=1 -p 1 -timeout $(E2ETIME) $$list; \
	else echo 'left out: e2e: there are no suites'; exit 1; fi

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@.ci/fuzz $(FUZZTIME)

.PHONY: soak
soak: $(BIN)/evetwin ## every scenario over many seeds
	$(BIN)/evetwin run all --seed 1..$(SOAKSEEDS) --json $(ARGS)

.PHONY: lint
lint: ## gofmt, go vet, house rules, golangci-lint; all of them, even if one fails
	@status=0; \
	bad=$$(git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$bad" ]; then echo "not gofmt-ed:"; echo "$$bad"; status=1; fi; \
	go vet ./... || status=1; \
	go test ./core/archtest || status=1; \
	$(LINT) run || status=1; \
	exit $$status

##@ Build

.PHONY: build
build: $(BIN)/evetwin $(BIN)/zedbox ## the binaries, static, in bin/

.PHONY: $(BIN)/evetwin $(BIN)/zedbox $(BIN)/runtests
$(BIN)/evetwin $(BIN)/zedbox:
	@mkdir -p $(BIN)
	$(GOBUILD) -o $@ ./cmd/$(@F)

$(BIN)/runtests:
	@mkdir -p $(BIN)
	@$(GOBUILD) -o $@ ./core/archtest/runtests

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) dist
