package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// near is how close to a logon or logoff a script of it runs.
const near = 2 * time.Minute

func verdict(explanation string, v timeline.Verdict, because string, facts ...*evidence.Fact) timeline.Benign {
	return timeline.Benign{Explanation: explanation, Verdict: v, Because: because, Observations: timeline.Ids(facts...)}
}

const byScript = "a logon, logoff or Group Policy script removes drives routinely"

// script tests whether command o was run by a logon or logoff script.
func script(c *timeline.Case, o *evidence.Fact) timeline.Benign {
	if host := scriptHost(o); host != "" {
		return verdict(byScript, timeline.Supported, "the command was started by "+host, o)
	}
	if p := policyScript(c, o.User, o.SID, timeline.At(o.Time, timeline.Recorded)); p != nil {
		return verdict(byScript, timeline.Supported, "Group Policy ran a script of the user at "+stamp(p.Time), o, p)
	}
	if end := sessionEdge(c, o); end != nil {
		if n := atEdges(c, o); n >= 2 {
			return verdict(byScript, timeline.Supported, fmt.Sprintf("the same command ran within %s of a logon or logoff %d times", timeline.Lasting(near), n), o, end)
		}
		return verdict(byScript, timeline.VerdictUnknown, fmt.Sprintf("the command ran within %s of a logon or logoff at %s, but nothing shows a script", timeline.Lasting(near), stamp(end.Time)), o, end)
	}
	if o.Process == nil || o.Process.ParentImage == "" {
		return verdict(byScript, timeline.VerdictUnknown, "what started the command is not recorded", o)
	}
	if class, why := c.ClassOf("evtx:System", timeline.Window{NotBefore: o.Time, NotAfter: o.Time}); class != timeline.Continuous {
		return verdict(byScript, timeline.VerdictUnknown, "logons and logoffs of that time are not known: "+why, o)
	}
	return verdict(byScript, timeline.Contradicted, fmt.Sprintf("the command was started by %s, and no logon or logoff lies within %s", base(o.Process.ParentImage), timeline.Lasting(near)), o)
}

// scriptHost returns the program that runs scripts for Windows, if it is the
// command's parent or one of the ancestors that the log shows.
func scriptHost(o *evidence.Fact) string {
	chain := slices.Clone(o.Detail.List("ancestors"))
	if o.Process != nil {
		chain = append(chain, o.Process.ParentImage, o.Process.ParentCommandLine)
	}
	for _, s := range chain {
		low := strings.ToLower(s)
		for _, host := range []string{"gpscript.exe", "userinit.exe"} {
			if strings.Contains(low, `:\windows\system32\`+host) { // elsewhere it is only called so
				return host
			}
		}
		for _, place := range []string{`\sysvol\`, `\netlogon\`, `\grouppolicy\user\scripts\`, `\group policy\scripts\`} {
			if strings.Contains(low, place) {
				return "a script in " + strings.Trim(place, `\`)
			}
		}
	}
	return ""
}

// sessionEdge returns a logon or logoff of o's user near o.
func sessionEdge(c *timeline.Case, o *evidence.Fact) *evidence.Fact {
	for _, e := range c.Edges(o.Time.Add(-near), o.Time.Add(near)) {
		if (e.Action == evidence.Logoff || e.Action == evidence.Logon) && interactive(e) && timeline.SameUser(e.User, e.SID, o.User, o.SID) {
			return e
		}
	}
	return nil
}

// interactive reports whether a logon or logoff is that of a person's session.
func interactive(o *evidence.Fact) bool {
	switch o.Detail.Text("LogonType") {
	case "", "2", "7", "10", "11": // 7001, 7002 and 4647 name no type
		return true
	}
	return false
}

// atEdges counts how often the same command ran near a logon or logoff.
func atEdges(c *timeline.Case, o *evidence.Fact) (n int) {
	for _, x := range c.Observations {
		if x.Action == evidence.Command && x.Process != nil && o.Process != nil && strings.EqualFold(x.Process.CommandLine, o.Process.CommandLine) && sessionEdge(c, x) != nil {
			n++
		}
	}
	return n
}

func base(image string) string { return path.Base(strings.ReplaceAll(image, `\`, "/")) }

// innocents tests the causes that could have removed, without anybody wanting to
// hide it, the mapping that cl is about. by is the fact that shows who
// did, or nil.
func innocents(c *timeline.Case, by *evidence.Fact, cl *timeline.Claim) []timeline.Benign {
	w := cl.Window

	const explorer = "the user disconnected the drive in Explorer"
	const policy = "a Group Policy drive map removed or replaced it"
	const session = "the session or the network ended"
	var out []timeline.Benign
	if by != nil && by.Action == evidence.Command && (cl.By == timeline.ByUnknown || !undated(by) && w.NotAfter.After(by.Time.Add(timeline.EffectAfter))) {
		out = append(out, script(c, by),
			verdict(explorer, timeline.VerdictUnknown, "it may have been gone before the command, or after it; Explorer leaves no record of it", by),
			driveMaps(c, cl.User, cl.SID, policy, w))
	} else if by != nil && by.Action == evidence.Command {
		out = append(out, script(c, by),
			verdict(explorer, timeline.Contradicted, "a command did it", by),
			verdict(policy, timeline.Contradicted, "a command did it", by))
	} else if by != nil {
		image := ""
		if by.Process != nil {
			image = base(by.Process.Image)
		}
		out = append(out, byImage(explorer, "explorer.exe", image, by), byImage(policy, "svchost.exe", image, by), eventScript(c, by))
	} else {
		out = append(out,
			verdict(explorer, timeline.VerdictUnknown, "Explorer leaves no record of it"),
			driveMaps(c, cl.User, cl.SID, policy, w))
		if p := policyScript(c, cl.User, cl.SID, w); p != nil && w.NotAfter.Sub(w.NotBefore) <= 2*near {
			out = append(out, verdict(byScript, timeline.Supported, "Group Policy ran a script at "+stamp(p.Time), p))
		} else if e := logonIn(c, w); e != nil {
			out = append(out, verdict(byScript, timeline.VerdictUnknown, "a logon or logoff lies in the window, at "+stamp(e.Time), e))
		} else if o := removesIn(cl.Life, w); o != nil {
			out = append(out, verdict(byScript, timeline.VerdictUnknown, quote(o)+" was run at "+stamp(o.Time)+"; whether it took effect is not known", o))
		} else if class, why := c.Commands(w); class == timeline.Continuous {
			out = append(out, verdict(byScript, timeline.Contradicted, "no command is recorded, though one would have been: "+why))
		} else {
			out = append(out, verdict(byScript, timeline.VerdictUnknown, why))
		}
	}
	if l := cl.Life; l != nil && (l.Persistent == timeline.No || l.Drive == "") {
		return append(out, verdict(session, timeline.VerdictUnknown, "what is not remembered ends with them, too; whether that came first is not known"))
	}
	return append(out, verdict(session, timeline.Contradicted, "logoff, sleep, VPN and server loss leave a remembered mapping in place"))
}

// eventScript tests whether a recorded removal was the work of a script.
func eventScript(c *timeline.Case, by *evidence.Fact) timeline.Benign {
	if p := policyScript(c, by.User, by.SID, timeline.At(by.Time, timeline.Recorded)); p != nil {
		return verdict(byScript, timeline.Supported, "Group Policy ran a script of the user at "+stamp(p.Time), by, p)
	}
	if by.Process != nil && strings.EqualFold(base(by.Process.Image), "explorer.exe") {
		return verdict(byScript, timeline.Contradicted, "explorer.exe did it, which runs no scripts", by)
	}
	if e := sessionEdge(c, by); e != nil {
		return verdict(byScript, timeline.VerdictUnknown, "a logon or logoff is near, at "+stamp(e.Time), by, e)
	}
	return verdict(byScript, timeline.VerdictUnknown, "what started the process is not recorded", by)
}

func byImage(explanation, want, image string, by *evidence.Fact) timeline.Benign {
	switch {
	case image == "":
		return verdict(explanation, timeline.VerdictUnknown, "the record does not name the process", by)
	case strings.EqualFold(image, want):
		return verdict(explanation, timeline.Supported, image+" did it", by)
	}
	return verdict(explanation, timeline.Contradicted, image+" did it", by)
}

// driveMaps asks the logs of Group Policy whether a drive map was at work in w.
func driveMaps(c *timeline.Case, user, sid, explanation string, w timeline.Window) timeline.Benign {
	w = c.Widened(w)
	if o := driveMapsIn(c, user, sid, w); o != nil {
		if w.NotAfter.Sub(w.NotBefore) <= 2*near {
			return verdict(explanation, timeline.Supported, "the drive map extension of Group Policy was at work at "+stamp(o.Time), o)
		}
		return verdict(explanation, timeline.VerdictUnknown, "the drive map extension of Group Policy was at work in the window, at "+stamp(o.Time), o)
	}
	if class, why := c.Silence("evtx:Microsoft-Windows-GroupPolicy/Operational", w); class != timeline.Continuous {
		return verdict(explanation, timeline.VerdictUnknown, why)
	}
	return verdict(explanation, timeline.Contradicted, "the Group Policy log, continuous then, shows no drive map extension at work")
}

// driveMapsIn returns a record around w that the drive map extension of Group
// Policy was at work for that user, or for one whom it does not name; or nil.
func driveMapsIn(c *timeline.Case, user, sid string, w timeline.Window) *evidence.Fact {
	for _, o := range aroundIn(c, w) {
		ran, _ := o.Detail.Get("drive_maps").(bool)
		if (o.Artifact == "group-policy-drive-maps" || o.Artifact == "group-policy" && ran) &&
			!(strings.HasPrefix(o.SID, "S-1-5-21-") && !timeline.SameUser(o.User, o.SID, user, sid)) && (w.NotAfter.IsZero() || !o.Time.After(w.NotAfter.Add(timeline.EffectBefore))) { // it begins with its record
			return o
		}
	}
	return nil
}

// aroundIn returns what lies in w, or near its ends.
func aroundIn(c *timeline.Case, w timeline.Window) []*evidence.Fact {
	return c.Between(w.NotBefore.Add(-near), w.NotAfter.Add(near))
}

// policyScript returns a record that Group Policy ran a logon or logoff script
// around w for that user, or for one whom it does not name.
func policyScript(c *timeline.Case, user, sid string, w timeline.Window) *evidence.Fact {
	for _, o := range aroundIn(c, w) {
		if o.Artifact == "group-policy" && (o.From().EventID == 4018 || o.From().EventID == 5018) &&
			(o.User == "" || timeline.SameUser(o.User, o.SID, user, sid)) {
			return o
		}
	}
	return nil
}

// removesIn returns a command in w that removes l, or was to, or nil.
func removesIn(l *timeline.Life, w timeline.Window) *evidence.Fact {
	if l != nil {
		for _, o := range l.Removes {
			if !o.Time.Before(w.NotBefore) && (w.NotAfter.IsZero() || !o.Time.After(w.NotAfter)) {
				return o
			}
		}
	}
	return nil
}

// logonIn returns a logon or logoff of a person in w.
func logonIn(c *timeline.Case, w timeline.Window) *evidence.Fact {
	for _, e := range c.Edges(w.NotBefore, w.NotAfter.Add(near)) {
		if (e.Action == evidence.Logon || e.Action == evidence.Logoff) && interactive(e) {
			return e
		}
	}
	return nil
}
