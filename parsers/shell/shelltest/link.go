package shelltest

import (
	"fmt"
	"strconv"
	"strings"
)

// Link returns the link that text describes.
func Link(text string) ([]byte, error) {
	f := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !strings.Contains(linkKeys, " "+key+" ") {
			return nil, fmt.Errorf("%q is no line of a link", line)
		}
		f[key] = value
	}
	return build(f)
}

const linkKeys = " created accessed modified size items share suffix device provider local label drive-type name relative workdir args icon machine cut "

var strs = []string{"name", "relative", "workdir", "args", "icon"}

func build(f map[string]string) ([]byte, error) {
	flags := uint32(0x80) // Unicode texts
	var items, info, texts, extra []byte
	if v, ok := f["items"]; ok {
		list, err := List(v)
		if err != nil {
			return nil, err
		}
		flags |= 1
		items = append(le.AppendUint16(nil, uint16(len(list))), list...)
	}
	if f["share"] != "" || f["local"] != "" {
		flags |= 2
		var err error
		if info, err = linkInfo(f); err != nil {
			return nil, err
		}
	}
	for i, key := range strs {
		if v, ok := f[key]; ok {
			flags |= 4 << i
			w := wide(v)
			texts = append(append(texts, le.AppendUint16(nil, uint16(len(w)/2))...), w...)
		}
	}
	if m := f["machine"]; m != "" {
		extra = le.AppendUint32(le.AppendUint32(nil, 0x60), 0xa0000003)
		extra = le.AppendUint32(le.AppendUint32(extra, 0x58), 0)
		extra = append(append(extra, m...), make([]byte, 80-len(m))...)
	}
	b := append([]byte{0x4c, 0, 0, 0}, guid("{00021401-0000-0000-C000-000000000046}")...)
	b = le.AppendUint32(le.AppendUint32(b, flags), 0x20)
	for _, key := range []string{"created", "accessed", "modified"} {
		t, err := ticks(f[key])
		if err != nil {
			return nil, err
		}
		b = le.AppendUint64(b, t)
	}
	size, err := number(f["size"])
	if err != nil {
		return nil, err
	}
	b = append(le.AppendUint32(b, size), 0, 0, 0, 0, 1, 0, 0, 0)
	b = append(b, make([]byte, 12)...)
	for _, part := range [][]byte{items, info, texts, extra, {0, 0, 0, 0}} {
		b = append(b, part...)
	}
	if cut, ok := f["cut"]; ok {
		n, err := number(cut)
		return b[:min(int(n), len(b))], err
	}
	return b, nil
}

func number(s string) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 0, 32)
	return uint32(n), err
}

// linkInfo returns LinkInfo with the Unicode texts, which Windows adds where
// code page 1252 cannot hold them.
func linkInfo(f map[string]string) ([]byte, error) {
	flags, local, network := uint32(0), []byte{}, []byte{}
	base := ""
	if f["share"] != "" {
		flags |= 2
		n, err := networkLink(f)
		if err != nil {
			return nil, err
		}
		network = n
	} else {
		flags |= 1
		base = f["local"]
		kind, err := number(f["drive-type"])
		if err != nil {
			return nil, err
		}
		label := append(narrow(f["label"]), 0)
		local = le.AppendUint32(le.AppendUint32(nil, uint32(16+len(label))), kind)
		local = append(le.AppendUint32(le.AppendUint32(local, 0x12345678), 16), label...)
	}
	const header = 0x24
	at := uint32(header)
	var offsets [6]uint32 // volume, base, network, suffix, base in Unicode, suffix in Unicode
	body := []byte{}
	add := func(i int, b []byte) {
		if len(b) > 0 {
			offsets[i] = at
			body = append(body, b...)
			at += uint32(len(b))
		}
	}
	add(0, local)
	if flags&1 != 0 {
		add(1, append(narrow(base), 0))
	}
	add(2, network)
	add(3, append(narrow(f["suffix"]), 0))
	if flags&1 != 0 {
		add(4, wide(base+"\x00"))
	}
	add(5, wide(f["suffix"]+"\x00"))
	b := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, at), header), flags)
	for _, o := range offsets {
		b = le.AppendUint32(b, o)
	}
	return append(b, body...), nil
}

// networkLink returns a CommonNetworkRelativeLink, with Unicode texts if the
// share's name needs them.
func networkLink(f map[string]string) ([]byte, error) {
	provider := f["provider"]
	if provider == "" {
		provider = "0x20000"
	}
	kind, err := number(provider)
	if err != nil {
		return nil, err
	}
	name, device, flags := f["share"], f["device"], uint32(2)
	unicode := !ascii(name)
	at := uint32(0x14)
	if unicode {
		at = 0x1c
	}
	offsets := []uint32{at, 0}
	body := append(narrow(name), 0)
	if device != "" {
		flags |= 1
		offsets[1] = at + uint32(len(body))
		body = append(append(body, device...), 0)
	}
	var more []uint32
	if unicode {
		more = append(more, at+uint32(len(body)))
		body = append(body, wide(name+"\x00")...)
		more = append(more, at+uint32(len(body)))
		body = append(body, wide(device+"\x00")...)
	}
	b := le.AppendUint32(le.AppendUint32(nil, at+uint32(len(body))), flags)
	b = le.AppendUint32(le.AppendUint32(b, offsets[0]), offsets[1])
	b = le.AppendUint32(b, kind)
	for _, o := range more {
		b = le.AppendUint32(b, o)
	}
	return append(b, body...), nil
}
