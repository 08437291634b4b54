package lab

import (
	"embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed base/*.reg
var baseFiles embed.FS

var baseTexts = template.Must(template.ParseFS(baseFiles, "base/*.reg"))

// baseData is what the base hives are filled with.
type baseData struct {
	Host *Host
	User *User // of an NTUSER hive

	Audit auditPolicy // of a SECURITY hive
}

// Installed is ms milliseconds after the installation of Windows.
func (d baseData) Installed(ms int) string { return later(d.Host.Installed, ms) }

// Created is ms milliseconds after the profile was made.
func (d baseData) Created(ms int) string { return later(d.User.Created, ms) }

// Bias is the time zone's, as a DWORD.
func (d baseData) Bias() string { return fmt.Sprintf("0x%08x", uint32(int32(d.Host.Bias))) }

// MachineSID is the SID as the registry holds it.
func (d baseData) MachineSID() string { return hex.EncodeToString(binarySID(d.Host.MachineSID)) }

// AuditPolicy is PolAdtEv's data.
func (d baseData) AuditPolicy() string { return d.Audit.encode() }

// AuditChanged is when the audit policy was stored last.
func (d baseData) AuditChanged() string {
	return stamp(d.Audit.changed(d.Host.Installed.Add(15 * time.Minute)))
}

func later(t time.Time, ms int) string { return stamp(t.Add(time.Duration(ms) * time.Millisecond)) }

// baseHive returns the registry that kind starts from.
func baseHive(kind string, d baseData) (*registry, error) {
	var b strings.Builder
	if err := baseTexts.ExecuteTemplate(&b, kind+".reg", d); err != nil {
		return nil, err
	}
	r := newRegistry()
	return r, r.merge(b.String(), 1)
}

// profiles adds the users of h to SOFTWARE's ProfileList, each at the instant
// that the profile was made.
func profiles(r *registry, h *Host) {
	const list = `Microsoft\Windows NT\CurrentVersion\ProfileList`
	for _, u := range h.Users {
		if u.Folder == "" {
			continue
		}
		r.write(list+`\`+u.SID, u.Created,
			regValue{"ProfileImagePath", `expand:C:\Users\` + u.Folder},
			regValue{"Sid", "hex:" + hex.EncodeToString(binarySID(u.SID))},
			regValue{"State", "dword:0"})
	}
}

// binarySID returns the bytes of a SID text that parseSID has accepted.
func binarySID(text string) []byte {
	parts := strings.Split(text, "-")[2:]
	sid := []byte{1, byte(len(parts) - 1)}
	authority, _ := strconv.ParseUint(parts[0], 10, 48)
	sid = append(sid, binary.BigEndian.AppendUint64(nil, authority)[2:]...)
	for _, p := range parts[1:] {
		n, _ := strconv.ParseUint(p, 10, 32)
		sid = binary.LittleEndian.AppendUint32(sid, uint32(n))
	}
	return sid
}
