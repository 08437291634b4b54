package lab

import (
	"fmt"
	"strings"
	"time"
)

// drive reads a drive letter with its colon.
func drive(s string) (string, error) {
	if len(s) != 2 || s[1] != ':' || s[0]|0x20 < 'a' || s[0]|0x20 > 'z' {
		return "", fmt.Errorf("%q is not a letter and a colon", s)
	}
	return s[:1], nil
}

// driveOf takes a user and a drive off s.
func (w *world) driveOf(s *step) (principal, *registry, string, error) {
	p, err := w.who(s)
	if err != nil {
		return p, nil, "", err
	}
	r, err := w.hive(p)
	if err != nil {
		return p, nil, "", err
	}
	word, err := s.word("the drive")
	if err != nil {
		return p, nil, "", err
	}
	letter, err := drive(word)
	return p, r, letter, err
}

// mapDrive: Windows remembers a mapping: HKCU\Network\X appears.
func mapDrive(w *world, s *step) error {
	p, r, letter, err := w.driveOf(s)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.rest, `\\`) {
		return fmt.Errorf(`map: %q is not \\server\share`, s.rest)
	}
	key, user, flags := `Network\`+letter, regValue{"UserName", "dword:0"}, "4"
	if as := s.opts["as"]; as != "" {
		user, flags = regValue{"UserName", "sz:" + as}, "1"
	}
	r.write(key, s.time, regValue{"RemotePath", "sz:" + s.rest}, user,
		regValue{"ProviderName", "sz:Microsoft Windows Network"}, regValue{"ProviderType", "dword:0x20000"},
		regValue{"ConnectionType", "dword:1"}, regValue{"ConnectFlags", "dword:0"}, regValue{"DeferFlags", "dword:" + flags})
	if w.Sysmon {
		image, pid, object := or(s.opts["image"], `C:\Windows\System32\net.exe`), w.nextPID(), `HKU\`+p.sid+`\`+key
		w.sysmon(s.time, 12, image, pid, "EventType", "CreateKey", "TargetObject", object)
		w.sysmon(s.time, 13, image, pid, "TargetObject", object+`\RemotePath`, "Details", s.rest)
	}
	return nil
}

// unmapDrive: Windows forgets a mapping: HKCU\Network\X is deleted.
func unmapDrive(w *world, s *step) error {
	p, r, letter, err := w.driveOf(s)
	if err != nil {
		return err
	}
	if !r.remove(`Network\`+letter, s.time, s.opts["cell"]) {
		return fmt.Errorf("unmap: %s has no mapping of drive %s", p.name, letter)
	}
	if s.opts["sacl"] == "yes" {
		w.keyDeleted(s.time, p, `\REGISTRY\USER\`+p.sid+`\Network\`+letter, or(s.opts["image"], `C:\Windows\System32\net.exe`))
	}
	if w.Sysmon {
		w.sysmon(s.time, 12, or(s.opts["image"], `C:\Windows\System32\net.exe`), or(s.opts["pid"], "0x1f44"),
			"EventType", "DeleteKey", "TargetObject", `HKU\`+p.sid+`\Network\`+letter)
	}
	return nil
}

// keyDeleted is what auditing tells of a deleted key that has an audit entry:
// the right that was used, and the deletion by the same handle.
func (w *world) keyDeleted(t time.Time, p principal, object, image string) {
	handle := pairs("HandleId", "0x1c4", "ProcessId", "0x1f44", "ProcessName", image)
	w.security(t, 4663, "Registry", p.as("Subject"), pairs("ObjectName", object, "AccessList", "%%1537\r\n\t\t\t\t", "AccessMask", "0x10000"), handle)
	w.security(t, 4660, "Registry", p.as("Subject"), handle)
}

// browse: Explorer sees a share: MountPoints2\##server#share appears.
func browse(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	r, err := w.hive(p)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.rest, `\\`) {
		return fmt.Errorf(`browse: %q is not \\server\share`, s.rest)
	}
	r.write(mountPoint(s.rest), s.time)
	return nil
}

// scrub: somebody deletes Explorer's key of a share, or the values of the list
// of mapped drives.
func scrub(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	r, err := w.hive(p)
	if err != nil {
		return err
	}
	if s.rest != "list" {
		if !r.remove(mountPoint(s.rest), s.time, "") {
			return fmt.Errorf("scrub: %s has no key of %q", p.name, s.rest)
		}
		return nil
	}
	const list = explorerKey + `\Map Network Drive MRU`
	if !r.has(list) {
		return fmt.Errorf("scrub: %s has no list of mapped drives", p.name)
	}
	k := r.open(list)
	k.values, k.time = nil, s.time
	return nil
}

// mountPoint is the path of Explorer's key of a share.
func mountPoint(share string) string {
	return explorerKey + `\MountPoints2\` + strings.ReplaceAll(share, `\`, "#")
}

// wizard: the Map network drive wizard remembers a share in its list.
func wizard(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	r, err := w.hive(p)
	if err != nil {
		return err
	}
	key := explorerKey + `\Map Network Drive MRU`
	order := ""
	if r.has(key) {
		for _, v := range r.open(key).values {
			if v.name == "MRUList" {
				order = v.data
			}
		}
	}
	if len(order) == 26 {
		return fmt.Errorf("wizard: the list holds 26 shares at most")
	}
	letter := string(rune('a' + len(order)))
	r.write(key, s.time, regValue{letter, "sz:" + s.rest}, regValue{"MRUList", letter + order})
	return nil
}

// smb: a client's session at this server: 4624 of type 3, 5140 for each share
// and, if until= says when, 4634.
func smb(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	if number(s.opts["id"]) == 0 || s.opts["from"] == "" || s.rest == "" {
		return fmt.Errorf("smb: from=ADDRESS, id=0x... and the shares are needed")
	}
	p.logon = s.opts["id"]
	l := logon{principal: p, kind: "3", address: s.opts["from"], workstation: s.opts["workstation"],
		port: fmt.Sprint(49152 + s.time.Unix()%16000)}
	w.logonStarts(s.time, l)
	for i, name := range strings.Fields(s.rest) {
		w.security(s.time.Add(time.Duration(11+4*i)*time.Millisecond), 5140, "File Share", p.as("Subject"), pairs(
			"IpAddress", l.address, "IpPort", l.port, "ShareName", `\\*\`+name, "ShareLocalPath", w.localPath(name)))
	}
	if s.opts["until"] == "" {
		return nil
	}
	end, err := parseTime(s.opts["until"])
	if err != nil || end.Before(s.time) || end.After(w.Collected) {
		return fmt.Errorf("smb: until=%s is no time between here and the collection", s.opts["until"])
	}
	w.logonEnds(end, l)
	return nil
}

// localPath is a share's folder as 5140 has it.
func (w *world) localPath(share string) string {
	system := w.machine["SYSTEM"]
	if system.has(sharesKey) {
		for _, v := range system.open(sharesKey).values {
			if !strings.EqualFold(v.name, share) {
				continue
			}
			for part := range strings.SplitSeq(v.data, "|") {
				if path, ok := strings.CutPrefix(part, "Path="); ok {
					return `\??\` + path
				}
			}
		}
	}
	return ""
}

// shareAdd: a share is exported: a value of LanmanServer\Shares and, unless
// the registry is written behind the service's back, 5142.
func shareAdd(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	name, err := s.word("the share's name")
	if err != nil {
		return err
	}
	path := s.opts["path"]
	if path == "" {
		return fmt.Errorf(`share: path="C:\..." is missing`)
	}
	if s.opts["temporary"] == "yes" { // the service keeps it until the next boot, and stores nothing
		w.security(s.time.Add(3*time.Millisecond), 5142, "File Share", p.as("Subject"),
			pairs("ShareName", `\\*\`+name, "ShareLocalPath", path))
		return nil
	}
	system := w.machine["SYSTEM"]
	system.write(sharesKey, s.time, regValue{name, "multi:CSCFlags=0|MaxUses=4294967295|Path=" + path + "|Permissions=63|ShareName=" + name + "|Type=0"})
	system.write(sharesKey+`\Security`, s.time, regValue{name, "hex:" + shareSD})
	if s.opts["by-registry"] != "yes" {
		w.security(s.time.Add(3*time.Millisecond), 5142, "File Share", p.as("Subject"),
			pairs("ShareName", `\\*\`+name, "ShareLocalPath", path))
	}
	return nil
}

// shareSD lets everyone read: a self-relative security descriptor with one
// access control entry.
const shareSD = "0100048000000000000000000000000014000000" + "02001c0001000000" + "00001400a9001200" + "010100000000000100000000"

// shareDelete: a share is withdrawn.
func shareDelete(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	name, err := s.word("the share's name")
	if err != nil {
		return err
	}
	path := strings.TrimPrefix(w.localPath(name), `\??\`)
	system := w.machine["SYSTEM"]
	if !system.unset(sharesKey, name, s.time) {
		return fmt.Errorf("unshare: there is no share %q", name)
	}
	system.unset(sharesKey+`\Security`, name, s.time)
	if s.opts["by-registry"] != "yes" {
		w.security(s.time.Add(3*time.Millisecond), 5144, "File Share", p.as("Subject"),
			pairs("ShareName", `\\*\`+name, "ShareLocalPath", path))
	}
	return nil
}
