package command

import "strings"

// wmic reads the WMI command line.
func (s *scanner) wmic(c *call) {
	remote := ""
	var words []string
	for i, a := range c.args {
		low := a.low()
		if strings.HasPrefix(low, "/") {
			if strings.HasPrefix(low, "/node:") {
				remote = strings.Trim(a.val[len("/node:"):], `"`)
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
