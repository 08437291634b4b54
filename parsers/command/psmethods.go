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

// objectClass says which WMI class, or service, a text is about.
func objectClass(t string) (class Class, share bool) {
	switch {
	case strings.Contains(t, "win32_share") || strings.Contains(t, "msft_smbshare") || strings.Contains(t, "msft_fileshare"):
		return ShareDelete, true
	case strings.Contains(t, "win32_shadowcopy"):
		return ShadowDelete, false
	case strings.Contains(t, "msft_smbmapping") || strings.Contains(t, "msft_smbglobalmapping"):
		return MappingRemove, false
	case strings.Contains(t, "win32_nteventlogfile"):
		return LogClear, false
	}
	return None, false
}

// pipelineText returns the words of a command and of those that feed it.
func pipelineText(c *psCommand) string {
	var b strings.Builder
	for p := c; p != nil && b.Len() < 1<<16; p = p.prev {
		b.WriteString(deepText(p.nodes, 6))
	}
	return b.String()
}

func deepText(nodes []psNode, depth int) string {
	var b strings.Builder
	for _, n := range nodes {
		if b.Len() > 1<<16 {
			break
		}
		if n.kids != nil {
			if depth > 0 {
				b.WriteString(deepText(n.kids, depth-1))
			}
			continue
		}
		b.WriteString(n.low())
		b.WriteByte(' ')
	}
	return b.String()
}

// objectMethod reads .Delete(), .Stop() and .Clear() on objects of known kind.
func (s *scanner) objectMethod(k *call, c *psCommand, name string, args [][]psNode) {
	t := pipelineText(c) + s.piping
	if name == "stop" {
		if !strings.Contains(t, "get-service") && !strings.Contains(t, "gsv") && !strings.Contains(t, "servicecontroller") {
			return
		}
		for w := range strings.FieldsSeq(t) {
			if isShareService(w) {
				s.emit(k, Segment{Class: ServiceStop, Targets: []string{w}})
				return
			}
		}
		return
	}
	class, _ := objectClass(t)
	switch {
	case class == None && strings.Contains(t, "eventlog]") && name == "delete":
		if v := s.argAt(args, 0); v != "" {
			s.emit(k, Segment{Class: LogClear, Targets: []string{v}})
		}
		return
	case class == None && strings.Contains(t, "eventlog") && name == "clear":
		class = LogClear
	case class == None || name == "clear" && class != LogClear:
		return
	}
	s.emit(k, Segment{Class: class, Targets: objectNames(t, class)})
}

// objectNames returns the names that a WMI query or path compares with.
func objectNames(t string, class Class) []string {
	names := comparedValues(strings.ReplaceAll(t, " -eq ", " = "))
	if names == nil && !strings.Contains(t, "where") && !strings.Contains(t, "-filter") && !strings.Contains(t, "? ") && (class == ShareDelete || class == ShadowDelete || class == MappingRemove) {
		return []string{"*"}
	}
	return drives(names)
}

// createMethod reads ([wmiclass]'Win32_Share').Create(path, name, ...) and
// ([wmiclass]'Win32_Process').Create(line).
func (s *scanner) createMethod(k *call, c *psCommand, args [][]psNode) {
	t := pipelineText(c)
	switch {
	case strings.Contains(t, "win32_share"):
		if v := s.argAt(args, 1); v != "" {
			s.emit(k, Segment{Class: ShareAdd, Targets: []string{v}})
		}
	case strings.Contains(t, "win32_process") && len(args) > 0 && len(args[0]) == 1 && args[0][0].kind == psStr:
		s.nested(args[0][0].t)
	}
}

// wmiMethod reads Invoke-CimMethod and Invoke-WmiMethod.
func (s *scanner) wmiMethod(c *psCommand) {
	a := s.psArguments(c, "classname", "class", "methodname", "name", "arguments", "argumentlist", "namespace", "query", "path", "filter", "inputobject", "computername", "cimsession", "credential")
	t := pipelineText(c) + s.piping
	method := strings.ToLower(a.first("methodname"))
	if method == "" {
		method = strings.ToLower(a.first("name"))
	}
	if method == "" && len(a.pos) > 0 {
		method = strings.ToLower(strings.Join(a.pos[len(a.pos)-1], ""))
	}
	class, share := objectClass(t)
	names := objectNames(t, class)
	switch {
	case strings.Contains(t, "win32_process") && method == "create":
		s.remoteProcess(c, a)
		return
	case strings.Contains(t, "stdregprov"):
		s.stdRegProv(c, a, method)
		return
	case share && (method == "create" || method == "createshare"):
		s.psEmit(c, a, Segment{Class: ShareAdd, Targets: hashValue(c.nodes, "name")})
		return
	case class == MappingRemove && method == "create":
		seg := Segment{Class: UseMap, Targets: drives(hashValue(c.nodes, "localpath"))}
		if v := hashValue(c.nodes, "remotepath"); len(v) > 0 {
			seg.Share = v[0]
			seg.Targets = addUnique(seg.Targets, v...)
		}
		s.psEmit(c, a, seg)
		return
	case class == None, !strings.HasPrefix(method, "delete") && method != "remove" && method != "cleareventlog":
		return
	}
	if v := hashValue(c.nodes, "localpath", "name"); v != nil {
		names = drives(v)
	}
	s.psEmit(c, a, Segment{Class: class, Targets: names})
}

// remoteProcess runs the command line that Win32_Process.Create gets.
func (s *scanner) remoteProcess(c *psCommand, a psArgs) {
	var run func(nodes []psNode)
	run = func(nodes []psNode) {
		for _, n := range nodes {
			if n.kind == psStr && strings.Contains(n.t.s, " ") {
				s.nested(n.t)
			} else if n.kind == psWord && strings.HasPrefix(n.low(), "commandline=") {
				s.nested(n.t.slice(len("commandline="), len(n.t.s)))
			} else if n.kids != nil {
				run(n.kids)
			}
		}
	}
	s.elsewhere(a.first("computername"), func() { run(c.args) })
}

// stdRegProv reads the registry methods of WMI.
func (s *scanner) stdRegProv(c *psCommand, a psArgs, method string) {
	key := strings.Join(hashValue(c.nodes, "ssubkeyname"), "")
	if key == "" {
		for _, v := range a.get("argumentlist") {
			if strings.Contains(v, `\`) {
				key = v
			}
		}
	}
	root := `HKEY_CURRENT_USER\`
	if t := deepText(c.nodes, 6); strings.Contains(t, "2147483650") || strings.Contains(t, "80000002") {
		root = `HKEY_LOCAL_MACHINE\`
	} else if strings.Contains(t, "2147483651") || strings.Contains(t, "80000003") {
		root = `HKEY_USERS\`
	}
	switch {
	case method == "deletekey" && isShareKey(root+key, true):
		s.psEmit(c, a, Segment{Class: KeyDelete, Targets: []string{root + key}})
	case method == "deletevalue" && isShareKey(root+key, false):
		s.psEmit(c, a, Segment{Class: ValueDelete, Targets: addUnique([]string{root + key}, hashValue(c.nodes, "svaluename")...)})
	}
}

// hashValue returns the literal behind name = in a hash table below nodes.
func hashValue(nodes []psNode, names ...string) []string {
	for i, n := range nodes {
		if n.kids != nil {
			if v := hashValue(n.kids, names...); v != nil {
				return v
			}
		}
		word := n.low()
		for _, name := range names {
			if word == name && i+2 < len(nodes) && nodes[i+1].isWord("=") && nodes[i+2].kind == psStr {
				return []string{nodes[i+2].t.s}
			}
			if n.kind == psWord && strings.HasPrefix(word, name+"=") && len(word) > len(name)+1 {
				return []string{n.t.s[len(name)+1:]}
			}
		}
	}
	return nil
}

// wmiRemove reads Remove-CimInstance and Remove-WmiObject.
func (s *scanner) wmiRemove(c *psCommand) {
	a := s.psArguments(c, "inputobject", "query", "namespace", "computername", "cimsession", "class", "path", "credential")
	t := pipelineText(c) + s.piping
	if class, _ := objectClass(t); class != None {
		s.psEmit(c, a, Segment{Class: class, Targets: objectNames(t, class)})
	}
}

// psSecrets hides the passwords that parameters and cmdlets carry.
func (s *scanner) psSecrets(c *psCommand) {
	low := strings.ToLower(c.name)
	for i, n := range c.args {
		if n.kind != psWord || len(n.t.s) < 4 || n.t.s[0] != '-' {
			continue
		}
		name, inline, colon := strings.Cut(n.low()[1:], ":")
		switch {
		case name == "pass" || name == "passwd" || name == "pwd" || strings.HasPrefix("password", name) && len(name) > 3:
		case strings.HasPrefix("accountpassword", name) && len(name) > 3 && strings.Contains(low, "-ad"):
		default:
			continue
		}
		if colon && inline != "" {
			if inline[0] != '$' && inline[0] != '(' {
				s.secretTail(nodeArg(n), len(name)+2)
			}
		} else if i+1 < len(c.args) && isSecretNode(c.args[i+1]) {
			s.secret(nodeArg(c.args[i+1]))
		}
	}
	switch low {
	case "convertto-securestring":
		s.secureString(c)
	case "new-object":
		for i, n := range c.args {
			if strings.HasSuffix(n.low(), "networkcredential") && i+1 < len(c.args) {
				for _, g := range c.args[i+1:] {
					if g.kind == psGroup {
						s.hideArg(splitComma(g.kids), 1)
					}
				}
			}
		}
	}
}

func isSecretNode(n psNode) bool {
	return n.kind == psStr || n.kind == psWord && !strings.HasPrefix(n.t.s, "$") && !isParameter(n)
}

// secureString hides what ConvertTo-SecureString makes a secret of.
func (s *scanner) secureString(c *psCommand) {
	for i := 0; i < len(c.args); i++ {
		n := c.args[i]
		if isParameter(n) {
			name := strings.TrimSuffix(n.low(), ":")
			if strings.HasPrefix("-key", name) || strings.HasPrefix("-securekey", name) && len(name) > 2 {
				i++
			}
			if _, inline, _ := strings.Cut(n.t.s, ":"); inline != "" && inline[0] != '$' && strings.HasPrefix(n.low(), "-s") {
				s.secretTail(nodeArg(n), strings.IndexByte(n.t.s, ':')+1)
			}
			continue
		}
		s.hideLiterals(n)
	}
	if c.prev != nil {
		for _, n := range c.prev.nodes {
			if n.kind == psStr {
				s.secret(nodeArg(n))
			}
		}
	}
}

func (s *scanner) hideLiterals(n psNode) {
	switch {
	case n.kind == psGroup:
		for _, k := range n.kids {
			if k.kind == psStr || k.kind == psGroup {
				s.hideLiterals(k)
			}
		}
	case isSecretNode(n):
		s.secret(nodeArg(n))
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
