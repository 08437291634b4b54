package command

import "strings"

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
