package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive/hivetest"
	"sharetrail/parsers/shell/shelltest"
	"sharetrail/timeline"
)

// TestRecent joins the documents of one user to that user's shortcuts only,
// and to none that is gone.
func TestRecent(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(dir, "Users", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := shelltest.Reg(`[Software\Microsoft\Windows\CurrentVersion\Explorer\RecentDocs] 2026-03-04T10:00:00Z
0=recent:plan.docx
1=recent:gone.docx
2=recent:local.docx
MRUListEx=mru:0,1,2
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"alice", "bob"} {
		b, err := hivetest.Build(text)
		write(user+"/NTUSER.DAT", b, err)
	}
	const recent = "alice/AppData/Roaming/Microsoft/Windows/Recent/"
	b, err := shelltest.Link("share=\\\\fs01\\finance\nsuffix=Q 1\\plan.docx\ndevice=Z:\n")
	write(recent+"plan.docx.lnk", b, err)
	b, err = shelltest.Link("local=C:\\local.docx\ndrive-type=3\n")
	write(recent+"local.docx.lnk", b, err)
	write("bob/Desktop/plan.docx.lnk", b, err) // in no Recent

	res, err := Run(context.Background(), []string{dir}, Options{Context: "all"})
	if err != nil {
		t.Fatal(err)
	}
	joined, names := 0, 0
	for _, o := range res.Report.Observations {
		if o.Artifact != "recent-docs" {
			continue
		}
		if o.Action == evidence.Context {
			names++
			continue
		}
		joined++
		if o.User != "alice" || o.Share != `\\fs01\finance` || o.Drive != "Z:" || o.Detail.Text("Document") != "plan.docx" || o.Detail.Text("subpath") != `Q 1\plan.docx` || o.TimeKind != evidence.KeyLastWrite {
			t.Errorf("%+v", o)
		}
	}
	if joined != 1 || names != 5 {
		t.Errorf("%d documents on shares and %d others, want 1 and 5; problems %v", joined, names, res.Report.Problems)
	}
	// A profile's shortcuts are one kind of evidence, of which no absence can be told.
	for _, r := range res.Report.Coverage {
		if r.Evidence == "files:lnk:alice" && r.Records == 2 && r.Class == timeline.UnknownClass && len(r.Holes) == 0 {
			return
		}
	}
	t.Errorf("no row for the shortcuts of alice: %+v", res.Report.Coverage)
}
