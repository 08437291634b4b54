package artifacts

import (
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// Installations and updates of Windows, and the making of a profile, write to
// many keys in several places at once. The last write of a key that was one of
// them is no act of a user. The thresholds are ours, so rows show the counts.
const (
	restampKeys     = 50 // keys with a last write in the same second
	restampBranches = 3  // unrelated places they lie in
)

// A secondOf counts the keys that were written in one second.
type secondOf struct {
	keys     int
	branches map[string]bool
}

// markRestamps adds the detail "restamped" to the rows of out from index from
// on whose time is the last write of a key, if that was a mass restamp of h.
func markRestamps(h *hive.Hive, out *Emitter, from int) {
	wanted := map[int64]*secondOf{}
	for _, o := range out.Observations[from:] {
		if isLastWrite(o) {
			wanted[o.Time.Unix()] = &secondOf{branches: map[string]bool{}}
		}
	}
	if len(wanted) == 0 {
		return
	}
	for k, err := range h.Walk() {
		if err != nil || k.LastWrite.IsZero() {
			continue // what cannot be read restamps nothing; the artifacts tell of it
		}
		if s := wanted[k.LastWrite.Unix()]; s != nil {
			s.keys++
			if len(s.branches) < restampBranches {
				s.branches[branch(k.Path)] = true
			}
		}
	}
	for _, o := range out.Observations[from:] {
		if !isLastWrite(o) {
			continue
		}
		if s := wanted[o.Time.Unix()]; s.keys >= restampKeys && len(s.branches) >= restampBranches {
			own := o.Own()
			own.Detail = append(own.Detail, evidence.Field{Name: "restamped", Value: fmt.Sprintf("%d keys in %d or more places of the hive were written in the same second", s.keys, len(s.branches))})
		}
	}
}

func isLastWrite(o *evidence.Fact) bool {
	return (o.TimeKind == evidence.KeyLastWrite || o.TimeKind == evidence.AtOrBefore) && !o.Time.IsZero()
}

// branch is the part of the hive that a key lies in: the first key of its path,
// or two where the first holds most of a hive.
func branch(path string) string {
	first, rest, _ := strings.Cut(strings.ToUpper(path), `\`)
	if first == "SOFTWARE" || isControlSet(first) {
		second, _, _ := strings.Cut(rest, `\`)
		first += `\` + second
	}
	return first
}
