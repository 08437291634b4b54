//go:build !linux

package costtest

import "time"

var begin = time.Now()

// thread returns the time: no other is to be had everywhere.
func thread() time.Duration { return time.Since(begin) }
