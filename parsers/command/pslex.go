package command

import "strings"

// Kinds of psNode.
const (
	psWord  = 'w' // bare word, variable, operator
	psStr   = 's' // quoted string or here-string
	psGroup = '(' // (...), $(...), @(...)
	psBlock = '{' // {...}, @{...}
	psSep   = ';' // statement end: ; line end && ||
	psPipe  = '|'
	psAmp   = '&'
	psComma = ','
)

// A psNode is one token of PowerShell, or a bracketed list of them.
type psNode struct {
	kind   byte
	t      text // content without quotes and backticks
	kids   []psNode
	lo, hi int  // in the document
	adj    bool // no blank before it
	raw    bool // single-quoted: variables in it are text
	prefix byte // '$' or '@' before a bracket
}

func (n psNode) low() string { return strings.ToLower(n.t.s) }

func (n psNode) isWord(w string) bool { return n.kind == psWord && strings.EqualFold(n.t.s, w) }

// A psLexer reads PowerShell text (language specification 3.0, chapter 2) as far
// as calls and their arguments need.
type psLexer struct {
	s     *scanner
	t     text
	i     int
	depth int
}

// list reads nodes up to a closing bracket or the end.
func (l *psLexer) list(closer byte) []psNode {
	var out []psNode
	s := l.t.s
	blank := true
	for l.i < len(s) {
		c := s[l.i]
		adj := !blank
		blank = false
		start := l.i
		switch {
		case c == '\n':
			l.i++
			blank = true
			out = append(out, l.node(psSep, start))
		case isSpace(c):
			l.i++
			blank = true
		case c == '`' && l.i+1 < len(s) && (s[l.i+1] == '\n' || s[l.i+1] == '\r'):
			l.i += 2
			if s[l.i-1] == '\r' && l.i < len(s) && s[l.i] == '\n' {
				l.i++
			}
			blank = true
		case c == '#' && !adj, c == '<' && strings.HasPrefix(s[l.i:], "<#"):
			l.comment()
			blank = true
		case c == ')' || c == '}':
			l.i++
			if c == closer {
				return out
			}
			out = append(out, l.node(psSep, start))
		case c == '(' || c == '{' || (c == '$' || c == '@') && l.i+1 < len(s) && (s[l.i+1] == '(' || c == '@' && s[l.i+1] == '{'):
			out = append(out, l.bracket(adj))
		case c == ';':
			l.i++
			out = append(out, l.node(psSep, start))
		case c == ',':
			l.i++
			out = append(out, l.node(psComma, start))
		case c == '|' || c == '&':
			l.i++
			kind := byte(psPipe)
			if c == '&' {
				kind = psAmp
			}
			if l.i < len(s) && s[l.i] == c {
				l.i++
				kind = psSep
			}
			out = append(out, l.node(kind, start))
		case c == '>' || c == '<':
			l.redirect()
			blank = true
			if n := len(out) - 1; n >= 0 && adj && out[n].kind == psWord && len(out[n].t.s) == 1 && strings.Contains("123456*", out[n].t.s) {
				out = out[:n]
			}
		default:
			n := l.word()
			n.adj = adj
			out = append(out, n)
		}
	}
	return out
}

// comment skips # to the end of the line, or <# #>.
func (l *psLexer) comment() {
	s, start := l.t.s, l.i
	closer, width := "\n", 1
	if s[l.i] == '<' {
		closer, width = "#>", 2
	}
	end := strings.Index(s[start+width:], closer)
	if end < 0 {
		end = len(s) - start - width
	}
	end += start + width
	l.s.skipData(l.t.slice(start+width, end))
	if l.i = end; width == 2 {
		l.i = min(end+2, len(s))
	}
}

func (l *psLexer) node(kind byte, start int) psNode {
	return psNode{kind: kind, t: l.t.slice(start, l.i), lo: l.t.lo(start), hi: l.t.hi(l.i)}
}

// bracket reads a bracketed list. Beyond the depth bound brackets are blanks,
// so that what is inside is still read.
func (l *psLexer) bracket(adj bool) psNode {
	s, start := l.t.s, l.i
	n := psNode{adj: adj, lo: l.t.lo(start)}
	if s[l.i] == '$' || s[l.i] == '@' {
		n.prefix = s[l.i]
		l.i++
	}
	n.kind = s[l.i]
	closer := byte(')')
	if n.kind == '{' {
		closer = '}'
	}
	l.i++
	if l.depth >= 4*maxDepth {
		n.kind = psSep
		n.hi = l.t.hi(l.i)
		return n
	}
	l.depth++
	n.kids = l.list(closer)
	l.depth--
	n.hi = l.t.hi(l.i)
	n.t = l.t.slice(start, l.i)
	return n
}

func (l *psLexer) redirect() {
	s := l.t.s
	for l.i < len(s) && (s[l.i] == '>' || s[l.i] == '<') {
		l.i++
	}
	if l.i+1 < len(s) && s[l.i] == '&' && isDigit(s[l.i+1]) {
		l.i += 2
		return
	}
	for l.i < len(s) && (s[l.i] == ' ' || s[l.i] == '\t') {
		l.i++
	}
	if l.i < len(s) && strings.IndexByte("\n\r;|&(){}", s[l.i]) < 0 {
		l.word()
	}
}

// word reads a bare word, which may hold quoted parts, or one string.
func (l *psLexer) word() psNode {
	s, start := l.t.s, l.i
	n := psNode{kind: psWord, lo: l.t.lo(start)}
	var b textBuilder
	if body, ok := l.hereString(&n); ok {
		n.t = body
		n.hi = l.t.hi(l.i)
		return n
	}
	if q := quoteAt(s, l.i); q != 0 {
		n.kind, n.raw = psStr, q == '\''
		l.quoted(&b, q)
	} else {
		variable := s[l.i] == '$'
		if l.wordStart(&b) {
			n.t, n.hi = b.text(n.lo), l.t.hi(l.i)
			return n
		}
	loop:
		for l.i < len(s) {
			c := s[l.i]
			switch {
			case c == '`' && l.i+1 < len(s):
				if s[l.i+1] == '\n' || s[l.i+1] == '\r' {
					break loop
				}
				l.i++
				b.add(s[l.i], l.t.lo(l.i-1), l.t.hi(l.i+1))
				l.i++
			case l.i > start && quoteAt(s, l.i) != 0 && strings.EqualFold(s[start:l.i], "-f"):
				break loop
			case l.i > start && quoteAt(s, l.i) != 0:
				l.quoted(&b, quoteAt(s, l.i))
			case c == '$' && strings.HasPrefix(s[l.i:], "${"):
				for l.i < len(s) && s[l.i] != '}' {
					b.put(l.t, l.i)
					l.i++
				}
			case isSpace(c) || strings.IndexByte(";|&(){},", c) >= 0 && !(c == '}' && l.i > 0 && strings.HasPrefix(s[start:l.i], "${")):
				break loop
			case (c == '>' || c == '<') && l.i > start:
				break loop
			case variable && (c == '=' || c == '+') && l.i > start:
				break loop
			default:
				b.put(l.t, l.i)
				l.i++
			}
		}
	}
	if l.i == start { // never stand still
		b.put(l.t, l.i)
		l.i++
	}
	n.t = b.text(n.lo)
	n.hi = l.t.hi(l.i)
	return n
}

// wordStart reads the + of a sum, which is a word of its own, or a dash that
// PowerShell takes for "-".
func (l *psLexer) wordStart(b *textBuilder) (whole bool) {
	s := l.t.s
	if s[l.i] == '+' && l.i+1 < len(s) && (quoteAt(s, l.i+1) != 0 || s[l.i+1] == '$') {
		b.put(l.t, l.i)
		l.i++
		return true
	}
	for _, dash := range []string{"–", "—", "―"} {
		if rest, ok := strings.CutPrefix(s[l.i:], dash); ok && rest != "" && isLetter(rest[0]) {
			b.add('-', l.t.lo(l.i), l.t.hi(l.i+len(dash)))
			l.i += len(dash)
			break
		}
	}
	return false
}

// quoteAt returns ' or " if one, or a typographic one that PowerShell takes for
// it, is at i.
func quoteAt(s string, i int) byte {
	switch s[i] {
	case '\'', '"':
		return s[i]
	case 0xE2:
		if i+2 < len(s) && s[i+1] == 0x80 {
			switch s[i+2] {
			case 0x98, 0x99, 0x9A, 0x9B:
				return '\''
			case 0x9C, 0x9D, 0x9E:
				return '"'
			}
		}
	}
	return 0
}

func quoteLen(s string, i int) int {
	if s[i] == 0xE2 {
		return 3
	}
	return 1
}

// quoted reads a string with its quotes and adds its content.
func (l *psLexer) quoted(b *textBuilder, q byte) {
	s := l.t.s
	l.i += quoteLen(s, l.i)
	for l.i < len(s) {
		c := s[l.i]
		switch {
		case quoteAt(s, l.i) == q:
			l.i += quoteLen(s, l.i)
			if l.i >= len(s) || quoteAt(s, l.i) != q {
				return
			}
			b.add(q, l.t.lo(l.i-1), l.t.hi(l.i+1)) // doubled
			l.i += quoteLen(s, l.i)
		case c == '`' && q == '"' && l.i+1 < len(s):
			l.i++
			b.add(s[l.i], l.t.lo(l.i-1), l.t.hi(l.i+1))
			l.i++
		default:
			b.put(l.t, l.i)
			l.i++
		}
	}
}

// hereString reads @' ... '@ or @" ... "@.
func (l *psLexer) hereString(n *psNode) (text, bool) {
	s := l.t.s
	if l.i+2 >= len(s) || s[l.i] != '@' || s[l.i+1] != '\'' && s[l.i+1] != '"' {
		return text{}, false
	}
	q := s[l.i+1]
	eol := strings.IndexByte(s[l.i:], '\n')
	if eol < 0 || strings.TrimSpace(s[l.i+2:l.i+eol]) != "" {
		return text{}, false
	}
	n.kind, n.raw = psStr, q == '\''
	start := l.i + eol + 1
	end := strings.Index(s[start-1:], "\n"+string(q)+"@")
	if end < 0 {
		l.i = len(s)
		return l.t.slice(min(start, len(s)), len(s)), true
	}
	end += start - 1
	l.i = end + 3
	return l.t.slice(min(start, end), max(start, end)).trim(), true
}
