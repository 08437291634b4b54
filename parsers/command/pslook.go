package command

import (
	"regexp"
	"strings"
)

var psVerbNoun = regexp.MustCompile(`(?i)^(?:[a-z.]+\\)?[a-z]+-[a-z][a-z0-9]+$`)

// looksLikePowerShell says whether a line was written for PowerShell: one of its
// commands has a cmdlet's name, or begins as no command of cmd.exe does.
func looksLikePowerShell(line string) bool {
	for len(line) > 0 {
		line = strings.TrimLeft(line, " \t\r\n;|&{(")
		word := line
		if end := strings.IndexAny(word, " \t\r\n;|&({)}\""); end >= 0 {
			word = word[:end]
		}
		word = strings.ReplaceAll(strings.TrimPrefix(word, "@"), "`", "")
		low := strings.ToLower(word)
		name := low[strings.LastIndexByte(low, '\\')+1:]
		switch {
		case line == "":
			return false
		case low == "": // a quoted program or a value
			if end := strings.IndexByte(line[1:], line[0]); line[0] == '"' && end >= 0 {
				line = line[end+2:]
			} else {
				line = line[1:]
			}
		case psKeyword(low, line[len(word):]):
			return true
		case low[0] == '$' || low[0] == '\'' || low[0] == '[' || cmdlets[name] != nil || psOnlyAlias(name) || len(low) < 64 && psVerbNoun.MatchString(low):
			return true
		case low == "rem" || low[0] == ':' || low[0] == '#':
			return false
		}
		next := nextCommand(line)
		if next == 0 {
			return false
		}
		line = line[next:]
	}
	return false
}

// psKeyword says whether a word begins a statement of PowerShell; cmd.exe knows
// if and for, but not with a parenthesis behind them.
func psKeyword(low, rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	switch low {
	case "foreach", "while", "switch", "if", "elseif", "for":
		return strings.HasPrefix(rest, "(")
	case "try", "do", "trap", "begin", "process":
		return strings.HasPrefix(rest, "{")
	case "function", "param", "return":
		return true
	}
	return false
}

// nextCommand returns the place behind the next separator outside quotes, 0 if
// there is none.
func nextCommand(line string) int {
	quote := byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case i > 0 && line[i-1] == '^':
		case c == '"':
			quote = c
		case c == '\'' && i > 0 && isSpace(line[i-1]):
			quote = c
		case c == ';' || c == '|' || c == '\n' || c == '&' && (i == 0 || line[i-1] != '>'):
			return i + 1
		}
	}
	return 0
}
