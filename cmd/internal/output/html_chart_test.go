package output

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// The pointer shows the evidence below it, zooms, moves, and opens what it
// clicks; an address opens the finding that it names.
func TestBrowserPointer(t *testing.T) {
	b := newBrowser(t)
	at := when.Add(-time.Hour)
	name := b.page(&timeline.Report{
		Hosts: []string{"WS01"},
		Observations: []evidence.Observation{
			{ID: "1111111111111111", Time: at, Action: evidence.Command, Host: "WS01", Summary: "A command was given to map it."},
			{ID: "2222222222222222", Time: when, Action: evidence.LogCleared, Host: "WS01", Summary: "The Security log was cleared."},
		},
		Connections: []timeline.Connection{{ID: "c1", Host: "WS01", User: "alice", Share: `\\fs01\finance`, Drive: "Z:", Status: timeline.StatusRemoved, Mapped: timeline.At(at, timeline.ByCommand),
			Removed: timeline.Window{NotBefore: when.Add(-20 * time.Minute), NotAfter: when, Basis: timeline.HiveState}, Observations: []string{"1111111111111111"}}},
		Gaps: []timeline.Gap{{ID: "G03-12345678", Severity: timeline.High, Confidence: timeline.Likely, Host: "WS01", Claim: "It was removed.", Window: timeline.Window{NotBefore: when.Add(-20 * time.Minute), NotAfter: when}, Connections: []string{"c1"}}},
	}, &Manifest{}, HTMLOptions{})
	b.open(name)
	b.eval("document.getElementById('chart').scrollIntoView()")
	// share is that of the time from the mapping to the removal; the labels are
	// 280 pixels wide.
	point := func(share float64, lane int) (x, y float64) {
		view := b.eval("(v => [v.from, v.to])(sharetrail.model().view)").([]any)
		from, to := view[0].(float64), view[1].(float64)
		share = (float64(at.UnixMilli()) + share*3600e3 - from) / (to - from)
		box := b.eval("(r => [r.left, r.top, r.width])(document.getElementById('canvas').getBoundingClientRect())").([]any)
		width := box[2].(float64) - 10 - 280
		return box[0].(float64) + 280 + width*share, box[1].(float64) + []float64{15, 49}[lane]
	}
	mouse := func(kind string, x, y float64, more map[string]any) {
		p := map[string]any{"type": kind, "x": x, "y": y}
		for k, v := range more {
			p[k] = v
		}
		b.call("Input.dispatchMouseEvent", p, nil)
		b.settle()
	}
	for _, c := range []struct {
		what  string
		share float64
		lane  int
		want  string
	}{
		{"mark", 0, 1, "A command was given to map it."}, {"bar", 0.3, 1, "mapped at"}, {"finding", 0.9, 1, "It was removed."}, {"mark of the host", 1, 0, "The Security log was cleared."},
	} {
		x, y := point(c.share, c.lane)
		mouse("mouseMoved", x, y, nil)
		if got := b.text("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText"); !strings.Contains(got, c.want) {
			t.Errorf("tip of %s: %q, want %q", c.what, got, c.want)
		}
		b.save("tip-"+strings.ReplaceAll(c.what, " ", "-"), false)
	}
	press := map[string]any{"button": "left", "buttons": 1, "clickCount": 1}
	x, y := point(0, 1)
	mouse("mousePressed", x, y, press)
	mouse("mouseReleased", x, y, press)
	if got := b.text("document.getElementById('detail-body').innerText"); !strings.Contains(got, "1111111111111111") {
		t.Errorf("click opened %q", got)
	}
	b.eval("document.getElementById('detail-close').click()")
	width := func() float64 { return b.eval("(v => v.to - v.from)(sharetrail.model().view)").(float64) }
	before := width()
	mouse("mouseWheel", x, y, map[string]any{"deltaX": 0, "deltaY": -100, "modifiers": 2})
	if after := width(); after >= before {
		t.Errorf("zoom from %v to %v", before, after)
	}
	from := b.eval("sharetrail.model().view.from").(float64)
	mouse("mousePressed", x+200, y, press)
	mouse("mouseMoved", x+100, y, press)
	mouse("mouseReleased", x+100, y, press)
	if got := b.eval("sharetrail.model().view.from").(float64); got <= from {
		t.Errorf("dragging to the left moved from %v to %v", from, got)
	}
	b.open(name + "#G03-1234")
	if got := b.text("document.activeElement.id"); got != "gap-0" {
		t.Errorf("the address opens %q", got)
	}
	b.quiet()
}

// A bar claims no more than the windows of its connection do.
func TestBrowserBars(t *testing.T) {
	b := newBrowser(t)
	hour := func(n int) time.Time { return when.Add(time.Duration(n) * time.Hour) }
	window := func(a, z int) (w timeline.Window) { // 0: open
		if a != 0 {
			w.NotBefore = hour(a)
		}
		if z != 0 {
			w.NotAfter = hour(z)
		}
		return w
	}
	r := &timeline.Report{Coverage: []timeline.CoverageRow{{Host: "WS01", To: hour(20)}}}
	want := map[string]string{}
	for _, c := range []struct {
		id              string
		status          timeline.Status
		mapped, removed timeline.Window
		used            int
		want            string // first, from, to, last in hours; window of the end
	}{
		{"exact", timeline.StatusRemoved, window(1, 1), window(5, 5), 3, "1 1 5 5 end 5 5"},
		{"soft", timeline.StatusRemoved, window(1, 2), window(5, 7), 3, "1 2 5 7 end 5 7"},
		{"overlap", timeline.StatusRemoved, window(1, 6), window(3, 9), 0, "1 6 3 9 end 3 9"},
		{"no start", timeline.StatusRemoved, window(0, 0), window(5, 7), 0, "open 5 5 7 end 5 7"},
		{"no end", timeline.StatusRemoved, window(1, 2), window(0, 7), 4, "1 2 4 7 end - 7"},
		{"use after end", timeline.StatusRemoved, window(1, 2), window(0, 3), 4, "1 2 3 3 end - 3"},
		{"ended", timeline.StatusEnded, window(1, 2), window(6, 0), 4, "1 2 6 open end 6 -"},
		{"there", timeline.StatusMapped, window(0, 2), window(0, 0), 0, "open 2 20 20 end - -"},
		{"used", timeline.StatusUsedOnly, window(0, 0), window(0, 0), 4, "open 4 4 open end - -"},
	} {
		conn := timeline.Connection{ID: c.id, Host: "WS01", Status: c.status, Mapped: c.mapped, Removed: c.removed}
		if c.used != 0 {
			conn.FirstUsed, conn.LastUsed = hour(c.used), hour(c.used)
		}
		r.Connections = append(r.Connections, conn)
		want[c.id] = c.want
	}
	r.Connections = append(r.Connections, timeline.Connection{ID: "nothing known", Host: "WS01", Status: timeline.StatusUnknown})
	b.open(b.page(r, &Manifest{}, HTMLOptions{}))
	bars := b.eval(fmt.Sprintf(`sharetrail.model().bars.map(b => {
		const h = t => Number.isNaN(t) ? '-' : Math.round((t - %d) / 3600e3);
		return [b.id, [b.openStart ? 'open' : h(b.first), h(b.from), h(b.to), b.openEnd ? 'open' : h(b.last), 'end', ...b.end.map(h)].join(' ')];
	})`, when.UnixMilli())).([]any)
	if len(bars) != len(want) {
		t.Errorf("%d bars, want %d", len(bars), len(want))
	}
	for _, bar := range bars {
		pair := bar.([]any)
		if id := pair[0].(string); pair[1] != want[id] {
			t.Errorf("%s: %v, want %s", id, pair[1], want[id])
		}
	}
	b.eval("document.getElementById('chart').scrollIntoView()")
	b.save("bars", false)
	b.quiet()
}

// Times are shown in the zone that was asked for, with their offset; the years
// that only a damaged FILETIME gives are shown and drawn, too.
func TestBrowserZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	b := newBrowser(t)
	r := &timeline.Report{Observations: []evidence.Observation{
		{ID: "1", Time: time.Date(2026, 3, 29, 0, 59, 59, 1234500, time.UTC)}, {ID: "2", Time: time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
		{ID: "3", Time: time.Date(1601, 1, 1, 12, 0, 0, 100, time.UTC)}, {ID: "4", Time: time.Date(30828, 9, 14, 2, 48, 5, 0, time.UTC)}, {ID: "5"},
	}}
	r.Observations[1].TimeKind = evidence.AtOrBefore
	for _, c := range []struct {
		zone Zone
		want string
	}{
		{Zone{}, "2026-03-29 00:59:59Z|≤ 2026-03-29 01:00:00Z|1601-01-01 12:00:00Z|30828-09-14 02:48:05Z|undated"},
		{Zone{time.FixedZone("east", 19800)}, "2026-03-29 06:29:59+05:30|≤ 2026-03-29 06:30:00+05:30|1601-01-01 17:30:00+05:30|30828-09-14 08:18:05+05:30|undated"},
		{Zone{berlin}, "2026-03-29 01:59:59+01:00|≤ 2026-03-29 03:00:00+02:00|"},
	} {
		b.open(b.page(r, &Manifest{}, HTMLOptions{Zone: c.zone}))
		if got := b.text("[...document.querySelectorAll('#rows-table td button')].map(e => e.textContent).join('|')"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, want %s", got, c.want)
		}
		if got := b.text("(m => m.marks + ' ' + m.undated)(sharetrail.model())"); got != "4 1" {
			t.Errorf("marks and undated rows: %s", got)
		}
	}
	b.eval("document.querySelector('#rows-table td button').click()")
	if got := b.text("document.getElementById('detail-body').innerText.includes('2026-03-29 01:59:59.0012345+01:00')"); got != "true" {
		t.Error("the detail has not the whole time")
	}
	b.quiet()
}
