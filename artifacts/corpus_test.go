package artifacts

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// truth calls check for each evidence file of the corpus that has a truth
// table and whose path matches one of the patterns.
func truth(t *testing.T, patterns []string, check func(t *testing.T, path string, rows []map[string]string)) {
	t.Helper()
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	n := 0
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, "truth", strings.ReplaceAll(pattern, "/", "__")+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			path := filepath.Join(root, strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".tsv"), "__", "/"))
			if _, err := os.Stat(path); err != nil {
				continue // tables of what another tool recovered
			}
			n++
			name, _ := filepath.Rel(root, path)
			t.Run(name, func(t *testing.T) { check(t, path, readTable(t, file)) })
		}
	}
	if n == 0 {
		t.Fatal("no truth tables")
	}
}

func readTable(t *testing.T, file string) (rows []map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[head[i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func readEvidence(t *testing.T, path string, read func(File) *Emitter) *Emitter {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return read(File{Place: &evidence.Place{Path: filepath.Base(path)}, R: f, Size: fi.Size(), AllContext: true})
}

// TestCorpusHives compares the rows of real hives with what two other parsers
// read there: each mapping, mount point and list entry that names a share is
// one row with the right time, and there are no others.
func TestCorpusHives(t *testing.T) {
	truth(t, []string{"hive-user/*", "hive-system/*", "hive-dirty/*", "hive-deleted/*"}, func(t *testing.T, path string, rows []map[string]string) {
		want, remote := map[string]int{}, map[string]string{}
		for _, r := range rows {
			if r["kind"] == "network_value" && r["value_name"] == "RemotePath" {
				remote[r["key_path"]] = r["value_data"]
			}
		}
		for _, r := range rows {
			share := ""
			switch r["kind"] {
			case "network_subkey":
				share = remote[r["key_path"]]
			case "mp2_share":
				share = r["key_path"][strings.LastIndex(r["key_path"], `\`)+1:]
				share = strings.ReplaceAll(share, "#", `\`)
			case "mapmru_value", "runmru_value", "typedpaths_value":
				share = strings.TrimSuffix(r["value_data"], `\1`)
			}
			if strings.HasPrefix(share, `\\`) {
				part := strings.Split(strings.TrimPrefix(share, `\\`), `\`)
				want[fmt.Sprintf("%s %s %s %q", r["kind"], r["key_path"], r["lastwrite_utc"], part[:min(len(part), 2)])]++
			}
		}
		got := map[string]int{}
		kinds := map[string]string{"mapped-drives": "network_subkey", "mountpoints2": "mp2_share", "map-drive-mru": "mapmru_value", "run-mru": "runmru_value", "typed-paths": "typedpaths_value"}
		e := readEvidence(t, path, ReadHive)
		for _, o := range e.Observations {
			if kind := kinds[o.Artifact]; kind != "" && (o.Action == evidence.Mapped || o.Action == evidence.Used) {
				part := strings.Split(strings.TrimPrefix(o.Share, `\\`), `\`)
				if o.Share == "" {
					part = []string{o.Peer}
				}
				got[fmt.Sprintf("%s %s %s %q", kind, o.From().Key, evidence.FormatTime(o.Time), part)]++
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

// TestCorpusHosts checks names, zones and share keys of real SYSTEM hives.
func TestCorpusHosts(t *testing.T) {
	truth(t, []string{"hive-system/*SYSTEM*"}, func(t *testing.T, path string, rows []map[string]string) {
		e := readEvidence(t, path, ReadHive)
		shares := map[string]string{}
		for _, r := range rows {
			if r["kind"] == "lanman_shares_key" {
				shares[r["key_path"]] = r["lastwrite_utc"]
			}
			if r["kind"] != "computername" && r["kind"] != "timezone_value" || !strings.HasPrefix(r["key_path"], "ControlSet001") {
				continue
			}
			if !slices.ContainsFunc(e.Observations, func(o *evidence.Fact) bool {
				if o.Artifact != "computer" && o.Artifact != "time-zone" {
					return false
				}
				n, _ := strconv.ParseInt(r["value_data"], 10, 64)
				v := o.Detail.Get(r["value_name"])
				return v == r["value_data"] || v == int64(int32(uint32(n)))
			}) && slices.Contains([]string{"ComputerName", "TimeZoneKeyName", "Bias", "ActiveTimeBias"}, r["value_name"]) {
				t.Errorf("no row has %s = %s", r["value_name"], r["value_data"])
			}
		}
		for _, o := range e.Observations {
			if o.Artifact == "server-shares" && !strings.HasSuffix(o.From().Key, `\Security`) {
				if shares[o.From().Key] != evidence.FormatTime(o.Time) {
					t.Errorf("%s: %s, want %s", o.From().Key, evidence.FormatTime(o.Time), shares[o.From().Key])
				}
				delete(shares, o.From().Key)
			}
		}
		if len(shares) > 0 {
			t.Errorf("no rows for %v", shares)
		}
	})
}

// always are the events that become a row whatever they hold, and the artifact.
var always = map[string]string{
	"security/5140": "share-access", "security/5145": "share-access",
	"security/5142": "share-changes", "security/5143": "share-changes", "security/5144": "share-changes",
	"security/4624": "logons", "security/4634": "logons", "security/4647": "logons",
	"security/4648": "explicit-credentials", "security/4719": "audit-changes", "security/1102": "log-clears",
	"system/104": "log-clears", "system/7001": "logons", "system/7002": "logons",
	"security/4608": "power", "system/12": "power", "system/13": "power", "system/6005": "power", "system/6006": "power", "system/6008": "power",
}

var providers = []string{"microsoft-windows-security-auditing", "microsoft-windows-eventlog", "microsoft-windows-winlogon", "microsoft-windows-kernel-general", "eventlog"}

// TestCorpusLogs compares the rows of real logs with what two other parsers
// read there: no record is lost, none is made up, and the fields agree.
func TestCorpusLogs(t *testing.T) {
	truth(t, []string{"evtx/*", "triage/*.evtx"}, func(t *testing.T, path string, rows []map[string]string) {
		type key struct{ artifact, channel, id, time string }
		want := map[key]map[string]string{}
		for _, r := range rows {
			forwarded(r)
			name := always[strings.ToLower(r["channel"])+"/"+r["event_id"]]
			if name != "" && r["kind"] != "recovered-by-libevtx" && slices.Contains(providers, strings.ToLower(r["provider"])) {
				want[key{name, r["channel"], r["event_record_id"], r["time_created_xml"][:26]}] = r
			}
		}
		e := readEvidence(t, path, ReadLog)
		for _, o := range e.Observations {
			if always[strings.ToLower(o.From().Channel)+"/"+fmt.Sprint(o.From().EventID)] != o.Artifact {
				continue
			}
			when := o.Time
			if o.TimeKind == evidence.ItemTime {
				for _, f := range o.Detail {
					if f.Name == "recorded" {
						when = timeOf(f.Value)
					}
				}
			}
			k := key{o.Artifact, o.From().Channel, fmt.Sprint(o.From().RecordID), when.UTC().Format("2006-01-02T15:04:05.000000")}
			r, ok := want[k]
			if !ok {
				t.Errorf("row that no other parser has: %v", k)
				continue
			}
			delete(want, k)
			compareEvent(t, o, r)
		}
		for k := range want {
			t.Errorf("no row for %v", k)
		}
	})
}

// forwarded fills the columns of a record without a template from its tokens,
// which the other parsers give in the order of the System element.
func forwarded(r map[string]string) {
	var tok []string
	if r["kind"] != "raw-strings" || json.Unmarshal([]byte(r["eventdata_json"]), &tok) != nil || len(tok) < 15 {
		return
	}
	r["provider"], r["event_id"], r["time_created_xml"], r["event_record_id"], r["channel"] = tok[1], tok[3], tok[9], tok[10], tok[13]
}

func compareEvent(t *testing.T, o *evidence.Fact, r map[string]string) {
	t.Helper()
	if r["eventdata_json"] == "" || r["kind"] == "raw-strings" {
		return
	}
	var pairs [][2]string
	if err := json.Unmarshal([]byte(r["eventdata_json"]), &pairs); err != nil {
		t.Fatal(err)
	}
	data := map[string]string{}
	for _, p := range pairs {
		data[p[0]] = p[1]
	}
	prefix := "Subject"
	if o.Artifact == "logons" {
		prefix = "Target"
	}
	want := map[string]string{"user": data[prefix+"UserName"], "sid": data[prefix+"UserSid"], "share": data["ShareName"], "peer": data["IpAddress"]}
	if o.Artifact == "explicit-credentials" {
		want["peer"] = data["TargetServerName"]
	}
	got := map[string]string{"user": o.User, "sid": o.SID, "share": o.Share, "peer": o.Peer}
	for k, w := range want {
		g := got[k]
		if k == "peer" && (w == "127.0.0.1" || w == "::1") && g == "" || w == "-" && g == "" || w == "S-1-0-0" && g == "" || w == "" {
			continue
		}
		if k == "peer" {
			w, _, _ = strings.Cut(strings.TrimPrefix(w, "::ffff:"), "%")
		}
		if g != w {
			t.Errorf("record %s: %s is %q, want %q", r["event_record_id"], k, g, w)
		}
	}
	if id, err := strconv.ParseUint(data[prefix+"LogonId"], 0, 64); err == nil && id != 0 && o.LogonID != fmt.Sprintf("%#x", id) {
		t.Errorf("record %s: logon id %s, want %#x", r["event_record_id"], o.LogonID, id)
	}
}

// TestCorpusMalformed reads damaged hives: what cannot be read is a problem,
// and where one hides something, its key is not attested.
func TestCorpusMalformed(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	files, err := filepath.Glob(filepath.Join(root, "*-malformed", "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		head := make([]byte, 512)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := f.ReadAt(head, 0)
		f.Close()
		read := ReadLog
		if isHive, _ := hive.Sniff(head[:n]); isHive {
			read = ReadHive
		}
		e := readEvidence(t, path, read)
		if len(e.Coverage) == 0 && len(e.Problems) == 0 {
			t.Errorf("%s: neither coverage nor a problem", path)
		}
	}
}

func timeOf(v any) time.Time { t, _ := v.(time.Time); return t }

// TestCorpusCommands names every command on shares, and every one that clears
// traces, that the process records of the corpus hold.
func TestCorpusCommands(t *testing.T) {
	want := map[string]string{
		"evtx/deepbluecli/sliver-security.evtx":                                                "245031 log.clear, 245037 log.clear, 245043 log.clear, 245049 log.clear, 245055 log.clear",
		"evtx/mdecrevoisier/ID4688-Network share discovery or connection via commandline.evtx": "60400 use.query",
		"evtx/sbousseaden/PanacheSysmon_vs_AtomicRedTeam01.evtx":                               "3638 shadow.delete, 3639 shadow.delete, 3672 use.map, 3673 use.map, 3674 use.map",
		"evtx/mdecrevoisier/ID800-4103-4104-Clear event log attempt.evtx":                      "1609 log.clear, 4460 log.clear, 4461 log.clear",
	}
	truth(t, []string{"evtx/*", "triage/*.evtx"}, func(t *testing.T, path string, _ []map[string]string) {
		var got []string
		for _, o := range readEvidence(t, path, ReadLog).Observations {
			if o.Action == evidence.Command {
				got = append(got, fmt.Sprintf("%d %s", o.From().RecordID, o.Detail.Text("Class")))
				if strings.Contains(fmt.Sprint(o.Process, o.Detail), "P@ssw0rd1") {
					t.Errorf("record %d shows a password", o.From().RecordID)
				}
			}
		}
		slices.Sort(got)
		name, _ := filepath.Rel(os.Getenv("SHARETRAIL_CORPUS"), path)
		if s := strings.Join(got, ", "); s != want[filepath.ToSlash(name)] {
			t.Errorf("got %q, want %q", s, want[filepath.ToSlash(name)])
		}
	})
}
