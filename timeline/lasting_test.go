package timeline

import (
	"testing"
	"time"
)

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                        "0 seconds",
		time.Second:                              "1 second",
		-160 * time.Millisecond:                  "0.16 seconds",
		10396 * time.Millisecond:                 "10.396 seconds",
		2 * time.Minute:                          "2 minutes",
		95*time.Second + 411*time.Millisecond:    "1 minute 35.411 seconds",
		59*time.Second + 999600*time.Microsecond: "1 minute",
		25*time.Hour + time.Minute:               "25 hours 1 minute",
	} {
		if got := Lasting(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
