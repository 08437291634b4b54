package kit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vqlCalls are the functions and plugins that our queries use, with the
// arguments that they take (docs.velociraptor.app, VQL Reference).
var vqlCalls = map[string][]string{
	"copy":                 {"filename", "accessor", "dest", "permissions", "append", "create_directories"},
	"create_flow_download": {"client_id", "flow_id", "wait", "password", "format", "expand_sparse", "name"},
	"execve":               {"argv", "sep", "length", "env", "cwd"},
	"foreach":              {"row", "query", "async", "workers", "column"},
	"format":               {"format", "args"},
	"glob":                 {"globs", "root", "accessor", "nosymlink", "recursion_callback", "one_filesystem"},
	"hunt_flows":           {"hunt_id", "start_row", "limit"},
	"if":                   {"condition", "then", "else"},
	"info":                 {},
	"parse_jsonl":          {"filename", "accessor"},
	"path_join":            {"components", "sep", "path_type"},
	"pathspec":             {"DelegateAccessor", "DelegatePath", "Path", "parse", "path_type", "accessor"},
	"scope":                {},
	"tempdir":              {"remove_last"},
	"upload":               {"file", "accessor", "name", "mtime", "atime", "ctime", "btime"},

	"Artifact.Generic.Utils.FetchBinary": {"ToolName", "IsExecutable", "SleepDuration", "TemporaryOnly", "Version"},
}

// vqlColumns are what those plugins yield.
var vqlColumns = []string{
	"OSPath", "Name", "Size", "IsDir", "Btime", "Mtime", "Ctime", "Atime", // glob
	"Stdout", "Stderr", "ReturnCode", "Complete", // execve
	"ClientId", "FlowId", // hunt_flows
	"OS",   // info
	"Glob", // the parameter Globs
}

var (
	vqlToken = regexp.MustCompile(`"[^"\n]*"|'[^'\n]*'|[A-Za-z_][\w.]*|\d+|<=|[-+*=,()\[\]{}:]`)
	vqlSpace = regexp.MustCompile(`^\s*$`)
	vqlWords = []string{"LET", "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "AS", "TRUE", "FALSE", "NULL"}
)

// checkVQL reads a query: its words, brackets, statements, the functions it
// calls and their arguments, and that every name stands for something.
func checkVQL(a veloArtifact, query string) []string {
	r := vqlReader{known: slices.Concat(vqlColumns, vqlWords)}
	var tokens []string
	at := 0
	for _, m := range vqlToken.FindAllStringIndex(query, -1) {
		if !vqlSpace.MatchString(query[at:m[0]]) {
			r.errorf("no VQL: %q", query[at:m[0]])
		}
		tokens = append(tokens, query[m[0]:m[1]])
		at = m[1]
	}
	if !vqlSpace.MatchString(query[at:]) {
		r.errorf("no VQL: %q", query[at:])
	}
	for _, p := range a.Parameters {
		r.known = append(r.known, p.Name)
	}
	for _, s := range a.Sources { // a later source sees what an earlier one defined
		for _, m := range regexp.MustCompile(`\b(?:LET|AS) (\w+)`).FindAllStringSubmatch(s.Query, -1) {
			r.known = append(r.known, m[1])
		}
	}
	r.tokens = append(tokens, "")
	r.read()
	return r.errors
}

func report(t *testing.T, name string, errors []string) {
	t.Helper()
	for _, e := range errors {
		t.Errorf("%s: %s", name, e)
	}
}

type vqlReader struct {
	known  []string // names
	tokens []string
	open   []string // brackets; a call is its name, everything else the bracket
	errors []string
}

func (r *vqlReader) errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *vqlReader) read() {
	statement := ""
	for i, tok := range r.tokens[:len(r.tokens)-1] {
		prev, next := "", r.tokens[i+1]
		if i > 0 {
			prev = r.tokens[i-1]
		}
		if len(r.open) == 0 && (tok == "LET" || tok == "SELECT" && prev != "=" && prev != "<=") {
			statement = tok
		}
		if statement == "" {
			r.errorf("the query begins with %q", tok)
			return
		}
		switch {
		case tok == "(" || tok == "[" || tok == "{":
			if prev != "" && tok == "(" && vqlCalls[prev] != nil {
				tok = prev
			}
			r.open = append(r.open, tok)
		case tok == ")" || tok == "]" || tok == "}":
			r.close(tok)
		case regexp.MustCompile(`^[A-Za-z_]`).MatchString(tok):
			r.name(tok, prev, next)
		}
	}
	if len(r.open) > 0 {
		r.errorf("never closed: %q", r.open)
	}
	if statement != "SELECT" {
		r.errorf("the last statement selects nothing")
	}
}

func (r *vqlReader) close(tok string) {
	if len(r.open) == 0 {
		r.errorf("%q closes nothing", tok)
		return
	}
	want := map[string]string{"[": "]", "{": "}"}[r.open[len(r.open)-1]]
	if want == "" {
		want = ")"
	}
	if tok != want {
		r.errorf("%q closes %q", tok, r.open[len(r.open)-1])
	}
	r.open = r.open[:len(r.open)-1]
}

func (r *vqlReader) name(tok, prev, next string) {
	inside := ""
	if len(r.open) > 0 {
		inside = r.open[len(r.open)-1]
	}
	first, _, _ := strings.Cut(tok, ".")
	switch {
	case next == "(":
		if vqlCalls[tok] == nil {
			r.errorf("no function or plugin %q", tok)
		}
	case next == "=" && vqlCalls[inside] != nil:
		if !slices.Contains(vqlCalls[inside], tok) {
			r.errorf("%s has no argument %q", inside, tok)
		}
	case !slices.Contains(r.known, first):
		r.errorf("%q stands for nothing", tok)
	}
}

// The check itself finds what is wrong.
func TestVQLCheck(t *testing.T) {
	a := veloArtifact{Parameters: []veloParameter{{Name: "Device"}}}
	for query, want := range map[string]string{
		`SELECT OSPath FROM glob(globs="*", root=Device)`: "",
		`SELECT OSPath FROM glob(glob="*")`:               `glob has no argument "glob"`,
		`SELECT OSPath FROM globb(globs="*")`:             `no function or plugin "globb"`,
		`SELECT OsPath FROM glob(globs="*")`:              `"OsPath" stands for nothing`,
		`SELECT OSPath FROM glob(globs=["*")`:             `")" closes "["`,
		`SELECT OSPath FROM glob(globs="*"`:               `never closed: ["glob"]`,
		`LET X = 1`:                                       "the last statement selects nothing",
		`FROM info()`:                                     `the query begins with "FROM"`,
		`SELECT OSPath; FROM info()`:                      `no VQL: "; "`,
	} {
		got := checkVQL(a, query)
		if (want == "") != (len(got) == 0) || want != "" && !slices.Contains(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}
