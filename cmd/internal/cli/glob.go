package cli

import (
	"fmt"
	"regexp"
	"strings"
)

// A glob matches whole texts without regard to case: * is any text, ? any
// character, [a-z] or [!a-z] one of a set. A backslash is a backslash, because
// shares are full of them.
type glob struct {
	re *regexp.Regexp
}

func newGlob(pattern string) (glob, error) {
	var b strings.Builder
	b.WriteString(`(?is)^`)
	for p := pattern; p != ""; {
		c := p[0]
		p = p[1:]
		switch c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			negated := strings.HasPrefix(p, "!") || strings.HasPrefix(p, "^")
			if negated {
				p = p[1:]
			}
			// A ] in first place is part of the set.
			n := strings.IndexByte(p[min(1, len(p)):], ']') + 1
			if n <= 0 {
				return glob{}, fmt.Errorf("bad pattern %q: [ without ]; a [ itself is written [[]", pattern)
			}
			b.WriteString("[")
			if negated {
				b.WriteString("^")
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(p[:n]) + "]")
			p = p[n+1:]
		default:
			n := 1
			for n <= len(p) && !strings.ContainsRune(`*?[`, rune(p[n-1])) {
				n++
			}
			b.WriteString(regexp.QuoteMeta(string(c) + p[:n-1]))
			p = p[n-1:]
		}
	}
	re, err := regexp.Compile(b.String() + `$`)
	if err != nil {
		return glob{}, fmt.Errorf("bad pattern %q", pattern)
	}
	return glob{re}, nil
}

func (g glob) match(s string) bool { return g.re.MatchString(s) }

// A globs is a repeatable flag. Without patterns it matches everything, else
// what any of its patterns matches.
type globs struct {
	patterns []string
	list     []glob
	words    []string // the only values there are; nil for any
}

// Set implements pflag.Value.
func (g *globs) Set(pattern string) error {
	m, err := newGlob(pattern)
	if err != nil {
		return err
	}
	known := len(g.words) == 0
	for _, w := range g.words {
		known = known || m.match(w)
	}
	if !known {
		// Nothing would ever match, and that would look like a result.
		return fmt.Errorf("%q is none of %s", pattern, strings.Join(g.words, ", "))
	}
	g.patterns = append(g.patterns, pattern)
	g.list = append(g.list, m)
	return nil
}

// String implements pflag.Value.
func (g *globs) String() string { return strings.Join(g.patterns, ",") }

// Type implements pflag.Value.
func (g *globs) Type() string { return "GLOB" }

// match reports whether any of values is wanted.
func (g *globs) match(values ...string) bool {
	if len(g.list) == 0 {
		return true
	}
	for _, m := range g.list {
		for _, v := range values {
			if m.match(v) {
				return true
			}
		}
	}
	return false
}
