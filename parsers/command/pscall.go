package command

import "strings"

// A psCommand is one command of a pipeline.
type psCommand struct {
	name   string // canonical cmdlet, or what was called
	nodes  []psNode
	args   []psNode
	lo, hi int
	prev   *psCommand // what is piped into it; at most maxPipe commands are linked
	length int        // commands before it
	values []string   // what it is known to put into the pipeline
	filter []string   // values that a Where-Object compares with
}

// nodeArg returns a node as an argument of a program.
func nodeArg(n psNode) arg {
	return arg{val: n.t.s, t: n.t, lo: n.lo, hi: n.hi, start: -1, quoted: n.kind == psStr}
}

// psCommand reads a call, or an expression.
func (s *scanner) psCommand(n []psNode, prev *psCommand) *psCommand {
	c := &psCommand{nodes: n, lo: n[0].lo, hi: n[len(n)-1].hi, prev: prev}
	if prev != nil {
		if c.length = prev.length + 1; c.length%maxPipe == 0 {
			prev.prev = nil
		}
	}
	called := false
	if n[0].kind == psAmp || n[0].isWord(".") {
		called = true
		if n = n[1:]; len(n) == 0 {
			return nil
		}
	}
	head := n[0]
	c.args = n[1:]
	switch {
	case head.kind == psWord && (!isExpression(head.t.s) || called):
		c.name = s.expandOne(head)
	case called && (head.kind == psStr || head.kind == psGroup):
		if v := s.psValues(n[:1]); len(v) == 1 {
			c.name = v[0]
		}
		if k := head.kids; len(k) > 1 && (k[0].isWord("get-command") || k[0].isWord("gcm")) {
			c.name = s.expandOne(k[1])
		}
	}
	s.psSecrets(c)
	if c.name == "" {
		s.expression(c)
		return c
	}
	s.psCall(c)
	return c
}

// isExpression says whether a word begins an expression and not a command.
func isExpression(w string) bool {
	return w == "" || w[0] == '$' || w[0] == '[' || w[0] == '-' || w[0] == '+' || w[0] == '!' || isDigit(w[0]) && !strings.Contains(w, ".")
}

// canonical returns the full name of a cmdlet or alias, "" if it is none.
func canonical(name string) string {
	low := strings.ToLower(name)
	if i := strings.LastIndexByte(low, '\\'); i >= 0 && cmdlets[low[i+1:]] != nil {
		low = low[i+1:]
	}
	if a := aliases[low]; a != "" {
		low = a
	}
	if cmdlets[low] != nil {
		return low
	}
	return ""
}

// psCall runs a cmdlet, or a program through the reading that cmd.exe's lines get.
func (s *scanner) psCall(c *psCommand) {
	if name := canonical(c.name); name != "" && !(name == "new-psdrive" && strings.EqualFold(c.name, "mount") && nativeMount(c)) {
		c.name = name
		s.psBlocks(c)
		cmdlets[name](s, c)
		s.methods(c)
		s.leaf++
		return
	}
	name := baseName(c.name)
	if f := programs[name]; f == nil || shellBuiltin(name) || strings.EqualFold(c.name, "sc") {
		// sc alone is Set-Content here.
		s.psBlocks(c)
		s.methods(c)
		s.psStrings(c.args)
		s.leaf++
		return
	}
	call := &call{name: name, program: name, lo: c.lo, hi: c.hi, ps: true}
	s.nativeRuns(c, call)
}

// nativeRuns reads a program once for each value of the one variable in its
// arguments that has several.
func (s *scanner) nativeRuns(c *psCommand, k *call) {
	for _, n := range c.args {
		if n.kind == psGroup {
			s.psKids(n)
		}
	}
	args, runs := s.nativeArgs(c.args, 0)
	first, leaf := len(s.out), s.leaf
	for i := range runs {
		if i > 0 {
			if s.spent() {
				break
			}
			args, _ = s.nativeArgs(c.args, i)
		}
		n := len(s.out)
		s.leaf = leaf
		k.args = args
		s.run(k)
		s.out = joinRuns(s.out, first, n)
	}
}

// nativeArgs makes the arguments of a program with the i-th of each variable's
// values, and returns the largest number of values.
func (s *scanner) nativeArgs(nodes []psNode, run int) ([]arg, int) {
	var out []arg
	runs := 1
	for i, n := range nodes {
		if n.kind == psComma || n.kind == psAmp || n.isWord("--%") {
			continue
		}
		a := nodeArg(n)
		var v []string
		switch {
		case n.kind == psGroup || n.kind == psStr && !n.raw || n.kind == psWord:
			v = s.psValues(nodes[i : i+1])
		}
		if len(v) > 0 {
			runs = max(runs, min(len(v), maxExpand))
			if val := v[min(run, len(v)-1)]; val != a.val {
				a.val = val
				a.t = spread(val, n.lo, n.hi)
			}
		}
		if n.adj && len(out) > 0 && nodes[i-1].kind != psComma {
			last := &out[len(out)-1]
			last.val += a.val
			var b textBuilder
			b.putAll(last.t)
			b.putAll(a.t)
			last.t = b.text(last.lo)
			last.hi = a.hi
			continue
		}
		out = append(out, a)
	}
	return out, runs
}

// spread makes a text of a value that stands for bytes lo to hi.
func spread(val string, lo, hi int) text {
	var b textBuilder
	for i := range len(val) {
		b.add(val[i], lo, hi)
	}
	return b.text(lo)
}

// psBlocks reads the script blocks and groups among the arguments: nearly every
// cmdlet that takes a block runs it. $_ is bound to what is piped in.
func (s *scanner) psBlocks(c *psCommand) {
	if c.name == "where-object" {
		return
	}
	old := s.piping
	if c.prev != nil {
		s.piping = pipelineText(c.prev)
	}
	defer func() { s.piping = old }()
	s.psBound("_", s.pipedValues(c), func() {
		for _, n := range c.args {
			s.psKids(n)
		}
	})
}

// pipedValues returns what the command before puts into the pipeline.
func (s *scanner) pipedValues(c *psCommand) []string {
	for p := c.prev; p != nil; p = p.prev {
		if p.values != nil {
			return p.values
		}
		switch p.name {
		case "where-object":
			if p.filter != nil {
				return p.filter
			}
			return nil
		case "get-smbmapping", "get-smbshare", "get-smbglobalmapping", "get-fileshare":
			if v := s.psNamed(p, getterSpec); v != nil {
				return v
			}
			return []string{"*"}
		}
	}
	return nil
}

var getterSpec = []string{"localpath", "remotepath", "name", "cimsession", "scopename", "special", "throttlelimit", "asjob!"}

// psNamed returns the target that a Get- command names, nil if it names none.
func (s *scanner) psNamed(p *psCommand, spec []string) []string {
	a := s.psArguments(p, spec...)
	for _, n := range []string{"localpath", "remotepath", "name"} {
		if v := a.get(n); v != nil {
			return v
		}
	}
	if len(a.pos) > 0 {
		return a.pos[0]
	}
	return nil
}

// expression reads a value, a method call or a comparison.
func (s *scanner) expression(c *psCommand) {
	if literal(c.nodes) {
		c.values = s.psValues(c.nodes)
		s.psStrings(c.nodes)
		return
	}
	for _, n := range c.nodes {
		s.psKids(n)
	}
	s.methods(c)
	s.leaf++
}
