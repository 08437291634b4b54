package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
)

// isTemplate reports whether the hive at a path inside a volume is that of the
// profile that Windows copies for each new user. Nobody ever worked with it.
func isTemplate(p string) bool {
	parts := strings.Split(strings.ToLower(p), "/")
	for i, part := range parts[:max(len(parts)-2, 0)] {
		if part != "users" && part != "documents and settings" {
			continue
		}
		switch parts[i+1] {
		case "default", "default user", "default.migrated":
			return true
		}
	}
	return false
}

// templateRows makes context of all that was read from the template of
// profiles, a baseline for the users' own: no use, no mapping and no state of
// mappings that a conclusion about a user could rest on.
func templateRows(list []*evidence.Fact) {
	for _, f := range list {
		if !f.Action.IsContext() {
			o := f.Own()
			o.Action = evidence.Context
			o.Summary = "In the template of new profiles: " + o.Summary
		}
	}
}

// IsFormer reports whether a path, of a file or of a volume's root, lies in
// what Windows keeps of an installation that another one replaced.
func IsFormer(p string) bool {
	for part := range strings.SplitSeq(strings.ToLower(p), "/") {
		if rest, ok := strings.CutPrefix(part, "windows.old"); ok && strings.Trim(rest, ".0123456789()") == "" {
			return true
		}
	}
	return false
}

// formerRows marks what was read from an installation that another one
// replaced. Its mappings were there once: that today's hive has none of them is
// no removal.
func formerRows(list []*evidence.Fact) {
	for _, f := range list {
		o := f.Own()
		switch {
		case o.Action == evidence.Mapped:
			o.Action = evidence.Present
		case o.Action == evidence.Present && o.Side == evidence.Server: // it is exported no more
			o.Action = evidence.Context
		}
		o.Summary = "In an earlier installation of Windows: " + o.Summary
		o.Detail = append(o.Detail, evidence.Field{Name: "earlier_installation", Value: true})
	}
}

// setApart changes the rows that were read at path for where it lies, and says
// whether they are of an installation and its users as they are now. former
// says that the whole volume is of an earlier one.
func setApart(path string, former bool, list []*evidence.Fact) (current bool) {
	switch {
	case isTemplate(path):
		templateRows(list)
	case former || IsFormer(path):
		formerRows(list)
	default:
		return true
	}
	return false
}
