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
	case "client_info.json", "collection_context.json", "uploads.json", "basicinformation.json", "getthis.csv", "_kape.cli":
		return true
	}
	for _, end := range []string{"_skiplog.csv", "_skiplog.csv.csv", "_copylog.csv", "_copylog.csv.csv", "_consolelog.txt"} { // of KAPE
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return strings.HasSuffix(name, ".idx")
}
