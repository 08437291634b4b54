package timeline

import (
	"strconv"
	"strings"
	"time"
)

// Lasting renders how long d is, whichever way it points, for a sentence: to the
// millisecond, with its units in full ("1 minute 35.411 seconds").
func Lasting(d time.Duration) string {
	d = d.Abs().Round(time.Millisecond)
	var parts []string
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := d / unit.of; n > 0 {
			parts = append(parts, Counted(int64(n), unit.name, unit.name+"s"))
			d %= unit.of
		}
	}
	if d > 0 || len(parts) == 0 {
		seconds := strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " seconds"
		if d == time.Second {
			seconds = "1 second"
		}
		parts = append(parts, seconds)
	}
	return strings.Join(parts, " ")
}

// Counted renders n of something for a sentence, which has a word for one and
// one for more.
func Counted[N int | int64](n N, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(int64(n), 10) + " " + more
}
