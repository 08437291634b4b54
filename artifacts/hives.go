package artifacts

import (
	"errors"
	"fmt"
	"hash/fnv"
	"path"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

// ReadHive runs every artifact of a hive's kind over f: over its final view,
// with the transaction logs replayed; over each earlier state that the logs
// lead through and that says something else; and over what was deleted and can
// be recovered.
func ReadHive(f File) *Emitter {
	out := f.emitter()
	defer out.guard()
	h, replay, err := hive.OpenWithLogs(f.R, f.Size, f.Logs)
	if err != nil {
		out.Unreadable("", err)
		return out
	}
	if f.Place.Snapshot == "" {
		f.Place.AsOf = h.Newest()
	}
	for _, err := range replay.Problems {
		out.Doubtful("", "", err)
	}
	if h.Dirty() {
		seq1, seq2 := h.Sequences()
		out.Doubtful("", "", binread.Errorf(4, "sequence numbers", "hive is dirty (%d/%d) and no log completes it: it may lack its last changes, up to about an hour", seq1, seq2))
	}
	r := hiveReader{file: f, out: out}
	kind, _ := kindOf(h)
	if len(replay.Applied) > 0 && keepsStates(kind) {
		r.states(replay)
	}
	r.view(h, f.Place, false)
	if !f.NoDeleted && !isTemplate(f.Place.Path) && !f.Former && !IsFormer(f.Place.Path) {
		readDeleted(h, replay, out)
	}
	for _, err := range h.Problems() { // after reading: they include what it met
		if errors.Is(err, hive.ErrDamaged) {
			out.Unreadable("", err)
		} else {
			out.Doubtful("", "", err)
		}
	}
	c := &out.Coverage[len(out.Coverage)-1]
	c.Complete = c.Complete && !slices.ContainsFunc(out.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error })
	return out
}

// keepsStates reports whether the states of such a hive are told one by one:
// those that hold mappings and shares.
func keepsStates(k hive.Kind) bool { return k == hive.NTUSER || k == hive.System }

// kindOf returns the kind of a hive and, if it is a saved part of one, the key
// that is its root. HKCU\Software alone, as "reg save" writes it, looks like
// HKLM\SOFTWARE but for what only Explorer keeps of a user.
func kindOf(h *hive.Hive) (kind hive.Kind, part string) {
	if kind = h.Kind(); kind == hive.Software {
		for _, name := range []string{"MountPoints2", "RunMRU", "TypedPaths", "RecentDocs"} {
			if _, err := h.Key(`Microsoft\Windows\CurrentVersion\Explorer\` + name); err == nil {
				return hive.NTUSER, `Software\`
			}
		}
	}
	return kind, ""
}

// maxStates is how many states of one hive are looked into. A log holds an
// entry for each flush; Windows writes at most a few hundred before it
// reconciles them.
const maxStates = 1024

// A hiveReader reads the views of one hive.
type hiveReader struct {
	file File
	out  *Emitter
	last uint64 // digest of what the last view said
	seq  int
}

// states reads the primary and what it was after each log entry but the last,
// which is the final view.
func (r *hiveReader) states(replay *hive.Replay) {
	n := 0
	for s := range replay.States() {
		if s.Err != nil {
			r.out.Unreadable("", fmt.Errorf("state after entry %d of %s: %w", s.Sequence, s.Log, s.Err))
			continue
		}
		if n++; n > len(replay.Applied) {
			return
		}
		if n > maxStates {
			r.out.Doubtful("", "", binread.Errorf(-1, "transaction logs", "%d entries: the states after the first %d were not looked into one by one", len(replay.Applied), maxStates))
			return
		}
		p := *r.file.Place
		if p.Snapshot == "" {
			p.AsOf = s.Hive.Newest()
		}
		r.view(s.Hive, &p, true)
		if replay.Gap > 0 {
			// What lies between the primary and the first entry is not there:
			// states before the last may be torn, and absence in them is none.
			r.out.Doubtful("", "", binread.Errorf(-1, "transaction logs", "they lack the %d entries after the primary: the states between it and the last are not looked into", replay.Gap))
			return
		}
	}
}

// view runs the artifacts over one view of the hive. An earlier view that says
// what the one before it said is not told again, only that it was still so.
func (r *hiveReader) view(h *hive.Hive, at *evidence.Place, earlier bool) {
	sub := r.file.emitter()
	sub.place, sub.hive = at, h
	kind, part := kindOf(h)
	in := &Hive{Hive: h, Path: at.Path, part: part}
	// What the hive had not yet been told is unknown, also if the place shows a
	// later instant, as a snapshot does.
	asOf := h.Newest()
	cover := evidence.Coverage{Evidence: "registry:" + string(kind), AsOf: asOf, To: asOf, Records: -1, Place: at, Earlier: earlier, View: r.seq}
	if kind == hive.NTUSER || kind == hive.UsrClass {
		in.Profile = profile(h, at.Path)
		sub.user, cover.User = in.Profile, in.Profile
		cover.Evidence += ":" + in.Profile
	}
	for _, a := range All() {
		if !a.reads(kind) {
			continue
		}
		sub.artifact = a.Name
		if err := a.ReadHive(in, sub); err != nil {
			sub.Unreadable(strings.Join(a.Keys, "; "), fmt.Errorf("%s: %w", a.Name, err))
		}
	}
	markRestamps(h, sub, 0)
	if !setApart(at.Path, r.file.Former, sub.Observations) {
		// No state of today's hive, and none before it.
		cover.Evidence = strings.Replace(cover.Evidence, "registry:", "registry:windows.old:", 1)
		if isTemplate(at.Path) {
			cover.Evidence, cover.User = "registry:NTUSER-TEMPLATE", ""
		}
	}
	cover.Keys, cover.Dirty = sub.keys, h.Dirty() && !earlier
	cover.Written.Reorganized = h.Reorganized()
	if !h.Dirty() { // else its logs have counted on
		_, cover.Written.Sequence = h.Sequences()
	}
	cover.Complete = !slices.ContainsFunc(sub.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error })
	sum := digest(sub.Observations)
	if n := len(r.out.Coverage); earlier && n > 0 && sum == r.last {
		r.out.Coverage[n-1].AsOf, r.out.Coverage[n-1].To = asOf, asOf
		r.out.Coverage[n-1].Place.AsOf = at.AsOf
		return
	}
	r.last = sum
	r.seq++
	r.out.Observations = append(r.out.Observations, sub.Observations...)
	r.out.Coverage = append(r.out.Coverage, cover)
	r.out.Places = append(r.out.Places, sub.Places...)
	r.out.Places = append(r.out.Places, at)
	for _, p := range sub.Problems {
		if !earlier { // an earlier view repeats what the final one tells, or was overcome
			r.out.Problems = append(r.out.Problems, p)
		}
	}
	if !earlier {
		r.out.keys, r.out.user = sub.keys, sub.user
	}
}

// digest sums up what observations say.
func digest(obs []*evidence.Fact) uint64 {
	h := fnv.New64a()
	for _, o := range obs {
		fmt.Fprintf(h, "%s\xff%s\xff%s\xff%s\xff%s\xff%s\xff%s\xff%s\xff", o.Artifact, o.Action, o.Share, o.Drive, evidence.FormatTime(o.Time), o.From().Key, o.From().Value, o.Summary)
	}
	return h.Sum64()
}

// profile names the profile that a user hive belongs to: by the folder that
// holds it, else by the path that Windows wrote into the hive, else by the
// folders that the hive itself names, else by its own path: two files of the name
// NTUSER.DAT are no proof of one user.
func profile(h *hive.Hive, at string) string {
	if name := ProfileFolder(at); name != "" {
		return name
	}
	if strings.EqualFold(path.Base(path.Dir(at)), "config") && strings.EqualFold(path.Base(at), "DEFAULT") {
		return "SYSTEM" // HKU\.DEFAULT is the hive of the SYSTEM account
	}
	if name := profileOf(h.FileName()); name != "" {
		return name
	}
	if k, err := h.Key(`Software\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders`); err == nil {
		for _, folder := range []string{"Desktop", "AppData", "Local AppData", "Personal"} {
			if v, err := k.Value(folder); err == nil {
				if s, _, _ := v.Text(); profileOf(s) != "" {
					return profileOf(s)
				}
			}
		}
	}
	return at
}

// profileOf returns the folder below Users that a Windows path names.
func profileOf(windowsPath string) string {
	parts := strings.Split(windowsPath, `\`)
	for i, p := range parts[:max(len(parts)-2, 0)] {
		if strings.EqualFold(p, "Users") || strings.EqualFold(p, "Documents and Settings") {
			return parts[i+1]
		}
	}
	return ""
}
