package lab

import (
	"fmt"
	"slices"
	"time"
)

// A hiveState is a hive as it was at one instant of the story.
type hiveState struct {
	text string
	asOf time.Time // of its newest key
}

// saveHive: the hive of a user, or SYSTEM, is written to its file. What changes later is only in the
// transaction log.
func saveHive(w *world, s *step) error { return w.keep(s, w.saved) }

// freezeHive: no later change reaches the disk, neither the file nor the log.
func freezeHive(w *world, s *step) error { return w.keep(s, w.frozen) }

func (w *world) keep(s *step, states map[string]hiveState) error {
	if s.rest == "SYSTEM" {
		states[systemHive] = w.systemState(s.time)
		return nil
	}
	p, err := w.who(s)
	if err != nil {
		return err
	}
	states[lower(p.name)], err = w.userState(p.name, s.time)
	return err
}

// systemState is the SYSTEM hive as it is at t.
func (w *world) systemState(t time.Time) hiveState {
	r := w.machine["SYSTEM"]
	if b := w.background; !b.from.IsZero() && t.After(b.from) {
		if last := b.from.Add(t.Sub(b.from) / b.every * b.every); !w.without(last) {
			r.renew(interfaceKey, last)
		}
	}
	return hiveState{r.text(), r.newest()}
}

// userState is the hive of a user as it is at t.
func (w *world) userState(name string, t time.Time) (hiveState, error) {
	r, err := w.hive(principal{name: name})
	if err != nil {
		return hiveState{}, err
	}
	w.touch(name, r, t)
	return hiveState{r.text(), r.newest()}, nil
}

// A shot is a shadow copy: the hives as they were at one instant, by the name
// under which they are kept. Of the logs it holds what was in them by then.
type shot struct {
	at    time.Time
	hives map[string]hiveState
}

// A logClear is one clearing of a log.
type logClear struct {
	channel string
	at      time.Time
}

// shadowCopy: a shadow copy of the volume is made. Its hives and logs are
// collected beside the live ones, in the folder VSS and its number.
func shadowCopy(w *world, s *step) error {
	shot := shot{s.time, map[string]hiveState{systemHive: w.systemState(s.time)}}
	for _, u := range w.Users {
		if u.Folder == "" {
			continue
		}
		state, err := w.userState(u.Name, s.time)
		if err != nil {
			return err
		}
		shot.hives[lower(u.Name)] = state
	}
	w.shots = append(w.shots, shot)
	return nil
}

// clearedBy returns when the log was last cleared until t, zero if never.
func (w *world) clearedBy(channel string, t time.Time) (last time.Time) {
	for _, c := range w.clears {
		if c.channel == channel && !c.at.After(t) {
			last = c.at
		}
	}
	return last
}

// systemHive is the name of the SYSTEM hive among the states of users' hives:
// no account can have it.
const systemHive = ":system"

// touch gives r the time that the background, which is told after the story,
// will have left in it at t.
func (w *world) touch(user string, r *registry, t time.Time) {
	b := w.background
	if b.from.IsZero() || !t.After(b.from) {
		return
	}
	last := b.from.Add(t.Sub(b.from) / b.every * b.every)
	for _, q := range w.present {
		if q.user == lower(user) && last.After(q.from) && (q.to.IsZero() || last.Before(q.to)) && !w.without(last) {
			r.renew(userAssist, last)
		}
	}
}

// policy: Group Policy is at work for a user: its drive maps extension (4016,
// 5016), or scripts of the logon or logoff (4018, 5018), or it only began (4000
// for the computer, 4001 for a user).
func policy(w *world, s *step) error {
	const channel, provider, drives = channelPolicy, "Microsoft-Windows-GroupPolicy", "{5794DAFD-BE60-433F-88A2-1A31939AC01F}"
	p, err := w.who(s)
	if err != nil {
		return err
	}
	kind := slices.Index([]string{"drives", "logon", "logoff", "begins"}, s.rest)
	end := s.time.Add(2 * time.Second)
	options := "pid=1044 tid=2200 user=" + p.sid
	switch kind {
	case -1:
		return fmt.Errorf("policy: %q is not drives, logon, logoff or begins", s.rest)
	case 3:
		id := uint32(4001)
		if p.sid == systemSID {
			id = 4000
		}
		w.emit(s.time, channel, provider, id, options, "PrincipalSamName", p.domain+`\`+p.name)
	case 0:
		w.emit(s.time, channel, provider, 4016, options, "CSEExtensionId", drives, "CSEExtensionName", "Group Policy Drive Maps",
			"ApplicableGPOList", "Drives")
		w.emit(end, channel, provider, 5016, options, "CSEElaspedTimeInMilliSeconds", "2000", "ErrorCode", "0",
			"CSEExtensionId", drives, "CSEExtensionName", "Group Policy Drive Maps")
	default:
		who, number := p.domain+`\`+p.name, fmt.Sprint(kind)
		w.emit(s.time, channel, provider, 4018, options, "PrincipalSamName", who, "ScriptType", number)
		w.emit(end, channel, provider, 5018, options, "ScriptElaspedTimeInSeconds", "2", "PrincipalSamName", who, "ScriptType", number)
	}
	return nil
}

// clockStep: somebody sets the clock from what it was to the time of the step:
// Security 4616 and Kernel-General 1.
func clockStep(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	from, err := parseTime(s.opts["from"])
	if err != nil {
		return err
	}
	w.security(s.time, 4616, "Security State Change", p.as("Subject"), pairs("PreviousTime", stamp(from), "NewTime", stamp(s.time),
		"ProcessId", "0x1a4", "ProcessName", `C:\Windows\System32\cmd.exe`))
	w.system(s.time, providerKernel, 1, "user="+p.sid, "OldTime", stamp(from), "NewTime", stamp(s.time))
	return nil
}
