package lab

import (
	"fmt"
	"slices"
	"time"
)

// incidents are what blinds logs and delays hives.
func (h *simHost) incidents() {
	last := h.collected.Add(-10 * time.Minute)
	at := simMonday.Add(8*time.Hour + h.upTo(last.Sub(simMonday)-8*time.Hour))
	who := h.users[0].name
	if h.audit.processes && h.chance(0.1) && !h.isOff(at) {
		h.audit.processesEnd = at
		h.say(at, "audit %s Process Creation:none", who)
	}
	if at = simMonday.Add(8*time.Hour + h.upTo(last.Sub(simMonday)-8*time.Hour)); h.chance(0.12) && !h.isOff(at) {
		h.clear(at, who, "Security", "Security")
	}
	if at = simMonday.Add(8*time.Hour + h.upTo(last.Sub(simMonday)-8*time.Hour)); h.audit.sysmon && h.chance(0.1) && !h.isOff(at) {
		h.clear(at, who, "Sysmon", channelSysmon)
	}
	if at = simMonday.Add(8*time.Hour + h.upTo(last.Sub(simMonday)-8*time.Hour)); h.chance(0.06) && !h.isOff(at) && at.After(h.clears["Security"]) {
		h.say(at, "lose Security %d", 20+h.rng.IntN(400))
		h.lost = at
	}
	for _, u := range h.users {
		u.flush()
		if len(u.typed) > 0 && h.chance(0.3) {
			slices.SortStableFunc(u.typed, simLine.before)
			path := fmt.Sprintf("%s/C/Users/%s/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", h.name, u.name)
			h.files = append(h.files, "-- "+path+" --\n"+u.typed.text())
			h.times += path + " " + stamp(u.typed[len(u.typed)-1].t) + "\n"
		}
	}
	if h.server {
		h.flushSystem()
	}
	if h.chance(0.1) {
		h.setClock()
	}
	if h.chance(0.25) {
		h.shadowCopies()
	}
}

// shadowCopies makes one or two, at instants at which nothing else happens.
func (h *simHost) shadowCopies() {
	last := h.collected.Add(-2 * time.Hour)
	for range 1 + h.rng.IntN(2) {
		at := simMonday.Add(6*time.Hour + h.upTo(last.Sub(simMonday)-6*time.Hour))
		quiet := !slices.ContainsFunc(h.lines, func(l simLine) bool { return l.t.Sub(at).Abs() < time.Minute })
		if quiet && !h.isOff(at) && !(h.clock.from.Before(at) && at.Before(h.clock.to)) && at.Before(last) {
			h.shots = append(h.shots, at)
		}
	}
	slices.SortFunc(h.shots, time.Time.Compare)
	for _, at := range h.shots {
		h.say(at, "snapshot")
	}
}

// flushSystem decides how much of the SYSTEM hive has reached the disk.
func (h *simHost) flushSystem() {
	if h.chance(0.2) {
		h.systemSaved = h.collected.Add(-h.between(2*time.Hour, 30*time.Hour))
		h.say(h.systemSaved, "save SYSTEM")
	}
	if h.chance(0.2) {
		h.systemFrozen = h.collected.Add(-h.between(time.Minute, 50*time.Minute))
		h.say(h.systemFrozen, "freeze SYSTEM")
	}
}

// setClock moves the clock ahead in a night in which nothing else happens.
func (h *simHost) setClock() {
	to := simMonday.AddDate(0, 0, 1+h.rng.IntN(2)).Add(h.between(2*time.Hour, 4*time.Hour))
	from := to.Add(-h.between(2*time.Minute, 90*time.Minute))
	if h.isOff(to) || h.isOff(from) || to.After(h.collected) {
		return
	}
	for _, l := range h.lines {
		if l.t.After(from.Add(-time.Minute)) && l.t.Before(to.Add(time.Minute)) {
			return
		}
	}
	h.say(to, "clock %s from=%s", h.users[0].name, stamp(from))
	h.clock = presence{from: from, to: to}
}

func (h *simHost) clear(at time.Time, who, name, channel string) {
	h.say(at.Add(-200*time.Millisecond), "run %s elevated=yes wevtutil cl %s", who, channel)
	h.say(at, "clear %s %s", who, name)
	h.clears[channel] = at
}

// flush decides how much of the user's registry has reached the disk.
func (u *simUser) flush() {
	s := u.sessions[len(u.sessions)-1]
	end := u.collected
	if !s.to.IsZero() { // at logoff all is written
		return
	}
	if u.chance(0.3) {
		u.saved = s.from.Add(10*time.Minute + u.upTo(end.Sub(s.from)-20*time.Minute))
		u.say(u.saved, "save %s", u.name)
	}
	if u.chance(0.2) {
		u.frozen = end.Add(-u.between(time.Minute, 50*time.Minute))
		if u.frozen.Before(u.saved) {
			u.frozen = u.saved.Add(time.Second)
		}
		u.say(u.frozen, "freeze %s", u.name)
	}
}
