package evidence

import (
	"slices"
	"time"
)

// A Fact is an Observation as it is kept: what tells it from others, and what
// all share that say the same of another time. A log holds few different
// statements, and many of each.
type Fact struct {
	// Observation is the statement. It may be another fact's too: it is changed
	// through Own only. Its ID, Time, LogonID, AlsoAt and the numbers of its From
	// are not set; those of the fact hide them.
	*Observation
	ID      string
	Time    time.Time // zero if the structure carries no time
	LogonID string    // "0x3e7"

	offset, length int64
	recordID       uint64
	places         *places // nil while it stands in one place only
}

// places are all that a fact stands in.
type places struct {
	alsoAt []Provenance
	views  []*Place
}

// NewFact returns o as a fact that shares nothing.
func NewFact(o Observation) *Fact {
	f := &Fact{
		Observation: &o, ID: o.ID, Time: o.Time, LogonID: o.LogonID,
		offset: o.From.Offset, length: o.From.Length, recordID: o.From.RecordID,
	}
	if len(o.AlsoAt) > 0 {
		f.places = &places{o.AlsoAt, o.Views}
	}
	o.ID, o.Time, o.LogonID, o.AlsoAt = "", time.Time{}, "", nil
	o.From.Offset, o.From.Length, o.From.RecordID = 0, 0, 0
	return f
}

// Whole returns the observation that f is.
func (f *Fact) Whole() Observation {
	o := *f.Observation
	o.ID, o.Time, o.LogonID = f.ID, f.Time, f.LogonID
	o.From, o.AlsoAt, o.Views = f.From(), f.AlsoAt(), f.Views()
	return o
}

// Own returns the statement of f, which no other fact has from now on.
func (f *Fact) Own() *Observation {
	o := *f.Observation
	o.Detail = slices.Clone(o.Detail)
	f.Observation = &o
	return f.Observation
}

// From returns the place of the structure that states f.
func (f *Fact) From() Provenance {
	p := f.Observation.From
	p.Offset, p.Length, p.RecordID = f.offset, f.length, f.recordID
	return p
}

// AlsoAt returns the further places that state f.
func (f *Fact) AlsoAt() []Provenance {
	if f.places == nil {
		return nil
	}
	return f.places.alsoAt
}

// Views returns the states of files in which f stands.
func (f *Fact) Views() []*Place {
	if f.places == nil {
		return f.Observation.Views
	}
	return f.places.views
}

// At returns a copy of f, with the same statement, whose further places are
// moved.
func (f *Fact) At(move func(*Place) *Place) *Fact {
	c := *f
	if f.places != nil {
		all := places{slices.Clone(f.places.alsoAt), slices.Clone(f.places.views)}
		for i := range all.alsoAt {
			all.alsoAt[i].Place = move(all.alsoAt[i].Place)
		}
		for i, v := range all.views {
			all.views[i] = move(v)
		}
		c.places = &all
	}
	return &c
}

// AddViews notes that f stands in more states of files.
func (f *Fact) AddViews(views ...*Place) {
	f.all().views = append(f.all().views, views...)
}

// AddPlace notes that another structure states f.
func (f *Fact) AddPlace(p Provenance) {
	f.all().alsoAt = append(f.all().alsoAt, p)
}

func (f *Fact) all() *places {
	if f.places == nil {
		f.places = &places{views: slices.Clone(f.Observation.Views)}
	}
	return f.places
}

// SetID works out f's id as Observation.SetID does.
func (f *Fact) SetID(ordinal int) {
	o := f.Whole()
	o.SetID(ordinal)
	f.ID = o.ID
}
