package ntfs

import (
	"cmp"
	"encoding/binary"
	"io/fs"
	"slices"
	"time"

	"sharetrail/parsers/filetime"
)

// Times are the four times of a file, UTC with 100 ns; zero if not set.
type Times struct {
	Created, Modified, Changed, Accessed time.Time // Changed: of the MFT record
}

// Info is what the MFT record of a file tells. It is the Sys of its FileInfo.
type Info struct {
	Record     uint64 // number of the MFT record
	Sequence   uint16 // how often the record was used; of a deleted file, already counted up
	SI         Times  // $STANDARD_INFORMATION
	FN         Times  // $FILE_NAME of the name it was opened by
	Attributes uint32 // of $STANDARD_INFORMATION, FILE_ATTRIBUTE_ values
	Streams    []string
	Reparse    string // what a reparse point is, "" if the file is none
	Deleted    bool
	Resident   bool  // the content lies in the MFT record
	Damage     error // why some of the above may be missing; nil if the record was read whole
}

// FILE_ATTRIBUTE_ values (MS-FSCC 2.6).
const (
	attributeOffline = 0x1000
	attributeRecall  = 0x400000 // on data access
	indexDirectory   = 0x10000000
)

// A fileName is the value of a $FILE_NAME attribute, also the key of directories.
type fileName struct {
	parent reference
	times  Times
	size   int64 // a copy that may be stale
	dir    bool
	dos    bool // a short name that has a long one beside it
	name   string
}

func parseFileName(b []byte) (n fileName, ok bool) {
	le := binary.LittleEndian
	raw := rawName(b)
	if raw == nil {
		return n, false
	}
	return fileName{
		parent: reference(le.Uint64(b)),
		times:  parseTimes(b[8:]),
		size:   int64(le.Uint64(b[48:])),
		dir:    le.Uint32(b[56:])&indexDirectory != 0,
		dos:    b[65] == 2,
		name:   decodeName(raw),
	}, true
}

// rawName returns the name in the attribute value b, in UTF-16, or nil if it has none.
func rawName(b []byte) []byte {
	if len(b) < 66 || 66+2*int(b[64]) > len(b) || b[64] == 0 {
		return nil
	}
	return b[66 : 66+2*int(b[64])]
}

func parseTimes(b []byte) Times {
	t := func(i int) time.Time { return filetime.Time(binary.LittleEndian.Uint64(b[i:])) }
	return Times{t(0), t(8), t(16), t(24)}
}

// names returns the names of the file, long ones first.
func (in *inode) names() []fileName { return namesIn(in.attrs) }

// names returns those that the record itself holds.
func (r *record) names() []fileName { return namesIn(r.attrs) }

func namesIn(attrs []attribute) (out []fileName) {
	for _, a := range attrs {
		if a.typ == typeFileName {
			if n, ok := parseFileName(a.value); ok {
				out = append(out, n)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b fileName) int { return cmp.Compare(order(a), order(b)) })
	return out
}

func order(n fileName) int {
	if n.dos {
		return 1
	}
	return 0
}

// info describes the file as found by name, or by its first name if that is nil.
func (in *inode) info(name *fileName) *Info {
	out := &Info{Record: in.num, Sequence: in.seq, Deleted: !in.inUse(), Damage: in.unknown()}
	for _, a := range in.attrs {
		switch a.typ {
		case typeStandardInformation:
			if len(a.value) >= 36 {
				out.SI = parseTimes(a.value)
				out.Attributes = binary.LittleEndian.Uint32(a.value[32:])
			}
		case typeData:
			if a.name != "" && a.start == 0 {
				out.Streams = append(out.Streams, a.name)
			} else if a.name == "" {
				out.Resident = a.resident
			}
		case typeReparsePoint:
			_, out.Reparse, _ = in.reparse()
		}
	}
	slices.Sort(out.Streams)
	if names := in.names(); name != nil {
		out.FN = name.times
	} else if len(names) > 0 {
		out.FN = names[0].times
	}
	return out
}

// size returns the size of the unnamed stream as the record claims it.
func (in *inode) size() int64 {
	for _, a := range in.attrs {
		if a.typ == typeData && a.name == "" && a.start == 0 {
			if a.resident {
				return int64(len(a.value))
			}
			return a.size
		}
	}
	return 0
}

type fileInfo struct {
	name string
	size int64
	dir  bool
	sys  *Info
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.size }
func (i *fileInfo) ModTime() time.Time { return i.sys.SI.Modified }
func (i *fileInfo) IsDir() bool        { return i.dir }
func (i *fileInfo) Sys() any           { return i.sys }
func (i *fileInfo) String() string     { return fs.FormatFileInfo(i) }

func (i *fileInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
