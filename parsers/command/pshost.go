package command

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// psSwitches are the parameters of powershell.exe and pwsh.exe that matter for
// finding the command; the value tells how many arguments follow.
var psSwitches = []struct {
	name  string
	short []string
	takes int
}{
	{"command", []string{"c"}, -1}, {"commandwithargs", []string{"cwa"}, -1}, {"encodedcommand", []string{"e", "ec"}, 1},
	{"executionpolicy", []string{"ex", "ep"}, 1}, {"encodedarguments", []string{"ea"}, 1}, {"file", []string{"f"}, -2},
	{"windowstyle", []string{"w"}, 1}, {"version", []string{"v"}, 1}, {"inputformat", []string{"i", "if"}, 1}, {"outputformat", []string{"o", "of"}, 1},
	{"psconsolefile", []string{"ps"}, 1}, {"configurationname", []string{"config"}, 1}, {"custompipename", []string{"cus"}, 1}, {"settingsfile", []string{"settings"}, 1},
	{"workingdirectory", []string{"wd", "wo"}, 1}, {"noprofile", []string{"nop"}, 0}, {"nologo", []string{"nol"}, 0}, {"noninteractive", []string{"noni"}, 0},
	{"noexit", []string{"noe"}, 0}, {"sta", []string{"st"}, 0}, {"mta", []string{"mt"}, 0}, {"login", []string{"l"}, 0},
}

// powershell reads the arguments of powershell.exe: -Command, -EncodedCommand
// by any beginning of their names, with -, / or a dash, or no switch at all.
func (s *scanner) powershell(c *call) {
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		name := dashless(a.low())
		if name == "" {
			if c.name == "pwsh" && !a.quoted { // pwsh takes it for a script file
				return
			}
			s.psText(joinArgs(c.args[i:], c.ps))
			s.leaf = max(s.leaf-1, 0)
			return
		}
		name, _, _ = strings.Cut(name, ":")
		sw, takes := psSwitch(name)
		switch {
		case sw == "encodedcommand" && i+1 < len(c.args):
			s.encoded(c.args[i+1])
			return
		case takes == -1:
			if i+1 < len(c.args) {
				s.psText(joinArgs(c.args[i+1:], c.ps))
				s.leaf = max(s.leaf-1, 0)
			}
			return
		case takes == -2:
			s.unknown(&call{args: c.args[i+1:], lo: c.lo, hi: c.hi})
			return
		}
		i += takes
	}
}

// dashless returns the name of a switch, "" if the argument is none.
func dashless(low string) string {
	for _, d := range []string{"--", "-", "/", "–", "—", "―"} {
		if rest, ok := strings.CutPrefix(low, d); ok && rest != "" && isLetter(rest[0]) {
			return rest
		}
	}
	return ""
}

func psSwitch(name string) (string, int) {
	for _, sw := range psSwitches {
		for _, short := range sw.short {
			if name == short {
				return sw.name, sw.takes
			}
		}
	}
	for _, sw := range psSwitches {
		if strings.HasPrefix(sw.name, name) {
			return sw.name, sw.takes
		}
	}
	return name, 0
}

// encoded reads the Base64 of a UTF-16LE script.
func (s *scanner) encoded(a arg) {
	script, ok := decodeUTF16(a.t.s)
	if !ok || s.work < len(script) {
		return
	}
	s.work -= len(script)
	leaf := s.leaf
	s.within(script, a.lo, a.hi, s.psText)
	if s.leaf > leaf {
		s.leaf--
	}
}

func decodeBase64(v string) ([]byte, bool) {
	v = strings.TrimRight(strings.Map(func(r rune) rune {
		if r == '"' || r == '\'' || r == '^' || r < 0x80 && isSpace(byte(r)) {
			return -1
		}
		return r
	}, v), "=")
	if len(v)%4 == 1 {
		v = v[:len(v)-1]
	}
	raw, err := base64.RawStdEncoding.DecodeString(v)
	return raw, err == nil && len(raw) > 0
}

func decodeUTF16(v string) (string, bool) {
	raw, ok := decodeBase64(v)
	if !ok || len(raw) < 2 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	return string(utf16.Decode(units)), true
}
