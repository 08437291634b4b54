package container

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
)

// fuzz changes the files of a sample: each 5 bytes of the input are an offset
// (little-endian, in one of the files) and a byte to put there.
func fuzz(f *testing.F, pick string, places ...int) {
	var s sample
	for _, s = range samples() {
		if s.name == pick {
			break
		}
	}
	names := append([]string{s.name}, s.also...)
	f.Add([]byte{}, false)
	for _, at := range places {
		for _, v := range []byte{0, 1, 0x7f, 0xff} {
			f.Add(append(le.AppendUint32(nil, uint32(at*len(names))), v), false)
		}
	}
	f.Add(le.AppendUint32(nil, 4096), true)
	f.Fuzz(func(t *testing.T, edits []byte, cut bool) {
		m := files{}
		for name, b := range s.files {
			m[name] = b
		}
		fresh := map[string]bool{}
		for ; len(edits) >= 5; edits = edits[5:] {
			x := int(le.Uint32(edits))
			name := names[x%len(names)]
			if !fresh[name] {
				m[name], fresh[name] = append([]byte(nil), m[name]...), true
			}
			m[name][x/len(names)%len(m[name])] = edits[4]
		}
		if cut && len(edits) == 4 {
			m[s.name] = m[s.name][:int(le.Uint32(edits))%(len(m[s.name])+1)]
		}
		check(t, m, s.name)
	})
}

// check reads the image and holds it to what must be true of any.
func check(t *testing.T, m files, name string) {
	im, err := m.open(name)
	if err != nil {
		return
	}
	if im.Size() < 0 || im.Size() > maxDisk {
		t.Fatalf("%d bytes", im.Size())
	}
	b := make([]byte, 33000)
	for _, off := range []int64{0, 4096, 32768, im.Size() / 2, im.Size() - 33000, im.Size() - 1} {
		if off < 0 {
			continue
		}
		n, err := im.ReadAt(b, off)
		want := min(int64(len(b)), max(im.Size()-off, 0))
		switch {
		case err == nil && n < len(b), err == io.EOF && int64(n) != want, n > len(b):
			t.Fatalf("ReadAt(%#x) of a disk of %#x: %d, %v", off, im.Size(), n, err)
		case errors.Is(err, fs.ErrNotExist), err != io.EOF && errors.Is(err, io.EOF):
			t.Fatalf("ReadAt(%#x): %v passes for an absent file or the end", off, err)
		}
	}
	if im.Size() < 1<<20 {
		im.Verify(context.Background())
	}
	im.Warnings()
	im.Close()
}

func FuzzRaw(f *testing.F)        { fuzz(f, "d.001", 0) }
func FuzzE01(f *testing.F)        { fuzz(f, "a.E01", 9, 13, 29, 89, 200) }
func FuzzSMART(f *testing.F)      { fuzz(f, "a.s01", 9, 13, 29, 89, 200) }
func FuzzVMDK(f *testing.F)       { fuzz(f, "a.vmdk", 4, 8, 12, 20, 28, 36, 44, 48, 56, 512, 2560, 3072) }
func FuzzVMDKStream(f *testing.F) { fuzz(f, "stream.vmdk", 4, 8, 12, 56, 77, 3072) }
func FuzzVMDKCut(f *testing.F)    { fuzz(f, "written.vmdk", 4, 8, 12, 20, 44, 64, 2560) }
func FuzzVMDKFlat(f *testing.F)   { fuzz(f, "flat.vmdk", 30, 60, 70, 80, 90) }
func FuzzVHD(f *testing.F)        { fuzz(f, "diff.vhd", 16, 48, 60, 512+16, 512+28, 512+32, 1536, 1540) }
func FuzzVDI(f *testing.F)        { fuzz(f, "a.vdi", 68, 76, 340, 344, 368, 376, 380, 384, 512) }
func FuzzQCOW2(f *testing.F)      { fuzz(f, "z.qcow2", 8, 16, 20, 24, 36, 40, 72, 104, 4096, 8192) }
func FuzzZstd(f *testing.F)       { fuzz(f, "zstd.qcow2", 4096, 8192, 3*4096) }
func FuzzBacking(f *testing.F)    { fuzz(f, "chain.qcow2", 8, 16, 112, 116, 120, 512) }

func FuzzVHDX(f *testing.F) {
	fuzz(f, "a.avhdx", vhdxBATAt, vhdxBATAt+8, vhdxMetaAt+10, vhdxMetaAt+48, vhdxMetaAt+52, vhdxMetaAt+64<<10, vhdxMetaAt+68<<10)
}

// FuzzVHDXLog changes an entry of the log and makes its checksum right again.
func FuzzVHDXLog(f *testing.F) {
	base := vhdxOf{disk: large, id: idA, log: func(img []byte) []byte { return make([]byte, 4096) }}.write()
	entry := logEntryOf(8, 0, int64(len(base)), change{off: vhdxBATAt, data: content(4096, 9)}, change{off: 4 << 20, n: 4096})
	for _, at := range []int{8, 12, 16, 24, 48, 56, 64, 68, 72, 80, 88, 96, 104, 112, 4096, 8188} {
		f.Add(append(le.AppendUint32(nil, uint32(at)), 0xff), 0)
		f.Add(append(le.AppendUint32(nil, uint32(at)), 1), 4096)
	}
	f.Fuzz(func(t *testing.T, edits []byte, at int) {
		e := append([]byte(nil), entry...)
		for ; len(edits) >= 5; edits = edits[5:] {
			e[int(le.Uint32(edits))%len(e)] = edits[4]
		}
		sealed(e)
		img := append([]byte(nil), base...)
		copy(img[vhdxLogAt+max(at, 0)%(1<<20)/4096*4096:vhdxLogAt+1<<20], e)
		check(t, files{"a.vhdx": img}, "a.vhdx")
	})
}
