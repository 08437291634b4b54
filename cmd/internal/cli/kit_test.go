package cli

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sharetrail/cmd/internal/kit"
	"sharetrail/cmd/internal/output"

	"go.yaml.in/yaml/v3"
)

const exampleCase = "../../../testdata/cases/tg3390/evidence"

// writeKit runs the command and returns the folder that it wrote.
func writeKit(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kit")
	if code, _, stderr := runApp("kit", name, "-o", dir); code != 0 {
		t.Fatal(stderr)
	}
	return dir
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// The command lines of the module, as KAPE would run them over what it would
// have collected, into a folder that another module has written to.
func TestKAPECommandLines(t *testing.T) {
	var module struct {
		Category   string `yaml:"Category"`
		Processors []struct {
			CommandLine  string `yaml:"CommandLine"`
			ExportFormat string `yaml:"ExportFormat"`
		} `yaml:"Processors"`
	}
	readYAML(t, filepath.Join(writeKit(t, "kape"), kit.KAPEModule), &module)
	work := t.TempDir()
	collected := filepath.Join(work, "tdest")
	if err := os.CopyFS(filepath.Join(collected, "C"), os.DirFS(filepath.Join(exampleCase, "WS01/C"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"_kape.cli": `--tsource C: --tdest T:\tdest --target Sharetrail`,
		"2026-03-02T13_05_00_1234567_Sharetrail_copylog.csv": "CopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,DeferredCopy,CreatedOnUtc,ModifiedOnUtc,LastAccessedOnUtc,CopyDuration\r\n",
		"2026-03-02T13_05_00_1234567_Sharetrail_skiplog.csv": "SourceFile,SourceFileSha1,Reason\r\n",
	} {
		if err := os.WriteFile(filepath.Join(collected, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range module.Processors {
		dest := filepath.Join(work, "mdest-"+p.ExportFormat, module.Category)
		if err := os.MkdirAll(dest, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dest, "other.csv"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		var args []string
		for _, arg := range strings.Fields(p.CommandLine) {
			args = append(args, strings.NewReplacer("%sourceDirectory%", collected, "%destinationDirectory%", dest).Replace(arg))
		}
		code, stdout, stderr := runApp(args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Findings (1)") {
			t.Errorf("%q: exit code %d, %s\n%s", args, code, stderr, stdout)
		}
		names := map[string][]string{"html": {ezReport}}[p.ExportFormat]
		for _, table := range output.TableNames {
			if ext := map[string]string{"csv": ".csv", "json": ".jsonl"}[p.ExportFormat]; ext != "" {
				names = append(names, tableFile("", table, ext))
			}
		}
		if got := listed(t, dest); !slices.Equal(got, slices.Sorted(slices.Values(append(names, "other.csv")))) {
			t.Errorf("%s: %q", p.ExportFormat, got)
		}
		if b, err := os.ReadFile(filepath.Join(dest, names[0])); err != nil || !strings.Contains(string(b), "net use Z: /delete") {
			t.Errorf("%s tells nothing: %v", names[0], err)
		}
	}
}

func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

var (
	veloArgv    = regexp.MustCompile(`execve\(argv=\[(.*?)\]`)
	veloResults = regexp.MustCompile(`path_join\(components=\[Result, "(.*?)"\]\)`)
)

// The command lines of the artifacts, over what their queries would have put
// into the folder Evidence: on an endpoint copies of the files, on a server
// the containers of two collections.
func TestVelociraptorCommandLines(t *testing.T) {
	dir := writeKit(t, "velociraptor")
	copied, containers := filepath.Join(t.TempDir(), "evidence"), filepath.Join(t.TempDir(), "evidence")
	if err := os.CopyFS(filepath.Join(copied, "C"), os.DirFS(filepath.Join(exampleCase, "WS01/C"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(containers, 0o755); err != nil {
		t.Fatal(err)
	}
	for host, name := range map[string]string{"WS01": "C.1a2b3c-F.A1.zip", "FS01": "C.4d5e6f-F.B2.zip"} {
		velociraptorZip(t, filepath.Join(containers, name), host)
	}
	for _, test := range []struct {
		artifact, evidence string
		hosts              int
	}{{kit.VelociraptorEndpoint, copied, 1}, {kit.VelociraptorServer, containers, 2}} {
		var a struct {
			Sources []struct {
				Query string `yaml:"query"`
			} `yaml:"sources"`
		}
		readYAML(t, filepath.Join(dir, test.artifact+".yaml"), &a)
		result := filepath.Join(t.TempDir(), "result")
		var args []string
		for _, arg := range strings.Split(veloArgv.FindStringSubmatch(a.Sources[0].Query)[1], ", ") {
			switch arg {
			case "OSPath": // the program
			case "Evidence":
				args = append(args, test.evidence)
			case "Result":
				args = append(args, result)
			default:
				args = append(args, strings.Trim(arg, `"`))
			}
		}
		code, _, stderr := runApp(args...)
		if code != 0 || stderr != "" {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
		for _, s := range a.Sources {
			if m := veloResults.FindStringSubmatch(s.Query); m != nil {
				if _, err := os.Stat(filepath.Join(result, m[1])); err != nil {
					t.Error(err)
				}
			}
		}
		code, stdout, stderr := runApp("gaps", result, "--format", "json")
		var gaps []struct{ Rule, Host string }
		if err := json.Unmarshal([]byte(stdout), &gaps); err != nil || code != 0 || len(gaps) != 1 || gaps[0].Host != "WS01" {
			t.Errorf("%s: %v, exit code %d %s: %s", test.artifact, err, code, stderr, stdout)
		}
		m, err := output.OpenFolder(result)
		if err != nil || m.Counts.Hosts != test.hosts {
			t.Errorf("%s: %v, %+v", test.artifact, err, m)
		}
	}
}

// velociraptorZip is the example's host as a container of Velociraptor.
func velociraptorZip(t *testing.T, name, host string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	add := func(name string, b []byte) {
		out, err := w.Create(name)
		if err == nil {
			_, err = out.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("client_info.json", []byte(`{"hostname":"`+host+`"}`))
	tree := os.DirFS(filepath.Join(exampleCase, host, "C"))
	err = fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(tree, p)
		add(path.Join("uploads/auto/C%3A", strings.ReplaceAll(url.PathEscape(p), "%2F", "/")), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is read in the example case is what the kits collect.
func TestKitsCollectWhatIsRead(t *testing.T) {
	result := filepath.Join(t.TempDir(), "result")
	if code, _, stderr := runApp("analyze", exampleCase, "-o", result); code != 0 {
		t.Fatal(stderr)
	}
	m, err := output.OpenFolder(result)
	if err != nil || len(m.Artifacts) < 10 {
		t.Fatal(err, len(m.Artifacts))
	}
	for _, f := range m.Artifacts {
		if !slices.ContainsFunc(kit.Patterns(), func(p string) bool {
			ok, _ := path.Match(strings.ToLower(p), strings.ToLower(f.Path))
			return ok
		}) {
			t.Errorf("%s is read and not collected", f.Path)
		}
	}
	if runtime.GOOS != "windows" && len(listed(t, writeKit(t, "kape"))) != 3 {
		t.Error("the kit for KAPE has not three files")
	}
}
