// Command release builds what is handed out: the program for each system as an
// archive, Debian packages, a bill of materials for each build, checksums, and
// the manifests of winget, scoop and homebrew. It uses no network, and the same
// commit gives the same bytes.
//
//	go run ./cmd/internal/release -o dist
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// platforms are the systems that are built for, as GOOS/GOARCH.
var platforms = []string{"linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64", "darwin/amd64", "darwin/arm64"}

// sumsName is the file of all checksums, and what tells a folder of a release.
const sumsName = "SHA256SUMS"

// A release is one run.
type release struct {
	root      string    // of the module
	out       string    // folder to fill
	version   string    // as in 1.2.3, without v
	time      time.Time // of every file, from SOURCE_DATE_EPOCH or the commit
	url       string    // under which the files will lie, with a slash at its end
	platforms []string
	files     []string // written, by name in out
}

func main() {
	var r release
	var version, only string
	flag.StringVar(&r.out, "o", "dist", "folder to write into; an earlier release in it is replaced")
	flag.StringVar(&version, "version", "", "version to stamp (default what git describe says)")
	flag.StringVar(&only, "platforms", strings.Join(platforms, ","), "GOOS/GOARCH, separated by commas")
	flag.StringVar(&r.url, "url", "", "address under which the files will be, for winget, scoop and homebrew")
	flag.Parse()
	r.platforms = strings.Split(only, ",")
	err := r.prepare(version)
	if err == nil {
		err = r.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// prepare finds out what the flags leave open.
func (r *release) prepare(version string) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	r.root = strings.TrimSpace(string(out))
	if version == "" {
		version = r.git("describe", "--tags", "--always")
	}
	if r.version = plainVersion(version); r.version == "" {
		return errors.New("no version: give -version")
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		epoch = r.git("log", "-1", "--format=%ct")
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH %q: is no number of seconds", epoch)
	}
	r.time = time.Unix(seconds, 0).UTC()
	if r.url == "" {
		r.url = "https://example.com/sharetrail/" + r.version
		fmt.Println("no -url: the manifests of winget, scoop and homebrew point to", r.url)
	}
	r.url = strings.TrimSuffix(r.url, "/") + "/"
	for _, p := range r.platforms {
		if !slices.Contains(platforms, p) {
			return fmt.Errorf("platform %q: must be one of %s", p, strings.Join(platforms, ", "))
		}
	}
	return r.empty()
}

// git returns what git says of the module, or "".
func (r *release) git(args ...string) string {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.root
	out, _ := cmd.Output() // no git, or no history: the caller does without
	return strings.TrimSpace(string(out))
}

// plainVersion makes a version of a tag or commit that every packager takes:
// digits first.
func plainVersion(v string) string {
	v = strings.TrimPrefix(v, "v")
	if v == "" || v[0] >= '0' && v[0] <= '9' && strings.Contains(v, ".") {
		return v
	}
	return "0.0.0-" + v
}

// empty makes r.out new. It removes an earlier release and nothing else.
func (r *release) empty() error {
	list, err := os.ReadDir(r.out)
	if err == nil && len(list) > 0 {
		if _, err := os.Stat(filepath.Join(r.out, sumsName)); err != nil {
			return fmt.Errorf("%s is not empty, and no earlier release: choose another folder", r.out)
		}
		if err := os.RemoveAll(r.out); err != nil {
			return err
		}
	}
	return os.MkdirAll(r.out, 0o755)
}

func (r *release) run() error {
	work, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	docs, err := r.documents(work)
	if err != nil {
		return err
	}
	sums := map[string]string{} // archive: SHA-256
	for _, p := range r.platforms {
		b, err := r.build(p, work)
		if err != nil {
			return err
		}
		if err := r.pack(b, docs); err != nil {
			return err
		}
		if sums[p], err = r.sum(b.archive()); err != nil {
			return err
		}
	}
	if err := r.manifests(sums); err != nil {
		return err
	}
	return r.checksums()
}

// write writes a file of the release.
func (r *release) write(name string, b []byte) error {
	r.files = append(r.files, name)
	name = filepath.Join(r.out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}

func (r *release) sum(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(r.out, filepath.FromSlash(name)))
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// checksums writes the checksums of all files, as sha256sum -c reads them.
func (r *release) checksums() error {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(r.files)) {
		sum, err := r.sum(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, name)
	}
	fmt.Print(b.String())
	return r.write(sumsName, []byte(b.String()))
}
