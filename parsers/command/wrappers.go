package command

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// nested reads a command line that a program starts: no shell is between.
func (s *scanner) nested(t text) {
	t = stripQuotes(t.trim())
	leaf := s.leaf
	s.cmdText(t)
	if s.leaf > leaf { // run counts the wrapper and its last command once
		s.leaf--
	}
}

// stripQuotes takes away the first quote and the last one, as cmd /c does, but
// not those around the program's own path.
func stripQuotes(t text) text {
	if t.s == "" || t.s[0] != '"' {
		return t
	}
	if end := strings.IndexByte(t.s[1:], '"'); end > 0 && isProgramPath(t.s[1:end+1]) && (end+2 == len(t.s) || isSpace(t.s[end+2])) {
		return t
	}
	last := strings.LastIndexByte(t.s, '"')
	if last == 0 {
		return t.slice(1, len(t.s))
	}
	var b textBuilder
	b.putAll(t.slice(1, last))
	b.putAll(t.slice(last+1, len(t.s)))
	return b.text(t.lo(0))
}

// isProgramPath says whether a quoted text is the path of a program, and not a
// command with arguments.
func isProgramPath(p string) bool {
	return programs[baseName(p)] != nil && (!strings.ContainsAny(p, " \t") || hasExt(p) && !strings.Contains(p, " /"))
}

// cmd reads "cmd [/switches] /c COMMAND".
func (s *scanner) cmd(c *call) {
	for i, a := range c.args {
		low := a.low()
		if strings.HasPrefix(low, `"`) || !strings.ContainsAny(low, "/-") || low[0] != '/' && low[0] != '-' && strings.IndexByte(",;=", low[0]) < 0 {
			return
		}
		for j := 0; j+1 < len(low); j++ {
			if low[j] != '/' && !(j == 0 && low[j] == '-') {
				continue
			}
			if k := low[j+1]; k != 'c' && k != 'k' && k != 'r' {
				continue
			}
			s.nested(c.behindSwitch(i, j+2))
			return
		}
	}
}

// behindSwitch returns the raw text that follows the first n bytes of argument i.
func (c *call) behindSwitch(i, n int) text {
	if c.ps || c.args[i].start < 0 {
		if n < len(c.args[i].t.s) {
			rest := c.args[i]
			rest.t = rest.t.slice(n, len(rest.t.s))
			return joinArgs(append([]arg{rest}, c.args[i+1:]...), true)
		}
		return c.rest(i + 1)
	}
	at := c.args[i].start
	for s := c.src.s; n > 0 && at < len(s); at++ {
		if s[at] != '^' && s[at] != '"' {
			n--
		}
	}
	// A quote that closes around the switch alone ("/c") is not part of the rest.
	if c.args[i].quoted && at < len(c.src.s) && c.src.s[at] == '"' {
		at++
	}
	return c.src.slice(at, len(c.src.s))
}

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

// start reads "start ["title"] [/switches] COMMAND".
func (s *scanner) start(c *call) {
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		switch low := a.low(); {
		case i == 0 && a.quoted && c.args[0].start >= 0:
			continue
		case low == "/d" || low == "/node" || low == "/affinity" || low == "/machine":
			i++
		case strings.HasPrefix(low, "/"):
		default:
			s.nested(c.rest(i))
			return
		}
	}
}

func (s *scanner) forfiles(c *call) {
	if i := indexSwitch(c.args, "/c"); i >= 0 && i+1 < len(c.args) {
		s.nested(hexChars(c.args[i+1].t))
	}
}

// hexChars replaces 0xHH, by which forfiles takes special characters.
func hexChars(t text) text {
	if !strings.Contains(t.s, "0x") {
		return t
	}
	var b textBuilder
	for i := 0; i < len(t.s); i++ {
		if i+4 <= len(t.s) && t.s[i] == '0' && t.s[i+1] == 'x' {
			if h, l := strings.IndexByte("0123456789abcdef", t.s[i+2]|0x20), strings.IndexByte("0123456789abcdef", t.s[i+3]|0x20); h >= 0 && l >= 0 {
				b.add(byte(h<<4|l), t.lo(i), t.hi(i+4))
				i += 3
				continue
			}
		}
		b.put(t, i)
	}
	return b.text(t.lo(0))
}

func (s *scanner) runas(c *call) {
	for i, a := range c.args {
		if strings.HasPrefix(a.val, "/") {
			continue
		}
		if a.quoted || strings.ContainsAny(a.t.s, " \t") {
			s.nested(a.t)
		} else {
			s.nested(c.rest(i))
		}
		return
	}
}

// psexec reads PsExec and its likes: [\\computer] [switches] COMMAND.
func (s *scanner) psexec(c *call) {
	remote := ""
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		low := a.low()
		if strings.HasPrefix(low, `\\`) && remote == "" || strings.HasPrefix(low, "@") {
			remote = a.val
			continue
		}
		name := dashless(low)
		switch name {
		case "":
			s.elsewhere(remote, func() { s.nested(c.rest(i)) })
			return
		case "p":
			if i+1 < len(c.args) {
				s.secretWord(c.args[i+1])
			}
			i++
		case "u", "n", "r", "w", "a", "rlo", "csrc", "to":
			i++
		case "accepteula", "nobanner":
		case "i", "g":
			if i+1 < len(c.args) && c.args[i+1].val != "" && isDigit(c.args[i+1].val[0]) {
				i++
			}
		default:
			if strings.HasPrefix(name, "p") && len(a.t.s) > 2 {
				s.secretTail(a, 2)
			}
		}
	}
}

func (s *scanner) schtasks(c *call) {
	remote, _ := switchValue(c.args, "/s")
	for i, a := range c.args {
		low := a.low()
		if i+1 >= len(c.args) {
			continue
		}
		switch low {
		case "/rp", "/p", "-rp", "-p":
			if !strings.HasPrefix(c.args[i+1].val, "/") {
				s.secretWord(c.args[i+1])
			}
		case "/tr", "-tr":
			s.later(func() { s.elsewhere(remote, func() { s.nested(c.args[i+1].t) }) })
		}
	}
}

// at reads "at [\\computer] TIME [/switches] COMMAND".
func (s *scanner) at(c *call) {
	remote, timed := "", false
	for i, a := range c.args {
		switch {
		case !timed && strings.HasPrefix(a.val, `\\`):
			remote = a.val
		case !timed && strings.IndexByte(a.val, ':') > 0 && isDigit(a.val[0]):
			timed = true
		case strings.HasPrefix(a.val, "/"):
		case timed:
			s.later(func() { s.elsewhere(remote, func() { s.nested(c.rest(i)) }) })
			return
		default:
			return
		}
	}
}

func (s *scanner) winrs(c *call) {
	remote := ""
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		low := a.low()
		if len(low) < 2 || low[0] != '-' && low[0] != '/' {
			s.elsewhere(remote, func() { s.nested(c.rest(i)) })
			return
		}
		name, value, _ := strings.Cut(low[1:], ":")
		switch name {
		case "r", "remote":
			remote = value
		case "p", "password":
			if value != "" {
				s.secretTail(a, strings.IndexByte(a.t.s, ':')+1)
			}
		}
	}
}

// prefix reads programs that start the command behind their switches.
func (s *scanner) prefix(c *call) {
	for i, a := range c.args {
		low := a.low()
		switch {
		case strings.HasPrefix(low, "-") || strings.HasPrefix(low, "/"):
		case low == "exec" || low == "exec2" || low == "elevate" || low == "hide" || low == "show" || strings.HasPrefix(low, "0x"):
		default:
			if a.quoted && strings.ContainsAny(a.t.s, " \t") && programs[baseName(a.val)] == nil {
				s.nested(a.t)
			} else {
				s.nested(c.rest(i))
			}
			return
		}
	}
}

// bash reads "bash -c COMMAND": programs of Windows run from there too.
func (s *scanner) bash(c *call) {
	for i, a := range c.args {
		if low := a.low(); strings.HasPrefix(low, "-") && !strings.HasPrefix(low, "--") && strings.HasSuffix(low, "c") && i+1 < len(c.args) {
			s.nested(c.args[i+1].t)
			return
		}
	}
}

// wmic reads the WMI command line.
func (s *scanner) wmic(c *call) {
	remote := ""
	var words []string
	for i, a := range c.args {
		low := a.low()
		if strings.HasPrefix(low, "/") {
			if v, ok := strings.CutPrefix(low, "/node:"); ok {
				remote = v
			}
			continue
		}
		if strings.HasPrefix(low, "/password") {
			continue
		}
		words = append(words, low)
		if n := len(words); n >= 3 && words[n-2] == "call" && low == "create" && isProcessClass(words) && i+1 < len(c.args) {
			s.elsewhere(remote, func() { s.nested(wmicArgument(c, i+1)) })
			return
		}
	}
	s.elsewhere(remote, func() { s.wmicObject(c, words) })
}

func isProcessClass(words []string) bool {
	return words[0] == "process" || (words[0] == "path" || words[0] == "class") && words[1] == "win32_process"
}

// wmicArgument returns the first argument of a method: quoted, or the rest.
func wmicArgument(c *call, i int) text {
	if a := c.args[i]; a.quoted || c.ps {
		return a.t
	}
	t := c.rest(i)
	if last := strings.LastIndexByte(t.s, '\''); last > 0 && t.s[0] == '\'' {
		t = t.slice(1, last)
	}
	return t
}

// wmicObject reads "ALIAS [where ...] delete|call METHOD".
func (s *scanner) wmicObject(c *call, words []string) {
	if len(words) < 2 {
		return
	}
	object := words[0]
	if object == "path" || object == "class" {
		object, words = words[1], words[1:]
	}
	has := func(w string) bool {
		for _, v := range words[1:] {
			if v == w {
				return true
			}
		}
		return false
	}
	seg := Segment{Targets: s.wmicNames(c)}
	switch {
	case (object == "share" || object == "win32_share") && has("delete"):
		seg.Class = ShareDelete
	case (object == "share" || object == "win32_share") && has("create"):
		seg.Class, seg.Targets = ShareAdd, nil
	case (object == "shadowcopy" || object == "win32_shadowcopy") && has("delete"):
		seg.Class = ShadowDelete
	case (object == "nteventlog" || object == "nteventlogfile" || object == "win32_nteventlogfile") && (has("cleareventlog") || has("delete")):
		seg.Class = LogClear
	case (object == "service" || object == "win32_service") && (has("stopservice") || has("delete")) && len(seg.Targets) == 1 && isShareService(seg.Targets[0]):
		seg.Class = ServiceStop
	case object == "netuse" || object == "win32_networkconnection":
		if !has("list") && !has("get") {
			return
		}
		seg.Class, seg.Targets = UseQuery, nil
	default:
		return
	}
	if seg.Targets == nil && (seg.Class == ShareDelete || seg.Class == ShadowDelete || seg.Class == LogClear) && !has("where") {
		seg.Targets = []string{"*"}
	}
	s.emit(c, seg)
}

// wmicNames returns the values that a where clause compares with, as written.
func (s *scanner) wmicNames(c *call) []string {
	for i, a := range c.args {
		low := a.low()
		if low == "where" && i+1 < len(c.args) {
			var parts []string
			for _, b := range c.args[i+1:] {
				if l := b.low(); l == "delete" || l == "call" {
					break
				}
				parts = append(parts, b.val)
			}
			return comparedValues(strings.Join(parts, " "))
		}
	}
	return nil
}

// comparedValues returns the values behind "=", "like" or "-eq" of a condition.
func comparedValues(cond string) []string {
	var out []string
	low := strings.ToLower(cond)
	if len(low) != len(cond) {
		cond = low
	}
	like := 0 // place of the next " like ", -1 if there is none
	for at := 0; at < len(cond) && len(out) < maxExpand; {
		i := strings.IndexByte(cond[at:], '=')
		if like >= 0 && (like < at || at == 0) {
			if like = strings.Index(low[at:], " like "); like >= 0 {
				like += at
			}
		}
		if like >= 0 && (i < 0 || like < at+i) {
			i = like - at + len(" like")
		}
		if i < 0 {
			break
		}
		i += at
		negated := i > 0 && (cond[i-1] == '!' || cond[i-1] == '<')
		v := strings.TrimLeft(cond[i+1:], " ")
		at = len(cond) - len(v)
		end := -1
		if v != "" && (v[0] == '\'' || v[0] == '"') {
			end = strings.IndexByte(v[1:], v[0])
			v = v[1:]
			at++
		} else {
			end = strings.IndexAny(v, " )'\"")
		}
		if end < 0 {
			end = len(v)
		}
		at += end + 1
		if v = v[:end]; v != "" && !negated {
			out = addUnique(out, v)
		}
	}
	return out
}
