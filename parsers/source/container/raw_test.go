package container

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The names of pieces are those that split(1) gives them, also where it lengthens
// its count.
func TestPieceNames(t *testing.T) {
	c, no, ok := counted("image.dd.aa")
	if !ok || no != 0 {
		t.Fatal(c, no, ok)
	}
	for no, want := range map[int]string{1: "image.dd.ab", 25: "image.dd.az", 26: "image.dd.ba", 649: "image.dd.yz", 650: "image.dd.za"} {
		if got := c.name(no); got != want {
			t.Errorf("piece %d: %s, want %s", no, got, want)
		}
	}
	if got := c.grown(650); got != "image.dd.zaaa" {
		t.Error(got)
	}
	if out, _ := exec.Command("split", "--version").Output(); !strings.Contains(string(out), "GNU") {
		t.Skip("no GNU split to compare with")
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "head -c 700 /dev/zero | split -b 1 && ls")
	cmd.Dir, cmd.Env = dir, []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	c, _, _ = counted("xaa")
	var want []byte
	for no := range 700 {
		if c.grown(no) != "" {
			c.long = true
		}
		want = append(want, c.name(no)+"\n"...)
	}
	if !slices.Equal(out, want) {
		t.Errorf("split names its pieces\n%s, not\n%s", out, want)
	}
}

// Two disks whose names end in letters are two disks.
func TestNoPieces(t *testing.T) {
	f := files{"baa": disk[1:], "bab": disk}
	for _, name := range []string{"baa", "bab"} {
		im, err := f.open(name)
		if err != nil {
			t.Fatal(err)
		}
		if im.Size() != int64(len(f[name])) || len(im.Files()) != 0 {
			t.Errorf("%s: %d bytes, with %q", name, im.Size(), im.Files())
		}
		if err := im.Close(); err != nil {
			t.Error(err)
		}
	}
}
