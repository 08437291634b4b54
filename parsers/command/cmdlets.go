package command

import "strings"

// cmdlets are the PowerShell commands that are read, by lower-case name.
var cmdlets map[string]func(*scanner, *psCommand)

// aliases of cmdlets, as PowerShell and its SmbShare module define them.
var aliases = map[string]string{
	"rsmbm": "remove-smbmapping", "nsmbm": "new-smbmapping", "gsmbm": "get-smbmapping", "rsmbs": "remove-smbshare", "nsmbs": "new-smbshare", "gsmbs": "get-smbshare",
	"cssmbse": "close-smbsession", "cssmbo": "close-smbopenfile",
	"rdr": "remove-psdrive", "ndr": "new-psdrive", "mount": "new-psdrive",
	"ri": "remove-item", "rm": "remove-item", "rd": "remove-item", "rmdir": "remove-item", "del": "remove-item", "erase": "remove-item",
	"rp": "remove-itemproperty", "clp": "clear-itemproperty", "cli": "clear-item", "clc": "clear-content",
	"clhy": "clear-history", "spsv": "stop-service", "iex": "invoke-expression", "icm": "invoke-command", "saps": "start-process", "start": "start-process",
	"%": "foreach-object", "foreach": "foreach-object", "?": "where-object", "where": "where-object",
	"gwmi": "get-wmiobject", "gcim": "get-ciminstance", "rcim": "remove-ciminstance", "icim": "invoke-cimmethod", "rwmi": "remove-wmiobject", "iwmi": "invoke-wmimethod",
	"gci": "get-childitem", "ls": "get-childitem", "dir": "get-childitem", "gi": "get-item", "gp": "get-itemproperty", "gsv": "get-service",
}

func init() { // here, because the readings refer to the table
	nothing := func(*scanner, *psCommand) {}
	cmdlets = map[string]func(*scanner, *psCommand){
		"remove-smbmapping": (*scanner).removeMapping, "remove-smbglobalmapping": (*scanner).removeMapping,
		"new-smbmapping": (*scanner).newMapping, "new-smbglobalmapping": (*scanner).newMapping,
		"remove-smbshare": (*scanner).removeShare, "remove-fileshare": (*scanner).removeShare,
		"new-smbshare": (*scanner).newShare, "new-fileshare": (*scanner).newShare,
		"close-smbsession": (*scanner).closeSession, "close-smbopenfile": (*scanner).closeSession,
		"new-psdrive": (*scanner).newDrive, "remove-psdrive": (*scanner).removeDrive,
		"remove-item": (*scanner).removeItem, "clear-item": (*scanner).removeItem, "clear-content": (*scanner).removeItem,
		"remove-itemproperty": (*scanner).removeProperty, "clear-itemproperty": (*scanner).removeProperty,
		"clear-eventlog": (*scanner).clearLog, "remove-eventlog": (*scanner).clearLog,
		"clear-history": (*scanner).clearHistory, "set-psreadlineoption": (*scanner).setReadLine,
		"stop-service": (*scanner).stopService, "set-service": (*scanner).stopService,
		"invoke-expression": (*scanner).invokeExpression, "invoke-command": (*scanner).invokeCommand, "start-process": (*scanner).startProcess,
		"invoke-cimmethod": (*scanner).wmiMethod, "invoke-wmimethod": (*scanner).wmiMethod,
		"remove-ciminstance": (*scanner).wmiRemove, "remove-wmiobject": (*scanner).wmiRemove,
		"where-object":   (*scanner).whereObject,
		"foreach-object": nothing, "get-smbmapping": nothing, "get-smbglobalmapping": nothing, "get-smbshare": nothing, "get-fileshare": nothing,
		"get-wmiobject": nothing, "get-ciminstance": nothing, "get-childitem": nothing, "get-item": nothing, "get-itemproperty": nothing, "get-service": nothing,
		"new-object": nothing, "convertto-securestring": nothing,
	}
}

// psOnlyAlias says whether a name is a command of PowerShell and of no other shell.
func psOnlyAlias(name string) bool {
	return aliases[name] != "" && programs[name] == nil && !shellWords[name] && name != "mount"
}

// psEmit records what a cmdlet does, unless it runs with -WhatIf.
func (s *scanner) psEmit(c *psCommand, a psArgs, seg Segment) {
	if a.on("whatif") {
		return
	}
	seg.Flags = append(seg.Flags, a.flags()...)
	if seg.Remote == "" {
		for _, n := range []string{"cimsession", "computername"} {
			if v := a.first(n); v != "" {
				seg.Remote = v
			}
		}
	}
	s.emit(&call{program: c.name, lo: c.start(), hi: c.hi}, seg)
}

// start returns where the command's pipeline begins if that tells its target.
func (c *psCommand) start() int {
	lo := c.lo
	for p := c.prev; p != nil; p = p.prev {
		lo = min(lo, p.lo)
	}
	return lo
}

// drives writes those of the values that are drives as "Z:", the others unchanged.
func drives(values []string) []string {
	var out []string
	for _, v := range values {
		if d, ok := driveName(v); ok {
			v = d
		}
		out = addUnique(out, v)
	}
	return out
}

// pipedTargets returns the targets that come through the pipeline.
func (s *scanner) pipedTargets(c *psCommand) []string {
	if c.prev == nil {
		return nil
	}
	return drives(s.pipedValues(c))
}

func (s *scanner) removeMapping(c *psCommand) {
	a := s.psArguments(c, "localpath", "remotepath", "inputobject", "force!", "updateprofile!", "passthru!", "cimsession", "asjob!", "throttlelimit")
	local, remote := a.value("localpath", 0), a.get("remotepath")
	if remote == nil && a.get("localpath") == nil && len(a.pos) > 1 {
		remote = a.pos[1]
	}
	seg := Segment{Class: MappingRemove, Targets: addUnique(drives(local), remote...), UpdateProfile: a.on("updateprofile")}
	_, object := a.named["inputobject"]
	switch {
	case seg.Targets != nil:
	case c.prev != nil:
		seg.Targets = s.pipedTargets(c)
	case object:
		seg.Targets = a.get("inputobject")
	default:
		seg.Targets = []string{"*"}
	}
	s.psEmit(c, a, seg)
}

func (s *scanner) newMapping(c *psCommand) {
	a := s.psArguments(c, "localpath", "remotepath", "username", "password", "persistent", "savecredentials!", "homefolder!", "requireintegrity", "requireprivacy",
		"usewritethrough", "transporttype", "credential", "compressnetworktraffic", "cimsession", "asjob!", "throttlelimit")
	seg := Segment{Class: UseMap, User: user(a, "username", "credential")}
	if v, ok := a.named["persistent"]; ok {
		seg.Persistent = "yes"
		if len(v) > 0 && falsy(v[0]) {
			seg.Persistent = "no"
		}
	}
	local := a.value("localpath", 0)
	remote := a.get("remotepath")
	if remote == nil && len(a.pos) > 0 {
		remote = a.pos[len(a.pos)-1]
		if len(a.pos) == 1 && a.get("localpath") == nil {
			local = nil
		}
	}
	if len(remote) > 0 {
		seg.Share = strings.TrimRight(remote[0], `\`)
	}
	seg.Targets = drives(local)
	if seg.Share != "" {
		seg.Targets = addUnique(seg.Targets, seg.Share)
	}
	s.psEmit(c, a, seg)
}

// user returns the account that a parameter names, "" if it is an expression.
func user(a psArgs, names ...string) string {
	for _, n := range names {
		if v := a.first(n); v != "" {
			if strings.HasPrefix(v, "(") {
				return credentialUser(a.nodes[n])
			}
			return v
		}
	}
	return ""
}

// credentialUser returns the name in "(New-Object ...PSCredential('name', ...))".
func credentialUser(nodes []psNode) string {
	for _, n := range nodes {
		if n.kind == psStr {
			return n.t.s
		}
		if n.kind == psGroup {
			if u := credentialUser(n.kids); u != "" {
				return u
			}
		}
	}
	return ""
}

func (s *scanner) removeShare(c *psCommand) {
	a := s.psArguments(c, "name", "scopename", "smbinstance", "inputobject", "force!", "passthru!", "cimsession", "asjob!", "throttlelimit")
	seg := Segment{Class: ShareDelete, Targets: addUnique(nil, a.value("name", 0)...)}
	if seg.Targets == nil {
		if v := a.get("inputobject"); v != nil {
			seg.Targets = v
		} else {
			seg.Targets = s.pipedTargets(c)
		}
	}
	s.psEmit(c, a, seg)
}

func (s *scanner) newShare(c *psCommand) {
	a := s.psArguments(c, "name", "path", "fullaccess", "changeaccess", "readaccess", "noaccess", "description", "temporary!", "scopename", "cachingmode",
		"concurrentuserlimit", "encryptdata", "folderenumerationmode", "sourcevolume", "relativepathname", "filesystem", "continuouslyavailable", "cimsession")
	s.psEmit(c, a, Segment{Class: ShareAdd, Targets: a.value("name", 0)})
}

func (s *scanner) closeSession(c *psCommand) {
	a := s.psArguments(c, "sessionid", "fileid", "clientcomputername", "clientusername", "scopename", "smbinstance", "inputobject", "force!", "passthru!", "cimsession")
	seg := Segment{Class: SessionDelete}
	if c.name == "close-smbopenfile" {
		seg.Class = FileClose
	}
	for _, n := range []string{"fileid", "sessionid", "clientcomputername", "clientusername", "inputobject"} {
		seg.Targets = addUnique(seg.Targets, a.get(n)...)
	}
	if len(a.pos) > 0 {
		seg.Targets = addUnique(seg.Targets, a.pos[0]...)
	}
	if seg.Targets == nil && c.prev != nil {
		p := s.psArguments(c.prev, "sessionid", "fileid", "clientcomputername", "clientusername")
		for _, n := range []string{"fileid", "sessionid", "clientcomputername", "clientusername"} {
			seg.Targets = addUnique(seg.Targets, p.get(n)...)
		}
	}
	if seg.Targets == nil && (c.prev == nil || c.prev.prev == nil && len(c.prev.args) == 0 && strings.HasPrefix(strings.ToLower(c.prev.name), "get-smb")) {
		seg.Targets = []string{"*"}
	}
	s.psEmit(c, a, seg)
}

func (s *scanner) newDrive(c *psCommand) {
	a := s.psArguments(c, "name", "psprovider", "root", "description", "scope", "persist!", "credential", "usetransaction!")
	name, root := a.value("name", 0), a.value("root", 2)
	if provider := strings.Join(a.value("psprovider", 1), ""); provider != "" && !strings.EqualFold(provider, "filesystem") || len(root) == 0 {
		return
	}
	low := strings.ToLower(root[0])
	if !isRemote(low) && !strings.HasPrefix(low, "$") && !strings.HasPrefix(low, "(") || strings.HasPrefix(low, "$env:") {
		return // a local folder
	}
	seg := Segment{Class: UseMap, Share: strings.TrimRight(root[0], `\`), User: user(a, "credential")}
	seg.Targets = addUnique(driveNames(name), seg.Share)
	if _, ok := a.named["persist"]; ok {
		seg.Persistent = "no"
		if a.on("persist") {
			seg.Persistent = "yes"
		}
	}
	s.psEmit(c, a, seg)
}

// driveNames writes names of PowerShell drives: a letter is the drive "Z:".
func driveNames(names []string) []string {
	var out []string
	for _, n := range names {
		if len(n) == 1 && isLetter(n[0]) {
			n += ":"
		}
		out = addUnique(out, drives([]string{n})...)
	}
	return out
}

func (s *scanner) removeDrive(c *psCommand) {
	a := s.psArguments(c, "name", "literalname", "psprovider", "scope", "force!")
	names := a.value("name", 0)
	if names == nil {
		names = a.get("literalname")
	}
	if names == nil {
		names = s.pipedValues(c)
		if c.prev != nil && names == nil && strings.EqualFold(c.prev.name, "get-psdrive") {
			names = s.psArguments(c.prev, "name", "psprovider", "scope").value("name", 0)
		}
	}
	var targets []string
	for _, n := range names {
		switch strings.ToLower(strings.TrimSuffix(n, ":")) {
		case "hku", "hkcr", "hklm", "hkcu", "hkcc", "hku2", "hkusers": // drives of the registry
		default:
			targets = append(targets, n)
		}
	}
	if targets == nil && names != nil {
		return
	}
	s.psEmit(c, a, Segment{Class: MappingRemove, Targets: driveNames(targets)})
}

func nativeMount(c *psCommand) bool {
	for _, n := range c.args {
		if isParameter(n) && n.low() != "-o" {
			return false
		}
	}
	return len(c.args) > 0 && (strings.HasPrefix(c.args[0].t.s, `\\`) || c.args[0].isWord("-o"))
}
