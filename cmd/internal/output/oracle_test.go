package output

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// oracle returns the path of another's program, or skips the test.
func oracle(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("oracle %s is not installed", names[0])
	return ""
}

// python runs a script with arguments and returns its output. Debian's comes
// first: its packages are the oracles.
func python(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(oracle(t, "/usr/bin/python3", "python3"), append([]string{"-c", script}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if bytes.Contains(stderr.Bytes(), []byte("No module named")) {
		t.Skipf("oracle python3: %s", stderr.Bytes())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return out
}

// keep writes content to a file for another's program.
func keep(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
