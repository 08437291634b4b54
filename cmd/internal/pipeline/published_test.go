package pipeline

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/lab"
	"sharetrail/parsers/eventlog"
)

// A started is a process or a script block, as a log has it.
type started struct{ image, commandLine, script string }

// analytic1 is MITRE ATT&CK's "Analytic 1" of T1070.005, which is MITRE CAR's
// CAR-2020-11-007, for Sysmon 1 and Security 4688. Splunk compares without case.
//
//	Image="C:\\Windows\\System32\\net.exe" AND CommandLine="*delete*"
//	OR CommandLine="*Remove-SmbShare*" OR CommandLine="*Remove-FileShare*"
//
// The last two are asked of script blocks as well, as Sigma's rule
// posh_ps_susp_mounted_share_deletion does.
func analytic1(p started) bool {
	line := strings.ToLower(p.commandLine + p.script)
	return strings.EqualFold(p.image, `C:\Windows\System32\net.exe`) && strings.Contains(strings.ToLower(p.commandLine), "delete") ||
		strings.Contains(line, "remove-smbshare") || strings.Contains(line, "remove-fileshare")
}

// sentinel is the published Sentinel and Defender query for T1070.005, both of
// its branches:
//
//	FileName in~ ("net.exe", "net1.exe") and ProcessCommandLine has "use"
//	and (ProcessCommandLine has_any ("/delete", "/DELETE", "/d") or ProcessCommandLine has "*")
func sentinel(p started) bool {
	name := strings.ToLower(p.image[strings.LastIndexAny(p.image, `\/`)+1:])
	if name != "net.exe" && name != "net1.exe" || !has(p.commandLine, "use") {
		return false
	}
	return has(p.commandLine, "/delete") || has(p.commandLine, "/d") || strings.Contains(p.commandLine, "*")
}

// has is KQL's operator: a term, in any case, with no letter or digit beside it.
func has(text, term string) bool {
	return regexp.MustCompile(`(?i)(^|[^0-9a-z])` + regexp.QuoteMeta(term) + `($|[^0-9a-z])`).MatchString(text)
}

// removals are the classes of a row that tells of a command which removes a
// connection or a share.
var removals = []string{"use.delete", "mapping.remove", "share.delete", "key.delete", "value.delete"}

// notOurs says what a line that a published rule matches is, if it is no
// removal of a connection or share; "" for all others. It shares no code with
// the classifier.
func notOurs(p started) string {
	line := " " + strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(p.commandLine, `"`, " "))), " ") + " "
	for _, of := range []string{"user", "localgroup", "group", "computer", "session", "sessions", "accounts"} {
		if strings.Contains(line, " "+of+" ") && !strings.Contains(line, " use ") && !strings.Contains(line, " share ") {
			return "net " + of + " ... /delete: accounts and sessions, no connection"
		}
	}
	switch {
	case p.script != "" && regexp.MustCompile(`(?is)Export-ModuleMember|Cmdletization|ObjectModelWrapper|function Remove-(Smb|File)Share|MSFT_`).MatchString(p.script):
		return "module text: the definition of Remove-SmbShare, not a call"
	case strings.Contains(line, " use * \\\\") || strings.Contains(line, " use *: "):
		return "net use * \\\\server\\share: maps the next free letter"
	case strings.Contains(line, " use ") && strings.HasSuffix(line, " * "), regexp.MustCompile(` use \S+ \\\\\S+ \* `).MatchString(line):
		return "net use X: \\\\server\\share *: maps, and asks for the password"
	case strings.Contains(line, " use ") && regexp.MustCompile(`\\\\\S+`).MatchString(line) && !regexp.MustCompile(`/d(e(l(e(t(e)?)?)?)?)? `).MatchString(line):
		return "net use that maps, with * in another place"
	}
	return ""
}

// compared counts what the published rules match, by what it is for us.
type compared struct {
	ours  map[string]int // by published rule
	other map[string]int // what they match and we do not, by class
	wrong []string
	asked int // processes and script blocks
}

// compare reads one log, asks the published rules, and compares what they match
// with the rows of a run over it.
func (c *compared) compare(t *testing.T, file string) {
	matched := map[uint64][]string{} // by record id
	lines := map[uint64]started{}
	for id, p := range processes(t, file) {
		c.asked++
		for name, rule := range map[string]func(started) bool{"Analytic 1": analytic1, "Sentinel": sentinel} {
			if rule(p) {
				matched[id], lines[id] = append(matched[id], name), p
			}
		}
	}
	if len(matched) == 0 {
		return
	}
	res, err := Run(t.Context(), []string{file}, Options{ShowSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[uint64]bool{}
	for _, o := range res.Report.Observations {
		if o.Action == evidence.Command && slices.Contains(removals, o.Detail.Text("Class")) {
			rows[o.From.RecordID] = true
		}
	}
	for id, names := range matched {
		class := notOurs(lines[id])
		switch {
		case rows[id] && class == "":
			for _, n := range names {
				c.ours[n]++
			}
		case !rows[id] && class != "":
			c.other[class]++
		default:
			c.wrong = append(c.wrong, fmt.Sprintf("%s record %d: ours %v, class %q: %.300q %.300q", filepath.Base(file), id, rows[id], class, lines[id].commandLine, lines[id].script))
		}
	}
}

// processes reads the started processes and script blocks of a log.
func processes(t *testing.T, file string) map[uint64]started {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventlog.Open(f, info.Size())
	if err != nil {
		return nil
	}
	text := func(r *eventlog.Record, name string) string {
		v, _ := r.Field(name)
		s, _ := v.(string)
		return s
	}
	out := map[uint64]started{}
	for r, err := range l.Records(func(r *eventlog.Record) bool {
		p := strings.ToLower(r.Provider)
		return r.EventID == 4688 || r.EventID == 1 && strings.Contains(p, "sysmon") || r.EventID == 4104 && strings.Contains(p, "powershell")
	}) {
		if err != nil {
			continue
		}
		switch r.EventID {
		case 4688:
			out[r.ID] = started{text(r, "NewProcessName"), text(r, "CommandLine"), ""}
		case 1:
			out[r.ID] = started{text(r, "Image"), text(r, "CommandLine"), ""}
		case 4104:
			out[r.ID] = started{"", "", text(r, "ScriptBlockText")}
		}
	}
	return out
}

func (c *compared) tree(t *testing.T, dirs ...string) {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(strings.ToLower(name), ".evtx") {
				c.compare(t, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (c *compared) report(t *testing.T) {
	t.Logf("%d processes and script blocks", c.asked)
	if c.asked < 1000 {
		t.Error("too few to say anything")
	}
	for _, n := range slices.Sorted(maps.Keys(c.ours)) {
		t.Logf("%5d removals of %s, all ours", c.ours[n], n)
	}
	for _, n := range slices.Sorted(maps.Keys(c.other)) {
		t.Logf("%5d matched and not ours: %s", c.other[n], n)
	}
	for _, w := range c.wrong {
		t.Error(w)
	}
}

// TestPublishedCorpus: every removal that the published rules match in real
// logs is a row of ours, and all else that they match is of a known class.
func TestPublishedCorpus(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	c := &compared{ours: map[string]int{}, other: map[string]int{}}
	c.tree(t, filepath.Join(root, "evtx"), filepath.Join(root, "triage"))
	c.report(t)
}

// TestPublishedSimulator: the same over simulated hosts, and over a host on
// which each class of what the rules match and we do not happens.
func TestPublishedSimulator(t *testing.T) {
	c := &compared{ours: map[string]int{}, other: map[string]int{}}
	dir := filepath.Join(t.TempDir(), "sim")
	if err := lab.Simulate(11, 40, dir); err != nil {
		t.Fatal(err)
	}
	c.tree(t, dir)
	if c.ours["Analytic 1"] == 0 || c.ours["Sentinel"] == 0 {
		t.Errorf("the simulator shows the rules nothing: %v", c.ours)
	}
	one := filepath.Join(t.TempDir(), "one")
	story := "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n"
	for i, line := range []string{
		"net user bob /delete", "net localgroup administrators bob /delete", `net use * \\fs01\finance`, `net use X: \\fs01\finance *`,
		"net use X: /delete", "net use * /delete /y", "net share docs /delete", "net use X: /d", `net use \\fs01\IPC$ /delete`,
		"powershell.exe -c Remove-SmbShare docs -Force",
	} {
		story += fmt.Sprintf("2026-03-04T08:%02d:00Z run ann %s\n", i, line)
	}
	script := "2026-03-04T09:00:00Z script ann function Remove-SmbShare { $__cmdletization_methodParameter = 1 }; Export-ModuleMember -Function Remove-SmbShare\n"
	text := strings.Replace(quietHost, "cmdline-logging = yes\n", "cmdline-logging = yes\npowershell-logging = yes\n", 1) + story + script
	if err := lab.Build([]byte(text), one); err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(c.ours)
	c.tree(t, one)
	c.report(t)
	if a, s := c.ours["Analytic 1"]-before["Analytic 1"], c.ours["Sentinel"]-before["Sentinel"]; a != 5 || s != 4 {
		t.Errorf("of the host with all classes, %d and %d removals are ours, want 5 and 4", a, s)
	}
	for _, class := range []string{"net user", "net localgroup", "module text", "net use * ", "net use X: "} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(c.other)), func(k string) bool { return strings.HasPrefix(k, class) }) {
			t.Errorf("nothing of the class %q", class)
		}
	}
}
