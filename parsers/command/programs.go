package command

import (
	"strconv"
	"strings"
)

// switchFlags returns the arguments that are switches, lower case, without
// their values.
func switchFlags(args []arg) []string {
	var out []string
	for _, a := range args {
		low := a.low()
		if len(low) > 1 && (low[0] == '/' || low[0] == '-') {
			if i := strings.IndexAny(low, ":="); i > 0 {
				low = low[:i]
			}
			out = append(out, low)
		}
	}
	return out
}

func asksHelp(args []arg) bool {
	for _, a := range args {
		if a.val == "/?" || a.val == "-?" {
			return true
		}
	}
	return false
}

// switchValue returns what stands behind a switch, in the same argument or in
// the next one.
func switchValue(args []arg, names ...string) (string, bool) {
	for i, a := range args {
		low := a.low()
		for _, n := range names {
			if rest, ok := strings.CutPrefix(low, n); ok {
				if rest == "" || rest == "=" {
					if i+1 < len(args) {
						return args[i+1].val, true
					}
					return "", true
				}
				if rest[0] == ':' || rest[0] == '=' {
					return a.val[len(n)+1:], true
				}
			}
		}
	}
	return "", false
}

// wevtutil reads "wevtutil cl LOG" and "wevtutil sl LOG /e:false".
func (s *scanner) wevtutil(c *call) {
	if asksHelp(c.args) {
		return
	}
	var words []arg
	for _, a := range c.args {
		if !strings.HasPrefix(a.val, "/") && !strings.HasPrefix(a.val, "-") {
			words = append(words, a)
		}
	}
	if len(words) < 2 {
		return
	}
	seg := Segment{Targets: []string{words[1].val}, Flags: switchFlags(c.args)}
	if r, ok := switchValue(c.args, "/r", "/remote", "-r"); ok {
		seg.Remote = r
	}
	switch words[0].low() {
	case "cl", "clear-log":
		seg.Class = LogClear
	case "sl", "set-log":
		if v, ok := switchValue(c.args, "/e", "/enabled", "-e"); !ok || !strings.EqualFold(v, "false") {
			return
		}
		seg.Class = AuditOff
	default:
		return
	}
	for _, name := range []string{"/p:", "-p:"} {
		for _, a := range c.args {
			if strings.HasPrefix(a.low(), name) {
				s.secretTail(a, len(name))
			}
		}
	}
	s.emit(c, seg)
}

// evictingSize is the limit of shadow storage, in bytes, at or below which a
// resize is taken as a deletion: Windows discards copies that do not fit, and
// 320 MB is the least it takes.
const evictingSize = 1 << 30

func (s *scanner) vssadmin(c *call) {
	if len(c.args) < 2 || asksHelp(c.args) {
		return
	}
	seg := Segment{Class: ShadowDelete, Targets: shadowTargets(c.args), Flags: switchFlags(c.args)}
	switch c.args[0].low() + " " + strings.TrimSuffix(c.args[1].low(), "s") {
	case "delete shadow", "delete shadowstorage":
	case "resize shadowstorage":
		size, _ := switchValue(c.args, "/maxsize")
		if n, ok := byteSize(size); !ok || n > evictingSize {
			return
		}
		seg.Flags = append(seg.Flags, "resize")
	default:
		return
	}
	s.emit(c, seg)
}

func byteSize(v string) (int64, bool) {
	low := strings.TrimSuffix(strings.ToLower(v), "b")
	unit := int64(1)
	if n := len(low); n > 0 && !isDigit(low[n-1]) {
		shift := strings.IndexByte("kmgtpe", low[n-1])
		if shift < 0 {
			return 0, false
		}
		unit <<= 10 * (shift + 1)
		low = low[:n-1]
	}
	n, err := strconv.ParseInt(low, 10, 32)
	if err != nil || n > (1<<62)/unit {
		return 0, false
	}
	return n * unit, true
}

// shadowTargets returns the volume or the id that is named, "*" for /all or none.
func shadowTargets(args []arg) []string {
	for _, name := range []string{"/for", "/shadow", "/set"} {
		if v, ok := switchValue(args, name); ok && v != "" {
			if d, isDrive := driveName(v); isDrive {
				v = d
			}
			return []string{v}
		}
	}
	return []string{"*"}
}

func (s *scanner) diskshadow(c *call) {
	var words []string
	for _, a := range c.args {
		words = append(words, a.low())
	}
	if strings.Contains(strings.Join(words, " "), "delete shadows") {
		s.emit(c, Segment{Class: ShadowDelete, Targets: []string{"*"}})
	}
}

func (s *scanner) auditpol(c *call) {
	if len(c.args) == 0 || asksHelp(c.args) {
		return
	}
	seg := Segment{Class: AuditOff, Flags: switchFlags(c.args)}
	switch c.args[0].low() {
	case "/clear", "-clear", "/remove":
		seg.Targets = []string{"*"}
	case "/set", "-set":
		off := false
		for _, a := range c.args[1:] {
			low := a.low()
			name, value, _ := strings.Cut(low, ":")
			switch strings.TrimLeft(name, "/-") {
			case "success", "failure":
				off = off || value == "disable"
			case "disable":
				off = true
			case "category", "subcategory":
				for v := range strings.SplitSeq(a.val[len(name)+min(1, len(low)-len(name)):], ",") {
					seg.Targets = append(seg.Targets, strings.Trim(v, `" `))
				}
			}
		}
		if !off {
			return
		}
	default:
		return
	}
	s.emit(c, seg)
}

// sc reads stop, delete and config of services that matter, and the program that
// a new service starts.
func (s *scanner) sc(c *call) {
	args, remote := c.args, ""
	if len(args) > 0 && strings.HasPrefix(args[0].val, `\\`) {
		remote, args = args[0].val, args[1:]
	}
	if len(args) < 2 {
		return
	}
	for i, a := range args {
		if a.low() == "password=" && i+1 < len(args) {
			s.secret(args[i+1])
		}
		if rest, ok := strings.CutPrefix(a.low(), "binpath="); ok {
			prog := a.t.slice(len(a.t.s)-len(rest), len(a.t.s))
			if rest == "" && i+1 < len(args) {
				prog = args[i+1].t
			}
			s.later(func() { s.elsewhere(remote, func() { s.nested(prog) }) })
		}
	}
	seg := Segment{Class: ServiceStop, Targets: []string{args[1].val}, Remote: remote}
	switch args[0].low() {
	case "stop":
	case "delete":
		seg.Flags = []string{"delete"}
	case "config":
		start, _ := switchValue(args, "start")
		if !strings.EqualFold(start, "disabled") {
			return
		}
		seg.Flags = []string{"start=disabled"}
	default:
		return
	}
	if isShareService(args[1].val) {
		s.emit(c, seg)
	}
}

func (s *scanner) cmdkey(c *call) {
	seg := Segment{Class: CredentialDelete, Flags: switchFlags(c.args)}
	deleted := false
	for i, a := range c.args {
		name, value, _ := strings.Cut(a.val, ":")
		switch low := strings.ToLower(name); {
		case low == "/pass" || low == "/p" || low == "/password":
			if value == "" && i+1 < len(c.args) {
				s.secret(c.args[i+1])
			} else if value != "" {
				s.secretTail(a, strings.IndexByte(a.t.s, ':')+1)
			}
		case low == "/delete" || low == "/d" || low == "/del" || low == "-delete":
			deleted = true
			if value != "" {
				seg.Targets = append(seg.Targets, value)
			} else if i+1 < len(c.args) && !strings.HasPrefix(c.args[i+1].val, "/") {
				seg.Targets = append(seg.Targets, c.args[i+1].val)
			}
		case low == "/ras" && deleted:
			seg.Targets = append(seg.Targets, "/ras")
		}
	}
	if deleted && !asksHelp(c.args) {
		s.emit(c, seg)
	}
}

func (s *scanner) klist(c *call) {
	for _, a := range c.args {
		if low := strings.TrimLeft(a.low(), "/-"); low == "purge" || low == "purge_bind" {
			s.emit(c, Segment{Class: CredentialDelete, Targets: []string{"*"}, Flags: switchFlags(c.args)})
			return
		}
	}
}

func (s *scanner) subst(c *call) {
	drive, path, deleted := "", "", false
	for _, a := range c.args {
		if d, ok := driveName(a.val); ok && drive == "" {
			drive = d
		} else if a.low() == "/d" {
			deleted = true
		} else if isRemote(a.low()) {
			path = s.remoteName(a)
		}
	}
	switch {
	case drive == "":
	case deleted:
		s.emit(c, Segment{Class: MappingRemove, Targets: []string{drive}, Flags: []string{"/d"}})
	case path != "":
		s.emit(c, Segment{Class: UseMap, Targets: []string{drive, path}, Share: path})
	}
}

// mount reads the NFS client's mount of a share on a drive.
func (s *scanner) mount(c *call) {
	device, remote, user := "", "", ""
	for _, a := range c.args {
		low := a.low()
		switch drive, isDrive := driveName(a.val); {
		case isDrive, a.val == "*":
			device = a.val
			if isDrive {
				device = drive
			}
		case strings.HasPrefix(low, "-u:"):
			user = a.val[3:]
		case strings.HasPrefix(low, "-p:"):
			s.secretTail(a, 3)
		case remote == "" && (isRemote(low) && !strings.HasPrefix(low, "/") || strings.Contains(low, ":/") && len(low) > 3):
			remote = s.remoteName(a)
		}
	}
	if device != "" && remote != "" {
		s.emit(c, Segment{Class: UseMap, Targets: []string{device, remote}, Share: remote, User: user, Flags: switchFlags(c.args)})
	}
}

func (s *scanner) umount(c *call) {
	seg := Segment{Class: MappingRemove, Flags: switchFlags(c.args)}
	for _, a := range c.args {
		if d, ok := driveName(a.val); ok {
			seg.Targets = append(seg.Targets, d)
		} else if a.low() == "-a" || a.low() == "-af" || a.low() == "-fa" {
			seg.Targets = append(seg.Targets, "*")
		} else if strings.HasPrefix(a.val, `\\`) {
			seg.Targets = append(seg.Targets, a.val)
		}
	}
	if seg.Targets != nil {
		s.emit(c, seg)
	}
}

func (s *scanner) doskey(c *call) {
	for _, a := range c.args {
		if a.low() == "/reinstall" {
			s.emit(c, Segment{Class: HistoryClear, Flags: []string{"/reinstall"}})
			return
		}
	}
}

func (s *scanner) fsutil(c *call) {
	if len(c.args) > 1 && c.args[0].low() == "usn" && c.args[1].low() == "deletejournal" && !asksHelp(c.args) {
		s.emit(c, Segment{Class: LogClear, Targets: []string{"$UsnJrnl"}, Flags: switchFlags(c.args)})
	}
}

func (s *scanner) openfiles(c *call) {
	if len(c.args) == 0 || c.args[0].low() != "/disconnect" || asksHelp(c.args) {
		return
	}
	seg := Segment{Class: FileClose, Flags: switchFlags(c.args)}
	for _, name := range []string{"/id", "/op", "/a"} {
		if v, ok := switchValue(c.args, name); ok {
			seg.Targets = append(seg.Targets, v)
		}
	}
	seg.Remote, _ = switchValue(c.args, "/s")
	if i := indexSwitch(c.args, "/p"); i >= 0 && i+1 < len(c.args) {
		s.secret(c.args[i+1])
	}
	s.emit(c, seg)
}

func indexSwitch(args []arg, name string) int {
	for i, a := range args {
		if a.low() == name {
			return i
		}
	}
	return -1
}

// psfile reads "psfile [\\computer] ID -c".
func (s *scanner) psfile(c *call) {
	if i := indexSwitch(c.args, "-p"); i >= 0 && i+1 < len(c.args) {
		s.secret(c.args[i+1])
	}
	if indexSwitch(c.args, "-c") < 0 {
		return
	}
	seg := Segment{Class: FileClose, Flags: switchFlags(c.args)}
	for _, a := range c.args {
		if strings.HasPrefix(a.val, `\\`) {
			seg.Remote = a.val
		} else if !strings.HasPrefix(a.val, "-") && seg.Targets == nil {
			seg.Targets = []string{a.val}
		}
	}
	s.emit(c, seg)
}

func (s *scanner) rmtshare(c *call) {
	if len(c.args) == 0 || !strings.HasPrefix(c.args[0].val, `\\`) {
		return
	}
	name, _, added := strings.Cut(c.args[0].val, "=")
	host, _, _ := strings.Cut(name[2:], `\`)
	seg := Segment{Targets: []string{name}, Remote: `\\` + host, Flags: netFlags(c.args[1:], netShareSwitches)}
	switch {
	case indexSwitch(c.args, "/delete") >= 0:
		seg.Class = ShareDelete
	case added:
		seg.Class = ShareAdd
	default:
		return
	}
	s.emit(c, seg)
}

// setVariable hides the value of an environment variable that is named after a
// password.
func (s *scanner) setVariable(c *call) {
	if len(c.args) == 0 {
		return
	}
	a := c.args[0]
	name, value, ok := strings.Cut(a.t.s, "=")
	if !ok || strings.HasPrefix(name, "/") {
		return
	}
	if namesPassword(name) {
		s.secretTail(a, len(name)+1)
	}
	if !a.quoted {
		if t := c.rest(0); len(t.s) > len(name) {
			value = t.s[min(len(name)+1, len(t.s)):]
		}
	}
	if len(value) <= maxValue && name != "" {
		s.env[strings.ToLower(name)] = value
	}
}

// maxValue bounds the values of variables, which may multiply.
const maxValue = 1 << 12

// expandSet replaces %name% and !name! by what an earlier set of the same line
// gave the name. cmd.exe does so later than this in some places (call, delayed
// expansion) and not at all in others; who writes it means it.
func (s *scanner) expandSet(t text) text {
	if len(s.env) == 0 || !strings.ContainsAny(t.s, "%!") {
		return t
	}
	var b textBuilder
	for i := 0; i < len(t.s); i++ {
		if c := t.s[i]; c == '%' || c == '!' {
			if end := strings.IndexByte(t.s[i+1:min(len(t.s), i+65)], c); end > 0 {
				if value, ok := s.env[strings.ToLower(t.s[i+1:i+1+end])]; ok && s.work > len(value) {
					s.work -= len(value)
					b.putAll(spread(value, t.lo(i), t.hi(i+end+2)))
					i += end + 1
					continue
				}
			}
		}
		b.put(t, i)
	}
	return b.text(t.lo(0))
}

func namesPassword(name string) bool {
	low := strings.ToLower(name)
	return low == "pw" || low == "pass" || strings.Contains(low, "password") || strings.Contains(low, "passwd") || strings.HasSuffix(low, "pwd") && low != "pwd" && low != "oldpwd"
}

// rasdial hides the password of "rasdial ENTRY USER PASSWORD".
func (s *scanner) rasdial(c *call) {
	if len(c.args) > 2 && !strings.HasPrefix(c.args[1].val, "/") && !strings.HasPrefix(c.args[2].val, "/") {
		s.secretWord(c.args[2])
	}
}
