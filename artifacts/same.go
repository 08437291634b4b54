package artifacts

import (
	"encoding/binary"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// The rows of a log name the same few accounts, programs and addresses over and
// over. One copy of each is kept, so that a row costs little more than itself.

const (
	maxTexts   = 1 << 14 // different texts that are followed at one time
	maxDetails = 1 << 12 // different details
	maxSame    = 256     // bytes of a text, and fields of a detail, worth following
)

// A sameAs keeps one copy of what rows repeat. What it returns is shared: it
// must not be changed in place.
type sameAs struct {
	texts   map[string]any // the text, boxed as a Detail holds it
	details map[string]evidence.Detail
	key     []byte // of a detail, reused
}

// row lets o share what earlier rows have too.
func (s *sameAs) row(o *evidence.Observation) {
	for _, p := range []*string{&o.Host, &o.User, &o.SID, &o.Share, &o.Peer, &o.Summary, &o.LogonID} {
		if *p != "" {
			*p, _ = s.text(*p).(string)
		}
	}
	o.Detail = s.detail(o.Detail)
}

func (s *sameAs) text(t string) any {
	if len(t) > maxSame {
		return t
	}
	v, ok := s.texts[t]
	if !ok {
		if s.texts == nil || len(s.texts) == maxTexts {
			s.texts = map[string]any{}
		}
		t = strings.Clone(t) // not the whole that it may be a part of
		v = t
		s.texts[t] = v
	}
	return v
}

func (s *sameAs) detail(d evidence.Detail) evidence.Detail {
	if len(d) == 0 || len(d) > maxSame {
		return d
	}
	s.key = s.key[:0]
	texts := 0
	for _, f := range d {
		if t, ok := f.Value.(string); ok {
			texts++
			for _, part := range []string{f.Name, t} {
				s.key = append(binary.AppendUvarint(s.key, uint64(len(part))), part...)
			}
		}
	}
	if known, ok := s.details[string(s.key)]; ok && texts == len(d) {
		return known
	}
	d = slices.Clip(slices.Clone(d)) // without room: to append is to copy
	for i := range d {
		if t, ok := d[i].Value.(string); ok {
			d[i].Value = s.text(t)
		}
	}
	if texts < len(d) {
		return d // a list, a time or a number is its own
	}
	if s.details == nil || len(s.details) == maxDetails {
		s.details = map[string]evidence.Detail{}
	}
	s.details[string(s.key)] = d
	return d
}
