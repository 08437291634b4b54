package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G31: a known mapping, and a record of its removal.
//
// Logic: a delete command, or a recorded deletion of the key Network\X, names
// a mapping that is known from before. A later state of the hive that still
// holds it makes the command one without effect (G09).
//
// Bound: E1, the event's own time; E2, the last write of Network where it lies
// from 2 s before to 30 s after the command; else the command and 30 s, or, where it
// may well have failed, when something else shows that the mapping was gone.
//
// Misses: commands of unlogged processes; mappings known from nothing.
//
// Benign: logon and logoff scripts; the user.
var _ = register(timeline.Rule{
	ID: "G31", Title: "removal of a known mapping is recorded", Technique: "T1070.005",
	Claim: "the mapping was removed by the command, or event, that is named", Base: timeline.Likely, Severity: timeline.High,
	Logic:     `a delete command, or a recorded deletion of HKCU\Network\X, names a mapping that is known from before, and no later hive state holds it`,
	Bound:     "the event's own time (E1); the last write of Network within -2 s to +30 s of the command (E2); else the command and 30 s or, where it may well have failed, when something else shows that the mapping was gone",
	Misses:    "commands of processes that were not logged; mappings that no other evidence names",
	Benign:    []string{byScript, "the user disconnected the drive in Explorer"},
	Reference: "Microsoft, Windows security auditing: events 4660, 4663, 4688; Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; MITRE ATT&CK T1070.005",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || len(l.Maps) == 0 && len(l.Gone) == 0 || l.Barred != nil || maybeLettered(c, l) {
					continue
				}
				if cl, ok := recorded(c, l); ok && !yield(cl) {
					return
				}
			}
		}
	},
})

// maybeLettered reports whether l, of which only Explorer's list of mapped drives
// tells, is another connection of the same user to the share, whose letter is known and
// which was made when the list was written: nothing shows one more to remove.
func maybeLettered(c *timeline.Case, l *timeline.Life) bool {
	return l.LetterUnknown() && slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return x.Drive != "" && x.Side == evidence.Client && timeline.SameUser(x.User, x.SID, l.User, l.SID) && evidence.ShareKey(x.Share) == evidence.ShareKey(l.Share) &&
			slices.ContainsFunc(x.Maps, func(o *evidence.Fact) bool { return timeline.Within(l.Maps[0].Time, o.Time) })
	})
}

// recorded makes the claim of a life whose removal a record names.
func recorded(c *timeline.Case, l *timeline.Life) (timeline.Claim, bool) {
	if len(l.Gone) > 0 {
		return eventClaim(c, l, l.Gone[len(l.Gone)-1]), true
	}
	by := effective(c, l)
	if by == nil {
		return timeline.Claim{}, false
	}
	r := commandClaim{c: c, l: l, by: by, Claim: claim(timeline.KindRemoval, l)}
	r.Actor, r.By, r.Attack = by, timeline.ByTheCommand, []string{"T1070.005"}
	if by.Detail.Text("Class") == "key.delete" {
		r.By = timeline.ByRegistry
	}
	r.Severity = timeline.High
	r.Facts = append(append(r.Facts, l.Maps...), by)
	r.Steps = append(r.Steps, known(l), ran(by))
	r.Confidence, r.Window = effect(c, l, by)
	r.sessionToo()
	r.hiveAfter()
	r.mayHaveFailed()
	r.keyRecovered()
	r.ranAgain()
	r.goneLater()
	r.tell(r.stoodUnseen())
	r.Benign = innocents(c, by, &r.Claim)
	return r.Claim, true
}

// A commandClaim is the claim, as far as it is made, that command by removed l.
type commandClaim struct {
	timeline.Claim
	c  *timeline.Case
	l  *timeline.Life
	by *evidence.Fact
}

func (r *commandClaim) step(s ...timeline.Step) { r.Steps = append(r.Steps, s...) }

// sessionToo doubts the command where its session ended at that time: that takes
// what is not remembered as well.
func (r *commandClaim) sessionToo() {
	end, why := sessionEnd(r.c, r.l)
	if end == nil || r.l.Persistent != timeline.No {
		return
	}
	r.l.Facts.SessionEnded = timeline.Yes
	if end.Time.Sub(r.by.Time).Abs() <= near {
		r.Confidence, r.Facts = timeline.Possible, append(r.Facts, end)
		r.step(notRemembered(r.l), step(fmt.Sprintf("%s at %s, which ends it too.", capital(why), stamp(end.Time)), end))
	}
}

// hiveAfter says what the hive shows from after the command, or what it lacks.
func (r *commandClaim) hiveAfter() {
	l, by := r.l, r.by
	switch s := r.c.StateAfter(l, by.Time); {
	case r.Confidence == timeline.Certain:
		r.hiveDates(s)
	case s == nil && r.c.PutBackSince(l):
		r.Confidence = timeline.Possible
		r.step(step("An older hive may have been put back since the mapping was last seen, before the command perhaps: then the letter stood for nothing, and the command failed.", by))
		r.Missing = append(r.Missing, timeline.Missing{What: "a state of the hive NTUSER.DAT of " + who(l.User, l.SID) + " from after the command, of the hive that held the mapping", Why: "an older hive may have been put back in its place"})
	case s == nil:
		r.Missing = append(r.Missing, timeline.Missing{What: "the hive NTUSER.DAT of " + who(l.User, l.SID) + ", to see whether the mapping is still remembered", Why: "no hive of that user was read"})
	case s.AsOf.Before(by.Time):
		r.Confidence, l.Facts.MappingGone = timeline.Possible, timeline.Unknown
		r.Missing = append(r.Missing, timeline.Missing{What: "a state of the hive from after the command", Why: "the hive shows nothing later than " + stamp(s.AsOf)})
	case l.Next.IsZero():
		r.step(gone(s))
	}
}

// hiveDates tells of the removal that the last write of Network dates in s.
func (r *commandClaim) hiveDates(s *timeline.MappingState) {
	if x := youngerShare(r.c, r.l, r.by.Time); x != nil {
		r.Confidence = timeline.Strong
		if !namesLetter(r.l, r.by) {
			r.Window.NotBefore, _ = r.l.Since(r.by.Time)
		}
		r.step(step(fmt.Sprintf("Explorer mapped %s since, to a letter that is not known: the letter may have stood for that share by then.", x.Share), x.Maps...))
	}
	r.Facts = append(r.Facts, s.Key)
	r.step(gone(s), dating(r.c, r.l, r.by, s))
	if !tookEffect(r.c, r.l) {
		r.step(step(fmt.Sprintf("That %s led to %s rests on the map command alone, which fails while the letter is in use: it is taken for granted.", r.l.Drive, r.l.Share), r.l.Maps...))
	}
	r.l.Facts.MappingGone, r.l.Persistent = timeline.Yes, timeline.Yes
}

// mayHaveFailed doubts a removal that the hive does not date, of what commands alone
// show, or may have left.
func (r *commandClaim) mayHaveFailed() {
	l, by := r.l, r.by
	if r.Confidence != timeline.Certain && !tookEffect(r.c, l) && namesLetter(l, by) && recoveredKey(l) == nil && l.Maps[0].Detail.Text("Persistent") == "yes" && !stamped(l, r.Window) {
		r.Confidence = timeline.Possible
		r.step(step("Nothing but the two commands shows the mapping, which should have been remembered: both may have failed.", l.Maps[0], by))
	}
	if n := nextOf(r.c, l); n != nil && r.Confidence != timeline.Certain && namesLetter(l, by) && scriptHost(by) == "" && recoveredKey(l) == nil && l.Persistent != timeline.No && evidence.ShareKey(n.Share) == evidence.ShareKey(l.Share) {
		r.Confidence = timeline.Possible
		r.step(step(fmt.Sprintf("The letter stands for the same share at %s: it was mapped anew by then, or the command failed, and the mapping was only written again.", stamp(n.MappedAtFirst())), n.Maps...))
	}
	if r.Confidence != timeline.Certain && timeline.KeepsProfile(by) && l.Persistent != timeline.No {
		r.Confidence = timeline.Possible
		r.step(step("Without -UpdateProfile a remembered mapping stays remembered; whether this one was is not known.", by))
	}
}

// keyRecovered takes the deleted key of the mapping for a second kind of evidence.
func (r *commandClaim) keyRecovered() {
	l, by := r.l, r.by
	if r.Confidence != timeline.Likely || !namesLetter(l, by) || undated(by) || l.State == nil || l.State.AsOf.Before(by.Time) || holds(l.State, l) != nil {
		return
	}
	if k := recoveredKey(l); k != nil && k.Detail.Text("doubt") == "" {
		r.Confidence, l.Facts.MappingGone = timeline.Strong, timeline.Yes
		r.step(step(fmt.Sprintf("The deleted key of the mapping is recovered at offset %#x: two kinds of evidence agree.", k.From().Offset), k))
	}
}

// ranAgain widens the window to a command that was run once more.
func (r *commandClaim) ranAgain() {
	o := again(r.l, r.by)
	if o == nil || r.Confidence == timeline.Certain {
		return
	}
	end, next := o.Time.Add(timeline.EffectAfter), r.l.Next
	if !r.Window.NotAfter.Before(end) || !next.IsZero() && !r.Window.NotAfter.Before(next) {
		return
	}
	if r.Window.NotAfter = end; !next.IsZero() && next.Before(end) {
		r.Window.NotAfter = next
	}
	r.Facts = append(r.Facts, o)
	r.step(step(fmt.Sprintf("%s was run at %s: the first may have failed.", quote(o), stamp(o.Time)), o))
}

// goneLater says by when the registry shows that the mapping was gone, where that is
// later than the command takes effect and does not date the removal: no record says
// whether a command failed, and what it failed to remove may have gone later. Where the
// command is doubted anyway, or ran in another session, the window reaches to there. A
// connection that is not remembered leaves nothing that shows it.
func (r *commandClaim) goneLater() {
	l, by := r.l, r.by
	if undated(by) || !namesLetter(l, by) || scriptHost(by) != "" || l.Persistent == timeline.No || r.Confidence == timeline.Certain || again(l, by) != nil || datesLater(r.c, l, by) {
		return
	}
	at, basis := r.c.GoneBy(l, by.Time.Add(-timeline.EffectBefore))
	if !at.After(r.Window.NotAfter) || r.Window.NotAfter.Before(by.Time) {
		return
	}
	if elevated(by) && (l.LogonID == "" || l.LogonID != by.LogonID) {
		r.step(step("The command ran elevated: unless EnableLinkedConnections is set, such a session has drives of its own, and the command fails for those that the user mapped in Explorer or an ordinary console.", by))
	} else if r.Confidence != timeline.Possible {
		r.step(step(fmt.Sprintf("No record says whether a command failed. That this one did not is taken for granted: the registry shows no more than that the mapping was gone by %s.", stamp(at)), by))
		return
	}
	r.Window.NotAfter, r.Window.Basis = at, basis
}

// elevated reports whether command o, which acts on a session, ran with the full token
// of a user who has two (4688: TokenElevationTypeFull).
func elevated(o *evidence.Fact) bool {
	return o.Detail.Text("TokenElevationType") == "%%1937" && o.Detail.Text("Class") != "key.delete"
}

// stoodUnseen says why it is not known that l still stood when the command ran.
func (r *commandClaim) stoodUnseen() string {
	if x := r.l.DoubtedBy(r.by.Time); x != nil {
		r.Window.NotBefore, _ = r.l.Since(r.by.Time)
		r.step(step(fmt.Sprintf("%s was run at %s. If it did not fail, %s had gone before it, and the delete command removed what it had made.", quote(x.Maps[0]), stamp(x.MappedAtFirst()), mapping(r.l.Drive, r.l.Share)), x.Maps...))
		return fmt.Sprintf("whether %s had taken the letter before is not known: such a command fails while the letter is in use", quote(x.Maps[0]))
	}
	if namesLetter(r.l, r.by) {
		return "nothing shows that it still stood when the script ran"
	}
	return "nothing shows that it still stood when the command removed all"
}

// tell puts the claim in words. doubt says why it is not known that l still stood.
func (r *commandClaim) tell(doubt string) {
	l, by := r.l, r.by
	it, ran := capital(mapping(l.Drive, l.Share))+" "+was(&r.Claim), fmt.Sprintf("%s, run by %s", quote(by), who(by.User, by.SID))
	switch {
	case undated(by):
		r.Text = fmt.Sprintf("%s removed by %s %s, %s.", it, ran, runAt(by), span(r.Window))
	case namesLetter(l, by) && again(l, by) == nil && r.Window.NotAfter.After(by.Time.Add(timeline.EffectAfter)) && !r.Window.NotBefore.Before(by.Time.Add(-timeline.EffectBefore)) && !datesLater(r.c, l, by):
		r.Text = fmt.Sprintf("%s removed %s, by %s at %s, unless that failed and something else removed it later.", it, span(r.Window), ran, stamp(by.Time))
	case namesLetter(l, by) && again(l, by) == nil && r.Window.NotAfter.After(by.Time.Add(timeline.EffectAfter)):
		r.By, r.Actor, r.Severity = timeline.ByUnknown, nil, timeline.Medium
		r.Text = fmt.Sprintf("%s removed %s. %s at %s, names it, but the removal that the hive dates came later than a command takes effect.", it, span(r.Window), ran, stamp(by.Time))
		r.step(step("Either the command removed it, and what went later was another mapping, or it failed, and something else removed it later.", by))
	case r.Window.NotBefore.Before(by.Time.Add(-timeline.EffectBefore)):
		r.By = timeline.ByUnknown
		r.Text = fmt.Sprintf("%s removed, at the latest by %s, %s; %s.", it, ran, span(r.Window), doubt)
	default:
		r.Text = fmt.Sprintf("%s removed by %s, %s.", it, ran, span(r.Window))
		if share := takenShare(r.c, l); share != "" && r.Confidence == timeline.Certain {
			r.Text = fmt.Sprintf("%s was removed by %s, %s%s.", capital(mapping(l.Drive, "")), ran, span(r.Window), share)
		}
	}
	if l.LetterUnknown() && r.Confidence != timeline.Possible {
		r.Confidence = timeline.Possible
		r.Text = fmt.Sprintf("%s %s, may have removed the mapping of an unknown letter to %s.", ran, runAt(by), l.Share)
	}
}

// takenShare ends a sentence that is certain of the letter of l, and of its share only
// if the map command did not fail, by which alone it is known; "" if more shows it.
func takenShare(c *timeline.Case, l *timeline.Life) string {
	if l.Share == "" || len(l.Maps) == 0 || tookEffect(c, l) {
		return ""
	}
	return fmt.Sprintf("; it led to %s, unless the map command of %s failed", l.Share, stamp(l.MappedAtFirst()))
}

// again returns the last command that names the letter of l once more soon after
// by, which may have failed, or nil.
func again(l *timeline.Life, by *evidence.Fact) (last *evidence.Fact) {
	for _, o := range l.Removes {
		if namesLetter(l, by) && namesLetter(l, o) && !undated(by) && !undated(o) && !sameRun(by, o) && o.Time.After(by.Time) && o.Time.Sub(by.Time) <= timeline.Retry {
			last = o
		}
	}
	return last
}

// lastSeen returns the time of the last fact before t that shows l and its share.
func lastSeen(l *timeline.Life, t time.Time) (last time.Time) {
	for _, o := range slices.Concat(l.Maps, l.Uses) {
		if o.Share != "" && o.Time.After(last) && !o.Time.After(t) {
			last = o.Time
		}
	}
	return last
}

// eventClaim makes the claim of a removal that an event records (E1).
func eventClaim(c *timeline.Case, l *timeline.Life, by *evidence.Fact) timeline.Claim {
	cl := claim(timeline.KindRemoval, l)
	cl.Actor, cl.Attack, cl.Severity, cl.Confidence = by, []string{"T1070.005"}, timeline.High, timeline.Certain
	cl.Window = timeline.At(by.Time, timeline.Recorded)
	cl.By = timeline.ByAPI
	image := "a process that the record does not name"
	if by.Process != nil && by.Process.Image != "" {
		image = base(by.Process.Image)
		switch strings.ToLower(image) {
		case "explorer.exe":
			cl.By = timeline.ByExplorer
		case "reg.exe", "regedit.exe":
			cl.By = timeline.ByRegistry
		case "net.exe", "net1.exe":
			cl.By = timeline.ByTheCommand
		}
	}
	cl.Facts = append(append(cl.Facts, l.Maps...), by)
	if len(l.Maps) > 0 {
		cl.Steps = append(cl.Steps, known(l))
	}
	recorded := fmt.Sprintf("The deletion of the key Network\\%s is recorded at %s, by %s (E1).", l.Drive[:1], stamp(by.Time), image)
	if seen := lastSeen(l, by.Time); l.Share != "" && !seen.IsZero() {
		recorded += fmt.Sprintf(" It names no share: that the letter still led to %s, as when it was last seen at %s, is taken for granted.", l.Share, stamp(seen))
	}
	cl.Steps = append(cl.Steps, step(recorded, by))
	for _, o := range l.Removes {
		if timeline.Within(by.Time, o.Time) {
			cl.By, cl.Actor = timeline.ByTheCommand, o
			cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o))
		}
	}
	l.Facts.MappingGone = timeline.Yes
	cl.Text = fmt.Sprintf("%s was removed at %s, when %s deleted its registry key.", capital(mapping(l.Drive, l.Share)), stamp(by.Time), image)
	if share := takenShare(c, l); share != "" {
		cl.Text = fmt.Sprintf("%s was removed at %s, when %s deleted its registry key%s.", capital(mapping(l.Drive, "")), stamp(by.Time), image, share)
	}
	cl.Benign = innocents(c, cl.Actor, &cl)
	return cl
}
