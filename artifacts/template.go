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

// template makes context of all that was read from the template of profiles,
// a baseline for the users' own: no use, no mapping and no state of mappings
// that a conclusion about a user could rest on.
func template(out *Emitter, cover *evidence.Coverage) {
	for i := range out.Observations {
		o := &out.Observations[i]
		if !o.Action.IsContext() {
			o.Action = evidence.Context
			o.Summary = "In the template of new profiles: " + o.Summary
		}
	}
	cover.Evidence, cover.User = "registry:NTUSER-TEMPLATE", ""
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

// former marks what was read from a hive of an installation that another one
// replaced. Its mappings were there once: that today's hive has none of them is
// no removal, and it is no earlier state of that hive.
func former(out *Emitter, cover *evidence.Coverage) {
	for i := range out.Observations {
		o := &out.Observations[i]
		if o.Action == evidence.Mapped {
			o.Action = evidence.Present
		}
		o.Summary = "In an earlier installation of Windows: " + o.Summary
		o.Detail = append(o.Detail, evidence.Field{Name: "earlier_installation", Value: true})
	}
	cover.Evidence = strings.Replace(cover.Evidence, "registry:", "registry:windows.old:", 1)
}
