package command

import (
	"regexp"
	"strings"
)

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
		case c == '#' && !adj:
			for l.i < len(s) && s[l.i] != '\n' {
				l.i++
			}
			l.s.skipData(l.t.slice(start+1, l.i))
			blank = true
		case c == '<' && strings.HasPrefix(s[l.i:], "<#"):
			end := strings.Index(s[l.i:], "#>")
			if end < 0 {
				end = len(s) - l.i - 2
			}
			l.s.skipData(l.t.slice(start+2, max(start+2, start+end)))
			l.i = min(start+end+2, len(s))
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
		if s[l.i] == '+' && l.i+1 < len(s) && (quoteAt(s, l.i+1) != 0 || s[l.i+1] == '$') {
			b.put(l.t, l.i) // a sum
			l.i++
			n.t, n.hi = b.text(n.lo), l.t.hi(l.i)
			return n
		}
		for _, dash := range []string{"–", "—", "―"} { // dashes that PowerShell takes for -
			if rest, ok := strings.CutPrefix(s[l.i:], dash); ok && rest != "" && isLetter(rest[0]) {
				b.add('-', l.t.lo(l.i), l.t.hi(l.i+len(dash)))
				l.i += len(dash)
			}
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

var psVerbNoun = regexp.MustCompile(`(?i)^(?:[a-z.]+\\)?[a-z]+-[a-z][a-z0-9]+$`)

// looksLikePowerShell says whether a line was written for PowerShell: one of its
// commands has a cmdlet's name, or begins as no command of cmd.exe does.
func looksLikePowerShell(line string) bool {
	for len(line) > 0 {
		line = strings.TrimLeft(line, " \t\r\n;|&{(")
		word := line
		if end := strings.IndexAny(word, " \t\r\n;|&({)}\""); end >= 0 {
			word = word[:end]
		}
		word = strings.ReplaceAll(strings.TrimPrefix(word, "@"), "`", "")
		low := strings.ToLower(word)
		name := low[strings.LastIndexByte(low, '\\')+1:]
		switch {
		case line == "":
			return false
		case low == "": // a quoted program or a value
			if end := strings.IndexByte(line[1:], line[0]); line[0] == '"' && end >= 0 {
				line = line[end+2:]
			} else {
				line = line[1:]
			}
		case psKeyword(low, line[len(word):]):
			return true
		case low[0] == '$' || low[0] == '\'' || low[0] == '[' || cmdlets[name] != nil || psOnlyAlias(name) || len(low) < 64 && psVerbNoun.MatchString(low):
			return true
		case low == "rem" || low[0] == ':' || low[0] == '#':
			return false
		}
		next := nextCommand(line)
		if next == 0 {
			return false
		}
		line = line[next:]
	}
	return false
}

// psKeyword says whether a word begins a statement of PowerShell; cmd.exe knows
// if and for, but not with a parenthesis behind them.
func psKeyword(low, rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	switch low {
	case "foreach", "while", "switch", "if", "elseif", "for":
		return strings.HasPrefix(rest, "(")
	case "try", "do", "trap", "begin", "process":
		return strings.HasPrefix(rest, "{")
	case "function", "param", "return":
		return true
	}
	return false
}

// nextCommand returns the place behind the next separator outside quotes, 0 if
// there is none.
func nextCommand(line string) int {
	quote := byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case i > 0 && line[i-1] == '^':
		case c == '"':
			quote = c
		case c == '\'' && i > 0 && isSpace(line[i-1]):
			quote = c
		case c == ';' || c == '|' || c == '\n' || c == '&' && (i == 0 || line[i-1] != '>'):
			return i + 1
		}
	}
	return 0
}
