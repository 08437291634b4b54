package lab

import (
	"fmt"
	"strings"
	"time"
)

// A registry is the state of one hive while a story is told: the keys of a
// hivetest text, with the times that Windows would give them.
type registry struct {
	directives []string
	keys       []*regKey
	byPath     map[string]*regKey // by lower-case path
	freed      []regKey           // deleted keys whose cells are still there; rest says in what condition
}

// A regKey is one key. A zero time means its parent's, as in hivetest.
type regKey struct {
	path   string
	time   time.Time
	rest   string // of the key's line after ]: forced encoding, volatile count
	values []regValue
}

// A regValue is one value, as hivetest spells it.
type regValue struct{ name, data string }

func newRegistry() *registry { return &registry{byPath: map[string]*regKey{}} }

// merge reads a hivetest text over r: its times and values win. Nothing else
// moves: who writes keys out states all times.
func (r *registry) merge(text string, firstLine int) error {
	var key *regKey
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
		var err error
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == '!':
			r.directives = append(r.directives, line)
		case line[0] == '[':
			key, err = r.mergeKey(line)
		case key == nil:
			err = fmt.Errorf("%q: value before the first key", line)
		default:
			err = key.merge(line)
		}
		if err != nil {
			return &lineError{firstLine + i, err}
		}
	}
	return nil
}

// mergeKey reads a line [PATH]FLAGS TIME MORE.
func (r *registry) mergeKey(line string) (*regKey, error) {
	end := strings.LastIndexByte(line, ']')
	if end < 0 {
		return nil, fmt.Errorf("%q: no ]", line)
	}
	k := r.open(line[1:end])
	for word := range strings.FieldsSeq(line[end+1:]) {
		if word[0] >= '0' && word[0] <= '9' {
			t, err := parseTime(word)
			if err != nil {
				return nil, err
			}
			k.time = t
			continue
		}
		if !strings.HasPrefix(word, "volatile=") && word != "utf16" {
			return nil, fmt.Errorf("%q is neither a time, volatile=N nor utf16", word)
		}
		k.rest += " " + word
	}
	return k, nil
}

// merge reads a line NAME=DATA.
func (k *regKey) merge(line string) error {
	from := 0
	if strings.HasPrefix(line, `"`) { // the name may hold an equals sign
		from = 1 + strings.IndexByte(line[1:], '"')
	}
	i := strings.IndexByte(line[from:], '=')
	if i < 0 {
		return fmt.Errorf("%q is not NAME=DATA", line)
	}
	k.set(line[:from+i], line[from+i+1:])
	return nil
}

// set writes a value without moving the key's time.
func (k *regKey) set(name, data string) {
	for i, v := range k.values {
		if strings.EqualFold(v.name, name) {
			k.values[i].data = data
			return
		}
	}
	k.values = append(k.values, regValue{name, data})
}

// open returns the key at path; it is made, without a time, if it is new.
func (r *registry) open(path string) *regKey {
	k := r.byPath[strings.ToLower(path)]
	if k == nil {
		k = &regKey{path: path}
		r.keys = append(r.keys, k)
		r.byPath[strings.ToLower(path)] = k
	}
	return k
}

// has reports whether there is a key at path.
func (r *registry) has(path string) bool { return r.byPath[strings.ToLower(path)] != nil }

func parentPath(path string) string { return path[:max(strings.LastIndexByte(path, '\\'), 0)] }

// write opens or creates the key at path at the instant t and sets values in
// it: the key gets the time t, and a created key stamps its parent too.
func (r *registry) write(path string, t time.Time, values ...regValue) {
	if !r.has(path) && path != "" {
		r.create(parentPath(path), t)
		r.open(parentPath(path)).time = t
	}
	k := r.open(path)
	k.time = t
	for _, v := range values {
		k.set(v.name, v.data)
	}
}

// create makes the key at path, and those above it that are missing.
func (r *registry) create(path string, t time.Time) {
	if path != "" && !r.has(path) {
		r.write(path, t)
	}
}

// remove deletes the key at path and all below it at the instant t, which
// stamps the parent. It reports whether the key was there. Its cells are as
// good as overwritten, unless cell says in which condition they stay: "free",
// or a word of hivetest.
func (r *registry) remove(path string, t time.Time, cell string) bool {
	if !r.has(path) {
		return false
	}
	if cell != "" {
		k := *r.open(path)
		k.rest = " " + strings.TrimSuffix(cell, "free")
		r.freed = append(r.freed, k)
	}
	lower := strings.ToLower(path)
	kept := r.keys[:0]
	for _, k := range r.keys {
		p := strings.ToLower(k.path)
		if p == lower || strings.HasPrefix(p, lower+`\`) {
			delete(r.byPath, p)
			continue
		}
		kept = append(kept, k)
	}
	r.keys = kept
	r.open(parentPath(path)).time = t
	return true
}

// unset deletes a value at the instant t and reports whether it was there.
func (r *registry) unset(path, name string, t time.Time) bool {
	k := r.byPath[strings.ToLower(path)]
	if k == nil {
		return false
	}
	for i, v := range k.values {
		if strings.EqualFold(v.name, name) {
			k.values = append(k.values[:i], k.values[i+1:]...)
			k.time = t
			return true
		}
	}
	return false
}

// newest is the newest key time.
func (r *registry) newest() time.Time {
	var t time.Time
	for _, k := range r.keys {
		if k.time.After(t) {
			t = k.time
		}
	}
	return t
}

// text returns r as a hivetest text.
func (r *registry) text() string {
	var b strings.Builder
	for _, d := range r.directives {
		fmt.Fprintln(&b, d)
	}
	for _, k := range r.keys {
		k.print(&b, "")
	}
	for _, k := range r.freed {
		k.print(&b, "-")
	}
	return b.String()
}

func (k *regKey) print(b *strings.Builder, prefix string) {
	fmt.Fprintf(b, "%s[%s]", prefix, k.path)
	if !k.time.IsZero() {
		b.WriteString(" " + stamp(k.time))
	}
	fmt.Fprintln(b, k.rest)
	for _, v := range k.values {
		fmt.Fprintf(b, "%s=%s\n", v.name, v.data)
	}
}
