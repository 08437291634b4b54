package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLinksAreNotFollowed(t *testing.T) {
	outside := write(t, map[string]string{"NTUSER.DAT": user, "tree/Windows/System32/config/SYSTEM": system})
	dir := write(t, map[string]string{"in/real.evtx": evtx, "C2/Windows/System32/config/SYSTEM": system, "C2/Windows/System32/winevt/Logs/": ""})
	for link, to := range map[string]string{
		"NTUSER.DAT":                     filepath.Join(outside, "NTUSER.DAT"),
		"C":                              filepath.Join(outside, "tree"),
		"up":                             "..",
		"in/loop":                        ".",
		"again":                          "in/real.evtx",
		"dangling":                       "nowhere",
		"C2/Windows/System32/config/SAM": filepath.Join(outside, "tree/Windows/System32/config/SYSTEM"),
		"C2/Windows/System32/winevt/Logs/Security.evtx": "../../../../../in/real.evtx",
	} {
		must(t, os.Symlink(to, filepath.Join(dir, link)))
	}
	notFollowed := func(severity, link, to string) string {
		return severity + ` "` + link + `" @-1: symbolic link to "` + to + `": not followed; its target is read only if it lies in the source itself`
	}
	ev := open(t, dir, Options{})
	wantLines(t, ev,
		`volume id="" root="" label="case" folder loose`, "  in/real.evtx evtx expected",
		`volume id="C2" root="C2" label="C2" folder windows`, "  Windows/System32/config/SYSTEM hive expected",
		"  "+notFollowed("error", "Windows/System32/config/SAM", filepath.Join(outside, "tree/Windows/System32/config/SYSTEM")),
		"  "+notFollowed("warning", "Windows/System32/winevt/Logs/Security.evtx", "../../../../../in/real.evtx"), // which is read
		notFollowed("warning", "C", filepath.Join(outside, "tree")),
		notFollowed("error", "NTUSER.DAT", filepath.Join(outside, "NTUSER.DAT")),
		notFollowed("warning", "again", "in/real.evtx"), notFollowed("warning", "dangling", "nowhere"), notFollowed("warning", "in/loop", "."), notFollowed("warning", "up", ".."))
	if d := cmp.Diff([]string{"Windows/System32/config/SAM"}, ev.Volumes[1].Unreadable); d != "" {
		t.Errorf("unreadable (-want +got):\n%s", d)
	}
}

// What the examiner names may be a link: that is a wish, not a trap.
func TestSourceMayBeALink(t *testing.T) {
	dir := write(t, map[string]string{"NTUSER.DAT": user})
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	ev := open(t, link, Options{})
	wantLines(t, ev, `volume id="" root="" label="case" folder loose`, "  NTUSER.DAT hive expected")
	if ev.Name != link || !strings.HasSuffix(ev.Path, "/case") {
		t.Errorf("name %q, path %q; want the link and its target", ev.Name, ev.Path)
	}
}

func TestSpecialFilesAreNotOpened(t *testing.T) {
	dir := write(t, map[string]string{"x.evtx": evtx})
	must(t, syscall.Mkfifo(filepath.Join(dir, "NTUSER.DAT"), 0o644))
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	defer l.Close()
	wantLines(t, open(t, dir, Options{}),
		`volume id="" root="" label="case" folder loose`, "  x.evtx evtx expected",
		`error "NTUSER.DAT" @-1: is a named pipe, not a regular file: not opened`,
		`warning "s" @-1: is a socket, not a regular file: not opened`)
	wantLines(t, open(t, filepath.Join(dir, "NTUSER.DAT"), Options{}), `error "NTUSER.DAT" @-1: is a named pipe, not a regular file: not opened`)
	wantLines(t, open(t, "/dev/null", Options{}), `error "null" @-1: is a device, not a regular file: not opened`)
}

// A file that becomes something else between the look and the reading.
func TestReplacedFile(t *testing.T) {
	dir := write(t, map[string]string{"a": user, "b": user, "c": user})
	ev := open(t, dir, Options{})
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.Rename(filepath.Join(dir, name), filepath.Join(dir, name+".old")))
	}
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte(user), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(dir, "b"), 0o644))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "c")))
	for _, f := range ev.Volumes[0].Files {
		if h, err := f.Open(); err == nil {
			h.Close()
			t.Errorf("%s was replaced, and still opens", f.Path)
		}
	}
}

func TestNamesThatAreNotUTF8(t *testing.T) {
	dir := write(t, map[string]string{"Users/J\xfcrgen/NTUSER.DAT": user + "1", `Users/J\xfcrgen/NTUSER.DAT`: user + "2", "Users/Jürgen/NTUSER.DAT": user + "3"})
	ev := open(t, dir, Options{})
	wantLines(t, ev, `volume id="" root="" label="case" folder windows`,
		`  Users/J\xfcrgen/NTUSER.DAT hive expected`, `  Users/J\xfcrgen/NTUSER.DAT~2 hive expected`, `  Users/Jürgen/NTUSER.DAT hive expected`)
	for i, end := range []string{"2", "1", "3"} {
		if f := ev.Volumes[0].Files[i]; strings.TrimPrefix(readAll(t, f), user) != end {
			t.Errorf("%s is another file than %s", f.Path, end)
		}
	}
}

// asNobody runs f on a thread that has no rights of its own over files. The
// thread ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
			f()
		}()
		<-done
		return
	}
	f()
}

func TestUnreadable(t *testing.T) {
	dir := write(t, map[string]string{"C/Users/bob/NTUSER.DAT": user, "C/Users/eve/NTUSER.DAT": user, "C/Users/eve/AppData/x": "x", "C/Users/tom/NTUSER.DAT": user, "closed/NTUSER.DAT": user, "x.bin": "x"})
	for p := dir; p != "/"; p = filepath.Dir(p) { // temporary folders are private
		if info, err := os.Stat(p); err == nil && info.Mode()&0o005 != 5 {
			must(t, os.Chmod(p, info.Mode()|0o055))
		}
	}
	for _, name := range []string{"C/Users/bob/NTUSER.DAT", "C/Users/tom", "closed", "x.bin"} {
		must(t, os.Chmod(filepath.Join(dir, name), 0))
	}
	t.Cleanup(func() {
		for _, name := range []string{"C/Users/tom", "closed"} {
			os.Chmod(filepath.Join(dir, name), 0o755)
		}
	})
	asNobody(t, func() {
		ev, err := Open(context.Background(), dir, Options{})
		if err != nil {
			t.Error(err)
			return
		}
		defer ev.Close()
		// eve's hive is not ours: it opens without O_NOATIME.
		wantLines(t, ev, `volume id="" root="C" label="case" folder windows`, "  Users/eve/NTUSER.DAT hive expected",
			`  error "Users/bob/NTUSER.DAT" @-1: cannot be read: permission denied`,
			`  error "Users/tom" @-1: cannot list the folder: permission denied`,
			`error "closed" @-1: cannot list the folder: permission denied`,
			`error "x.bin" @-1: cannot be read: permission denied`)
		if d := cmp.Diff([]string{"Users/tom"}, ev.Volumes[0].Unlisted); d != "" {
			t.Errorf("not listed (-want +got):\n%s", d)
		}
	})
}

// stamp is everything about a file that reading could change.
type stamp struct {
	Sum                 [32]byte
	Mode                fs.FileMode
	Size                int64
	Atime, Mtime, Ctime syscall.Timespec
}

// stamps looks at paths without listing folders, which would change their
// access times.
func stamps(t *testing.T, paths []string, sums bool) map[string]stamp {
	t.Helper()
	all := map[string]stamp{}
	for _, p := range paths {
		info, err := os.Lstat(p)
		must(t, err)
		st := info.Sys().(*syscall.Stat_t)
		s := stamp{Mode: info.Mode(), Size: info.Size(), Atime: st.Atim, Mtime: st.Mtim, Ctime: st.Ctim}
		if sums && info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			must(t, err)
			s.Sum = sha256.Sum256(b)
		}
		all[p] = s
	}
	return all
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	must(t, filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		paths = append(paths, p)
		return err
	}))
	return paths
}

func TestEvidenceIsNotTouched(t *testing.T) {
	dir := write(t, map[string]string{
		"C/Windows/System32/config/SYSTEM": system, "C/Users/bob/NTUSER.DAT": user, "C/Users/bob/NTUSER.DAT.LOG1": txlog, "x/renamed": evtx, "notes.txt": "x",
		"case.zip":  string(zipOf(t, member{name: "a/NTUSER.DAT", data: user}, member{name: "b", data: evtx, stored: true})),
		"disk.dd":   string(diskOf(volume(t, ntfsFile("Windows/System32/config/SYSTEM", system)))),
		"split.001": string(diskOf(volume(t, ntfsFile("Users/bob/NTUSER.DAT", user)))[:1<<20]),
		"split.002": string(diskOf(volume(t, ntfsFile("Users/bob/NTUSER.DAT", user)))[1<<20:]),
		"a.tar.gz":  string(pack(t, "gzip", tarOf(t, map[string]string{"NTUSER.DAT": user}))),
	})
	paths := list(t, dir)
	before := stamps(t, paths, true)
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for p := range before {
		must(t, os.Chtimes(p, old, old.Add(time.Hour))) // so that a read would show with relatime, too
	}
	quiet := stamps(t, paths, false)
	for _, source := range []string{dir, filepath.Join(dir, "case.zip"), filepath.Join(dir, "disk.dd"), filepath.Join(dir, "split.001"), filepath.Join(dir, "a.tar.gz"), filepath.Join(dir, "C", "Users", "bob", "NTUSER.DAT")} {
		ev := open(t, source, Options{})
		for _, v := range ev.Volumes {
			for _, f := range v.Files {
				readAll(t, f)
			}
		}
		must(t, ev.Close())
	}
	if d := cmp.Diff(quiet, stamps(t, paths, false)); d != "" {
		t.Errorf("times or modes changed (-before +after):\n%s", d)
	}
	after := stamps(t, paths, true)
	for p, s := range before {
		if after[p].Sum != s.Sum {
			t.Errorf("%s: content changed", p)
		}
	}
	if d := cmp.Diff(paths, list(t, dir)); d != "" {
		t.Errorf("files changed (-before +after):\n%s", d)
	}
}

// A full disk of the examiner is no damage of the evidence.
func TestNoRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks large files")
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	large := system + strings.Repeat("\x00", inMemory+8<<20)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(large))
	must(t, err)
	must(t, z.Close())
	dir := write(t, map[string]string{"a.gz": packed.String(), "b.7z": string(stored7z("C/Windows/System32/config/SYSTEM", large))})
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: old.Max}))
	ev, err := Open(context.Background(), dir, Options{TempDir: t.TempDir()})
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	must(t, err)
	defer ev.Close()
	wantLines(t, ev,
		`volume id="b.7z" root="C" label="b" 7z windows`,
		`  error "Windows/System32/config/SYSTEM" @-1: member not unpacked: cannot write a temporary file (--temp-dir): file too large`,
		`error "a.gz" @-1: gzip archive cannot be read: cannot write a temporary file (--temp-dir): file too large`)
	if d := cmp.Diff([]string{"Windows/System32/config/SYSTEM"}, ev.Volumes[0].Unreadable); d != "" {
		t.Errorf("unreadable (-want +got):\n%s", d)
	}
}
