package hivetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
)

// LogOptions choose how later states of a hive are logged. The zero value is
// what Windows since 8.1 does.
type LogOptions struct {
	BuildOptions
	Old   bool     // one log of the format before Windows 8.1: only the last state is in it
	First int      // entries in LOG1, the rest goes to LOG2; 0 means all
	Clean bool     // the hive's sequence numbers agree: Windows would ignore the logs
	Stale []string // states whose entries, with lower sequence numbers, lie behind the others in LOG1
}

// BuildWithLog returns the hive that before describes, with the states that
// after describes in its logs, one entry each. The directives !seq, !name and
// !minor of before count. An entry holds the pages that differ from the state
// before it.
func BuildWithLog(before string, after ...string) (hive, log1, log2 []byte, err error) {
	return LogOptions{}.Build(before, after...)
}

// Build is [BuildWithLog] with options.
func (o LogOptions) Build(before string, after ...string) (hive, log1, log2 []byte, err error) {
	if hive, err = o.BuildOptions.Build(before); err != nil {
		return nil, nil, nil, err
	}
	var states [][]byte
	for i, text := range after {
		b, err := o.BuildOptions.Build(text)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("state %d: %w", i+1, err)
		}
		states = append(states, b)
	}
	seq := le.Uint32(hive[8:])
	le.PutUint32(hive[4:], seq+1)
	if o.Clean {
		le.PutUint32(hive[4:], seq)
	}
	sign(hive)
	if o.Old {
		log1, err = oldLog(hive, states)
		return hive, log1, nil, err
	}
	var entries [][]byte
	last := hive
	for i, b := range states {
		entries = append(entries, entry(seq+uint32(i), last, b))
		last = patched(last, b)
	}
	n := len(entries)
	if o.First > 0 {
		n = min(n, o.First)
	}
	log1, log2 = ring(hive, seq, entries[:n]), ring(hive, seq+uint32(n), entries[n:])
	if int(seq) <= len(o.Stale) {
		return nil, nil, nil, fmt.Errorf("sequence number %d, and %d stale entries before it", seq, len(o.Stale))
	}
	if log1 == nil && len(o.Stale) > 0 {
		log1 = head(hive, 6, seq)
	}
	for i, text := range o.Stale {
		b, err := o.BuildOptions.Build(text)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("stale state %d: %w", i+1, err)
		}
		log1 = append(log1, entry(seq-uint32(len(o.Stale)-i), nil, b)...)
	}
	return hive, log1, log2, nil
}

// patched is the hive b, at least as long as the one before it.
func patched(last, b []byte) []byte {
	if len(b) >= len(last) {
		return b
	}
	return append(bytes.Clone(b), last[len(b):]...)
}

// sign puts the right checksum into a base block.
func sign(b []byte) {
	sum := uint32(0)
	for i := 0; i < 508; i += 4 {
		sum ^= le.Uint32(b[i:])
	}
	switch sum {
	case 0:
		sum = 1
	case 0xffffffff:
		sum = 0xfffffffe
	}
	le.PutUint32(b[508:], sum)
}

// head returns the first sector of a log.
func head(hive []byte, typ, seq uint32) []byte {
	b := bytes.Clone(hive[:512])
	le.PutUint32(b[4:], seq)
	le.PutUint32(b[8:], seq)
	le.PutUint32(b[28:], typ)
	sign(b)
	return b
}

func ring(hive []byte, seq uint32, entries [][]byte) []byte {
	if len(entries) == 0 {
		return nil
	}
	return append(head(hive, 6, seq), bytes.Join(entries, nil)...)
}

// entry returns a log entry with the pages of next that last has not.
func entry(seq uint32, last, next []byte) []byte {
	var refs, pages []byte
	count := uint32(0)
	for off := block; off < len(next); off += block {
		page := next[off : off+block]
		if off < len(last) && bytes.Equal(page, last[off:off+block]) {
			continue
		}
		count++
		refs = le.AppendUint32(refs, uint32(off-block))
		refs = le.AppendUint32(refs, block)
		pages = append(pages, page...)
	}
	e := make([]byte, 40)
	e = append(append(e, refs...), pages...)
	e = append(e, make([]byte, -len(e)&511)...)
	copy(e, "HvLE")
	le.PutUint32(e[4:], uint32(len(e)))
	le.PutUint32(e[12:], seq)
	le.PutUint32(e[16:], uint32(len(next)-block))
	le.PutUint32(e[20:], count)
	Seal(e)
	return e
}

// Seal puts the right hashes into a log entry, which tests may have changed.
func Seal(entry []byte) {
	le.PutUint64(entry[24:], marvin(entry[40:]))
	le.PutUint64(entry[32:], marvin(entry[:32]))
}

// marvin is Marvin32 with the seed that Windows hashes log entries with.
func marvin(b []byte) uint64 {
	s := [2]uint32{0x7a4e55c5, 0x82ef4d88}
	words := append(bytes.Clone(b), 0x80) // an odd 1 bit, then zeros, ends the message
	words = append(words, make([]byte, -len(words)&3)...)
	words = append(words, 0, 0, 0, 0)
	for i := 0; i < len(words); i += 4 {
		s[0] += le.Uint32(words[i:])
		s[1] ^= s[0]
		s[0] = bits.RotateLeft32(s[0], 20) + s[1]
		s[1] = bits.RotateLeft32(s[1], 9) ^ s[0]
		s[0] = bits.RotateLeft32(s[0], 27) + s[1]
		s[1] = bits.RotateLeft32(s[1], 19)
	}
	return uint64(s[1])<<32 | uint64(s[0])
}

// oldLog returns a log of the format before Windows 8.1.
func oldLog(hive []byte, states [][]byte) ([]byte, error) {
	if len(states) == 0 {
		return nil, errors.New("a log of the old format needs a state")
	}
	next := states[len(states)-1]
	log := head(hive, 1, le.Uint32(hive[4:]))
	copy(log[36:44], next[36:44]) // root cell and size
	sign(log)
	vector := make([]byte, (len(next)-block)/512/8)
	var pages []byte
	for off := block; off < len(next); off += 512 {
		if page := next[off : off+512]; off >= len(hive) || !bytes.Equal(page, hive[off:off+512]) {
			i := (off - block) / 512
			vector[i/8] |= 1 << (i % 8)
			pages = append(pages, page...)
		}
	}
	log = append(append(log, "DIRT"...), vector...)
	log = append(log, make([]byte, -len(log)&511)...)
	return append(log, pages...), nil
}
