package disk

import (
	"errors"
	"fmt"
	"hash/crc32"
	"unicode/utf16"

	"sharetrail/parsers/binread"
)

// GUID partition table (UEFI specification 2.10, section 5.3).

const (
	gptMaxEntries = 4096
	gptMaxLBA     = 1 << 50
)

var errGPT = errors.New("no valid GPT header")

// A gptHeader is one of the two headers, with the entries it points at.
type gptHeader struct {
	at, sector int64 // offset in the image; bytes of a sector
	other      int64 // offset of the other header
	entry      int64 // bytes of an entry
	entriesAt  int64
	entries    []byte
	err        error // why the entries must be doubted
}

// gpt reads a GPT, if there is one. The error is for a disk that had one and
// whose headers are both lost.
func (d *table) gpt(first []byte) (found bool, err error) {
	var h *gptHeader
	var bad []error
	for _, sector := range []int64{512, 4096} {
		g, err := d.gptAt(sector, sector)
		if err == nil {
			h = g
			break
		}
		if !errors.Is(err, errGPT) {
			bad = append(bad, err)
		}
	}
	if h == nil || h.err != nil {
		if b := d.gptBackup(first, h); b != nil {
			if h != nil {
				bad = append(bad, h.err)
			}
			if len(bad) == 0 {
				bad = append(bad, fmt.Errorf("the first header is gone"))
			}
			d.warn = append(d.warn, fmt.Errorf("the backup GPT at %#x is used: %w", b.at, errors.Join(bad...)))
			h = b
		}
	}
	switch {
	case h == nil && (len(bad) > 0 || protective(first)):
		return true, binread.Errorf(512, "GPT header", "the disk has a GPT, but neither the first nor the backup header is valid: recover the partition table (testdisk, gdisk), or extract the volume and point at that: %w", errors.Join(append(bad, ErrNoVolume)...))
	case h == nil:
		return false, nil
	case h.err != nil:
		d.warn = append(d.warn, fmt.Errorf("the partition table must be doubted: %w", h.err))
	case h.at < h.other && h.other >= d.size:
		d.warnf(h.at+32, "GPT header", "the disk had at least %d bytes, the image has %d: it is cut short", h.other+h.sector, d.size)
	}
	d.gptEntries(h)
	d.hybrid(first)
	return true, nil
}

// gptAt reads the header at off. An errGPT means that there is none.
func (d *table) gptAt(off, sector int64) (*gptHeader, error) {
	b := make([]byte, sector)
	if off > d.size-sector {
		return nil, errGPT
	}
	if err := binread.Full(d.r, b, off, "GPT header"); err != nil {
		return nil, err
	}
	if string(b[:8]) != "EFI PART" {
		return nil, errGPT
	}
	n := int64(le.Uint32(b[12:]))
	if n < 92 || n > sector {
		return nil, binread.Errorf(off+12, "GPT header", "size %d", n)
	}
	sum := le.Uint32(b[16:])
	clear(b[16:20])
	if crc32.ChecksumIEEE(b[:n]) != sum {
		return nil, binread.Errorf(off, "GPT header", "checksum differs")
	}
	if lba := le.Uint64(b[24:]); lba != uint64(off/sector) { // sectors of another size, or a copy gone astray
		return nil, binread.Errorf(off+24, "GPT header", "is that of sector %d, not %d", lba, off/sector)
	}
	other, at, count := le.Uint64(b[32:]), le.Uint64(b[72:]), int64(le.Uint32(b[80:]))
	h := &gptHeader{at: off, sector: sector, entry: int64(le.Uint32(b[84:]))}
	if other > gptMaxLBA || at > gptMaxLBA || count > gptMaxEntries || h.entry < 128 || h.entry > 4096 {
		return nil, binread.Errorf(off+72, "GPT header", "%d entries of %d bytes at sector %d", count, h.entry, at)
	}
	h.other, h.entriesAt = int64(other)*sector, int64(at)*sector
	if n := count * h.entry; h.entriesAt > d.size-n {
		h.err = binread.Errorf(h.entriesAt, "GPT entries", "%d bytes lie %w", n, ErrBeyond)
		return h, nil
	}
	h.entries = make([]byte, count*h.entry)
	if h.err = binread.Full(d.r, h.entries, h.entriesAt, "GPT entries"); h.err != nil {
		h.entries = nil
		return h, nil
	}
	if crc32.ChecksumIEEE(h.entries) != le.Uint32(b[88:]) {
		h.err = binread.Errorf(h.entriesAt, "GPT entries", "checksum differs")
	}
	return h, nil
}

// gptBackup looks for a sound backup where the first header says it is, where
// the protective MBR ends, and in the last sector of the image.
func (d *table) gptBackup(first []byte, h *gptHeader) *gptHeader {
	for _, sector := range []int64{512, 4096} {
		places := []int64{d.size/sector*sector - sector}
		if e, ok := protects(first); ok {
			places = append(places, (e.first+e.n-1)*sector)
		}
		if h != nil && h.sector == sector {
			places = append(places, h.other)
		}
		for _, off := range places {
			if off < 2*sector {
				continue
			}
			if b, err := d.gptAt(off, sector); err == nil && b.err == nil {
				return b
			}
		}
	}
	return nil
}

func (d *table) gptEntries(h *gptHeader) {
	for i := int64(0); (i+1)*h.entry <= int64(len(h.entries)); i++ {
		e, off := h.entries[i*h.entry:], h.entriesAt+i*h.entry
		if binread.IsZero(e[:16]) {
			continue
		}
		first, last := le.Uint64(e[32:]), le.Uint64(e[40:])
		p := Part{Index: int(i) + 1, Type: typed(guid(e)), Name: name(e[56:128])}
		if first < 1 || last < first || last > gptMaxLBA {
			p.FS, p.Err = "unknown", binread.Errorf(off+32, "GPT entry", "sectors %d to %d", first, last)
			d.parts = append(d.parts, p)
			continue
		}
		p.Start, p.Size = int64(first)*h.sector, int64(last-first+1)*h.sector
		d.add(off, p)
	}
}

// name decodes UTF-16LE up to a NUL.
func name(b []byte) string {
	var u []uint16
	for ; len(b) > 1 && le.Uint16(b) != 0; b = b[2:] {
		u = append(u, le.Uint16(b))
	}
	return string(utf16.Decode(u))
}

// protective reports whether the MBR says that the disk has a GPT.
func protective(first []byte) bool {
	_, ok := protects(first)
	return ok
}

// protects returns the entry of the MBR that covers the GPT.
func protects(first []byte) (e mbrEntry, ok bool) {
	for i := 0; i < 4 && !ok && isTable(first); i++ {
		e = entry(first, i, 0)
		ok = e.kind == 0xee
	}
	return e, ok
}

// hybrid warns of partitions that only the MBR of a GPT disk has.
func (d *table) hybrid(first []byte) {
	if !isTable(first) {
		return
	}
	for i := range 4 {
		e := first[446+16*i:]
		if e[4] != 0 && e[4] != 0xee && le.Uint32(e[12:]) != 0 {
			d.warnf(int64(446+16*i), "MBR", "the disk has a GPT, which is used; the MBR lists a partition of type %#02x at sector %d too", e[4], le.Uint32(e[8:]))
		}
	}
}
