package command

import "strings"

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
