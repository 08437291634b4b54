package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"sharetrail/parsers/source"
)

var le = binary.LittleEndian

// Sizes of an event log, in bytes ([MS-EVEN6] 2.2; libevtx, "EVTX format").
const (
	logHeader   = 4096
	chunkSize   = 65536
	chunkHeader = 512
	recordHead  = 24 // in front of a record's BinXML
)

var errTruncated = errors.New("it is cut off")

// A record is one event record as its bytes state it.
type record struct {
	lent   []definition // that were at hand
	number uint64       // of the record header
	leaves []leaf
	whole  bool // the checksum of the chunk's records holds, and covers it
}

// A leaf is one value of the event: the content of an element, or an attribute.
type leaf struct {
	path string // names of elements from the root, joined by "/", and "@attribute"
	name string // Data's Name, else the last name of path
	text string
}

// A chunk is the part of a log that holds a record and the names that it uses.
type chunk struct {
	start int64 // in the file
	b     []byte
	free  int  // where the records end
	whole bool // the checksum of the records holds
}

// A definition is that of a template.
type definition struct {
	b  []byte // the chunk that it lies in
	at int    // where it begins there
}

// chunksAt returns the chunks that what lies at off may be of: one in a log, and
// in other bytes each of which the signature lies at a multiple of 512 in front of
// it, the nearest first.
func chunksAt(h source.Handle, kind source.FileKind, off int64) (list []*chunk, err error) {
	if kind != source.Raw {
		c, err := readChunk(h, logHeader+(off-logHeader)/chunkSize*chunkSize, off, h.Size())
		return []*chunk{c}, err
	}
	const sector = 512
	for start := off / sector * sector; start >= 0 && start > off-chunkSize; start -= sector {
		c, failed := readChunk(h, start, off, h.Size())
		if failed == nil {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no chunk of an event log lies around this offset")
	}
	return list, nil
}

// readChunk reads the chunk at start, which off lies in. limit is the end of the
// file.
func readChunk(r io.ReaderAt, start, off, limit int64) (*chunk, error) {
	c := &chunk{start: start}
	if start < 0 || off-c.start < chunkHeader || off+recordHead > limit {
		return nil, errors.New("there is no room for a record at this offset")
	}
	var signature [8]byte
	if _, err := r.ReadAt(signature[:], start); err != nil && err != io.EOF {
		return nil, err
	}
	if string(signature[:]) != "ElfChnk\x00" {
		return nil, fmt.Errorf("the chunk at %#x does not begin with ElfChnk", c.start)
	}
	c.b = make([]byte, min(chunkSize, limit-c.start))
	if _, err := r.ReadAt(c.b, c.start); err != nil && err != io.EOF {
		return nil, err
	}
	if c.free = int(le.Uint32(c.b[48:])); c.free >= chunkHeader && c.free <= len(c.b) {
		c.whole = crc32.ChecksumIEEE(c.b[chunkHeader:c.free]) == le.Uint32(c.b[52:])
	}
	return c, nil
}

// record reads the record at off, which lies in c. The templates in lent are
// taken where the chunk has another in their place.
func (c *chunk) record(off int64, lent []definition) (*record, error) {
	b, at := c.b, int(off-c.start)
	if at < chunkHeader || at+recordHead > len(b) {
		return nil, errors.New("there is no room for a record at this offset")
	}
	if le.Uint32(b[at:]) != 0x00002a2a {
		return nil, fmt.Errorf("no record begins at this offset: its bytes are % x", b[at:at+4])
	}
	size := int(le.Uint32(b[at+4:]))
	if size < recordHead+4 || size > len(b)-at {
		return nil, fmt.Errorf("the record's size is %d bytes, which the chunk has no room for", size)
	}
	if n := int(le.Uint32(b[at+size-4:])); n != size {
		return nil, fmt.Errorf("the record's size is %d bytes at its start and %d at its end", size, n)
	}
	rec := &record{lent: lent, number: le.Uint64(b[at+8:]), whole: c.whole && at+size <= c.free}
	x := &xml{b: b, end: at + size - 4, off: at + recordHead, rec: rec}
	if err := x.document(nil); err != nil {
		return nil, fmt.Errorf("the record's BinXML at %#x: %w", c.start+int64(x.off), err)
	}
	return rec, nil
}

// get returns the text at path, "" if there is none.
func (r *record) get(path string) string {
	for _, l := range r.leaves {
		if l.path == path {
			return l.text
		}
	}
	return ""
}

// Bounds of one record.
const (
	maxTokens = 1 << 16
	maxText   = 16 << 20 // bytes of all values and paths
	maxLevel  = 32       // documents in documents, and elements in elements
)

// An xml reads BinXML ([MS-EVEN6] 2.2.12).
type xml struct {
	b        []byte // the chunk
	off, end int
	rec      *record

	names  []string // of the elements that are open
	attr   string   // whose value follows, "" in content
	data   string   // Name of the element that is open
	text   strings.Builder
	filled bool
	inDef  bool // in the definition of a template
	level  int
	tokens int
	spent  int // bytes of text
}

func (x *xml) take(n int) ([]byte, error) {
	if n < 0 || n > x.end-x.off {
		return nil, errTruncated
	}
	x.off += n
	return x.b[x.off-n : x.off], nil
}

func (x *xml) u16() (int, error) {
	b, err := x.take(2)
	if err != nil {
		return 0, err
	}
	return int(le.Uint16(b)), nil
}

func (x *xml) u32() (int, error) {
	b, err := x.take(4)
	if err != nil {
		return 0, err
	}
	return int(le.Uint32(b)), nil
}

// name reads a name: where it lies in the chunk, and itself if it lies here.
func (x *xml) name() (string, error) {
	at, err := x.u32()
	if err != nil {
		return "", err
	}
	if at < 0 || at > len(x.b)-8 {
		return "", fmt.Errorf("a name lies at %#x, outside the chunk", at)
	}
	n := 2 * int(le.Uint16(x.b[at+6:]))
	if n > len(x.b)-at-8 {
		return "", errTruncated
	}
	if at == x.off {
		if _, err := x.take(8 + n + 2); err != nil { // with a NUL
			return "", err
		}
	}
	return utf16LE(x.b[at+8 : at+8+n]), nil
}

// document reads tokens up to the end of a fragment. values are those of the
// template that it is the definition of.
func (x *xml) document(values []value) error {
	if x.level++; x.level > maxLevel {
		return errors.New("documents are nested too deep")
	}
	defer func() { x.level-- }()
	for x.off < x.end {
		if x.tokens++; x.tokens > maxTokens || x.spent > maxText {
			return errors.New("it has too many tokens or too much text")
		}
		t := x.b[x.off]
		x.off++
		if t == 0 {
			return nil
		}
		if err := x.token(t, values); err != nil {
			return err
		}
	}
	return nil
}

func (x *xml) token(t byte, values []value) error {
	switch t {
	case 0x0f: // fragment header
		_, err := x.take(3)
		return err
	case 0x01, 0x41: // <name
		return x.open(t&0x40 != 0)
	case 0x02: // >
		x.flush()
		x.attr = ""
		return nil
	case 0x03, 0x04: // />, </name>
		x.flush()
		x.attr, x.data = "", ""
		if len(x.names) == 0 {
			return errors.New("an element ends that did not begin")
		}
		x.names = x.names[:len(x.names)-1]
		return nil
	case 0x06, 0x46: // name=
		x.flush()
		s, err := x.name()
		x.attr = s
		return err
	case 0x0c:
		return x.instance()
	case 0x0d, 0x0e: // value of the template's instance
		b, err := x.take(3)
		if err != nil {
			return err
		}
		if i := int(le.Uint16(b)); i < len(values) {
			return x.value(values[i])
		}
		return nil
	case 0x05, 0x45: // text
		if b, err := x.take(1); err != nil || b[0] != typeString {
			return errors.New("a text is of another type")
		}
		return x.chars()
	case 0x07, 0x47, 0x0b: // CDATA, data of a processing instruction
		return x.chars()
	case 0x08, 0x48: // &#n;
		b, err := x.take(2)
		x.put(utf16LE(b))
		return err
	case 0x09, 0x49: // &name;
		s, err := x.name()
		x.put(entities[s])
		return err
	case 0x0a:
		_, err := x.name()
		return err
	}
	return fmt.Errorf("token %#x is unknown", t)
}

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

func (x *xml) chars() error {
	n, err := x.u16()
	if err != nil {
		return err
	}
	b, err := x.take(2 * n)
	x.put(utf16LE(b))
	return err
}

func (x *xml) put(s string) {
	x.text.WriteString(s)
	x.spent += len(s)
	x.filled = true
}

func (x *xml) open(attributes bool) error {
	x.flush()
	head := 4 // size of the element
	if x.inDef {
		head += 2 // dependency identifier
	}
	if _, err := x.take(head); err != nil {
		return err
	}
	s, err := x.name()
	if err == nil && attributes {
		_, err = x.take(4) // size of the attributes
	}
	if len(x.names) >= maxLevel {
		return errors.New("elements are nested too deep")
	}
	x.names, x.attr, x.data = append(x.names, s), "", ""
	return err
}

// flush ends the value that is being read.
func (x *xml) flush() {
	if !x.filled || len(x.names) == 0 {
		return
	}
	l := leaf{path: strings.Join(x.names, "/"), name: x.names[len(x.names)-1], text: x.text.String()}
	x.text.Reset()
	x.filled = false
	switch {
	case x.attr != "":
		l.path += "@" + x.attr
		l.name += "@" + x.attr
		if x.attr == "Name" && strings.HasSuffix(l.path, "/Data@Name") {
			x.data = l.text
			return
		}
	case x.data != "":
		l.name = x.data
	}
	x.spent += len(l.path) + len(l.name)
	x.rec.leaves = append(x.rec.leaves, l)
}
