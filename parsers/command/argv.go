package command

import (
	"bytes"
	"strings"
)

// An arg is one argument as the program gets it.
type arg struct {
	val    string // without quotes and carets, for matching
	t      text   // without quotes
	lo, hi int    // in the document, with quotes
	start  int    // where it starts in the text it was split from; -1 if it has none
	quoted bool   // it began with a quote
}

func (a arg) low() string { return strings.ToLower(a.val) }

// splitArgs splits a command into arguments as the Microsoft C runtime does:
// blanks separate outside quotes, quotes may stand inside an argument, and \"
// is a quote character. A backslash before the quote that ends a path
// ("C:\dir\" or "\\srv\share\") is taken as part of the path, because that is
// what its writer meant.
func splitArgs(t text) []arg {
	var out []arg
	s := t.s
	for i := 0; i < len(s); {
		if isSpace(s[i]) {
			i++
			continue
		}
		a, next := nextArg(t, i)
		out = append(out, a)
		i = next
	}
	return out
}

func nextArg(t text, i int) (arg, int) {
	s := t.s
	a := arg{start: i, lo: t.lo(i), quoted: s[i] == '"'}
	var b textBuilder
	inQuote, escaped := false, false
	for ; i < len(s) && (inQuote || escaped || !isSpace(s[i])); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' && !(inQuote && endsPath(b.b, s, i)) && !(!inQuote && !escaped && isPath(b.b)):
			// Within an outer quote a pair of \" groups for the next program.
			b.put(t, i+1)
			i++
			if !inQuote {
				escaped = !escaped
			}
		case s[i] == '"':
			inQuote = !inQuote
		default:
			b.put(t, i)
		}
	}
	a.hi = t.hi(i)
	a.t = b.text(a.lo)
	a.val = strings.ReplaceAll(a.t.s, "^", "")
	if escaped || strings.HasPrefix(s[a.start:], `\"`) {
		a.val = strings.ReplaceAll(a.val, `"`, "")
	}
	return a, i
}

// endsPath says whether the backslash at i ends a quoted path.
func endsPath(val []byte, s string, i int) bool {
	if i+2 < len(s) && !isSpace(s[i+2]) {
		return false
	}
	return isPath(val)
}

// isPath says whether an argument begins as a path does and holds no quote.
func isPath(val []byte) bool {
	return len(val) > 2 && (val[0] == '\\' && val[1] == '\\' || val[1] == ':') && bytes.IndexByte(val, '"') < 0
}

// joinArgs makes the text that a program gets when it joins its arguments by
// blanks, as powershell -Command does.
func joinArgs(args []arg, requote bool) text {
	var b textBuilder
	base := 0
	for i, a := range args {
		if i == 0 {
			base = a.lo
		} else {
			b.add(' ', a.lo, a.lo)
		}
		quote := requote && strings.ContainsAny(a.t.s, " \t&|<>")
		if quote {
			b.add('"', a.lo, a.lo)
		}
		b.putAll(a.t)
		if quote {
			b.add('"', a.hi, a.hi)
		}
	}
	return b.text(base)
}

// baseName returns the lower-case name of a program without folder and extension.
func baseName(path string) string {
	path = strings.ToLower(strings.Trim(path, `"' `))
	if i := strings.LastIndexAny(path, `\/`); i >= 0 {
		path = path[i+1:]
	}
	for _, ext := range []string{".exe", ".com", ".bat", ".cmd"} {
		if rest, ok := strings.CutSuffix(path, ext); ok && rest != "" {
			return rest
		}
	}
	if path == "%comspec%" || path == "!comspec!" {
		return "cmd"
	}
	return path
}
