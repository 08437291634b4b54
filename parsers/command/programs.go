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

// rasdial hides the password of "rasdial ENTRY USER PASSWORD".
func (s *scanner) rasdial(c *call) {
	if len(c.args) > 2 && !strings.HasPrefix(c.args[1].val, "/") && !strings.HasPrefix(c.args[2].val, "/") {
		s.secretWord(c.args[2])
	}
}
