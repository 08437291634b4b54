package timeline

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
)

// removedAt is a rule that claims the removal of each client's connection at t.
func removedAt(t time.Time, by func(c *Case) *evidence.Fact) Rule {
	return Rule{ID: "G31", Find: func(c *Case) iter.Seq[Claim] {
		return func(yield func(Claim) bool) {
			for _, l := range c.Lives {
				if l.Side == evidence.Client && l.Drive != "" && !yield(Claim{Kind: KindRemoval, Life: l, User: l.User, SID: l.SID, Share: l.Share, Drive: l.Drive, Window: At(t, Recorded), Confidence: Certain, Severity: High, Actor: by(c)}) {
					return
				}
			}
		}
	}}
}

// TestStory: what lies within five minutes of a removal is told, with its
// technique, and nothing else is.
func TestStory(t *testing.T) {
	const user, sid = "1001", "S-1-5-21-1-2-3-1001"
	at := day.Add(time.Hour)
	command := func(line string) evidence.Observation {
		return evidence.Observation{Artifact: "process-creation", Action: evidence.Context, User: user, SID: sid, Process: &evidence.Process{Image: `C:\Windows\System32\` + strings.Fields(line)[0] + ".exe", CommandLine: line}}
	}
	class := func(class, by string) evidence.Observation {
		return evidence.Observation{Artifact: "process-creation", Action: evidence.Command, User: by, SID: "S-1-5-21-1-2-3-" + by, Summary: "A command was given.", Detail: evidence.Detail{{Name: "Class", Value: class}}}
	}
	for _, c := range []struct {
		name   string
		off    time.Duration // from the removal
		o      evidence.Observation
		says   string
		attack string
	}{
		{"a log is cleared", 4 * time.Minute, evidence.Observation{Action: evidence.LogCleared, User: user, SID: sid, Summary: "The event log Security was cleared."}, "a log was cleared", "T1070.001"},
		{"a log is cleared six minutes later", 6 * time.Minute, evidence.Observation{Action: evidence.LogCleared, User: user, SID: sid}, "", ""},
		{"another account clears a log", time.Minute, evidence.Observation{Action: evidence.LogCleared, User: "1002", SID: "S-1-5-21-1-2-3-1002"}, "by another account", ""},
		{"shadow copies are deleted", time.Minute, class("shadow.delete", user), "delete shadow copies", "T1490"},
		{"a history is removed", time.Minute, class("history.clear", user), "history of commands", "T1070.003"},
		{"auditing is switched off", time.Minute, class("audit.off", user), "switch auditing off", "T1562.002"},
		{"the user logs on", -2 * time.Minute, evidence.Observation{Action: evidence.Logon, User: user, SID: sid}, "logged on", ""},
		{"a service logs on", -2 * time.Minute, evidence.Observation{Action: evidence.Logon, User: "SYSTEM", SID: "S-1-5-18"}, "", ""},
		{"the drive is used", -2 * time.Minute, evidence.Observation{Artifact: "lnk", Action: evidence.Used, Side: evidence.Client, User: user, SID: sid, Drive: "X:", Share: `\\fs0\data`}, "the share was used", ""},
		{"shares are listed", -2 * time.Minute, command(`net view \\fs0`), "shares were listed", "T1135"},
		{"the local shares are listed", -2 * time.Minute, command(`net share`), "shares were listed", "T1135"},
		{"shares are listed long before", -10 * time.Minute, command(`net view \\fs0`), "", ""},
		{"a share is made", -2 * time.Minute, command(`net share x=C:\x`), "", ""},
		{"files are copied from the drive", -20 * time.Minute, command(`robocopy X:\hr C:\temp /e`), "commands that copy from it were run", "T1039"},
		{"files are copied from the share by its name", -20 * time.Minute, command(`xcopy \\fs0\data\hr C:\temp`), "commands that copy from it were run", "T1039"},
		{"files are copied to the drive", -20 * time.Minute, command(`robocopy C:\temp X:\hr /e`), "", ""},
		{"files are copied within the drive", -20 * time.Minute, command(`robocopy X:\hr X:\old /e`), "", ""},
		{"files are copied from another share", -20 * time.Minute, command(`xcopy \\fs0\data2\hr C:\temp`), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &record{host: "WS0"}
			r.maps(day, user, "X:", `\\fs0\data`)
			r.add(at.Add(c.off), c.o)
			slices.SortStableFunc(r.list, func(a, b *evidence.Fact) int { return a.Time.Compare(b.Time) })
			k := r.newCase()
			Meet([]*Case{k})
			gaps, _, _ := Reason(k, []Rule{removedAt(at, func(*Case) *evidence.Fact { return nil })})
			var text string
			for _, s := range gaps[0].Reasoning {
				text += s.Statement + "\n"
				if len(s.Observations) == 0 {
					t.Errorf("%s: no evidence", s.Statement)
				}
			}
			if (text == "") != (c.says == "") || !strings.Contains(text, c.says) {
				t.Errorf("the story is %q, want %q", text, c.says)
			}
			if want := slices.DeleteFunc([]string{c.attack}, func(s string) bool { return s == "" }); !slices.Equal(gaps[0].Attack, want) {
				t.Errorf("attack is %v, want %v", gaps[0].Attack, want)
			}
		})
	}
}

// TestSessionEnd: the end of a session at the server belongs to the removal at
// the client within five minutes by the client's clock, and a lost connection is
// told beside it.
func TestSessionEnd(t *testing.T) {
	const skew = 3 * time.Minute
	at := day.Add(time.Hour)
	for _, c := range []struct {
		name  string
		end   time.Duration // after the removal, by the client's clock
		loss  bool
		ended Tri
	}{
		{"eleven seconds later", 11 * time.Second, false, Yes},
		{"and the client recorded a loss", 11 * time.Second, true, Yes},
		{"four minutes later", 4 * time.Minute, false, Yes},
		{"fifteen minutes later", 15 * time.Minute, false, Unknown},
		{"an hour before", -50 * time.Minute, false, Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws, fs := &record{host: "WS0"}, &record{host: "FS0"}
			ws.leases("10.1.0.1")
			ws.maps(day, "1001", "X:", `\\fs0\data`)
			if c.loss {
				ws.add(at.Add(c.end), evidence.Observation{Artifact: "smb-client", Action: evidence.Context, Side: evidence.Client, Share: `\\fs0\data`, From: evidence.Provenance{EventID: 30807}})
			}
			fs.opens(day.Add(skew+200*time.Millisecond), "1001", "10.1.0.1", "data", "0x1")
			fs.add(at.Add(c.end+skew), evidence.Observation{Artifact: "logons", Action: evidence.Logoff, User: "1001", SID: "S-1-5-21-1-2-3-1001", LogonID: "0x1"})
			cases := []*Case{ws.newCase(), fs.newCase()}
			Meet(cases)
			gaps, conns, _ := Reason(cases[0], []Rule{removedAt(at, func(*Case) *evidence.Fact { return nil })})
			var text string
			for _, s := range gaps[0].Reasoning {
				text += s.Statement + "\n"
			}
			if !strings.Contains(text, "FS0 recorded that 1001 opened") || !strings.Contains(text, "ahead by 3 minutes 0.2 seconds") {
				t.Errorf("the other side is not told: %s", text)
			}
			if conns[0].Facts.SessionEnded != c.ended || strings.Contains(text, "recorded the end of that session") != (c.ended == Yes) {
				t.Errorf("session ended: %s\n%s", conns[0].Facts.SessionEnded, text)
			}
			if strings.Contains(text, "lost the connection") != c.loss {
				t.Errorf("a loss is told: %v\n%s", !c.loss, text)
			}
		})
	}
}

// TestBurst: many files opened by one session around a removal are told.
func TestBurst(t *testing.T) {
	at := day.Add(time.Hour)
	for n, want := range map[int64]bool{400: true, 12: false} {
		ws, fs := &record{host: "WS0"}, &record{host: "FS0"}
		ws.leases("10.1.0.1")
		ws.maps(day, "1001", "X:", `\\fs0\data`)
		fs.add(at.Add(-time.Minute), evidence.Observation{Artifact: "share-access", Action: evidence.Used, Side: evidence.Server, User: "1001", SID: "S-1-5-21-1-2-3-1001", Peer: "10.1.0.1", Share: `\\FS0\data`, LogonID: "0x1",
			From: evidence.Provenance{EventID: 5145}, Detail: evidence.Detail{{Name: "count", Value: n}, {Name: "first", Value: at.Add(-time.Minute)}, {Name: "last", Value: at.Add(2 * time.Minute)}}})
		cases := []*Case{ws.newCase(), fs.newCase()}
		Meet(cases)
		gaps, _, _ := Reason(cases[0], []Rule{removedAt(at, func(*Case) *evidence.Fact { return nil })})
		told := slices.ContainsFunc(gaps[0].Reasoning, func(s Step) bool { return strings.Contains(s.Statement, "files of") })
		if told != want {
			t.Errorf("%d files: told is %v: %+v", n, told, gaps[0].Reasoning)
		}
	}
}

// TestAgree: the end of the session at the server makes a removal that only a
// command shows strong, if it follows at once by clocks that were measured.
func TestAgree(t *testing.T) {
	at := day.Add(time.Hour)
	for _, c := range []struct {
		name     string
		end      time.Duration // after the command
		measured bool
		want     Confidence
	}{
		{"at once", 11 * time.Second, true, Strong},
		{"three minutes later", 3 * time.Minute, true, Likely},
		{"before it", -time.Minute, true, Likely},
		{"at once, by clocks that nothing measures", 11 * time.Second, false, Likely},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws, fs := &record{host: "WS0"}, &record{host: "FS0"}
			ws.leases("10.1.0.1")
			ws.maps(day, "1001", "X:", `\\fs0\data`)
			by := ws.add(at, evidence.Observation{Artifact: "process-creation", Action: evidence.Command, Side: evidence.Client, User: "1001", SID: "S-1-5-21-1-2-3-1001", Drive: "X:",
				Detail: evidence.Detail{{Name: "Class", Value: "use.delete"}, {Name: "Targets", Value: []string{"X:"}}}})
			opened := day.Add(200 * time.Millisecond)
			if !c.measured {
				opened = day.Add(20 * time.Minute)
			}
			fs.opens(opened, "1001", "10.1.0.1", "data", "0x1")
			fs.add(at.Add(c.end), evidence.Observation{Artifact: "logons", Action: evidence.Logoff, User: "1001", SID: "S-1-5-21-1-2-3-1001", LogonID: "0x1"})
			cases := []*Case{ws.newCase(), fs.newCase()}
			Meet(cases)
			rule := removedAt(at, func(*Case) *evidence.Fact { return by })
			find := rule.Find
			rule.Find = func(k *Case) iter.Seq[Claim] {
				return func(yield func(Claim) bool) {
					for cl := range find(k) {
						cl.Confidence, cl.Window = Likely, Window{at, at.Add(EffectAfter), ByCommand}
						if !yield(cl) {
							return
						}
					}
				}
			}
			gaps, conns, _ := Reason(cases[0], []Rule{rule})
			if gaps[0].Confidence != c.want || conns[0].Confidence != c.want {
				t.Errorf("%s, %s, want %s: %+v", gaps[0].Confidence, conns[0].Confidence, c.want, gaps[0].Reasoning)
			}
		})
	}
}
