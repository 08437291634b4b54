package artifacts

import (
	"encoding/binary"
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "machine-sid",
	Title:        "security identifier of the computer",
	What:         `SECURITY, key Policy\PolAcDmS, default value: the SID that the computer's local accounts are numbered in (on a domain controller, the domain's)`,
	Proves:       `which SIDs are local accounts, and whether two computers of one name are two`,
	DoesNotProve: `anything about domain accounts; cloned computers share a SID`,
	Reference:    "[MS-DTYP] 2.4.2 SID; measured on public test hives",
	Hive:         hive.Security,
	Keys:         []string{`Policy\PolAcDmS`},
	Files:        []string{"Windows/System32/config/SECURITY"},
	ReadHive: func(in *Hive, out *Emitter) error {
		k, err := lookup(in, `Policy\PolAcDmS`, out)
		if k == nil {
			return err
		}
		v, b, err := binaryValue(k, "", `Policy\PolAcDmS`, out)
		if v == nil {
			return err
		}
		sid, ok := parseSID(b)
		if !ok {
			out.Doubtful(k.Path, "", binread.Errorf(v.Off, "PolAcDmS", "no SID: %x", b[:min(len(b), 68)]))
			return nil
		}
		out.Attest(`Policy\PolAcDmS`)
		out.ObserveKey(k, evidence.Observation{
			Action: evidence.Context, Summary: "Security identifier of the computer.",
			Detail: evidence.Detail{{Name: "MachineSID", Value: sid}},
		})
		return nil
	},
})

// parseSID reads a binary SID ([MS-DTYP] 2.4.2.2), which must fill b.
func parseSID(b []byte) (string, bool) {
	if len(b) < 8 || b[0] != 1 || b[1] > 15 || len(b) != 8+4*int(b[1]) {
		return "", false
	}
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	var s strings.Builder
	fmt.Fprintf(&s, "S-1-%d", authority)
	for i := 8; i < len(b); i += 4 {
		fmt.Fprintf(&s, "-%d", binary.LittleEndian.Uint32(b[i:]))
	}
	return s.String(), true
}
