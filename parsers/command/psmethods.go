package command

import "strings"

// methods reads calls of methods and API functions: name(arguments).
func (s *scanner) methods(c *psCommand) {
	s.methodsIn(c, c.nodes)
}

func (s *scanner) methodsIn(c *psCommand, nodes []psNode) {
	for i, n := range nodes {
		if n.kind != psWord {
			continue
		}
		name := n.low()
		if j := strings.LastIndexAny(name, ".:"); j >= 0 {
			name = name[j+1:]
		} else {
			continue
		}
		var args [][]psNode
		if i+1 < len(nodes) && nodes[i+1].kind == psGroup && nodes[i+1].adj {
			args = splitComma(nodes[i+1].kids)
		} else {
			continue
		}
		s.method(c, nodes[:i+1], name, args)
	}
}

func splitComma(nodes []psNode) [][]psNode {
	if len(nodes) == 0 {
		return nil
	}
	var out [][]psNode
	start := 0
	for i, n := range nodes {
		if n.kind == psComma {
			out = append(out, nodes[start:i])
			start = i + 1
		}
	}
	return append(out, nodes[start:])
}

// argAt returns the one value of argument i, "" if there is none.
func (s *scanner) argAt(args [][]psNode, i int) string {
	if i < len(args) {
		if v := s.psValues(args[i]); len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// hideArg hides argument i if it is a literal.
func (s *scanner) hideArg(args [][]psNode, i int) {
	if i < len(args) && len(args[i]) == 1 && args[i][0].kind == psStr {
		s.secret(nodeArg(args[i][0]))
	}
}

func truthy(v string) bool {
	return strings.EqualFold(v, "$true") || v == "1" || strings.EqualFold(v, "true")
}

func (s *scanner) method(c *psCommand, before []psNode, name string, args [][]psNode) {
	k := &call{program: c.name, lo: c.start(), hi: c.hi}
	if c.name == "" {
		k.program = "powershell"
	}
	values := func(i int) []string {
		if i < len(args) {
			return drives(s.psValues(args[i]))
		}
		return nil
	}
	switch name {
	case "removenetworkdrive":
		s.emit(k, Segment{Class: MappingRemove, Targets: values(0), UpdateProfile: truthy(s.argAt(args, 2))})
	case "mapnetworkdrive":
		s.hideArg(args, 4)
		seg := Segment{Class: UseMap, Share: s.argAt(args, 1), User: s.argAt(args, 3)}
		if v := s.argAt(args, 2); v != "" {
			seg.Persistent = "no"
			if truthy(v) {
				seg.Persistent = "yes"
			}
		}
		for _, v := range append(values(0), seg.Share) {
			if v != "" {
				seg.Targets = addUnique(seg.Targets, v)
			}
		}
		s.emit(k, seg)
	case "wnetcancelconnection", "wnetcancelconnectiona", "wnetcancelconnectionw":
		s.emit(k, Segment{Class: MappingRemove, Targets: values(0)})
	case "wnetcancelconnection2", "wnetcancelconnection2a", "wnetcancelconnection2w":
		s.emit(k, Segment{Class: MappingRemove, Targets: values(0), UpdateProfile: truthy(s.argAt(args, 1))})
	case "wnetaddconnection2", "wnetaddconnection2a", "wnetaddconnection2w", "wnetaddconnection3", "wnetaddconnection":
		at := 1
		if strings.HasPrefix(name, "wnetaddconnection3") {
			at = 2
		}
		s.hideArg(args, at)
		seg := Segment{Class: UseMap}
		if name != "wnetaddconnection" {
			if seg.User = s.argAt(args, at+1); strings.HasPrefix(seg.User, "$") {
				seg.User = ""
			}
		}
		s.emit(k, seg)
	case "netsharedel", "netsharedelex":
		s.emit(k, Segment{Class: ShareDelete, Targets: values(1)})
	case "deletesubkey", "deletesubkeytree":
		s.deleteSubKey(k, c, values(0))
	case "clearlog":
		s.emit(k, Segment{Class: LogClear, Targets: values(0)})
	case "clearhistory":
		s.emit(k, Segment{Class: HistoryClear})
	case "regdelete":
		s.regDelete(k, values(0))
	case "delete", "stop", "clear", "deleteshare":
		s.objectMethod(k, c, name, args)
	case "create":
		s.createMethod(k, c, args)
	case "psc", "networkcredential":
	case "new":
		if t := textOf(before); strings.Contains(t, "networkcredential]") {
			s.hideArg(args, 1)
		}
	}
}

// textOf returns the words and strings of nodes, lower case.
func textOf(nodes []psNode) string {
	var b strings.Builder
	for _, n := range nodes {
		if b.Len() > 1<<16 {
			break
		}
		b.WriteString(n.low())
		b.WriteByte(' ')
	}
	return b.String()
}

// deleteSubKey reads [Microsoft.Win32.Registry]::CurrentUser.DeleteSubKey(...),
// with or without an OpenSubKey between.
func (s *scanner) deleteSubKey(k *call, c *psCommand, keys []string) {
	t := textOf(c.nodes)
	root := ""
	switch {
	case strings.Contains(t, "currentuser"):
		root = `HKEY_CURRENT_USER\`
	case strings.Contains(t, "::users"):
		root = `HKEY_USERS\`
	case strings.Contains(t, "localmachine"):
		root = `HKEY_LOCAL_MACHINE\`
	default:
		return
	}
	for i, n := range c.nodes {
		if strings.HasSuffix(n.low(), "opensubkey") && n.kind == psWord && i+1 < len(c.nodes) {
			if v := s.argAt(splitComma(c.nodes[i+1].kids), 0); v != "" {
				root += v + `\`
			}
		}
	}
	var hit []string
	for _, key := range keys {
		if isShareKey(root+key, true) {
			hit = append(hit, root+key)
		}
	}
	if hit != nil {
		s.emit(k, Segment{Class: KeyDelete, Targets: hit})
	}
}

// regDelete reads WshShell.RegDelete: a name that ends in \ is a key's.
func (s *scanner) regDelete(k *call, names []string) {
	for _, n := range names {
		if strings.HasSuffix(n, `\`) && isShareKey(n, true) {
			s.emit(k, Segment{Class: KeyDelete, Targets: []string{strings.TrimRight(n, `\`)}})
		} else if i := strings.LastIndexByte(n, '\\'); i > 0 && i+1 < len(n) && isShareKey(n[:i], false) {
			s.emit(k, Segment{Class: ValueDelete, Targets: []string{n[:i], n[i+1:]}})
		}
	}
}

// embedded reads the script in the arguments of mshta and rundll32.
func (s *scanner) embedded(c *call) {
	t := c.rest(0)
	leaf := s.leaf
	l := &psLexer{s: s, t: t, depth: s.depth}
	nodes := l.list(0)
	s.methodsDeep(&psCommand{name: c.program, nodes: nodes, lo: c.lo, hi: c.hi}, nodes, 0)
	s.leaf = leaf
}

func (s *scanner) methodsDeep(c *psCommand, nodes []psNode, depth int) {
	if depth > maxDepth {
		return
	}
	s.methodsIn(c, nodes)
	for i, n := range nodes {
		if n.kind == psGroup || n.kind == psBlock {
			if w := previousWord(nodes, i); strings.HasSuffix(w, ".run") || strings.HasSuffix(w, ".exec") || strings.HasSuffix(w, "shellexecute") {
				for _, k := range n.kids {
					if k.kind == psStr && strings.Contains(k.t.s, " ") {
						s.nested(k.t)
					}
				}
			}
			s.methodsDeep(c, n.kids, depth+1)
		}
	}
}

func previousWord(nodes []psNode, i int) string {
	if i > 0 && nodes[i-1].kind == psWord {
		return nodes[i-1].low()
	}
	return ""
}
