// Package hive reads registry hives that no Windows has open. "Not there" and
// "not readable" are different errors: a key or value is reported as
// [fs.ErrNotExist] only after the list it would be in was read whole.
//
// The format is that of "Windows registry file format specification" (M.
// Suhanov), below called REGF. regparser decodes single structures; lists,
// names, data and times are read here, within bounds that hold for any input.
// A Hive and what it yields may be used by several goroutines.
//
// A hive that was in use lags behind its transaction logs: [OpenWithLogs]
// replays them. What was deleted stays in the file until its place is used
// again: [Hive.Deleted] finds it, [Replay.StaleItems] in old parts of logs.
package hive

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"www.velocidex.com/golang/regparser"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
)

// ErrDamaged is wrapped by errors that say nothing about what the hive held.
var ErrDamaged = errors.New("hive damaged")

// MaxSize is the size in bytes of the largest hive that Open reads. Windows
// itself loads none above 2 GiB.
const MaxSize = 2 << 30

const maxProblems = 1000 // kept by a hive; the rest is counted

// A Role says what kind of file a base block stands in front of.
type Role uint8

// Roles, from the file type at offset 28 of the base block (REGF, "Base block").
const (
	NoHive  Role = iota // no base block
	Primary             // the hive itself
	Log                 // a transaction log: types 1, 2 and 6
)

// RoleOf judges the first 512 bytes of a file.
func RoleOf(head []byte) Role {
	if len(head) < 32 || string(head[:4]) != "regf" {
		return NoHive
	}
	switch le.Uint32(head[profile.Off_HBASE_BLOCK_Type:]) {
	case 1, 2, 6:
		return Log
	}
	return Primary // an unknown type is for Open to complain of
}

// Sniff judges the first 512 bytes of a file: isHive means a primary hive,
// isLog one of its transaction logs. At most one is true.
func Sniff(head []byte) (isHive, isLog bool) {
	r := RoleOf(head)
	return r == Primary, r == Log
}

// A Hive is a primary hive as it lies in its file, or as its logs make it: see
// [OpenWithLogs].
type Hive struct {
	cells
	base     *regparser.HBASE_BLOCK
	root     *Key
	kind     Kind
	newest   time.Time
	checksum bool     // of the base block is right
	overlay  *overlay // nil if no log was asked for

	mu       sync.Mutex
	problems map[place]error
	dropped  int // problems above maxProblems
}

// A place tells problems apart, so that reading twice does not report twice.
type place struct {
	off   int64
	field string
}

// Open reads a hive of size bytes into memory and checks its base block and
// root cell, so that nothing can be called absent in a file that is no hive.
// Errors are a *[binread.FormatError] that wraps ErrDamaged. Parts that r
// cannot read count as zeros and are a problem.
func Open(r io.ReaderAt, size int64) (*Hive, error) {
	h := &Hive{problems: make(map[place]error)}
	if size > MaxSize {
		return nil, binread.Errorf(0, "hive", "%d bytes, limit %d: %w", size, int64(MaxSize), ErrDamaged)
	}
	if err := h.load(r, size); err != nil {
		return nil, err
	}
	if err := h.parse(); err != nil {
		return nil, err
	}
	return h, nil
}

// parse makes a hive of the loaded image, whoever filled it.
func (h *Hive) parse() error {
	if err := h.checkBase(); err != nil {
		return err
	}
	h.newest = h.scan(h.note)
	root, err := h.key(h.base.RootCell(), "root cell", nil)
	if err != nil {
		return err
	}
	h.root = root
	h.kind = h.judge()
	return nil
}

func (h *Hive) checkBase() error {
	if len(h.image) < blockSize || RoleOf(h.image) == NoHive {
		return binread.Errorf(0, "base block", "signature %q in %d bytes: %w", h.image[:min(4, len(h.image))], len(h.image), ErrDamaged)
	}
	if RoleOf(h.image) == Log {
		return binread.Errorf(28, "file type", "a transaction log, not a hive: %w", ErrDamaged)
	}
	h.base = profile.HBASE_BLOCK(&cell{0, h.image[:blockSize:blockSize]}, 0)
	if t := h.base.Type(); t != 0 {
		h.note(binread.Errorf(28, "file type", "%d, want 0", t))
	}
	if major, minor := h.base.Major(), h.base.Minor(); major != 1 || minor < 2 || minor > 6 {
		h.note(binread.Errorf(20, "version", "%d.%d is unknown", major, minor))
	}
	h.checksum = checksum(h.image) == h.base.CheckSum()
	if !h.checksum {
		h.note(binread.Errorf(508, "checksum", "%#x, want %#x", h.base.CheckSum(), checksum(h.image)))
	}
	h.limit = int64(len(h.image))
	switch end := blockSize + int64(h.base.Length()); {
	case end == blockSize || end%blockSize != 0:
		h.note(binread.Errorf(40, "hive bins size", "%#x is no multiple of %d", h.base.Length(), blockSize))
	case end > h.limit:
		h.note(binread.Errorf(40, "hive bins size", "bins end at %#x, the file at %#x: %w", end, h.limit, ErrDamaged))
	default:
		h.limit = end
	}
	return nil
}

// checksum is that of REGF, "Base block": all 32-bit words before it.
func checksum(image []byte) (sum uint32) {
	for i := 0; i < 508; i += 4 {
		sum ^= le.Uint32(image[i:])
	}
	switch sum {
	case 0:
		return 1
	case 0xffffffff:
		return 0xfffffffe
	}
	return sum
}

// Kind returns what the root's subkeys show the hive to be.
func (h *Hive) Kind() Kind { return h.kind }

// Dirty reports whether the sequence numbers differ or the checksum is bad:
// Windows would replay the transaction logs before it trusted this file.
func (h *Hive) Dirty() bool {
	a, b := h.Sequences()
	return a != b || !h.checksum
}

// Sequences returns the primary and secondary sequence number of the base
// block. The first counts begun writes, the second finished ones.
func (h *Hive) Sequences() (primary, secondary uint32) {
	return h.base.Sequence1(), h.base.Sequence2()
}

// FileName returns the end of the path under which Windows last loaded the
// hive, at most 32 UTF-16 units; "" if it is not recorded.
func (h *Hive) FileName() string {
	off := profile.Off_HBASE_BLOCK_FileName
	name, _, _ := strings.Cut(utf16Text(h.image[off:off+64]), "\x00")
	return name
}

// Reorganized returns when the hive was last rewritten without its free space,
// in UTC; zero if that is not recorded or before 2000. Deleted cells from before are gone.
func (h *Hive) Reorganized() time.Time {
	// REGF, "Base block", offset 168: the two low bits tell the kind of
	// reorganisation and are no part of the time. Windows before 8 has other
	// things there.
	t := keyTime(le.Uint64(h.image[168:]) &^ 3)
	if t.Year() < 2000 {
		return time.Time{}
	}
	return t
}

// Newest returns the latest LastWrite of any key node in an allocated cell,
// whether or not a list leads to it; zero if there is none. The hive was in use
// at that time. Times no date can show are left out, and so are the cells of
// damaged bins.
func (h *Hive) Newest() time.Time { return h.newest }

// Root returns the root key. Its Path is "".
func (h *Hive) Root() *Key {
	k := *h.root
	return &k
}

// Problems returns what must be doubted about the hive, by file offset: what
// Open found, and what reading has met since. Those that wrap ErrDamaged mean
// lost content, the others are warnings. Errors that an iteration yields are
// not repeated here.
func (h *Hive) Problems() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []error
	for _, err := range h.problems {
		list = append(list, err)
	}
	slices.SortFunc(list, func(a, b error) int {
		return cmp.Or(cmp.Compare(binread.Offset(a), binread.Offset(b)), cmp.Compare(a.Error(), b.Error()))
	})
	if h.dropped > 0 {
		list = append(list, binread.Errorf(-1, "hive", "more than %d problems, the rest is not listed", maxProblems))
	}
	return list
}

func (h *Hive) note(err error) {
	at := place{off: -1}
	if fe := (*binread.FormatError)(nil); errors.As(err, &fe) {
		at = place{fe.Off, fe.Field}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, seen := h.problems[at]; seen {
		return
	}
	if len(h.problems) >= maxProblems {
		h.dropped++
		return
	}
	h.problems[at] = err
}

// keyTime converts a FILETIME. Years above 9999 become the zero time: no output
// format has them, and no clock was right then.
func keyTime(ft uint64) time.Time {
	t := filetime.Time(ft)
	if t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
