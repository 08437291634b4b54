package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sharetrail/timeline"
)

// ManifestName is the name of the manifest in a folder of results.
const ManifestName = "manifest.json"

// ReportName is the name of the page for people in a folder of results.
const ReportName = "report.html"

// FormatName is what a manifest's format says.
const FormatName = "sharetrail/1"

// A Manifest says what a folder of results was made from and what it holds.
// All but Run is the same for every run over the same evidence.
type Manifest struct {
	Format    string             `json:"format"`
	Version   string             `json:"version"`   // of the program
	Arguments Arguments          `json:"arguments"` // that shape the result
	Sources   []ManifestSource   `json:"sources"`
	Artifacts []ManifestArtifact `json:"artifacts"`
	Carved    []ManifestStream   `json:"carved"`
	Files     []ManifestFile     `json:"files"` // written, but for the manifest itself
	Counts    Counts             `json:"counts"`
	// Timesketch says what timesketch.jsonl holds, and what it had to leave out.
	Timesketch TimesketchCount `json:"timesketch"`
	NotRun     []ManifestRule  `json:"not_run"`
	Run        any             `json:"run"` // clock and machine facts
}

// Arguments are those of the command line that shape the result.
type Arguments struct {
	Sources     []string `json:"sources"` // as given
	Context     string   `json:"context"`
	HashSources bool     `json:"hash_sources"`
	ShowSecrets bool     `json:"show_secrets"`
	Zone        string   `json:"tz"` // of the times that report.html shows
	NoSnapshots bool     `json:"no_snapshots"`
	NoDeleted   bool     `json:"no_deleted"`
	Carve       bool     `json:"carve"`
	// SpreadsheetSafe: in the CSV files an apostrophe stands before what a
	// spreadsheet would compute.
	SpreadsheetSafe bool `json:"spreadsheet_safe"`
}

// A ManifestSource is one SOURCE.
type ManifestSource struct {
	Name   string `json:"name"` // as given
	Kind   string `json:"kind"`
	Size   *int64 `json:"size"`   // bytes; of a folder, the sum of its evidence files; nil if unknown
	SHA256 string `json:"sha256"` // "" unless asked for
	// Parts are the files that it consists of, if they are several and hashing was
	// asked for, the named one first: segments of an image, logs of a hive.
	Parts []ManifestPart `json:"parts"`
	// Acquisition is what the disk images in it say of themselves, hashes too, by
	// the id of the image.
	Acquisition map[string]map[string]string `json:"acquisition"`
}

// A ManifestPart is a file that a source consists of.
type ManifestPart struct {
	Path   string `json:"path"` // as the source's name is
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// A ManifestArtifact is an evidence file that was read.
type ManifestArtifact struct {
	Source string `json:"source"`
	Volume string `json:"volume"`
	Path   string `json:"path"`
	Kind   string `json:"kind"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // "" if it could not be read to its end
}

// A ManifestStream is bytes of any kind that were searched for what event logs
// have left: a file, or what its path names in parentheses.
type ManifestStream struct {
	Source   string `json:"source"`
	Volume   string `json:"volume"`
	Path     string `json:"path"`
	Size     int64  `json:"size"`     // bytes; of unallocated space, of the volume that it lies in
	Searched int64  `json:"searched"` // bytes that were read
	Chunks   int    `json:"chunks"`   // of event logs
	Records  int    `json:"records"`  // that could be read
	Unread   int    `json:"unread"`   // of which no more than the header could be, or not all
}

// A ManifestFile is a file of the folder.
type ManifestFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// A ManifestRule is a rule that was not run on a host.
type ManifestRule struct {
	Rule string `json:"rule"`
	Host string `json:"host"`
	Why  string `json:"why"`
}

// Counts are the numbers of rows of a whole report, whatever is shown of it.
type Counts struct {
	Hosts       int `json:"hosts"`
	Timeline    int `json:"timeline"`
	Shares      int `json:"shares"`
	Gaps        int `json:"gaps"`
	Coverage    int `json:"coverage"`
	Problems    int `json:"problems"`
	RulesNotRun int `json:"rules_not_run"`
}

// Count counts r.
func Count(r *timeline.Report) Counts {
	return Counts{
		Hosts: len(r.Hosts), Timeline: len(r.Observations), Shares: len(r.Connections), Gaps: len(r.Gaps),
		Coverage: len(r.Coverage), Problems: len(r.Problems), RulesNotRun: len(r.NotRun),
	}
}

// WriteFolder writes the files of r into dir, which must exist, and last of
// all the manifest m with their hashes. Every file appears under its name only
// when it is whole; with ctx done it ends and leaves whole files only. page says how the
// report for people is made.
func WriteFolder(ctx context.Context, dir string, r *timeline.Report, m *Manifest, page HTMLOptions) error {
	// An old manifest would vouch for files that are about to change.
	if err := os.Remove(filepath.Join(dir, ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w := folderWriter{ctx: ctx, dir: dir, safe: m.Arguments.SpreadsheetSafe}
	writeRows(&w, "timeline", Timeline, r.Observations)
	writeRows(&w, "shares", Shares, r.Connections)
	writeRows(&w, "gaps", Gaps, r.Gaps)
	writeRows(&w, "coverage", Coverage, r.Coverage)
	writeRows(&w, "problems", Problems, r.Problems)
	w.write(TimesketchName, func(out io.Writer) (err error) {
		m.Timesketch, err = WriteTimesketch(out, r)
		return err
	})
	if w.err != nil {
		return w.err
	}
	m.Format, m.Files, m.Counts = FormatName, w.files, Count(r)
	m.NotRun = []ManifestRule{}
	for _, n := range r.NotRun {
		m.NotRun = append(m.NotRun, ManifestRule(n))
	}
	w.write(ReportName, func(out io.Writer) error { return WriteHTML(out, r, m, page) })
	m.Files = w.files
	w.write(ManifestName, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	})
	return w.err
}

type folderWriter struct {
	ctx   context.Context
	dir   string
	safe  bool // CSV that no spreadsheet computes
	files []ManifestFile
	err   error // the first one
}

func writeRows[R any](w *folderWriter, name string, layout *Layout[R], rows []R) {
	for _, format := range []Format{CSV, JSONL} {
		writeOne(w, name+"."+string(format), Options{Format: format, Safe: w.safe}, layout, rows)
	}
}

// An interruptible writer fails once its context is done, so that an interrupt
// does not wait for the end of a large file.
type interruptible struct {
	ctx context.Context
	w   io.Writer
}

func (i interruptible) Write(b []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.w.Write(b)
}

func (w *folderWriter) write(name string, content func(io.Writer) error) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err != nil {
		return
	}
	f, err := os.CreateTemp(w.dir, "."+name+".*")
	if err != nil {
		w.err = failed(w.dir, name, err)
		return
	}
	sum := sha256.New()
	err = content(io.MultiWriter(interruptible{w.ctx, f}, sum))
	info, statErr := f.Stat()
	err = errors.Join(err, statErr, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(w.dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
		w.err = failed(w.dir, name, err)
		return
	}
	w.files = append(w.files, ManifestFile{Path: name, Size: info.Size(), SHA256: hex.EncodeToString(sum.Sum(nil))})
}

// failed says which file could not be written, by the name that it would have.
func failed(dir, name string, err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err // without the name until then
	}
	return fmt.Errorf("%s cannot be written: %w", filepath.Join(dir, name), err)
}

// maxManifest bounds a manifest that is read, in bytes.
const maxManifest = 256 << 20

// ErrNoFolder says that a folder is not one of results: it has no manifest of
// our format, so that it may be any evidence.
var ErrNoFolder = errors.New("not a folder of results")

// OpenFolder returns the manifest of a folder of results. A folder that only
// claims to be one, because evidence may hold a planted manifest, gives an
// error other than ErrNoFolder that says what does not fit.
func OpenFolder(dir string) (*Manifest, error) {
	f, err := openRegular(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, ErrNoFolder
	}
	defer f.Close()
	var m Manifest
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&m); err != nil || m.Format != FormatName {
		return nil, ErrNoFolder
	}
	sums := map[string]string{}
	for _, file := range m.Files {
		sums[file.Path] = file.SHA256
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == ManifestName {
			continue
		}
		want, ok := sums[e.Name()]
		if !ok {
			return nil, fmt.Errorf("%q is not listed in %s", e.Name(), ManifestName)
		}
		got, err := hashFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(got, want) {
			return nil, fmt.Errorf("%q does not have the SHA-256 that %s says", e.Name(), ManifestName)
		}
		delete(sums, e.Name())
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		return nil, fmt.Errorf("%q, which %s lists, is not there", name, ManifestName)
	}
	return &m, nil
}

// openRegular opens a regular file and nothing else: a link would lead out of
// the folder, and a pipe would hang.
func openRegular(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", filepath.Base(name))
	}
	return os.Open(name)
}

func hashFile(name string) (string, error) {
	f, err := openRegular(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// ReadFolder reads from a folder that OpenFolder vouched for the rows of the
// given names ("timeline", "shares", ...); what its files do not hold stays
// unset.
func ReadFolder(dir string, m *Manifest, names ...string) (*timeline.Report, error) {
	r := &timeline.Report{}
	for _, n := range m.NotRun {
		r.NotRun = append(r.NotRun, timeline.NotRun(n))
	}
	var err error
	for _, name := range names {
		switch name {
		case "timeline":
			err = readRows(dir, name, &r.Observations, ReadObservation)
		case "shares":
			err = readRows(dir, name, &r.Connections, ReadConnection)
		case "gaps":
			err = readRows(dir, name, &r.Gaps, ReadGap)
		case "coverage":
			err = readRows(dir, name, &r.Coverage, ReadCoverage)
		case "problems":
			err = readRows(dir, name, &r.Problems, ReadProblem)
		default:
			err = fmt.Errorf("no rows are called %q", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func readRows[R any](dir, name string, rows *[]R, row func(Object) R) error {
	f, err := os.Open(filepath.Join(dir, name+".jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	if *rows, err = ReadAll(f, row); err != nil {
		return fmt.Errorf("%s.jsonl: %w", name, err)
	}
	return nil
}
