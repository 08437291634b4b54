package output

import (
	"os"
	"testing"

	"sharetrail/timeline"
)

// axe loads the accessibility checker axe-core into the page, which the tools of
// the browser may do and the page may not.
func (b *browser) axe() {
	b.t.Helper()
	name := os.Getenv("SHARETRAIL_AXE") // of axe.min.js; .ci/run installs it
	if name == "" {
		b.t.Skip("oracle axe-core: SHARETRAIL_AXE is not set")
	}
	code, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	b.eval(string(code) + "; true")
}

// violations names what axe-core finds in the page as it stands.
func (b *browser) violations() string {
	b.t.Helper()
	return b.text(`axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ' (' + v.impact + ', ' + v.nodes.length + '): ' + v.help + ' ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 150)).join(' | ')).join('\n'))`)
}

// axe-core finds nothing, in both schemes of colours, wide and narrow, with all
// that can be opened open: not with ordinary rows, not with hostile ones, not with
// none.
func TestBrowserAxe(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: accessibility not checked")
	}
	b := newBrowser(t)
	for name, r := range map[string]*timeline.Report{"empty": {}, "ordinary": bigReport(300), "hostile": hostileReport()} {
		page := b.page(r, hostileManifest(), HTMLOptions{Rules: []timeline.Rule{{ID: "G03", Claim: "c"}}, Artifacts: []HTMLArtifact{{Name: "lnk", Proves: "p"}}})
		for _, look := range []struct {
			colours string
			width   int
		}{{"light", 1280}, {"dark", 1280}, {"light", 480}} {
			b.media("screen", look.colours)
			b.size(look.width, 900)
			b.open(page)
			b.axe()
			for _, act := range []string{"true", "for (const d of document.querySelectorAll('details')) d.open = true", "document.querySelector('#rows-table td button')?.click()"} {
				b.eval(act)
				b.settle()
				if v := b.violations(); v != "" {
					t.Errorf("%s, %s, %d pixels, after %s:\n%s", name, look.colours, look.width, act, v)
				}
			}
		}
	}
	if n, _ := b.eval("axe.run(document).then(r => r.passes.length)").(float64); n < 10 {
		t.Errorf("axe-core found only %v rules to hold", n)
	}
	b.quiet()
}
