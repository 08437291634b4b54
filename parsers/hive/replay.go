package hive

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
)

// Formats of transaction logs, as [Replay].Format names them.
const (
	FormatNew = "HvLE" // Windows 8.1 and later: entries with sequence numbers and hashes
	FormatOld = "DIRT" // before: one set of sectors, without a hash
)

// Reasons why entries are stale. The last three are told as problems already.
const (
	earlier   = "left from an earlier round of the log"
	behindGap = "behind a gap or damage"
	ofOther   = "its log is damaged or not written with the hive"
	foreign   = "its log is of another hive"
)

// maxGrowth is how much larger than its file logs may make a hive beyond the
// bytes that they hold.
const maxGrowth = 64 << 20

// A Replay says what transaction logs did to a hive. Only Applied entries are
// in the final view. A log file that is no log, damaged, of another hive or
// behind a gap is a problem, and the hive stays what it is without it.
type Replay struct {
	Format  string  // of the applied entries; "" if there are none
	Applied []Entry // in the order they were applied in
	// Stale are whole entries that were not applied, by log and offset: rounds
	// of the ring that the hive has outlived, or what lies behind a gap. Entries
	// carry no time; only the keys in them do.
	Stale    []Entry
	Problems []error
	Clean    bool // the primary was complete: it asks for no log
	// Gap counts the sequence numbers from the primary's to the first applied
	// entry's. Windows applies such logs too, and leaves them: it reuses a log
	// once the hive is written, and the hive keeps its numbers. What the numbers
	// stood for cannot be checked, and states before the last may be torn.
	Gap uint32

	hive *Hive  // the final view
	raw  *Hive  // what loading said, without a parsed image
	base []byte // of the log that stands in for a damaged base block, or nil
}

// OpenWithLogs reads a hive as [Open] does, and replays its transaction logs
// over it in memory, as Windows does when it loads the hive (REGF, "Recovery of
// a hive"). The Hive is the final view; it is the primary if no log is given or
// fits. The order of logs does not matter. Transactions in .regtrans-ms and
// .blf files are not replayed.
func OpenWithLogs(r io.ReaderAt, size int64, logs []LogFile) (*Hive, *Replay, error) {
	if size > MaxSize {
		return nil, nil, binread.Errorf(0, "hive", "%d bytes, limit %d: %w", size, int64(MaxSize), ErrDamaged)
	}
	h := &Hive{problems: make(map[place]error)}
	if err := h.load(r, size); err != nil {
		return nil, nil, err
	}
	p := &Replay{raw: &Hive{problems: maps.Clone(h.problems)}}
	var files []*logData
	for _, log := range logs {
		f := readLog(log)
		if f == nil || slices.ContainsFunc(files, func(g *logData) bool { return len(f.image) > 0 && bytes.Equal(f.image, g.image) }) {
			continue // empty, or the same file found twice
		}
		files = append(files, f)
	}
	slices.SortStableFunc(files, func(a, b *logData) int { return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.name, b.name)) })
	h.overlay = newOverlay(h.image)
	if len(h.image) >= blockSize && RoleOf(h.image) == Primary {
		p.plan(h, files)
	}
	h.finish(p.Applied)
	err := h.parse()
	if err != nil && len(p.Applied) > 0 {
		primary := &Hive{problems: maps.Clone(p.raw.problems)}
		primary.image = h.overlay.primary(h.image)
		if primary.parse() == nil {
			p.Problems = append(p.Problems, fmt.Errorf("the hive cannot be read after its logs were replayed, so they are left out: %w", err))
			for _, e := range p.Applied {
				p.stale("the hive cannot be read with it", e)
			}
			p.Applied, p.Format, p.Gap = nil, "", 0
			h, err = primary, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	p.hive = h
	slices.SortStableFunc(p.Stale, func(a, b Entry) int { return cmp.Or(strings.Compare(a.Log, b.Log), cmp.Compare(a.Off, b.Off)) })
	return h, p, nil
}

func (p *Replay) stale(reason string, entries ...Entry) {
	for _, e := range entries {
		e.Reason = reason
		p.Stale = append(p.Stale, e)
	}
}

// plan decides which entries to apply, and applies them.
func (p *Replay) plan(h *Hive, files []*logData) {
	sum := checksum(h.image) == le.Uint32(h.image[508:])
	seq1, seq2 := le.Uint32(h.image[4:]), le.Uint32(h.image[8:])
	p.Clean = sum && seq1 == seq2
	usable := p.usable(h.image, sum, files)
	switch {
	case p.Clean:
		for _, f := range usable {
			p.stale("the hive is clean", f.chain...)
		}
	case !sum && len(usable) > 0:
		// REGF: without a valid base block only the log that was written last
		// counts, with its own copy of the base block.
		last := usable[len(usable)-1]
		for _, f := range usable[:len(usable)-1] {
			p.stale("older than the log that the base block comes from", f.chain...)
		}
		p.Problems = append(p.Problems, fmt.Errorf("base block of the hive is damaged, that of log %q is used: %w", last.name, binread.Errorf(508, "checksum", "%w", ErrDamaged)))
		p.base = last.image[:sectorSize]
		h.overlay.takeBase(h, p.base)
		p.apply(h, last.start, last.chain)
	default:
		p.applyNewest(h, seq2, usable)
	}
	for _, f := range files {
		switch {
		case f.foreign:
			p.stale(foreign, append(f.chain, f.rest...)...)
		case f.bad != nil:
			p.stale(ofOther, append(f.chain, f.rest...)...)
		default:
			p.stale(earlier, f.rest...)
		}
	}
	if sum || len(p.Applied) > 0 {
		p.checkStale(seq2)
	}
}

// applyNewest applies what is as new as the hive, in the order of the sequence
// numbers. A log of the new format beats one of the old.
func (p *Replay) applyNewest(h *Hive, seq2 uint32, usable []*logData) {
	var chain, old []Entry
	for _, f := range usable {
		if len(f.chain) > 0 && f.chain[0].old {
			old = append(old, f.chain...)
		} else {
			chain = append(chain, f.chain...)
		}
	}
	if len(chain) == 0 && len(old) > 0 {
		last := len(old) - 1
		p.stale("another log of the hive is newer", old[:last]...)
		chain, old = old[last:], nil
	}
	p.stale("the hive has logs of the new format", old...)
	n := 0
	for n < len(chain) && chain[n].Sequence < seq2 {
		n++
	}
	p.stale("written before the hive was", chain[:n]...)
	if n < len(chain) {
		if !chain[n].old {
			p.Gap = chain[n].Sequence - seq2
		}
		p.apply(h, chain[n].Sequence, chain[n:])
	}
}

// usable tells the logs of this hive from the rest.
func (p *Replay) usable(image []byte, sum bool, files []*logData) (usable []*logData) {
	for _, f := range files {
		if f.bad == nil && len(f.chain) > 0 {
			f.bad = f.match(image, sum)
		}
		p.Problems = append(p.Problems, f.note...)
		if f.bad != nil {
			p.Problems = append(p.Problems, f.bad)
		} else if len(f.chain) > 0 {
			usable = append(usable, f)
		}
	}
	return usable
}

// match says why a log is not one of the hive. A log begins with a copy of the
// base block that the hive had then.
func (l *logData) match(hive []byte, sum bool) error {
	if old := l.chain[0].old; old && sum && !bytes.Equal(l.image[12:20], hive[12:20]) {
		return l.errorf(12, "last written", "%#x, that of the hive is %#x: not written together: %w", le.Uint64(l.image[12:]), le.Uint64(hive[12:]), ErrDamaged)
	}
	// Offset 112 has the identifier of the hive's resource manager, which
	// Windows before Vista does not have; offset 48 the name it was loaded under.
	const id, name = 112, 48
	none := make([]byte, 16)
	a, b := l.image[id:id+16], hive[id:id+16]
	if !bytes.Equal(a, none) && !bytes.Equal(b, none) {
		if !bytes.Equal(a, b) {
			l.foreign = true
			return l.errorf(id, "resource manager", "%x, that of the hive is %x: a log of another hive: %w", a, b, ErrDamaged)
		}
		return nil
	}
	x, y := utf16Text(l.image[name:name+64]), utf16Text(hive[name:name+64])
	x, _, _ = strings.Cut(x, "\x00")
	y, _, _ = strings.Cut(y, "\x00")
	if x != "" && y != "" && fold(x) != fold(y) {
		l.foreign = true
		return l.errorf(name, "file name", "%q, that of the hive is %q: a log of another hive: %w", x, y, ErrDamaged)
	}
	return nil
}

// apply applies a chain up to the first gap in it.
func (p *Replay) apply(h *Hive, next uint32, chain []Entry) {
	for i, e := range chain {
		var err error
		if e.Sequence != next {
			err = fmt.Errorf("log %q: %w", e.Log, binread.Errorf(e.Off, "log entry", "sequence %d, want %d: entries are missing: %w", e.Sequence, next, ErrDamaged))
		} else {
			err = h.overlay.apply(h, e)
		}
		if err != nil {
			p.Problems = append(p.Problems, err)
			p.stale(behindGap, chain[i:]...)
			return
		}
		p.Applied = append(p.Applied, e)
		p.Format = FormatNew
		if e.old {
			p.Format = FormatOld
		}
		next++
	}
}

// checkStale reports entries that are newer than the final view. Nothing that
// Windows leaves looks so: a part of a log is missing, or the hive is older
// than its logs.
func (p *Replay) checkStale(end uint32) {
	if n := len(p.Applied); n > 0 {
		end = p.Applied[n-1].Sequence + 1
	}
	for i := range p.Stale {
		e := &p.Stale[i]
		if e.Sequence < end || e.old || e.Reason == behindGap || e.Reason == ofOther || e.Reason == foreign {
			continue
		}
		if e.Reason == earlier {
			e.Reason = behindGap
		}
		p.Problems = append(p.Problems, fmt.Errorf("log %q: %w", e.Log, binread.Errorf(e.Off, "log entry", "sequence %d is newer than the hive, which ends before %d, and was not applied: %s", e.Sequence, end, e.Reason)))
	}
}
