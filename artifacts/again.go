package artifacts

import (
	"slices"

	"sharetrail/artifacts/evidence"
)

// Again returns what e found as what a file with the same bytes and the same
// path, at another place, states: in a shadow copy of the volume. Problems are
// not told again.
func (e *Emitter) Again(at *evidence.Place) *Emitter {
	out := &Emitter{place: at, state: evidence.Shadow}
	moved := map[*evidence.Place]*evidence.Place{e.place: at}
	move := func(p *evidence.Place) *evidence.Place {
		q := moved[p]
		if q == nil && p != nil {
			c := *p
			c.Volume, c.Snapshot, c.AsOf = at.Volume, at.Snapshot, at.AsOf
			q = &c
			moved[p] = q
		}
		return q
	}
	for _, p := range e.Places {
		out.Places = append(out.Places, move(p))
	}
	said := map[*evidence.Observation]*evidence.Observation{}
	for _, found := range e.Observations {
		f := found.At(move)
		if said[found.Observation] == nil {
			o := f.Own()
			o.From.Place = move(o.From.Place)
			o.Detail = slices.Clip(o.Detail)
			if o.State == evidence.Live || o.State == evidence.Replayed {
				o.State = evidence.Shadow
			}
			o.Views = slices.Clone(o.Views)
			for j, v := range o.Views {
				o.Views[j] = move(v)
			}
			said[found.Observation] = o
		}
		f.Observation = said[found.Observation]
		out.Observations = append(out.Observations, f)
	}
	out.Coverage = slices.Clone(e.Coverage)
	for i := range out.Coverage {
		out.Coverage[i].Place = move(out.Coverage[i].Place)
	}
	return out
}
