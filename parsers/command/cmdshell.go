package command

import "strings"

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
