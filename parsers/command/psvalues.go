package command

import "strings"

// expandOne returns the value of a word if it has exactly one, else as written.
func (s *scanner) expandOne(n psNode) string {
	if v := s.psValues([]psNode{n}); len(v) == 1 {
		return v[0]
	}
	return n.t.s
}

// psValues returns the values of an argument: strings, lists and sums of
// strings, variables that are known. What is not known stays as written.
func (s *scanner) psValues(nodes []psNode) []string {
	out := []string{}
	join := false
	add := func(values ...string) {
		if join && len(out) > 0 && len(values) == 1 {
			out[len(out)-1] += values[0]
		} else if len(out)+len(values) <= maxExpand {
			out = append(out, values...)
		}
		join = false
	}
	for i, n := range nodes {
		switch {
		case n.kind == psComma || n.kind == psSep:
			join = false
		case n.isWord("+"):
			join = true
		case n.isWord("-f") && len(out) == 1 && i+1 < len(nodes):
			out[0] = format(out[0], s.psValues(nodes[i+1:]))
			return out
		case n.kind == psStr && n.raw:
			add(n.t.s)
		case n.kind == psStr || n.kind == psWord:
			if n.adj && i > 0 && nodes[i-1].kind != psComma && len(out) > 0 {
				join = true
			}
			add(s.expand(n)...)
		case n.kind == psGroup:
			if isValue(n.kids) {
				add(s.psValues(n.kids)...)
			} else {
				add(n.t.s)
			}
		}
	}
	return out
}

// isValue says whether a group holds values and no command.
func isValue(kids []psNode) bool {
	for i, k := range kids {
		if k.kind == psPipe || k.kind == psBlock || k.kind == psWord && i == 0 && !isExpression(k.t.s) {
			return false
		}
	}
	return true
}

// format is the operator -f for plain placeholders.
func format(f string, values []string) string {
	for i, v := range values {
		if i > 9 || len(f) > 1<<16 || len(v) > 1<<12 {
			break
		}
		f = strings.ReplaceAll(f, "{"+string(rune('0'+i))+"}", v)
	}
	return f
}

// expand replaces the variables of a word or string by their known values.
func (s *scanner) expand(n psNode) []string {
	v := n.t.s
	out := []string{""}
	grow := func(parts ...string) {
		if len(out)*len(parts) > maxExpand {
			parts = parts[:1]
		}
		var next []string
		for _, o := range out {
			for _, p := range parts {
				next = append(next, o+p)
			}
		}
		out = next
	}
	for v != "" {
		i := strings.IndexByte(v, '$')
		if i < 0 {
			break
		}
		name, end := variableAt(v, i)
		values, known := s.vars[name]
		if name == "" || !known || len(values) == 0 {
			grow(v[:max(end, i+1)])
			v = v[max(end, i+1):]
			continue
		}
		grow(v[:i])
		grow(values...)
		v = v[end:]
		// $_.LocalPath of what Get-SmbMapping gives names the same mapping.
		if n.kind == psWord && strings.HasPrefix(v, ".") && name == "_" {
			v = strings.TrimLeftFunc(v[1:], func(r rune) bool { return r == '_' || isLetter(byte(r)) && r < 0x80 })
		} else if strings.HasPrefix(v, ")") {
			v = v[1:]
		}
	}
	grow(v)
	return out
}

// variableAt returns the lower-case name of the variable at the $ at i, and its
// end; $($name) counts as $name.
func variableAt(v string, i int) (string, int) {
	j := i + 1
	if strings.HasPrefix(v[j:], "($") {
		j += 2
	}
	if strings.HasPrefix(v[j:], "{") {
		if end := strings.IndexByte(v[j:], '}'); end > 0 {
			return strings.ToLower(v[j+1 : j+end]), j + end + 1
		}
		return "", j
	}
	start := j
	for j < len(v) && (isLetter(v[j]) || isDigit(v[j]) || v[j] == '_') {
		j++
	}
	return strings.ToLower(v[start:j]), j
}

// psArgs are the parameters of a cmdlet as given.
type psArgs struct {
	named map[string][]string
	nodes map[string][]psNode // where the values stand
	pos   [][]string
	posAt [][]psNode
}

func (a psArgs) get(name string) []string { return a.named[name] }

func (a psArgs) first(name string) string {
	if v := a.named[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// on says whether a switch is given and not set to $false.
func (a psArgs) on(name string) bool {
	v, ok := a.named[name]
	return ok && (len(v) == 0 || !falsy(v[0]))
}

func falsy(v string) bool { return strings.EqualFold(v, "$false") || v == "0" }

// flags returns the parameters given, lower case, without values.
func (a psArgs) flags() []string {
	var out []string
	for n := range a.named {
		out = append(out, "-"+n) // emit sorts
	}
	return out
}

// value returns a named parameter, or the positional one at i.
func (a psArgs) value(name string, i int) []string {
	if v := a.get(name); v != nil {
		return v
	}
	if i >= 0 && i < len(a.pos) {
		return a.pos[i]
	}
	return nil
}

var commonParameters = []string{"confirm!", "whatif!", "verbose!", "debug!", "erroraction", "ea", "warningaction", "wa", "informationaction", "errorvariable", "outvariable", "outbuffer", "ev", "ov", "pipelinevariable"}

// psArguments binds arguments. spec lists parameter names, those of switches
// with "!" behind; a parameter may be given by any beginning of its name.
func (s *scanner) psArguments(c *psCommand, spec ...string) psArgs {
	a := psArgs{named: map[string][]string{}, nodes: map[string][]psNode{}}
	for i := 0; i < len(c.args); {
		n := c.args[i]
		if n.kind == psBlock || n.kind == psAmp {
			i++
			continue
		}
		if n.kind != psWord || len(n.t.s) < 2 || n.t.s[0] != '-' || !isLetter(n.t.s[1]) {
			end := elementEnd(c.args, i)
			a.pos = append(a.pos, s.psValues(c.args[i:end]))
			a.posAt = append(a.posAt, c.args[i:end])
			i = end
			continue
		}
		name, inline, colon := strings.Cut(n.t.s[1:], ":")
		name, isSwitch := parameter(strings.ToLower(name), spec)
		i++
		switch {
		case colon && inline != "":
			v := n
			v.t = n.t.slice(strings.IndexByte(n.t.s, ':')+1, len(n.t.s))
			v.lo = v.t.lo(0)
			a.named[name] = s.psValues([]psNode{v})
			a.nodes[name] = []psNode{v}
		case i < len(c.args) && (colon || !isSwitch) && !isParameter(c.args[i]):
			end := elementEnd(c.args, i)
			a.named[name] = s.psValues(c.args[i:end])
			a.nodes[name] = c.args[i:end]
			i = end
		default:
			a.named[name] = nil
		}
	}
	return a
}

func isParameter(n psNode) bool {
	return n.kind == psWord && len(n.t.s) > 1 && n.t.s[0] == '-' && isLetter(n.t.s[1])
}

func parameter(name string, spec []string) (string, bool) {
	for _, list := range [][]string{spec, commonParameters} {
		for _, p := range list {
			if strings.TrimSuffix(p, "!") == name {
				return name, strings.HasSuffix(p, "!")
			}
		}
	}
	for _, list := range [][]string{spec, commonParameters} {
		for _, p := range list {
			if full := strings.TrimSuffix(p, "!"); strings.HasPrefix(full, name) {
				return full, strings.HasSuffix(p, "!")
			}
		}
	}
	return name, false
}

// elementEnd returns the end of the argument at i: a list goes on behind commas.
func elementEnd(n []psNode, i int) int {
	i++
	for i < len(n) {
		switch {
		case n[i].kind == psComma:
			i++
			if i < len(n) {
				i++
			}
		case n[i].adj && !isParameter(n[i]) && n[i].kind != psAmp:
			i++
		default:
			return i
		}
	}
	return min(i, len(n))
}
