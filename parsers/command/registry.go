package command

import "strings"

// relevantKeys are parts of registry paths, lower case, below which Windows
// keeps what it knows of shares and of their use.
var relevantKeys = []string{
	`\explorer\mountpoints2`, `\explorer\map network drive mru`, `\explorer\runmru`, `\explorer\typedpaths`,
	`\explorer\recentdocs`, `\explorer\comdlg32`, `\explorer\wordwheelquery`, `\explorer\userassist`, `\explorer\streammru`,
	`\shell\bagmru`, `\shell\bags`, `\shellnoroam\bagmru`, `\shellnoroam\bags`,
	`\services\lanmanserver\shares`, `\services\lanmanserver\parameters`, `\services\lanmanworkstation`,
	`\terminal server client\servers`, `\terminal server client\default`, `\control\networkprovider`,
	`\services\eventlog`, `\winevt\channels`,
}

// relevantParents are keys that hold relevant ones as children; deleting the
// whole key deletes those.
var relevantParents = []string{
	`\software\microsoft\windows\currentversion\explorer`, `\services\lanmanserver`, `\microsoft\terminal server client`,
	`\windows\shell`, `\windows\shellnoroam`,
}

// registryPath returns a path of reg.exe or of PowerShell's registry provider in
// one form, lower case: "hkcu\network\z". ok is false if it is none.
func registryPath(p string) (path string, ok bool) {
	low := strings.ToLower(strings.Trim(p, `"' `))
	low = strings.ReplaceAll(low, "/", `\`)
	if i := strings.Index(low, "registry::"); i >= 0 {
		low = low[i+len("registry::"):]
	}
	if strings.HasPrefix(low, `\\`) { // reg: \\computer\HKLM\...
		_, rest, found := strings.Cut(low[2:], `\`)
		if !found {
			return "", false
		}
		low = rest
	}
	root, rest, _ := strings.Cut(low, `\`)
	rest = strings.TrimLeft(rest, `\`)
	switch strings.TrimSuffix(root, ":") {
	case "hkcu", "hkey_current_user":
		root = "hkcu"
	case "hku", "hkey_users":
		root = "hku"
	case "hklm", "hkey_local_machine":
		root = "hklm"
	case "hkcr", "hkey_classes_root":
		root = "hkcr"
	default:
		return "", false
	}
	return strings.TrimRight(root+`\`+rest, `\`), true
}

// isShareKey says whether a registry path concerns shares; whole is set if the
// key itself goes, and not only a value of it.
func isShareKey(p string, whole bool) bool {
	path, ok := registryPath(p)
	if !ok {
		return false
	}
	for strings.Contains(path, `\\`) {
		path = strings.ReplaceAll(path, `\\`, `\`)
	}
	root, rest, _ := strings.Cut(path, `\`)
	below := rest
	if root == "hku" {
		_, below, _ = strings.Cut(rest, `\`)
	}
	if (root == "hkcu" || root == "hku") && (below == "network" || strings.HasPrefix(below, `network\`)) {
		return true
	}
	for _, k := range relevantKeys {
		if i := strings.Index(path, k); i >= 0 && (i+len(k) == len(path) || path[i+len(k)] == '\\' || path[i+len(k)] == '*') {
			return true
		}
	}
	if whole {
		for _, k := range relevantParents {
			if strings.HasSuffix(strings.TrimSuffix(path, `\*`), k) {
				return true
			}
		}
	}
	return false
}

// reg reads "reg delete KEY [/v NAME | /ve | /va]". The value's name, if given,
// is the second target.
func (s *scanner) reg(c *call) {
	if len(c.args) < 2 || c.args[0].low() != "delete" {
		return
	}
	key := strings.TrimRight(c.args[1].val, `\"`)
	seg := Segment{Class: KeyDelete, Targets: []string{key}}
	for i, a := range c.args[2:] {
		low := a.low()
		if !strings.HasPrefix(low, "/") {
			continue
		}
		if low == "/?" {
			return
		}
		seg.Flags = append(seg.Flags, low)
		switch low {
		case "/v":
			seg.Class = ValueDelete
			if i+3 < len(c.args) {
				seg.Targets = append(seg.Targets, c.args[i+3].val)
			}
		case "/ve", "/va":
			seg.Class = ValueDelete
		}
	}
	if strings.HasPrefix(key, `\\`) {
		host, _, _ := strings.Cut(key[2:], `\`)
		seg.Remote = `\\` + host
	}
	if isShareKey(key, seg.Class == KeyDelete) {
		s.emit(c, seg)
	}
}

// del reads del, erase, rd and rmdir of cmd.exe, and of PowerShell when its line
// was not known to be one.
func (s *scanner) del(c *call) {
	var logs, history, keys, flags []string
	for _, a := range c.args {
		if v := a.low(); strings.HasPrefix(v, "/") || strings.HasPrefix(v, "-") {
			flags = append(flags, v)
			continue
		}
		switch {
		case isLogFile(a.val):
			logs = append(logs, a.val)
		case isHistoryFile(a.val):
			history = append(history, a.val)
		case isShareKey(a.val, true):
			keys = append(keys, a.val)
		}
	}
	for _, f := range []struct {
		class   Class
		targets []string
	}{{LogClear, logs}, {HistoryClear, history}, {KeyDelete, keys}} {
		if f.targets != nil {
			s.emit(c, Segment{Class: f.class, Targets: f.targets, Flags: flags})
		}
	}
}

// isLogFile says whether a path names event logs, old (.evt) or new.
func isLogFile(p string) bool {
	low := strings.ToLower(strings.ReplaceAll(strings.Trim(p, `"'`), "/", `\`))
	switch {
	case strings.HasSuffix(low, ".evtx"), strings.HasSuffix(low, `.evt`) && strings.Contains(low, `\config\`):
		return true
	}
	i := strings.Index(low, `\winevt\logs`)
	if i < 0 {
		return false
	}
	rest := strings.Trim(low[i+len(`\winevt\logs`):], `\`)
	return rest == "" || strings.HasPrefix(rest, "*") || strings.HasSuffix(rest, "*")
}

// isHistoryFile says whether a path names PSReadLine's history or a transcript.
func isHistoryFile(p string) bool {
	low := strings.ToLower(strings.ReplaceAll(p, "/", `\`))
	return strings.Contains(low, "consolehost_history") || strings.Contains(low, `\psreadline\`) ||
		strings.HasSuffix(low, `\psreadline`) || strings.Contains(low, "historysavepath") || strings.Contains(low, "powershell_transcript")
}
