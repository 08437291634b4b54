package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// A collection is what collectors say about what they collected, beside the
// evidence itself.
type collection struct {
	hosts map[string]string // directory → name of the host
	times map[string]time.Time
	cut   map[string][2]int64 // decoded path of a file → bytes collected, bytes there were
	idx   map[string][]byte   // path of a file → map of its parts (Velociraptor)
	kapes map[string]*kape    // directory → KAPE's logs in it

	packages map[string]bool // directories of investigation packages of Microsoft Defender
}

// A skip is a row of KAPE's log of files that it did not copy.
type skip struct {
	dir             string // in which the log lies
	letter          string // of the drive, upper case; "" for a shadow copy, and if not known
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
	col := &collection{hosts: map[string]string{}, times: map[string]time.Time{}, cut: map[string][2]int64{}, idx: map[string][]byte{}, packages: map[string]bool{}, kapes: map[string]*kape{}}
	places := map[string]bool{}
	for _, it := range c.items {
		places[it.path] = true
		if dir, ok := investigationPackage(it.place); ok {
			col.packages[dir] = true
		}
	}
	roots := windowsRoots(c)
	for _, it := range c.items {
		if it.dir || it.lost || it.sealed != "" || !triage.IsMetadata(it.place) {
			continue
		}
		// In a Windows tree all but the maps of sparse files are a user's files.
		_, inTree := triage.Nearest(it.place, roots)
		if of, isMap := cutSuffixFold(it.path, ".idx"); isMap && (!places[of] || triage.Expect(of, true) == triage.None) || inTree && !isMap {
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
	col.inherit(c.outer)
	col.settle(c)
	return col
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if i := len(s) - len(suffix); i >= 0 && strings.EqualFold(s[i:], suffix) {
		return s[:i], true
	}
	return s, false
}

// investigationPackage recognises a package of Microsoft Defender for Endpoint by
// a folder that only it has, and returns the directory that the folder is in.
// It holds the Security log, and no hives.
func investigationPackage(p string) (dir string, ok bool) {
	const folder = "windows server message block (smb) sessions"
	low := strings.ToLower(p) + "/"
	i := strings.Index(low, folder+"/")
	if i < 0 || i > 0 && low[i-1] != '/' || i > len(p) {
		return "", false
	}
	return strings.TrimSuffix(p[:i], "/"), true
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
	b, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), b) // Windows writes UTF-16, too
	if err != nil {
		return err
	}
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
		of, _ := cutSuffixFold(it.path, ".idx")
		col.idx[of] = b
	case name == "getthis.csv":
		return orc(c, dir, b, col)
	case strings.HasSuffix(name, "_skiplog.csv"), strings.HasSuffix(name, "_skiplog.csv.csv"):
		return col.skiplog(dir, b)
	case strings.HasSuffix(name, "_copylog.csv"), strings.HasSuffix(name, "_copylog.csv.csv"):
		return col.copylog(dir, b)
	case strings.HasSuffix(name, "_consolelog.txt"):
		col.console(dir, b)
	case name == "_kape.cli":
		k := col.kapeOf(dir)
		k.commands = append(k.commands, string(b))
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

// complete holds a candidate against what the collector says of it.
func (col *collection) complete(it *item, f *File) *Problem {
	if b, ok := col.idx[it.path]; ok {
		switch err := f.expand(b); {
		case err != nil:
			f.Incomplete = true
			return &Problem{Severity: Error, Offset: binread.Offset(err), What: "its parts cannot be put together by its .idx file: " + text(err)}
		case f.Incomplete:
			return &Problem{Severity: Error, Offset: f.start + f.Size, What: fmt.Sprintf("of %d bytes that the collector lists, what lies behind the first %d is not there", f.collected, f.start+f.Size)}
		}
		return nil
	}
	if n, ok := col.cut[triage.Decode(it.place)]; ok {
		f.Incomplete = true
		return &Problem{Severity: Error, Offset: n[0], What: fmt.Sprintf("the collector took only the first %d of %d bytes", n[0], n[1])}
	}
	if cp := it.copied; cp != nil {
		f.SHA1 = cp.sha1
		if cp.size >= 0 && cp.size != f.Size {
			f.Incomplete = true
			return &Problem{Severity: Error, Offset: min(cp.size, f.Size), What: fmt.Sprintf("the collector copied %d bytes, and %d are here", cp.size, f.Size)}
		}
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
		if col.packages[dir] && len(v.NotCollected) == 0 {
			v.NotCollected = []string{"Users/*/NTUSER.DAT", "Windows/System32/config/*"}
		}
		if k := col.kapes[dir]; k != nil && k.here {
			k.tell(v)
		}
		if dir == "" {
			break
		}
	}
	_, letter, _ := triage.Drive(root)
	for _, k := range col.skips() {
		_, n, isSnapshot := triage.Snapshot(root)
		if !k.deduped && !k.listed && !v.Loose && within(root, k.dir) && (isSnapshot && n == k.n || !isSnapshot && k.n == 0 && (k.letter == letter || k.letter == "" || letter == "")) {
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
