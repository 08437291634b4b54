package ntfs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

func TestLZNT1(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
	}{
		{"nothing", "", "\x00\x00\x00\x00"},
		{"end at once", "0000", "\x00\x00\x00\x00"},
		{"stored", "0330 61626364", "abcd"},
		{"stored, rest zero", "0130 6162", "ab\x00\x00"},
		{"literals", "04b0 00 61626364", "abcd"},
		{"run", "03b0 02 61 0100", "aaaaa"},    // distance 1, length 4
		{"pair", "04b0 04 6162 0010", "ababa"}, // distance 2, length 3
		{"two chunks", "00b0 00 0030 61", strings.Repeat("\x00", 4096) + "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := hex.DecodeString(strings.ReplaceAll(c.in, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			out := bytes.Repeat([]byte{0xee}, len(c.want))
			if _, _, err := lznt1(out, in); err != nil || string(out) != c.want {
				t.Errorf("%q, %v; want %q", out, err, c.want)
			}
		})
	}
}

func TestLZNT1RoundTrip(t *testing.T) {
	for _, b := range [][]byte{pattern(1, 65536), bytes.Repeat([]byte{1}, 65536), []byte(strings.Repeat("the share \\\\fs01\\finance was mapped; ", 3000)), {5}} {
		out := make([]byte, len(b))
		packed := ntfstest.LZNT1(b)
		if _, _, err := lznt1(out, packed); err != nil || !bytes.Equal(out, b) {
			t.Errorf("%d bytes packed to %d: %v", len(b), len(packed), err)
		}
	}
}

func TestLZNT1Damage(t *testing.T) {
	for _, s := range []string{"ff3f 61", "00b0", "04b0 02 61 ff00 00", "02b0 01 0000", "03b0 02 61 ff0f", "0100 61", "0190 0061"} {
		in, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := lznt1(make([]byte, 16), in); !errors.Is(err, errLZNT1) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// packXpress encodes b with a code of 9 bits for each symbol and matches of up
// to 17 bytes, which need no bytes between the words.
func packXpress(b []byte) []byte {
	out := bytes.Repeat([]byte{0x99}, 256)
	var acc uint64
	bits := 0
	put := func(v, n int) {
		acc = acc<<n | uint64(v)
		for bits += n; bits >= 16; bits -= 16 {
			out = binary.LittleEndian.AppendUint16(out, uint16(acc>>(bits-16)))
		}
	}
	for p := 0; p < len(b); {
		best, distance := 0, 0
		for d := 1; d <= min(p, 300); d++ {
			n := 0
			for n < 17 && p+n < len(b) && b[p+n] == b[p+n-d] {
				n++
			}
			if n > best {
				best, distance = n, d
			}
		}
		if best < 3 {
			put(int(b[p]), 9)
			p++
			continue
		}
		log := 0
		for distance>>(log+1) > 0 {
			log++
		}
		put(256+log<<4+best-3, 9)
		put(distance-1<<log, log)
		p += best
	}
	put(0, (16-bits%16)%16)
	return append(out, 0, 0, 0, 0)
}

// packWOF makes the stream WofCompressedData: compressed chunks, or stored ones
// where that is not smaller.
func packWOF(b []byte, chunk int, pack func([]byte) []byte) []byte {
	var table, out []byte
	for p := 0; p < len(b); p += chunk {
		c := b[p:min(len(b), p+chunk)]
		if packed := pack(c); len(packed) < len(c) {
			c = packed
		}
		out = append(out, c...)
		if p+chunk < len(b) {
			table = binary.LittleEndian.AppendUint32(table, uint32(len(out)))
		}
	}
	return append(table, out...)
}

// wofReparse is the reparse point of a WOF file.
func wofReparse(provider, algorithm uint32) (b []byte) {
	for _, v := range []uint32{tagWOF, 16, 1, provider, 1, algorithm} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func wofFiles(name string, b []byte, algorithm uint32, stream []byte) ntfstest.File {
	return ntfstest.File{Path: name, Data: make([]byte, len(b)), Sparse: true, Reparse: wofReparse(2, algorithm), Streams: []ntfstest.Stream{{Name: "WofCompressedData", Data: stream}}}
}

var mixed = slices.Concat(bytes.Repeat([]byte("Kernel-General "), 3000), pattern(11, 40_000), make([]byte, 20_001))

func TestWOF(t *testing.T) {
	var v ntfstest.Volume
	for algorithm, chunk := range map[uint32]int{0: 4096, 2: 8192, 3: 16384} {
		v.Files = append(v.Files, wofFiles(fmt.Sprint(algorithm), mixed, algorithm, packWOF(mixed, chunk, packXpress)))
	}
	slices.SortFunc(v.Files, func(a, b ntfstest.File) int { return strings.Compare(a.Path, b.Path) })
	good := packWOF(mixed, 4096, packXpress)
	bad := slices.Clone(good)
	copy(bad[len(mixed)/4096*4+20:], bytes.Repeat([]byte{0xff}, 300))
	v.Files = append(v.Files,
		wofFiles("empty", nil, 0, nil),
		wofFiles("one", []byte("a"), 1, []byte("a")),
		wofFiles("bad", mixed, 0, bad),
		wofFiles("cut", mixed, 0, good[:50]),
		wofFiles("unknown", mixed, 7, good),
		ntfstest.File{Path: "wim", Data: make([]byte, 9), Reparse: wofReparse(1, 0)},
		ntfstest.File{Path: "bare", Data: make([]byte, 9), Reparse: wofReparse(2, 0)})
	f := mustOpen(t, mustBuild(t, v))
	for _, name := range []string{"0", "2", "3"} {
		b, err := fs.ReadFile(f, name)
		if err != nil || !bytes.Equal(b, mixed) {
			t.Errorf("algorithm %s: %d bytes, %v", name, len(b), err)
		}
	}
	for name, want := range map[string]string{"empty": "", "one": "a"} {
		if b, err := fs.ReadFile(f, name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, name := range []string{"bad", "cut", "unknown", "wim", "bare"} {
		b, err := fs.ReadFile(f, name)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v; want an error that is not fs.ErrNotExist", name, len(b), err)
		}
		if fi, err := f.Stat(name); err != nil || fi.Sys().(*Info).Reparse != "compressed by WOF" {
			t.Errorf("%s: %+v, %v", name, fi, err)
		}
	}
	if d, err := fs.ReadFile(f, "0:WofCompressedData"); err != nil || !bytes.Equal(d, good) {
		t.Errorf("stream: %d bytes, %v", len(d), err)
	}
}

func TestLZXStored(t *testing.T) {
	// One uncompressed block: type 3, size in 16 bits, padding, R0 to R2, bytes.
	in := binary.LittleEndian.AppendUint16(nil, 3<<13) // and the first 12 bits of the size
	in = binary.LittleEndian.AppendUint16(in, 5<<12)
	for range 3 {
		in = binary.LittleEndian.AppendUint32(in, 1)
	}
	in = append(in, "hello\x00"...)
	out := make([]byte, 5)
	if err := lzx(out, in); err != nil || string(out) != "hello" {
		t.Errorf("%q, %v", out, err)
	}
	if err := lzx(out, in[:18]); !errors.Is(err, errLZX) {
		t.Errorf("cut: %v", err)
	}
	if err := lzx(make([]byte, 4), in); !errors.Is(err, errLZX) {
		t.Errorf("block larger than the chunk: %v", err)
	}
}

// TestWimlib reads what another program compressed.
func TestWimlib(t *testing.T) {
	code := make([]byte, 150_000) // with calls, as programs have them
	for i := range code {
		if code[i] = byte(i * i >> 9); i%37 == 0 {
			code[i] = 0xe8
		}
	}
	for _, c := range []struct {
		kind      string
		chunk     int
		algorithm uint32
	}{{"XPRESS", 4096, 0}, {"LZX", 32768, 1}, {"XPRESS", 8192, 2}, {"XPRESS", 16384, 3}} {
		for i, data := range [][]byte{mixed, code, bytes.Repeat([]byte{0}, 100_000), pattern(12, 200_000)[:65_537]} {
			t.Run(fmt.Sprintf("%s-%d-%d", c.kind, c.chunk, i), func(t *testing.T) {
				stream := wimStream(t, data, c.kind, c.chunk)
				f := mustOpen(t, mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{wofFiles("f", data, c.algorithm, stream)}}))
				if b, err := fs.ReadFile(f, "f"); err != nil || !bytes.Equal(b, data) {
					t.Errorf("%d bytes, %v; want %d", len(b), err, len(data))
				}
			})
		}
	}
}

// wimStream returns data as a resource of a WIM file, which has the form of the
// stream WofCompressedData.
func wimStream(t *testing.T, data []byte, kind string, chunk int) []byte {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.wim")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "f"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	oracle(t, "wimlib-imagex", "capture", in, out, "--compress="+kind, fmt.Sprintf("--chunk-size=%d", chunk), "--no-acls")
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	resource := func(at uint64) (stored []byte, size uint64) {
		n, off := le.Uint64(b[at:])&(1<<56-1), le.Uint64(b[at+8:])
		return b[off : off+n], le.Uint64(b[at+16:])
	}
	table, _ := resource(48)
	start := le.Uint64(b[56:])
	for p := uint64(0); p+50 <= uint64(len(table)); p += 50 {
		if stored, size := resource(start + p); size == uint64(len(data)) && len(stored) < len(data) {
			return stored
		}
	}
	t.Fatal("no compressed resource in the WIM file")
	return nil
}
