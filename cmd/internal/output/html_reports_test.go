package output

import (
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// hostile has what a page could take for markup, for code, for the end of a
// block, or for an order to turn the direction of writing.
var hostile = []string{
	`<script>window.broken=1</script>`, `</script><script>window.broken=1</script>`, `<!--<script>`, `-->`, `]]>`, `<img src=x onerror=window.broken=1>`,
	`" onmouseover="window.broken=1`, `{{data}}`, `javascript:window.broken=1`, "a\x00b\x1b[31m\r\n\u2028\u2029", "\u202egnp.exe\u2066\u200f", "😀𝔘\U000e0041", "e\u0301\u0301", "bad\xff\xfeutf8",
	`\u003cb\u003e`, `&lt;b&gt;&amp;`, strings.Repeat("long\u202e<b>", 32<<10/10),
}

// hostileReport holds each hostile text in each place that evidence fills.
func hostileReport() *timeline.Report {
	r := &timeline.Report{}
	for i, s := range hostile {
		id := fmt.Sprintf("%016x", i+1)
		place := &evidence.Place{Host: s, Source: s, Volume: s, Snapshot: s, Path: s}
		from := evidence.Provenance{Place: place, Offset: 1, Length: 2, Key: s, Value: s}
		at := when.Add(time.Duration(i) * time.Hour)
		r.Hosts = append(r.Hosts, s)
		r.Observations = append(r.Observations, evidence.Observation{
			ID: id, Time: at, TimeKind: evidence.EventCreated, Action: evidence.Command, Host: s, User: s, Share: s, Drive: s, Peer: s, Artifact: s, Summary: s,
			Process: &evidence.Process{Image: s, CommandLine: s, ParentImage: s, ParentCommandLine: s}, State: evidence.Live, Attack: []string{s},
			Detail: evidence.Detail{{Name: s, Value: s}, {Name: "in", Value: evidence.Detail{{Name: s, Value: []string{s}}}}}, From: from, AlsoAt: []evidence.Provenance{from},
		})
		r.Connections = append(r.Connections, timeline.Connection{
			ID: "c" + id, Host: s, User: s, Share: s, Drive: s, Status: timeline.StatusRemoved, Mapped: timeline.At(at, timeline.Recorded),
			Removed: timeline.Window{NotBefore: at.Add(time.Minute), NotAfter: at.Add(time.Hour)}, CredentialsAs: s, Aliases: []string{s}, Observations: []string{id}, Gaps: []string{"g" + id},
		})
		r.Gaps = append(r.Gaps, timeline.Gap{
			ID: "g" + id, Severity: timeline.High, Confidence: timeline.Certain, Host: s, User: s, Share: s, Drive: s, Claim: s, Window: timeline.At(at, timeline.Recorded),
			Reasoning: []timeline.Step{{Rule: s, Statement: s, Observations: []string{id, s}}}, Benign: []timeline.Benign{{Explanation: s, Verdict: timeline.Contradicted, Because: s}},
			Missing: []timeline.Missing{{What: s, Why: s}}, Observations: []string{id}, Connections: []string{"c" + id}, Attack: []string{s},
		})
		r.Coverage = append(r.Coverage, timeline.CoverageRow{Host: s, Evidence: s, From: at, To: at.Add(time.Hour), Records: -1, Class: timeline.Partial, Holes: []evidence.Hole{{From: at, Reason: evidence.Cleared, Observations: []string{s}}}})
		r.Problems = append(r.Problems, evidence.Problem{Severity: evidence.Error, What: s, From: from})
		r.NotRun = append(r.NotRun, timeline.NotRun{Rule: s, Host: s, Why: s})
	}
	return r
}

func hostileManifest() *Manifest {
	m := &Manifest{Version: "1"}
	for _, s := range hostile {
		m.Arguments.Sources = append(m.Arguments.Sources, s)
		m.Sources = append(m.Sources, ManifestSource{Name: s, Kind: "folder"})
		m.Artifacts = append(m.Artifacts, ManifestArtifact{Source: s, Volume: s, Path: Clean(s)})
	}
	m.Run = map[string]string{"started": "CLOCK"}
	return m
}

// bigReport is a made-up report of n rows over some hosts and years, with
// undated rows, commands of no connection and rows of several.
func bigReport(n int) *timeline.Report {
	rnd := rand.New(rand.NewSource(1))
	r := &timeline.Report{}
	actions := []evidence.Action{evidence.Used, evidence.Used, evidence.Used, evidence.Used, evidence.Command, evidence.Mapped, evidence.Removed, evidence.Logon, evidence.LogCleared, evidence.Context}
	const hosts, lives = 20, 15
	for h := range hosts {
		host := fmt.Sprintf("WS%03d", h)
		r.Hosts = append(r.Hosts, host)
		for _, kind := range []string{"evtx:Security", "evtx:System", "registry:NTUSER:user0"} {
			r.Coverage = append(r.Coverage, timeline.CoverageRow{
				Host: host, Evidence: kind, From: when.AddDate(-1, 0, 0), To: when, AsOf: when, Records: int64(n), Class: timeline.Partial,
				Holes: []evidence.Hole{{To: when.AddDate(-1, 0, 0), Reason: evidence.RolledOver}, {From: when.AddDate(0, -h%6-1, 0), To: when.AddDate(0, -h%6-1, 9), Reason: evidence.Cleared}},
			})
		}
		for l := range lives {
			from := when.AddDate(0, 0, -rnd.Intn(700)-20)
			c := timeline.Connection{ID: fmt.Sprintf("c%d-%d", h, l), Host: host, User: fmt.Sprintf("user%d", l%5), Share: fmt.Sprintf(`\\fs%02d\share%d`, l%3, l), Drive: string(rune('F'+l)) + ":", UseCount: 1, Confidence: timeline.Likely}
			c.Mapped, c.Status = timeline.Window{NotBefore: from, NotAfter: from.Add(time.Hour), Basis: timeline.HiveState}, timeline.StatusMapped
			if l%3 == 0 {
				c.Status, c.Removed = timeline.StatusRemoved, timeline.Window{NotBefore: from.AddDate(0, 0, 9), NotAfter: from.AddDate(0, 0, 10+l), Basis: timeline.BySnapshot}
				g := timeline.Gap{ID: fmt.Sprintf("G03-%d-%d", h, l), Rule: "G03", Severity: timeline.Medium, Confidence: timeline.Likely, Host: host, User: c.User, Share: c.Share, Drive: c.Drive, Window: c.Removed,
					Claim: "The mapping of " + c.Drive + " to " + c.Share + " was removed.", Connections: []string{c.ID}, Benign: []timeline.Benign{{Explanation: "the user disconnected the drive in Explorer", Verdict: timeline.VerdictUnknown, Because: "nothing tells"}}}
				r.Gaps = append(r.Gaps, g)
				c.Gaps = []string{g.ID}
			}
			r.Connections = append(r.Connections, c)
		}
	}
	for i := range n {
		c := &r.Connections[rnd.Intn(len(r.Connections))]
		place := &evidence.Place{Host: c.Host, Source: "case.zip", Path: "C/Windows/System32/winevt/Logs/Security.evtx"}
		o := evidence.Observation{ID: fmt.Sprintf("%016x", i), Time: when.Add(-time.Duration(n-i) * 7 * time.Minute), TimeKind: evidence.EventCreated, Action: actions[rnd.Intn(len(actions))], Host: c.Host, Side: evidence.Client, User: c.User, Share: c.Share,
			Artifact: "share-access", Summary: fmt.Sprintf("Share %s was opened, access %d.", c.Share, i), State: evidence.Live, Detail: evidence.Detail{{Name: "AccessMask", Value: "0x1"}, {Name: "Port", Value: strconv.Itoa(50000 + i%9999)}},
			From: evidence.Provenance{Place: place, Offset: int64(4096 + i*512), Length: 512, Channel: "Security", Provider: "Microsoft-Windows-Security-Auditing", EventID: 5140, RecordID: uint64(i + 1)}}
		switch {
		case i%97 == 0:
			o.Time = time.Time{}
			c.Observations = append(c.Observations, o.ID)
		case i%11 == 0: // of no connection
		case i%13 == 0: // of two, and naming neither
			d := &r.Connections[rnd.Intn(len(r.Connections))]
			o.Share, o.User = "", ""
			c.Observations, d.Observations = append(c.Observations, o.ID), append(d.Observations, o.ID)
		default:
			c.Observations = append(c.Observations, o.ID)
		}
		r.Observations = append(r.Observations, o)
	}
	return r
}
