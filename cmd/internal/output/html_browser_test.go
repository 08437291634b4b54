package output

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharetrail/timeline"
)

// page writes a report for the browser to open.
func (b *browser) page(r *timeline.Report, m *Manifest, o HTMLOptions) string {
	b.t.Helper()
	name := filepath.Join(b.t.TempDir(), ReportName)
	if err := os.WriteFile(name, []byte(writePage(b.t, r, m, o)), 0o644); err != nil {
		b.t.Fatal(err)
	}
	return name
}

// quiet checks that the page had nothing to complain about and asked for nothing.
func (b *browser) quiet() {
	b.t.Helper()
	for _, f := range b.faults {
		b.t.Errorf("console: %.500s", f)
	}
	for _, r := range b.requests {
		b.t.Errorf("the page asked for %q", r)
	}
}

// accessible is a function of the page that names what people with a keyboard,
// a reader or weak eyes would stumble over. Contrast is that of WCAG 2.2, 1.4.3.
const accessible = `(() => {
  const faults = [], canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (c, under) => { canvas.globalAlpha = 1; canvas.fillStyle = under ?? '#fff'; canvas.fillRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const light = c => c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return getComputedStyle(document.body).backgroundColor; };
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest('script,style,noscript,option,:disabled')) continue;
    const [a, z] = [light(rgb(getComputedStyle(e).color)), light(rgb(back(e)))].sort((x, y) => y - x);
    if ((a + 0.05) / (z + 0.05) < 4.5) faults.push('contrast ' + ((a + 0.05) / (z + 0.05)).toFixed(2) + ' of ' + e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 30));
  }
  for (const e of document.querySelectorAll('button,a[href],input,select,[tabindex="0"]')) {
    if (!(e.textContent.trim() && e.tagName !== 'SELECT') && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.labels?.length) faults.push('no name: ' + e.outerHTML.slice(0, 80));
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('two of id ' + id);
  for (const e of document.querySelectorAll('[aria-labelledby],[aria-describedby]')) for (const id of (e.getAttribute('aria-labelledby') + ' ' + (e.getAttribute('aria-describedby') ?? '')).split(' ')) if (id && id !== 'null' && !document.getElementById(id)) faults.push('no such id: ' + id);
  for (const e of document.querySelectorAll('table')) if (!e.querySelector('th[scope]') || !(e.caption || e.getAttribute('aria-label'))) faults.push('table without a name or heads');
  if (document.documentElement.lang !== 'en' || document.querySelectorAll('h1').length !== 1) faults.push('language or title');
  return [...new Set(faults)].slice(0, 20).join('\n');
})()`

// Text of the evidence is shown as text, wherever it stands, and never acts.
func TestBrowserHostile(t *testing.T) {
	b := newBrowser(t)
	b.open(b.page(hostileReport(), hostileManifest(), HTMLOptions{Rules: []timeline.Rule{{ID: "G03"}}}))
	b.eval(`(() => {
		for (const d of document.querySelectorAll('details')) d.open = true;
		for (const kind of ['rows', 'shares', 'coverage', 'problems']) for (const e of document.querySelectorAll('#' + kind + '-table td button')) e.click();
		for (const e of document.querySelectorAll('.finding button')) e.click();
		for (const e of document.querySelectorAll('button.link')) if (e.textContent.startsWith('show all')) e.click();
	})()`)
	b.harmless()
	for _, c := range []struct{ what, expression, want string }{
		{"markup shown as text", "document.getElementById('findings').innerText.includes('<img src=x onerror=window.broken=1>')", "true"},
		{"mark of direction shown", `document.getElementById('findings').innerText.includes('\\u202egnp.exe\\u2066')`, "true"},
		{"NUL shown", `document.getElementById('findings').innerText.includes('a\\x00b\\x1b[31m\\r\\n\\u2028')`, "true"},
		{"characters beyond the BMP", `document.getElementById('findings').innerText.includes('😀𝔘\\U000e0041')`, "true"},
		{"long names in full", `document.getElementById('findings').innerText.split('long').length > 3000`, "true"},
		{"all findings", "sharetrail.model().gaps", fmt.Sprint(len(hostile))},
	} {
		if got := b.text(c.expression); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	b.save("hostile", false)
	b.quiet()
}

// counts is what the page must show for a filter.
type counts struct{ rows, undated, shares int }

// expect works out, from the report alone, what a filter lets through.
func expect(r *timeline.Report, host, user, share string) (n counts) {
	fits := func(value, want string) bool { return want == "" || strings.EqualFold(value, want) }
	named := map[string]bool{}
	for _, c := range r.Connections {
		if fits(c.Host, host) && fits(c.User, user) && fits(c.Share, share) {
			n.shares++
			for _, id := range c.Observations {
				named[id] = true
			}
		}
	}
	for _, o := range r.Observations {
		if named[o.ID] || fits(o.Host, host) && fits(o.User, user) && fits(o.Share, share) {
			n.rows++
			if o.Time.IsZero() {
				n.undated++
			}
		}
	}
	return n
}

// After each filter every row that is shown and dated is drawn, once counted.
func TestBrowserModel(t *testing.T) {
	b := newBrowser(t)
	r := bigReport(5000)
	b.open(b.page(r, &Manifest{}, HTMLOptions{}))
	for _, f := range []struct{ host, user, share string }{
		{}, {host: "WS003"}, {user: "user2"}, {share: `\\fs01\share4`}, {share: `\\FS01\SHARE4`}, {"WS001", "user1", `\\fs00\share6`}, {"WS001", "user1", `\\fs00\share7`},
	} {
		b.eval(fmt.Sprintf("sharetrail.filter({host: %q, user: %q, share: %q})", f.host, f.user, f.share))
		want := expect(r, f.host, f.user, f.share)
		got := b.text("(m => [m.rows, m.undated, m.shares].join(' '))(sharetrail.model())")
		if got != fmt.Sprintf("%d %d %d", want.rows, want.undated, want.shares) {
			t.Errorf("%v: rows, undated, connections %s, want %v", f, got, want)
		}
		if marks := b.text("sharetrail.model().marks"); marks != fmt.Sprint(want.rows-want.undated) {
			t.Errorf("%v: %s marks drawn of %d dated rows", f, marks, want.rows-want.undated)
		}
		if lanes := b.text("sharetrail.model().lanesOfConnections"); lanes != fmt.Sprint(want.shares) {
			t.Errorf("%v: %s lanes of %d connections", f, lanes, want.shares)
		}
	}
	// The text filter is typed as a person would.
	b.eval("sharetrail.filter({})")
	b.eval("(e => { e.focus(); e.value = 'ACCESS 4242.'; e.dispatchEvent(new Event('input')); })(document.getElementById('filter-text'))")
	b.eval("new Promise(done => setTimeout(done, 400))")
	if got := b.text("(m => m.rows + ' ' + m.marks)(sharetrail.model())"); got != "1 1" {
		t.Errorf("text: rows and marks %s", got)
	}
	if got := b.text("document.querySelectorAll('#rows-table tbody tr[data-row]').length"); got != "1" {
		t.Errorf("%s rows in the table", got)
	}
	b.quiet()
}

// The page can be used with the keyboard alone: from a finding to its lane, to
// its marks, to their evidence, and back.
func TestBrowserKeyboard(t *testing.T) {
	b := newBrowser(t)
	b.open(b.page(bigReport(2000), &Manifest{}, HTMLOptions{}))
	press := func(key string) {
		code := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "+": 107, ".": 190}[key]
		text := map[string]string{"Enter": "\r", ".": ".", "+": "+"}[key]
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": code, "text": text}, nil)
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}, nil)
	}
	where := func(want, expression string) {
		t.Helper()
		if got := b.text(expression); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
	press("Tab")
	where("Skip to the findings", "document.activeElement.textContent")
	b.eval("document.querySelector('.finding .tools button').focus()")
	press("Enter") // Show on the timeline
	where("true", "sharetrail.model().selected.lane > 0")
	b.eval("document.getElementById('lanes').focus()")
	before := b.text("(v => v.to - v.from)(sharetrail.model().view)")
	press("+")
	where("true", "(v => v.to - v.from)(sharetrail.model().view) < "+before)
	press(".")
	where("true", "sharetrail.model().selected.row >= 0")
	where("true", "document.getElementById('chart-status').textContent.length > 20")
	press("Enter")
	where("detail", "document.activeElement.id")
	where("Row", "document.getElementById('detail-head').textContent")
	press("Escape")
	where("lanes", "document.activeElement.id")
	where("true", "document.getElementById('detail').hidden")
	b.eval("document.querySelector('#rows-table th button').focus()")
	press("Enter")
	press("Enter")
	where("descending", "document.querySelector('#rows-table th').getAttribute('aria-sort')")
	b.quiet()
}

// What a person sees: in both schemes of colours, narrow and wide, on paper.
func TestBrowserLooks(t *testing.T) {
	b := newBrowser(t)
	page := b.page(hostileReport(), hostileManifest(), HTMLOptions{Rules: []timeline.Rule{{ID: "G03", Claim: "c"}}, Artifacts: []HTMLArtifact{{Name: "lnk"}}})
	for _, colours := range []string{"light", "dark"} {
		b.media("screen", colours)
		b.open(page)
		b.eval("for (const d of document.querySelectorAll('details')) d.open = true; document.querySelector('#rows-table td button').click()")
		if faults := b.text(accessible); faults != "" {
			t.Errorf("%s:\n%s", colours, faults)
		}
	}
	b.size(480, 900)
	b.open(page)
	if got := b.text("document.documentElement.scrollWidth <= 480"); got != "true" {
		t.Errorf("the page is %s pixels wide on a screen of 480", b.text("document.documentElement.scrollWidth"))
	}
	b.media("", "dark")
	b.size(1280, 900)
	b.open(page)
	if pdf := b.print("hostile"); !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 20000 {
		t.Errorf("printed %d bytes", len(pdf))
	}
	b.quiet()
}

// TestBrowserWithoutScript: a page whose script does not run says so, and shows no
// empty "Findings", as if there were none.
func TestBrowserWithoutScript(t *testing.T) {
	b := newBrowser(t)
	page := b.page(hostileReport(), hostileManifest(), HTMLOptions{})
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.call("Page.navigate", map[string]any{"url": "file://" + filepath.ToSlash(page)}, nil)
	for range 100 {
		if b.eval("document.readyState === 'complete' && !!document.querySelector('noscript .notice')") == true {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	got := b.text("document.body.innerText")
	if !strings.Contains(got, "This page shows no data") || !strings.Contains(got, "gaps.csv") || strings.Contains(got, "Findings") {
		t.Errorf("without its script the page shows %q", got)
	}
}

// A report without anything, and one connection with all rows, are pages, too.
func TestBrowserExtremes(t *testing.T) {
	b := newBrowser(t)
	b.open(b.page(&timeline.Report{}, &Manifest{}, HTMLOptions{}))
	if got := b.text("document.getElementById('finding-list').textContent"); !strings.HasPrefix(got, "No findings. That does not prove") {
		t.Errorf("%q", got)
	}
	b.save("empty", false)
	r := bigReport(200_000)
	r.Connections = r.Connections[:1]
	r.Connections[0].Observations = nil
	for _, o := range r.Observations {
		r.Connections[0].Observations = append(r.Connections[0].Observations, o.ID)
	}
	b.open(b.page(r, &Manifest{}, HTMLOptions{MaxRows: 150_000}))
	if got := b.text("(m => m.rows === 150000 && m.marks + m.undated === m.rows)(sharetrail.model())"); got != "true" {
		t.Errorf("%v", b.eval("sharetrail.model()"))
	}
	if got := b.text("document.getElementById('notice').textContent"); !strings.Contains(got, "150,000 of 200,000 rows") {
		t.Errorf("the page does not say what it leaves out: %q", got)
	}
	b.quiet()
}

// usable are what a person does with a page, and how long the page may take for
// it, in milliseconds: several times what one slow core needs.
var usable = []struct {
	what, act string
	limit     float64
}{
	{"filter by host", "sharetrail.filter({host: 'WS004'})", 4000},
	{"filter by text", "sharetrail.filter({text: 'access 4711'})", 8000},
	{"filter by text again", "sharetrail.filter({text: 'access 99'})", 4000},
	{"show all", "sharetrail.filter({})", 6000},
	{"sort by summary", "document.querySelectorAll('#rows-table th button')[6].click()", 8000},
	{"scroll to the middle", "document.getElementById('rows-table-scroll').scrollTop = 1.4e6", 2000},
	{"draw the whole span", "document.getElementById('zoom-all').click()", 2000},
}

// measure opens a page and returns how long it takes for what, until the next
// picture is drawn, in milliseconds.
func (b *browser) measure(name string, each func(what string, took, limit float64)) {
	b.t.Helper()
	b.open(name)
	number := func(expression string) float64 {
		took, _ := b.eval(expression).(float64)
		return took
	}
	each("first contentful paint", number("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"), 10_000)
	each("rows and drawing", number("sharetrail.times.whole"), 20_000)
	for _, u := range usable {
		each(u.what, number("(async () => { const from = performance.now(); "+u.act+"; await new Promise(done => requestAnimationFrame(() => setTimeout(done))); return performance.now() - from; })()"), u.limit)
	}
}

// A page of 100,000 rows stays usable; the log has the figures.
func TestBrowserLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 100,000 rows not opened")
	}
	b := newBrowser(t)
	name := b.page(bigReport(100_000), &Manifest{}, HTMLOptions{})
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	b.measure(name, func(what string, took, limit float64) {
		t.Logf("%s: %.0f ms", what, took)
		if took <= 0 || took > limit {
			t.Errorf("%s took %.0f ms, limit %.0f", what, took, limit)
		}
	})
	if n := b.text("document.querySelectorAll('#rows-table tbody tr').length < 80"); n != "true" {
		t.Errorf("%s rows are in the page", b.text("document.querySelectorAll('#rows-table tbody tr').length"))
	}
	if got := b.text("(m => m.marks + m.undated)(sharetrail.model())"); got != "100000" {
		t.Errorf("%s marks and undated rows", got)
	}
	b.save("large", false)
	b.eval("document.getElementById('chart').scrollIntoView()")
	b.save("large-chart", false)
	b.quiet()
}

// BenchmarkBrowser measures the same, in milliseconds.
func BenchmarkBrowser(b *testing.B) {
	page := newBrowser(b)
	name := page.page(bigReport(100_000), &Manifest{}, HTMLOptions{})
	for b.Loop() {
		page.measure(name, func(what string, took, _ float64) {
			b.ReportMetric(took, strings.ReplaceAll(what, " ", "-")+"-ms")
		})
	}
}

// Shipped cases, from the scenario to the page.
func TestBrowserCases(t *testing.T) {
	b := newBrowser(t)
	root := filepath.Join("..", "..", "..")
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", append([]string{"run"}, args...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for _, name := range []string{"tg3390", "robbinhood"} {
		dir := t.TempDir()
		evidence, results := filepath.Join(dir, "evidence"), filepath.Join(dir, "results")
		run("./cmd/sharelab", "build", filepath.Join("testdata", "cases", name, "scenario.txtar"), "-o", evidence)
		hosts, err := filepath.Glob(filepath.Join(evidence, "*"))
		if err != nil {
			t.Fatal(err)
		}
		run(append([]string{"./cmd/sharetrail", "analyze", "-q", "--format", "json", "-o", results}, hosts...)...)
		b.media("screen", "light")
		b.size(1280, 900)
		b.open(filepath.Join(results, ReportName))
		if got := b.text("(m => m.gaps > 0 && m.rows > 0 && m.marks + m.undated === m.rows)(sharetrail.model())"); got != "true" {
			t.Errorf("%s: %v", name, b.eval("sharetrail.model()"))
		}
		if faults := b.text(accessible); faults != "" {
			t.Errorf("%s:\n%s", name, faults)
		}
		for _, width := range []int{1280, 400} {
			b.size(width, 900)
			if got := b.text("(l => l.length + ' times, in pieces ' + l.filter(e => e.getClientRects().length > 1).length + ', cut ' + l.filter(e => e.getBoundingClientRect().right > innerWidth).length)([...document.querySelectorAll('h3 .time')])"); !strings.HasSuffix(got, "times, in pieces 0, cut 0") || strings.HasPrefix(got, "0") {
				t.Errorf("%s, %d pixels wide: the claims have %s", name, width, got)
			}
		}
		b.size(1280, 900)
		b.pictures(name)
	}
	b.quiet()
}

// pictures saves what a person looks at, for people to judge.
func (b *browser) pictures(name string) {
	b.save(name, false)
	for _, part := range []string{"chart", "shares", "manifest"} {
		b.eval("document.getElementById('" + part + "').scrollIntoView()")
		b.save(name+"-"+part, false)
	}
	b.media("screen", "dark")
	b.eval("document.querySelector('.finding .tools button').click()")
	b.eval("document.querySelectorAll('#rows-table td button')[4].click()")
	b.save(name+"-dark", false)
	b.eval("document.getElementById('detail-close').click()")
	b.media("screen", "light")
	b.size(480, 900)
	b.eval("scrollTo(0, 0)")
	b.save(name+"-480", false)
	b.eval("document.getElementById('chart').scrollIntoView()")
	b.save(name+"-480-chart", false)
	b.media("", "light")
	b.size(1280, 900)
	b.print(name)
}
