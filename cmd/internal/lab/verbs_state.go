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

// saveHive: the hive is written to its file. What changes later is only in the
// transaction log.
func saveHive(w *world, s *step) error { return w.keep(s, w.saved) }

// freezeHive: no later change reaches the disk, neither the file nor the log.
func freezeHive(w *world, s *step) error { return w.keep(s, w.frozen) }

func (w *world) keep(s *step, states map[string]hiveState) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	r, err := w.hive(p)
	if err != nil {
		return err
	}
	w.touch(p.name, r, s.time)
	states[lower(p.name)] = hiveState{r.text(), r.newest()}
	return nil
}

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
