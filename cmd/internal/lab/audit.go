package lab

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// auditNames are the audit subcategories of Windows 10 1607 and later, by
// category and in the order of the policy. The number of one is its category
// plus 0x3000 and its index: Process Creation, fourth and zero, is task 13312.
var auditNames = [][]string{
	{"Security State Change", "Security System Extension", "System Integrity", "IPsec Driver", "Other System Events"},
	{"Logon", "Logoff", "Account Lockout", "IPsec Main Mode", "Special Logon", "IPsec Quick Mode", "IPsec Extended Mode",
		"Other Logon/Logoff Events", "Network Policy Server", "User / Device Claims", "Group Membership"},
	{"File System", "Registry", "Kernel Object", "SAM", "Other Object Access Events", "Certification Services",
		"Application Generated", "Handle Manipulation", "File Share", "Filtering Platform Packet Drop",
		"Filtering Platform Connection", "Detailed File Share", "Removable Storage", "Central Policy Staging"},
	{"Sensitive Privilege Use", "Non Sensitive Privilege Use", "Other Privilege Use Events"},
	{"Process Creation", "Process Termination", "DPAPI Activity", "RPC Events", "Plug and Play Events", "Token Right Adjusted Events"},
	{"Audit Policy Change", "Authentication Policy Change", "Authorization Policy Change",
		"MPSSVC Rule-Level Policy Change", "Filtering Platform Policy Change", "Other Policy Change Events"},
	{"User Account Management", "Computer Account Management", "Security Group Management",
		"Distribution Group Management", "Application Group Management", "Other Account Management Events"},
	{"Directory Service Access", "Directory Service Changes", "Directory Service Replication", "Detailed Directory Service Replication"},
	{"Credential Validation", "Kerberos Service Ticket Operations", "Other Account Logon Events", "Kerberos Authentication Service"},
}

// auditGUIDs are the subcategory GUIDs that 4719 carries, of those that a
// story can switch.
var auditGUIDs = map[string]string{
	"Logon":               "{0CCE9215-69AE-11D9-BED3-505054503030}",
	"Logoff":              "{0CCE9216-69AE-11D9-BED3-505054503030}",
	"Registry":            "{0CCE921E-69AE-11D9-BED3-505054503030}",
	"File Share":          "{0CCE9224-69AE-11D9-BED3-505054503030}",
	"Detailed File Share": "{0CCE9244-69AE-11D9-BED3-505054503030}",
	"Process Creation":    "{0CCE922B-69AE-11D9-BED3-505054503030}",
}

// The bits of an audit setting.
const (
	auditSuccess = 1
	auditFailure = 2
)

// auditDefault is what Windows 10 audits as installed: neither processes nor
// shares.
const auditDefault = "Security State Change:success, System Integrity:both, Other System Events:both, " +
	"Logon:both, Logoff:success, Account Lockout:success, Special Logon:success, Network Policy Server:both, " +
	"Audit Policy Change:success, Authentication Policy Change:success, " +
	"User Account Management:success, Security Group Management:success"

// An auditPolicy is the audit setting of each subcategory through time.
type auditPolicy struct {
	now     map[string]uint16 // at collection
	changes []auditChange     // in the order of the story
}

// An auditChange is one 4719.
type auditChange struct {
	when     time.Time
	name     string
	from, to uint16
}

func newAuditPolicy() auditPolicy {
	p := auditPolicy{now: map[string]uint16{}}
	if err := p.set(auditDefault); err != nil {
		panic(err) // a constant of this file
	}
	return p
}

// clone returns a copy of p that changes on its own.
func (p *auditPolicy) clone() auditPolicy {
	return auditPolicy{maps.Clone(p.now), slices.Clone(p.changes)}
}

// set reads: NAME:none|success|failure|both, ...
func (p *auditPolicy) set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		name, word, _ := strings.Cut(strings.TrimSpace(item), ":")
		v := slices.Index([]string{"none", "success", "failure", "both"}, word)
		if v < 0 {
			return fmt.Errorf("%q is not SUBCATEGORY:none, :success, :failure or :both", strings.TrimSpace(item))
		}
		if _, err := auditTask(name); err != nil {
			return err
		}
		p.now[name] = uint16(v)
	}
	return nil
}

// on reports whether successes of name are audited at t.
func (p *auditPolicy) on(name string, t time.Time) bool {
	v := p.now[name]
	for _, c := range slices.Backward(p.changes) {
		if c.name == name && c.when.After(t) {
			v = c.from
		}
	}
	return v&auditSuccess != 0
}

// changed is when the stored policy was written last: at is when it was not
// changed since installation.
func (p *auditPolicy) changed(at time.Time) time.Time {
	for _, c := range p.changes {
		at = c.when
	}
	return at
}

// auditTask returns the task number of a subcategory.
func auditTask(name string) (uint16, error) {
	for cat, names := range auditNames {
		if i := slices.Index(names, name); i >= 0 {
			return uint16(0x3000 + cat<<8 + i), nil
		}
	}
	return 0, fmt.Errorf("unknown audit subcategory %q", name)
}

// encode returns PolAdtEv's data: a header that gives the offset of the
// footer, a setting for each subcategory, and the number of subcategories in
// each category.
func (p *auditPolicy) encode() string {
	var settings, counts []byte
	for _, names := range auditNames {
		counts = binary.LittleEndian.AppendUint16(counts, uint16(len(names)))
		for _, n := range names {
			settings = binary.LittleEndian.AppendUint16(settings, p.now[n])
		}
	}
	head := make([]byte, 12)
	binary.LittleEndian.PutUint16(head, 0x0100)
	binary.LittleEndian.PutUint16(head[4:], uint16(len(auditNames)))
	binary.LittleEndian.PutUint16(head[8:], uint16(len(head)+len(settings)+2))
	return hex.EncodeToString(slices.Concat(head, settings, []byte{0, 0}, counts))
}
