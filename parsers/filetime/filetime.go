// Package filetime converts Windows FILETIME values (MS-DTYP 2.3.3).
package filetime

import "time"

const unixEpoch = 116444736000000000 // FILETIME of 1970-01-01, in 100 ns ticks

// Time converts ticks of 100 ns since 1601-01-01 UTC. Zero stays the zero Time,
// which means "not set", never 1601. So does a value with the top bit set:
// FILETIME is a signed count to Windows, and no year above 30827 is a date.
func Time(ft uint64) time.Time {
	if ft == 0 || ft > 1<<63-1 {
		return time.Time{}
	}
	d := int64(ft) - unixEpoch
	sec, tick := d/1e7, d%1e7
	return time.Unix(sec, tick*100).UTC()
}

// From is the inverse of Time. The zero Time is 0.
func From(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.Unix()*1e7+int64(t.Nanosecond()/100)) + unixEpoch
}
