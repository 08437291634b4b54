package eventlog

import (
	"sharetrail/parsers/binread"
)

// Token types, [MS-EVEN6] 2.2.12; tokenMore marks an element with attributes,
// an attribute with a next one or a value with more text.
const (
	tokenEOF          = 0x00
	tokenOpenStart    = 0x01
	tokenCloseStart   = 0x02
	tokenCloseEmpty   = 0x03
	tokenEnd          = 0x04
	tokenValue        = 0x05
	tokenAttribute    = 0x06
	tokenCDATA        = 0x07
	tokenCharRef      = 0x08
	tokenEntityRef    = 0x09
	tokenPITarget     = 0x0a
	tokenPIData       = 0x0b
	tokenInstance     = 0x0c
	tokenSubstitution = 0x0d
	tokenOptional     = 0x0e
	tokenFragment     = 0x0f
	tokenMore         = 0x40
)

// Bounds of what one chunk may cost. Real chunks stay below a tenth of them.
const (
	maxDepth  = 16      // of nested fragments and of template instances
	maxNest   = 64      // of elements in one fragment
	maxName   = 512     // UTF-16 units of an element or attribute name
	maxSteps  = 1 << 20 // tokens and values read in one chunk
	maxBytes  = 8 << 20 // bytes of values decoded in one chunk
	maxOps    = 1 << 16 // parts of all template definitions in one chunk
	maxIntern = 4096    // distinct strings kept by a decoder
)

// A piece is one part of the content of an element or attribute.
type piece struct {
	typ      byte
	raw      []byte // in the chunk: valid until the next chunk
	sub      int    // substitution number while a template is compiled, else -1
	declared byte   // type that the template gives
}

// A sink takes the parts of a document in order.
type sink interface {
	open(name string) error
	attr(name string) error
	content(p piece) error // of the last attribute until body, then of the element
	body() error           // attributes end, content begins
	close() error
}

// A decoder reads the BinXML of one chunk at a time.
type decoder struct {
	b     []byte // the chunk, always chunkSize bytes
	base  int64  // of the chunk in the file
	steps int    // left
	bytes int    // left

	names map[uint32]name
	plans map[uint32]*template
	// recent is a part of plans that costs less to look up.
	recent [32]struct {
		def uint32
		t   *template
	}
	defs map[uint32]uint32 // offset of an inline definition → id of the instance it came with
	ops  []op              // of all templates, see template.ops
	offs []int             // value offsets of the instances being read, innermost last

	strings map[string]string
	latest  [sysNone]latestValue
	known   []latestValue // names, by the low byte of their hash; nil in the first chunk
	cache   []cachedValue

	// Where records may be overwritten in part:
	strict   bool       // names must have the hash that is stored with them
	foreign  *lender    // definitions of other chunks; nil for none
	borrowed []*foreign // those that were used
	scratch  []byte
	tally    tally
}

type name struct {
	s    string
	next int // offset behind the name
}

func newDecoder() *decoder {
	return &decoder{
		names:   make(map[uint32]name),
		plans:   make(map[uint32]*template),
		defs:    make(map[uint32]uint32),
		strings: make(map[string]string),
	}
}

func (d *decoder) reset(b []byte, base int64) {
	if d.b != nil && d.known == nil {
		d.known = make([]latestValue, 256)
	}
	d.b, d.base = b, base
	d.steps, d.bytes = maxSteps, maxBytes
	clear(d.names)
	clear(d.plans)
	clear(d.recent[:])
	clear(d.defs)
	d.offs = d.offs[:0]
	d.ops = d.ops[:0]
}

func (d *decoder) errorf(off int, field, format string, args ...any) error {
	return binread.Errorf(d.base+int64(off), field, format, args...)
}

// step accounts for work; a chunk that is made to cost more than any real one
// is given up.
func (d *decoder) step(off int) error {
	if d.steps--; d.steps < 0 {
		return d.errorf(off, "BinXML", "chunk needs more than %d steps", maxSteps)
	}
	return nil
}

func (d *decoder) spend(off, n int) error {
	if d.bytes -= n; d.bytes < 0 {
		return d.errorf(off, "BinXML", "chunk holds more than %d bytes of values", maxBytes)
	}
	return nil
}

// A walker reads one fragment: tokens from off to end.
type walker struct {
	*decoder
	off, end int
	in       *instance // whose document is played; nil in a fragment that is read
	compile  bool      // substitutions are named, not replaced
	inDef    bool      // elements carry a dependency identifier
	level    int       // of fragments
	open     int       // elements
	inStart  bool      // between an element's name and the end of its start tag
	odd      bool      // the library misreads something in it
	sink     sink
}

// walk sends the fragment in [off, end) to s. It ends at the end-of-fragment
// token, or at end if no element is open.
func (d *decoder) walk(off, end int, s sink) error {
	w := walker{decoder: d, off: off, end: end, sink: s}
	return w.run()
}

func (w *walker) run() error {
	if w.level > maxDepth {
		return w.errorf(w.off, "BinXML", "nested deeper than %d", maxDepth)
	}
	ended := false
	for w.off < w.end {
		if err := w.step(w.off); err != nil {
			return err
		}
		at, t := w.off, w.b[w.off]
		w.off++
		if t == tokenEOF {
			ended = true
			break
		}
		if err := w.token(t); err != nil {
			return err
		}
		if w.off > w.end {
			return w.errorf(at, "BinXML token", "%#x: %w", t, binread.ErrTruncated)
		}
	}
	w.odd = w.odd || !ended
	if w.open != 0 {
		return w.errorf(w.off, "BinXML", "%d elements are not closed: %w", w.open, binread.ErrTruncated)
	}
	return nil
}

func (w *walker) token(t byte) error {
	switch t {
	case tokenFragment:
		w.off += 3
	case tokenOpenStart, tokenOpenStart | tokenMore:
		return w.openStart(t)
	case tokenCloseStart:
		w.inStart = false
		return w.sink.body()
	case tokenCloseEmpty, tokenEnd:
		if w.open == 0 {
			return w.errorf(w.off-1, "BinXML token", "%#x closes no element", t)
		}
		w.open--
		w.inStart = false
		return w.sink.close()
	case tokenAttribute, tokenAttribute | tokenMore:
		if !w.inStart {
			return w.errorf(w.off-1, "BinXML token", "attribute outside a start tag")
		}
		s, next, err := w.name(w.off, w.end)
		if err != nil {
			return err
		}
		w.off = next
		return w.sink.attr(s)
	case tokenInstance:
		return w.instance()
	case tokenSubstitution, tokenOptional:
		return w.substitution()
	default:
		return w.literal(t)
	}
	return nil
}

func (w *walker) openStart(t byte) error {
	if w.inStart {
		return w.errorf(w.off-1, "BinXML token", "element inside a start tag")
	}
	if w.inDef {
		w.off += 2 // dependency identifier
	}
	s, next, err := w.name(w.off+4, w.end) // behind the element's length
	if err != nil {
		return err
	}
	if w.off = next; t&tokenMore != 0 {
		w.off += 4 // length of the attribute list
	}
	if w.open++; w.open > maxNest {
		return w.errorf(w.off, "element", "nested deeper than %d", maxNest)
	}
	w.inStart = true
	return w.sink.open(s)
}
