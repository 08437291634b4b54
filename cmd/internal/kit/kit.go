// Package kit writes what lets other programs collect for this one and run it:
// targets and a module for KAPE, artifacts for Velociraptor. What they collect
// is what the registry of artifacts declares, so that a new artifact is in the
// next kit.
package kit

import (
	"bytes"
	"embed"
	"path"
	"slices"
	"strings"
	"text/template"

	"sharetrail/artifacts"
)

// A File is one file of a kit.
type File struct {
	Name string
	Text string
}

//go:embed *.tmpl
var texts embed.FS

// besideHives are the transaction logs that lie beside every hive: without them
// the last minutes of it are lost.
var besideHives = []string{".LOG1", ".LOG2"}

// forwardedLog holds the records of other computers, of whatever channel, so
// that no artifact declares it.
const forwardedLog = "Windows/System32/winevt/Logs/ForwardedEvents.evtx"

// Patterns returns what to collect: path.Match patterns below the root of the
// system volume, ordered, each once.
func Patterns() []string {
	all := []string{forwardedLog}
	for _, a := range artifacts.All() {
		for _, p := range a.Files {
			all = append(all, p)
			if a.ReadHive != nil {
				for _, ext := range besideHives {
					all = append(all, p+ext)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// render fills the template of that name.
func render(name string, data any) string {
	t := template.Must(template.New(name).Funcs(template.FuncMap{
		"indent": func(n int, s string) string { return strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n)) },
		"quote":  quote,
	}).ParseFS(texts, name))
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		panic(err) // the templates are ours and tested
	}
	return b.String()
}

// quote writes s as a single-quoted scalar of YAML 1.2, 7.3.2.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// backslashed is a pattern as Windows writes paths.
func backslashed(pattern string) string { return strings.ReplaceAll(pattern, "/", `\`) }

// covered reports whether a pattern collects only what one of covers does.
func covered(pattern string, covers []string) bool {
	return slices.ContainsFunc(covers, func(c string) bool {
		ok, _ := path.Match(c, pattern)
		return ok
	})
}
