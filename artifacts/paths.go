package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// A pathKey says how values that name network places are read.
type pathKey struct {
	byName  bool            // the value's name is the place, else its data
	action  evidence.Action // of the rows
	says    string          // what the value says, before the place: "Windows ran a program from "
	trim    []string        // what stands behind the place in a value's name
	letters bool            // also places below a letter that may stand for a share, as context
}

// read reports each value of k that names a network place. whole is false if
// some value is unreadable.
func (p pathKey) read(k *hive.Key, out *Emitter) (whole bool) {
	whole = true
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		text := v.Name
		if !p.byName {
			if !isText(v) {
				continue
			}
			text = valueText(k, v, out)
		}
		for _, suffix := range p.trim {
			text = strings.TrimSuffix(text, suffix)
		}
		if hasScheme(text) {
			continue
		}
		o, ok := placeOrDrive(text)
		if !ok || o.Action == evidence.Context && !p.letters {
			continue
		}
		if o.Action == evidence.Used {
			o.Action = p.action
		}
		if !p.byName {
			o.Detail = append(o.Detail, evidence.Field{Name: "Data", Value: clip(text)})
		}
		o.Summary = p.says + target(&o) + "."
		out.ObserveValue(k, v, k.ValueCount == 1, o)
	}
	return whole
}

// isText reports whether v is of a type that holds one text.
func isText(v *hive.Value) bool {
	return v.Type == regSZ || v.Type == regExpandSZ || v.Type == regLink
}

// readPaths reads the keys with p, and attests each that was read whole.
func readPaths(in *Hive, out *Emitter, p pathKey, keys ...string) error {
	for _, path := range keys {
		k, err := lookup(in, path, out)
		if err != nil {
			out.Unreadable(path, err)
		}
		if k != nil && err == nil && p.read(k, out) {
			out.Attest(path)
		}
	}
	return nil
}

// observeCopy reports the values of key path as one context row, if the key is
// there, and attests it.
func observeCopy(in *Hive, path string, names []string, summary string, o evidence.Observation, out *Emitter) error {
	k, err := lookup(in, path, out)
	if k == nil {
		return err
	}
	o.Action, o.Summary = evidence.Context, summary
	o.Detail = append(o.Detail, pick(k, names, out)...)
	out.ObserveKey(k, o)
	out.Attest(path)
	return nil
}

// currentCopy makes a ReadHive that reports the named values of a key of the
// current control set as one context row.
func currentCopy(rel, summary string, names ...string) func(*Hive, *Emitter) error {
	return func(in *Hive, out *Emitter) error {
		set := currentSet(in, out)
		if set == "" {
			return nil
		}
		return observeCopy(in, set+`\`+rel, names, summary, evidence.Observation{}, out)
	}
}
