package command

import "strings"

// The switches of net by sub-command. Net accepts every unambiguous beginning,
// "/" alone as the switch character, and a value behind ":".
var (
	netUseSwitches = []string{"user", "delete", "persistent", "savecred", "smartcard", "home", "writethrough", "transport",
		"requireintegrity", "requireprivacy", "global", "tcpport", "quicport", "rdmaport", "blockntlm", "skipcertcheck", "compressnetwork", "yes", "no"}
	netShareSwitches = []string{"delete", "grant", "users", "unlimited", "remark", "cache", "yes", "no"}
	netOtherSwitches = []string{"delete", "close", "list", "add", "domain", "yes", "no"}
)

// A netSwitch is one switch of net: its full name, or as written if unknown.
type netSwitch struct {
	name, value string
	known       bool
}

// netSwitchOf reads a switch argument. "/d", "/de" ... are "/delete".
func netSwitchOf(a arg, names []string) (netSwitch, bool) {
	v := a.val
	if len(v) < 2 || v[0] != '/' || v[1] == '/' {
		return netSwitch{}, false
	}
	name, value, _ := strings.Cut(v[1:], ":")
	name = strings.ToLower(strings.ReplaceAll(name, `"`, ""))
	for _, n := range names {
		// A beginning that several share means the first, as /u and /p do.
		if name != "" && strings.HasPrefix(n, name) && !(n == "savecred" && name == "s") {
			return netSwitch{n, strings.ReplaceAll(value, `"`, ""), true}, true
		}
	}
	return netSwitch{name, value, false}, true
}

// flag returns the switch as it is shown. Values of accounts and rights are not.
func (n netSwitch) flag() string {
	switch {
	case n.name == "yes" || n.name == "no":
		return "/" + n.name[:1]
	case n.value != "" && (n.name == "persistent" || n.name == "delete" || n.name == "transport" || n.name == "cache"):
		return "/" + n.name + ":" + yesNo(strings.ToLower(n.value))
	}
	return "/" + n.name
}

func yesNo(v string) string {
	switch v {
	case "y", "ye":
		return "yes"
	case "n":
		return "no"
	}
	return v
}

// net reads net.exe and net1.exe.
func (s *scanner) net(c *call) {
	sub, args := "", []arg(nil)
	for i, a := range c.args {
		low := a.low()
		if low == "/?" || low == "/help" {
			return
		}
		if sub == "" && !strings.HasPrefix(low, "/") {
			sub = low
			args = append(append(args, c.args[:i]...), c.args[i+1:]...)
		}
	}
	switch sub {
	case "use":
		s.netUse(c, args)
	case "share":
		s.netShare(c, args)
	case "session", "sessions", "sess":
		s.netSession(c, args)
	case "file", "files":
		s.netFile(c, args)
	case "user", "users":
		s.netUser(args)
	case "stop":
		if len(args) > 0 && isShareService(args[0].val) {
			s.emit(c, Segment{Class: ServiceStop, Targets: []string{args[0].val}, Flags: netFlags(args, netOtherSwitches)})
		}
	}
}

func netFlags(args []arg, names []string) []string {
	var out []string
	for _, a := range args {
		if sw, ok := netSwitchOf(a, names); ok {
			out = append(out, sw.flag())
		}
	}
	return out
}

// A netUseLine is what the arguments of net use say.
type netUseLine struct {
	device, remote, persistent, user string
	flags                            []string
	delete, home, setting            bool
	others                           []arg // neither device, remote nor switch: passwords
}

func (s *scanner) parseNetUse(args []arg) (u netUseLine, printer bool) {
	for _, a := range args {
		if sw, ok := netSwitchOf(a, netUseSwitches); ok {
			u.flags = append(u.flags, sw.flag())
			switch sw.name {
			case "delete":
				u.delete = true
			case "home":
				u.home = true
			case "persistent":
				u.setting = true
				u.persistent = yesNo(strings.ToLower(sw.value))
			case "user":
				u.user = sw.value
			}
			if !sw.known && strings.HasPrefix(sw.name, "p") { // /pass:, /password:, /pwd:
				s.secretTail(a, strings.IndexByte(a.t.s, ':')+1)
			}
			continue
		}
		drive, isDrive := driveName(a.val)
		switch low := a.low(); {
		case isPrinter(low) && u.device == "" && u.remote == "":
			printer = true
			u.device = a.val
		case isDrive && u.device == "":
			u.device = drive
		case a.val == "*" && u.device == "" && u.remote == "":
			u.device = "*"
		case isRemote(low) && u.remote == "":
			u.remote = s.remoteName(a)
		case strings.HasPrefix(low, `\`) && u.remote == "" && !strings.HasPrefix(low, `\\`):
			// A mistyped share: no password, but one may follow.
		default:
			u.others = append(u.others, a)
		}
	}
	if u.persistent != "yes" && u.persistent != "no" {
		u.persistent = ""
	}
	return u, printer
}

func isPrinter(low string) bool {
	low = strings.TrimSuffix(low, ":")
	return len(low) == 4 && (strings.HasPrefix(low, "lpt") || strings.HasPrefix(low, "com")) && isDigit(low[3]) || low == "prn"
}

func isRemote(low string) bool {
	return strings.HasPrefix(low, `\\`) && len(low) > 2 || strings.HasPrefix(low, "//") && len(low) > 2 ||
		strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://")
}

// remoteName returns a remote name as written but for a trailing backslash, and
// hides a password within a URL.
func (s *scanner) remoteName(a arg) string {
	v := a.val
	if i := strings.Index(v, "://"); i >= 0 {
		host, _, _ := strings.Cut(v[i+3:], "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			if colon := strings.IndexByte(host[:at], ':'); colon >= 0 {
				lo, hi := i+3+colon+1, i+3+at
				if raw := strings.Index(a.t.s, v[lo:hi]); raw >= 0 && hi > lo && v[lo:hi] != masked {
					s.hide(a.t.lo(raw), a.t.hi(raw+hi-lo))
				}
				v = v[:lo] + masked + v[hi:]
			}
		}
	}
	if t := strings.TrimRight(v, `\`); len(t) > 2 {
		v = t
	}
	return strings.ReplaceAll(v, `"`, "")
}

func (s *scanner) netUse(c *call, args []arg) {
	u, printer := s.parseNetUse(args)
	positional := u.others
	if u.device == "" && u.remote == "" && len(positional) > 0 {
		positional = positional[1:] // a name that net would not take for a device: no password
	}
	for _, a := range positional {
		s.secretWord(a)
	}
	if printer {
		return
	}
	seg := Segment{Flags: u.flags, User: u.user}
	if u.device != "" {
		seg.Targets = append(seg.Targets, u.device)
	}
	if u.remote != "" {
		seg.Targets = append(seg.Targets, u.remote)
	}
	switch {
	case u.delete:
		seg.Class = UseDelete
		if seg.Targets == nil && len(u.others) > 0 {
			seg.Targets = []string{u.others[0].val}
		}
	case u.remote != "" || u.home:
		seg.Class, seg.Share, seg.Persistent = UseMap, u.remote, u.persistent
	case u.setting:
		return
	default:
		seg.Class = UseQuery
	}
	s.emit(c, seg)
}

func (s *scanner) netShare(c *call, args []arg) {
	var names []string
	remote, deleted := "", false
	for _, a := range args {
		if sw, ok := netSwitchOf(a, netShareSwitches); ok {
			deleted = deleted || sw.name == "delete"
			continue
		}
		if strings.HasPrefix(a.val, `\\`) && len(names) > 0 && strings.IndexByte(a.val[2:], '\\') < 0 {
			remote = a.val
			continue
		}
		names = append(names, a.val)
	}
	seg := Segment{Flags: netFlags(args, netShareSwitches), Remote: remote}
	switch {
	case deleted:
		seg.Class, seg.Targets = ShareDelete, shareNames(names)
	case len(names) > 0 && strings.IndexByte(names[0], '=') > 0:
		name, _, _ := strings.Cut(names[0], "=")
		seg.Class, seg.Targets = ShareAdd, []string{name}
	default:
		return
	}
	s.emit(c, seg)
}

// shareNames returns names of shares, and the devices they stand for, as written.
func shareNames(names []string) []string {
	var out []string
	for _, n := range names {
		if d, ok := driveName(n); ok {
			n = d
		}
		n, _, _ = strings.Cut(n, "=")
		out = addUnique(out, n)
	}
	return out
}

func (s *scanner) netSession(c *call, args []arg) {
	seg := Segment{Class: SessionDelete, Flags: netFlags(args, netOtherSwitches)}
	deleted := false
	for _, a := range args {
		if sw, ok := netSwitchOf(a, netOtherSwitches); ok {
			deleted = deleted || sw.name == "delete"
		} else {
			seg.Targets = append(seg.Targets, a.val)
		}
	}
	if !deleted {
		return
	}
	if seg.Targets == nil {
		seg.Targets = []string{"*"}
	}
	s.emit(c, seg)
}

func (s *scanner) netFile(c *call, args []arg) {
	seg := Segment{Class: FileClose, Flags: netFlags(args, netOtherSwitches)}
	closed := false
	for _, a := range args {
		if sw, ok := netSwitchOf(a, netOtherSwitches); ok {
			closed = closed || sw.name == "close"
		} else {
			seg.Targets = append(seg.Targets, a.val)
		}
	}
	if closed {
		s.emit(c, seg)
	}
}

// netUser hides the password of "net user NAME PASSWORD".
func (s *scanner) netUser(args []arg) {
	n := 0
	for _, a := range args {
		if strings.HasPrefix(a.val, "/") {
			continue
		}
		if n++; n > 1 {
			s.secretWord(a)
		}
	}
}

// isShareService says whether shares, or the logs that tell of them, rest on a
// service, given by its name or display name.
func isShareService(name string) bool {
	switch strings.ToLower(strings.Trim(name, `"'`)) {
	case "server", "lanmanserver", "srv", "srv2", "srvnet",
		"workstation", "lanmanworkstation", "mrxsmb", "mrxsmb10", "mrxsmb20", "rdbss", "mup",
		"webclient", "webdav", "mrxdav", "nfsclnt", "client for nfs", "nfsrdr",
		"eventlog", "windows event log", "wecsvc", "windows event collector", "sysmon", "sysmon64", "sysmondrv":
		return true
	}
	return false
}
