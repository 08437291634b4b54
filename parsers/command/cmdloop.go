package command

import (
	"strconv"
	"strings"
)

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
		if s.spent() {
			s.cmdText(body)
			s.out = joinRuns(s.out, first, n)
			break
		}
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
