GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: test soak parts fuzz lint clean

# Everything that must hold: format, vet, staticcheck, tidy modules, all tests
# with the race detector, short fuzz runs, and the tests against a real OpenID
# provider and a real browser.
test:
	@sh .ci/test

# The same for hours: thousands of simulated days, every crash at every point on real
# servers, load while replicas die.
soak:
	@sh .ci/soak

# Only what the tests against real parts need: installs what is missing, where it may.
parts:
	@go run ./e2e/cmd/parts

# Longer fuzz runs: make fuzz FUZZTIME=10m
fuzz:
	@sh .ci/fuzz $(or $(FUZZTIME),30s)

# A wider lint than CI's; building the linter takes two minutes the first time.
lint:
	@go list -m -f '{{.Dir}}' | while read -r dir; do \
		(cd "$$dir" && go run $(GOLANGCI_LINT) run --config "$(CURDIR)/.golangci.yml" ./...) || exit 1; \
	done

# What the tests leave behind.
clean:
	rm -rf ci-output
