package hive

import (
	"bytes"
	"iter"
	"maps"

	"sharetrail/parsers/binread"
)

// maxStateWork is how many bytes of images States looks through. Windows writes
// a few dozen entries into a log; a forged one has room for any number.
const maxStateWork = 64 << 30

// A State is a hive as it was after a log entry. If there is a Gap, only the
// last one is sure to be whole.
type State struct {
	Entry       // that was applied last; the zero Entry for the primary
	Hive  *Hive // valid until the next State; nil if it cannot be read
	Err   error // why
}

// States yields the primary, then the hive after each applied entry; the last
// is the final view. All share one image, which costs the size of the hive.
func (p *Replay) States() iter.Seq[State] {
	return func(yield func(State) bool) {
		image := p.hive.image
		if p.hive.overlay != nil {
			image = p.hive.overlay.primary(image)
		} else {
			image = bytes.Clone(image)
		}
		overlay := newOverlay(image)
		work := int64(0)
		for i := range len(p.Applied) + 1 {
			h := &Hive{problems: maps.Clone(p.raw.problems)}
			h.image, h.overlay = image, overlay
			s := State{Hive: h}
			if i > 0 {
				s.Entry = p.Applied[i-1]
				if i == 1 && p.base != nil {
					overlay.takeBase(h, p.base)
				}
				if s.Err = overlay.apply(h, s.Entry); s.Err != nil {
					s.Hive = nil
					yield(s)
					return
				}
				h.finish(p.Applied[:i])
				image = h.image
			}
			if work += int64(len(image)); work > maxStateWork && i < len(p.Applied) {
				s.Err = binread.Errorf(s.Off, "log entry", "sequence %d: too many entries, the state after it is not built: %w", s.Sequence, ErrDamaged)
			} else {
				s.Err = h.parse()
			}
			if s.Err != nil {
				s.Hive = nil
			}
			if !yield(s) {
				return
			}
		}
	}
}
