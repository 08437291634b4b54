package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/source"

	"github.com/spf13/cobra"
)

func (a *app) dumpHive() *cobra.Command {
	var o hiveDump
	cmd := &cobra.Command{
		Use:   "hive FILE",
		Short: "Show every key and value of a registry hive",
		Long: `Show every key of a registry hive (a row without "value") and after it its values,
then what was deleted and can be recovered. Transaction logs that lie beside the
hive (FILE.LOG, FILE.LOG1, FILE.LOG2) are replayed in memory: --view primary
shows the file without them, --view final with all of them, --view all every
state between the two as well, named in the field "view".`,
		Example: `  sharetrail dump hive NTUSER.DAT | head
  sharetrail dump hive --view all NTUSER.DAT | jq 'select(.key | startswith("Network"))'`,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch o.view {
			case "primary", "final", "all":
			default:
				return usagef("--view %q: must be one of primary, final, all", o.view)
			}
			return a.dumpFile(cmd, args[0], o.dump)
		},
	}
	cmd.Flags().StringVar(&o.view, "view", "final", "`STATE` of the hive to show: primary, final or all")
	cmd.Flags().BoolVar(&o.noDeleted, "no-deleted", false, "leave out what was deleted and can be recovered")
	return cmd
}

// A hiveDump is what to show of a hive.
type hiveDump struct {
	view      string
	noDeleted bool
}

type hiveRow struct {
	key      *hive.Key
	value    *hive.Value
	path     string
	data     any
	trailing string
	state    string
	view     string
	text     int64 // offset of a bare text
}

func hiveColumns(names ...string) []output.Column[hiveRow] {
	all := map[string]func(*hiveRow) any{
		"view": func(r *hiveRow) any { return r.view },
		"key":  func(r *hiveRow) any { return r.path },
		"last_write": func(r *hiveRow) any {
			if r.key == nil {
				return ""
			}
			return r.key.LastWrite
		},
		"value": func(r *hiveRow) any {
			if r.value == nil {
				return ""
			}
			return r.value.Name
		},
		"type": func(r *hiveRow) any {
			if r.value == nil {
				return ""
			}
			return hive.TypeName(r.value.Type)
		},
		"data":     func(r *hiveRow) any { return r.data },
		"trailing": func(r *hiveRow) any { return r.trailing },
		"state":    func(r *hiveRow) any { return r.state },
		"offset": func(r *hiveRow) any {
			switch {
			case r.value != nil:
				return r.value.Off
			case r.key != nil:
				return r.key.Off
			}
			return r.text
		},
	}
	var out []output.Column[hiveRow]
	for _, name := range names {
		out = append(out, output.Column[hiveRow]{Name: name, Get: all[name]})
	}
	return out
}

// hiveRows are the layouts of rows: of a key, of a value, and of a value that
// hides text behind its first NUL.
type hiveRows struct{ key, value, trailing *output.Layout[hiveRow] }

func newHiveRows(first ...string) hiveRows {
	of := func(names ...string) *output.Layout[hiveRow] {
		return output.NewLayout("hive", hiveColumns(append(first[:len(first):len(first)], names...)...)...)
	}
	return hiveRows{
		key:      of("key", "last_write", "state", "offset"),
		value:    of("key", "last_write", "value", "type", "data", "state", "offset"),
		trailing: of("key", "last_write", "value", "type", "data", "trailing", "state", "offset"),
	}
}

var (
	oneView  = newHiveRows()
	allViews = newHiveRows("view")
)

func (o hiveDump) dump(d *dumper, f *os.File, size int64) error {
	var logs []hive.LogFile
	if o.view != "primary" {
		found, closeAll := d.logsBeside(f.Name())
		defer closeAll()
		logs = found
	}
	h, replay, err := hive.OpenWithLogs(f, size, logs)
	if err != nil {
		d.failed(err)
		return nil
	}
	for _, err := range replay.Problems {
		d.failed(err)
	}
	if o.view == "all" {
		if err := o.states(d, replay); err != nil {
			return err
		}
		if err := o.tree(d, h, "final"); err != nil {
			return err
		}
	} else if err := o.tree(d, h, ""); err != nil {
		return err
	}
	if !o.noDeleted {
		if err := o.deleted(d, h); err != nil {
			return err
		}
	}
	for _, err := range h.Problems() {
		d.a.say("%s: warning: %s", d.name, output.Visible(err.Error()))
	}
	return nil
}

// logsBeside opens the transaction logs of the hive called name.
func (d *dumper) logsBeside(name string) (logs []hive.LogFile, closeAll func()) {
	var open []*os.File
	closeAll = func() {
		for _, f := range open {
			f.Close()
		}
	}
	var entries []os.DirEntry
	dir, err := source.OpenReadOnly(filepath.Dir(name))
	if err == nil {
		entries, err = dir.ReadDir(-1)
		slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		dir.Close()
	}
	if err != nil {
		d.a.say("%s: its transaction logs cannot be looked for: %v", d.name, err)
		return nil, closeAll
	}
	for _, e := range entries {
		rest, ok := cutFold(e.Name(), filepath.Base(name))
		switch strings.ToUpper(rest) {
		case ".LOG", ".LOG1", ".LOG2":
		default:
			continue
		}
		if !ok || !e.Type().IsRegular() {
			continue
		}
		f, err := source.OpenReadOnly(filepath.Join(filepath.Dir(name), e.Name()))
		if err != nil {
			d.failed(err)
			continue
		}
		open = append(open, f)
		if info, err := f.Stat(); err == nil && info.Size() > 0 {
			logs = append(logs, hive.LogFile{Name: e.Name(), R: f, Size: info.Size()})
		}
	}
	return logs, closeAll
}

// cutFold returns s without the prefix, which may differ from it in case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// states writes the primary and the state after each log entry.
func (o hiveDump) states(d *dumper, replay *hive.Replay) error {
	for s := range replay.States() {
		view := "primary"
		if s.Log != "" {
			view = fmt.Sprintf("log:%s:%d", s.Log, s.Sequence)
		}
		if s.Err != nil {
			d.failed(fmt.Errorf("%s: %w", view, s.Err))
			continue
		}
		if err := o.tree(d, s.Hive, view); err != nil {
			return err
		}
	}
	return nil
}

func (o hiveDump) layouts() hiveRows {
	if o.view == "all" {
		return allViews
	}
	return oneView
}

// tree writes the live keys and values of one view.
func (o hiveDump) tree(d *dumper, h *hive.Hive, view string) error {
	rows := o.layouts()
	state := func(off, n int64) string {
		if h.Changed(off, max(n, 1)) {
			return "log_replayed"
		}
		return "live"
	}
	for k, err := range h.Walk() {
		if err != nil {
			d.failed(err)
			continue
		}
		if err := put(d, rows.key, &hiveRow{key: k, path: k.Path, state: state(k.Off, k.Len), view: view}); err != nil {
			return err
		}
		for v, err := range k.Values() {
			if err != nil {
				d.failed(err)
				continue
			}
			row := hiveRow{key: k, value: v, path: k.Path, view: view, state: state(v.Off, v.Len)}
			if row.state == "live" && v.DataOff >= 0 {
				row.state = state(v.DataOff, int64(v.Size))
			}
			if row.data, row.trailing, err = valueData(v); err != nil {
				d.failed(fmt.Errorf("%s: %w", k.Path, err))
			}
			if err := o.putValue(d, &row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o hiveDump) putValue(d *dumper, row *hiveRow) error {
	if row.trailing != "" {
		return put(d, o.layouts().trailing, row)
	}
	return put(d, o.layouts().value, row)
}

// deleted writes what no live content uses any more.
func (o hiveDump) deleted(d *dumper, h *hive.Hive) error {
	for it, err := range h.Deleted() {
		if err != nil {
			d.failed(err)
			continue
		}
		if err := o.putItem(d, it, nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// putItem writes one recovered key with its values, value, or text.
func (o hiveDump) putItem(d *dumper, it hive.Item, of *hive.Key, path string) error {
	row := hiveRow{key: of, path: path, state: "deleted"}
	if o.view == "all" {
		row.view = "final"
	}
	switch {
	case it.Key != nil:
		row.key, row.path = it.Key, it.Path
		if err := put(d, o.layouts().key, &row); err != nil {
			return err
		}
		for _, v := range it.Values {
			if err := o.putItem(d, v, it.Key, it.Path); err != nil {
				return err
			}
		}
		return nil
	case it.Value != nil:
		if path == "" {
			row.path = it.Path
		}
		row.value = it.Value
		// Its data may lie where something else is now: it is shown as found.
		row.data, row.trailing, _ = valueData(it.Value)
	default:
		row.data, row.text = it.Text, it.Off
	}
	return o.putValue(d, &row)
}

// valueData returns the data of v by its type. Data that does not fit its type
// is hex, as binary data is; with an error, it is what could be read.
func valueData(v *hive.Value) (data any, trailing string, err error) {
	text, trailing, err := v.Text()
	if !errors.Is(err, hive.ErrType) {
		return text, trailing, err
	}
	list, err := v.Strings()
	if !errors.Is(err, hive.ErrType) {
		return list, "", err
	}
	if n, ok := v.Uint(); ok {
		return n, "", nil
	}
	b, err := v.Bytes()
	return hex.EncodeToString(b), "", err
}
