package disk

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const mib = 1 << 20

// boot writes the boot sector of a volume of n bytes.
func boot(img []byte, off, n int64, fs string) {
	b := img[off:]
	set := func(at int, s string) { copy(b[at:], s) }
	le.PutUint16(b[11:], 512)
	b[510], b[511] = 0x55, 0xaa
	switch fs {
	case "ntfs":
		set(0, "\xeb\x52\x90NTFS    ")
		b[13] = 8
		le.PutUint64(b[40:], uint64(n/512-1))
		copy(img[off+n-512:off+n], b[:512])
	case "bitlocker":
		set(0, "\xeb\x58\x90-FVE-FS-")
	case "bitlocker to go":
		set(0, "\xeb\x58\x90MSWIN4.1")
		set(424, toGo)
	case "refs":
		set(0, "\x00\x00\x00ReFS\x00\x00\x00\x00")
		b[510], b[511] = 0, 0
	case "exfat":
		set(0, "\xeb\x76\x90EXFAT   ")
	case "fat":
		set(0, "\xeb\x3c\x90MSDOS5.0")
		b[13], b[14], b[16], b[21] = 4, 1, 2, 0xf8
		set(54, "FAT16   ")
	case "fat32":
		set(0, "\xeb\x58\x90MSDOS5.0")
		b[13], b[14], b[16], b[21] = 8, 32, 2, 0xf8
		set(82, "FAT32   ")
	case "ext":
		clear(b[:512])
		set(1024+56, "\x53\xef")
	case "lvm":
		clear(b[:512])
		set(512, "LABELONE")
		set(512+24, "LVM2 001")
	case "spaces":
		clear(b[:512])
		set(0, "SPACEDB ")
	case "luks":
		clear(b[:512])
		set(0, "LUKS\xba\xbe")
	}
}

type gptPart struct {
	typ         string // GUID
	first, last uint64
	name        string
}

func putGUID(b []byte, s string) {
	var a uint32
	var c, d uint16
	var e, f uint64
	if _, err := fmt.Sscanf(s, "%08x-%04x-%04x-%04x-%012x", &a, &c, &d, &e, &f); err != nil {
		panic(err)
	}
	le.PutUint32(b, a)
	le.PutUint16(b[4:], c)
	le.PutUint16(b[6:], d)
	for i := range 2 {
		b[8+i] = byte(e >> (8 * (1 - i)))
	}
	for i := range 6 {
		b[10+i] = byte(f >> (8 * (5 - i)))
	}
}

// makeGPT writes both headers and a protective MBR.
func makeGPT(img []byte, sector int64, parts ...gptPart) {
	last := int64(len(img))/sector - 1
	putEntry(img, 0, 0xee, 1, uint32(last))
	img[510], img[511] = 0x55, 0xaa
	entries := make([]byte, 128*128)
	for i, p := range parts {
		e := entries[128*i:]
		if p.typ == "" {
			continue
		}
		putGUID(e, p.typ)
		e[16] = byte(i + 1)
		le.PutUint64(e[32:], p.first)
		le.PutUint64(e[40:], p.last)
		for j, c := range utf16.Encode([]rune(p.name)) {
			le.PutUint16(e[56+2*j:], c)
		}
	}
	put := func(lba, other, at int64) {
		h := img[lba*sector:]
		copy(h, "EFI PART\x00\x00\x01\x00")
		le.PutUint32(h[12:], 92)
		le.PutUint64(h[24:], uint64(lba))
		le.PutUint64(h[32:], uint64(other))
		le.PutUint64(h[72:], uint64(at))
		le.PutUint32(h[80:], 128)
		le.PutUint32(h[84:], 128)
		le.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
		le.PutUint32(h[16:], 0)
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
		copy(img[at*sector:], entries)
	}
	n := int64(len(entries)) / sector
	put(1, last, 2)
	put(last, 1, last-n)
}

// putEntry writes an entry of the record whose sector begins at img[0].
func putEntry(img []byte, i int, kind byte, first, n uint32) {
	e := img[446+16*i:]
	e[4] = kind
	le.PutUint32(e[8:], first)
	le.PutUint32(e[12:], n)
	img[510], img[511] = 0x55, 0xaa
}

const (
	basic = basicData
	msr   = "e3c9e316-0b5c-4db8-817d-f92df00215ae"
	dyn   = "af9b60a0-1431-4f62-bc68-3311714a69ad"
	pool  = "e75caf8f-f680-4cee-afa3-b001e56efc2d"
)

// wide returns a GPT disk with sectors of the given size.
func wide(sector int64) []byte {
	img := make([]byte, 8*mib)
	s := func(n int64) uint64 { return uint64(n / sector) }
	makeGPT(img, sector,
		gptPart{msr, s(mib), s(2*mib) - 1, "Microsoft reserved partition"},
		gptPart{}, // a slot that was deleted
		gptPart{basic, s(2 * mib), s(4*mib) - 1, "Basic data partition"},
		gptPart{basic, s(4 * mib), s(5*mib) - 1, "Grün"},
		gptPart{dyn, s(5 * mib), s(6*mib) - 1, ""},
		gptPart{pool, s(6 * mib), s(7*mib) - 1, ""})
	boot(img, 2*mib, 2*mib, "ntfs")
	boot(img, 4*mib, mib, "bitlocker")
	boot(img, 5*mib, mib, "ntfs") // begins on this disk, and may span others
	return img
}

var wideParts = []string{
	"p1 0x100000+0x100000 e3c9e316-0b5c-4db8-817d-f92df00215ae (Microsoft reserved) \"Microsoft reserved partition\" unknown",
	"p3 0x200000+0x200000 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) \"Basic data partition\" ntfs",
	"p4 0x400000+0x100000 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) \"Grün\" bitlocker",
	"p5 0x500000+0x100000 af9b60a0-1431-4f62-bc68-3311714a69ad (Windows dynamic disk) \"\" ldm",
	"p6 0x600000+0x100000 e75caf8f-f680-4cee-afa3-b001e56efc2d (Windows storage pool) \"\" storage spaces",
}

// logicals returns an MBR disk with two primary and three logical partitions.
func logicals(sector int64) []byte {
	img := make([]byte, 8*mib)
	s := func(n int64) uint32 { return uint32(n / sector) }
	putEntry(img, 0, 0x07, s(mib), s(mib))
	putEntry(img, 1, 0x0f, s(3*mib), s(5*mib))
	putEntry(img, 3, 0x42, s(2*mib), s(mib))
	boot(img, mib, mib, "ntfs")
	for i, fs := range []string{"ntfs", "exfat", "fat32"} {
		at := int64(3+i) * mib
		putEntry(img[at:], 0, 0x07, s(64<<10), s(mib-64<<10))
		if i < 2 {
			putEntry(img[at:], 1, 0x05, s(int64(i+1)*mib), s(mib))
		}
		boot(img, at+64<<10, mib-64<<10, fs)
	}
	return img
}

var logicalParts = []string{
	"p1 0x100000+0x100000 0x07 (NTFS or exFAT) \"\" ntfs",
	"p4 0x200000+0x100000 0x42 (Windows dynamic disk) \"\" ldm",
	"p5 0x310000+0xf0000 0x07 (NTFS or exFAT) \"\" ntfs",
	"p6 0x410000+0xf0000 0x07 (NTFS or exFAT) \"\" exfat",
	"p7 0x510000+0xf0000 0x07 (NTFS or exFAT) \"\" fat",
}

func bare(fs string) []byte {
	img := make([]byte, mib)
	boot(img, 0, mib, fs)
	return img
}

func show(parts []Part) (out []string) {
	for _, p := range parts {
		s := fmt.Sprintf("p%d %#x+%#x %s %q %s", p.Index, p.Start, p.Size, p.Type, p.Name, p.FS)
		if p.Err != nil {
			s += " error: " + p.Err.Error()
		}
		out = append(out, s)
	}
	return out
}

func texts(errs []error) (out []string) {
	for _, e := range errs {
		out = append(out, e.Error())
	}
	return out
}

func edit(img []byte, f func(b []byte)) []byte {
	f(img)
	return img
}

func TestPartitions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		img    []byte
		scheme string
		parts  []string
		warn   []string // parts of the texts
		err    string
	}{
		{"gpt of 512", wide(512), GPT, wideParts, nil, ""},
		{"gpt of 4096", wide(4096), GPT, wideParts, nil, ""},
		{"gpt, first header wiped", edit(wide(512), func(b []byte) { clear(b[512:1024]) }), GPT, wideParts, []string{"backup GPT at 0x7ffe00 is used"}, ""},
		{"gpt of 4096, first header damaged", edit(wide(4096), func(b []byte) { b[4096+60]++ }), GPT, wideParts, []string{"backup GPT at 0x7ff000 is used: offset 0x1000: GPT header: checksum differs"}, ""},
		{"gpt, entries damaged", edit(wide(512), func(b []byte) { b[1024+32]++ }), GPT, wideParts, []string{"is used: offset 0x400: GPT entries: checksum differs"}, ""},
		{"gpt, mbr and first header wiped", edit(wide(512), func(b []byte) { clear(b[:2048]) }), GPT, wideParts, []string{"backup GPT"}, ""},
		{"gpt, image padded, first header wiped", append(edit(wide(512), func(b []byte) { clear(b[512:1024]) }), make([]byte, mib)...), GPT, wideParts, []string{"backup GPT at 0x7ffe00"}, ""},
		{"gpt, entries damaged, no backup", edit(wide(512), func(b []byte) { b[1024+56]++; clear(b[8*mib-512:]) }), GPT, []string{
			strings.Replace(wideParts[0], "Microsoft reserved part", "Nicrosoft reserved part", 1), wideParts[1], wideParts[2], wideParts[3], wideParts[4]}, []string{"must be doubted: offset 0x400: GPT entries: checksum differs"}, ""},
		{"gpt lost", edit(wide(512), func(b []byte) { clear(b[512:1024]); clear(b[8*mib-512:]) }), GPT, nil, nil, "neither the first nor the backup header is valid"},
		{"gpt cut in a partition", wide(512)[:4*mib+4096], GPT, []string{wideParts[0], wideParts[1],
			strings.Replace(wideParts[2], "0x100000 ebd", "0x1000 ebd", 1),
			strings.Replace(wideParts[3], "ldm", "unknown error: offset 0x600: partition: begins at 0x500000: behind the end of the image, which has 4198400 bytes", 1),
			strings.Replace(wideParts[4], "storage spaces", "unknown error: offset 0x680: partition: begins at 0x600000: behind the end of the image, which has 4198400 bytes", 1)},
			[]string{"the disk had at least 8388608 bytes", "partition 4 ends at 0x500000, the image at 0x401000"}, ""},
		{"gpt, partition of an impossible range", edit(wide(512), func(b []byte) {
			makeGPT(b, 512, gptPart{basic, 4096, 10, "x"})
		}), GPT, []string{`p1 0x0+0x0 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) "x" unknown error: offset 0x420: GPT entry: sectors 4096 to 10`}, nil, ""},
		{"gpt, partitions overlap", edit(wide(512), func(b []byte) {
			makeGPT(b, 512, gptPart{basic, 4096, 8191, "a"}, gptPart{basic, 8000, 8192, "b"})
		}), GPT, []string{`p1 0x200000+0x200000 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) "a" ntfs`, `p2 0x3e8000+0x18200 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) "b" unknown`}, []string{"partitions 1 and 2 overlap"}, ""},
		{"hybrid", edit(wide(512), func(b []byte) { putEntry(b, 1, 0x07, 4096, 4096) }), GPT, wideParts, []string{"MBR lists a partition of type 0x07 at sector 4096 too"}, ""},
		{"gpt without partitions", edit(make([]byte, mib), func(b []byte) { makeGPT(b, 512) }), GPT, nil, nil, "lists no partition"},

		{"mbr", logicals(512), MBR, logicalParts, nil, ""},
		{"mbr of 4096", logicals(4096), MBR, logicalParts, nil, ""},
		{"mbr, chain runs in a circle", edit(logicals(512), func(b []byte) { putEntry(b[5*mib:], 1, 0x05, 0, 2048) }), MBR, logicalParts, []string{"offset 0x300000: extended boot record: the chain of logical partitions runs in a circle"}, ""},
		{"mbr, chain damaged", edit(logicals(512), func(b []byte) { clear(b[4*mib : 4*mib+512]) }), MBR, logicalParts[:3], []string{"offset 0x400000: extended boot record: no signature"}, ""},
		{"mbr, chain leads outside", edit(logicals(512), func(b []byte) { putEntry(b[4*mib:], 1, 0x05, 1<<31, 2048) }), MBR, logicalParts[:4], []string{"cannot be read, so that further logical partitions are unknown"}, ""},
		{"mbr, boot sector lost", edit(logicals(512), func(b []byte) { clear(b[mib : mib+512]) }), MBR, logicalParts, []string{"offset 0x100000: boot sector: partition 1 has no boot sector of NTFS, but its copy"}, ""},
		{"mbr, last partition ends with the disk", edit(make([]byte, 2*mib), func(b []byte) { putEntry(b, 0, 7, 2048, 2048); boot(b, mib, mib, "ntfs") }), MBR, logicalParts[:1], nil, ""},
		{"mbr, empty", edit(make([]byte, mib), func(b []byte) { b[510], b[511] = 0x55, 0xaa }), Bare, nil, nil, "no partition table and no known volume"},

		{"bare ntfs", bare("ntfs"), Bare, []string{`p1 0x0+0x100000  "" ntfs`}, nil, ""},
		{"bare ntfs, boot sector lost", edit(bare("ntfs"), func(b []byte) { clear(b[:512]) }), Bare, []string{`p1 0x0+0x100000  "" ntfs`}, []string{"no boot sector of NTFS"}, ""},
		{"bare bitlocker", bare("bitlocker"), Bare, []string{`p1 0x0+0x100000  "" bitlocker`}, nil, ""},
		{"bare bitlocker to go", bare("bitlocker to go"), Bare, []string{`p1 0x0+0x100000  "" bitlocker`}, nil, ""},
		{"bare refs", bare("refs"), Bare, []string{`p1 0x0+0x100000  "" refs`}, nil, ""},
		{"bare exfat", bare("exfat"), Bare, []string{`p1 0x0+0x100000  "" exfat`}, nil, ""},
		{"bare fat", bare("fat"), Bare, []string{`p1 0x0+0x100000  "" fat`}, nil, ""},
		{"bare fat32 whose code passes for a table", edit(bare("fat32"), func(b []byte) { putEntry(b, 0, 0x20, 100, 100) }), Bare, []string{`p1 0x0+0x100000  "" fat`}, nil, ""},
		{"bare ext", bare("ext"), Bare, []string{`p1 0x0+0x100000  "" ext`}, nil, ""},
		{"bare lvm", bare("lvm"), Bare, []string{`p1 0x0+0x100000  "" lvm`}, nil, ""},
		{"bare storage space", bare("spaces"), Bare, []string{`p1 0x0+0x100000  "" storage spaces`}, nil, ""},
		{"zeros", make([]byte, mib), Bare, nil, nil, "no partition table and no known volume"},
		{"a sector", make([]byte, 100), "", nil, nil, "the image has only 100 bytes"},
		{"nothing", nil, "", nil, nil, "the image has only 0 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scheme, parts, warn, err := Partitions(bytes.NewReader(tt.img), int64(len(tt.img)))
			if scheme != tt.scheme {
				t.Errorf("scheme %q, want %q", scheme, tt.scheme)
			}
			if d := cmp.Diff(tt.parts, show(parts)); d != "" {
				t.Errorf("partitions (-want +got):\n%s", d)
			}
			if got := fmt.Sprint(err); (err == nil) != (tt.err == "") || !strings.Contains(got, tt.err) && err != nil {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if len(warn) != len(tt.warn) {
				t.Fatalf("warnings %q, want %q", texts(warn), tt.warn)
			}
			for i, w := range tt.warn {
				if !strings.Contains(warn[i].Error(), w) {
					t.Errorf("warning %q, want %q", warn[i], w)
				}
			}
			if err != nil && !errors.Is(err, ErrNoVolume) {
				t.Errorf("error %v does not wrap ErrNoVolume", err)
			}
		})
	}
}

// Each volume that is not read must say what to do.
func TestAdvice(t *testing.T) {
	for _, fs := range []string{"bitlocker", "bitlocker to go", "refs", "exfat", "fat", "fat32", "ext", "lvm", "spaces", "luks"} {
		img := make([]byte, 2*mib)
		putEntry(img, 0, 0x07, 2048, 2048)
		boot(img, mib, mib, fs)
		_, parts, _, err := Partitions(bytes.NewReader(img), int64(len(img)))
		if err != nil || len(parts) != 1 || parts[0].Advice == "" || parts[0].Advice == unformatted {
			t.Errorf("%s: %+v, %v", fs, parts, err)
		}
	}
	img := make([]byte, 2*mib)
	putEntry(img, 0, 0x07, 2048, 2048)
	_, parts, _, _ := Partitions(bytes.NewReader(img), int64(len(img)))
	if len(parts) != 1 || parts[0].Advice != unformatted {
		t.Errorf("unformatted: %+v", parts)
	}
}

// bad fails to read a stretch.
type bad struct {
	io.ReaderAt
	from, to int64
}

var errMedium = errors.New("medium error")

func (b bad) ReadAt(p []byte, off int64) (int, error) {
	if off < b.to && off+int64(len(p)) > b.from {
		return 0, errMedium
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestUnreadable(t *testing.T) {
	img := wide(512)
	size := int64(len(img))
	if _, _, _, err := Partitions(bad{bytes.NewReader(img), 0, 512}, size); !errors.Is(err, errMedium) {
		t.Errorf("first sector unreadable: %v", err)
	}
	_, parts, _, err := Partitions(bad{bytes.NewReader(img), 2 * mib, 2*mib + 512}, size)
	if err != nil || len(parts) != 5 || !errors.Is(parts[1].Err, errMedium) || parts[1].FS != "unknown" {
		t.Errorf("boot sector unreadable: %v, %v", show(parts), err)
	}
	_, parts, warn, err := Partitions(bad{bytes.NewReader(img), 512, 2048}, size)
	if d := cmp.Diff(wideParts, show(parts)); d != "" || err != nil || len(warn) != 1 || !errors.Is(warn[0], errMedium) {
		t.Errorf("first header unreadable: %v, %q\n%s", err, warn, d)
	}
}

// A cut image must still list every partition of its table.
func TestTruncated(t *testing.T) {
	for _, sector := range []int64{512, 4096} {
		img := wide(sector)
		for n := 2*sector + 128*128; n < int64(len(img)); n += 64<<10 + 512 {
			_, parts, warn, err := Partitions(bytes.NewReader(img[:n]), n)
			if err != nil || len(parts) != 5 || len(warn) == 0 {
				t.Fatalf("sectors of %d, cut at %#x: %d partitions, %q, %v", sector, n, len(parts), warn, err)
			}
			for _, p := range parts {
				if p.Err == nil && p.Start+p.Size > n {
					t.Fatalf("cut at %#x: %+v", n, p)
				}
			}
		}
	}
}

func FuzzPartitions(f *testing.F) {
	for _, img := range [][]byte{wide(512)[:20<<10], wide(4096)[:24<<10], logicals(512)[:2048], bare("ntfs")[:2048], bare("fat")[:2048]} {
		f.Add(img, int64(8*mib))
		f.Add(img, int64(len(img)))
	}
	f.Fuzz(func(t *testing.T, img []byte, size int64) {
		a, parts, warn, err := Partitions(bytes.NewReader(img), size)
		b, again, warn2, err2 := Partitions(bytes.NewReader(img), size)
		if a != b || !slices.Equal(show(parts), show(again)) || !slices.Equal(texts(warn), texts(warn2)) || (err == nil) != (err2 == nil) {
			t.Fatal("two runs differ")
		}
		if (err == nil) != (len(parts) > 0) {
			t.Fatalf("%d partitions, error %v", len(parts), err)
		}
		for _, p := range parts {
			if p.Err == nil && (p.Start < 0 || p.Size < 0 || p.Start+p.Size > max(size, 0)) {
				t.Fatalf("%+v in an image of %d bytes", p, size)
			}
			if p.FS == "" {
				t.Fatalf("%+v has no file system", p)
			}
		}
	})
}
