package lab

import (
	"fmt"

	"sharetrail/parsers/hive/hivetest"
)

// hiveFiles builds the hive r below folder, with transaction logs where the
// story saved it, under the name state, before its last change.
func (w *world) hiveFiles(folder, name, state string, r *registry) ([]file, error) {
	last := hiveState{r.text(), r.newest()}
	if s, ok := w.frozen[state]; ok {
		last = s
	}
	path := folder + name
	first, ok := w.saved[state]
	if !ok || first.text == last.text {
		data, err := hivetest.Build(last.text)
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return []file{{path, data, last.asOf}}, err
	}
	hive, log1, log2, err := hivetest.BuildWithLog(first.text, last.text)
	return []file{{path, hive, last.asOf}, {path + ".LOG1", log1, last.asOf}, {path + ".LOG2", log2, last.asOf}}, err
}
