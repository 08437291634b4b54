// Package verify proves the rows of an earlier run against the raw bytes of
// the evidence. Its readers of hives and event logs share nothing with those
// that made the rows: what both say, two programs have read.
package verify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// A Row is the outcome for one thing that was checked.
type Row struct {
	ID  string // of the observation; "file:" or "source:" and the name for those
	OK  bool   // proven
	Why string // what was compared, or what does not match
}

// A File is an evidence file that the earlier run read.
type File struct {
	Source, Volume, Path string
	SHA256               string // "" if it could not be read to its end
}

// A Case is an earlier run: what it read and what it said.
type Case struct {
	Sources      []string // as given
	NoSnapshots  bool
	Carve        bool // bytes that are no evidence by themselves were searched, too
	Files        []File
	Observations []evidence.Observation
}

// fileID names a file of the evidence. volume is that of a snapshot, if it is one.
type fileID struct{ source, volume, path string }

func idOf(p *evidence.Provenance) fileID {
	id := fileID{p.Source, p.Volume, p.Path}
	if p.Snapshot != "" {
		id.volume = p.Snapshot
	}
	return id
}

// A checker re-opens the evidence.
type checker struct {
	files  map[fileID]source.File
	open   map[string]error // source name: why it cannot be opened
	sums   map[fileID]string
	closed []io.Closer
}

// Run checks the sources, then the files, then the observations of c, in the
// order in which it has them. The error is that of a ctx that is done.
func Run(ctx context.Context, c *Case, o source.Options) ([]Row, error) {
	k := &checker{files: map[fileID]source.File{}, open: map[string]error{}, sums: map[fileID]string{}}
	defer func() {
		for _, e := range k.closed {
			e.Close()
		}
	}()
	o.NoSnapshots, o.Carve = c.NoSnapshots, c.Carve
	var rows []Row
	for i, name := range c.Sources {
		o.Beside = slices.Delete(slices.Clone(c.Sources), i, i+1)
		err := k.source(ctx, name, o)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		k.open[name] = err
		if err != nil {
			rows = append(rows, Row{ID: "source:" + name, Why: "cannot be opened: " + err.Error()})
		}
	}
	for _, f := range c.Files {
		rows = append(rows, k.file(ctx, f))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	proofs, err := k.observations(ctx, c.Observations)
	return append(rows, proofs...), err
}

func (k *checker) source(ctx context.Context, name string, o source.Options) error {
	ev, err := source.Open(ctx, name, o)
	if err != nil {
		return err
	}
	k.closed = append(k.closed, ev)
	for _, v := range ev.Volumes {
		for _, f := range v.Files {
			k.files[fileID{name, v.ID, f.Path}] = f
		}
	}
	return nil
}

// named finds a file as another one of its source calls it: by its path in the
// same volume, else by the volume and the path.
func (k *checker) named(from fileID, name string) (fileID, bool) {
	id := fileID{from.source, from.volume, name}
	if _, ok := k.files[id]; ok {
		return id, true
	}
	for id := range k.files {
		if id.source == from.source && id.volume+"!"+id.path == name {
			return id, true
		}
	}
	return id, false
}

var errNotThere = errors.New("the file is not there any more")

func (k *checker) handle(id fileID) (source.Handle, error) {
	if err := k.open[id.source]; err != nil {
		return nil, fmt.Errorf("the source cannot be opened: %w", err)
	}
	f, ok := k.files[id]
	if !ok {
		return nil, errNotThere
	}
	return f.Open()
}

// file checks the hash of a whole file.
func (k *checker) file(ctx context.Context, f File) Row {
	id := fileID{f.Source, f.Volume, f.Path}
	names := slices.DeleteFunc([]string{f.Source, f.Volume, f.Path}, func(s string) bool { return s == "" })
	r := Row{ID: "file:" + strings.Join(names, "!")}
	h, err := k.handle(id)
	if err != nil {
		r.Why = err.Error()
		return r
	}
	defer h.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, section{ctx, io.NewSectionReader(h, 0, h.Size())}); err != nil {
		r.Why = err.Error()
		return r
	}
	got := hex.EncodeToString(sum.Sum(nil))
	switch {
	case f.SHA256 == "":
		r.Why = "it could not be read to its end when it was analyzed, so that no SHA-256 of it is known"
	case !strings.EqualFold(got, f.SHA256):
		r.Why = "its SHA-256 is " + got + ", and was " + f.SHA256 + " when it was analyzed"
	default:
		r.OK, r.Why = true, "SHA-256"
		k.sums[id] = got
	}
	return r
}

// A section is a reader that ends with its context.
type section struct {
	ctx context.Context
	r   io.Reader
}

func (s section) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}

// observations checks rows file by file, so that each file is opened once.
func (k *checker) observations(ctx context.Context, all []evidence.Observation) ([]Row, error) {
	byFile := map[fileID][]int{}
	var order []fileID
	for i := range all {
		id := fileID{}
		if all[i].From.Place != nil {
			id = idOf(&all[i].From)
		}
		if byFile[id] == nil {
			order = append(order, id)
		}
		byFile[id] = append(byFile[id], i)
	}
	rows := make([]Row, len(all))
	for _, id := range order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k.fileRows(id, all, byFile[id], rows)
	}
	return rows, nil
}

// fileRows checks the rows of one file, whose indexes are at.
func (k *checker) fileRows(id fileID, all []evidence.Observation, at []int, rows []Row) {
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(all[a].From.Offset, all[b].From.Offset) })
	done := 0
	defer func() {
		if p := recover(); p != nil { // damage that a reader does not foresee proves nothing
			for _, i := range at[done:] {
				rows[i] = Row{ID: all[i].ID, Why: fmt.Sprintf("the file could not be read again: %v", p)}
			}
		}
	}()
	h, err := k.handle(id)
	if err == nil {
		defer h.Close()
	}
	f := &file{checker: k, id: id, h: h, same: k.sums[id] != "", kind: k.files[id].Kind}
	if err == nil {
		err = f.prepare(k)
	}
	for _, i := range at {
		rows[i] = Row{ID: all[i].ID}
		why, bad := "", err
		if bad == nil {
			why, bad = f.check(&all[i])
		}
		if rows[i].OK, rows[i].Why = bad == nil, why; bad != nil {
			rows[i].Why = bad.Error()
		}
		done++
	}
}

// A file is one evidence file whose rows are checked.
type file struct {
	checker *checker
	id      fileID
	h       source.Handle
	same    bool // the whole file has the SHA-256 that it had
	kind    source.FileKind
	hive    *hive
	near    []*chunk // in which the record at nearAt may lie
	nearAt  int64
	last    *record
	off     int64  // of last
	of      *chunk // that last lies in
}

func (f *file) prepare(k *checker) (err error) {
	if f.kind == source.Hive || f.kind == source.HiveLog {
		f.hive, err = k.loadHive(f)
	}
	return err
}

// sum compares the bytes of a row with their SHA-256.
func (f *file) sum(o *evidence.Observation, want string) error {
	got := sha256.New()
	if n, err := io.Copy(got, io.NewSectionReader(f.h, o.From.Offset-source.Base(f.h), o.From.Length)); err != nil || n != o.From.Length {
		return errTruncated
	}
	if s := hex.EncodeToString(got.Sum(nil)); !strings.EqualFold(s, want) {
		return fmt.Errorf("the SHA-256 of the bytes is %s, and was %s", s, want)
	}
	return nil
}

var errChanged = errors.New("the file was changed since, and the row does not hold enough of the bytes to prove that these are the same")

// check proves one row. The text says what was compared.
func (f *file) check(o *evidence.Observation) (string, error) {
	switch sum := o.Detail.Text("sha256"); {
	case o.From.Channel != "":
		return f.checkRecord(o)
	case f.hive != nil:
		return f.checkCell(o)
	case sum != "" && o.From.Offset >= 0 && o.From.Length >= 0:
		return "SHA-256 of the bytes", f.sum(o, sum)
	case o.From.Offset-source.Base(f.h)+max(o.From.Length, 0) > f.h.Size():
		return "", errTruncated
	case !f.same:
		return "", errChanged
	}
	return "SHA-256 of the whole file", nil
}
