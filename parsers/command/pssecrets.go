package command

import "strings"

// psSecrets hides the passwords that parameters and cmdlets carry.
func (s *scanner) psSecrets(c *psCommand) {
	low := strings.ToLower(c.name)
	for i, n := range c.args {
		if n.kind != psWord || len(n.t.s) < 4 || n.t.s[0] != '-' {
			continue
		}
		name, inline, colon := strings.Cut(n.low()[1:], ":")
		switch {
		case name == "pass" || name == "passwd" || name == "pwd" || strings.HasPrefix("password", name) && len(name) > 3:
		case strings.HasPrefix("accountpassword", name) && len(name) > 3 && strings.Contains(low, "-ad"):
		default:
			continue
		}
		if colon && inline != "" {
			if inline[0] != '$' && inline[0] != '(' {
				s.secretTail(nodeArg(n), len(name)+2)
			}
		} else if i+1 < len(c.args) && isSecretNode(c.args[i+1]) {
			s.secret(nodeArg(c.args[i+1]))
		}
	}
	switch low {
	case "convertto-securestring":
		s.secureString(c)
	case "new-object":
		for i, n := range c.args {
			if strings.HasSuffix(n.low(), "networkcredential") && i+1 < len(c.args) {
				for _, g := range c.args[i+1:] {
					if g.kind == psGroup {
						s.hideArg(splitComma(g.kids), 1)
					}
				}
			}
		}
	}
}

func isSecretNode(n psNode) bool {
	return n.kind == psStr || n.kind == psWord && !strings.HasPrefix(n.t.s, "$") && !isParameter(n)
}

// secureString hides what ConvertTo-SecureString makes a secret of.
func (s *scanner) secureString(c *psCommand) {
	for i := 0; i < len(c.args); i++ {
		n := c.args[i]
		if isParameter(n) {
			name := strings.TrimSuffix(n.low(), ":")
			if strings.HasPrefix("-key", name) || strings.HasPrefix("-securekey", name) && len(name) > 2 {
				i++
			}
			if _, inline, _ := strings.Cut(n.t.s, ":"); inline != "" && inline[0] != '$' && strings.HasPrefix(n.low(), "-s") {
				s.secretTail(nodeArg(n), strings.IndexByte(n.t.s, ':')+1)
			}
			continue
		}
		s.hideLiterals(n)
	}
	if c.prev != nil {
		for _, n := range c.prev.nodes {
			if n.kind == psStr {
				s.secret(nodeArg(n))
			}
		}
	}
}

func (s *scanner) hideLiterals(n psNode) {
	switch {
	case n.kind == psGroup:
		for _, k := range n.kids {
			if k.kind == psStr || k.kind == psGroup {
				s.hideLiterals(k)
			}
		}
	case isSecretNode(n):
		s.secret(nodeArg(n))
	}
}
