package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A generator writes lines whose meaning it knows. It is seeded: the lines are
// the same in every run.
type generator struct{ r *rand.Rand }

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 42))}
}

func pick[T any](g *generator, from ...T) T { return from[g.r.IntN(len(from))] }

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

// mixCase changes the case of letters.
func (g *generator) mixCase(s string) string {
	switch g.r.IntN(4) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		b := []byte(s)
		for i := range b {
			if isLetter(b[i]) && g.chance(50) {
				b[i] ^= 0x20
			}
		}
		return string(b)
	}
	return s
}

// split puts carets or quotes into a word, which change nothing for the program.
func (g *generator) split(s string) string {
	if len(s) < 2 || !g.chance(25) {
		return s
	}
	i := 1 + g.r.IntN(len(s)-1)
	switch g.r.IntN(3) {
	case 0:
		return s[:i] + "^" + s[i:]
	case 1:
		return s[:i] + `""` + s[i:]
	}
	j := i + g.r.IntN(len(s)-i) + 1
	return s[:i] + `"` + s[i:j] + `"` + s[j:]
}

func (g *generator) space() string { return pick(g, " ", " ", " ", "  ", "\t", "   ") }

func (g *generator) join(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(g.space())
		}
		b.WriteString(w)
	}
	return b.String()
}

func (g *generator) netProgram() string {
	p := pick(g, "net", "net", "net1", "net.exe", "net1.exe", `C:\Windows\System32\net.exe`, `C:\Windows\SysWOW64\net1.exe`, `"C:\Windows\system32\net.exe"`, `%SystemRoot%\System32\net1`, `..\system32\net`)
	p = g.mixCase(p)
	if !strings.ContainsAny(p, `\"%`) {
		p = g.split(p)
	}
	return p
}

func (g *generator) drive() (string, string) {
	d := string(rune('D'+g.r.IntN(23))) + ":"
	return g.mixCase(d), d
}

func (g *generator) unc() string {
	return `\\` + pick(g, "srv", "fs01.corp.local", "10.0.0.5", "FILE-01") + `\` + pick(g, "data", "C$", "IPC$", "Public_2", "users$")
}

// shuffle keeps the order of what must stand in order, and puts switches anywhere.
func (g *generator) withSwitches(fixed, switches []string) []string {
	out := slices.Clone(fixed)
	for _, s := range switches {
		i := g.r.IntN(len(out) + 1)
		out = slices.Insert(out, i, s)
	}
	return out
}

func (g *generator) deleteSwitch() string {
	s := "/delete"[:2+g.r.IntN(6)]
	s += pick(g, "", "", "", ":yes", ":y")
	s = g.mixCase(s)
	if strings.Contains(s, ":") {
		return s
	}
	return "/" + g.split(s[1:])
}

// netCommand returns a command and its meaning in the words of brief; secret is
// the password in it, if any.
func (g *generator) netCommand() (line, want, secret string) {
	p := g.netProgram()
	sub := func(s string) string { return g.split(g.mixCase(s)) }
	yes := []string{}
	if g.chance(30) {
		yes = append(yes, g.mixCase(pick(g, "/y", "/yes")))
	}
	switch g.r.IntN(9) {
	case 0, 1:
		as, is := g.drive()
		args := g.withSwitches([]string{as}, append(yes, g.deleteSwitch()))
		return g.join(append([]string{p, sub("use")}, args...)), "use.delete " + is, ""
	case 2:
		u := g.unc()
		as := u
		if g.chance(30) {
			as = `"` + u + `"`
		}
		args := g.withSwitches([]string{as}, append(yes, g.deleteSwitch()))
		return g.join(append([]string{p, sub("use")}, args...)), "use.delete " + u, ""
	case 3:
		args := g.withSwitches([]string{"*"}, append(yes, g.deleteSwitch()))
		return g.join(append([]string{p, sub("use")}, args...)), "use.delete *", ""
	case 4, 5:
		fixed, targets := []string{}, []string{}
		switch g.r.IntN(3) {
		case 0:
			as, is := g.drive()
			fixed, targets = append(fixed, as), append(targets, is)
		case 1:
			fixed, targets = append(fixed, "*"), append(targets, "*")
		}
		u := g.unc()
		fixed, targets = append(fixed, u), append(targets, u)
		switches := []string{}
		if g.chance(60) {
			secret = fmt.Sprintf("S%08xx", g.r.Uint32())
			if g.chance(30) {
				secret += pick(g, "!", "#", "$", "~", ".", "_", "=") + "Q7"
			}
			fixed = append(fixed, secret)
			switches = append(switches, pick(g, "/user:", "/u:", "/USER:")+`CORP\bob`)
		} else if g.chance(20) {
			fixed = append(fixed, "*")
		}
		if g.chance(40) {
			switches = append(switches, g.mixCase(pick(g, "/persistent:yes", "/persistent:no", "/p:n", "/pers:yes")))
		}
		return g.join(append([]string{p, sub("use")}, g.withSwitches(fixed, switches)...)), "use.map " + strings.Join(targets, ","), secret
	case 6:
		n := pick(g, "data", "C$", "ADMIN$", "x1")
		return g.join(append([]string{p, sub("share")}, g.withSwitches([]string{n}, append(yes, g.deleteSwitch()))...)), "share.delete " + n, ""
	case 7:
		return g.join([]string{p, sub("session"), `\\ws` + pick(g, "1", "2"), g.deleteSwitch()}), "", ""
	}
	return g.decoy(), "", ""
}

// decoy returns a command that does nothing to shares.
func (g *generator) decoy() string {
	as, _ := g.drive()
	return g.mixCase(pick(g, "echo net use "+as+" /delete", "net user bob /delete", "rem net use "+as+" /d", "dir "+as, "net view", "findstr \"net use\" x.txt",
		"net localgroup a b /delete", "telnet use "+as+" /d", "net help use", "reg query HKCU\\Network"))
}

// wrap puts a line into an interpreter that runs it.
func (g *generator) wrap(line string) string {
	switch g.r.IntN(6) {
	case 0:
		return g.mixCase(pick(g, "cmd", "cmd.exe", "%comspec%")) + pick(g, " /c ", " /C ", " /q /c ", " /k ", " /s /c ", " /d /r ") + `"` + line + `"`
	case 1:
		return `C:\Windows\system32\cmd.exe /c ` + line
	case 2:
		return "(" + line + ")"
	case 3:
		return `if exist C:\x ` + line
	case 4:
		return "cmd /c cmd /c " + line
	}
	return line
}

// encodedWrap puts a line into powershell -EncodedCommand.
func (g *generator) encodedWrap(line string) string {
	name := "-encodedcommand"[:2+g.r.IntN(14)]
	if name == "-enco" || g.chance(20) {
		name = "-enc"
	}
	return pick(g, "powershell", "powershell.exe -nop -w hidden", "pwsh -NonInteractive") + " " + g.mixCase(name) + " " + encode(line)
}

func (g *generator) line() (line, want string, secrets []string) {
	var wants []string
	n := 1
	if g.chance(30) {
		n += 1 + g.r.IntN(2)
	}
	var parts []string
	for range n {
		p, w, secret := g.netCommand()
		if strings.HasPrefix(strings.ToLower(p), "rem ") && n > 1 {
			p = "whoami" // a remark would swallow what follows
		}
		if w == "" && strings.Contains(p, `\\ws`) {
			w = "session.delete " + p[strings.Index(p, `\\ws`):strings.Index(p, `\\ws`)+5]
		}
		if w != "" {
			wants = append(wants, w)
		}
		if secret != "" {
			secrets = append(secrets, secret)
		}
		parts = append(parts, p)
	}
	line = parts[0]
	for _, p := range parts[1:] {
		line += pick(g, " & ", "&", " && ", "&&", " || ", " | ") + p
	}
	plain := !strings.ContainsAny(line, `^"%`) && !strings.Contains(line, `\net`)
	if g.chance(50) {
		line = g.wrap(line)
	} else if plain && n == 1 && g.chance(40) && !strings.HasPrefix(strings.ToLower(line), "rem ") {
		line = g.encodedWrap(line)
	}
	return line, strings.Join(wants, "; "), secrets
}

func TestGenerated(t *testing.T) {
	g := newGenerator(1)
	classes := map[string]int{}
	for range 3000 {
		line, want, secrets := g.line()
		segs := Classify(line, Hint{})
		if got := brief(segs); got != want {
			t.Errorf("%s\n got %q\nwant %q", line, got, want)
		}
		class, _, _ := strings.Cut(want, " ")
		classes[class]++
		masked, _ := Mask(line)
		for _, secret := range secrets {
			if strings.Contains(masked, secret) || strings.Contains(fmt.Sprintf("%+v", segs), secret) {
				t.Errorf("%s\nshows the secret %s: %s", line, secret, masked)
			}
		}
		if again, _ := Mask(masked); again != masked {
			t.Errorf("masked twice: %s\n%s", masked, again)
		}
	}
	for _, c := range []string{"use.delete", "use.map", "share.delete", "session.delete", ""} {
		if classes[c] < 50 {
			t.Errorf("only %d lines of class %q", classes[c], c)
		}
	}
}
