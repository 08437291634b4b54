package hive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/binread/costtest"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

var le = binary.LittleEndian

type result struct {
	keys, values int
	errs         []error
	digest       uint64 // of all keys and values
}

// readAll reads all there is through every method, and checks what must hold
// for any input: damage is never called absence, and has an offset.
func readAll(t *testing.T, h *hive.Hive) (r result) {
	sum := fnv.New64a()
	defer func() { r.digest = sum.Sum64() }()
	bad := func(err error) {
		r.errs = append(r.errs, err)
		if !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) || binread.Offset(err) < 0 {
			t.Errorf("error %v: must be damage with an offset", err)
		}
	}
	for k, err := range h.Walk() {
		if err != nil {
			bad(err)
			continue
		}
		r.keys++
		fmt.Fprintf(sum, "%s\x00%d\x00", k.Path, k.LastWrite.UnixNano())
		for v, err := range k.Values() {
			if err != nil {
				bad(err)
				continue
			}
			r.values++
			b, err := v.Bytes()
			fmt.Fprintf(sum, "%s\x00%d\x00%x\x00", v.Name, v.Type, b)
			if err != nil {
				bad(err)
			} else if len(b) != int(v.Size) {
				t.Errorf("%s\\%s: %d bytes of %d without an error", k.Path, v.Name, len(b), v.Size)
			}
			if _, _, err := v.Text(); err != nil && !errors.Is(err, hive.ErrType) {
				bad(err)
			}
			if _, err := v.Strings(); err != nil && !errors.Is(err, hive.ErrType) {
				bad(err)
			}
			v.Uint()
		}
	}
	for _, path := range []string{`Network\Z`, `Software\Many\key0001`, `Network\none`} {
		if k, err := h.Key(path); err == nil {
			if _, err := k.Value("RemotePath"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				bad(err)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			bad(err)
		} else if k == nil {
			t.Errorf("%s: absent without an ancestor", path)
		}
	}
	h.Problems()
	return r
}

const seedText = `!seq=3,2
[Network\Z] 2026-03-01T10:00:00.1234567Z
RemotePath=\\fs01\finance
UserName=
ConnectionType=dword:1
List=multi:one|two
[Software\Общий]utf16
Long=qword:1
[Software\Many\key0001]
[Software\Many\key0002]
[Software\Many\key0003]
x=hex:00
[Software\Many\key0004]
[Software\Many\key0005]
`

func seeds(t testing.TB) [][]byte {
	var list [][]byte
	for _, o := range []hivetest.BuildOptions{{}, {List: "lf"}, {List: "li", Leaf: 2}, {Leaf: 2}} {
		for _, text := range []string{seedText, "[Big]\nv=hex:" + strings.Repeat("db", 33000) + "\n" + seedText} {
			b, err := o.Build(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, b)
		}
	}
	return list
}

func FuzzOpenWalk(f *testing.F) {
	for _, b := range seeds(f) {
		if len(b) <= 3*4096 { // big ones drown the fuzzer
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := hive.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, hive.ErrDamaged) || binread.Offset(err) < 0 {
				t.Errorf("error %v: must be damage with an offset", err)
			}
			return
		}
		readAll(t, h)
	})
}

// references returns the file offsets of all 32-bit words of a built hive that
// steer a reader: cell and bin sizes, references, counts, signatures.
func references(image []byte) (at []int, cells []uint32) {
	at = append(at, 4, 20, 24, 28, 36, 40)
	for bin := 4096; bin < len(image); bin += int(le.Uint32(image[bin+8:])) {
		at = append(at, bin, bin+4, bin+8)
		end := bin + int(le.Uint32(image[bin+8:]))
		for c := bin + 32; c < end; {
			size := int(int32(le.Uint32(image[c:])))
			cells = append(cells, uint32(c-4096))
			n := max(size, -size)
			for w := 0; w < min(n, 88); w += 4 {
				at = append(at, c+w)
			}
			c += n
		}
	}
	return at, cells
}

// TestMutants changes what steers a reader, to values that are likely to hurt.
func TestMutants(t *testing.T) {
	mutants := 50_000
	if testing.Short() {
		mutants = 4000
	}
	rng := rand.New(rand.NewPCG(1, 2))
	all := seeds(t)
	var sound []uint64
	for _, image := range all {
		h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
		if err != nil {
			t.Fatal(err)
		}
		sound = append(sound, readAll(t, h).digest)
	}
	opened, noticed, worst := 0, 0, costtest.Worst{}
	for i := range mutants {
		image := bytes.Clone(all[i%len(all)])
		at, cells := references(image)
		for range 1 + rng.IntN(4) {
			word := image[at[rng.IntN(len(at))]:]
			switch rng.IntN(6) {
			case 0, 1: // another cell: loops, shared lists, wrong types
				le.PutUint32(word, cells[rng.IntN(len(cells))])
			case 2:
				edge := []uint32{0, 1, 7, 8, 0xffff, 0x7fffffff, 0x80000000, 0x80000005, 0xfffffff8, 0xffffffff, uint32(len(image) - 4096)}
				le.PutUint32(word, edge[rng.IntN(len(edge))])
			case 3:
				copy(word, []string{"lf", "lh", "li", "ri", "nk", "vk", "db", "hbin"}[rng.IntN(8)])
			case 4:
				le.PutUint16(word[2*rng.IntN(2):], uint16(rng.Uint32()))
			case 5:
				word[rng.IntN(4)] ^= 1 << rng.IntN(8)
			}
		}
		open, seen := false, true
		worst.Read(func() {
			if h, err := hive.Open(bytes.NewReader(image), int64(len(image))); err == nil {
				r := readAll(t, h)
				open, seen = true, len(r.errs) > 0 || r.digest != sound[i%len(all)]
			}
		})
		if open {
			opened++
		}
		if seen {
			noticed++
		}
	}
	t.Logf("%d of %d mutants change what is read, or are an error", noticed, mutants)
	if noticed < mutants/2 {
		t.Errorf("%d of %d mutants are noticed: the others test nothing", noticed, mutants)
	}
	t.Logf("%d of %d mutants opened", opened, mutants)
	if opened < mutants/4 {
		t.Errorf("only %d of %d mutants opened: the rest tests nothing", opened, mutants)
	}
	worst.Check(t, "hives")
}

// TestOverlap is the worst a forged hive can do: every list entry leads to keys
// and values that lie inside one another.
func TestOverlap(t *testing.T) {
	const size = 1 << 20
	image := make([]byte, 4096+size)
	b, err := hivetest.Build("")
	if err != nil {
		t.Fatal(err)
	}
	copy(image, b[:4096])
	le.PutUint32(image[40:], size)
	copy(image[4096:], "hbin")
	le.PutUint32(image[4096+8:], size)
	// One key node every 96 bytes. Each cell runs to the end of the bin, and
	// all share one subkey list of 65,535 entries, one value list and one value.
	cellAt := func(ref int) []byte {
		le.PutUint32(image[4096+ref:], uint32(-(size - ref)))
		return image[4096+ref+4:]
	}
	const lists, value, keys = 32, 32 + 8 + 65535*8, 32 + 8 + 65535*8 + 1024
	n := (size - keys) / 96
	list := cellAt(lists)
	copy(list, "lh")
	le.PutUint16(list[2:], 65535)
	for i := range 65535 {
		le.PutUint32(list[4+8*i:], uint32(keys+96*(i%n)))
	}
	vk := cellAt(value)
	copy(vk, "vk")
	le.PutUint16(vk[2:], 1000)
	le.PutUint32(vk[4:], size/2)
	le.PutUint32(vk[8:], lists)
	for i := range n {
		nk := cellAt(keys + 96*i)
		copy(nk, "nk")
		le.PutUint32(nk[20:], 65535)
		le.PutUint32(nk[28:], lists)
		le.PutUint32(nk[36:], 1)
		le.PutUint32(nk[40:], uint32(keys+96*i+80))
		le.PutUint32(nk[76:], 0xfffffff8) // the value list, a cell inside the cell
		le.PutUint32(nk[80:], value)
	}
	le.PutUint32(image[36:], keys)
	start, before := time.Now(), costtest.Allocated()
	h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	r := readAll(t, h)
	t.Logf("%d keys, %d values, %d errors, %v, %d MiB", r.keys, r.values, len(r.errs), time.Since(start), (costtest.Allocated()-before)>>20)
	if r.values < 2 || !strings.Contains(fmt.Sprint(r.errs), "too many times") {
		t.Error("the forged lists were not read to the end of the budget")
	}
	if time.Since(start) > 20*time.Second || costtest.Allocated()-before > 1<<30 {
		t.Error("work is not bounded")
	}
}
