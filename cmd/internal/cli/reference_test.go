package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts"
	"sharetrail/timeline/rules"
)

var asArtifacts = regexp.MustCompile(`as sharetrail artifacts ([^;:]+)`)

// Each page of the manual is complete, and its reference is one that a reader
// can look up: a public document, or another page.
func TestReferences(t *testing.T) {
	var names []string
	for _, a := range artifacts.All() {
		names = append(names, a.Name)
		if a.Title == "" || a.What == "" || a.Proves == "" || a.DoesNotProve == "" || a.Reference == "" {
			t.Errorf("%s: the page is not complete", a.Name)
		}
		if strings.Contains(a.Reference, ".md") {
			t.Errorf("%s: nobody can look up %q", a.Name, a.Reference)
		}
	}
	for _, r := range rules.All() {
		if r.Title == "" || r.Logic == "" || r.Claim == "" || r.Misses == "" || r.Reference == "" || r.Base == "" || r.Severity == "" {
			t.Errorf("%s: the page is not complete", r.ID)
		}
		if strings.Contains(r.Reference, ".md") {
			t.Errorf("%s: nobody can look up %q", r.ID, r.Reference)
		}
		for _, m := range asArtifacts.FindAllStringSubmatch(r.Reference, -1) {
			for _, name := range strings.Split(m[1], ", ") {
				if !slices.Contains(names, name) {
					t.Errorf("%s refers to %q, which is no artifact", r.ID, name)
				}
			}
		}
	}
}
