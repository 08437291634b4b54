package container

import "testing"

// EnCase 6.7 wrote tables over more than 2 GiB of chunk data: bit 31 then belongs
// to the offset.
func TestE01WideEntries(t *testing.T) {
	var list []byte
	for _, x := range []uint32{0x80001000, 0x00009000, 0x7fff8000, 0x80000000, 0xfffff000} {
		list = le.AppendUint32(list, x)
	}
	tab := ewfTable{n: 5, base: 0x100}
	tab.widen(list)
	for k, want := range []struct {
		off    int64
		packed bool
	}{{0x1100, true}, {0x9100, false}, {0x7fff8100, false}, {0x80000100, false}, {0xfffff100, false}} {
		if off, packed := tab.entry(list, int64(k)); off != want.off || packed != want.packed {
			t.Errorf("entry %d: %#x, %v; want %#x, %v", k, off, packed, want.off, want.packed)
		}
	}
	// Offsets that fall back for another reason are left alone.
	list = le.AppendUint32(le.AppendUint32(nil, 0x5000), 0x80001000)
	tab = ewfTable{n: 2}
	tab.widen(list)
	if off, packed := tab.entry(list, 1); off != 0x1000 || !packed {
		t.Errorf("entry 1: %#x, %v", off, packed)
	}
}

// Hostile counts must not be believed: nothing is allocated for them.
func TestE01HostileCounts(t *testing.T) {
	f := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 99}.write("a.E01")
	b := f["a.E01"]
	for _, kind := range []string{"table", "table2"} {
		at := sectionAt(b, kind, 0) + 76
		le.PutUint32(b[at:], 1<<31)
		copy(b[at:], withSum(b[at:at+20]))
	}
	var err error
	n := testing.AllocsPerRun(1, func() { _, err = f.open("a.E01") })
	if err != nil || n > 1000 {
		t.Errorf("%v, %v allocations", err, n)
	}
	im, err := f.open("a.E01")
	if err != nil {
		t.Fatal(err)
	}
	if failed, _ := readAll(t, im, disk); failed != 7*8 {
		t.Errorf("%d sectors failed", failed)
	}
	v := sectionAt(b, "volume", 0) + 76
	for _, geometry := range [][2]uint32{{1 << 31, 512}, {0, 512}, {64, 0}, {64, 1 << 31}, {1 << 20, 1 << 20}} {
		le.PutUint32(b[v+8:], geometry[0])
		le.PutUint32(b[v+12:], geometry[1])
		copy(b[v:], withSum(b[v:v+1048]))
		if _, err := f.open("a.E01"); err == nil {
			t.Errorf("chunks of %d sectors of %d bytes: no error", geometry[0], geometry[1])
		}
	}
}
