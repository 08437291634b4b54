package command

import (
	"strconv"
	"strings"
)

// cmdText reads a text as cmd.exe does: commands chained by & && | || and line
// ends, in parentheses, behind if and for; carets outside quotes escape. The
// semicolon separates too, because lines of PowerShell come here as well.
func (s *scanner) cmdText(t text) {
	if !s.enter(len(t.s)) {
		return
	}
	defer s.leave()
	p := cmdReader{s: s, t: t}
	for p.i < len(t.s) {
		p.next()
	}
}

type cmdReader struct {
	s     *scanner
	t     text
	i     int
	paren int

	piped text // what echo pipes into the next command
}

// next reads one separator, keyword or simple command.
func (p *cmdReader) next() {
	c := p.t.s[p.i]
	switch {
	case isSpace(c) || strings.IndexByte("@,=&|;", c) >= 0:
		p.i++
		return
	case c == '(':
		p.paren++
		p.i++
		return
	case c == ')':
		p.paren = max(p.paren-1, 0)
		p.i++
		return
	}
	word, end := p.word(p.i)
	switch {
	case word == "rem" || word[0] == ':':
		eol := p.lineEnd(p.i)
		p.s.skipData(p.t.slice(end, max(end, eol)))
		p.i = max(end, eol)
	case word == "else" || word == "do" || word == "call":
		p.i = end
	case word == "if" && p.skipIf(end):
	case word == "for" && p.loop(end):
	default:
		p.simple(word)
	}
}

// word returns the lower-case word at i, without carets and quotes, and its end.
func (p *cmdReader) word(i int) (string, int) {
	s := p.t.s
	var b []byte
	quote := false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			quote = !quote
			continue
		}
		if !quote {
			if c == '^' {
				continue
			}
			if isSpace(c) || strings.IndexByte("&|<>(),;=", c) >= 0 {
				break
			}
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
		if len(b) > 1024 {
			break
		}
	}
	if len(b) == 0 {
		return "\x00", max(i, min(p.i+1, len(s)))
	}
	return string(b), i
}

func (p *cmdReader) lineEnd(i int) int {
	if n := strings.IndexByte(p.t.s[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(p.t.s)
}

func (p *cmdReader) skipSpace(i int) int {
	for i < len(p.t.s) && isSpace(p.t.s[i]) && p.t.s[i] != '\n' {
		i++
	}
	return i
}

// field returns the blank-separated, possibly quoted word at i and its end.
func (p *cmdReader) field(i int) (string, int) {
	i = p.skipSpace(i)
	start, quote := i, false
	for i < len(p.t.s) && (quote || !isSpace(p.t.s[i])) && p.t.s[i] != '\n' {
		if p.t.s[i] == '"' {
			quote = !quote
		}
		i++
	}
	return p.t.s[start:i], i
}

// skipIf moves behind the condition of an if.
func (p *cmdReader) skipIf(i int) bool {
	f, end := p.field(i)
	for strings.EqualFold(f, "/i") || strings.EqualFold(f, "not") {
		f, end = p.field(end)
	}
	switch strings.ToLower(f) {
	case "":
		return false
	case "exist", "defined", "errorlevel", "cmdextversion":
		_, end = p.field(end)
	default:
		if eq := strings.Index(f, "=="); eq >= 0 {
			if eq+2 == len(f) {
				_, end = p.field(end)
			}
			break
		}
		op, opEnd := p.field(end)
		switch {
		case op == "==", isCompare(op):
			_, end = p.field(opEnd)
		case strings.HasPrefix(op, "=="):
			end = opEnd
		default:
			return false
		}
	}
	p.i = end
	return true
}

func isCompare(op string) bool {
	switch strings.ToLower(op) {
	case "equ", "neq", "lss", "leq", "gtr", "geq":
		return true
	}
	return false
}

// loop reads "for [switches] %v in (list) do body". The body reaches to the end
// of the line or of the enclosing parentheses.
func (p *cmdReader) loop(i int) bool {
	kind, opts := byte(0), ""
	f, end := p.field(i)
	for strings.HasPrefix(f, "/") && len(f) == 2 {
		kind = f[1] | 0x20
		f, end = p.field(end)
		if kind != 'l' && !strings.HasPrefix(f, "%") {
			opts = f
			f, end = p.field(end)
		}
	}
	name := strings.TrimLeft(f, "%")
	if len(name) != 1 || len(f) == len(name) {
		return false
	}
	in, end := p.field(end)
	open := end
	if strings.HasPrefix(strings.ToLower(in), "in(") {
		open = end - len(in) + 2
	} else if !strings.EqualFold(in, "in") {
		return false
	}
	open = p.skipSpace(open)
	if open >= len(p.t.s) || p.t.s[open] != '(' {
		return false
	}
	closed := p.matching(open)
	if closed < 0 {
		return false
	}
	list := p.t.slice(open+1, closed)
	body, bodyEnd := p.body(closed + 1)
	if bodyEnd < 0 {
		return false
	}
	p.i = bodyEnd
	p.s.runLoop(body, name[0], p.s.loopValues(kind, opts, list))
	return true
}

// matching returns the place of the parenthesis that closes the one at open, -1
// if there is none.
func (p *cmdReader) matching(open int) int {
	depth, quote := 0, byte(0)
	for i := open; i < len(p.t.s); i++ {
		switch c := p.t.s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' && i > open && strings.IndexByte("( \t", p.t.s[i-1]) >= 0:
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// body returns what "do" at i governs and where that ends.
func (p *cmdReader) body(i int) (text, int) {
	i = p.skipSpace(i)
	if i+2 > len(p.t.s) || !strings.EqualFold(p.t.s[i:i+2], "do") {
		return text{}, -1
	}
	start := i + 2
	depth, quote := 0, false
	for i = start; i < len(p.t.s); i++ {
		switch c := p.t.s[i]; {
		case c == '\n' && depth == 0:
			return p.t.slice(start, i), i
		case c == '"':
			quote = !quote
		case quote:
		case c == '^':
			i++
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 && p.paren > 0 {
				return p.t.slice(start, i), i
			}
		}
	}
	return p.t.slice(start, len(p.t.s)), len(p.t.s)
}

// loopValues returns the values of a loop variable; nil if the line does not
// tell them. The command whose output a for /f reads is run, and so read.
func (s *scanner) loopValues(kind byte, opts string, list text) []string {
	l := list.trim()
	switch kind {
	case 0:
		var out []string
		for _, a := range splitList(l.s) {
			if strings.ContainsAny(a, "*?") || len(out) == maxExpand { // names of files
				return nil
			}
			out = append(out, a)
		}
		return out
	case 'l':
		return countValues(l.s)
	case 'f':
		if n := len(l.s); n >= 2 && l.s[0] == l.s[n-1] && (l.s[0] == '\'' || l.s[0] == '`') {
			s.cmdText(unescape(l.slice(1, n-1)))
		} else if n >= 2 && l.s[0] == '"' && l.s[n-1] == '"' && opts == "" {
			if f := strings.Fields(l.s[1 : n-1]); len(f) > 0 {
				return f[:1]
			}
		}
	}
	return nil
}

func splitList(l string) []string {
	var out []string
	for len(l) > 0 {
		l = strings.TrimLeft(l, " \t\r\n,;=")
		end := strings.IndexAny(l, " \t\r\n,;=")
		if strings.HasPrefix(l, `"`) {
			if q := strings.IndexByte(l[1:], '"'); q >= 0 {
				out = append(out, l[1:q+1])
				l = l[q+2:]
				continue
			}
		}
		if end < 0 {
			end = len(l)
		}
		if end > 0 {
			out = append(out, strings.ReplaceAll(l[:end], "^", ""))
		}
		l = l[end:]
	}
	return out
}

func countValues(l string) []string {
	f := splitList(l)
	if len(f) != 3 {
		return nil
	}
	var n [3]int
	for i := range f {
		v, err := strconv.Atoi(f[i])
		if err != nil || v < -1<<30 || v > 1<<30 {
			return nil
		}
		n[i] = v
	}
	var out []string
	for v := n[0]; n[1] != 0 && (n[1] > 0 && v <= n[2] || n[1] < 0 && v >= n[2]); v += n[1] {
		if len(out) == maxExpand {
			return nil
		}
		out = append(out, strconv.Itoa(v))
	}
	return out
}

// runLoop reads the body once for each value and joins what comes out, so that
// one command of the body stays one segment.
func (s *scanner) runLoop(body text, name byte, values []string) {
	if len(values) == 0 {
		s.cmdText(body)
		return
	}
	first, leaf := len(s.out), s.leaf
	for _, v := range values {
		n := len(s.out)
		s.leaf = leaf
		s.cmdText(substitute(body, name, v))
		s.out = joinRuns(s.out, first, n)
	}
}

// joinRuns merges out[n:], the newest run of a loop, into out[first:n].
func joinRuns(out []found, first, n int) []found {
	if n == first {
		return out
	}
	kept := out[:n]
	for _, f := range out[n:] {
		same := -1
		for i := first; i < n; i++ {
			if out[i].Index == f.Index && out[i].Class == f.Class && out[i].doc == f.doc {
				same = i
				break
			}
		}
		if same < 0 {
			kept = append(kept, f)
			continue
		}
		out[same].Targets = addUnique(out[same].Targets, f.Targets...)
	}
	return kept
}

// substitute puts a value in place of %n, %%n and %~n.
func substitute(t text, name byte, value string) text {
	var b textBuilder
	s := t.s
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.put(t, i)
			continue
		}
		j := i + 1
		if j < len(s) && s[j] == '%' {
			j++
		}
		if j < len(s) && s[j] == '~' {
			j++
		}
		if j >= len(s) || s[j] != name {
			b.put(t, i)
			continue
		}
		for k := range len(value) {
			hi := t.lo(i)
			if k == len(value)-1 {
				hi = t.hi(j + 1)
			}
			b.add(value[k], t.lo(i), hi)
		}
		i = j
	}
	return b.text(t.lo(0))
}

// unescape takes one level of carets away.
func unescape(t text) text {
	if strings.IndexByte(t.s, '^') < 0 {
		return t
	}
	var b textBuilder
	quote := false
	for i := 0; i < len(t.s); i++ {
		switch {
		case t.s[i] == '"':
			quote = !quote
			b.put(t, i)
		case t.s[i] == '^' && !quote && i+1 < len(t.s):
			i++
			b.add(t.s[i], t.lo(i-1), t.hi(i+1))
		default:
			b.put(t, i)
		}
	}
	return b.text(t.lo(0))
}
