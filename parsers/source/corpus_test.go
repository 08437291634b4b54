package source

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func corpus(t *testing.T, elem ...string) string {
	t.Helper()
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

func TestCorpusTriage(t *testing.T) {
	for _, test := range []struct {
		path, root      string
		files, problems int
		has             string
	}{
		{"triage/museum-w10-belkasoft-insider", "C", 43, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/museum-w10-rathbunvm", "C", 109, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/museum-w11-rathbunvm/C", "", 21, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/velociraptor-genuine/collection.zip", "uploads/auto/C%3A", 3, 0, "Users/bob/NTUSER.DAT"},
		{"triage/velociraptor-genuine/collection-encrypted.zip", "", 0, 1, ""},
		{"triage/velociraptor-offline/Collection-WIN-E5K9RC5GU23-2021-11-21T18_05_56-08_00.zip", "uploads/auto/C%3A", 2, 2, "Users/Administrator/ntuser.dat"},
		{"triage/velociraptor-plain/unencrypted_collector.zip", "", 0, 1, ""},
		{"triage/dfir-orc", "*", 10, 0, "Windows/System32/config/RegBack/SECURITY"},
		{"derived/kape-layout.zip", "C", 15, 0, "Windows/System32/winevt/Logs/Microsoft-Windows-SmbClient%4Connectivity.evtx"},
		{"derived/velociraptor-layout.zip", "uploads/auto/C%3A", 15, 0, "Windows/System32/winevt/Logs/Microsoft-Windows-SmbClient%4Connectivity.evtx"},
		{"derived/disk-split.E01", "", 15, 0, "Users/informant/NTUSER.DAT"},
		{"derived/disk.qcow2", "", 15, 0, "Users/informant/NTUSER.DAT"},
	} {
		t.Run(strings.ReplaceAll(test.path, "/", "_"), func(t *testing.T) {
			ev := open(t, corpus(t, filepath.FromSlash(test.path)), Options{})
			problems, files, found := len(ev.Problems), 0, test.has == ""
			for _, v := range ev.Volumes {
				problems += len(v.Problems)
				files += len(v.Files)
				if v.Root != test.root && test.root != "*" || v.Loose {
					t.Errorf("volume %q: root %q, loose %v; want a Windows tree at %q", v.ID, v.Root, v.Loose, test.root)
				}
				for _, f := range v.Files {
					found = found || f.Path == test.has
					readAll(t, f)
				}
			}
			if files != test.files || problems != test.problems || !found {
				t.Errorf("%d files, %d problems, %q there: %v; want %d and %d\n%s", files, problems, test.has, found, test.files, test.problems, strings.Join(describe(ev), "\n"))
			}
		})
	}
}

// Both layouts hold the same files: they must come out alike.
func TestCorpusContainersAgree(t *testing.T) {
	content := func(name string) map[string]string {
		m := map[string]string{}
		for _, f := range open(t, corpus(t, "derived", name), Options{}).Volumes[0].Files {
			m[f.Path] = readAll(t, f)
		}
		return m
	}
	a, b := content("kape-layout.zip"), content("velociraptor-layout.zip")
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for p := range a {
		if a[p] != b[p] {
			t.Errorf("%s differs", p)
		}
	}
}

// Every hive and log of the corpus is found under its own name, by content.
func TestCorpusFoundByContent(t *testing.T) {
	for kind, want := range map[string]FileKind{"hive-user": Hive, "hive-system": Hive, "hive-deleted": Hive, "evtx": EVTX} {
		dir := corpus(t, kind)
		found := map[string]FileKind{}
		for _, v := range open(t, dir, Options{}).Volumes {
			for _, f := range v.Files {
				found[filepath.Join(dir, filepath.FromSlash(v.Root), filepath.FromSlash(f.Path))] = f.Kind
			}
		}
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if got := found[p]; got != want && !(got == HiveLog && strings.Contains(strings.ToUpper(p), ".LOG")) {
				t.Errorf("%s: kind %q, want %q", p, got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// truthOf reads a truth table: its rows by the name of the column.
func truthOf(t *testing.T, name string) []map[string]string {
	b, err := os.ReadFile(corpus(t, "truth", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	head := strings.Split(lines[0], "\t")
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[head[i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// Every format of the derived disk holds the files that sleuthkit lists, and
// no further ones.
func TestCorpusImages(t *testing.T) {
	want := map[string]string{}
	for _, row := range truthOf(t, "derived__files.tsv") {
		want[row["path"]] = row["sha256"]
	}
	for _, name := range []string{"disk-2gb.vmdk", "disk-dynamic.vhd", "disk-dynamic.vhdx", "disk-sparse.vmdk", "disk-split.E01", "disk-streamopt.vmdk", "disk.qcow2"} {
		t.Run(name, func(t *testing.T) {
			ev := open(t, corpus(t, "derived", name), Options{})
			if len(ev.Volumes) != 1 || len(ev.Problems) > 0 {
				t.Fatalf("%s", strings.Join(describe(ev), "\n"))
			}
			v := ev.Volumes[0]
			if v.ID != name+"!p1" || v.Kind != "ntfs" || v.Image != name || v.Root != "" || len(v.Problems) > 0 {
				t.Errorf("volume %q of %q, kind %q, root %q, problems %v", v.ID, v.Image, v.Kind, v.Root, v.Problems)
			}
			got := map[string]string{}
			for _, f := range v.Files {
				got[f.Path] = fmt.Sprintf("%x", sha256.Sum256([]byte(readAll(t, f))))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("files (-truth +got):\n%s", d)
			}
		})
	}
}

// The pieces of an image are no sources of their own, wherever it is found.
func TestCorpusFolderOfImages(t *testing.T) {
	ev := open(t, corpus(t, "derived"), Options{})
	var ids []string
	for _, v := range ev.Volumes {
		ids = append(ids, v.ID)
	}
	want := []string{
		"disk-2gb.vmdk!p1", "disk-dynamic.vhd!p1", "disk-dynamic.vhdx!p1", "disk-sparse.vmdk!p1", "disk-split.E01!p1", "disk-streamopt.vmdk!p1",
		"disk.qcow2!p1", "disk.raw.xz!disk.raw!p1", "kape-layout.zip", "velociraptor-layout.zip",
	}
	if d := cmp.Diff(want, ids); d != "" {
		t.Errorf("volumes (-want +got):\n%s", d)
	}
	for _, p := range ev.Problems {
		t.Errorf("problem: %s", describeProblem(p))
	}
}

// Every image of the corpus opens, with its partitions and shadow copies.
func TestCorpusOtherImages(t *testing.T) {
	for name, want := range map[string][]string{
		"go-ewf-ntfs/test.ntfs.dd.E01":               {"ntfs test.ntfs.dd.E01"},
		"go-ntfs/test.ntfs.dd":                       {"ntfs test.ntfs.dd"},
		"osv-qcow2/valid-ext-exfat-fat32-ntfs.qcow2": {"qcow2 valid-ext-exfat-fat32-ntfs.qcow2", "ext p1", "exfat p2", "fat p3", "ntfs p4"},
		"plaso-split-e01/image-split.E01":            {"e01 image-split.E01", "unknown p1", "ext p5"},
		"plaso-vss/vsstest.qcow2":                    {"ntfs vsstest.qcow2", "gzip syslog.gz", "snapshot vss1", "snapshot vss2"},
		"tsk/image.vmdk":                             {"ext image.vmdk"},
	} {
		ev := open(t, corpus(t, "image", filepath.FromSlash(name)), Options{})
		var got []string
		var walk func(n *Node)
		walk = func(n *Node) {
			got = append(got, n.Kind+" "+n.ID[strings.LastIndexByte(n.ID, '!')+1:])
			for _, c := range n.Children {
				walk(c)
			}
		}
		walk(ev.Tree)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: tree (-want +got):\n%s", name, d)
		}
	}
}

// What Velociraptor encrypted opens with its password, and with no other.
func TestCorpusEncrypted(t *testing.T) {
	path := corpus(t, "triage", "velociraptor-genuine", "collection-encrypted.zip")
	ev := open(t, path, Options{Passwords: [][]byte{[]byte("wrong"), []byte("infected")}})
	plain := open(t, corpus(t, "triage", "velociraptor-genuine", "collection.zip"), Options{})
	if len(ev.Volumes) != 1 || len(ev.Problems) > 0 || len(ev.Volumes[0].Files) != len(plain.Volumes[0].Files) {
		t.Fatalf("%s", strings.Join(describe(ev), "\n"))
	}
	for i, f := range ev.Volumes[0].Files {
		if g := plain.Volumes[0].Files[i]; f.Path != g.Path || readAll(t, f) != readAll(t, g) {
			t.Errorf("%s differs from %s", f.Path, g.Path)
		}
	}
	ev = open(t, path, Options{Passwords: [][]byte{[]byte("wrong")}})
	wantLines(t, ev, `error "collection-encrypted.zip!data.zip" @-1: member is encrypted: none of the given passwords opens it`)
}

// The images that the corpus keeps packed hold what sleuthkit lists.
func TestCorpusPackedImages(t *testing.T) {
	for name, want := range map[string][]string{
		"dfir-orc-vhd/ntfs.7z":                {"7z ntfs.7z", "vhd ntfs.vhd", "ntfs p1"},
		"dfir_ntfs/ntfs_index.raw.gz":         {"gzip ntfs_index.raw.gz", "disk ntfs_index.raw", "ntfs p1"},
		"ntfs-samples/ntfs-lastaccess.raw.gz": {"gzip ntfs-lastaccess.raw.gz", "disk ntfs-lastaccess.raw", "ntfs p1"},
		"dfir_ntfs-vss/vss_1_vol.tar.gz":      {"gzip vss_1_vol.tar.gz", "disk vss_1_vol.raw", "unknown p1", "ntfs p2", "snapshot vss1", "snapshot vss2"},
	} {
		ev := open(t, corpus(t, "image", filepath.FromSlash(name)), Options{})
		var got []string
		var walk func(n *Node)
		walk = func(n *Node) {
			got = append(got, n.Kind+" "+n.ID[strings.LastIndexByte(n.ID, '!')+1:])
			for _, c := range n.Children {
				walk(c)
			}
		}
		walk(ev.Tree)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: tree (-want +got):\n%s%s", name, d, strings.Join(describe(ev), "\n"))
		}
	}
}
