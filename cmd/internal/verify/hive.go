package verify

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/source"
)

// maxHive bounds a hive and a log of it, in bytes: both are held in memory.
const maxHive = 2 << 30

// A hive is a primary file with its transaction logs.
type hive struct {
	primary []byte
	most    int64              // bytes that it can have grown to: all that the logs hold
	seq     uint32             // up to which the primary is complete
	logs    map[string][]entry // path of a log: its entries
	live    *cells             // the primary
	final   *cells
	asOf    map[uint32]*cells // one state, after the entry of that number
}

// An entry is one log entry (REGF, "New format" and "Old format" of logs).
type entry struct {
	seq   uint32
	pages []page
}

// A page is a run of bytes that an entry holds.
type page struct {
	to   int64 // in the hive file, bytes
	from int64 // in the log file, bytes
	b    []byte
}

// loadHive reads the hive that f is, or is a log of.
func (k *checker) loadHive(f *file) (*hive, error) {
	h := &hive{logs: map[string][]entry{}, asOf: map[uint32]*cells{}}
	base := f.id
	if f.kind == source.HiveLog {
		base.path = strings.TrimSuffix(base.path, path.Ext(base.path))
	}
	for id := range k.files {
		if id.source == base.source && id.volume == base.volume && strings.EqualFold(id.path, base.path) && k.files[id].Kind == source.Hive {
			base = id
		}
	}
	var err error
	if h.primary, err = k.read(base); err != nil {
		return nil, fmt.Errorf("hive %q: %w", base.path, err)
	}
	if len(h.primary) < baseBlock || string(h.primary[:4]) != "regf" {
		return nil, errors.New("the hive does not begin with regf")
	}
	h.seq = le.Uint32(h.primary[8:])
	h.live, h.most = &cells{b: h.primary}, int64(len(h.primary))
	for _, ext := range []string{".LOG", ".LOG1", ".LOG2"} {
		for id, l := range k.files {
			if l.Kind != source.HiveLog || id.source != base.source || id.volume != base.volume || !strings.EqualFold(id.path, base.path+ext) {
				continue
			}
			b, err := k.read(id)
			if err != nil {
				return nil, fmt.Errorf("log %q: %w", id.path, err)
			}
			h.logs[id.path] = entriesOf(b)
			h.most += int64(len(b))
		}
	}
	return h, nil
}

func (k *checker) read(id fileID) ([]byte, error) {
	h, err := k.handle(id)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	if h.Size() > maxHive {
		return nil, fmt.Errorf("%d bytes are more than can be held in memory", h.Size())
	}
	b := make([]byte, h.Size())
	_, err = io.ReadFull(io.NewSectionReader(h, 0, h.Size()), b)
	return b, err
}

// entriesOf reads the entries of a log as far as they go.
func entriesOf(b []byte) (out []entry) {
	const start, head = 512, 40 // of the first entry; bytes of its header
	if len(b) < start+8 {
		return nil
	}
	if string(b[start:start+4]) == "DIRT" {
		return oldEntry(b)
	}
	for off := start; off+head <= len(b); {
		if string(b[off:off+4]) != "HvLE" {
			// Old entries may lie behind a hole.
			off += 512
			continue
		}
		size, count := int(le.Uint32(b[off+4:])), int(le.Uint32(b[off+20:]))
		if size < head || size > len(b)-off || count > (size-head)/8 {
			off += 512
			continue
		}
		e := entry{seq: le.Uint32(b[off+12:])}
		at := off + head + 8*count
		for i := range count {
			to, n := int64(le.Uint32(b[off+head+8*i:])), int(le.Uint32(b[off+head+8*i+4:]))
			if n > off+size-at {
				break
			}
			e.pages = append(e.pages, page{baseBlock + to, int64(at), b[at : at+n]})
			at += n
		}
		out = append(out, e)
		off += max(size/512*512, 512)
	}
	return out
}

// oldEntry reads a log that holds the dirty sectors and a bitmap of them.
func oldEntry(b []byte) []entry {
	const sector = 512
	bits := int(le.Uint32(b[40:])) / sector
	at := (sector + 4 + bits/8 + sector - 1) / sector * sector
	e := entry{seq: le.Uint32(b[4:])}
	for i := range bits {
		if 516+i/8 >= len(b) || at+sector > len(b) {
			break
		}
		if b[516+i/8]>>(i%8)&1 != 0 {
			e.pages = append(e.pages, page{baseBlock + int64(i)*sector, int64(at), b[at : at+sector]})
			at += sector
		}
	}
	return []entry{e}
}

// state returns the hive as it was after the entry numbered last. Entries that
// the primary holds already are left out, but for that one: what old entries
// hold may be a row.
func (h *hive) state(last uint32) *cells {
	var all []entry
	for _, name := range slices.Sorted(maps.Keys(h.logs)) {
		for _, e := range h.logs[name] {
			if e.seq <= last && (e.seq >= h.seq || e.seq == last) {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.seq, b.seq) })
	b := slices.Clone(h.primary)
	for _, e := range all {
		for _, p := range e.pages {
			if p.to+int64(len(p.b)) > h.most {
				continue
			}
			if n := p.to + int64(len(p.b)) - int64(len(b)); n > 0 {
				b = append(b, make([]byte, n)...)
			}
			copy(b[p.to:], p.b)
		}
	}
	return &cells{b: b}
}

// views returns the states of the hive in which a row at off of the file called
// name may stand, and where it stands in them.
func (h *hive) views(name string, off int64) ([]*cells, int64, error) {
	if h.final == nil {
		h.final = h.state(1<<32 - 1)
	}
	entries, isLog := h.logs[name]
	if !isLog {
		return []*cells{h.live, h.final}, off, nil
	}
	for _, e := range entries {
		for _, p := range e.pages {
			if off < p.from || off >= p.from+int64(len(p.b)) {
				continue
			}
			if h.asOf[e.seq] == nil {
				clear(h.asOf) // each is as large as the hive
				h.asOf[e.seq] = h.state(e.seq)
			}
			return []*cells{h.asOf[e.seq], h.final}, p.to + off - p.from, nil
		}
	}
	return nil, 0, errors.New("no entry of the log holds this offset")
}
