package command

import "strings"

// programs are the executables that are read, by base name.
var programs map[string]func(*scanner, *call)

func init() { // here, because the readings refer to the table
	programs = map[string]func(*scanner, *call){
		"net": (*scanner).net, "net1": (*scanner).net,
		"reg": (*scanner).reg, "wmic": (*scanner).wmic,
		"wevtutil": (*scanner).wevtutil, "vssadmin": (*scanner).vssadmin,
		"auditpol": (*scanner).auditpol, "sc": (*scanner).sc,
		"cmdkey": (*scanner).cmdkey, "klist": (*scanner).klist,
		"subst": (*scanner).subst, "mount": (*scanner).mount, "umount": (*scanner).umount,
		"doskey": (*scanner).doskey, "fsutil": (*scanner).fsutil, "openfiles": (*scanner).openfiles,
		"psfile": (*scanner).psfile, "rmtshare": (*scanner).rmtshare, "diskshadow": (*scanner).diskshadow,
		"del": (*scanner).del, "erase": (*scanner).del, "rd": (*scanner).del, "rmdir": (*scanner).del,

		"cmd": (*scanner).cmd, "powershell": (*scanner).powershell, "pwsh": (*scanner).powershell, "powershell_ise": (*scanner).powershell,
		"start": (*scanner).start, "forfiles": (*scanner).forfiles, "runas": (*scanner).runas,
		"psexec": (*scanner).psexec, "psexec64": (*scanner).psexec, "paexec": (*scanner).psexec, "csexec": (*scanner).psexec,
		"schtasks": (*scanner).schtasks, "at": (*scanner).at, "winrs": (*scanner).winrs,
		"conhost": (*scanner).prefix, "sudo": (*scanner).prefix, "gsudo": (*scanner).prefix, "nircmd": (*scanner).prefix,
		"nircmdc": (*scanner).prefix, "hstart": (*scanner).prefix, "pcalua": (*scanner).prefix, "nsudo": (*scanner).prefix,
		"wsl": (*scanner).prefix, "bash": (*scanner).bash, "sh": (*scanner).bash,
		"mshta": (*scanner).embedded, "rundll32": (*scanner).embedded,
		"set": (*scanner).setVariable, "rasdial": (*scanner).rasdial,
	}
}

// shellWords are commands of no interest that may follow a separator.
var shellWords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`echo exit cd chdir dir cls copy xcopy robocopy move ren md mkdir type pause timeout ping goto call if else for
		rem pushd popd whoami hostname ipconfig netstat tasklist taskkill shutdown logoff query qwinsta find findstr sort more ver vol attrib icacls
		certutil bitsadmin msiexec explorer notepad regedit gpupdate nltest systeminfo ftype assoc path title color wscript cscript ssh curl
		out-null out-file out-string select-string select-object where-object foreach-object format-table format-list write-host write-output tee tee-object`) {
		shellWords[w] = true
	}
}

// isCommandWord says whether a word is the name of a command.
func isCommandWord(name string) bool {
	return programs[name] != nil || shellWords[name] || cmdlets[name] != nil || aliases[name] != ""
}

// run interprets a simple command. Switches that carry passwords in any program
// are looked for first.
func (s *scanner) run(c *call) {
	s.commonSecrets(c)
	if f := programs[c.name]; f != nil {
		f(s, c)
	} else {
		s.unknown(c)
	}
	s.leaf++
}

// unknown looks for secrets in what an unknown program is told to do; nothing
// says that it does it.
func (s *scanner) unknown(c *call) {
	s.dead++
	defer func() { s.dead-- }()
	for i, a := range c.args {
		if name := baseName(a.val); (name == "net" || name == "net1") && i+1 < len(c.args) {
			s.net(&call{name: name, program: name, args: c.args[i+1:], lo: c.lo, hi: c.hi})
			break
		}
		if strings.ContainsAny(a.t.s, " \t") {
			s.skipData(a.t)
		}
	}
}

// commonSecrets hides /pass:X, /password:X, -Password X and the like, whatever
// the program.
func (s *scanner) commonSecrets(c *call) {
	for i, a := range c.args {
		low := strings.ToLower(a.t.s)
		if len(low) < 2 || low[0] != '/' && low[0] != '-' && !strings.HasPrefix(low, "pass") {
			continue
		}
		end := strings.IndexAny(low, ":=")
		name := low
		if end >= 0 {
			name = low[:end]
		}
		switch strings.TrimLeft(name, "/-") {
		case "pass", "password", "passwd", "pwd":
		default:
			continue
		}
		switch {
		case low[0] == 'p' && (end < 0 || low[end] != '='):
		case end >= 0 && end+1 < len(low):
			s.secretTail(a, end+1)
		case (end >= 0 || low[0] == '-') && i+1 < len(c.args):
			if next := c.args[i+1]; !strings.HasPrefix(next.val, "$") && !strings.HasPrefix(next.val, "(") {
				s.secret(next)
			}
		}
	}
}

// line reads a line of unknown interpreter.
func (s *scanner) line(h Hint) {
	t := wholeText(s.doc.orig)
	if s.hinted(t, h) {
		return
	}
	if looksLikePowerShell(t.s) {
		s.psText(t)
		return
	}
	s.cmdText(t)
}

// hinted reads the line of a process whose program the log names: it is one
// command, whose first word may be anything, and no shell splits it.
func (s *scanner) hinted(t text, h Hint) bool {
	name := ""
	for _, n := range []string{baseName(h.OriginalName), baseName(h.Image)} {
		if programs[n] != nil {
			name = n
			break
		}
	}
	if name == "" || shellBuiltin(name) {
		return false
	}
	c := newCall(t.trim(), t.trim().lo(0), t.trim().hi(len(t.trim().s)))
	if c == nil || c.name != name && programs[c.name] != nil {
		return false
	}
	if c.name == name && strings.ContainsAny(t.s, "&|;\n<>^") && !passwordSeparators(c) {
		return false
	}
	c.name = name
	if c.program == "" {
		c.program = name
	}
	s.run(c)
	return true
}

func shellBuiltin(name string) bool {
	switch name {
	case "del", "erase", "rd", "rmdir", "start", "set":
		return true
	}
	return false
}

// passwordSeparators says whether all shell separators of the line stand within
// words, so that they belong to arguments.
func passwordSeparators(c *call) bool {
	for _, a := range c.args {
		if strings.Trim(a.val, "&|;<>") == "" && a.val != "" || strings.ContainsAny(a.val, "<>\n") {
			return false
		}
		for _, part := range strings.FieldsFunc(a.val, func(r rune) bool { return strings.ContainsRune("&|;", r) }) {
			if part != a.val && isCommandWord(baseName(part)) {
				return false
			}
		}
	}
	return c.name == "net" || c.name == "net1"
}
