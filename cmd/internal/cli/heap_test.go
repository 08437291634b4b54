package cli

import "testing"

// TestPace: little in use gets room, much in use an eighth of it at most above the room.
func TestPace(t *testing.T) {
	for _, live := range []uint64{0, 1 << 10, 4 << 20, 40 << 20, 1 << 30, 1 << 40} {
		p := pacePercent(live)
		grown := max(live, 4<<20) * uint64(p) / 100
		if p < 1 || grown > heapRoom+live/heapShare+1<<20 {
			t.Errorf("%d bytes in use: %d %%, %d bytes more", live, p, grown)
		}
	}
}
