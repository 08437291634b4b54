package artifacts

import (
	"errors"
	"io/fs"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

// An mruEntry is one value of a key that lists its values, most recent first,
// in the value MRUList.
type mruEntry struct {
	value    *hive.Value
	text     string
	position int64 // in MRUList, 0 is the most recent; -1 if it is not in it
	newest   bool  // the last write of the key is the writing of this entry
}

// mruEntries reads k in the order of its values. Where list and values do not
// agree, the key was edited by hand: that is a Problem, and the last write
// of the key may then be the edit's, so no entry is called the newest.
func mruEntries(k *hive.Key, out *Emitter) (list []mruEntry, whole bool) {
	var holes []string
	defer func() { observeHoles(k, holes, out) }()
	whole = true
	for v, err := range k.Values() {
		switch {
		case err != nil:
			out.Unreadable(k.Path, err)
			whole = false
		case strings.EqualFold(v.Name, "MRUList"):
		case len(v.Name) == 1 && len(list) < maxValues:
			list = append(list, mruEntry{value: v, text: clip(valueText(k, v, out)), position: -1})
		default:
			out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value name", "value %q does not belong here", clip(v.Name)))
		}
	}
	order, ok := mruOrder(k, len(list) > 0, out)
	if !ok {
		return list, whole
	}
	sound := whole
	at := map[string]int64{}
	for i, letter := range strings.Split(strings.ToLower(order), "") {
		if _, twice := at[letter]; twice {
			sound = false
			out.Doubtful(k.Path, "MRUList", binread.Errorf(k.Off, "MRUList", "%q is listed twice", letter))
			continue
		}
		at[letter] = int64(i)
	}
	for i := range list {
		letter := strings.ToLower(list[i].value.Name)
		pos, listed := at[letter]
		if !listed {
			sound = false
			holes = append(holes, "value "+letter+" is not in MRUList")
			out.Doubtful(k.Path, list[i].value.Name, binread.Errorf(list[i].value.Off, "MRUList", "value %q is not in MRUList %q, as after an edit by hand", letter, clip(order)))
			continue
		}
		list[i].position = pos
		delete(at, letter)
	}
	if whole {
		for _, letter := range strings.Split(strings.ToLower(order), "") {
			if _, missing := at[letter]; missing {
				sound = false
				holes = append(holes, "MRUList names "+letter+", which is not there")
				delete(at, letter)
				out.Doubtful(k.Path, letter, binread.Errorf(k.Off, "MRUList", "hole: MRUList %q names %q, but there is no such value, as after a deletion by hand", clip(order), letter))
			}
		}
	}
	for i := range list {
		list[i].newest = sound && list[i].position == 0
	}
	return list, whole
}

// mruOrder returns the value MRUList of k; ok is false if it is unreadable, or
// absent though needed.
func mruOrder(k *hive.Key, needed bool, out *Emitter) (order string, ok bool) {
	v, err := k.Value("MRUList")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if needed {
			out.Doubtful(k.Path, "MRUList", binread.Errorf(k.Off, "MRUList", "absent: the order of the values is unknown"))
		}
		return "", !needed
	case err != nil: // which k.Values has told
		return "", false
	}
	return valueText(k, v, out), true
}

// observeHoles reports a list of recent things out of which entries were taken
// one by one: what Windows does when it forgets leaves no holes.
func observeHoles(k *hive.Key, holes []string, out *Emitter) {
	if len(holes) == 0 {
		return
	}
	out.ObserveKey(k, evidence.Observation{
		Action: evidence.Context, Side: evidence.Client,
		Summary: "Entries are missing from the middle of a list of recent things.",
		Detail:  evidence.Detail{{Name: "holes", Value: holes}},
	})
}
