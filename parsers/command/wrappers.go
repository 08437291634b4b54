package command

import "strings"

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
