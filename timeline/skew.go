package timeline

import (
	"fmt"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// Two computers' clocks are taken to agree within these bounds where nothing
// measures them: Kerberos lets clients differ by five minutes (MaxClockSkew).
const clocksAgree = 5 * time.Minute

// A Skew is how far the clock of a server is ahead of that of a client. It is
// measured from what both recorded of the same connections.
type Skew struct {
	Ahead    time.Duration // of the server's clock; 0 if not measured
	Error    time.Duration // how far that may be wrong, either way
	Sessions int           // how many it is measured from
}

// String says how the clocks compare, in a sentence.
func (s *Skew) String() string {
	if s.Sessions == 0 && s.Error > clocksAgree {
		return fmt.Sprintf("nothing measures how the two clocks differ, and one of them was moved: they are taken to agree within %s", Lasting(s.Error.Round(time.Second)))
	}
	if s.Sessions == 0 {
		return "nothing measures how the two clocks differ: they are taken to agree within " + Lasting(clocksAgree)
	}
	from := "one connection"
	if s.Sessions > 1 {
		from = fmt.Sprintf("%d connections", s.Sessions)
	}
	side := "ahead"
	if s.Ahead < 0 {
		side = "behind"
	}
	return fmt.Sprintf("the server's clock is %s by %s, give or take %s, measured from %s that both recorded", side, Lasting(s.Ahead), Lasting(s.Error), from)
}

// Local returns the earliest and the latest reading of the client's clock at
// the instant t of the server's.
func (s *Skew) Local(t time.Time) (from, to time.Time) {
	t = t.Add(-s.Ahead)
	return t.Add(-s.Error), t.Add(s.Error)
}

// measure estimates how the clocks of each client and server differ: from the
// connections whose making the client dates and whose share the server saw
// opened by the same account exactly once near then.
func (a *atlas) measure() {
	ahead := map[pairOf][]time.Duration{}
	slack := map[pairOf]time.Duration{}
	for _, s := range a.cases {
		for _, v := range s.Visitors() {
			if v.Client == nil {
				continue
			}
			p := pairOf{v.Client, s}
			for _, o := range v.Opens {
				l := a.anchor(v, o)
				if l == nil {
					continue
				}
				ahead[p] = append(ahead[p], o.Time.Sub(l.Mapped.NotBefore))
				slack[p] = max(slack[p], l.Mapped.NotAfter.Sub(l.Mapped.NotBefore), EffectBefore)
			}
		}
	}
	for p, list := range ahead {
		slices.Sort(list)
		s := &Skew{Ahead: list[len(list)/2], Sessions: len(list)}
		s.Error = max(list[len(list)-1]-s.Ahead, s.Ahead-list[0]) + slack[p] + p.client.self().moved + p.server.self().moved // what is measured at one time may be wrong by that at another
		a.skews[p] = s
	}
}

// anchor returns the one connection of v's client that was made within the
// bounds of unmeasured clocks around o, in which v opens a share; nil if there
// is none, or several, or another session opened the share as near.
func (a *atlas) anchor(v *Visit, o *evidence.Fact) (found *Life) {
	near := func(t time.Time) bool { return o.Time.Sub(t).Abs() <= clocksAgree }
	for _, x := range a.ofHost[opened(v, o).shareOf] {
		m := x.l.Mapped
		if m.NotBefore.IsZero() || m.NotAfter.IsZero() || !near(m.NotBefore) || !a.sameAccount(x, v) {
			continue
		}
		if found != nil {
			return nil
		}
		found = x.l
	}
	if found == nil {
		return nil
	}
	n := 0
	for _, t := range a.opens[opened(v, o)] {
		if o.Time.Sub(t).Abs() <= clocksAgree {
			n++
		}
	}
	if n > 1 {
		return nil
	}
	return found
}

// skew returns how the clocks of two hosts compare.
func (a *atlas) skew(client, server *Case) *Skew {
	p := pairOf{client, server}
	if a.skews[p] == nil {
		a.skews[p] = &Skew{Error: clocksAgree + client.self().moved + server.self().moved}
	}
	return a.skews[p]
}
