package output

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	case []string:
		return appendList(b, v, appendString)
	case []any:
		return appendList(b, v, func(b []byte, v any) []byte { return AppendJSON(b, v, sorted) })
	case time.Time:
		return appendString(b, evidence.FormatTime(v))
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return appendInt(b, int64(v))
	case int64:
		return appendInt(b, v)
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10)
	case uint64:
		if v > maxExact {
			return appendString(b, strconv.FormatUint(v, 10))
		}
		return strconv.AppendUint(b, v, 10)
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

// appendString appends s as a JSON string. What a terminal would act on is
// escaped, which is the same text to a reader of JSON.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	s = Clean(s)
	done := 0 // bytes of s that are written
	for i, r := range s {
		if r >= ' ' && r < 0x7f && r != '"' && r != '\\' || r >= 0x7f && (r > 0xffff || !hidden(r)) {
			continue
		}
		b = append(b, s[done:i]...)
		done = i + utf8.RuneLen(r)
		switch r {
		case '"', '\\':
			b = append(b, '\\', byte(r))
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

// appendDetail appends d with its keys sorted. A record may hold one name
// twice: the second becomes name~2, so that neither is lost.
func appendDetail(b []byte, d evidence.Detail) []byte {
	d = slices.Clone(d)
	seen := make(map[string]bool, len(d))
	for i := range d {
		name := d[i].Name
		for n := 2; seen[d[i].Name]; n++ {
			d[i].Name = name + "~" + strconv.Itoa(n)
		}
		seen[d[i].Name] = true
	}
	slices.SortStableFunc(d, func(x, y evidence.Field) int { return cmp.Compare(x.Name, y.Name) })
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

// Text returns v, which is what a Column yields, as CSV has it: text as it is,
// lists of text joined by "; ", anything deeper as JSON, nothing for nil.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Clean(v)
	case []string:
		return Clean(strings.Join(v, "; "))
	case time.Time:
		return evidence.FormatTime(v)
	case bool, int, int64, uint32, uint64:
		return fmt.Sprint(v)
	}
	return string(AppendJSON(nil, v, true))
}
