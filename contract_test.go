package easyauth_test

import (
	"regexp"
	"strings"
	"testing"
)

// contractSections are those of docs/contract.md.
var contractSections = strings.Fields("1 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10 1.11 1.12 2.1 2.2 2.3 2.4 3.1 3.2 3.3 4 5")

// TestContractIsProvedOrExplained reads docs/contract.md: each line names tests
// that are declared, or rows of "Where we chose" in docs/configuration.md, and
// each of those rows is named by a line.
func TestContractIsProvedOrExplained(t *testing.T) {
	declared, _ := tests(t)
	chosen := choices(t)
	named := make(map[string]bool)
	rows := make(map[string]int)
	section := ""
	for _, line := range strings.Split(read(t, "docs/contract.md"), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section, _, _ = strings.Cut(heading, " ")
			continue
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| App Service ") || strings.HasPrefix(line, "| --- ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 2 {
			t.Errorf("docs/contract.md, %s: %d cells: %s", section, len(cells), line)
			continue
		}
		rows[section]++
		proofs := regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz)[A-Za-z0-9_]+)`").FindAllStringSubmatch(cells[1], -1)
		links := regexp.MustCompile(`\[([^]]+)\]\(configuration\.md#where-we-chose\)`).FindAllStringSubmatch(cells[1], -1)
		if len(proofs)+len(links) == 0 {
			t.Errorf("docs/contract.md, %s: neither proved nor explained: %s", section, cells[0])
		}
		for _, proof := range proofs {
			if !declared[proof[1]] {
				t.Errorf("docs/contract.md, %s: there is no %s", section, proof[1])
			}
		}
		for _, link := range links {
			named[link[1]] = true
			if !chosen[link[1]] {
				t.Errorf("docs/contract.md, %s: docs/configuration.md has no row %q", section, link[1])
			}
		}
	}
	for _, name := range contractSections {
		if rows[name] == 0 {
			t.Errorf("docs/contract.md has no rows for %s", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("docs/contract.md: %q is no section of the contract", name)
	}
	for point := range chosen {
		if !named[point] {
			t.Errorf("docs/configuration.md: no line of docs/contract.md leads to %q", point)
		}
	}
}

// choices are the points of "Where we chose". Each has a reason, and to have had
// no time is none.
func choices(t *testing.T) map[string]bool {
	t.Helper()
	_, section, found := strings.Cut(read(t, "docs/configuration.md"), "\n## Where we chose\n")
	if !found {
		t.Fatal(`docs/configuration.md has no section "Where we chose"`)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	points := make(map[string]bool)
	for _, line := range strings.Split(section, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| point ") || strings.HasPrefix(line, "| --- ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		switch {
		case len(cells) != 3 || cells[2] == "":
			t.Errorf("docs/configuration.md: a choice without a reason: %s", line)
		case points[cells[0]]:
			t.Errorf("docs/configuration.md: two choices called %s", cells[0])
		case regexp.MustCompile(`(?i)\bnot yet\b|\blater\b|\bTODO\b`).MatchString(cells[1] + cells[2]):
			t.Errorf("docs/configuration.md: that is no reason: %s", line)
		}
		points[cells[0]] = true
	}
	return points
}
