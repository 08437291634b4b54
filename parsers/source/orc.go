package source

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"sharetrail/parsers/source/triage"
)

// table reads a CSV file with a header row that names the column key, a map a row. A
// spreadsheet that saved it anew may have put other separators between the fields.
func table(b []byte, key string, row func(map[string]string)) error {
	r, head, err := csvOf(b, ',')
	for _, sep := range ";\t" {
		if err == nil && !slices.Contains(head, key) {
			r, head, err = csvOf(b, sep)
		}
	}
	if err != nil {
		return err
	}
	if !slices.Contains(head, key) {
		return fmt.Errorf("it has no column %q", key)
	}
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

// csvOf begins to read a CSV file.
func csvOf(b []byte, sep rune) (r *csv.Reader, head []string, err error) {
	r = csv.NewReader(bytes.NewReader(b))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = sep, -1, true, true
	head, err = r.Read()
	return r, slices.Clone(head), err
}

// orc gives the files that DFIR-ORC took, under names of its own, the paths that
// they had: each computer, volume and shadow copy is a directory of its own.
func orc(c *scope, dir string, b []byte, col *collection) error {
	items := map[string]*item{}
	for _, it := range c.items {
		items[strings.ToLower(it.place)] = it
	}
	return table(b, "SampleName", func(m map[string]string) {
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
