package triage

import (
	"path"
	"strings"
)

// IsMetadata reports whether a file of this path may be what a collector says
// about its collection.
func IsMetadata(p string) bool {
	name := strings.ToLower(path.Base(p))
	switch name {
	case "client_info.json", "collection_context.json", "uploads.json", "basicinformation.json", "getthis.csv":
		return true
	}
	return strings.HasSuffix(name, "_skiplog.csv") || strings.HasSuffix(name, ".idx")
}
