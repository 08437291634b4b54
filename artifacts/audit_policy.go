package artifacts

import (
	"encoding/binary"
	"fmt"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "audit-policy",
	Title:        "what the Security log was set to record",
	What:         `SECURITY, key Policy\PolAdtEv, default value: one setting for each audit subcategory`,
	Proves:       `which kinds of events are recorded from the key's last write to the hive's newest state`,
	DoesNotProve: `what was set before the key's last write; a policy may have been changed and changed back`,
	Reference:    "keydet89/RegRipper3.0, auditpol.pl; Microsoft, advanced audit policy: subcategories",
	Hive:         hive.Security,
	Keys:         []string{`Policy\PolAdtEv`},
	ReadHive:     readAuditPolicy,
	Files:        []string{"Windows/System32/config/SECURITY"},
})

func readAuditPolicy(in *Hive, out *Emitter) error {
	k, err := lookup(in, `Policy\PolAdtEv`, out)
	if k == nil {
		return err
	}
	v, b, err := binaryValue(k, "", `Policy\PolAdtEv`, out)
	if v == nil {
		return err
	}
	counts, err := auditCounts(b)
	if err != nil {
		out.Doubtful(k.Path, "", binread.Errorf(v.Off, "PolAdtEv", "the audit policy is unknown: %w", err))
		return nil
	}
	out.Attest(`Policy\PolAdtEv`)
	var d evidence.Detail
	at := 0x0c
	for category, n := range counts {
		for i := range n {
			setting := binary.LittleEndian.Uint16(b[at:])
			at += 2
			if int(setting) >= len(auditSettings) {
				out.Doubtful(k.Path, "", binread.Errorf(v.Off, "PolAdtEv", "setting of %q is unknown: %#x", subcategory(category, i), setting))
				continue
			}
			d = append(d, evidence.Field{Name: subcategory(category, i), Value: auditSettings[setting]})
		}
	}
	out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "What the Security log is set to record.", Detail: d})
	return nil
}

var auditSettings = [...]string{"none", "success", "failure", "both"}

// auditCounts returns the number of subcategories of each category. They stand
// in a footer, which differs with the version of Windows; a fixed table would
// read the wrong setting. Everything that can be checked is.
func auditCounts(b []byte) ([]int, error) {
	const head, categories = 0x0c, 9
	u16 := binary.LittleEndian.Uint16
	if len(b) < head+2*categories || u16(b) != 0x0100 {
		return nil, fmt.Errorf("%d bytes, no header that this program knows", len(b))
	}
	if n := u16(b[4:]); n != categories {
		return nil, fmt.Errorf("%d categories instead of %d", n, categories)
	}
	footer := int(u16(b[8:]))
	if len(b) != footer+2*categories || footer < head {
		return nil, fmt.Errorf("footer at %#x does not end %d bytes", footer, len(b))
	}
	sum := 0
	counts := make([]int, categories)
	for i := range counts {
		counts[i] = int(u16(b[footer+2*i:]))
		sum += counts[i]
	}
	if footer != head+2*sum+2 {
		return nil, fmt.Errorf("footer at %#x does not follow %d settings", footer, sum)
	}
	return counts, nil
}

// subcategories name what an event's Task says: 0x3000 + category<<8 + index,
// and %%nnnnn of the same number in events 4719. Windows of every version has
// a prefix of each list.
var subcategories = [...][]string{
	{"Security State Change", "Security System Extension", "System Integrity", "IPsec Driver", "Other System Events"},
	{"Logon", "Logoff", "Account Lockout", "IPsec Main Mode", "Special Logon", "IPsec Quick Mode", "IPsec Extended Mode",
		"Other Logon/Logoff Events", "Network Policy Server", "User / Device Claims", "Group Membership"},
	{"File System", "Registry", "Kernel Object", "SAM", "Other Object Access Events", "Certification Services", "Application Generated",
		"Handle Manipulation", "File Share", "Filtering Platform Packet Drop", "Filtering Platform Connection", "Detailed File Share",
		"Removable Storage", "Central Policy Staging"},
	{"Sensitive Privilege Use", "Non Sensitive Privilege Use", "Other Privilege Use Events"},
	{"Process Creation", "Process Termination", "DPAPI Activity", "RPC Events", "Plug and Play Events", "Token Right Adjusted Events"},
	{"Audit Policy Change", "Authentication Policy Change", "Authorization Policy Change", "MPSSVC Rule-Level Policy Change",
		"Filtering Platform Policy Change", "Other Policy Change Events"},
	{"User Account Management", "Computer Account Management", "Security Group Management", "Distribution Group Management",
		"Application Group Management", "Other Account Management Events"},
	{"Directory Service Access", "Directory Service Changes", "Directory Service Replication", "Detailed Directory Service Replication"},
	{"Credential Validation", "Kerberos Service Ticket Operations", "Other Account Logon Events", "Kerberos Authentication Service"},
}

// subcategory returns the name of a subcategory; "category.index" if this
// program has none for it.
func subcategory(category, index int) string {
	if category < len(subcategories) && index < len(subcategories[category]) {
		return subcategories[category][index]
	}
	return fmt.Sprintf("%d.%d", category, index)
}
