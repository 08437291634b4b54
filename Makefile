# Short names for what CONTRIBUTING.md and .ci/run describe.

.PHONY: build test ci bench

build:
	CGO_ENABLED=0 go build ./cmd/sharetrail ./cmd/sharelab

test:
	go test ./...

ci:
	bash .ci/run

# bench compares with other readers, in one run: make bench LOG=big.evtx
bench:
	sh .ci/bench $(LOG)
