package huffman

import "testing"

// TestCode builds codes of every shape and decodes each code with anything behind it.
func TestCode(t *testing.T) {
	for _, test := range []struct {
		name     string
		lengths  []uint8
		ok, full bool
	}{
		{"none", []uint8{0, 0, 0}, true, false},
		{"one", []uint8{0, 1}, true, false},
		{"two", []uint8{1, 1}, true, true},
		{"RFC 1951, 3.2.2", []uint8{3, 3, 3, 3, 3, 2, 4, 4}, true, true},
		{"all lengths", []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16}, true, true},
		{"a hole", []uint8{1, 2, 16}, true, false},
		{"too many", []uint8{1, 1, 16}, false, false},
	} {
		var c Code
		if ok := c.Set(test.lengths); ok != test.ok || ok && c.Complete() != test.full {
			t.Errorf("%s: %v, complete %v", test.name, ok, c.Complete())
			continue
		} else if !ok {
			continue
		}
		decoded := map[int]int{} // rows of 16 bits, by symbol
		none := 0
		for row := range uint32(1 << 16) {
			if s, l := c.Decode(row); l == 0 {
				none++
			} else if l != int(test.lengths[s]) {
				t.Fatalf("%s: %016b is %d of %d bits", test.name, row, s, l)
			} else {
				decoded[s]++
			}
		}
		for s, l := range test.lengths {
			if l > 0 && decoded[s] != 1<<(16-l) {
				t.Errorf("%s: symbol %d: %d rows", test.name, s, decoded[s])
			}
		}
		if none != c.left {
			t.Errorf("%s: %d rows stand for nothing, want %d", test.name, none, c.left)
		}
	}
}

// TestCanonical: the codes of RFC 1951, 3.2.2.
func TestCanonical(t *testing.T) {
	var c Code
	if !c.Set([]uint8{3, 3, 3, 3, 3, 2, 4, 4}) {
		t.Fatal("refused")
	}
	for s, code := range []string{"010", "011", "100", "101", "110", "00", "1110", "1111"} {
		row := uint32(0)
		for i, b := range code {
			row |= uint32(b-'0') << (15 - i)
		}
		if got, l := c.Decode(row); got != s || l != len(code) {
			t.Errorf("%s is %d of %d bits, want %d", code, got, l, s)
		}
	}
}
