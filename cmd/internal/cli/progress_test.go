package cli

import (
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	half := reached{files: 12, allFiles: 40, bytes: 1200e6, allBytes: 3400e6, took: 6 * time.Second}
	for _, c := range []struct {
		r     reached
		width int
		want  string
	}{
		{half, 120, "#######-------------  35 %  about 0:11 left  200 MB/s  12 of 40 files  1.2 GB of 3.4 GB"},
		{half, 80, "#######-------------  35 %  about 0:11 left  200 MB/s  12 of 40 files"},
		{half, 50, "#######-------------  35 %  about 0:11 left"},
		{half, 24, " 35 %  about 0:11 left"},
		{reached{}, 80, "opening the evidence …"},
		{reached{}, 10, "opening t"},
		{reached{files: 1, allFiles: 3, allBytes: 9e6}, 80, "--------------------   0 %  1 of 3 files  0 kB of 9 MB"},
		{reached{files: 1, allFiles: 3}, 80, "--------------------   0 %  1 of 3 files  0 kB of 0 kB"},
		{reached{files: 1, allFiles: 3, bytes: 20e6, allBytes: 10e6, took: time.Second}, 90, "####################" + " 100 %  about 0:00 left  20 MB/s  1 of 3 files  20 MB of 10 MB"},
		{reached{files: 3, allFiles: 3, bytes: 10e6, allBytes: 10e6}, 80, "all 3 files read: drawing conclusions …"},
		{reached{files: 1, allFiles: 2, bytes: 1e6, allBytes: 1e15, took: time.Hour}, 60, "--------------------   0 %  about 100:00:00 left  0 kB/s"},
	} {
		if got := c.r.line(c.width); got != c.want {
			t.Errorf("width %d: %q, want %q", c.width, got, c.want)
		}
	}
}
