package command

import (
	"slices"
	"strings"
)

// psText reads a text as PowerShell does.
func (s *scanner) psText(t text) {
	if !s.enter(len(t.s)) {
		return
	}
	defer s.leave()
	l := &psLexer{s: s, t: t, depth: s.depth}
	s.psList(l.list(0))
}

// script reads the text of a script block.
func (s *scanner) script(t text) { s.psText(t) }

// psList reads statements.
func (s *scanner) psList(nodes []psNode) {
	if s.depth > 4*maxDepth {
		return
	}
	s.depth++
	defer s.leave()
	var prev *psCommand
	start := 0
	flush := func(end int, piped bool) {
		part := nodes[start:end]
		start = end + 1
		if len(part) == 0 {
			if !piped {
				prev = nil
			}
			return
		}
		c := s.psStatement(part, prev)
		if prev = nil; piped {
			prev = c
		}
	}
	for i := range nodes {
		switch nodes[i].kind {
		case psSep:
			if i+1 < len(nodes) && nodes[i].t.s == "\n" && prev != nil && start == i { // a pipe at the end of a line
				start = i + 1
				continue
			}
			flush(i, false)
		case psPipe:
			flush(i, true)
		case psAmp:
			if i > start && !(i == start+2 && nodes[start+1].isWord("=")) { // else the call operator
				flush(i, false)
			}
		}
	}
	flush(len(nodes), false)
}

// psStatement reads one command, assignment or keyword with its blocks.
func (s *scanner) psStatement(n []psNode, prev *psCommand) *psCommand {
	for len(n) > 0 && n[0].kind == psWord {
		switch n[0].low() {
		case "if", "elseif", "else", "while", "do", "until", "try", "catch", "finally", "switch", "for", "param", "trap",
			"begin", "process", "end", "dynamicparam", "data":
			rest := n[1:]
			for len(rest) > 0 && (rest[0].kind == psGroup || rest[0].kind == psBlock) {
				s.psKids(rest[0])
				rest = rest[1:]
			}
			n = rest
			continue
		case "return", "throw", "exit":
			n = n[1:]
			continue
		case "foreach":
			if len(n) > 1 && n[1].kind == psGroup && len(n[1].kids) > 2 && n[1].kids[1].isWord("in") {
				n = s.psForeach(n)
				continue
			}
		case "function", "filter", "workflow", "configuration", "class":
			if len(n) > 1 {
				n = n[2:]
				for _, k := range n {
					s.psKids(k)
				}
				return nil
			}
		}
		break
	}
	if len(n) == 0 {
		return nil
	}
	if rest, ok := s.psAssign(n); ok {
		return s.psStatement(rest, prev)
	}
	return s.psCommand(n, prev)
}

// psKids reads what is in brackets as statements.
func (s *scanner) psKids(n psNode) {
	if n.kind == psGroup || n.kind == psBlock {
		s.psList(n.kids)
	}
}

// psForeach reads "foreach ($v in LIST) {...}" with $v bound to each value.
func (s *scanner) psForeach(n []psNode) []psNode {
	name := varName(n[1].kids[0].t.s)
	list := n[1].kids[2:]
	rest := n[2:]
	s.psList(list)
	if len(rest) > 0 && rest[0].kind == psBlock {
		s.psBound(name, s.psValues(list), func() { s.psKids(rest[0]) })
		rest = rest[1:]
	}
	return rest
}

// psBound runs read with a variable of known values; nil means unknown.
func (s *scanner) psBound(name string, values []string, read func()) {
	old, had := s.vars[name]
	if values == nil {
		delete(s.vars, name)
	} else {
		s.vars[name] = values
	}
	read()
	if had {
		s.vars[name] = old
	} else {
		delete(s.vars, name)
	}
}

func varName(v string) string {
	v = strings.ToLower(strings.TrimPrefix(v, "$"))
	return strings.TrimSuffix(strings.TrimPrefix(v, "{"), "}")
}

// psAssign reads "$name = ..." and remembers literal values.
func (s *scanner) psAssign(n []psNode) ([]psNode, bool) {
	i := 0
	for i < len(n) && n[i].kind == psWord && strings.HasPrefix(n[i].t.s, "[") && strings.HasSuffix(n[i].t.s, "]") {
		i++ // a cast
	}
	if i >= len(n) || n[i].kind != psWord {
		return nil, false
	}
	v := n[i].t.s
	if j := strings.LastIndexByte(v, ']'); j > 0 && v[0] == '[' {
		v = v[j+1:]
	}
	if !strings.HasPrefix(v, "$") || i+1 >= len(n) {
		return nil, false
	}
	op := n[i+1]
	if op.kind != psWord || !strings.HasPrefix(op.t.s, "=") && !strings.HasPrefix(op.t.s, "+=") {
		return nil, false
	}
	rest := slices.Clone(n[i+2:])
	if k := strings.IndexByte(op.t.s, '=') + 1; k < len(op.t.s) { // $a ="x" in one word
		op.t = op.t.slice(k, len(op.t.s))
		op.lo = op.t.lo(0)
		op.kind = psStr
		rest = append([]psNode{op}, rest...)
	}
	name := varName(v)
	delete(s.vars, name)
	if literal(rest) {
		if len(rest) == 1 && namesPassword(name) && rest[0].kind == psStr {
			s.secret(nodeArg(rest[0]))
		}
		s.vars[name] = s.psValues(rest)
		s.psStrings(rest)
		return nil, true
	}
	return rest, true
}

// literal says whether nodes are a value, or a list or sum of values.
func literal(n []psNode) bool {
	for _, x := range n {
		switch {
		case x.kind == psStr, x.kind == psComma, x.isWord("+"):
		case x.kind == psGroup && literal(x.kids):
		case x.kind == psSep && x.t.s == "\n":
		default:
			return false
		}
	}
	return len(n) > 0
}

// psStrings looks for secrets in strings: they may be run later.
func (s *scanner) psStrings(n []psNode) {
	for _, x := range n {
		if x.kind == psStr && strings.ContainsAny(x.t.s, " \t") {
			s.skipData(x.t)
		} else if x.kind == psGroup {
			s.psStrings(x.kids)
		}
	}
}
