package container

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"sharetrail/parsers/binread"

	"golang.org/x/text/encoding/charmap"
)

// A VMDK is a text descriptor that lists extents, in a file of its own or inside
// of its only extent (VMware, "Virtual Disk Format 5.0").

const (
	vmdkDescriptor = 1 << 20 // bytes of a descriptor, at most
	vmdkDelta      = "a snapshot (delta) disk, which holds only what changed since its parent %s: consolidate the snapshots or export the disk, and point at the result: %w"
)

func openVMDK(f *file, d *folder) (*image, error) {
	magic, err := f.get(0, 4, "signature")
	if err != nil {
		return nil, err
	}
	switch string(magic) {
	case "COWD":
		return nil, f.errorf(0, "signature", "an ESX sparse disk (COWD); convert it with vmkfstools or qemu-img: %w", ErrUnsupported)
	case "KDMV":
		return openSparse(f)
	}
	b, err := f.get(0, min(f.size, vmdkDescriptor), "descriptor")
	if err != nil {
		return nil, err
	}
	t := parseDescriptor(b)
	if t.parent != "" {
		return nil, f.errorf(0, "parentCID", vmdkDelta, t.parent, ErrUnsupported)
	}
	if !t.valid {
		return nil, f.errorf(0, "descriptor", "no parentCID: it is unknown whether the disk has a parent")
	}
	if len(t.extents) == 0 {
		return nil, f.errorf(0, "descriptor", "lists no extent")
	}
	im := &image{}
	var disk pieces
	for _, line := range t.extents {
		x, err := parseExtent(line)
		if err != nil {
			return nil, f.errorf(0, "descriptor", "%w", err)
		}
		disk, err = im.extent(disk, x, f, d)
		if err != nil {
			return nil, err
		}
		if disk.size() > maxDisk {
			return nil, f.errorf(0, "descriptor", "a disk of more than %d bytes", int64(maxDisk))
		}
	}
	im.ReaderAt, im.size = disk, disk.size()
	return im, nil
}

// openSparse opens a sparse extent that carries its own descriptor.
func openSparse(f *file) (*image, error) {
	h, err := sparseHeader(f, 0)
	if err != nil {
		return nil, err
	}
	off, n := int64(le.Uint64(h[28:])), int64(le.Uint64(h[36:]))
	if off == 0 || n == 0 {
		return nil, f.errorf(28, "descriptor offset", "an extent without a descriptor: open the .vmdk file that lists it instead: %w", ErrPart)
	}
	if off < 0 || off > maxDisk/512 || n < 0 || n > vmdkDescriptor/512 {
		return nil, f.errorf(28, "descriptor offset", "%d sectors at sector %d", n, off)
	}
	b, err := f.get(off*512, n*512, "descriptor")
	if err != nil {
		return nil, err
	}
	if binread.IsZero(b) {
		return nil, f.errorf(off*512, "descriptor", "an extent with an empty descriptor: open the .vmdk file that lists it instead: %w", ErrPart)
	}
	t := parseDescriptor(b)
	if !t.valid {
		return nil, f.errorf(off*512, "descriptor", "not one: it is unknown whether the disk has a parent")
	}
	if t.parent != "" {
		return nil, f.errorf(off*512, "parentCID", vmdkDelta, t.parent, ErrUnsupported)
	}
	s, err := newSparse(f)
	if err != nil {
		return nil, err
	}
	return &image{ReaderAt: s.disk(), size: s.size, warn: s.warn}, nil
}

// extent opens one extent and adds it to the disk.
func (m *image) extent(disk pieces, x vmdkExtent, f *file, d *folder) (pieces, error) {
	n := x.sectors * 512
	switch x.kind {
	case "ZERO":
		return disk.add(zeros{}, n), nil
	case "FLAT", "VMFS", "SPARSE":
	case "VMFSSPARSE", "SESPARSE":
		return nil, f.errorf(0, "descriptor", "extents of type %s (ESX snapshots); consolidate the snapshots, or convert the disk with vmkfstools: %w", x.kind, ErrUnsupported)
	default:
		return nil, f.errorf(0, "descriptor", "extents of type %q: %w", x.kind, ErrUnsupported)
	}
	if x.kind == "SPARSE" && d.has(baseName(x.name)) {
		return nil, f.errorf(0, "descriptor", "extent %q is listed twice", baseName(x.name))
	}
	lost := func(err error) (pieces, error) {
		m.warn = append(m.warn, fmt.Errorf("disk offsets %#x to %#x cannot be read: %w", disk.size(), disk.size()+n, err))
		return disk.add(gone{err}, n), nil
	}
	s, err := d.sibling(x.name)
	if err != nil {
		return lost(fmt.Errorf("extent %w", err))
	}
	if x.kind != "SPARSE" {
		if off := x.offset * 512; off > s.size || n > s.size-off {
			m.warn = append(m.warn, s.errorf(s.size, "extent", "the file is cut short: the extent of %d bytes would end at %#x", n, off+n))
		}
		return disk.add(section{s, x.offset * 512, "extent"}, n), nil
	}
	sp, err := newSparse(s)
	if err != nil {
		return lost(err)
	}
	m.warn = append(m.warn, sp.warn...)
	if sp.size < n {
		return lost(s.errorf(12, "capacity", "%d bytes, but the descriptor gives the extent %d", sp.size, n))
	}
	return disk.add(sp.disk(), n), nil
}

type vmdkText struct {
	valid   bool
	parent  string // name or CID of the parent, "" if there is none
	extents []string
}

// parseDescriptor reads the lines of a descriptor. Keys are told apart from
// their values by "=", extents by their access.
func parseDescriptor(b []byte) (t vmdkText) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	text := strings.TrimPrefix(string(b), "\ufeff")
	t.valid = strings.HasPrefix(text, "# Disk DescriptorFile")
	cid, hint, encoding := "", "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if access, _, _ := strings.Cut(line, " "); access == "RW" || access == "RDONLY" || access == "NOACCESS" {
			t.extents = append(t.extents, line)
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "parentcid":
			cid = value
		case "parentfilenamehint":
			hint = value
		case "encoding":
			encoding = value
		}
	}
	for i, line := range t.extents {
		t.extents[i] = decoded(line, encoding)
	}
	if cid != "" && !strings.EqualFold(cid, "ffffffff") || hint != "" {
		t.parent = fmt.Sprintf("%q (CID %s)", baseName(hint), cid)
	}
	if cid == "" {
		t.valid = false
	}
	return t
}

// decoded is a line of a descriptor as UTF-8. VMware writes names in the code page of
// its computer, and says which that is.
func decoded(line, encoding string) string {
	if utf8.ValidString(line) {
		return line
	}
	for _, e := range charmap.All {
		page, ok := e.(*charmap.Charmap)
		if name := cmp.Or(encoding, "windows-1252"); ok && strings.EqualFold(name, strings.ReplaceAll(page.String(), " ", "-")) {
			if text, err := page.NewDecoder().String(line); err == nil {
				return text
			}
		}
	}
	return line
}

type vmdkExtent struct {
	sectors, offset int64 // offset in the file, in sectors
	kind, name      string
}

// parseExtent reads a line like: RW 4192256 FLAT "disk-flat.vmdk" 0
func parseExtent(line string) (x vmdkExtent, err error) {
	bad := fmt.Errorf("extent %q", line)
	head, rest, quoted := strings.Cut(line, `"`)
	f := strings.Fields(head)
	if len(f) < 3 {
		return x, bad
	}
	const most = maxDisk / 512
	if x.sectors, err = strconv.ParseInt(f[1], 10, 64); err != nil || x.sectors < 0 || x.sectors > most {
		return x, bad
	}
	x.kind = strings.ToUpper(f[2])
	if !quoted {
		return x, nil
	}
	end := strings.LastIndexByte(rest, '"')
	if end < 0 {
		return x, bad
	}
	x.name = rest[:end]
	if f := strings.Fields(rest[end+1:]); len(f) > 0 {
		if x.offset, err = strconv.ParseInt(f[0], 10, 64); err != nil || x.offset < 0 || x.offset > most {
			return x, bad
		}
	}
	return x, nil
}
