# Short names for what CONTRIBUTING.md and .ci/run describe.

.PHONY: build test ci bench bench-sources release

build:
	CGO_ENABLED=0 go build ./cmd/sharetrail ./cmd/sharelab

test:
	go test ./...

ci:
	bash .ci/run

# release fills dist/ without the network: archives and packages of all systems,
# checksums, bills of materials, manifests. The same commit gives the same bytes.
# make release URL=https://where/the/files/will/be
release:
	go run ./cmd/internal/release -o dist -url "$(URL)"

# bench compares with other readers, in one run: make bench LOG=big.evtx
bench:
	sh .ci/bench $(LOG)

# bench-sources measures images, archives and fleets: make bench-sources LOG=big.evtx [WORK=dir]
bench-sources:
	bash .ci/bench-sources $(LOG) $(WORK)
