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
	var sum []byte // the last of out while it grows
	join, full := false, false
	settle := func() {
		if sum != nil {
			out[len(out)-1], sum = string(sum), nil
		}
	}
	add := func(values ...string) {
		switch {
		case join && len(out) > 0 && len(values) == 1:
			if sum == nil {
				sum = []byte(out[len(out)-1])
			}
			if len(sum) < len(s.doc.orig) || len(sum) < 1<<16 { // variables must not multiply
				sum = append(sum, values[0]...)
			}
		case len(out)+len(values) <= maxExpand:
			settle()
			out = append(out, values...)
		default:
			full = true
		}
		join = false
	}
	for i, n := range nodes {
		if full {
			break
		}
		switch {
		case n.kind == psComma || n.kind == psSep:
			join = false
		case n.isWord("+"):
			join = true
		case n.isWord("-f") && len(out) == 1 && i+1 < len(nodes):
			settle()
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
	settle()
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

// expand replaces the variables of a word or string by their known values, each
// with each.
func (s *scanner) expand(n psNode) []string {
	v := n.t.s
	if strings.IndexByte(v, '$') < 0 {
		return []string{v}
	}
	var parts [][]string
	runs, at := 1, 0
	for i := 0; i < len(v); {
		dollar := strings.IndexByte(v[i:], '$')
		if dollar < 0 {
			break
		}
		i += dollar
		name, end := variableAt(v, i)
		values := s.vars[name]
		if name == "" || len(values) == 0 {
			i = max(end, i+1)
			continue
		}
		if runs*len(values) > maxExpand {
			break
		}
		runs *= len(values)
		parts = append(parts, []string{v[at:i]}, values)
		i = end
		// $_.LocalPath of what Get-SmbMapping gives names the same mapping.
		if rest := v[i:]; n.kind == psWord && strings.HasPrefix(rest, ".") && name == "_" {
			rest = strings.TrimLeftFunc(rest[1:], func(r rune) bool { return r == '_' || r < 0x80 && isLetter(byte(r)) })
			i = len(v) - len(rest)
		}
		at = i
	}
	parts = append(parts, []string{v[at:]})
	out := make([]string, 0, runs)
	for run := range runs {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p[run%len(p)])
			run /= len(p)
		}
		if s.work -= b.Len(); s.work < 0 && len(out) > 0 {
			break
		}
		out = append(out, b.String())
	}
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
	name := strings.ToLower(v[start:j])
	if v[i+1:start] == "($" && strings.HasPrefix(v[j:], ")") {
		j++
	}
	return name, j
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
