package output

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"
)

// wideNames are hostile texts that Windows can store, as UTF-16, in a name of a
// share, of a user or on a command line; the last has 32 KB there.
var wideNames = []string{
	`<script>window.broken=1</script>`, `</script><script>window.broken=1</script>`, `<!--<script>`, `<img src=x onerror=window.broken=1>`, `x onmouseover=window.broken=1`,
	"nul\x00behind", "esc\x1b[31m\u2028", "\u202egnp.exe\u2066\u200f", "😀𝔘\U000e0041", "=cmd()", "q\"uo,te", "line\r\nbreak", strings.Repeat("lo<ng>", 2700),
}

// analyzed writes hostile evidence, has the program analyze it, and returns the
// folder of results.
func analyzed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	profile := filepath.Join(dir, "ev", "C", "Users", "alice")
	logs := filepath.Join(dir, "ev", "C", "Windows", "System32", "winevt", "Logs")
	for _, d := range []string{profile, logs} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	escaped := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u{%X}`, r)
		}
		return b.String()
	}
	var reg strings.Builder
	reg.WriteString("!name=\\??\\C:\\Users\\" + escaped(wideNames[0]) + "\\ntuser.dat\n[Software\\Microsoft] 2026-03-01T08:00:00Z\n[Network] 2026-03-01T11:00:00Z\n")
	var events []evtxtest.Event
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	event := func(id uint32, data ...string) {
		e := evtxtest.Event{Channel: "Security", Provider: "Microsoft-Windows-Security-Auditing", Computer: "WS01", EventID: id, Time: at.Add(time.Duration(len(events)) * time.Minute)}
		for i := 0; i < len(data); i += 2 {
			e.Data = append(e.Data, evtxtest.Field{Name: data[i], Value: data[i+1]})
		}
		events = append(events, e)
	}
	for i, s := range wideNames {
		fmt.Fprintf(&reg, "[Network\\%c] 2026-03-01T09:00:00Z\nRemotePath=\\\\fs01\\%s\nUserName=%s\nProviderName=Microsoft Windows Network\nConnectionType=dword:1\n", 'D'+i, escaped(s), escaped(s))
		event(4688, "SubjectUserName", s, "NewProcessName", `C:\Windows\System32\net.exe`, "CommandLine", fmt.Sprintf(`net use %c: \\fs02\data`, 'D'+i))
		event(4688, "SubjectUserName", "alice", "NewProcessName", `C:\Windows\System32\net.exe`, "CommandLine", fmt.Sprintf(`net use %c: "\\fs02\%s"`, 'D'+i, s))
		event(5140, "SubjectUserName", "alice", "ShareName", `\\*\`+s, "IpAddress", "10.0.0.5")
	}
	hive, err := hivetest.Build(reg.String())
	if err != nil {
		t.Fatal(err)
	}
	log, err := evtxtest.Build(events, evtxtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{filepath.Join(profile, "NTUSER.DAT"): hive, filepath.Join(logs, "Security.evtx"): log} {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "results")
	cmd := exec.Command("go", "run", "./cmd/sharetrail", "analyze", filepath.Join(dir, "ev"), "-o", out, "-q", "--format", "json")
	cmd.Dir = filepath.Join("..", "..", "..")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%.2000s", err, b)
	}
	return out
}

// sameRows compares each CSV file of a folder with the JSON Lines beside it, by
// readers that are not ours: nested names joined by ".", lists of text by "; ",
// what is deeper as JSON.
const sameRows = `
import csv, json, os, sys
csv.field_size_limit(1 << 30)
cells = 0
objects = 'also_at', 'reasoning', 'benign', 'missing', 'holes' # lists of these, even when empty
def lookup(row, name):
    for part in name.split('.'):
        row = row[part]
    return row
for table in 'timeline', 'shares', 'gaps', 'coverage', 'problems':
    with open(os.path.join(sys.argv[1], table + '.csv'), encoding='utf-8', newline='') as f:
        lines = list(csv.reader(f, strict=True))
    with open(os.path.join(sys.argv[1], table + '.jsonl'), encoding='utf-8', newline='\n') as f:
        rows = [json.loads(line) for line in f]
    assert len(lines) == len(rows) + 1, table
    for n, (line, row) in enumerate(zip(lines[1:], rows)):
        assert len(line) == len(lines[0]), (table, n)
        for name, cell in zip(lines[0], line):
            want = lookup(row, name)
            if want is None: same = cell == ''
            elif isinstance(want, str): same = cell == want
            elif isinstance(want, list) and all(isinstance(w, str) for w in want) and name not in objects: same = cell == '; '.join(want)
            else: same = json.loads(cell) == want
            assert same, (table, n, name, cell[:200])
            cells += 1
print(cells, 'cells')
`

// From evidence to the page: nothing in a share, a user or a command line acts,
// all of it is shown, every row is drawn, and the tables open without loss.
func TestBrowserEvidence(t *testing.T) {
	dir := analyzed(t)
	t.Logf("%s", python(t, sameRows, dir))
	b := newBrowser(t)
	b.open(filepath.Join(dir, ReportName))
	b.eval("for (const d of document.querySelectorAll('details')) d.open = true")
	b.harmless()
	if got := b.text("(m => m.rows >= " + fmt.Sprint(3*len(wideNames)) + " && m.marks + m.undated === m.rows && m.shares >= " + fmt.Sprint(len(wideNames)) + ")(sharetrail.model())"); got != "true" {
		t.Errorf("%v", b.eval("sharetrail.model()"))
	}
	for _, want := range []string{`<script>window.broken=1</script>`, `<img src=x onerror=window.broken=1>`, `\u202egnp.exe\u2066\u200f`, `😀𝔘\U000e0041`, `lo<ng>lo<ng>`, `esc\x1b[31m\u2028`} {
		if got := b.text(fmt.Sprintf("document.body.innerText.includes(%q)", want)); got != "true" {
			t.Errorf("%s is not shown", want)
		}
	}
	// Each row opens, and so does what is long.
	b.eval(`(async () => {
		const rows = sharetrail.model().rows;
		for (const e of document.querySelectorAll('#rows-table td button, #shares-table td button')) {
			e.click();
			for (const more of document.querySelectorAll('#detail-body button.link')) if (more.textContent.startsWith('show all')) more.click();
		}
		return rows;
	})()`)
	b.harmless()
	if faults := b.text(accessible); faults != "" {
		t.Errorf("%s", faults)
	}
	b.save("evidence", false)
	b.eval("document.getElementById('detail-close').click()")
	b.eval("document.getElementById('chart').scrollIntoView()")
	b.save("evidence-chart", false)
	b.quiet()
}

// harmless checks that nothing of the evidence acts in the page.
func (b *browser) harmless() {
	b.t.Helper()
	for _, c := range []struct{ what, expression, want string }{
		{"code of the evidence ran", "String(window.broken)", "undefined"},
		{"elements of the evidence", "document.querySelectorAll('img,b script,bdi script,svg,iframe,object').length + document.scripts.length", "3"},
		{"style attributes", "document.querySelectorAll('[style]').length", "0"},
		{"attributes that act", "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length", "0"},
		{"characters without a shape", `(document.body.innerText.match(/[\p{Cf}\p{Zl}\p{Zp}]|[^\P{Cc}\n\t]/gu) ?? []).length`, "0"},
	} {
		if got := b.text(c.expression); got != c.want {
			b.t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
