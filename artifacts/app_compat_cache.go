package artifacts

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/hive"
)

const appCompatCache = `Control\Session Manager\AppCompatCache`

var _ = register(Artifact{
	Name:         "appcompatcache",
	Title:        "programs on shares that Windows met",
	What:         `SYSTEM, current control set, key ` + appCompatCache + `, value AppCompatCache: paths of programs, written at shutdown (formats of Windows 7 to 11)`,
	Proves:       `Windows met that program on that share before the key was last written: it was started, or its folder was shown`,
	DoesNotProve: `that it ran, or when: the time in the entry is the last change of the file`,
	Reference:    "libyal/winreg-kb, Application compatibility cache; log2timeline/plaso, appcompatcache.py",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + appCompatCache},
	ReadHive:     readAppCompatCache,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readAppCompatCache(in *Hive, out *Emitter) error {
	k, path, err := openCurrent(in, appCompatCache, out)
	if k == nil {
		return err
	}
	v, b, err := binaryValue(k, "AppCompatCache", path, out)
	if v == nil {
		return err
	}
	entries, err := cacheEntries(b, max(v.DataOff, 0))
	for i, e := range entries {
		p := strings.TrimPrefix(e.path, `\??\`)
		if rest, ok := strings.CutPrefix(strings.ToUpper(p), `UNC\`); ok {
			p = `\\` + p[len(p)-len(rest):]
		}
		o := evidence.Observation{Action: evidence.Used, Side: evidence.Client}
		if !strings.HasPrefix(p, `\\`) || strings.HasPrefix(p, `\\.\`) || !place(&o, p) {
			continue
		}
		o.Detail = detail(o.Detail, evidence.Field{Name: "Path", Value: e.path}, evidence.Field{Name: "FileModified", Value: e.modified})
		o.Detail = append(o.Detail, evidence.Field{Name: "Position", Value: int64(i)})
		o.Summary = "Windows met a program on " + name(&o) + "."
		out.ObserveValue(k, v, false, o)
	}
	if err != nil {
		return err
	}
	out.Attest(path)
	return nil
}

type cacheEntry struct {
	path     string
	modified time.Time // of the file; UTC, 100 ns
}

// maxCache is more than Windows keeps, which is 1024.
const maxCache = 1 << 14

// cacheEntries reads the data of AppCompatCache ("Windows Application
// Compatibility Database", J. Metz, libyal winreg-kb). off is where it lies.
func cacheEntries(b []byte, off int64) ([]cacheEntry, error) {
	u32 := func(at int) uint32 {
		if at+4 > len(b) {
			return 0
		}
		return binary.LittleEndian.Uint32(b[at:])
	}
	switch head := u32(0); {
	case len(b) == 0:
		return nil, nil
	case head == 0xbadc0fee:
		return cache7(b, off)
	case (head == 0x30 || head == 0x34 || head == 0x80) && int(head)+4 <= len(b):
		if tag := b[head : head+4]; bytes.Equal(tag, []byte("10ts")) || bytes.Equal(tag, []byte("00ts")) {
			return cacheTagged(b[head:], off+int64(head), head != 0x80)
		}
	}
	if u32(0) == 0x30 && len(b) == 0x30 || u32(0) == 0x34 && len(b) == 0x34 {
		return nil, nil
	}
	return nil, binread.Errorf(off, "AppCompatCache", "%d bytes that begin with %x: a format that is not read", len(b), b[:min(4, len(b))])
}

// cacheTagged reads the entries of Windows 8 and later: a tag, a checksum, the
// size of the rest, and the path. Those of Windows 10 go on with the file's time.
func cacheTagged(b []byte, off int64, timed bool) (list []cacheEntry, err error) {
	for at := 0; at < len(b); {
		if len(b)-at < 14 || string(b[at+1:at+4]) != "0ts" {
			return list, binread.Errorf(off+int64(at), "AppCompatCache entry", "no tag, with %d bytes left", len(b)-at)
		}
		size := int64(binary.LittleEndian.Uint32(b[at+8:]))
		n := int(binary.LittleEndian.Uint16(b[at+12:]))
		if size < 2+int64(n) || size > int64(len(b)-at-12) || len(list) == maxCache {
			return list, binread.Errorf(off+int64(at), "AppCompatCache entry", "%d bytes with a path of %d, with %d left", size, n, len(b)-at-12)
		}
		e := cacheEntry{path: utf16Text(b[at+14 : at+14+n])}
		if timed && size >= 2+int64(n)+8 {
			e.modified = filetime.Time(binary.LittleEndian.Uint64(b[at+14+n:]))
		}
		list = append(list, e)
		at += 12 + int(size)
	}
	return list, nil
}

// cache7 reads the format of Windows 7: fixed entries of 32 or 48 bytes that
// lead to the paths behind them.
func cache7(b []byte, off int64) (list []cacheEntry, err error) {
	const header = 128
	if len(b) < header+16 {
		return nil, nil
	}
	count := int(binary.LittleEndian.Uint32(b[4:]))
	size, wide := 32, false
	if binary.LittleEndian.Uint32(b[header+4:]) == 0 { // the padding in front of a 64-bit offset
		size, wide = 48, true
	}
	for i := range min(count, maxCache) {
		at := header + i*size
		if at+size > len(b) {
			return list, binread.Errorf(off+int64(at), "AppCompatCache entry", "entry %d of %d: %w", i, count, binread.ErrTruncated)
		}
		n, path, when := int64(binary.LittleEndian.Uint16(b[at:])), int64(binary.LittleEndian.Uint32(b[at+4:])), at+8
		if wide {
			path, when = int64(binary.LittleEndian.Uint32(b[at+8:])), at+16
		}
		if path+n > int64(len(b)) {
			return list, binread.Errorf(off+int64(at), "AppCompatCache entry", "entry %d: path at %#x in %d bytes", i, path, len(b))
		}
		list = append(list, cacheEntry{utf16Text(b[path : path+n]), filetime.Time(binary.LittleEndian.Uint64(b[when:]))})
	}
	return list, nil
}
