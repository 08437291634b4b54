package cli

import "testing"

// TestGrowth: little in use gets room, much in use its part above the room.
func TestGrowth(t *testing.T) {
	for _, live := range []uint64{0, 1 << 10, 4 << 20, 40 << 20, 1 << 30, 1 << 40} {
		p := growth(live, leastPart)
		grown := max(live, 4<<20) * uint64(p) / 100
		if p < 1 || grown > heapRoom+live/8+1<<20 || grown+live/50 < heapRoom+live/8-1<<20 {
			t.Errorf("%d bytes in use: %d %%, %d bytes more", live, p, grown)
		}
	}
}

// TestNextPart: the part grows while the collector takes too much time, to the
// most, and falls to the least while it takes little.
func TestNextPart(t *testing.T) {
	part := leastPart
	for range 100 {
		part = nextPart(part, 1, 1)
	}
	if part != mostPart {
		t.Errorf("%v after a hundred dear collections", part)
	}
	if same := nextPart(part, 20, 80); same != part {
		t.Errorf("%v after one that took what it may", same)
	}
	for range 100 {
		part = nextPart(part, 1, 999)
	}
	if part != leastPart || nextPart(part, 0, 0) != leastPart {
		t.Errorf("%v after a hundred cheap collections", part)
	}
}
