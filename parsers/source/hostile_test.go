package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"
)

// survive opens a damaged source and reads what it lists. Panics of ours would
// end the test; what it watches is time, memory and that nothing is silent.
func survive(t *testing.T, name string, data []byte, what string) {
	t.Helper()
	dir := t.TempDir()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(p)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ev, err := Open(ctx, p, Options{TempDir: dir, MaxTotal: 6 << 30})
	if err != nil {
		t.Errorf("%s %s: %v", name, what, err)
		return
	}
	files, said := 0, len(ev.Problems)
	for _, v := range ev.Volumes {
		files += len(v.Files)
		said += len(v.Problems)
		for _, f := range v.Files {
			h, err := f.Open()
			if err != nil {
				continue
			}
			io.Copy(io.Discard, io.NewSectionReader(h, 0, min(h.Size(), 1<<20))) // an error is an answer
			h.Close()
		}
	}
	if err := ev.Close(); err != nil {
		t.Errorf("%s %s: Close: %v", name, what, err)
	}
	if files == 0 && said == 0 {
		t.Errorf("%s %s: nothing found, and nothing said", name, what)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<30 {
		t.Errorf("%s %s: allocated %d bytes", name, what, n)
	}
	if d := time.Since(begun); d > time.Minute {
		t.Errorf("%s %s: took %v", name, what, d)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%s %s: %d files left in the temporary folder", name, what, len(left)-1)
	}
}

// torment cuts and flips data.
func torment(t *testing.T, name string, data []byte, cuts, flips int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	for range cuts {
		n := r.IntN(len(data))
		survive(t, name, data[:n], fmt.Sprintf("cut at %d", n))
	}
	for range flips {
		b := bytes.Clone(data)
		where := []int{}
		for range 1 + r.IntN(4) {
			at := r.IntN(len(b))
			if r.IntN(2) == 0 {
				at = r.IntN(min(len(b), 1<<16)) // most structures lie there
			}
			b[at] ^= byte(1 + r.IntN(255))
			where = append(where, at)
		}
		survive(t, name, b, fmt.Sprintf("flipped at %d", where))
	}
}

func TestHostileImages(t *testing.T) {
	live, old := history(t)
	img, err := vsstest.Write(live, []vsstest.Snapshot{{Image: old, Created: monday, Flags: 0x440}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	torment(t, "disk.dd", diskOf(img), 6, 30, 1)
	r := rand.New(rand.NewPCG(3, 3))
	for range 30 { // in the metadata of NTFS and of the shadow copies
		b := bytes.Clone(img)
		for range 3 {
			at := bytes.Index(b[r.IntN(len(b)/2):], []byte("FILE0"))
			if r.IntN(3) == 0 {
				at = 5<<20 + r.IntN(16384*6)
			}
			if at > 0 {
				b[at+r.IntN(1024)] ^= byte(1 + r.IntN(255))
			}
		}
		survive(t, "disk.dd", b, "flipped in metadata")
	}
	small, err := ntfstest.Volume{Size: 2 << 20, Files: []ntfstest.File{ntfsFile("C/Users/bob/NTUSER.DAT", user)}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	torment(t, "a.tar.gz", pack(t, "gzip", tarOf(t, map[string]string{"disk.dd": string(small)})), 4, 10, 4)
	torment(t, "a.zip", sealedZip(t, "C/Users/bob/NTUSER.DAT", user, "x", 3, false, member{name: "d.dd", data: string(small)}), 4, 10, 5)
}

// Every kind of source, cut at 20 places and with 200 random flips: nothing hangs,
// panics, eats memory or is passed over in silence.
func TestHostileSources(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	live, old := history(t)
	img, err := vsstest.Write(live, []vsstest.Snapshot{{Image: old, Created: monday, Flags: 0x440}}, 5<<20, 7<<20)
	must(t, err)
	disk := diskOf(img)
	kape := kapeLogs("")
	kape["WS01.vhd"] = string(disk)
	velociraptor := map[string]string{
		"uploads/auto/C%3A/Users/bob/NTUSER.DAT":                    user,
		"uploads/auto/C%3A/Windows/System32/winevt/Logs/a.evtx":     evtx[4096:],
		"uploads/auto/C%3A/Windows/System32/winevt/Logs/a.evtx.idx": `{"ranges":[{"original_offset":0,"length":4096},{"file_offset":0,"original_offset":4096,"file_length":4096,"length":4096}]}`,
		"client_info.json": `{"Hostname":"WS01"}`, "uploads.json": `{"_Components":["uploads","auto","C:","Users","bob","NTUSER.DAT"],"file_size":5000,"uploaded_size":4128,"Type":""}`,
	}
	sources := map[string][]byte{
		"disk.dd": disk, "a.tar": tarOf(t, velociraptor), "a.tar.zst": pack(t, "zstd", tarOf(t, velociraptor)), "a.tar.xz": pack(t, "xz", tarOf(t, velociraptor)),
		"kape.zip": zipOf(t, members(kape)...), "velociraptor.zip": zipOf(t, members(velociraptor)...),
		"sealed.zip": sealedZip(t, "C/Users/bob/NTUSER.DAT", user, "x", 3, false, member{name: "d.dd", data: string(disk)}),
	}
	for name, args := range map[string][]string{
		"a.vmdk": {"-O", "vmdk", "-o", "subformat=monolithicSparse"}, "b.vmdk": {"-O", "vmdk", "-o", "subformat=streamOptimized"},
		"a.vhd": {"-O", "vpc", "-o", "subformat=dynamic,force_size=on"}, "a.vhdx": {"-O", "vhdx", "-o", "block_size=1M,log_size=1M"},
		"a.qcow2": {"-O", "qcow2", "-c"}, "a.vdi": {"-O", "vdi"},
	} {
		if b := converted(t, disk, name, args); b != nil {
			sources[name] = b
		}
	}
	for i, name := range slices.Sorted(maps.Keys(sources)) {
		t.Run(name, func(t *testing.T) { torment(t, name, sources[name], 20, 200, uint64(100+i)) })
	}
}

// converted is disk in another format, or nil if there is no qemu-img.
func converted(t *testing.T, disk []byte, name string, args []string) []byte {
	t.Helper()
	qemu, err := exec.LookPath("qemu-img")
	if err != nil {
		return nil
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "disk.raw"), disk, 0o600))
	cmd := exec.Command(qemu, append(append([]string{"convert", "-f", "raw"}, args...), "disk.raw", name)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return b
}

// Every source of the corpus, damaged at random. SHARETRAIL_LONG asks for 20 cuts
// and 200 flips of each.
func TestCorpusHostile(t *testing.T) {
	root := corpus(t)
	cuts, flips := 1, 2
	if os.Getenv("SHARETRAIL_LONG") != "" {
		cuts, flips = 20, 200
	}
	seed := uint64(0)
	for _, dir := range []string{"derived", "image", "triage"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(p, "museum") {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			seed++
			torment(t, filepath.Base(p), b, cuts, flips, seed)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
