package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// newRelease is one of Linux only, which is built here and looked at on any
// system.
func newRelease(t *testing.T) *release {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1772445600") // 2026-03-02T10:00:00Z
	r := &release{out: filepath.Join(t.TempDir(), "dist"), platforms: []string{"linux/amd64"}, url: "https://files.example/r"}
	if err := r.prepare("v1.2.3-rc1"); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	r := newRelease(t)
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	base := "sharetrail_1.2.3-rc1_linux_amd64"
	deb := "sharetrail_1.2.3~rc1_amd64.deb"
	want := []string{base + ".cdx.json", base + ".tar.gz", deb, sumsName}
	if got := slices.Sorted(slices.Values(r.files)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("wrote %q", got)
	}
	files := untar(t, read(t, r, base+".tar.gz"))
	for _, name := range []string{"sharetrail", "README.md", "LICENSE", "CHANGELOG.md", "man/sharetrail-gaps.1", "completion/_sharetrail"} {
		if len(files[path.Join(base, name)]) == 0 {
			t.Errorf("the archive has no %s", name)
		}
	}
	checkProgram(t, files[path.Join(base, "sharetrail")])
	checkBill(t, read(t, r, base+".cdx.json"))
	checkDeb(t, filepath.Join(r.out, deb))
	for line := range strings.Lines(string(read(t, r, sumsName))) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if got, err := r.sum(name); err != nil || got != sum {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A later release replaces it; what is no release stays.
	if err := r.empty(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(r.out, "mine.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.empty(); err == nil {
		t.Error("a folder of somebody else's would be emptied")
	}
}

func read(t *testing.T, r *release, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.out, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func untar(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.ModTime.Unix() != 1772445600 {
			t.Errorf("%s: owner %d:%d, time %v", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		if files[h.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}

// checkProgram runs the program and looks for paths of this machine in it.
func checkProgram(t *testing.T, program []byte) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{here, strings.TrimSpace(string(root))} {
		if where != "" && bytes.Contains(program, []byte(where)) {
			t.Errorf("the program holds %q", where)
		}
	}
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		return
	}
	name := filepath.Join(t.TempDir(), "sharetrail")
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(name, "version").CombinedOutput()
	if string(out) != "sharetrail 1.2.3-rc1\n" {
		t.Errorf("version: %q, %v", out, err)
	}
}

var hexSum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkBill holds a bill of materials against the required fields of
// CycloneDX 1.5 and against go.mod.
func checkBill(t *testing.T, b []byte) {
	t.Helper()
	var doc bomDocument
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, doc.Metadata.Timestamp)
	own := doc.Metadata.Component
	if doc.Format != "CycloneDX" || doc.Spec != "1.5" || doc.Version < 1 || err != nil || at.Unix() != 1772445600 {
		t.Errorf("head %+v, %v", doc, err)
	}
	if own.Type != "application" || own.Version != "1.2.3-rc1" || len(own.Hashes) != 1 || !hexSum.MatchString(own.Hashes[0].Content) {
		t.Errorf("program %+v", own)
	}
	refs := map[string]bool{own.Ref: true}
	modules := map[string]string{}
	for _, c := range doc.Components {
		if c.Type != "library" || c.Name == "" || c.Version == "" || !strings.HasPrefix(c.PURL, "pkg:golang/") || refs[c.Ref] {
			t.Errorf("component %+v", c)
		}
		refs[c.Ref] = true
		modules[c.Name] = c.Version
	}
	for _, d := range doc.Dependencies {
		for _, on := range append(d.On, d.Ref) {
			if !refs[on] {
				t.Errorf("depends on %s, which is nowhere", on)
			}
		}
	}
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"std", "github.com/spf13/cobra", "www.velocidex.com/golang/regparser"} {
		if v := modules[name]; v == "" || name != "std" && !bytes.Contains(mod, []byte(name+" "+v+"\n")) {
			t.Errorf("%s: version %q", name, v)
		}
	}
	if modules["github.com/google/go-cmp"] != "" {
		t.Error("it lists what only tests use")
	}
}

// checkDeb reads the package with dpkg, where there is one.
func checkDeb(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(b, []byte("!<arch>\ndebian-binary   ")) {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Log("no dpkg-deb: the package is not read")
		return
	}
	for _, field := range []struct{ name, want string }{{"Package", "sharetrail"}, {"Version", "1.2.3~rc1"}, {"Architecture", "amd64"}} {
		out, err := exec.Command("dpkg-deb", "--field", name, field.name).Output()
		if strings.TrimSpace(string(out)) != field.want {
			t.Errorf("%s: %q, %v", field.name, out, err)
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "--raw-extract", name, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sums := exec.Command("md5sum", "--check", "--quiet", "DEBIAN/md5sums")
	sums.Dir = dir
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, file := range []string{"usr/bin/sharetrail", "usr/share/man/man1/sharetrail.1.gz", "usr/share/bash-completion/completions/sharetrail", "usr/share/doc/sharetrail/copyright"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestManifests(t *testing.T) {
	r := newRelease(t)
	sums := map[string]string{}
	for i, p := range platforms {
		sums[p] = strings.Repeat(fmt.Sprint(i+1), 64)
	}
	if err := r.manifests(sums); err != nil {
		t.Fatal(err)
	}
	for _, name := range r.files {
		text := string(read(t, r, name))
		if strings.Contains(text, "<no value>") || !strings.Contains(text, "1.2.3-rc1") {
			t.Errorf("%s: %s", name, text)
		}
	}
	checkScoop(t, read(t, r, "scoop/sharetrail.json"))
	checkWinget(t, r)
	formula := read(t, r, "homebrew/sharetrail.rb")
	for _, p := range platforms {
		if strings.HasPrefix(p, "windows") == bytes.Contains(formula, []byte(`sha256 "`+sums[p]+`"`)) {
			t.Errorf("the formula and %s", p)
		}
	}
	if ruby, err := exec.LookPath("ruby"); err != nil {
		t.Log("no ruby: the formula is not read")
	} else if out, err := exec.Command(ruby, "-c", filepath.Join(r.out, "homebrew/sharetrail.rb")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// Of an unfinished set there is none.
	r.files = nil
	if err := r.manifests(map[string]string{"windows/amd64": "x", "linux/amd64": "y"}); err != nil || len(r.files) > 0 {
		t.Errorf("%q, %v", r.files, err)
	}
}

func checkScoop(t *testing.T, b []byte) {
	t.Helper()
	var m struct {
		Version, Description, Homepage, License, Bin string
		Architecture                                 map[string]struct {
			URL, Hash string
			Dir       string `json:"extract_dir"`
		}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	x64 := m.Architecture["64bit"]
	if m.Bin != "sharetrail.exe" || len(m.Architecture) != 2 || x64.Dir != "sharetrail_1.2.3-rc1_windows_amd64" || x64.URL != "https://files.example/r/"+x64.Dir+".zip" || !hexSum.MatchString(x64.Hash) {
		t.Errorf("%+v", m)
	}
}

func checkWinget(t *testing.T, r *release) {
	t.Helper()
	types := map[string]bool{}
	for _, name := range r.files {
		if !strings.HasPrefix(name, "winget/") {
			continue
		}
		var m struct {
			PackageIdentifier string `yaml:"PackageIdentifier"`
			PackageVersion    string `yaml:"PackageVersion"`
			ManifestType      string `yaml:"ManifestType"`
			ManifestVersion   string `yaml:"ManifestVersion"`
			Installers        []struct {
				URL    string `yaml:"InstallerUrl"`
				SHA256 string `yaml:"InstallerSha256"`
				Nested []struct {
					Path string `yaml:"RelativeFilePath"`
				} `yaml:"NestedInstallerFiles"`
			} `yaml:"Installers"`
		}
		if err := yaml.Unmarshal(read(t, r, name), &m); err != nil {
			t.Fatal(err)
		}
		types[m.ManifestType] = true
		if m.PackageIdentifier != "Sharetrail.Sharetrail" || m.PackageVersion != "1.2.3-rc1" || m.ManifestVersion == "" {
			t.Errorf("%s: %+v", name, m)
		}
		if m.ManifestType != "installer" {
			continue
		}
		for _, i := range m.Installers {
			folder := strings.TrimSuffix(path.Base(i.URL), ".zip")
			if len(i.SHA256) != 64 || i.SHA256 != strings.ToUpper(i.SHA256) || len(i.Nested) != 1 || i.Nested[0].Path != folder+`\sharetrail.exe` {
				t.Errorf("installer %+v", i)
			}
		}
		if len(m.Installers) != 2 {
			t.Errorf("%d installers", len(m.Installers))
		}
	}
	if !types["version"] || !types["installer"] || !types["defaultLocale"] {
		t.Errorf("manifests of types %v", types)
	}
}

func TestArchives(t *testing.T) {
	at := time.Unix(1772445600, 0).UTC()
	entries := []entry{{"a/", 0o755, nil}, {"a/x", 0o755, []byte("program")}}
	one, err := zipped(at, entries)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := zipped(at, entries)
	z, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil || !bytes.Equal(one, two) || len(z.File) != 2 || z.File[1].Mode() != 0o755 || !z.File[1].Modified.Equal(at) {
		t.Errorf("%v, %+v", err, z)
	}
}

func TestVersions(t *testing.T) {
	for v, want := range map[string]string{"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v1.2.3-4-gabc": "1.2.3-4-gabc", "538476d": "0.0.0-538476d", "abc": "0.0.0-abc", "": ""} {
		if got := plainVersion(v); got != want {
			t.Errorf("%q: %q", v, got)
		}
	}
}
