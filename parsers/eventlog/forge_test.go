package eventlog

import (
	"bytes"
	"fmt"
)

// A forge writes one chunk by hand, to say what no sound writer says.
type forge struct {
	b      []byte
	off, n int
}

func newForge() *forge { return &forge{b: make([]byte, chunkSize), off: chunkHeaderSize} }

func (f *forge) u8(v ...byte)   { f.off += copy(f.b[f.off:], v) }
func (f *forge) u16(v int)      { f.u8(le.AppendUint16(nil, uint16(v))...) }
func (f *forge) u32(v int)      { f.u8(le.AppendUint32(nil, uint32(v))...) }
func (f *forge) u64(v uint64)   { f.u8(le.AppendUint64(nil, v)...) }
func (f *forge) chars(s string) { f.u8(chars(s)...) }

func chars(s string) (b []byte) {
	for _, r := range s {
		b = le.AppendUint16(b, uint16(r))
	}
	return b
}

func (f *forge) record(body func()) {
	at := f.off
	f.n++
	f.u8(0x2a, 0x2a, 0, 0)
	f.u32(0)
	f.u64(uint64(f.n))
	f.u64(132000000000000000)
	body()
	size := f.off + 4 - at
	f.u32(size)
	le.PutUint32(f.b[at+4:], uint32(size))
}

func (f *forge) name(s string) {
	f.u32(f.off + 4)
	f.u32(0)
	f.u16(0)
	f.u16(len(s))
	f.chars(s)
	f.u16(0)
}

func (f *forge) open(name string) { f.u8(0x01); f.u16(0xffff); f.u32(0); f.name(name); f.u8(0x02) }
func (f *forge) text(s string)    { f.u8(0x05, 1); f.u16(len(s)); f.chars(s) }
func (f *forge) close()           { f.u8(0x04) }

// template writes an instance with its definition up to the values: an event
// with System and one element F0, F1, … a value in EventData.
func (f *forge) template(id int, types []byte, extra func()) {
	f.u8(0x0c, 1)
	f.u32(id)
	f.u32(f.off + 4)
	f.u32(0)
	f.u32(id)
	f.off += 12
	size := f.off
	f.u32(0)
	f.u8(0x0f, 1, 1, 0)
	f.open("Event")
	f.open("System")
	f.open("EventRecordID")
	f.text("1")
	f.close()
	f.close()
	f.open("EventData")
	for i, t := range types {
		f.open(fmt.Sprintf("F%d", i))
		f.u8(0x0d)
		f.u16(i)
		f.u8(t)
		f.close()
	}
	if extra != nil {
		extra()
	}
	f.close()
	f.close()
	f.u8(0)
	le.PutUint32(f.b[size:], uint32(f.off-size-4))
}

type forgedValue struct {
	typ int
	b   []byte
}

func (f *forge) values(list ...forgedValue) {
	f.u32(len(list))
	for _, v := range list {
		f.u16(len(v.b))
		f.u16(v.typ)
	}
	for _, v := range list {
		f.u8(v.b...)
	}
	f.u8(0)
}

// log returns a file with the chunk, without a file header.
func (f *forge) log() []byte {
	b := bytes.Clone(f.b)
	copy(b, chunkMagic)
	le.PutUint64(b[8:], 1)
	le.PutUint64(b[16:], uint64(f.n))
	le.PutUint32(b[48:], uint32(min(f.off, chunkSize)))
	return b
}
