package pipeline

import (
	"path"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts"
	"sharetrail/parsers/source/triage"
)

// In an image, only the places of package triage are looked at: they must hold
// what artifacts are read from.
func TestPlacesHoldArtifacts(t *testing.T) {
	for _, a := range artifacts.All() {
		for _, pattern := range a.Files {
			dir := strings.ToLower(path.Dir(pattern))
			if !slices.ContainsFunc(triage.Places(), func(p triage.Place) bool {
				return p.Dir == dir || p.Deep && strings.HasPrefix(dir+"/", p.Dir+"/")
			}) {
				t.Errorf("%s: %s lies in no place that is looked at", a.Name, pattern)
			}
			if sample := strings.ReplaceAll(pattern, "*", "x"); path.Ext(sample) != ".etl" && triage.Expect(sample, false) == triage.None {
				t.Errorf("%s: %s is not taken for evidence", a.Name, sample)
			}
		}
	}
}
