package artifacts

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

func TestSockaddr(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"\x02\x00\x01\xbd\x7f\x00\x00\x01", "127.0.0.1:445"},
		{"\x02\x00\x01\xbd\xc0\xa8\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00", "192.168.1.1:445"},
		{"\x17\x00\xcd\x2e\x00\x00\x00\x00\xfe\x80\x00\x00\x00\x00\x00\x00\x19\x41\xf3\xd6\xf9\x4d\x95\xbb\x06\x00\x00\x00", "[fe80::1941:f3d6:f94d:95bb]:52526"},
		{"\x17\x00\x01\xbd\x00\x00\x00\x00" + strings.Repeat("\x00", 10) + "\xff\xff\x0a\x00\x00\x05", "10.0.0.5:445"},
		{"\x02\x00\x01\xbd\x7f\x00\x00", ""},
		{"\x17\x00\x01\xbd\x00\x00\x00\x00\xfe\x80", ""},
		{"\x01\x00\x01\xbd\x7f\x00\x00\x01", ""},
		{"", ""},
	} {
		at, ok := sockaddr([]byte(tc.in))
		if ok != (tc.want != "") || ok && at.String() != tc.want {
			t.Errorf("sockaddr(%x) = %v, %v, want %q", tc.in, at, ok, tc.want)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		in         any
		code, text string
	}{
		{uint64(3221225996), "0xc000020c", "STATUS_CONNECTION_DISCONNECTED"},
		{eventlog.Hex(0xc0000022), "0xc0000022", "STATUS_ACCESS_DENIED"},
		{int64(-1073741790), "0xc0000022", "STATUS_ACCESS_DENIED"},
		{"0xC000006D", "0xc000006d", "STATUS_LOGON_FAILURE"},
		{uint64(0), "0x0", "STATUS_SUCCESS"},
		{uint64(12345), "0x3039", ""},
		{uint64(1)<<32 | 0xc0000022, "0x1c0000022", ""},
		{"none", "", ""},
		{"", "", ""},
	} {
		var o evidence.Observation
		status(&o, Data{{Name: "Status", Value: tc.in}}, "Status")
		if o.Detail.Text("Status") != tc.code || o.Detail.Text("status_text") != tc.text {
			t.Errorf("status %v: %v", tc.in, o.Detail)
		}
	}
}

func TestAccountNames(t *testing.T) {
	for _, tc := range []struct{ in, user, sid, domain string }{
		{`CORP\alice`, "alice", "", "CORP"},
		{`alice@CORP.EXAMPLE`, "alice", "", "CORP.EXAMPLE"},
		{`alice`, "alice", "", ""},
		{`S-1-5-20`, "", "S-1-5-20", ""},
		{`-`, "", "", ""},
		{``, "", "", ""},
	} {
		var o evidence.Observation
		byNameOrSID(&o, tc.in)
		if o.User != tc.user || o.SID != tc.sid || o.Detail.Text("domain") != tc.domain {
			t.Errorf("%q: user %q, sid %q, domain %q", tc.in, o.User, o.SID, o.Detail.Text("domain"))
		}
	}
	for sid, want := range map[string]bool{"S-1-5-21-1-2-3-500": true, "S-1-12-1-1-2-3-4": true, "S-1-5-18": false, "S-1-5-90-0-1": false, "": false} {
		if isPerson(sid) != want {
			t.Errorf("isPerson(%q) = %v", sid, !want)
		}
	}
}

// TestAllFields holds that what a record may have by the thousand is bounded,
// and that no detail has a name twice.
func TestAllFields(t *testing.T) {
	var d Data
	for i := range 1000 {
		d = append(d, eventlog.Field{Name: "Data", Value: fmt.Sprint(i)}, eventlog.Field{Name: "x", Value: "y"}, eventlog.Field{Name: "Computer", Value: "other"})
	}
	all := d.all()
	if len(all) != maxFields || all[0].Name != "Data1" || all[1].Name != "x" || all[2].Name != "Data2" {
		t.Errorf("%d fields: %v", len(all), all)
	}
	if s := d.unnamed(3); s != "2" {
		t.Errorf("third unnamed field: %q", s)
	}
}

// TestHostInfo reads lists whose command line tries to pass for other lines.
func TestHostInfo(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want map[string]string
	}{
		{"\tNewEngineState=Available\r\n\r\n\tHostName=ConsoleHost\r\n\tHostApplication=powershell -c x=1\r\n\tEngineVersion=5\r\n",
			map[string]string{"HostName": "ConsoleHost", "HostApplication": "powershell -c x=1", "EngineVersion": "5"}},
		{"\tHostId=1\n\tHostApplication=powershell -c a\nHostId=2\nUserId=evil\n\tEngineVersion=5\n",
			map[string]string{"HostId": "1", "HostApplication": "powershell -c a\nHostId=2\nUserId=evil", "EngineVersion": "5"}},
		{"", map[string]string{}},
		{"x", map[string]string{}},
	} {
		if diff := cmp.Diff(tc.want, hostInfo(tc.in)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.in, diff)
		}
	}
}

func TestInvocations(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"CommandInvocation(Remove-SmbMapping): \"Remove-SmbMapping\"\nParameterBinding(Remove-SmbMapping): name=\"LocalPath\"; value=\"Z:\"\nParameterBinding(Remove-SmbMapping): name=\"Force\"; value=\"True\"\n",
			[]string{"Remove-SmbMapping -LocalPath 'Z:' -Force"}},
		{"ParameterBinding(x): name=\"a\"; value=\"b\"\n", nil},
		{"CommandInvocation(a): \"a\"\r\nParameterBinding(a): name=\"p\"; value=\"'; net use Z: /d; '\"\r\nCommandInvocation(b): \"b\"", []string{"a -p '''; net use Z: /d; '''", "b"}},
		{"CommandInvocation(New-SmbMapping): x\nParameterBinding(New-SmbMapping): name=\"Persistent\"; value=\"False\"\n", []string{"New-SmbMapping -Persistent $false"}},
		{strings.Repeat("CommandInvocation(a): \n", 1000), nil},
		{"", nil},
	} {
		got := invocations(tc.in)
		if len(got) == maxInvocations {
			continue // more than anybody calls at once
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.in, diff)
		}
	}
	if n := len(invocations(strings.Repeat("CommandInvocation(a): \n", 1000))); n != maxInvocations {
		t.Errorf("%d commands of one record, want %d", n, maxInvocations)
	}
}

// TestHandlesAreBounded uses the right to delete on more keys than are held:
// each of them is told, once.
func TestHandlesAreBounded(t *testing.T) {
	h := &handles{pending: map[handle]*deletion{}}
	out := &Emitter{place: &evidence.Place{}, artifact: "object-access"}
	const n = 5 * maxHandles
	for i := range n {
		rec := &eventlog.Record{Off: 4096, ID: uint64(i), EventID: 4663, Time: time.Unix(int64(i), 0)}
		h.read(rec, Data{
			{Name: "ObjectType", Value: "Key"}, {Name: "ObjectName", Value: `\REGISTRY\USER\S-1-5-21-1\Network\Z`},
			{Name: "HandleId", Value: eventlog.Hex(i)}, {Name: "ProcessId", Value: eventlog.Hex(4)}, {Name: "AccessMask", Value: eventlog.Hex(0x10000)},
		}, out)
		if len(h.pending) > maxHandles || len(h.order) > 2*maxHandles {
			t.Fatalf("%d handles, %d in order", len(h.pending), len(h.order))
		}
	}
	h.close(out)
	if len(out.Observations) != n || len(h.pending) != 0 {
		t.Errorf("%d rows, want %d", len(out.Observations), n)
	}
}

func TestPowerShellHostsAreBounded(t *testing.T) {
	h := &powerShellHosts{told: map[string]bool{}}
	for i := range 3 * maxTold {
		if !h.first(fmt.Sprint(i)) || h.first(fmt.Sprint(i)) {
			t.Fatalf("host %d is not told once", i)
		}
	}
	if len(h.told) != maxTold || len(h.order) != maxTold {
		t.Errorf("%d hosts are remembered", len(h.told))
	}
}

// FuzzEventTexts feeds the texts in which records hide further structure.
func FuzzEventTexts(f *testing.F) {
	f.Add("\tUserId=CORP\\alice\n\tHostApplication=powershell\n\tEngineVersion=5", []byte{2, 0, 1, 0xbd, 127, 0, 0, 1})
	f.Add("CommandInvocation(a): \"a\"\nParameterBinding(a): name=\"LocalPath\"; value=\"Z:, Y:\"", []byte("L\x00/\x004\x00\x00\x00"))
	f.Add(`<Task><Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals><Actions><Exec><Command>net</Command><Arguments>use Z: /d</Arguments></Exec></Actions></Task>`, []byte{23, 0})
	f.Add("<Exec><Exec><Exec><Command>&#x41;<!-- --></Command>", []byte{})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		if len(s) > 1<<16 {
			return
		}
		hostInfo(s)
		contextInfo(s)
		if n := len(invocations(s)); n > maxInvocations {
			t.Errorf("%d commands", n)
		}
		if task, _ := parseTask(s); len(task.Exec) > maxFields {
			t.Errorf("%d actions", len(task.Exec))
		}
		traceFile(s, true)
		d := Data{{Name: "Address", Value: b}, {Name: "Binary", Value: b}, {Name: "Status", Value: s}, {Name: s, Value: s}}
		d.socket("Address")
		d.number("Status")
		shortName(d)
		var o evidence.Observation
		byNameOrSID(&o, s)
		smbNames(&o, Data{{Name: "ServerName", Value: s}})
	})
}

// FuzzReadLogs damages the golden logs: no artifact may panic, and every row
// has a place.
func FuzzReadLogs(f *testing.F) {
	for _, pattern := range []string{
		"smb-client/connections", "smb-server/events", "object-access/deleted", "powershell-classic/commands", "tasks-changed/tasks",
		"share-access/flood", "terminal-services/sessions", "service-changes/services", "kerberos/tickets", "sysmon-network/connections",
	} {
		ar, err := txtar.ParseFile(filepath.Join("..", "testdata", "artifacts", pattern+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files {
			if file.Name == "want" {
				continue
			}
			_, data, _ := compile(f, file)
			f.Add(data, uint32(0x1400), byte(0xff))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		if len(data) == 0 || len(data) > 1<<18 {
			return
		}
		data = bytes.Clone(data)
		data[int(at)%len(data)] ^= flip
		e := ReadLog(File{Place: &evidence.Place{Path: "x.evtx"}, R: bytes.NewReader(data), Size: int64(len(data))})
		for _, p := range e.Problems {
			if strings.Contains(p.What, "gave up") {
				t.Errorf("%+v", p)
			}
		}
		for _, o := range e.Observations {
			if o.Artifact == "" || o.Summary == "" || o.From().Place == nil || o.From().Channel == "" && o.From().EventID == 0 {
				t.Errorf("%+v", o)
			}
		}
	})
}
