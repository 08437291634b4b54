package output

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sharetrail/artifacts/evidence"
)

// maxExact is 2^53, the largest number up to which every reader of JSON, those
// that know only binary64 among them, agrees on all integers.
const maxExact = 1 << 53

// Clean returns s as valid UTF-8. Evidence holds names that are not; each byte
// that is no part of UTF-8 is written as the four characters \xNN, so that it
// stays visible and two different names stay different.
func Clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Visible returns s as one line that is safe on a terminal: control
// characters, and format characters such as those that turn the direction of
// writing, are shown as escapes.
func Visible(s string) string {
	s = Clean(s)
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports whether r acts on a terminal instead of being shown by it.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// objects is a list of rows inside a row.
type objects interface {
	appendJSON(b []byte, sorted bool) []byte
}

// AppendJSON appends v, which is what a Column yields, as JSON. The keys of an
// evidence.Detail are sorted; sorted does so for those of rows in rows, too.
func AppendJSON(b []byte, v any, sorted bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case *string:
		return appendString(b, *v)
	case []string:
		return appendList(b, v, appendString)
	case []any:
		return appendList(b, v, func(b []byte, v any) []byte { return AppendJSON(b, v, sorted) })
	case time.Time:
		return append(appendTime(append(b, '"'), v), '"')
	case *time.Time:
		return append(appendTime(append(b, '"'), *v), '"')
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return appendInt(b, int64(v))
	case int64:
		return appendInt(b, v)
	case *int64:
		return appendInt(b, *v)
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10)
	case uint64:
		return appendUint(b, v)
	case *uint64:
		return appendUint(b, *v)
	case json.Number: // of a file written before
		return append(b, v...)
	case evidence.Detail:
		return appendDetail(b, v)
	case objects:
		return v.appendJSON(b, sorted)
	}
	return appendString(b, fmt.Sprint(v))
}

func appendInt(b []byte, n int64) []byte {
	if n > maxExact || n < -maxExact {
		return appendString(b, strconv.FormatInt(n, 10))
	}
	return strconv.AppendInt(b, n, 10)
}

func appendUint(b []byte, n uint64) []byte {
	if n > maxExact {
		return appendString(b, strconv.FormatUint(n, 10))
	}
	return strconv.AppendUint(b, n, 10)
}

func appendList[T any](b []byte, list []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, v)
	}
	return append(b, ']')
}

// appendTime appends t as evidence.FormatTime writes it; most of the time of a
// row would go into the layout of package time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return append(b, evidence.FormatTime(t)...)
	}
	hour, minute, second := t.Clock()
	for _, n := range []struct {
		value, width int
		after        byte
	}{{year, 4, '-'}, {int(month), 2, '-'}, {day, 2, 'T'}, {hour, 2, ':'}, {minute, 2, ':'}, {second, 2, '.'}, {t.Nanosecond() / 100, 7, 'Z'}} {
		at := len(b) + n.width
		b = append(b, "0000000"[:n.width]...)
		for i, v := at-1, n.value; v > 0; i, v = i-1, v/10 {
			b[i] = byte('0' + v%10)
		}
		b = append(b, n.after)
	}
	return b
}

// plainRun returns how many bytes at the start of s are ASCII but no control
// characters, no quotes and not special. It looks at eight at a time, each in its
// own byte of a word.
func plainRun(s string, special byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(s); n += 8 {
		x := uint64(s[n]) | uint64(s[n+1])<<8 | uint64(s[n+2])<<16 | uint64(s[n+3])<<24 |
			uint64(s[n+4])<<32 | uint64(s[n+5])<<40 | uint64(s[n+6])<<48 | uint64(s[n+7])<<56
		quote, other, del := x^ones*'"', x^ones*uint64(special), x^ones*0x7f
		found := x | (x-ones*' ')&^x | (quote-ones)&^quote | (other-ones)&^other | (del-ones)&^del
		if found &= tops; found != 0 {
			return n + bits.TrailingZeros64(found)/8 // a borrow reaches later bytes only
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != special {
		n++
	}
	return n
}

// appendString appends s as a JSON string. What a terminal would act on is
// escaped, which is the same text to a reader of JSON.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		n := plainRun(s, '\\')
		b = append(b, s[:n]...)
		if s = s[n:]; s == "" {
			break
		}
		switch c := s[0]; {
		case c == '"' || c == '\\':
			b, s = append(b, '\\', c), s[1:]
		case c < utf8.RuneSelf:
			b, s = appendEscaped(b, rune(c)), s[1:]
		default:
			r, size := utf8.DecodeRuneInString(s)
			switch {
			case r == utf8.RuneError && size == 1:
				b = fmt.Appendf(b, `\\x%02x`, c) // as Clean has it
			case r > 0xffff || !hidden(r):
				b = append(b, s[:size]...)
			default:
				b = appendEscaped(b, r)
			}
			s = s[size:]
		}
	}
	return append(b, '"')
}

// appendEscaped appends a character below 2^16 as JSON escapes it.
func appendEscaped(b []byte, r rune) []byte {
	switch r {
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// appendDetail appends d with its keys sorted. A record may hold one name
// twice: the second becomes name~2, so that neither is lost.
func appendDetail(b []byte, d evidence.Detail) []byte {
	if !slices.IsSortedFunc(d, byName) || twice(d) {
		d = slices.Clone(d)
		tell(d)
		slices.SortStableFunc(d, byName)
	}
	b = append(b, '{')
	for i, f := range d {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, f.Name)
		b = append(b, ':')
		b = AppendJSON(b, f.Value, true)
	}
	return append(b, '}')
}

func byName(x, y evidence.Field) int { return cmp.Compare(x.Name, y.Name) }

// twice reports whether two neighbours have one name.
func twice(d evidence.Detail) bool {
	for i := 1; i < len(d); i++ {
		if d[i].Name == d[i-1].Name {
			return true
		}
	}
	return false
}

// tell gives each field a name of its own.
func tell(d evidence.Detail) {
	seen := make(map[string]bool, len(d))
	for i := range d {
		name := d[i].Name
		for n := 2; seen[d[i].Name]; n++ {
			d[i].Name = name + "~" + strconv.Itoa(n)
		}
		seen[d[i].Name] = true
	}
}

// Text returns v, which is what a Column yields, as CSV has it: text as it is,
// lists of text joined by "; ", anything deeper as JSON, nothing for nil.
func Text(v any) string { return string(appendText(nil, v)) }

func appendText(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return b
	case string:
		return appendClean(b, v)
	case *string:
		return appendClean(b, *v)
	case []string:
		for i, s := range v {
			if i > 0 {
				b = append(b, "; "...)
			}
			b = appendClean(b, s)
		}
		return b
	case time.Time:
		return appendTime(b, v)
	case *time.Time:
		return appendTime(b, *v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case *int64:
		return strconv.AppendInt(b, *v, 10)
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case *uint64:
		return strconv.AppendUint(b, *v, 10)
	}
	return AppendJSON(b, v, true)
}

func appendClean(b []byte, s string) []byte { return append(b, Clean(s)...) }

// pointed returns what a Column that yields a pointer points to. Columns of rows
// of which there are many do, because putting a text into an any copies its head.
func pointed(v any) any {
	switch v := v.(type) {
	case *string:
		return *v
	case *time.Time:
		return *v
	case *int64:
		return *v
	case *uint64:
		return *v
	}
	return v
}
