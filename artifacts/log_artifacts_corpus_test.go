package artifacts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
)

// oneRow are the artifacts that make one row of each record that they read,
// with all context.
var oneRow = []string{
	"group-policy", "group-policy-drive-maps", "hive-maintenance", "kerberos", "lanman-server", "log-service", "network-profile", "ntlm",
	"offline-files", "power-sleep", "service-changes", "sessions-reconnect", "shutdown-reasons", "smb-client", "smb-server", "sysmon-network",
	"sysmon-state", "task-scheduler", "terminal-services", "time-service", "user-profile-service", "wlan", "wmi-activity",
}

// TestCorpusRecords compares the rows of real logs with the records that two
// other parsers read there: each record of an artifact is one row, and there
// are no others.
func TestCorpusRecords(t *testing.T) {
	readers := map[string][]string{} // of a record's channel, provider and id
	for _, a := range All() {
		for _, e := range a.Events {
			for _, id := range e.IDs {
				if slices.Contains(oneRow, a.Name) {
					k := eventKey(e.Channel, e.Provider, id)
					readers[k] = append(readers[k], a.Name)
				}
			}
		}
	}
	seen := map[string]int{}
	truth(t, []string{"evtx/*", "triage/*.evtx"}, func(t *testing.T, path string, rows []map[string]string) {
		want := map[string]int{}
		for _, r := range rows {
			forwarded(r)
			if r["kind"] == "recovered-by-libevtx" || r["event_id"] == "" {
				continue
			}
			var id uint32
			fmt.Sscan(r["event_id"], &id)
			for _, channel := range []string{r["channel"], ""} {
				for _, name := range readers[eventKey(channel, r["provider"], id)] {
					want[fmt.Sprintf("%s %d %s", name, id, r["event_record_id"])]++
					seen[name]++
				}
			}
		}
		got := map[string]int{}
		for _, o := range readEvidence(t, path, ReadLog).Observations {
			if slices.Contains(oneRow, o.Artifact) {
				got[fmt.Sprintf("%s %d %d", o.Artifact, o.From().EventID, o.From().RecordID)]++
			}
		}
		if !maps.Equal(got, want) {
			for k := range want {
				if got[k] != want[k] {
					t.Errorf("%s: %d rows, want %d", k, got[k], want[k])
				}
			}
			for k := range got {
				if want[k] == 0 {
					t.Errorf("%s: a row of no record", k)
				}
			}
		}
	})
	for _, name := range []string{"smb-client", "smb-server", "network-profile", "user-profile-service", "terminal-services", "group-policy", "task-scheduler", "wmi-activity", "power-sleep", "time-service", "service-changes", "shutdown-reasons", "hive-maintenance", "log-service", "lanman-server", "kerberos", "sysmon-network"} {
		if seen[name] == 0 {
			t.Errorf("the corpus has no record of %s", name)
		}
	}
	t.Log(seen)
}

// TestCorpusFields compares fields of real records with what two other parsers
// read there.
func TestCorpusFields(t *testing.T) {
	n := 0
	truth(t, []string{"evtx/*", "triage/*.evtx"}, func(t *testing.T, path string, rows []map[string]string) {
		data := map[string]map[string]string{}
		for _, r := range rows {
			var pairs [][2]string
			if r["kind"] == "raw-strings" || json.Unmarshal([]byte(r["eventdata_json"]), &pairs) != nil {
				continue
			}
			m := map[string]string{}
			for _, p := range pairs {
				m[p[0]] = p[1]
			}
			data[r["event_id"]+"/"+r["event_record_id"]] = m
		}
		for _, o := range readEvidence(t, path, ReadLog).Observations {
			m := data[fmt.Sprintf("%d/%d", o.From().EventID, o.From().RecordID)]
			if m == nil || !slices.Contains([]string{"smb-client", "smb-server", "network-profile", "shutdown-reasons"}, o.Artifact) {
				continue
			}
			n++
			for _, f := range []string{"ServerName", "UserName", "PrincipalName", "RegName", "Name", "SessionId", "TransportName", "ClientName", "Description"} {
				want, got := strings.TrimSpace(m[f]), o.Detail.Text(f)
				if want != "" && got != "" && got != want && !strings.HasPrefix(want, "0x") {
					t.Errorf("record %d: %s is %q, want %q", o.From().RecordID, f, got, want)
				}
			}
		}
	})
	if n < 50 {
		t.Errorf("%d records were compared", n)
	}
}

// TestCorpusSMB holds what the only real records of lost SMB connections state.
func TestCorpusSMB(t *testing.T) {
	found := map[string]bool{}
	truth(t, []string{"triage/*SmbClient*.evtx", "evtx/*", "triage/*SMBServer*.evtx"}, func(t *testing.T, path string, _ []map[string]string) {
		for _, o := range readEvidence(t, path, ReadLog).Observations {
			switch o.From().EventID {
			case 30804, 30805, 30807, 31001, 551:
				found[fmt.Sprint(o.From().EventID, " ", o.Action, " ", o.Share, " ", o.Peer, " ", o.Detail.Text("Address"), " ", o.Detail.Text("status_text"), " ", o.Detail.Text("reason_text"))] = true
				if o.Action != evidence.Context {
					t.Errorf("record %d of %d is %s", o.From().RecordID, o.From().EventID, o.Action)
				}
			}
		}
	})
	for _, want := range []string{
		`30804 context  PM.praivacymatrix.com 192.168.1.1:445 STATUS_CONNECTION_DISCONNECTED disconnect indication`,
		`30805 context  PM.praivacymatrix.com  STATUS_CONNECTION_DISCONNECTED `,
		`30807 context \\PM.praivacymatrix.com\IPC$   STATUS_CONNECTION_DISCONNECTED `,
		`31001 context  PM.praivacymatrix.com  STATUS_LOGON_FAILURE initialize security context`,
		`551 context  fe80::1941:f3d6:f94d:95bb  STATUS_LOGON_FAILURE `,
	} {
		if !found[want] {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(found)
	}
}

// TestCorpusFloods holds that folding loses no record: the rows without all
// context stand for as many records as there are rows with it.
func TestCorpusFloods(t *testing.T) {
	folded := 0
	truth(t, []string{"evtx/*", "triage/*.evtx"}, func(t *testing.T, path string, _ []map[string]string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		read := func(all bool) (rows int, records uint64) {
			for _, o := range ReadLog(File{Place: &evidence.Place{}, R: bytes.NewReader(b), Size: int64(len(b)), AllContext: all}).Observations {
				if o.Artifact != "share-access" && o.Artifact != "kerberos" {
					continue
				}
				rows++
				n, ok := o.Detail.Get("count").(uint64)
				if ok && (all || n < 2) {
					t.Errorf("record %d: count %d", o.From().RecordID, n)
				}
				records += max(n, 1)
			}
			return rows, records
		}
		rows, records := read(false)
		each, same := read(true)
		if records != same || rows > each {
			t.Errorf("%d rows for %d records, but %d rows with all context", rows, records, each)
		}
		folded += each - rows
	})
	if folded < 1000 {
		t.Errorf("%d records were folded", folded)
	}
	t.Log("folded", folded)
}
