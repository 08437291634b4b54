package command

import (
	"strings"
	"unicode/utf8"
)

// itemPaths returns the paths that an item cmdlet acts on, from its arguments or
// from the Get- command before it.
func (s *scanner) itemPaths(c *psCommand, a psArgs) []string {
	for _, n := range []string{"path", "literalpath", "lp", "pspath"} {
		if v := a.get(n); v != nil {
			return v
		}
	}
	if len(a.pos) > 0 {
		return a.pos[0]
	}
	for p := c.prev; p != nil; p = p.prev {
		if p.values != nil {
			return p.values
		}
		switch p.name {
		case "get-childitem", "get-item", "get-itemproperty":
			return s.itemPaths(&psCommand{}, s.psArguments(p, "path", "literalpath", "filter", "recurse!", "force!", "name!", "include", "exclude", "depth"))
		}
	}
	return nil
}

func (s *scanner) removeItem(c *psCommand) {
	a := s.psArguments(c, "path", "literalpath", "recurse!", "force!", "filter", "include", "exclude", "stream", "credential")
	if len(a.pos) > 1 { // rd /s /q PATH, with the switches of cmd.exe
		for len(a.pos) > 1 && len(a.pos[0]) > 0 && strings.HasPrefix(a.pos[0][0], "/") {
			a.pos = a.pos[1:]
		}
	}
	var logs, history, keys []string
	for _, p := range s.itemPaths(c, a) {
		switch {
		case isLogFile(p) || isLogFile(p+`\`+a.first("filter")) && a.first("filter") != "":
			logs = append(logs, p)
		case isHistoryFile(p):
			history = append(history, p)
		case isShareKey(p, true):
			keys = append(keys, p)
		}
	}
	keyClass := KeyDelete
	if c.name == "clear-item" {
		keyClass = ValueDelete
	}
	if logs != nil {
		s.psEmit(c, a, Segment{Class: LogClear, Targets: logs})
	}
	if history != nil {
		s.psEmit(c, a, Segment{Class: HistoryClear, Targets: history})
	}
	if keys != nil && c.name != "clear-content" {
		s.psEmit(c, a, Segment{Class: keyClass, Targets: keys})
	}
}

func (s *scanner) removeProperty(c *psCommand) {
	a := s.psArguments(c, "path", "literalpath", "name", "force!", "filter", "include", "exclude", "credential")
	for _, p := range s.itemPaths(c, a) {
		if isShareKey(p, false) {
			names := a.get("name")
			if names == nil && len(a.pos) > 0 {
				names = a.pos[len(a.pos)-1]
			}
			seg := Segment{Class: ValueDelete, Targets: addUnique([]string{p}, names...)}
			s.psEmit(c, a, seg)
			return
		}
	}
}

func (s *scanner) clearLog(c *psCommand) {
	a := s.psArguments(c, "logname", "computername", "source")
	names := a.value("logname", 0)
	if names == nil {
		names = s.pipedValues(c)
	}
	s.psEmit(c, a, Segment{Class: LogClear, Targets: names})
}

func (s *scanner) clearHistory(c *psCommand) {
	s.psEmit(c, s.psArguments(c, "id", "commandline", "count", "newest!"), Segment{Class: HistoryClear})
}

func (s *scanner) setReadLine(c *psCommand) {
	a := s.psArguments(c, "historysavestyle", "historysavepath", "maximumhistorycount", "editmode", "predictionsource")
	if strings.EqualFold(a.first("historysavestyle"), "savenothing") {
		s.psEmit(c, a, Segment{Class: HistoryClear})
	}
}

func (s *scanner) stopService(c *psCommand) {
	a := s.psArguments(c, "name", "displayname", "inputobject", "force!", "nowait!", "passthru!", "startuptype", "status", "computername", "description", "include", "exclude")
	if c.name == "set-service" && !strings.EqualFold(a.first("startuptype"), "disabled") && !strings.EqualFold(a.first("status"), "stopped") {
		return
	}
	names := addUnique(append([]string(nil), a.value("name", 0)...), a.get("displayname")...)
	if names == nil && c.prev != nil && c.prev.name == "get-service" {
		p := s.psArguments(c.prev, "name", "displayname", "computername")
		names = addUnique(append([]string(nil), p.value("name", 0)...), p.get("displayname")...)
	}
	if names == nil {
		names = s.pipedValues(c)
	}
	var hit []string
	for _, n := range names {
		if isShareService(n) {
			hit = append(hit, n)
		}
	}
	if hit != nil {
		s.psEmit(c, a, Segment{Class: ServiceStop, Targets: hit})
	}
}

// invokeExpression runs its text, given or piped in.
func (s *scanner) invokeExpression(c *psCommand) {
	args := c.args
	if len(args) > 0 && isParameter(args[0]) {
		args = args[1:]
	}
	if len(args) == 0 && c.prev != nil {
		args = c.prev.nodes
		if c.prev.values == nil && !holdsBase64(args) {
			return
		}
	}
	if len(args) == 0 {
		return
	}
	if s.base64Text(args) {
		return
	}
	if len(args) == 1 && args[0].kind == psStr {
		s.inner(args[0].t)
		return
	}
	values := s.psValues(args)
	lo, hi := args[0].lo, args[len(args)-1].hi
	for i, v := range values {
		if i > 0 && s.spent() {
			break
		}
		if strings.HasPrefix(v, "$") || strings.HasPrefix(v, "(") && len(values) == 1 && len(args) == 1 && !literal(args) {
			continue
		}
		s.inner(spread(v, lo, hi))
	}
}

// inner runs a text as a script in place of the command that carries it.
func (s *scanner) inner(t text) {
	leaf := s.leaf
	s.psText(t)
	if s.leaf > leaf {
		s.leaf--
	}
}

func holdsBase64(nodes []psNode) bool {
	for _, n := range nodes {
		if n.kind == psWord && strings.HasSuffix(n.low(), "frombase64string") || holdsBase64(n.kids) {
			return true
		}
	}
	return false
}

// base64Text runs the text in FromBase64String('...') below nodes.
func (s *scanner) base64Text(nodes []psNode) bool {
	for i, n := range nodes {
		if s.base64Text(n.kids) {
			return true
		}
		if n.kind != psWord || !strings.HasSuffix(n.low(), "frombase64string") || i+1 >= len(nodes) {
			continue
		}
		for _, k := range nodes[i+1].kids {
			if k.kind != psStr {
				continue
			}
			raw, ok := decodeBase64(k.t.s)
			if !ok || len(raw) > s.work {
				return false
			}
			s.work -= len(raw)
			script := string(raw)
			if len(raw) > 1 && raw[1] == 0 || !utf8.Valid(raw) {
				script, _ = decodeUTF16(k.t.s)
			}
			leaf := s.leaf
			s.within(script, k.lo, k.hi, s.psText)
			if s.leaf > leaf {
				s.leaf--
			}
			return true
		}
	}
	return false
}

// invokeCommand only adds the place: psBlocks has read the block.
func (s *scanner) invokeCommand(c *psCommand) {
	a := s.psArguments(c, "computername", "cn", "session", "scriptblock", "argumentlist", "credential", "vmname", "hostname", "filepath")
	remote := strings.Join(a.value("computername", -1), ",")
	for _, n := range []string{"cn", "vmname", "hostname", "session"} {
		if remote == "" {
			remote = strings.Join(a.get(n), ",")
		}
	}
	if remote == "" && len(a.pos) > 0 && !strings.HasPrefix(strings.Join(a.pos[0], ""), "{") {
		remote = strings.Join(a.pos[0], ",")
	}
	if remote == "" {
		return
	}
	for i := len(s.out) - 1; i >= 0 && s.out[i].doc == s.doc && s.out[i].lo >= c.lo; i-- {
		if s.out[i].Remote == "" {
			s.out[i].Remote = remote
		}
	}
}

// startProcess runs a program with -ArgumentList.
func (s *scanner) startProcess(c *psCommand) {
	a := s.psArguments(c, "filepath", "argumentlist", "args", "workingdirectory", "verb", "windowstyle", "credential", "wait!", "nonewwindow!", "passthru!", "redirectstandardoutput", "redirectstandarderror")
	file, at := a.value("filepath", 0), a.nodes["argumentlist"]
	if at == nil {
		at = a.nodes["args"]
	}
	if at == nil {
		if i := 1; a.get("filepath") == nil && len(a.posAt) > i {
			at = a.posAt[i]
		} else if a.get("filepath") != nil && len(a.posAt) > 0 {
			at = a.posAt[0]
		}
	}
	name := ""
	if len(file) == 1 {
		name = baseName(file[0])
	}
	if programs[name] == nil || shellBuiltin(name) {
		return
	}
	// The arguments are joined by blanks and split anew by the program.
	line := joinArgs(s.flatArgs(at), false)
	k := &call{name: name, program: name, lo: c.lo, hi: c.hi, src: line, args: splitArgs(line)}
	leaf := s.leaf
	s.run(k)
	s.leaf = max(leaf, s.leaf-1)
}

// flatArgs returns the strings of a list of arguments.
func (s *scanner) flatArgs(nodes []psNode) []arg {
	var out []arg
	for _, n := range nodes {
		switch n.kind {
		case psStr, psWord:
			a := nodeArg(n)
			if v := s.psValues([]psNode{n}); len(v) == 1 && v[0] != n.t.s {
				a.t = spread(v[0], n.lo, n.hi)
			}
			out = append(out, a)
		case psGroup:
			if literal(n.kids) && len(n.kids) > 0 && !hasComma(n.kids) {
				v := s.psValues(n.kids)
				for _, x := range v {
					out = append(out, arg{t: spread(x, n.lo, n.hi), lo: n.lo, hi: n.hi, start: -1})
				}
				continue
			}
			out = append(out, s.flatArgs(n.kids)...)
		}
	}
	return out
}

func hasComma(nodes []psNode) bool {
	for _, n := range nodes {
		if n.kind == psComma {
			return true
		}
	}
	return false
}

// whereObject keeps the values that a filter compares with.
func (s *scanner) whereObject(c *psCommand) {
	nodes := c.args
	if len(nodes) == 1 && nodes[0].kind == psBlock {
		nodes = nodes[0].kids
	} else if len(nodes) > 1 && nodes[0].isWord("-filterscript") && nodes[1].kind == psBlock {
		nodes = nodes[1].kids
	}
	for i, n := range nodes {
		switch n.low() {
		case "-eq", "-like", "-ieq", "-ilike", "-in", "-ceq", "-clike":
			if n.kind == psWord && i+1 < len(nodes) {
				end := elementEnd(nodes, i+1)
				c.filter = append(c.filter, s.psValues(nodes[i+1:end])...)
			}
		}
	}
}
