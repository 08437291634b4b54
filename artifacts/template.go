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
