package ntfs

import (
	"sort"

	"sharetrail/parsers/binread"
)

// A run is a row of clusters of an attribute.
type run struct {
	vcn int64 // first one, in the attribute
	lcn int64 // first one, in the volume; -1 in a hole
	n   int64
}

// maxRuns bounds the runs of one attribute: 48 MiB of them.
const maxRuns = 1 << 21

// appendRuns decodes the mapping pairs of an extent that starts at cluster vcn.
// It appends to runs what it could decode, joining neighbours. total is the
// number of clusters in the volume, off the place of pairs in it.
func appendRuns(runs []run, pairs []byte, vcn, total, off int64) ([]run, error) {
	const field = "mapping pairs"
	lcn := int64(0)
	for p := 0; p < len(pairs) && pairs[p] != 0; {
		nl, no := int(pairs[p]&15), int(pairs[p]>>4)
		if nl == 0 || nl > 8 || no > 8 || p+1+nl+no > len(pairs) {
			return runs, binread.Errorf(off+int64(p), field, "header %#x in %d bytes", pairs[p], len(pairs)-p)
		}
		n := signed(pairs[p+1 : p+1+nl])
		if n <= 0 || n > maxClusters-vcn {
			return runs, binread.Errorf(off+int64(p), field, "run of %d clusters", n)
		}
		r := run{vcn, -1, n}
		if no > 0 {
			d := signed(pairs[p+1+nl : p+1+nl+no])
			if d > total || d < -total {
				return runs, binread.Errorf(off+int64(p), field, "run starts %d clusters from the last one", d)
			}
			lcn += d
			if lcn < 0 || lcn > total || n > total-lcn {
				return runs, binread.Errorf(off+int64(p), field, "clusters %d to %d lie outside of %d", lcn, lcn+n-1, total)
			}
			r.lcn = lcn
		}
		if runs = join(runs, r); len(runs) > maxRuns {
			return runs, binread.Errorf(off+int64(p), field, "more than %d runs", maxRuns)
		}
		vcn += n
		p += 1 + nl + no
	}
	return runs, nil
}

func join(runs []run, r run) []run {
	if k := len(runs) - 1; k >= 0 {
		if l := &runs[k]; l.lcn < 0 && r.lcn < 0 || l.lcn >= 0 && l.lcn+l.n == r.lcn {
			l.n += r.n
			return runs
		}
	}
	return append(runs, r)
}

// signed decodes a little-endian two's complement number of 1 to 8 bytes.
func signed(b []byte) int64 {
	v := int64(int8(b[len(b)-1]))
	for i := len(b) - 2; i >= 0; i-- {
		v = v<<8 | int64(b[i])
	}
	return v
}

// search returns the index of the run that holds vcn, or len(runs).
func search(runs []run, vcn int64) int {
	return sort.Search(len(runs), func(i int) bool { return runs[i].vcn+runs[i].n > vcn })
}
