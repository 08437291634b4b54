package command

import "strings"

// simple reads one simple command and interprets it.
func (p *cmdReader) simple(word string) {
	name := baseName(word)
	verbatim := false
	if i := strings.IndexAny(name, ".:/\\"); i > 0 && name[:i] == "echo" {
		name = "echo"
	}
	switch name {
	case "echo", "title", "prompt":
		verbatim = true
	}
	t, lo, hi, sep := p.scan(verbatim)
	piped := p.piped
	p.piped = text{}
	switch {
	case name == "echo":
		body := t.slice(min(len("echo"), len(t.s)), len(t.s))
		if sep == '|' {
			p.piped = body
		}
		p.s.skipData(body)
		p.s.leaf++
		return
	case verbatim:
		p.s.leaf++
		return
	}
	c := newCall(p.s.expandSet(t), lo, hi)
	if c == nil {
		return
	}
	if piped.s != "" {
		p.s.runPiped(piped, c)
	}
	p.s.run(c)
}

// runPiped reads what echo feeds to an interpreter: that is run after all.
func (s *scanner) runPiped(t text, c *call) {
	switch c.name {
	case "cmd":
		if len(c.args) == 0 || c.args[0].low() == "/q" {
			s.cmdText(unescape(t))
		}
	case "powershell", "pwsh":
		if n := len(c.args); n == 0 || c.args[n-1].val == "-" || strings.HasPrefix(c.args[n-1].low(), "-no") {
			s.psText(unescape(t))
		}
	case "diskshadow":
		if strings.Contains(strings.ToLower(t.s), "delete shadows") {
			s.emit(&call{program: "diskshadow", lo: t.lo(0), hi: t.hi(len(t.s))}, Segment{Class: ShadowDelete, Targets: shadowTargets(splitArgs(t))})
		}
	}
}

// scan returns the simple command at p.i without redirections and one level of
// carets, its place, and the separator behind it.
func (p *cmdReader) scan(verbatim bool) (t text, lo, hi int, sep byte) {
	s := p.t.s
	var b textBuilder
	start, i := p.i, p.i
	quote, inner := false, false
loop:
	for i < len(s) {
		c := s[i]
		switch {
		case c == '\n':
			sep = c
			break loop
		case c == '"':
			switch {
			case !quote || i == 0 || s[i-1] != '\\':
				quote = !quote
			case inner:
				inner = false
			case opensInner(s, i-1):
				inner = true
			default:
				quote = false
			}
			b.put(p.t, i)
			i++
		case quote:
			b.put(p.t, i)
			i++
		case c == '^':
			i = p.caret(&b, i)
		case c == '&' || c == '|' || c == ';' && !verbatim || c == ')' && p.paren > 0:
			sep = c
			break loop
		case c == '>' || c == '<':
			i = p.redirect(&b, i)
		default:
			b.put(p.t, i)
			i++
		}
	}
	p.i = i
	if i == start { // a lone separator
		p.i++
	}
	end := i
	for end > start && isSpace(s[end-1]) {
		end--
	}
	return b.text(p.t.lo(start)), p.t.lo(start), p.t.hi(end), sep
}

// opensInner says whether the \" at i, within quotes, opens a quote for the next
// program rather than closing a path.
func opensInner(s string, i int) bool {
	return i > 0 && strings.IndexByte(" \t=:,({[&;'\"", s[i-1]) >= 0
}

// caret copies the byte behind a caret; a caret at the end of a line joins lines.
func (p *cmdReader) caret(b *textBuilder, i int) int {
	s := p.t.s
	next := i + 1
	if next < len(s) && s[next] == '\r' {
		next++
	}
	if next >= len(s) {
		return next
	}
	if s[next] == '\n' {
		return next + 1
	}
	b.add(s[next], p.t.lo(i), p.t.hi(next+1))
	return next + 1
}

// redirect skips a redirection at i and the handle number before it.
func (p *cmdReader) redirect(b *textBuilder, i int) int {
	s := p.t.s
	if n := len(b.b); n > 0 && isDigit(b.b[n-1]) && (n == 1 || isSpace(b.b[n-2])) {
		b.b, b.at = b.b[:n-1], b.at[:n-1]
	}
	b.add(' ', p.t.lo(i), p.t.hi(i+1))
	for i < len(s) && (s[i] == '>' || s[i] == '<') {
		i++
	}
	i = p.skipSpace(i)
	if i+1 < len(s) && s[i] == '&' && (isDigit(s[i+1]) || s[i+1] == '-') {
		return i + 2
	}
	for quote := false; i < len(s) && s[i] != '\n'; i++ {
		if s[i] == '"' {
			quote = !quote
		} else if !quote && (isSpace(s[i]) || strings.IndexByte("&|;<>)", s[i]) >= 0) {
			break
		}
	}
	return i
}

// newCall splits a command; nil if there is none.
func newCall(t text, lo, hi int) *call {
	args := splitArgs(t)
	if len(args) == 0 {
		return nil
	}
	c := &call{lo: lo, hi: hi, src: t}
	name, n := programName(args)
	// cmd.exe ends a program name at these: cmd/c, cmd,/c.
	if i := strings.IndexAny(name, "/,;="); i > 0 && n == 1 && !args[0].quoted {
		if head := baseName(name[:i]); head == "cmd" || head == "net" || head == "net1" {
			rest := nextFrom(t, args[0].start+i)
			args = append([]arg{args[0]}, append(rest, args[1:]...)...)
			name = name[:i]
		}
	}
	c.name = baseName(name)
	c.program = c.name
	c.args = args[n:]
	return c
}

func nextFrom(t text, i int) []arg {
	a, _ := nextArg(t, i)
	return []arg{a}
}

// programName returns the program's path and how many arguments it takes up: an
// unquoted path may hold blanks.
func programName(args []arg) (string, int) {
	name := args[0].val
	if args[0].quoted || !strings.Contains(name, `\`) || hasExt(name) || isCommandWord(baseName(name)) {
		return strings.TrimSpace(name), 1
	}
	for n := 1; n < len(args) && n < 6; n++ {
		if strings.ContainsAny(args[n].val, `/*:`) || strings.HasPrefix(args[n].val, `\\`) {
			break
		}
		name += " " + args[n].val
		if hasExt(name) {
			return name, n + 1
		}
	}
	return args[0].val, 1
}

func hasExt(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), ".exe") || strings.HasSuffix(strings.ToLower(name), ".com")
}
