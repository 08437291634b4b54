package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCorpus compares links and jump lists with what liblnk and olefile read.
func TestCorpus(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	b, err := os.ReadFile(filepath.Join(root, "truth", "_lnk_jumplist.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	head := strings.Split(lines[0], "\t")
	entries := map[string][]JumpEntry{}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[head[i]] = cell
		}
		file := row["file"]
		if entries[file] == nil {
			entries[file] = readFile(t, filepath.Join(root, file))
		}
		e := find(entries[file], row["entry"])
		if e == nil || e.Link == nil {
			t.Errorf("%s %s: not read", file, row["entry"])
			continue
		}
		if got, want := show(e.Link), want(row); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", file, row["entry"], got, want)
		}
	}
	if len(entries) < 7 {
		t.Errorf("%d files", len(entries))
	}
}

func readFile(t *testing.T, path string) []JumpEntry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".lnk") {
		l, err := ReadLink(f, info.Size())
		if err != nil || len(l.Problems) > 0 {
			t.Fatalf("%s: %v %v", path, err, l)
		}
		if l.Len != info.Size() {
			t.Errorf("%s: link of %d bytes in a file of %d", path, l.Len, info.Size())
		}
		return []JumpEntry{{Link: l}}
	}
	j, err := ReadAutomatic(f, info.Size())
	if err != nil || len(j.Problems) > 0 {
		t.Fatalf("%s: %v %v", path, err, j)
	}
	for _, e := range j.Entries {
		if !e.Listed || e.Accessed.IsZero() || e.Path == "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
	return j.Entries
}

func find(list []JumpEntry, stream string) *JumpEntry {
	for i := range list {
		if list[i].Stream == stream {
			return &list[i]
		}
	}
	return nil
}

func show(l *Link) string {
	var network, local, machine, drive, label string
	if l.Network != nil {
		network, drive = l.Network.Path(), "0"
	}
	if l.Local != nil {
		local, drive, label = l.Local.Path, fmt.Sprint(l.Local.DriveType), l.Local.Label
	}
	if l.Tracker != nil {
		machine = l.Tracker.Machine
	}
	return fmt.Sprintf("%q", []string{network, local, l.RelativePath, l.WorkingDir, l.Arguments, stamp(l.Created), stamp(l.Modified), stamp(l.Accessed), machine, drive, label})
}

func want(row map[string]string) string {
	drive := row["drive_type"]
	if drive == "None" {
		drive = ""
	}
	return fmt.Sprintf("%q", []string{row["network_path"], row["local_path"], row["relative_path"], row["working_dir"], row["arguments"], row["target_created"], row["target_modified"], row["target_accessed"], row["machine_id"], drive, row["volume_label"]})
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.0000000Z")
}

// TestCorpusCustom reads the custom lists of the corpus, which no other tool
// at hand reads, and looks at what they must hold.
func TestCorpusCustom(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	files, err := filepath.Glob(filepath.Join(root, "jumplist", "*", "*.customDestinations-ms"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	links := 0
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := f.Stat()
		j, err := ReadCustom(f, info.Size())
		f.Close()
		if err != nil || len(j.Problems) > 0 {
			t.Errorf("%s: %v %v", file, err, j)
			continue
		}
		links += len(j.Entries)
		for _, e := range j.Entries {
			if len(e.Link.Items) == 0 {
				t.Errorf("%s: link without a target: %+v", file, e.Link)
			}
		}
	}
	if links == 0 {
		t.Error("no links")
	}
	t.Logf("%d links", links)
}
