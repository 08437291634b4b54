package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// checkCell proves a row against the registry cell at its offset: in the hive as
// it stands, or in a state of it that its logs give.
func (f *file) checkCell(o *evidence.Observation) (string, error) {
	views, off, err := f.hive.views(f.id.path, o.From.Offset)
	if err != nil {
		return "", err
	}
	var first error
	for _, v := range views {
		p := &proof{cells: v, off: off, o: o, gone: o.State == evidence.Deleted || o.State == evidence.Carved}
		err := p.run()
		if err == nil && !f.same && !p.gone && f.kind == source.Hive && len(p.open) > 0 {
			err = fmt.Errorf("%w: %s", errChanged, strings.Join(p.open, ", "))
		}
		if err == nil {
			return p.said, nil
		}
		if first == nil {
			first = err
		}
	}
	return "", first
}

// A proof is that of one row in one state of a hive.
type proof struct {
	*cells
	off  int64
	o    *evidence.Observation
	gone bool     // the cell was free: its path and data may be lost
	open []string // what in the row or cell could not be compared
	said string
}

func (p *proof) run() error {
	b := p.b[min(max(p.off, 0), int64(len(p.b))):]
	switch {
	case bytes.HasPrefix(b, []byte("nk")) && p.o.From.Value == "":
		return p.key()
	case bytes.HasPrefix(b, []byte("vk")):
		return p.value()
	case p.o.From.Key == "" && p.o.From.Value == "" && p.gone:
		return p.text()
	}
	return fmt.Errorf("no cell of a key or value begins at this offset: its bytes are % x", b[:min(len(b), 4)])
}

// keyTime reports whether the row's time is the last write of its key.
func (p *proof) keyTime() bool {
	return p.o.TimeKind == evidence.KeyLastWrite || p.o.TimeKind == evidence.AtOrBefore
}

func (p *proof) key() error {
	n, err := p.node(p.off)
	if err != nil {
		return err
	}
	path := p.o.From.Key
	if path != "" && path != n.name && !strings.HasSuffix(path, `\`+n.name) {
		return fmt.Errorf("the key is called %q, which does not end %q", n.name, path)
	}
	if p.keyTime() && !n.last.Equal(p.o.Time) {
		return fmt.Errorf("the key's last write is %q, not %q", evidence.FormatTime(n.last), evidence.FormatTime(p.o.Time))
	}
	p.said = "key: signature, name, last write"
	if !p.gone {
		if !slices.Contains(p.find(path), p.off) {
			return fmt.Errorf("from the root of the hive, %q does not lead to this offset", path)
		}
		p.said += ", path"
	}
	return p.fields(n)
}

// fields compares the values of the key with those of the row that bear their
// names.
func (p *proof) fields(n *node) error {
	compared := 0
	for _, off := range p.cells.values(n) {
		v, err := p.cells.value(off)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(p.o.Detail, func(d evidence.Field) bool { return strings.EqualFold(d.Name, v.name) })
		b, err := p.cells.bytes(v)
		if i < 0 || err != nil {
			p.open = append(p.open, fmt.Sprintf("value %q", v.name))
			continue
		}
		want := listOf(p.o.Detail[i].Value)
		if !slices.ContainsFunc(forms(v.kind, b), func(got []string) bool { return sameList(got, want) }) {
			return fmt.Errorf("value %q is %q, not %q", v.name, render(v.kind, b), want)
		}
		compared++
	}
	if compared > 0 {
		p.said += fmt.Sprintf(", %d values", compared)
	}
	return p.share(n.name)
}

// share looks for the name of the row's share in what the row names its values by.
func (p *proof) share(name string) error {
	_, share, ok := strings.Cut(strings.TrimPrefix(p.o.Share, `\\`), `\`)
	if !ok || p.gone || p.o.Side == evidence.Server {
		return nil
	}
	for _, d := range p.o.Detail {
		for _, s := range listOf(d.Value) {
			name += "\x00" + s
		}
	}
	if !strings.Contains(strings.ToLower(name), strings.ToLower(share)) {
		p.open = append(p.open, "the name of the share")
	}
	return nil
}

func (p *proof) value() error {
	v, err := p.cells.value(p.off)
	if err != nil {
		return err
	}
	if v.name != p.o.From.Value {
		return fmt.Errorf("the value is called %q, not %q", v.name, p.o.From.Value)
	}
	p.said = "value: signature, name"
	if p.gone {
		return nil
	}
	holder := p.holder()
	if holder == nil {
		return fmt.Errorf("from the root of the hive, %q has no value at this offset", p.o.From.Key)
	}
	if p.keyTime() && !holder.last.Equal(p.o.Time) {
		return fmt.Errorf("the last write of the value's key is %q, not %q", evidence.FormatTime(holder.last), evidence.FormatTime(p.o.Time))
	}
	p.said += ", key, last write of the key"
	b, err := p.cells.bytes(v)
	if err != nil {
		return fmt.Errorf("the value's data: %w", err)
	}
	if p.told(render(v.kind, b)) {
		p.said += ", data"
		return nil
	}
	p.open = append(p.open, "the value's data")
	return nil
}

// holder returns the key at the row's path that has the value.
func (p *proof) holder() *node {
	for _, off := range p.find(p.o.From.Key) {
		if n, err := p.node(off); err == nil && slices.Contains(p.cells.values(n), p.off) {
			return n
		}
	}
	return nil
}

// told reports whether the row holds all of the data: each text is one of its
// values, or "name=value" for one of them.
func (p *proof) told(data []string) bool {
	var known []string
	for _, d := range p.o.Detail {
		for _, s := range listOf(d.Value) {
			known = append(known, s, d.Name+"="+s)
		}
	}
	known = append(known, p.o.Share, p.o.Share+`\`+p.o.Detail.Text("subpath"))
	return len(data) > 0 && !slices.ContainsFunc(data, func(s string) bool { return !slices.Contains(known, s) })
}

// text proves a row of loose text in unused space.
func (p *proof) text() error {
	n := int64(2 * len(utf16.Encode([]rune(p.o.Share))))
	end := p.off + max(p.o.From.Length, n)
	if end > int64(len(p.b)) {
		return errTruncated
	}
	got := p.b[p.off:end]
	if !strings.Contains(strings.ToLower(utf16LE(got)), strings.ToLower(p.o.Share)) && !strings.Contains(strings.ToLower(latin1(got)), strings.ToLower(p.o.Share)) {
		return errors.New("the name of the share is not at this offset")
	}
	p.said = "text"
	return nil
}

func listOf(v any) []string {
	if list, ok := v.([]any); ok {
		var out []string
		for _, v := range list {
			s, _ := plainText(v)
			out = append(out, s)
		}
		return out
	}
	if s, ok := plainText(v); ok {
		return []string{s}
	}
	return nil
}

// sameList reports whether the row's list is the data's, perhaps cut.
func sameList(got, want []string) bool {
	return len(want) <= len(got) && (len(want) == len(got) || len(want) >= 1024) &&
		pairwise(got, want)
}

func pairwise(got, want []string) bool {
	for i := range want {
		if !equal(got[i], want[i]) {
			return false
		}
	}
	return true
}
