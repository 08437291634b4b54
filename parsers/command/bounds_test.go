package command

import (
	"strings"
	"testing"
	"time"
)

// hostile lists lines of about n bytes that reward quadratic work.
func hostile(n int) map[string]string {
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	deep := "net use z: /d"
	for len(deep) < n/2 {
		deep = `cmd /c "` + deep + `" & ` + `net use y: /d`
	}
	enc := "net use z: \\\\s\\s pw"
	for range 8 {
		enc = "powershell -enc " + encode(enc)
	}
	return map[string]string{
		"words":       "net use " + rep("a "),
		"chain":       rep("net use z: /d & "),
		"passwords":   rep(`net use \\s\s p&x;`),
		"carets":      "n^e^t use " + rep("^^"),
		"quotes":      "net use " + rep(`"`),
		"escapes":     "net use " + rep(`\"`),
		"parens":      "net use " + rep("("),
		"braces":      "Remove-SmbShare " + rep("{"),
		"closers":     "Remove-SmbShare " + rep(")}"),
		"for":         rep("for %i in (a b c d) do net use %i /d & "),
		"forfor":      rep("for %i in (a b) do "),
		"loops":       rep("foreach ($a in 'x','y') { net use $a: /d; "),
		"if":          rep("if exist net use "),
		"dollars":     "Remove-SmbShare " + rep("$a"),
		"grow":        rep(`$a=$a,$a,'x';`) + "net use $a /d",
		"sum":         "iex (" + rep(`'net use'+`) + "'')",
		"comma":       "Remove-SmbShare " + rep("a,"),
		"pipes":       rep("Get-SmbShare|"),
		"where":       "wmic share where " + rep("a=b ") + "delete",
		"hash":        "Invoke-CimMethod Win32_Share Delete " + rep("@{a="),
		"methods":     rep("$x.RemoveNetworkDrive('Z:');"),
		"pipedblocks": rep("Get-WmiObject Win32_Share|%{$_.Delete()}|"),
		"here":        rep("@'\n") + "net use",
		"encoded":     enc,
		"nested":      deep,
		"switches":    "net use " + rep("/d "),
		"reg":         "reg delete HKCU\\Network" + rep(`\\`),
		"strings":     rep(`Write-Host "net use z: \\s\s pw" `),
		"echo":        rep("echo net use z: \\\\s\\s pw | cmd & "),
		"dead":        `x.exe ` + rep(`"x.exe 'net use pw' `),
		"url":         "net use http://" + rep("a:b@"),
		"newlines":    rep("net use\n"),
		"zeros":       "net use " + rep("\x00"),
	}
}

// TestTimeBound holds long lines to a time that quadratic work would exceed by
// far; it leaves room for a busy machine.
func TestTimeBound(t *testing.T) {
	if testing.Short() {
		t.Skip("long lines")
	}
	check := func(name, line string, limit time.Duration) {
		for what, f := range map[string]func(){
			"Classify":       func() { Classify(line, Hint{}) },
			"ClassifyScript": func() { ClassifyScript(line) },
			"Mask":           func() { Mask(line) },
		} {
			start := time.Now()
			if f(); time.Since(start) > limit {
				t.Errorf("%s of %q, %d bytes: %v", what, name, len(line), time.Since(start))
			}
		}
	}
	for name, line := range hostile(1 << 16) {
		check(name, line, time.Second)
	}
	for name, line := range hostile(1 << 20) {
		switch name {
		case "chain", "passwords", "where":
			check(name, line, 4*time.Second)
		}
	}
}

// TestExpansionLeavesTheRest holds loops that use up the work to what they may
// not hide: the commands behind them.
func TestExpansionLeavesTheRest(t *testing.T) {
	inner := "net use %a: /d"
	for i := range 8 {
		inner = "for %" + string(rune('a'+i)) + " in (" + strings.Repeat("x y z ", 60) + ") do (" + inner + ")"
	}
	got := brief(Classify("("+inner+")\nnet share data /delete", Hint{}))
	if !strings.HasSuffix(got, "share.delete data") || !strings.HasPrefix(got, "use.delete X:") {
		t.Errorf("got %q", got)
	}
	strings10 := "$a=" + strings.TrimSuffix(strings.Repeat("'x','y',", 120), ",") + "\n"
	got = brief(ClassifyScript(strings10 + strings.Repeat("iex \"net use $a $a\"\n", 50) + "Remove-SmbShare data"))
	if !strings.HasSuffix(got, "share.delete data") {
		t.Errorf("got %q", got)
	}
}
