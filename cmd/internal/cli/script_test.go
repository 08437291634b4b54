package cli

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sharetrail": func() { os.Exit(Main()) },
	})
}

// The evidence that every script finds in its folder ev: alice's Z: is still
// remembered, a letter of hers was removed, and a command says which.
var evidenceTexts = map[string]string{
	"C/Windows/System32/config/SYSTEM": `
[Select]
Current=dword:1
[ControlSet001\Control\ComputerName\ComputerName] 2026-01-05T08:00:00Z
ComputerName=WS01
`,
	"C/Users/alice/NTUSER.DAT": `
!name=\??\C:\Users\alice\ntuser.dat
[Network] 2026-03-01T11:00:00.5Z
[Network\Z] 2026-02-01T09:00:00.1234567Z
RemotePath=\\fs01\finance
UserName=CORP\alice
ProviderName=Microsoft Windows Network
ProviderType=dword:0x20000
ConnectionType=dword:1
[Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2\##fs02#hr] 2026-02-02T09:00:00Z
[Software\Microsoft\Windows\CurrentVersion\Explorer\TypedPaths] 2026-02-03T09:00:00Z
url1=\\fs03\one
url2=\\fs03\two
`,
	"C/Windows/System32/winevt/Logs/Security.evtx": `
@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01.corp.example
2026-02-01T09:00:00Z 4688 id=100
  SubjectUserSid = S-1-5-21-1-2-3-1001
  SubjectUserName = alice
  SubjectDomainName = CORP
  SubjectLogonId = 0x3e7a1
  NewProcessId = 0x1a4
  NewProcessName = C:\Windows\System32\net.exe
  CommandLine = net use Z: \\fs01\finance Winter2026! /user:CORP\admin /persistent:yes
2026-03-01T11:00:00Z 4688 id=101
  SubjectUserSid = S-1-5-21-1-2-3-1001
  SubjectUserName = alice
  SubjectDomainName = CORP
  SubjectLogonId = 0x3e7a1
  NewProcessId = 0x1a8
  NewProcessName = C:\Windows\System32\net.exe
  CommandLine = net use y: /delete
`,
}

func writeEvidence(dir string) error {
	for name, text := range evidenceTexts {
		var b []byte
		var err error
		if strings.HasSuffix(name, ".evtx") {
			b, err = buildLog(text)
		} else {
			b, err = hivetest.Build(text)
		}
		if err != nil {
			return err
		}
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func buildLog(text string) ([]byte, error) {
	events, err := evtxtest.Parse(text)
	if err != nil {
		return nil, err
	}
	return evtxtest.Build(events, evtxtest.Options{})
}

var update = flag.Bool("update", false, "rewrite what scripts compare output with")

func TestScripts(t *testing.T) {
	cases, err := filepath.Abs("../../../testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "../../../testdata/scripts",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("COLUMNS", "120")
			e.Setenv("CASES", cases)
			return writeEvidence(filepath.Join(e.WorkDir, "ev"))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mkhive": func(ts *testscript.TestScript, _ bool, args []string) {
				b, err := hivetest.Build(ts.ReadFile(args[0]))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
			},
			// mklogged FILE BEFORE.reg AFTER.reg...: a hive with its later states in its logs.
			"mklogged": func(ts *testscript.TestScript, _ bool, args []string) {
				var after []string
				for _, name := range args[2:] {
					after = append(after, ts.ReadFile(name))
				}
				primary, log1, log2, err := hivetest.BuildWithLog(ts.ReadFile(args[1]), after...)
				ts.Check(err)
				for ext, b := range map[string][]byte{"": primary, ".LOG1": log1, ".LOG2": log2} {
					if len(b) > 0 {
						ts.Check(os.WriteFile(ts.MkAbs(args[0]+ext), b, 0o644))
					}
				}
			},
			"mkimage":  mkimage,
			"mksealed": mksealed,
			"mkevtx": func(ts *testscript.TestScript, _ bool, args []string) {
				b, err := buildLog(ts.ReadFile(args[0]))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
			},
			"mkzip": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(zipFolder(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
			},
			// code CODE COMMAND...: the exit code must be exactly that.
			"code": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				var status *exec.ExitError
				got := 0
				if errors.As(err, &status) {
					got = status.ExitCode()
				} else {
					ts.Check(err)
				}
				if strconv.Itoa(got) != args[0] {
					ts.Fatalf("exit code %d, want %s", got, args[0])
				}
			},
			// lines FILE N: that many lines.
			"lines": func(ts *testscript.TestScript, _ bool, args []string) {
				if n := strings.Count(ts.ReadFile(args[0]), "\n"); args[1] != strconv.Itoa(n) {
					ts.Fatalf("%s has %d lines, want %s", args[0], n, args[1])
				}
			},
			// for-files A B: the same files with the same bytes, but for the manifest.
			"for-files": func(ts *testscript.TestScript, _ bool, args []string) {
				a, err := os.ReadDir(ts.MkAbs(args[0]))
				ts.Check(err)
				b, err := os.ReadDir(ts.MkAbs(args[1]))
				ts.Check(err)
				if len(a) != 13 || len(b) != len(a) {
					ts.Fatalf("%d and %d files", len(a), len(b))
				}
				for _, f := range a {
					if n := f.Name(); n != "manifest.json" && ts.ReadFile(filepath.Join(args[0], n)) != ts.ReadFile(filepath.Join(args[1], n)) {
						ts.Fatalf("%s differs", n)
					}
				}
			},
			// hashes FILE MANIFEST: the manifest's first source has FILE's hash.
			"hashes": func(ts *testscript.TestScript, _ bool, args []string) {
				var m struct{ Sources []struct{ SHA256 string } }
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &m))
				if sum := sha256.Sum256([]byte(ts.ReadFile(args[0]))); m.Sources[0].SHA256 != hex.EncodeToString(sum[:]) {
					ts.Fatalf("hash %s", m.Sources[0].SHA256)
				}
			},
			// tamper FILE OLD NEW: the first OLD in it, in UTF-16, becomes NEW.
			"tamper": func(ts *testscript.TestScript, _ bool, args []string) {
				b, old := []byte(ts.ReadFile(args[0])), utf16Bytes(args[1])
				at := bytes.Index(b, old)
				if at < 0 || len(args[1]) != len(args[2]) {
					ts.Fatalf("%q is not in %s, or not as long as %q", args[1], args[0], args[2])
				}
				copy(b[at:], utf16Bytes(args[2]))
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
			},
			// cut FILE TO N: its first N bytes.
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[2])
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[0])[:n]), 0o644))
			},
			// tail FILE TO N: its bytes from N on.
			"tail": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[2])
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[0])[n:]), 0o644))
			},
			// wipe FILE FROM TO: zeros.
			"wipe": func(ts *testscript.TestScript, _ bool, args []string) {
				b := []byte(ts.ReadFile(args[0]))
				from, err := strconv.Atoi(args[1])
				ts.Check(err)
				to, err := strconv.Atoi(args[2])
				ts.Check(err)
				clear(b[from:to])
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
			},
			// same-manifest A B: equal but for run.
			"same-manifest": func(ts *testscript.TestScript, _ bool, args []string) {
				a, _, _ := strings.Cut(ts.ReadFile(args[0]), `"run": {`)
				b, _, _ := strings.Cut(ts.ReadFile(args[1]), `"run": {`)
				if a != b {
					ts.Fatalf("%s and %s differ:\n%s\n%s", args[0], args[1], a, b)
				}
			},
		},
	})
}

func utf16Bytes(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func zipFolder(dir, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := zip.NewWriter(f)
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		out, err := w.Create(path)
		if err != nil {
			return err
		}
		_, err = out.Write(b)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
