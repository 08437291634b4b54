package evidence

import "strings"

// ParseUNC splits a UNC path as found in evidence into \\server\share, with
// the case as found, and the rest of the path. It knows \\srv\share,
// //srv/share, \\?\UNC\srv\share and Explorer's ##srv#share. A server without
// a share gives \\server. It folds spelling only: whether fs01, fs01.corp and
// 10.0.0.5 are one server is a conclusion for package timeline.
func ParseUNC(s string) (share, rest string, ok bool) {
	t := strings.ReplaceAll(s, "/", `\`)
	if after, found := strings.CutPrefix(t, "##"); found {
		t = `\\` + strings.ReplaceAll(after, "#", `\`)
	}
	if len(t) > 8 && strings.EqualFold(t[:8], `\\?\UNC\`) {
		t = `\\` + t[8:]
	}
	t, found := strings.CutPrefix(t, `\\`)
	server, t, _ := strings.Cut(t, `\`)
	server = strings.TrimRight(server, ". ")
	if !found || server == "" || server == "?" {
		return "", "", false
	}
	name, rest, _ := strings.Cut(t, `\`)
	if name == "" {
		return `\\` + server, "", true
	}
	return `\\` + server + `\` + name, strings.TrimRight(rest, `\`), true
}

// ShareKey folds a share as ParseUNC gives it, so that two spellings that
// differ in case only are one map key.
func ShareKey(share string) string { return strings.ToLower(share) }

// ServerOf returns the server of a share.
func ServerOf(share string) string {
	server, _, _ := strings.Cut(strings.TrimPrefix(share, `\\`), `\`)
	return server
}

// Drive returns a drive letter as outputs write it, "Z:", or "" if s is none.
func Drive(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), `\`)
	s = strings.TrimSuffix(s, ":")
	if len(s) != 1 {
		return ""
	}
	c := s[0] &^ 0x20
	if c < 'A' || c > 'Z' {
		return ""
	}
	return string(c) + ":"
}
