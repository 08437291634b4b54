package archive

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"
)

// A key is slow to derive: where one password opens all, the others are tried on
// the first member only, and on each where the check is short.
func TestPasswordsTried(t *testing.T) {
	b := archiveOf(t, "a", "b", "c", "d")
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		strong bool
		opens  []string // what opens each member
		tries  int
	}{
		{"one password", true, []string{"3", "3", "3", "3"}, 4 + 1 + 1 + 1},
		{"one password, a short check", false, []string{"3", "3", "3", "3"}, 16},
		{"several passwords", true, []string{"3", "1", "1", "3"}, 4 + 5 + 4 + 4},
		{"none", true, []string{"", "", "", ""}, 16},
	} {
		k := newKeyring([][]byte{[]byte("1"), []byte("2"), []byte("3"), []byte("4")})
		tries := 0
		for i, f := range z.File {
			m := &zipped{File: f, archive: bytes.NewReader(b), method: f.Method}
			why := k.open(m, 1, test.strong, func(_, password []byte) cipherKey {
				if tries++; string(password) != test.opens[i] {
					return nil
				}
				return &aesKey{}
			})
			if want := map[bool]string{true: wrongPassword}[test.opens[i] == ""]; why != want {
				t.Errorf("%s, %s: %q, want %q", test.name, f.Name, why, want)
			}
		}
		if tries != test.tries {
			t.Errorf("%s: %d tries, want %d", test.name, tries, test.tries)
		}
	}
}

func TestPasswordsInCodePages(t *testing.T) {
	got := fmt.Sprintf("%q", newKeyring([][]byte{[]byte("a"), []byte("ü"), []byte("\xff")}).passwords)
	if want := `["a" "ü" "\xff" "\xfc" "\x81"]`; got != want {
		t.Errorf("passwords %s, want %s", got, want)
	}
}
