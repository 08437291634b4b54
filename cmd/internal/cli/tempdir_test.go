package cli

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestTempDir: what must be unpacked to disk goes to --temp-dir, is gone
// afterwards, and the manifest says how much it was.
func TestTempDir(t *testing.T) {
	log := aliceFiles(t)["Windows/System32/winevt/Logs/Security.evtx"]
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(noise) // never fails
	for len(log) < 65<<20 {
		log = append(log, noise...)
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a.zip"), tree{"C/Windows/System32/winevt/Logs/Security.evtx": log}.zip(t), 0o644))
	temp, out := filepath.Join(dir, "temp"), filepath.Join(dir, "out")
	must(t, os.Mkdir(temp, 0o755))
	t.Setenv("TMPDIR", filepath.Join(dir, "nowhere"))
	if code, _, stderr := runApp("analyze", filepath.Join(dir, "a.zip"), "--temp-dir", temp, "-o", out, "-q"); code != 0 && code != exitUnread {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	b, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	must(t, err)
	var m struct{ Run struct{ Unpacked int64 } }
	must(t, json.Unmarshal(b, &m))
	if m.Run.Unpacked < int64(len(log)) {
		t.Errorf("the manifest says that %d bytes were unpacked", m.Run.Unpacked)
	}
	if rows := jsonRows(t, -1, "timeline", out); len(rows) == 0 {
		t.Error("the log was not read")
	}
	if code, _, _ := runApp("analyze", filepath.Join(dir, "a.zip"), "--temp-dir", filepath.Join(dir, "nowhere"), "-o", out+"2", "-q"); code == 0 {
		t.Error("a folder that does not exist is taken")
	}
}
