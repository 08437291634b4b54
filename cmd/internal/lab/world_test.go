package lab

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"
)

// An image is built evidence in memory, read by the product's own parsers.
type image map[string][]byte

func build(t *testing.T, text string) image {
	t.Helper()
	s, err := Parse("x", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	files, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	m := image{}
	for _, f := range files {
		m[f.path] = f.data
	}
	return m
}

func (m image) key(t *testing.T, file, path string) *hive.Key {
	t.Helper()
	data, ok := m[file]
	if !ok {
		t.Fatalf("no file %s", file)
	}
	h, err := hive.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.Key(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A record is what the tests look at.
type record struct {
	id   uint64
	time string
	num  uint32
	data map[string]string
}

func (m image) log(t *testing.T, file string) []record {
	t.Helper()
	data := m[file]
	l, err := eventlog.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var all []record
	for r, err := range l.Records(func(*eventlog.Record) bool { return true }) {
		if err != nil && r == nil {
			continue // lost ids, where the story loses some
		}
		rec := record{r.ID, stamp(r.Time), r.EventID, map[string]string{}}
		fields, err := r.Data()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			rec.data[f.Name] = eventlog.Text(f.Value)
		}
		all = append(all, rec)
	}
	return all
}

const (
	ntuser   = "WS01/C/Users/alice/NTUSER.DAT"
	logs     = "WS01/C/Windows/System32/winevt/Logs/"
	config   = "WS01/C/Windows/System32/config/"
	fullHost = small + `audit = Process Creation:success, File Share:success
cmdline-logging = yes
sysmon = yes
powershell-logging = yes
background = 2026-03-01T00:00:00Z..2026-03-02T13:00:00Z every=1h
log Security first=1000

-- WS01/story --
`
)

func TestMappingStampsKeys(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00.5Z map alice Z: \\fs01\finance
2026-03-01T09:03:00.5Z browse alice \\fs01\finance
2026-03-01T10:00:00.25Z map alice as=CORP\bob Y: \\fs01\plans
2026-03-01T11:00:00.75Z unmap alice Z:
`)
	network := m.key(t, ntuser, "Network")
	if got := stamp(network.LastWrite); got != "2026-03-01T11:00:00.7500000Z" || network.SubkeyCount != 1 {
		t.Errorf("Network: %s, %d children: a removal stamps the parent", got, network.SubkeyCount)
	}
	y := m.key(t, ntuser, `Network\Y`)
	if y == nil || stamp(y.LastWrite) != "2026-03-01T10:00:00.2500000Z" {
		t.Errorf(`Network\Y: %+v`, y)
	}
	v, err := y.Value("UserName")
	if err != nil {
		t.Fatal(err)
	}
	if user, _, _ := v.Text(); user != `CORP\bob` {
		t.Errorf("UserName %q", user)
	}
	if k := m.key(t, ntuser, explorerKey+`\MountPoints2\##fs01#finance`); k == nil {
		t.Error("the key of Explorer goes with the mapping: it must survive it")
	}
	if k := m.key(t, ntuser, `Network\Z`); k != nil {
		t.Error(`Network\Z is still there`)
	}
}

// TestUntouchedProfile holds the baseline test of never-mapped profiles.
func TestUntouchedProfile(t *testing.T) {
	m := build(t, small)
	network, eudc := m.key(t, ntuser, "Network"), m.key(t, ntuser, "EUDC")
	if d := network.LastWrite.Sub(eudc.LastWrite); d < 0 || d.Milliseconds() > 31 {
		t.Errorf("Network is %v younger than EUDC", d)
	}
}

func TestLogs(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T08:00:00Z logon alice id=0x51
2026-03-01T09:00:00Z run alice net use Z: \\fs01\finance
2026-03-01T09:00:00.3Z map alice Z: \\fs01\finance
2026-03-01T09:30:00Z script alice Get-SmbMapping
2026-03-01T10:00:01Z clear alice Security
2026-03-01T10:20:00Z lose Security 40
2026-03-01T10:30:00Z run alice parent="cmd.exe /c x.cmd" net use
2026-03-01T11:00:00Z audit alice Process Creation:none
2026-03-01T12:10:00Z run alice net use Z: /delete
2026-03-01T12:10:00.4Z unmap alice Z:
2026-03-01T15:00:00Z clear alice Application
`)
	sec := m.log(t, logs+"Security.evtx")
	if sec[0].num != 1102 || sec[0].id <= 1000 || sec[0].data["SubjectLogonId"] != "0x51" {
		t.Errorf("first record after the clear: %+v", sec[0])
	}
	gaps := 0
	for i := 1; i < len(sec); i++ {
		switch d := sec[i].id - sec[i-1].id; {
		case d == 41:
			gaps++
		case d != 1:
			t.Errorf("ids %d and %d", sec[i-1].id, sec[i].id)
		}
		if sec[i].time < sec[i-1].time {
			t.Errorf("record %d goes back in time", sec[i].id)
		}
	}
	if gaps != 1 {
		t.Errorf("%d gaps of ids", gaps)
	}
	if i := slices.IndexFunc(sec, func(r record) bool { return strings.HasSuffix(r.data["CommandLine"], "/delete") }); i >= 0 {
		t.Error("4688 although Process Creation is not audited any more")
	}
	i := slices.IndexFunc(sec, func(r record) bool { return r.data["CommandLine"] == "net use" })
	if i < 0 || sec[i].data["ParentProcessName"] != `C:\Windows\System32\cmd.exe` || sec[i].data["SubjectLogonId"] != "0x51" {
		t.Errorf("the command line is not recorded: %v", i)
	}
	sys := m.log(t, logs+"Microsoft-Windows-Sysmon%4Operational.evtx")
	i = slices.IndexFunc(sys, func(r record) bool { return r.data["EventType"] == "DeleteKey" })
	if i < 0 || sys[i].time != "2026-03-01T12:10:00.4000000Z" || sys[i].data["TargetObject"] != `HKU\S-1-5-21-1-2-3-1001\Network\Z` {
		t.Error("Sysmon does not record the deletion of the key")
	}
	ps := m.log(t, logs+"Microsoft-Windows-PowerShell%4Operational.evtx")
	if !slices.ContainsFunc(ps, func(r record) bool { return r.num == 4104 && r.data["ScriptBlockText"] == "Get-SmbMapping" }) {
		t.Error("no 4104")
	}
	system := m.log(t, logs+"System.evtx")
	if !slices.ContainsFunc(system, func(r record) bool { return r.num == 104 && r.data["Channel"] == "Application" }) {
		t.Error("no 104")
	}
	v, err := m.key(t, config+"SECURITY", `Policy\PolAdtEv`).Value("")
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.Bytes()
	if err != nil || len(b) != 150 || b[8] != 0x84 || b[0x4e] != 0 || b[0x3c] != 1 || b[0x16] != 3 || b[0x18] != 1 {
		t.Errorf("audit policy % x, %v: Process Creation (0x4e) is off, File Share (0x3c) on", b, err)
	}
	if got := stamp(m.key(t, config+"SECURITY", `Policy\PolAdtEv`).LastWrite); got != "2026-03-01T11:00:00.0000000Z" {
		t.Errorf("audit policy stored at %s", got)
	}
}

func TestServerShare(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00Z share alice path="C:\x y" drop
2026-03-01T09:10:00Z smb alice from=10.0.0.7 id=0x77 until=2026-03-01T09:20:00Z drop
2026-03-01T10:00:00Z unshare alice drop
`)
	k := m.key(t, config+"SYSTEM", sharesKey)
	if k.ValueCount != 0 || stamp(k.LastWrite) != "2026-03-01T10:00:00.0000000Z" {
		t.Errorf("Shares: %d values, %s", k.ValueCount, stamp(k.LastWrite))
	}
	var nums []uint32
	for _, r := range m.log(t, logs+"Security.evtx") {
		if r.data["ShareName"] == `\\*\drop` || r.data["TargetLogonId"] == "0x77" {
			nums = append(nums, r.num)
		}
		if r.num == 5140 && (r.data["ShareLocalPath"] != `\??\C:\x y` || r.data["IpAddress"] != "10.0.0.7" || r.data["SubjectLogonId"] != "0x77") {
			t.Errorf("5140: %v", r.data)
		}
	}
	if !slices.Equal(nums, []uint32{5142, 4624, 5140, 4634, 5144}) {
		t.Errorf("events %v", nums)
	}
}

// TestPowerOff holds that a computer without power records nothing.
func TestPowerOff(t *testing.T) {
	m := build(t, fullHost+"2026-03-01T18:00:00Z shutdown\n2026-03-02T06:00:00Z boot\n")
	for _, r := range m.log(t, logs+"Security.evtx") {
		if r.time > "2026-03-01T18:00:02" && r.time < "2026-03-02T06:00:00" {
			t.Errorf("record %d at %s", r.id, r.time)
		}
	}
}

// TestOwnSections holds sections that are merged or stand for themselves.
func TestOwnSections(t *testing.T) {
	m := build(t, fullHost+`
-- WS01/hive NTUSER alice --
[Network] 2026-02-01T00:00:00Z volatile=1
-- WS01/log Microsoft-Windows-SMBClient/Operational --
@Provider=Microsoft-Windows-SMBClient
2026-03-01T00:00:00Z 30807 id=77
  ServerName = \fs01\finance
-- loose/old.dat.reg --
[Network\Q] 2025-01-01T00:00:00Z
-- loose/Archive.evtx.txt --
@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=X
2025-01-01T00:00:00Z 5144
  ShareName = \\*\x
-- loose/note.txt --
hello
`)
	if k := m.key(t, ntuser, "Network"); k.VolatileCount != 1 || stamp(k.LastWrite) != "2026-02-01T00:00:00.0000000Z" {
		t.Errorf("Network %+v", k)
	}
	if k := m.key(t, "loose/old.dat", `Network\Q`); k == nil {
		t.Error("no hive of a .reg section")
	}
	if r := m.log(t, logs+"Microsoft-Windows-SMBClient%4Operational.evtx"); len(r) != 1 || r[0].id != 77 || r[0].data["ServerName"] != `\fs01\finance` {
		t.Errorf("records %v", r)
	}
	if r := m.log(t, "loose/Archive.evtx"); len(r) != 1 || r[0].num != 5144 {
		t.Errorf("records %v", r)
	}
	if string(m["loose/note.txt"]) != "hello\n" {
		t.Errorf("note %q", m["loose/note.txt"])
	}
}
