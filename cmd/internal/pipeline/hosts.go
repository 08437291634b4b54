package pipeline

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
	"sharetrail/parsers/source/triage"
)

// hostNames maps volumes, and computer names as records spell them, to hosts.
type hostNames struct {
	volume map[*source.Volume]string
	spelt  map[string]string // folded name as found → host
}

func (h *hostNames) canonical(name string) string {
	if host, ok := h.spelt[strings.ToLower(name)]; ok {
		return host
	}
	return name
}

// A volumeNames is what the files of a volume say of its computer.
type volumeNames struct {
	name, sid string // of its hives
	image     imageKey
	tasks     []*task
}

// nameHosts works out which computer each volume belongs to: ComputerName of
// its SYSTEM hive, else the Computer of its logs, else what the collection
// says. Volumes of one name with different machine SIDs are different hosts.
func nameHosts(tasks []*task) *hostNames {
	h := &hostNames{volume: map[*source.Volume]string{}, spelt: map[string]string{}}
	var order []*source.Volume
	known := map[*source.Volume]*volumeNames{}
	var names []string // of SYSTEM hives first, then of logs
	for _, t := range tasks {
		if known[t.vol] == nil {
			known[t.vol] = &volumeNames{image: imageKey{t.read.Source, cmp.Or(t.vol.Image, drives(t.vol))}}
			order = append(order, t.vol)
		}
		names = append(names, known[t.vol].take(t)...)
	}
	for _, t := range tasks {
		t.foreign(known[t.vol].name)
	}
	for _, t := range tasks {
		for _, c := range t.out.Coverage {
			if c.Computer != "" {
				names = append(names, c.Computer)
			}
		}
	}
	h.spell(names)
	// A snapshot belongs to the host of its volume. The volume itself is known
	// by its snapshots if it says nothing.
	var own []*source.Volume
	for _, v := range order {
		if v.Of == nil || known[v.Of] == nil {
			own = append(own, v)
			continue
		}
		k := known[v.Of]
		k.name, k.sid = cmp.Or(k.name, known[v].name), cmp.Or(k.sid, known[v].sid)
	}
	h.assign(own, known)
	for _, v := range order {
		if v.Of != nil && known[v.Of] != nil {
			h.volume[v] = h.volume[v.Of]
		}
	}
	return h
}

// take adds what the facts of a file of the volume say, and returns the names.
func (k *volumeNames) take(t *task) (names []string) {
	k.tasks = append(k.tasks, t)
	if t.file.Deleted {
		return nil
	}
	for _, o := range t.out.Observations {
		switch o.Artifact {
		case "computer":
			if n := o.Detail.Text("ComputerName"); n != "" && (k.name == "" || t.inUse()) {
				k.name = n
				names = append(names, n)
			}
		case "machine-sid":
			if k.sid == "" || t.inUse() {
				k.sid = o.Detail.Text("MachineSID")
			}
		}
	}
	return names
}

// said returns the name of the computer that the files of the volume say.
func (k *volumeNames) said() string { return cmp.Or(k.name, computerOfLogs(k.tasks)) }

// assign gives each volume its host. One that says nothing is of the only computer
// that the others say which lie on the same disk, or were collected with it.
func (h *hostNames) assign(volumes []*source.Volume, known map[*source.Volume]*volumeNames) {
	images := map[imageKey][]string{}
	for _, v := range volumes {
		k := known[v]
		if name := k.said(); k.image.image != "" && name != "" {
			images[k.image] = append(images[k.image], strings.ToLower(h.canonical(name)))
		}
	}
	taken := map[string]string{} // host → machine SID
	for _, v := range volumes {
		k := known[v]
		disk := ""
		if names := images[k.image]; len(slices.Compact(slices.Sorted(slices.Values(names)))) == 1 {
			disk = names[0]
		}
		name := h.canonical(cmp.Or(k.said(), v.HostHint, disk, v.Label))
		for n := 2; k.sid != "" && taken[name] != "" && taken[name] != k.sid; n++ {
			name = h.canonical(cmp.Or(k.name, v.Label)) + "~" + strconv.Itoa(n)
		}
		if taken[name] == "" {
			taken[name] = k.sid
		}
		h.volume[v] = name
	}
}

// inUse reports whether a hive has the name by which Windows loads it.
func (t *task) inUse() bool {
	name, _ := cutCopy(path.Base(t.file.Path))
	return slices.ContainsFunc([]string{"SYSTEM", "SOFTWARE", "SAM", "SECURITY"}, func(s string) bool { return strings.EqualFold(s, name) })
}

// foreign empties the task of a SYSTEM hive that lies beside that of a Windows and
// names another computer: it is no state of the one in use.
func (t *task) foreign(computer string) {
	if t.vol.Loose || t.file.Kind != source.Hive || t.inUse() {
		return
	}
	for _, o := range t.out.Observations {
		n := o.Detail.Text("ComputerName")
		if o.Artifact != "computer" || n == "" || strings.EqualFold(n, computer) {
			continue
		}
		t.out.Observations, t.out.Coverage = nil, nil
		t.warn(fmt.Sprintf("is a SYSTEM hive of another computer or name (%s), beside the one that Windows uses: left out; extract it and point at it", n))
		return
	}
}

// An imageKey names a disk image of a source, or the drives of one collection.
type imageKey struct{ source, image string }

// drives names the collection that a volume is a drive of, by the directory that
// holds its drives ("C", "D") and the name that it gives to the host.
func drives(v *source.Volume) string {
	if v.Loose || v.Root == "" || !triage.IsDrive(path.Base(v.Root)) {
		return ""
	}
	within, _ := strings.CutSuffix(v.ID, v.Root)
	return "drives of " + within + v.Label
}

// spell decides which spellings are one host: those that differ in case only,
// and a short name and the one full name that begins with it.
func (h *hostNames) spell(names []string) {
	full := map[string][]string{} // folded short name → folded full names
	for _, n := range names {
		low := strings.ToLower(n)
		if short, _, ok := strings.Cut(low, "."); ok && !slices.Contains(full[short], low) {
			full[short] = append(full[short], low)
		}
	}
	for _, n := range names {
		low := strings.ToLower(n)
		if h.spelt[low] != "" {
			continue
		}
		h.spelt[low] = n
		short, _, isFull := strings.Cut(low, ".")
		switch twins := full[short]; {
		case len(twins) != 1:
		case !isFull:
			if h.spelt[twins[0]] == "" {
				h.spelt[twins[0]] = n
			} else {
				h.spelt[low] = h.spelt[twins[0]]
			}
		case h.spelt[short] == "" && slices.ContainsFunc(names, func(m string) bool { return strings.EqualFold(m, short) }):
			h.spelt[short] = n
		}
	}
}

// computerOfLogs returns the computer that the logs of a volume, of which tasks
// are, name last.
func computerOfLogs(tasks []*task) string {
	var best evidence.Coverage
	for _, t := range tasks {
		if t.file.Deleted {
			continue
		}
		for _, c := range t.out.Coverage {
			if c.Computer != "" && c.Host == "" && (best.Computer == "" || c.To.After(best.To)) {
				best = c
			}
		}
	}
	return best.Computer
}
