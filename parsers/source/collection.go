package source

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// A collection is what collectors say about what they collected, beside the
// evidence itself.
type collection struct {
	hosts   map[string]string // directory → name of the host
	times   map[string]time.Time
	cut     map[string][2]int64 // decoded path of a file → bytes collected, bytes there were
	idx     map[string][]byte   // path of a file → map of its parts (Velociraptor)
	skipped []skip
}

// A skip is a row of KAPE's log of files that it did not copy.
type skip struct {
	dir             string // in which the log lies
	n               int    // shadow copy, 0 for the volume
	rest            string // path in the volume
	sha1            string // lower-case hex
	deduped, listed bool
}

// maxMetadata bounds a file about the collection, in bytes.
const maxMetadata = 64 << 20

// collection reads what the collector left among the items, and gives those of
// DFIR-ORC the paths that they had.
func (s *scanner) collection(c *scope) *collection {
	col := &collection{hosts: map[string]string{}, times: map[string]time.Time{}, cut: map[string][2]int64{}, idx: map[string][]byte{}}
	for _, it := range c.items {
		if it.dir || it.lost || it.sealed != "" || !triage.IsMetadata(it.place) {
			continue
		}
		b, err := s.whole(it)
		if err == nil {
			err = col.read(c, it, b)
		}
		if err != nil {
			c.problem(warnf(it.path, "tells about the collection and cannot be read: %s", text(err)))
		}
	}
	return col
}

// whole reads an item about the collection.
func (s *scanner) whole(it *item) ([]byte, error) {
	if it.size > maxMetadata {
		return nil, fmt.Errorf("%d bytes exceed the limit of %d", it.size, maxMetadata)
	}
	if it.open == nil {
		return nil, fmt.Errorf("it was not unpacked")
	}
	if p := it.admit(); it.open == nil {
		return nil, fmt.Errorf("%s", p.What)
	}
	h, err := it.open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	b := make([]byte, h.Size())
	return b, binread.Full(h, b, 0, "file")
}

func (col *collection) read(c *scope, it *item, b []byte) error {
	dir, name := path.Split(it.place)
	dir = strings.TrimSuffix(dir, "/")
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	switch name = strings.ToLower(name); {
	case name == "client_info.json":
		return col.client(dir, b)
	case name == "basicinformation.json": // of Velociraptor until 2021
		if i := strings.IndexByte(string(b), '\n'); i >= 0 {
			b = b[:i]
		}
		return col.client(parent(dir), b)
	case name == "collection_context.json":
		var m struct {
			Start int64 `json:"start_time"`
			Made  int64 `json:"create_time"`
		}
		if err := json.Unmarshal(b, &m); err != nil {
			return err
		}
		if m.Start == 0 {
			m.Start = m.Made
		}
		if m.Start != 0 {
			col.times[dir] = time.Unix(0, m.Start).UTC().Truncate(timeResolution)
		}
	case name == "uploads.json":
		return col.uploads(dir, b)
	case strings.HasSuffix(name, ".idx"):
		col.idx[strings.TrimSuffix(it.path, path.Ext(it.path))] = b
	case name == "getthis.csv":
		return orc(c, dir, b, col)
	case strings.HasSuffix(name, "_skiplog.csv"):
		return col.skiplog(dir, b)
	}
	return nil
}

func parent(dir string) string {
	up, _ := path.Split(dir)
	return strings.TrimSuffix(up, "/")
}

func (col *collection) client(dir string, b []byte) error {
	var m struct{ Hostname, Fqdn string }
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if m.Hostname == "" {
		m.Hostname = m.Fqdn
	}
	if m.Hostname != "" && len(m.Hostname) < 256 {
		col.hosts[dir] = m.Hostname
	}
	return nil
}

// uploads notes down the files of which not all was collected.
func (col *collection) uploads(dir string, b []byte) error {
	sparse := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, maxMetadata)
	for lines.Scan() {
		var m struct {
			Components []string `json:"_Components"`
			Size       int64    `json:"file_size"`
			Uploaded   int64    `json:"uploaded_size"`
			Type       string
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return err
		}
		p := path.Join(dir, strings.Join(m.Components, "/"))
		switch {
		case m.Type == "idx":
			sparse[p] = true
		case m.Uploaded < m.Size && m.Type == "":
			col.cut[p] = [2]int64{m.Uploaded, m.Size}
		}
	}
	for p := range sparse {
		delete(col.cut, p) // holes, which the .idx file tells of
	}
	return lines.Err()
}

// table reads a CSV file with a header row, a map a row.
func table(b []byte, row func(map[string]string)) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	head, err := r.Read()
	if err != nil {
		return err
	}
	head = slices.Clone(head)
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		m := make(map[string]string, len(head))
		for i, f := range fields[:min(len(fields), len(head))] {
			m[head[i]] = f
		}
		row(m)
	}
}

// orc gives the files that DFIR-ORC took, under names of its own, the paths that
// they had: each computer, volume and shadow copy is a directory of its own.
func orc(c *scope, dir string, b []byte, col *collection) error {
	items := map[string]*item{}
	for _, it := range c.items {
		items[strings.ToLower(it.place)] = it
	}
	return table(b, func(m map[string]string) {
		it := items[strings.ToLower(path.Join(dir, strings.ReplaceAll(m["SampleName"], `\`, "/")))]
		full := strings.Trim(strings.ReplaceAll(m["FullName"], `\`, "/"), "/")
		if it == nil || full == "" || strings.Contains("/"+full+"/", "/../") || m["AttrType"] != "$DATA" && m["AttrType"] != "" || m["AttrName"] != "" {
			return
		}
		root := path.Join(dir, clean(m["ComputerName"]), clean(m["VolumeID"]))
		if id := strings.Trim(m["SnapshotID"], "{}"); strings.Trim(id, "0-") != "" {
			root = path.Join(root, "vss{"+clean(id)+"}")
		}
		it.path = triage.Show(path.Join(root, full))
		it.place = it.path
		if name := m["ComputerName"]; name != "" && len(name) < 256 {
			col.hosts[path.Join(dir, clean(name))] = name
		}
		if t, err := time.Parse("2006-01-02 15:04:05.000", m["LastModificationDate"]); err == nil {
			it.mod = t
		}
		if t, err := time.Parse("2006-01-02 15:04:05.000", m["SampleCollectionDate"]); err == nil && col.times[root].Before(t) {
			col.times[root] = t
		}
	})
}

// clean makes one element of a path of a name.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' {
			return '_'
		}
		return r
	}, name)
	if name == "" || name == "." || name == ".." {
		return "unknown"
	}
	return triage.Show(name)
}

func (col *collection) skiplog(dir string, b []byte) error {
	return table(b, func(m map[string]string) {
		n, rest := triage.Collector(m["SourceFile"])
		if triage.Expect(rest, false) == triage.None {
			return
		}
		col.skipped = append(col.skipped, skip{dir: dir, n: n, rest: rest, sha1: strings.ToLower(m["SourceFileSha1"]), deduped: strings.EqualFold(m["Reason"], "Deduped")})
	})
}

// complete holds a candidate against what the collector says of it.
func (col *collection) complete(it *item, f *File) *Problem {
	if b, ok := col.idx[it.path]; ok {
		if err := f.expand(b); err != nil {
			return &Problem{Severity: Error, Offset: binread.Offset(err), What: "its parts cannot be put together by its .idx file: " + text(err)}
		}
		return nil
	}
	if n, ok := col.cut[triage.Decode(it.place)]; ok {
		return &Problem{Severity: Error, Offset: n[0], What: fmt.Sprintf("the collector took only the first %d of %d bytes", n[0], n[1])}
	}
	return nil
}

// tell sets what the collection says about the volume of root.
func (col *collection) tell(c *scope, root string, v *Volume) {
	for dir := root; ; dir = parent(dir) {
		if v.HostHint == "" {
			v.HostHint = col.hosts[dir]
		}
		if v.Collected.IsZero() {
			v.Collected = col.times[dir]
		}
		if dir == "" {
			break
		}
	}
	for i := range col.skipped {
		k := &col.skipped[i]
		_, n, isSnapshot := triage.Snapshot(root)
		if !k.deduped && !k.listed && !v.Loose && within(root, k.dir) && (isSnapshot && n == k.n || !isSnapshot && k.n == 0) {
			k.listed = true
			v.NotCollected = append(v.NotCollected, triage.Show(k.rest))
		}
	}
	slices.Sort(v.NotCollected)
	v.NotCollected = slices.Compact(v.NotCollected)
}

// within reports whether p is dir or lies below it.
func within(p, dir string) bool {
	return dir == "" || p == dir || strings.HasPrefix(p, dir+"/")
}

// expand makes f the file that it was collected from: b maps the parts of what
// was stored to where they lay; between them the file had holes.
func (f *File) expand(b []byte) error {
	var m struct {
		Ranges []struct {
			At     int64 `json:"file_offset"`
			Off    int64 `json:"original_offset"`
			Stored int64 `json:"file_length"`
			Len    int64 `json:"length"`
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	x := &expanded{}
	for i, r := range m.Ranges {
		if r.Off < x.size || r.Len < 0 || r.Off+r.Len < r.Off || r.Stored < 0 || r.Stored > r.Len || r.At < 0 || r.At > f.Size || r.Stored > f.Size-r.At {
			return fmt.Errorf("range %d leads out of the file or over another", i)
		}
		if r.Stored > 0 {
			x.parts = append(x.parts, extent{r.Off, r.At, r.Stored})
		}
		x.size = r.Off + r.Len
	}
	open := f.Open
	f.Size = x.size
	f.Open = func() (Handle, error) {
		h, err := open()
		if err != nil {
			return nil, err
		}
		return &expanded{h, x.parts, x.size}, nil
	}
	return nil
}

type extent struct{ off, at, n int64 } // in the file, in what was stored; bytes

// An expanded file reads as zeros where it had holes.
type expanded struct {
	Handle
	parts []extent
	size  int64
}

func (x *expanded) Size() int64 { return x.size }

func (x *expanded) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= x.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), x.size-off))
	clear(b[:n])
	for _, p := range x.parts {
		lo, hi := max(off, p.off), min(off+int64(n), p.off+p.n)
		if lo < hi {
			if err := binread.Full(x.Handle, b[lo-off:hi-off], p.at+lo-p.off, "file"); err != nil {
				return int(lo - off), err
			}
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
