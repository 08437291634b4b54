package artifacts

import (
	"encoding/binary"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// The records of a log say the same few things of the same few accounts,
// programs and addresses, over and over. What their facts say is kept once, so
// that one more of them costs its time and its place and little else.

// More of either than this begins anew: what is kept twice costs room only.
const (
	maxSaid  = 1 << 12 // statements that are followed at one time
	maxTexts = 1 << 14 // texts
	maxSame  = 256     // bytes of a text worth following
)

// A sameAs keeps one copy of what the facts of one file repeat.
type sameAs struct {
	said  map[string]*evidence.Observation
	texts map[string]any // boxed, as a Detail holds them
	key   []byte         // of a statement, reused
}

// share lets f have the statement of an earlier fact that says the same, or at
// least texts of earlier ones.
func (s *sameAs) share(f *evidence.Fact) {
	f.LogonID = s.text(f.LogonID)
	o := f.Observation
	s.key = s.key[:0]
	alike := s.identify(o)
	if known := s.said[string(s.key)]; alike && known != nil && known.From.Place == o.From.Place && slices.Equal(known.Views, o.Views) {
		f.Observation = known
		return
	}
	for _, p := range []*string{&o.Host, &o.User, &o.SID, &o.Share, &o.Peer, &o.Summary} {
		*p = s.text(*p)
	}
	o.Detail = slices.Clip(slices.Clone(o.Detail)) // without room: to append is to copy
	for i := range o.Detail {
		if t, ok := o.Detail[i].Value.(string); ok {
			o.Detail[i].Value = s.boxed(t)
		}
	}
	if !alike {
		return
	}
	if s.said == nil || len(s.said) == maxSaid {
		s.said = map[string]*evidence.Observation{}
	}
	s.said[string(s.key)] = o
}

// identify makes s.key of all that o says. It reports whether it could: a
// process, a list or a time of the detail is one fact's own.
func (s *sameAs) identify(o *evidence.Observation) bool {
	if o.Process != nil {
		return false
	}
	s.add(string(o.TimeKind), string(o.Action), o.Host, string(o.Side), o.User, o.SID, o.Share, o.Drive, o.Peer, o.Artifact, o.Summary, string(o.State))
	s.add(o.From.Key, o.From.Value, o.From.Channel, o.From.Provider)
	s.key = binary.AppendUvarint(s.key, uint64(o.From.EventID))
	s.key = binary.AppendUvarint(s.key, uint64(len(o.Attack)))
	s.add(o.Attack...)
	for _, f := range o.Detail {
		t, ok := f.Value.(string)
		if !ok {
			return false
		}
		s.add(f.Name, t)
	}
	return true
}

// add adds texts to the key, with their lengths, so that none runs into the next.
func (s *sameAs) add(texts ...string) {
	for _, t := range texts {
		s.key = append(binary.AppendUvarint(s.key, uint64(len(t))), t...)
	}
}

func (s *sameAs) text(t string) string {
	t, _ = s.boxed(t).(string)
	return t
}

func (s *sameAs) boxed(t string) any {
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
