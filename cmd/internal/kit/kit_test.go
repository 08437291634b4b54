package kit

import (
	"bytes"
	"encoding/csv"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts"

	"go.yaml.in/yaml/v3"
)

// decode reads a file of a kit strictly: what is not a field of into is an
// error.
func decode(t *testing.T, f File, into any) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader([]byte(f.Text)))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	if strings.Contains(f.Text, "<no value>") || !strings.HasSuffix(f.Text, "\n") || strings.Contains(f.Text, "\t") {
		t.Errorf("%s: a hole, a tab, or no line end at the end", f.Name)
	}
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// The fields of a target and their rules: KapeFiles, Targets/TargetGuide.guide.
type kapeTarget struct {
	Description         string `yaml:"Description"`
	Author              string `yaml:"Author"`
	Version             string `yaml:"Version"`
	ID                  string `yaml:"Id"`
	RecreateDirectories bool   `yaml:"RecreateDirectories"`
	Targets             []struct {
		Name      string `yaml:"Name"`
		Category  string `yaml:"Category"`
		Path      string `yaml:"Path"`
		FileMask  string `yaml:"FileMask"`
		Recursive bool   `yaml:"Recursive"`
		Comment   string `yaml:"Comment"`
	} `yaml:"Targets"`
}

func TestKAPETargets(t *testing.T) {
	files := KAPE()
	var compound, rest kapeTarget
	decode(t, files[1], &compound)
	decode(t, files[2], &rest)
	ids := map[string]bool{}
	for i, k := range []kapeTarget{compound, rest} {
		if k.Description == "" || k.Author == "" || k.Version == "" || !guid.MatchString(k.ID) || ids[k.ID] || !k.RecreateDirectories || len(k.Targets) == 0 {
			t.Errorf("%s: head %+v", files[i+1].Name, k)
		}
		ids[k.ID] = true
		for _, e := range k.Targets {
			if e.Name == "" || e.Category == "" || strings.ContainsAny(e.Path, `/"<>|`) {
				t.Errorf("%s: entry %+v", files[i+1].Name, e)
			}
		}
	}
	var names []string
	for _, e := range compound.Targets {
		if e.FileMask != "" || !strings.HasSuffix(e.Path, ".tkape") {
			t.Errorf("the compound target has an entry that names no target: %+v", e)
		}
		names = append(names, e.Path)
	}
	if !slices.Contains(names, KAPEFiles) || !slices.Contains(names, "RegistryHivesUser.tkape") || !slices.Contains(names, "EventLogs.tkape") {
		t.Errorf("it names %q", names)
	}
	for _, e := range rest.Targets {
		if !strings.HasPrefix(e.Path, `C:\`) || !strings.HasSuffix(e.Path, `\`) || e.FileMask == "" || strings.Contains(e.FileMask, `\`) {
			t.Errorf("entry %+v", e)
		}
	}
}

// Whatever is to be collected is in a target of KAPE's or in ours.
func TestKAPECollectsAll(t *testing.T) {
	var theirs []string
	for _, k := range kapeTargets {
		if len(k.covers) == 0 || strings.Contains(k.File, " ") {
			t.Errorf("%+v", k)
		}
		for _, c := range k.covers {
			if !slices.ContainsFunc(Patterns(), func(p string) bool { return covered(p, []string{c}) }) {
				t.Errorf("%s is said to cover %q, which nothing asks for", k.File, c)
			}
		}
		theirs = append(theirs, k.covers...)
	}
	ours := map[string]bool{}
	for _, p := range kapePaths(Patterns()) {
		ours[p.Path+p.FileMask] = true
	}
	for _, p := range Patterns() {
		place := `C:\` + backslashed(strings.NewReplacer("Users/*/", "Users/%user%/", "Documents and Settings/*/", "Documents and Settings/%user%/").Replace(p))
		if covered(p, theirs) == ours[place] {
			t.Errorf("%s: in a target of KAPE's: %v, in ours: %v", p, covered(p, theirs), ours[place])
		}
	}
}

// The fields of a module: KapeFiles, Modules/ModuleGuide.guide.
type kapeModule struct {
	Description  string `yaml:"Description"`
	Category     string `yaml:"Category"`
	Author       string `yaml:"Author"`
	Version      string `yaml:"Version"`
	ID           string `yaml:"Id"`
	BinaryURL    string `yaml:"BinaryUrl"`
	ExportFormat string `yaml:"ExportFormat"`
	WaitTimeout  int    `yaml:"WaitTimeout"`
	FileMask     string `yaml:"FileMask"`
	Processors   []struct {
		Executable   string `yaml:"Executable"`
		CommandLine  string `yaml:"CommandLine"`
		ExportFormat string `yaml:"ExportFormat"`
		ExportFile   string `yaml:"ExportFile"`
		Append       bool   `yaml:"Append"`
	} `yaml:"Processors"`
}

var kapeVariable = regexp.MustCompile(`%\w+%`)

func TestKAPEModule(t *testing.T) {
	var m kapeModule
	decode(t, KAPE()[0], &m)
	if m.Description == "" || m.Category == "" || m.Author == "" || m.Version == "" || !guid.MatchString(m.ID) {
		t.Errorf("head %+v", m)
	}
	var formats []string
	for _, p := range m.Processors {
		formats = append(formats, p.ExportFormat)
		if p.Executable != `sharetrail\sharetrail.exe` || strings.ContainsAny(p.CommandLine, `<>|"`) { // no shell there
			t.Errorf("processor %+v", p)
		}
		for _, v := range kapeVariable.FindAllString(p.CommandLine, -1) {
			if v != "%sourceDirectory%" && v != "%destinationDirectory%" {
				t.Errorf("KAPE has no variable %s", v)
			}
		}
	}
	if !slices.Equal(formats, []string{"csv", "json", "html"}) || m.ExportFormat != "csv" {
		t.Errorf("formats %q, default %q", formats, m.ExportFormat)
	}
}

// The keys of an artifact: docs.velociraptor.app, Artifacts, Basic Fields and
// Advanced Fields.
type veloArtifact struct {
	Name                string   `yaml:"name"`
	Author              string   `yaml:"author"`
	Description         string   `yaml:"description"`
	Type                string   `yaml:"type"`
	Precondition        string   `yaml:"precondition"`
	RequiredPermissions []string `yaml:"required_permissions"`
	Resources           struct {
		Timeout int `yaml:"timeout"`
	} `yaml:"resources"`
	Tools []struct {
		Name         string `yaml:"name"`
		ServeLocally bool   `yaml:"serve_locally"`
	} `yaml:"tools"`
	Parameters []veloParameter `yaml:"parameters"`
	Sources    []struct {
		Name  string `yaml:"name"`
		Query string `yaml:"query"`
	} `yaml:"sources"`
}

type veloParameter struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Type        string `yaml:"type"`
	Default     string `yaml:"default"`
}

func veloArtifacts(t *testing.T) (out []veloArtifact) {
	for _, f := range Velociraptor() {
		var a veloArtifact
		decode(t, f, &a)
		if a.Name+".yaml" != f.Name {
			t.Errorf("%s holds %s", f.Name, a.Name)
		}
		out = append(out, a)
	}
	return out
}

func TestVelociraptorArtifacts(t *testing.T) {
	all := veloArtifacts(t)
	if len(all) != 3 || all[0].Type != "CLIENT" || all[1].Type != "CLIENT" || all[2].Type != "SERVER" {
		t.Fatalf("%d artifacts", len(all))
	}
	for i, a := range all {
		runs := i > 0
		// hunt() starts nothing if one of several tools is missing on the
		// server, so that each artifact has no more than the one it runs.
		if a.Description == "" || a.Author == "" || a.Resources.Timeout < 600 || (len(a.Tools) == 1) != runs || slices.Contains(a.RequiredPermissions, "EXECVE") != runs {
			t.Errorf("%s: %+v", a.Name, a)
		}
		if (a.Precondition == "") != (a.Type == "SERVER") {
			t.Errorf("%s: precondition %q", a.Name, a.Precondition)
		}
		for _, tool := range a.Tools {
			if !strings.Contains(a.Description, "--name "+tool.Name+" ") {
				t.Errorf("%s does not say how the server gets %s", a.Name, tool.Name)
			}
		}
		names := map[string]bool{"": true}
		for _, s := range a.Sources {
			if names[s.Name] {
				t.Errorf("%s: two sources called %q", a.Name, s.Name)
			}
			names[s.Name] = true
			report(t, a.Name, checkVQL(a, s.Query))
		}
		for _, p := range a.Parameters {
			if p.Description == "" || !slices.Contains([]string{"", "bool", "csv"}, p.Type) {
				t.Errorf("%s: parameter %+v", a.Name, p)
			}
		}
	}
	report(t, all[0].Name, checkVQL(all[0], all[0].Precondition))
}

// The globs of an artifact are what the artifacts of the program declare, as a
// reader of CSV sees them.
func TestVelociraptorGlobs(t *testing.T) {
	for _, a := range veloArtifacts(t)[:2] {
		i := slices.IndexFunc(a.Parameters, func(p veloParameter) bool { return p.Name == "Globs" })
		rows, err := csv.NewReader(strings.NewReader(a.Parameters[i].Default)).ReadAll()
		if err != nil || rows[0][0] != "Glob" {
			t.Fatal(err, rows)
		}
		var got []string
		for _, row := range rows[1:] {
			if len(row) != 1 {
				t.Errorf("%s: row %q", a.Name, row)
			}
			got = append(got, strings.ReplaceAll(row[0], `\`, "/"))
		}
		if !slices.Equal(got, Patterns()) {
			t.Errorf("%s: globs %q", a.Name, got)
		}
	}
}

func TestPatterns(t *testing.T) {
	all := Patterns()
	for _, want := range []string{
		"Users/*/NTUSER.DAT", "Users/*/NTUSER.DAT.LOG1", "Windows/System32/config/SYSTEM.LOG2", "Windows/System32/winevt/Logs/Security.evtx",
		"Windows/System32/winevt/Logs/ForwardedEvents.evtx", "Users/*/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/*_history.txt",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is not collected", want)
		}
	}
	for _, a := range artifacts.All() {
		for _, p := range a.Files {
			if !slices.Contains(all, p) {
				t.Errorf("%s of %s is not collected", p, a.Name)
			}
		}
	}
	for _, p := range all {
		if _, err := path.Match(p, "x"); err != nil || strings.ContainsAny(p, `\,"'`) {
			t.Errorf("pattern %q: %v", p, err)
		}
	}
}
