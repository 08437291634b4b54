package cli

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"

	"github.com/rogpeppe/go-internal/testscript"
)

const imageSize = 8 << 20

// ntfsOf makes an NTFS volume of the folder dir. What lies in its folder free is
// in clusters that are not used any more.
func ntfsOf(dir string) ([]byte, error) {
	v := ntfstest.Volume{Size: imageSize}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		f := ntfstest.File{Path: filepath.ToSlash(name), Data: b}
		if rest, ok := strings.CutPrefix(f.Path, "free/"); ok {
			f.Path, f.Deleted = "Windows/Temp/"+rest, true
		}
		v.Files = append(v.Files, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.Build()
}

// mkimage FILE DIR [OLD TIME]...: a raw NTFS volume that holds DIR, and shadow
// copies of it that hold OLD.
func mkimage(ts *testscript.TestScript, _ bool, args []string) {
	live, err := ntfsOf(ts.MkAbs(args[1]))
	ts.Check(err)
	var snaps []vsstest.Snapshot
	for rest := args[2:]; len(rest) >= 2; rest = rest[2:] {
		old, err := ntfsOf(ts.MkAbs(rest[0]))
		ts.Check(err)
		made, err := time.Parse(time.RFC3339, rest[1])
		ts.Check(err)
		snaps = append(snaps, vsstest.Snapshot{Image: old, Created: made, Machine: "WS01"})
	}
	if len(snaps) > 0 {
		live, err = vsstest.Write(live, snaps, 5<<20, 7<<20)
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), live, 0o644))
}

// mksealed OUT FILE NAME PASSWORD: a zip archive that holds FILE as NAME,
// encrypted in the old way (APPNOTE 6.1).
func mksealed(ts *testscript.TestScript, _ bool, args []string) {
	b, err := sealed(args[2], []byte(ts.ReadFile(args[1])), args[3], nil)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// sealedFile is such an archive, with further members that are not encrypted.
func sealedFile(t *testing.T, name string, data []byte, password string, open map[string]string) []byte {
	t.Helper()
	b, err := sealed(name, data, password, open)
	must(t, err)
	return b
}

func sealed(name string, data []byte, password string, open map[string]string) ([]byte, error) {
	sum := crc32.ChecksumIEEE(data)
	packed := zipCrypto(append([]byte("0123456789a"), append([]byte{byte(sum >> 24)}, data...)...), password)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(&zip.FileHeader{Name: name, Flags: 1, CRC32: sum, UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(packed))})
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(packed); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		f, err := w.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write([]byte(open[name])); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

func zipCrypto(b []byte, password string) []byte {
	k0, k1, k2 := uint32(0x12345678), uint32(0x23456789), uint32(0x34567890)
	update := func(c byte) {
		k0 = crc32.IEEETable[byte(k0)^c] ^ k0>>8
		k1 = (k1+k0&0xff)*0x8088405 + 1
		k2 = crc32.IEEETable[byte(k2)^byte(k1>>24)] ^ k2>>8
	}
	for _, c := range []byte(password) {
		update(c)
	}
	out := make([]byte, len(b))
	for i, c := range b {
		s := k2&0xffff | 2
		out[i] = c ^ byte(s*(s^1)>>8)
		update(c)
	}
	return out
}
