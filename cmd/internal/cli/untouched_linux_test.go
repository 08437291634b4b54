package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A stamp is what reading could change of a file, but for its bytes.
type stamp struct {
	Mode                fs.FileMode
	Size                int64
	Inode               uint64
	Atime, Mtime, Ctime syscall.Timespec
}

func stamps(t *testing.T, paths []string) map[string]stamp {
	t.Helper()
	all := map[string]stamp{}
	for _, p := range paths {
		info, err := os.Lstat(p)
		must(t, err)
		st := info.Sys().(*syscall.Stat_t)
		all[p] = stamp{info.Mode(), info.Size(), st.Ino, st.Atim, st.Mtim, st.Ctim}
	}
	return all
}

// TestEvidenceIsNotTouched: no command changes a byte, a time or an attribute of
// the evidence; the access times stay, too.
func TestEvidenceIsNotTouched(t *testing.T) {
	top := t.TempDir()
	must(t, writeEvidence(filepath.Join(top, "ev")))
	must(t, zipFolder(filepath.Join(top, "ev"), filepath.Join(top, "ev.zip")))
	disk := aliceDisk(t)
	formats[1].write(t, filepath.Join(top, "split"), disk)
	must(t, os.WriteFile(filepath.Join(top, "ev", "disk.dd"), disk, 0o444))
	var paths []string
	bytesOf := map[string]string{}
	must(t, filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		paths = append(paths, p)
		if err == nil && d.Type().IsRegular() {
			b, err := os.ReadFile(p)
			bytesOf[p] = string(b)
			return err
		}
		return err
	}))
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, p := range paths {
		must(t, os.Chtimes(p, old, old.Add(time.Hour))) // any read would show, with relatime too
	}
	before := stamps(t, paths)
	user, log := filepath.Join(top, "ev", "C", "Users", "alice", "NTUSER.DAT"), filepath.Join(top, "ev", "C", "Windows", "System32", "winevt", "Logs", "Security.evtx")
	split := filepath.Join(top, "split", "disk.001")
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{"analyze", filepath.Join(top, "ev"), filepath.Join(top, "ev.zip"), split, "-o", out, "--hash-sources"},
		{"verify", out}, {"sources", split, "--verify"}, {"timeline", user}, {"coverage", filepath.Join(top, "ev.zip")},
		{"dump", "hive", user, "--view", "all"}, {"dump", "evtx", log},
	} {
		if code, _, stderr := runApp(args...); code != 0 {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
		if d := cmp.Diff(before, stamps(t, paths)); d != "" {
			t.Fatalf("%v changed (-before +after):\n%s", args, d)
		}
	}
	for p, b := range bytesOf {
		if again, err := os.ReadFile(p); err != nil || string(again) != b {
			t.Errorf("%s: its bytes changed", p)
		}
	}
}
