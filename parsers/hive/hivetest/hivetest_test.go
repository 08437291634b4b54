package hivetest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

const sample = `# a user's hive
!name=\??\C:\Users\alice\ntuser.dat
!seq=10,9
!reorganized=2026-01-02T03:04:05.6789012Z
[] 2026-02-01T00:00:00Z
[Network] 2026-03-02T10:00:00Z volatile=2
[Network\Z] 2026-03-01T10:00:00.1234567Z
RemotePath=\\fs01\finance
UserName=
ProviderName=sz:Microsoft Windows Network
ConnectionType=dword:1
ProviderType=dword:0x20000
"name with = in it"=sz:x
@=default
Home=expand:%USERPROFILE%\x
List=multi:one|two
Nothing=multi:
Big=dword_be:258
Long=qword:0x0102030405060708
Raw=hex:00 01,02
None=none:ff
Odd=raw:0x222:414243
When=ftbin:2026-03-01T10:00:00Z
Ümlaut=\u{20AC}uro
Ключ=значение
[Software\Ärger]utf16
[Software\Общий]
[Software\a\u{5C}b]
`

// remains has something deleted in each way.
const remains = sample + `[Network] 2026-03-03T10:00:00Z
-[Network\Y] 2026-03-01T10:00:00Z
RemotePath=\\fs02\hr
-[Network\Y\below] 2026-03-01T10:00:00Z apart
-[Network\X] 2026-03-01T10:00:00Z unlinked
v=dword:1
-[Network\W]utf16 2026-03-01T10:00:00Z overwritten
RemotePath=\\fs02\long enough to lose its first half
[Software\a]
-"gone"=hex:00
`

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[Software\\Many\\key%04d]\nn=dword:%d\n", (i*7919)%n, i)
	}
	return b.String()
}

func big(n int) string {
	return fmt.Sprintf("[Big%d]\nv=hex:%s\n", n, strings.Repeat("db", n))
}

// oracles are hive readers of other people: each gets a file and must accept it.
var oracles = map[string][]string{
	"regfexport": {"regfexport"},
	"hivexml":    {"hivexml"},
}

func TestOracles(t *testing.T) {
	hives := map[string]struct {
		opt  hivetest.BuildOptions
		text string
		want []string
	}{
		"sample": {text: sample, want: []string{"RemotePath", "fs01", "finance"}},
		"empty":  {text: ""},
		"gone":   {text: remains, want: []string{"RemotePath", "fs01", "finance"}},
		"lf":     {opt: hivetest.BuildOptions{List: "lf"}, text: sample},
		"li":     {opt: hivetest.BuildOptions{List: "li"}, text: sample},
		"ri":     {text: many(1700), want: []string{"key0000", "key1699"}},
		"ri li":  {opt: hivetest.BuildOptions{List: "li", Leaf: 7}, text: many(100), want: []string{"key0099"}},
		"big":    {text: big(16344) + big(16345) + big(32688) + big(100000)},
		"plain":  {opt: hivetest.BuildOptions{Plain: true}, text: "!minor=3\n" + big(20000)},
	}
	for tool, argv := range oracles {
		path, err := exec.LookPath(argv[0])
		for name, h := range hives {
			t.Run(tool+"/"+name, func(t *testing.T) {
				if err != nil {
					t.Skipf("oracle %s is not installed", tool)
				}
				b, err := h.opt.Build(h.text)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(t.TempDir(), "hive")
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(path, append(argv[1:], file)...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || stderr.Len() > 0 {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				for _, w := range h.want {
					if !bytes.Contains(out, []byte(w)) {
						t.Errorf("output lacks %q", w)
					}
				}
				if keys := countKeys(t, b); tool == "hivexml" && bytes.Count(out, []byte("<node ")) != keys {
					t.Errorf("hivexml sees %d keys, we see %d", bytes.Count(out, []byte("<node ")), keys)
				}
				if bytes.Contains(bytes.ToLower(out), []byte("corrupt")) {
					t.Errorf("called corrupt:\n%.2000s", out)
				}
			})
		}
	}
}

func countKeys(t *testing.T, b []byte) (n int) {
	h, err := hive.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for range h.Walk() {
		n++
	}
	return n
}

// checkSound reads a built hive back, which must give no reason to complain.
func checkSound(t *testing.T, b []byte) {
	h, err := hive.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for k, err := range h.Walk() {
		if err != nil {
			t.Fatal(err)
		}
		for v, err := range k.Values() {
			if err != nil {
				t.Fatal(err)
			}
			if data, err := v.Bytes(); err != nil || len(data) != int(v.Size) {
				t.Error(len(data), err)
			}
		}
	}
	for _, err := range h.Problems() {
		if !strings.Contains(err.Error(), "checksum") {
			t.Error(err)
		}
	}
}

func TestBuildIsSound(t *testing.T) {
	for _, text := range []string{"", sample, remains, many(1700), big(16345)} {
		b, err := hivetest.Build(text)
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, b)
		again, err := hivetest.Build(text)
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%.40q: built differently the second time: %v", text, err)
		}
	}
}

// FuzzBuild finds text of which a hive is made that its reader complains of.
func FuzzBuild(f *testing.F) {
	f.Add(sample)
	f.Add(remains)
	f.Add("!minor=3\n!checksum=bad\n[a\\b\\c]utf16 ft:0 volatile=1\nv=raw:7:00\n@=multi:a||b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, `\`) > 500 {
			return // deeper than Windows allows
		}
		if b, err := hivetest.Build(text); err == nil {
			checkSound(t, b)
		}
	})
}

func TestBuildErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x=y":                               "line 1: \"x=y\": value before the first key",
		"[a":                                "no ]",
		"[a]\nno equals":                    "neither a key nor a value",
		"[a]\nv=dword:5000000000":           "out of range",
		"[a]\nv=hex:0":                      "odd length",
		"[a]\nv=1\nV=2":                     "second value",
		"[a\\\\b]":                          "key name of 0 characters",
		"[a] yesterday":                     "cannot parse",
		"[a] 2020-01-01T00:00:00.00000001Z": "no FILETIME",
		"[a\\u{zz}]":                        "bad escape",
		"-[]":                               "the root cannot be deleted",
		"[a]\n-\"v\"":                       "neither a key nor a value",
		"-[a] soon":                         "cannot parse",
		"[a] unlinked":                      "cannot parse",
		"!minor=9":                          "minor version 9",
		"!colour=red":                       "unknown directive",
		"!checksum=maybe":                   "want bad or good",
	} {
		if _, err := hivetest.Build(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := (hivetest.BuildOptions{List: "xx"}).Build(""); err == nil {
		t.Error("list xx accepted")
	}
}

// TestDeleted: the live keys are those of the text without the deleted ones,
// and the deleted ones are found.
func TestDeleted(t *testing.T) {
	b, err := hivetest.Build(remains)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := hivetest.Build(sample)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := countKeys(t, b), countKeys(t, plain)+1; got != want { // Software\a
		t.Errorf("%d live keys, want %d", got, want)
	}
	h, err := hive.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for it, err := range h.Deleted() {
		if err != nil {
			t.Fatal(err)
		}
		if it.Key != nil {
			got += fmt.Sprintf("%s %s %d, ", it.Path, it.Where, len(it.Values))
		} else {
			got += it.Value.Name + ", "
		}
	}
	if want := `Network\Y free-cell 1, Network\Y\below free-cell 0, Network\X unlinked 1, Network\W free-cell 1, gone, `; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestBuildWithLog(t *testing.T) {
	b, log1, log2, err := hivetest.BuildWithLog("!seq=7\n[a]", "[a]\n[b]", "[a]\n[c]")
	if err != nil || log2 != nil {
		t.Fatal(err, len(log2))
	}
	again, log1b, _, err := hivetest.BuildWithLog("!seq=7\n[a]", "[a]\n[b]", "[a]\n[c]")
	if err != nil || !bytes.Equal(b, again) || !bytes.Equal(log1, log1b) {
		t.Error("built differently the second time", err)
	}
	h, p, err := hive.OpenWithLogs(bytes.NewReader(b), int64(len(b)), []hive.LogFile{{Name: "LOG1", R: bytes.NewReader(log1), Size: int64(len(log1))}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Key("c"); err != nil || len(p.Applied) != 2 || p.Applied[0].Sequence != 7 {
		t.Error(err, p)
	}
	for name, f := range map[string]func() error{
		"before": func() error { _, _, _, err := hivetest.BuildWithLog("x", "[a]"); return err },
		"after":  func() error { _, _, _, err := hivetest.BuildWithLog("", "[a]", "x"); return err },
		"no state for an old log": func() error {
			_, _, _, err := hivetest.LogOptions{Old: true}.Build("")
			return err
		},
		"no numbers left for stale entries": func() error {
			_, _, _, err := hivetest.LogOptions{Stale: []string{"[a]"}}.Build("!seq=1", "[b]")
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
