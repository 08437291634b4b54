package artifacts

import (
	"fmt"
	"strconv"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/shell"
)

var _ = register(Artifact{
	Name:         "shellbags",
	Title:        "folders of shares that Explorer showed",
	What:         `NTUSER.DAT, key ` + bagRoots[0] + `, and UsrClass.dat, key ` + bagRoots[2] + `: a tree of keys, one for each folder that Explorer opened; a value of its parent holds the folder's shell item`,
	Proves:       `Explorer showed that folder in this user's session. The last write of its own key is when it was first shown, or when the folders shown below it last changed; that of its parent belongs to the folder that is first in MRUListEx`,
	DoesNotProve: `that the share was mapped. Folders below a drive letter do not say what the letter stood for, a share or a local disk: they are context`,
	Reference:    "libyal/libfwsi, Windows Shell Item format; keydet89/RegRipper3.0, shellbags.pl",
	Hive:         hive.NTUSER,
	AlsoHive:     hive.UsrClass,
	Keys:         bagRoots,
	ReadHive:     readShellBags,
	Files:        []string{"Users/*/NTUSER.DAT", "Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat"},
})

var bagRoots = []string{
	`Software\Microsoft\Windows\Shell\BagMRU`,
	`Software\Microsoft\Windows\ShellNoRoam\BagMRU`,
	`Local Settings\Software\Microsoft\Windows\Shell\BagMRU`,
	`Local Settings\Software\Microsoft\Windows\ShellNoRoam\BagMRU`,
}

// Bounds of one tree: Windows keeps at most some thousand folders.
const (
	maxBags     = 1 << 16
	maxBagDepth = 64
)

func readShellBags(in *Hive, out *Emitter) error {
	for i, path := range bagRoots {
		if (i >= 2) != (in.Kind() == hive.UsrClass) {
			continue
		}
		root, err := lookup(in, path, out)
		if err != nil {
			out.Unreadable(path, err)
		}
		if root == nil || err != nil {
			continue
		}
		b := bags{out: out, whole: true, seen: map[int64]bool{}}
		b.folder(root, nil)
		if b.whole {
			out.Attest(path)
		}
	}
	return nil
}

// bags walks one tree.
type bags struct {
	out   *Emitter
	whole bool
	n     int
	seen  map[int64]bool // offsets of keys: damaged lists may lead back
}

func (b *bags) unreadable(k *hive.Key, err error) {
	b.whole = false
	b.out.Unreadable(k.Path, err)
}

// folder reads what lies below k, the key of the folder to which the items
// of at lead.
func (b *bags) folder(k *hive.Key, at shell.List) {
	if b.seen[k.Off] {
		b.unreadable(k, binread.Errorf(k.Off, "BagMRU", "a key that was met before: %w", hive.ErrDamaged))
		return
	}
	b.seen[k.Off] = true
	if len(at) > maxBagDepth {
		b.unreadable(k, binread.Errorf(k.Off, "BagMRU", "more than %d levels deep", maxBagDepth))
		return
	}
	list, whole := subkeys(k, b.out)
	b.whole = b.whole && whole
	keys := map[string]*hive.Key{}
	for _, sub := range list {
		keys[sub.Name] = sub
	}
	entries, whole := numberedMRU(k, b.out)
	b.whole = b.whole && whole
	for _, e := range entries {
		if b.n++; b.n > maxBags {
			b.unreadable(k, binread.Errorf(k.Off, "BagMRU", "more than %d folders: the rest was not looked at", maxBags))
			return
		}
		data, err := e.value.Bytes()
		if err != nil {
			b.unreadable(k, err)
			continue
		}
		items, err := shell.ParseList(data, max(e.value.DataOff, 0))
		if err != nil {
			b.unreadable(k, err)
		}
		path := append(at[:len(at):len(at)], items...)
		sub := keys[e.value.Name]
		b.observe(k, e, sub, path.Path())
		if sub != nil {
			b.folder(sub, path)
		}
	}
}

// observe reports the folder that entry e of k stands for, if it lies on the
// network or below a letter that may be of the network. sub is its own key.
func (b *bags) observe(k *hive.Key, e mruEntry, sub *hive.Key, p shell.Path) {
	o, ok := shellPath(p)
	if !ok {
		return
	}
	o.Detail = append(o.Detail, e.order()...)
	verb := "Explorer showed "
	if sub != nil {
		own := o
		own.Detail = append(o.Detail[:len(o.Detail):len(o.Detail)], pick(sub, []string{"NodeSlot"}, b.out)...)
		own.Summary = verb + folderName(&o) + "."
		b.out.ObserveKey(sub, own)
		if !e.newest {
			return
		}
		verb = "Of the folders beside it, Explorer last showed "
	}
	o.Summary = verb + folderName(&o) + "."
	b.out.ObserveValue(k, e.value, e.newest, o)
}

// shellPath makes an observation of a path through the shell; ok is false if
// it is no place of the network, nor below a letter that may be one.
func shellPath(p shell.Path) (o evidence.Observation, ok bool) {
	o = evidence.Observation{Action: evidence.Used, Side: evidence.Client}
	switch {
	case p.UNC != "":
		if !place(&o, p.UNC) {
			return o, false
		}
	case mayBeMapped(p.Drive):
		o.Action, o.Drive = evidence.Context, p.Drive
		o.Detail = detail(o.Detail, evidence.Field{Name: "path", Value: p.Text})
	default:
		return o, false
	}
	if p.ANSI {
		o.Detail = append(o.Detail, evidence.Field{Name: "doubt", Value: "the text is of an unknown code page, read as Windows-1252"})
	}
	return o, true
}

// mayBeMapped reports whether a letter may stand for a share: A and B are
// floppy disks, and C is the volume that Windows lies on.
func mayBeMapped(drive string) bool { return drive > "C:" && drive <= "Z:" }

// folderName is how a sentence names the folder of o.
func folderName(o *evidence.Observation) string {
	switch sub := o.Detail.Text("subpath"); {
	case o.Drive != "":
		return "a folder of " + target(o)
	case sub != "":
		return name(o) + `\` + sub
	}
	return name(o)
}

// order says where e stands in its list, if it stands there.
func (e mruEntry) order() evidence.Detail {
	if e.position < 0 {
		return nil
	}
	return evidence.Detail{{Name: "Position", Value: e.position}}
}

// numberedMRU reads a key whose values are named by numbers, most recent first
// in the value MRUListEx: 32-bit numbers up to 0xffffffff.
func numberedMRU(k *hive.Key, out *Emitter) (list []mruEntry, whole bool) {
	whole = true
	at := map[string]int{}
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		n, err := strconv.ParseUint(v.Name, 10, 32)
		if err != nil || strconv.FormatUint(n, 10) != v.Name {
			continue
		}
		if len(list) == maxBags {
			out.Unreadable(k.Path, binread.Errorf(k.Off, "values", "more than %d", maxBags))
			return list, false
		}
		at[v.Name] = len(list)
		list = append(list, mruEntry{value: v, position: -1})
	}
	v, err := k.Value("MRUListEx")
	if err != nil || !whole {
		return list, whole // without it, or with unread values, the order is unknown
	}
	order, err := v.Bytes()
	if err != nil {
		out.Unreadable(k.Path, err)
		return list, false
	}
	sound, pos := true, 0
	for ; len(order) >= 4; order = order[4:] {
		n := uint32(order[0]) | uint32(order[1])<<8 | uint32(order[2])<<16 | uint32(order[3])<<24
		if n == 1<<32-1 {
			break
		}
		i, ok := at[fmt.Sprint(n)]
		if !ok || list[i].position >= 0 {
			sound = false
			out.Doubtful(k.Path, "MRUListEx", binread.Errorf(k.Off, "MRUListEx", "names %d, but there is no such value or it was named before, as after a deletion by hand", n))
		} else {
			list[i].position = int64(pos)
		}
		if pos++; pos > maxBags {
			break
		}
	}
	for i := range list {
		list[i].newest = sound && list[i].position == 0
	}
	return list, whole
}
