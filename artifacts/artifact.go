// Package artifacts turns evidence files into observations about shares.
// Each artifact is one file of this package and one folder of testdata.
package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"
)

// An Artifact describes one place where Windows leaves traces of shares, or of
// what explains them. It is a literal, registered in its own file.
type Artifact struct {
	Name         string // on rows, in --help and as the testdata folder; never changes meaning
	Title        string // one line
	What         string // where it lies and what it holds
	Proves       string // what a row of it proves, and what its time means
	DoesNotProve string // what it is often taken for, and is not
	Reference    string // document and section

	// Registry artifacts.
	Hive     hive.Kind // judged from the keys in a hive's root, never from its name
	AlsoHive hive.Kind // a second kind that holds the same; "" for none
	Keys     []string  // below the hive's root
	ReadHive func(in *Hive, out *Emitter) error

	// Event log artifacts.
	Events  []Events
	OpenLog func() LogReader
	Joins   bool // what it says of a record may depend on others in the same file

	// Artifacts of other files, which Files selects by the last element of its
	// patterns.
	ReadFile func(in *DataFile, out *Emitter) error

	// Files says where Windows keeps it: path.Match patterns below the root of
	// the system volume, for kits and to notice what was not collected.
	Files []string
}

// reads reports whether a is read from hives of kind k.
func (a *Artifact) reads(k hive.Kind) bool {
	return a.ReadHive != nil && (a.Hive == k || a.AlsoHive == k && k != "")
}

// Events names the event records that an artifact reads.
type Events struct {
	Channel  string // without regard to case; "" for any
	Provider string
	IDs      []uint32
}

// A LogReader reads the wanted records of one log, in the log's order.
type LogReader struct {
	Read  func(rec *eventlog.Record, data Data, out *Emitter)
	Close func(out *Emitter) // after the last record; may be nil
}

// each makes an OpenLog of a reader that needs no memory of earlier records.
func each(read func(rec *eventlog.Record, data Data, out *Emitter)) func() LogReader {
	return func() LogReader { return LogReader{Read: read} }
}

// Data is the payload of an event record in document order.
type Data []eventlog.Field

// Text returns the field called name in its text form, or "".
func (d Data) Text(name string) string {
	for _, f := range d {
		if named(f, name) {
			return eventlog.Text(f.Value)
		}
	}
	return ""
}

// named tells whether f has that name, which is of ASCII, in either case. Few have
// even its length.
func named(f eventlog.Field, name string) bool {
	return len(f.Name) == len(name) && strings.EqualFold(f.Name, name)
}

// Detail returns the fields by their Windows names, empty ones left out, but
// for those named in less, which the row has elsewhere.
func (d Data) Detail(less ...string) evidence.Detail {
	var out evidence.Detail
	for _, f := range d {
		if s := eventlog.Text(f.Value); s != "" && s != "-" && !slices.Contains(less, f.Name) {
			out = append(out, evidence.Field{Name: f.Name, Value: s})
		}
	}
	return out
}

var registry []*Artifact

// register adds a to the set that All returns. It is for package-level use.
func register(a Artifact) *Artifact {
	registry = append(registry, &a)
	return &a
}

// All returns the artifacts ordered by name.
func All() []*Artifact {
	return slices.SortedFunc(slices.Values(registry), func(a, b *Artifact) int { return strings.Compare(a.Name, b.Name) })
}
