package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// A binary is the program built for one platform.
type binary struct {
	goos, goarch string
	base         string // sharetrail_1.2.3_linux_amd64
	path         string
}

// name is that of the program on its system.
func (b *binary) name() string {
	if b.goos == "windows" {
		return "sharetrail.exe"
	}
	return "sharetrail"
}

// archive is the file that holds the program.
func (b *binary) archive() string {
	if b.goos == "windows" {
		return b.base + ".zip"
	}
	return b.base + ".tar.gz"
}

// build builds the program without cgo, without paths of this machine, and
// without a build id or the state of the repository, which differ between
// builds of the same source.
func (r *release) build(platform, work string) (*binary, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	b := &binary{goos: goos, goarch: goarch, base: fmt.Sprintf("sharetrail_%s_%s_%s", r.version, goos, goarch)}
	b.path = filepath.Join(work, b.base, b.name())
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -buildid= -X sharetrail/cmd/internal/cli.version="+r.version, "-o", b.path, "./cmd/sharetrail")
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build for %s: %w", platform, err)
	}
	return b, nil
}

// A document is a file that goes with the program.
type document struct {
	name string // in an archive
	data []byte
}

// documents asks the program for its manual pages and completions, and reads
// those of the repository.
func (r *release) documents(work string) ([]document, error) {
	var docs []document
	for _, name := range []string{"CHANGELOG.md", "LICENSE", "README.md"} {
		b, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		docs = append(docs, document{name, b})
	}
	own, err := r.build(runtime.GOOS+"/"+runtime.GOARCH, filepath.Join(work, "own"))
	if err != nil {
		return nil, err
	}
	for _, shell := range []struct{ name, file string }{
		{"bash", "sharetrail.bash"}, {"fish", "sharetrail.fish"}, {"powershell", "sharetrail.ps1"}, {"zsh", "_sharetrail"},
	} {
		b, err := exec.Command(own.path, "completion", shell.name).Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell.name, err)
		}
		docs = append(docs, document{"completion/" + shell.file, b})
	}
	pages := filepath.Join(work, "man")
	if err := exec.Command(own.path, "man", "-o", pages).Run(); err != nil {
		return nil, fmt.Errorf("man: %w", err)
	}
	list, err := os.ReadDir(pages)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(pages, e.Name()))
		if err != nil {
			return nil, err
		}
		docs = append(docs, document{"man/" + e.Name(), b})
	}
	return docs, nil
}
