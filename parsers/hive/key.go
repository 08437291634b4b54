package hive

import (
	"errors"
	"io/fs"
	"iter"
	"strings"
	"time"

	"sharetrail/parsers/binread"
)

const (
	nkSize     = 76   // bytes of a key node in front of its name
	compName   = 0x20 // key node flag: the name is Latin-1
	maxKeyName = 2 * 256
	maxDepth   = 512 // of keys, as in Windows
)

// errDeleted is what a recovered key answers when it is asked for what is below it.
var errDeleted = errors.New("deleted key: what is left of it is in its Item")

// A Key is one key as its key node states it (REGF, "Key node").
type Key struct {
	Name         string    // as stored, with NUL or \ if it has them
	Path         string    // names from below the root, joined by \
	Off          int64     // of the key node ("nk"), from the start of the file, bytes
	Len          int64     // of its cell from Off on, bytes
	LastWrite    time.Time // UTC, 100 ns; zero if unset or after year 9999
	LastWriteRaw uint64    // the FILETIME itself

	SubkeyCount   uint32 // declared number of stored subkeys
	VolatileCount uint32 // subkeys that existed in memory only when the hive was written
	ValueCount    uint32 // declared number of values

	h       *Hive
	subkeys uint32 // reference of the subkey list
	values  uint32 // reference of the value list
	parent  uint32 // reference of the parent, as declared
	budget  *budget
	dead    bool // recovered: see Item
}

// key reads the key node at ref. below is its parent, nil for the root.
func (h *Hive) key(ref uint32, field string, below *Key) (*Key, error) {
	rec, err := h.record(ref, field, "nk", nkSize)
	if err != nil {
		return nil, err
	}
	n := int(le.Uint16(rec.data[profile.Off_CM_KEY_NODE_NameLength:]))
	if n > len(rec.data)-nkSize || n > maxKeyName {
		return nil, binread.Errorf(rec.off, "key name", "%d bytes in a cell with room for %d: %w", n, len(rec.data)-nkSize, ErrDamaged)
	}
	latin1 := le.Uint16(rec.data[profile.Off_CM_KEY_NODE_Flags:])&compName != 0
	raw := le.Uint64(rec.data[profile.Off_CM_KEY_NODE_LastWriteTime:])
	k := &Key{
		Name: text(rec.data[nkSize:nkSize+n], latin1),
		Off:  rec.off, Len: int64(len(rec.data)),
		LastWrite: keyTime(raw), LastWriteRaw: raw,

		SubkeyCount:   le.Uint32(rec.data[profile.Off_CM_KEY_NODE_SubKeyCounts:]),
		VolatileCount: le.Uint32(rec.data[profile.Off_CM_KEY_NODE_SubKeyCounts+4:]),
		ValueCount:    le.Uint32(rec.data[profile.Off_CM_KEY_NODE_ValueList+profile.Off_CHILD_LIST_Count:]),

		h:       h,
		subkeys: le.Uint32(rec.data[profile.Off_CM_KEY_NODE_SubKeyLists:]),
		values:  le.Uint32(rec.data[profile.Off_CM_KEY_NODE_ValueList+profile.Off_CHILD_LIST_List:]),
		parent:  le.Uint32(rec.data[profile.Off_CM_KEY_NODE_Parent:]),
	}
	if below != nil {
		k.Path = join(below.Path, k.Name)
	}
	return k, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + `\` + name
}

// ref returns the reference under which lists know the key.
func (k *Key) ref() uint32 { return uint32(k.Off - 4 - blockSize) }

// Key opens a key by its path below the root; "" is the root. Names match
// without regard to case. If the error wraps [fs.ErrNotExist], the key is the
// deepest ancestor that exists: its LastWrite bounds when the child can have
// gone. Any other error wraps ErrDamaged.
func (h *Hive) Key(path string) (*Key, error) { return h.Root().Sub(path) }

// Sub opens a key by its path below k; see [Hive.Key].
func (k *Key) Sub(rel string) (*Key, error) {
	rel = strings.Trim(rel, `\`)
	if rel == "" {
		return k, nil
	}
	for part := range strings.SplitSeq(rel, `\`) {
		sub, err := k.child(part)
		if err != nil {
			return nil, err
		}
		if sub == nil {
			return k, &fs.PathError{Op: "open key", Path: join(k.Path, part), Err: fs.ErrNotExist}
		}
		k = sub
	}
	return k, nil
}

// child returns the first subkey of that name; nil if the list was read whole
// and has none.
func (k *Key) child(name string) (*Key, error) {
	var bad error
	want := fold(name)
	for sub, err := range k.Subkeys() {
		switch {
		case err != nil && bad == nil:
			bad = err
		case err == nil && fold(sub.Name) == want:
			sub.budget = nil // of the search, not of what the caller does next
			return sub, nil
		}
	}
	return nil, bad
}

// Walk yields the root and every key below it, depth first, in the order of
// the lists. A key that more than one list leads to comes once. An error is
// an element that could not be read; the walk goes on behind it.
func (h *Hive) Walk() iter.Seq2[*Key, error] {
	return func(yield func(*Key, error) bool) {
		seen := make(bitmap, len(h.image)/(8*64)+1)
		root := h.Root()
		root.budget = h.cells.budget()
		walk(root, 1, seen, yield)
	}
}

func walk(k *Key, depth int, seen bitmap, yield func(*Key, error) bool) bool {
	seen.add(k.ref())
	if !yield(k, nil) {
		return false
	}
	for sub, err := range k.Subkeys() {
		switch {
		case err != nil:
		case seen.has(sub.ref()):
			err = binread.Errorf(sub.Off, "key node", "%q: a key listed before: %w", sub.Path, ErrDamaged)
		case depth == maxDepth:
			err = binread.Errorf(sub.Off, "key node", "more than %d levels deep: %w", maxDepth, ErrDamaged)
		default:
			if !walk(sub, depth+1, seen, yield) {
				return false
			}
			continue
		}
		if !yield(nil, err) {
			return false
		}
	}
	return true
}

// A bitmap has one bit for every reference a cell can have.
type bitmap []uint64

func (m bitmap) add(ref uint32)      { m[ref/8/64] |= 1 << (ref / 8 % 64) }
func (m bitmap) has(ref uint32) bool { return m[ref/8/64]&(1<<(ref/8%64)) != 0 }
