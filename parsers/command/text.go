package command

import (
	"cmp"
	"slices"
	"strings"
)

// A span is a half-open range of bytes of a document.
type span struct{ lo, hi int32 }

// A document is a text as it was found: the line itself, or what was decoded
// from a part of it.
type document struct {
	orig    string
	secrets []span
	sorted  int // secrets in order so far
}

const masked = "***"

// mask returns orig[lo:hi] with its secrets replaced.
func (d *document) mask(lo, hi int) string {
	if len(d.secrets) == 0 {
		return d.orig[lo:hi]
	}
	if d.sorted != len(d.secrets) {
		slices.SortFunc(d.secrets, func(a, b span) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi)) })
		d.secrets = slices.Compact(d.secrets)
		d.sorted = len(d.secrets)
	}
	first, _ := slices.BinarySearchFunc(d.secrets, lo, func(s span, lo int) int { return cmp.Compare(int(s.lo), lo) })
	var b strings.Builder
	at := lo
	for _, s := range d.secrets[first:] {
		if int(s.lo) >= hi {
			break
		}
		if int(s.lo) < at { // overlaps the one before
			at = max(at, min(int(s.hi), hi))
			continue
		}
		b.WriteString(d.orig[at:s.lo])
		b.WriteString(masked)
		at = min(int(s.hi), hi)
	}
	b.WriteString(d.orig[at:hi])
	return b.String()
}

// A text is a document, a part of it, or what became of a part when an
// interpreter took its quotes and escapes away. It remembers where each byte
// came from.
type text struct {
	s    string
	at   []span // source of each byte; nil: byte i is at base+i
	base int
}

func wholeText(s string) text { return text{s: s} }

func (t text) lo(i int) int {
	switch {
	case t.at == nil:
		return t.base + i
	case len(t.at) == 0:
		return t.base
	case i >= len(t.at):
		return int(t.at[len(t.at)-1].hi)
	}
	return int(t.at[i].lo)
}

// hi returns the end of the source of the byte before i.
func (t text) hi(i int) int {
	if t.at == nil || i == 0 || len(t.at) == 0 {
		return t.lo(i)
	}
	return int(t.at[i-1].hi)
}

func (t text) slice(i, j int) text {
	if t.at == nil {
		return text{s: t.s[i:j], base: t.base + i}
	}
	return text{s: t.s[i:j], at: t.at[i:j:j], base: t.lo(i)}
}

func (t text) trim() text {
	i, j := 0, len(t.s)
	for i < j && isSpace(t.s[i]) {
		i++
	}
	for i < j && isSpace(t.s[j-1]) {
		j--
	}
	return t.slice(i, j)
}

// A textBuilder makes a text byte by byte.
type textBuilder struct {
	b  []byte
	at []span
}

func (b *textBuilder) add(c byte, lo, hi int) {
	b.b = append(b.b, c)
	b.at = append(b.at, span{int32(lo), int32(hi)})
}

// put copies byte i of t.
func (b *textBuilder) put(t text, i int) { b.add(t.s[i], t.lo(i), t.hi(i+1)) }

func (b *textBuilder) putAll(t text) {
	for i := range len(t.s) {
		b.put(t, i)
	}
}

// text returns what was built; base is its place if it is empty.
func (b *textBuilder) text(base int) text {
	at := b.at
	if at == nil {
		at = []span{}
	}
	return text{s: string(b.b), at: at, base: base}
}
