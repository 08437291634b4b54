package pipeline

import (
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// tellApart gives volumes that nothing but the name of their archive or folder
// names, and that come from different ones, different labels: two of the name
// "triage.zip" are no proof of one computer, and what is there in the one and not
// in the other would pass for removed.
func tellApart(tasks []*task) {
	of := map[*source.Volume][]*task{}
	var order []*source.Volume
	for _, t := range tasks {
		if of[t.vol] == nil {
			order = append(order, t.vol)
		}
		of[t.vol] = append(of[t.vol], t)
	}
	places := map[string][]string{} // of each label
	for _, v := range order {
		if v.Of != nil || v.HostHint != "" || namesItself(of[v]) {
			continue
		}
		low, at := strings.ToLower(v.Label), labelledAt(of[v][0])
		i := slices.Index(places[low], at)
		if i < 0 {
			i = len(places[low])
			places[low] = append(places[low], at)
		}
		if i > 0 {
			v.Label += "~" + strconv.Itoa(i+1)
		}
	}
}

// namesItself reports whether a file of a volume says which computer it is.
func namesItself(tasks []*task) bool {
	return computerOfLogs(tasks) != "" || slices.ContainsFunc(tasks, func(t *task) bool {
		return !t.file.Deleted && slices.ContainsFunc(t.out.Observations, func(o *evidence.Fact) bool {
			return o.Artifact == "computer" && o.Detail.Text("ComputerName") != ""
		})
	})
}

// labelledAt is the place that the label of a volume names: the archive or image,
// or the folder in it.
func labelledAt(t *task) string {
	v := t.vol
	at := v.Image
	if at == "" {
		at = strings.TrimSuffix(strings.TrimSuffix(v.ID, v.Root), "!")
	}
	parts := strings.Split(v.Root, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] == v.Label {
			return strings.Join([]string{t.read.Source, at, strings.Join(parts[:i+1], "/")}, "\x00")
		}
	}
	return t.read.Source + "\x00" + at
}
