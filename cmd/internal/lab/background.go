package lab

import (
	"fmt"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
)

// interfaceKey is restamped whenever the address lease is renewed, which keeps
// the SYSTEM hive as young as the evidence.
const interfaceKey = `ControlSet001\Services\Tcpip\Parameters\Interfaces\{5a1f60c2-4c02-4dd0-9b6e-3a1f5c2d7e10}`

// programs are what Windows starts all day by itself.
var programs = []struct{ image, command, parent string }{
	{`C:\Windows\System32\svchost.exe`, `C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule`, `C:\Windows\System32\services.exe`},
	{`C:\Windows\System32\taskhostw.exe`, `taskhostw.exe SYSTEM`, `C:\Windows\System32\svchost.exe`},
	{`C:\Windows\System32\conhost.exe`, `\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1`, `C:\Windows\System32\compattelrunner.exe`},
	{`C:\Windows\System32\wbem\WmiPrvSE.exe`, `C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding`, `C:\Windows\System32\svchost.exe`},
}

// idle writes what a computer records by itself while it is on, in steps that
// do not fall on round times, and keeps the hives in use.
func (w *world) idle() {
	b := w.background
	if b.from.IsZero() {
		return
	}
	step := 0
	for t := b.from; !t.After(b.to); t = t.Add(b.every) {
		at := t.Add(time.Duration(137*(step%61))*time.Millisecond + 4211300)
		if at.After(w.Collected) {
			break
		}
		if !w.without(at) {
			w.routine(at, step)
		}
		step++
	}
	if end := b.to.Add(-7300 * time.Millisecond); !w.without(end) { // the collection itself starts programs
		w.routine(end, step)
	}
}

// without reports whether the computer has no power at t.
func (w *world) without(t time.Time) bool {
	for _, s := range w.off {
		if t.After(s.from) && (s.to.IsZero() || t.Before(s.to)) {
			return true
		}
	}
	return false
}

// routine is one step of the background.
func (w *world) routine(t time.Time, step int) {
	system := w.computer()
	w.logonStarts(t, logon{principal: system, kind: "5", elevated: true})
	w.security(t.Add(100*time.Microsecond), 4672, "Special Logon", system.as("Subject"),
		pairs("PrivilegeList", "SeAssignPrimaryTokenPrivilege\r\n\t\t\tSeTcbPrivilege\r\n\t\t\tSeSecurityPrivilege"))
	p := programs[step%len(programs)]
	w.start(t.Add(12*time.Millisecond), process{principal: system, pid: w.nextPID(), ppid: "0x2b0",
		image: p.image, command: p.command, parent: p.parent, parentLine: p.parent, byService: true})
	w.machine["SYSTEM"].renew(interfaceKey, t)
	for _, s := range w.present {
		if r := w.users[s.user]; r != nil && t.After(s.from) && (s.to.IsZero() || t.Before(s.to)) {
			r.renew(userAssist, t.Add(20*time.Second))
		}
	}
	if step%6 != 0 {
		return
	}
	modes := []string{"demand start", "auto start"}
	w.system(t.Add(time.Second), "Service Control Manager", 7040, "level=4 keywords=0x8080000000000000 user="+systemSID,
		"param1", "Background Intelligent Transfer Service", "param2", modes[step/6%2], "param3", modes[(step/6+1)%2], "param4", "BITS")
	w.emit(t.Add(2*time.Second), "Application", "Microsoft-Windows-Security-SPP", 16384, "level=4 keywords=0x80000000000000",
		"", t.AddDate(100, 0, 0).Format("2006-01-02T15:04:05Z"), "", "RulesEngine")
	if w.PowerShell {
		w.emit(t.Add(3*time.Second), channelPowerShell, "", 40961, "v=1 level=4 opcode=1 task=4 pid=7032")
		w.emit(t.Add(4*time.Second), channelPowerShell, "", 40962, "v=1 level=4 opcode=2 task=4 pid=7032")
	}
}

// renew restamps the key at path, unless it is younger than t already.
func (r *registry) renew(path string, t time.Time) {
	if k := r.open(path); k.time.Before(t) {
		k.time = t
	}
}

// ids numbers the records of one channel, which are in order of time, from
// where the log begins. Lost ids are left out, and what was there before the
// log was cleared is dropped.
func (w *world) ids(channel string, events []evtxtest.Event, at time.Time) ([]evtxtest.Event, error) {
	cleared := w.clearedBy(channel, at)
	id := w.options(channel).first
	kept := events[:0]
	lost := w.lost
	for _, e := range events {
		if e.Time.Before(w.LogsBegin) {
			continue
		}
		for len(lost) > 0 && !e.Time.Before(lost[0].when) {
			if lost[0].channel == channel {
				id += lost[0].count
			}
			lost = lost[1:]
		}
		if e.RecordID != 0 {
			if e.RecordID < id {
				return nil, fmt.Errorf("log %s: id=%d at %s is not above the record before it", channel, e.RecordID, stamp(e.Time))
			}
			id = e.RecordID
		}
		e.RecordID = id
		id++
		switch {
		case e.Time.After(at):
			continue
		case e.Time.Before(cleared):
			if at.Equal(endOfTime) {
				w.cleared[channel] = append(w.cleared[channel], e)
			}
			continue
		}
		kept = append(kept, e)
	}
	return kept, nil
}
