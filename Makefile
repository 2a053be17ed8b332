# Clamor. `make` prints this menu; `make check` is what CI runs.
include scripts/tools.env
export PATH := $(CURDIR)/.cache/bin:$(PATH)

DATA ?= ./data
LISTEN ?= 127.0.0.1:8080
KILLS ?= 200
POSTS ?=
GO ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS = -s -w -X main.version=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help
help: ## this menu
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run it
.PHONY: build run replay clean
build: ## bin/clamor (everything in one process) and the four services
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./services/standalone/cmd/clamor ./services/capture/cmd/capture ./services/realtime/cmd/realtime ./services/batch/cmd/batch ./services/batch/cmd/batch-flink ./services/api/cmd/api

bin/clamor: FORCE
	@$(GO) build -ldflags '$(LDFLAGS)' -o $@ ./services/standalone/cmd/clamor

run: bin/clamor ## start it with a demo show on http://$(LISTEN)
	bin/clamor --data $(DATA) --listen $(LISTEN) --demo

replay: bin/clamor ## count a file of posts by keywords: make replay POSTS=file.ndjson
	@test -n "$(POSTS)" || { echo 'which file? make replay POSTS=file.ndjson' >&2; exit 2; }
	bin/clamor replay $(REPLAY_FLAGS) $(POSTS)

clean: ## remove what was built and the demo's data
	rm -rf bin $(DATA)

##@ Check it
.PHONY: check test test-real chaos fuzz lint vet drift modules tidy-check govulncheck
check: ## all that CI checks: build, vet, lint, drift, modules, tests
	$(GO) build work
	$(MAKE) --no-print-directory vet lint drift modules
	$(MAKE) --no-print-directory test

test: ## every test, with the race detector; the models' proofs of quality, which are arithmetic, without
	$(GO) test -timeout 15m ./pkg/enrich/cmd/train
	$(GO) test -race -timeout 20m work

test-real: ## the same suites against real Kafka, Redis, RabbitMQ, Elasticsearch, a MongoDB peer and Flink
	scripts/test-real

chaos: ## the chaos run of e2e with KILLS kills (200)
	CLAMOR_CHAOS_KILLS=$(KILLS) $(GO) test -race -count=1 -timeout 6h -v -run Chaos ./services/e2e/...

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (30s) each
	scripts/fuzz $(FUZZTIME)

lint: tool-golangci-lint ## golangci-lint, settings in .golangci.yml
	@for module in proto pkg services; do (cd $$module && golangci-lint run --allow-parallel-runners --config ../.golangci.yml ./...) || exit 1; done

vet: ## go vet
	$(GO) vet work

drift: tool-buf tool-protoc-gen-go ## generated code is what the generators write
	scripts/drift

modules: ## each module builds by itself and is tidy
	scripts/modules

tidy-check: modules ## the same

govulncheck: ## known vulnerabilities (needs vuln.go.dev)
	@scripts/tool govulncheck golang.org/x/vuln/cmd/govulncheck $(GOVULNCHECK_VERSION)
	@for module in pkg services; do (cd $$module && govulncheck ./...) || exit 1; done

##@ Measure it
.PHONY: bench
bench: ## the table "how fast" of the README, with ratios
	$(GO) build -o bin/bench ./services/e2e/bench
	bin/bench $(BENCH_FLAGS)

##@ Change it
.PHONY: generate tidy train
TRAIN_DATA ?= ../shared/data
TRAIN_CHECK ?=
train: train-language train-sentiment train-place train-names train-addresses ## every embedded model from TRAIN_DATA; train-NAME one, TRAIN_CHECK=1 cross-validates
train-%:
	cd pkg && $(GO) run ./enrich/cmd/train -data $(abspath $(TRAIN_DATA)) $(if $(TRAIN_CHECK),-check) $(addprefix -rated ,$(TRAIN_RATED)) $*

generate: tool-buf tool-protoc-gen-go ## write the generated code again
	buf generate

tidy: ## go mod tidy in each module
	@for module in proto pkg services; do (cd $$module && GOWORK=off $(GO) mod tidy) || exit 1; done

.PHONY: tool-golangci-lint tool-buf tool-protoc-gen-go FORCE
tool-golangci-lint:
	@scripts/tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint $(GOLANGCI_LINT_VERSION)
tool-buf:
	@scripts/tool buf github.com/bufbuild/buf/cmd/buf $(BUF_VERSION)
tool-protoc-gen-go:
	@scripts/tool protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go $(PROTOC_GEN_GO_VERSION)
FORCE:
