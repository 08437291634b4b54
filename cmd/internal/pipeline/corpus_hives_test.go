package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"sharetrail/timeline"
)

// TestCorpusClaims holds what two user hives of real people may be said to show:
// a mapping that never had a key below Network is no removal, and a Network that
// is newer than its only child is a removal of something that is not known.
func TestCorpusClaims(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	analyze := func(name string) *timeline.Report {
		res, err := Run(t.Context(), []string{filepath.Join(root, "hive-user", name)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return &res.Report
	}

	rep := analyze("cfreds-dataleak/NTUSER.DAT")
	if len(rep.Gaps) != 0 || len(rep.Connections) != 1 || rep.Connections[0].Status != timeline.StatusUnknown || !rep.Connections[0].Removed.NotAfter.IsZero() {
		t.Errorf("cfreds-dataleak: gaps %+v, connections %+v", rep.Gaps, rep.Connections)
	}

	rep = analyze("plaso-nfury/NTUSER-WIN7.DAT")
	if len(rep.Gaps) != 1 {
		t.Fatalf("plaso-nfury: %d gaps: %+v", len(rep.Gaps), rep.Gaps)
	}
	if g := rep.Gaps[0]; g.Rule != "G03" || g.Severity != timeline.Low || g.Drive != "" || g.Share != "" || len(g.Reasoning) == 0 || len(g.Missing) == 0 || !g.Window.Exact() {
		t.Errorf("plaso-nfury: %+v", g)
	}
	seen := map[string]timeline.Status{}
	for _, c := range rep.Connections {
		seen[c.Share] = c.Status
	}
	if seen[`\\controller\home`] != timeline.StatusUsedOnly || seen[`\\controller\public`] != timeline.StatusMapped {
		t.Errorf("plaso-nfury: %v", seen)
	}
}
