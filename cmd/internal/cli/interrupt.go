package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"sharetrail/cmd/internal/output"
)

// left says what an interrupted run leaves behind. Files appear under their
// names only when they are whole, and the manifest last of all.
func (a *app) left() string {
	if a.folder == "" {
		return "what was written is whole"
	}
	entries, err := os.ReadDir(a.folder)
	if err != nil || len(entries) == 0 {
		return fmt.Sprintf("nothing was written into %s", a.folder)
	}
	if _, err := os.Lstat(filepath.Join(a.folder, output.ManifestName)); err == nil {
		return fmt.Sprintf("%s is as it was", a.folder)
	}
	return fmt.Sprintf("each file in %s is whole, but there is no %s: other commands do not take the folder for results", a.folder, output.ManifestName)
}
