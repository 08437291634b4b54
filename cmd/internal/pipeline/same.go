package pipeline

import (
	"cmp"
	"crypto/sha256"
	"path"
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
)

// identify orders the facts, makes one row of the same fact in several places,
// and gives each its id.
func identify(obs []*evidence.Fact) []*evidence.Fact {
	sortObservations(obs)
	// The same event has the same time, so that the many facts of logs need no
	// memory of all that came before.
	var rest []*evidence.Fact
	events := obs[:0]
	for _, o := range obs {
		if o.Time.IsZero() || o.From().Channel == "" {
			rest = append(rest, o)
		} else {
			events = append(events, o)
		}
	}
	kept := obs[:0]
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].Time.Equal(events[0].Time) {
			n++
		}
		kept = append(kept, distinct(events[:n])...)
		events = events[n:]
	}
	kept = append(kept, distinct(rest)...)
	clear(obs[len(kept):])
	sortObservations(kept)
	return kept
}

// distinct makes one of the facts that are the same, from its best state on, and
// gives each its id.
func distinct(obs []*evidence.Fact) []*evidence.Fact {
	slices.SortStableFunc(obs, func(a, b *evidence.Fact) int { return cmp.Compare(stateRank(a.State), stateRank(b.State)) })
	if len(obs) == 1 { // as most are
		obs[0].SetID(0)
		return obs
	}
	at := map[factKey]*evidence.Fact{}
	ordinals := map[string]int{}
	kept := obs[:0]
	for _, o := range obs {
		key := sameFact(o)
		if first := at[key]; first == nil {
			at[key] = o
		} else if !slices.Contains(first.Views(), o.Views()[0]) || copied(first, o) {
			// One structure may state two facts that agree in everything;
			// the same fact elsewhere differs in its place.
			first.AddViews(o.Views()...)
			at, also := first.From(), o.From()
			if !sameStructure(&at, &also) && !slices.ContainsFunc(first.AlsoAt(), func(p evidence.Provenance) bool { return sameStructure(&p, &also) }) {
				first.AddPlace(also)
			}
			continue
		}
		o.SetID(0)
		n := ordinals[o.ID]
		ordinals[o.ID]++
		if n > 0 {
			o.SetID(n)
		}
		kept = append(kept, o)
	}
	clear(obs[len(kept):])
	return kept
}

// copied reports whether o is another copy, in the same stream, of the carved
// record that a is.
func copied(a, o *evidence.Fact) bool {
	return o.State == evidence.Carved && o.From().Channel != "" && a.From().Offset != o.From().Offset
}

// sameStructure reports whether a and b name the same bytes of the same file,
// perhaps in different states of it.
func sameStructure(a, b *evidence.Provenance) bool {
	return a.Offset == b.Offset && a.Source == b.Source && a.Volume == b.Volume && a.Snapshot == b.Snapshot && a.Path == b.Path
}

// A factKey is a hash of all that makes a fact that one.
type factKey [sha256.Size]byte

// sameFact is equal for two observations that state one fact: the same record
// of a log, live or archived, or the same entry of a user's or host's registry
// with the same time and content.
func sameFact(o *evidence.Fact) factKey {
	var room [512]byte
	b := room[:0]
	add := func(parts ...string) {
		for _, p := range parts {
			b = append(append(b, p...), 0)
		}
	}
	add(o.Host, o.Artifact, string(o.Action), evidence.FormatTime(o.Time), string(o.TimeKind), o.Share, o.Drive, o.User, o.SID, o.Summary, o.LogonID)
	if from := o.From(); from.Channel != "" {
		add(strings.ToLower(from.Channel), strconv.FormatUint(from.RecordID, 10), strconv.Itoa(int(from.EventID)))
	} else {
		add(strings.ToLower(from.Key), strings.ToLower(from.Value))
		if from.Key == "" {
			add(path.Clean(from.Path), strconv.FormatInt(from.Offset, 10))
		}
	}
	if o.Process != nil {
		add(o.Process.Image, o.Process.CommandLine, o.Process.PID)
	}
	if seg, ok := o.Detail.Get("Segment").(int64); ok {
		add(strconv.FormatInt(seg, 10))
	}
	return factKey(sha256.Sum256(b))
}

// stateRank orders states from the best place of a fact to the worst.
func stateRank(s evidence.State) int {
	return slices.Index([]evidence.State{evidence.Live, evidence.Replayed, evidence.Shadow, evidence.Deleted, evidence.Carved}, s)
}

// sortObservations puts facts in the order of output: by time, undated last.
func sortObservations(obs []*evidence.Fact) {
	slices.SortStableFunc(obs, func(a, b *evidence.Fact) int {
		if a.Time.IsZero() != b.Time.IsZero() {
			if a.Time.IsZero() {
				return 1
			}
			return -1
		}
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		p, q := a.From(), b.From()
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(p.Path, q.Path), strings.Compare(p.Snapshot, q.Snapshot),
			cmp.Compare(p.Offset, q.Offset), cmp.Compare(p.RecordID, q.RecordID), strings.Compare(a.ID, b.ID),
			strings.Compare(p.Source, q.Source), strings.Compare(p.Volume, q.Volume), strings.Compare(a.Summary, b.Summary))
	})
}
