package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/shell"
)

const comDlg = explorer + `\ComDlg32`

var comDlgKeys = []string{
	comDlg + `\OpenSavePidlMRU`, comDlg + `\LastVisitedPidlMRU`, comDlg + `\LastVisitedPidlMRULegacy`,
	comDlg + `\OpenSaveMRU`, comDlg + `\LastVisitedMRU`,
}

var _ = register(Artifact{
	Name:         "comdlg32",
	Title:        "places on shares in the dialogs that open and save files",
	What:         `NTUSER.DAT, keys of ` + comDlg + `: OpenSavePidlMRU (a list of files by extension), LastVisitedPidlMRU and ...Legacy (the last folder of each program); in XP OpenSaveMRU and LastVisitedMRU`,
	Proves:       `the user chose that file or folder in a dialog. The key's last write is the time of the first of its list, and an upper bound for the others`,
	DoesNotProve: `that the share was mapped. Below a drive letter it does not say what the letter stood for: such rows are context`,
	Reference:    "keydet89/RegRipper3.0, comdlg32.pl; log2timeline/plaso, mrulistex.py",
	Hive:         hive.NTUSER,
	Keys:         comDlgKeys,
	ReadHive:     readComDlg,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readComDlg(in *Hive, out *Emitter) error {
	for i, path := range comDlgKeys {
		k, err := lookup(in, path, out)
		if err != nil {
			out.Unreadable(path, err)
		}
		if k == nil || err != nil {
			continue
		}
		d := dialogs{out: out, perProgram: i == 1 || i == 2, whole: true}
		if i < 3 {
			d.items(k)
		} else {
			d.texts(k)
		}
		if i == 0 || i == 3 { // one key for each extension
			list, whole := subkeys(k, out)
			d.whole = d.whole && whole
			for _, sub := range list {
				if i < 3 {
					d.items(sub)
				} else {
					d.texts(sub)
				}
			}
		}
		if d.whole {
			out.Attest(path)
		}
	}
	return nil
}

// dialogs reads the keys of one kind.
type dialogs struct {
	out        *Emitter
	perProgram bool // entries begin with the program's name
	whole      bool
}

// items reads entries that are lists of shell items.
func (d *dialogs) items(k *hive.Key) {
	entries, whole := numberedMRU(k, d.out)
	d.whole = d.whole && whole
	for _, e := range entries {
		data, err := e.value.Bytes()
		if err != nil {
			d.out.Unreadable(k.Path, err)
			d.whole = false
			continue
		}
		off, program := max(e.value.DataOff, 0), ""
		if d.perProgram {
			n := wideEnd(data)
			program = utf16Text(data[:n])
			data, off = data[min(n+2, len(data)):], off+int64(n)+2
		}
		items, err := shell.ParseList(data, off)
		if err != nil {
			d.out.Unreadable(k.Path, err)
			d.whole = false
		}
		if o, ok := shellPath(items.Path()); ok {
			d.observe(k, e, program, o)
		}
	}
}

// texts reads the entries of XP, which are paths.
func (d *dialogs) texts(k *hive.Key) {
	if k.ValueCount == 0 {
		return
	}
	for v, err := range k.Values() {
		if err != nil {
			d.out.Unreadable(k.Path, err)
			d.whole = false
			continue
		}
		if strings.EqualFold(v.Name, "MRUList") {
			continue
		}
		text := ""
		if isText(v) {
			text = valueText(k, v, d.out)
		} else if b, err := v.Bytes(); err == nil { // program, NUL, folder
			n := wideEnd(b)
			text = utf16Text(b[min(n+2, len(b)):])
		}
		if o, ok := placeOrDrive(text); ok {
			d.observe(k, mruEntry{value: v, position: -1}, "", o)
		}
	}
}

func (d *dialogs) observe(k *hive.Key, e mruEntry, program string, o evidence.Observation) {
	o.Detail = append(o.Detail, e.order()...)
	o.Detail = detail(o.Detail, evidence.Field{Name: "Program", Value: program})
	o.Summary = "A file dialog was used on " + folderName(&o) + "."
	if program != "" {
		o.Summary = "A file dialog of " + clip(program) + " was used on " + folderName(&o) + "."
	}
	d.out.ObserveValue(k, e.value, e.newest, o)
}

// wideEnd returns where the UTF-16 text at the start of b ends.
func wideEnd(b []byte) int {
	for n := 0; n+1 < len(b); n += 2 {
		if b[n] == 0 && b[n+1] == 0 {
			return n
		}
	}
	return len(b) &^ 1
}
