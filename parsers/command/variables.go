package command

import "strings"

// setVariable hides the value of an environment variable that is named after a
// password.
func (s *scanner) setVariable(c *call) {
	if len(c.args) == 0 {
		return
	}
	a := c.args[0]
	name, value, ok := strings.Cut(a.t.s, "=")
	if !ok || strings.HasPrefix(name, "/") {
		return
	}
	if namesPassword(name) {
		s.secretTail(a, len(name)+1)
	}
	if !a.quoted {
		if t := c.rest(0); len(t.s) > len(name) {
			value = t.s[min(len(name)+1, len(t.s)):]
		}
	}
	if len(value) <= maxValue && name != "" {
		s.env[strings.ToLower(name)] = value
	}
}

// maxValue bounds the values of variables, which may multiply.
const maxValue = 1 << 12

// expandSet replaces %name% and !name! by what an earlier set of the same line
// gave the name. cmd.exe does so later than this in some places (call, delayed
// expansion) and not at all in others; who writes it means it.
func (s *scanner) expandSet(t text) text {
	if len(s.env) == 0 || !strings.ContainsAny(t.s, "%!") {
		return t
	}
	var b textBuilder
	for i := 0; i < len(t.s); i++ {
		if c := t.s[i]; c == '%' || c == '!' {
			if end := strings.IndexByte(t.s[i+1:min(len(t.s), i+65)], c); end > 0 {
				if value, ok := s.env[strings.ToLower(t.s[i+1:i+1+end])]; ok && s.work > len(value) {
					s.work -= len(value)
					b.putAll(spread(value, t.lo(i), t.hi(i+end+2)))
					i += end + 1
					continue
				}
			}
		}
		b.put(t, i)
	}
	return b.text(t.lo(0))
}

func namesPassword(name string) bool {
	low := strings.ToLower(name)
	return low == "pw" || low == "pass" || strings.Contains(low, "password") || strings.Contains(low, "passwd") || strings.HasSuffix(low, "pwd") && low != "pwd" && low != "oldpwd"
}
