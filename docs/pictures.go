//go:build ignore

// Command pictures makes the pictures of the README and the tutorial from the
// report of the example case, with a headless Chromium. Run it from the root of
// the repository and look at what it made:
//
//	go run docs/pictures.go
package main

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
)

// The page is set at this size, in pixels; each picture is a part of it.
const width, height = 1100, 1560

var pictures = map[string]image.Rectangle{
	"docs/report.png":   image.Rect(0, 0, width, 790),
	"docs/timeline.png": image.Rect(0, 812, width, height),
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "pictures-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out, shot := filepath.Join(dir, "out"), filepath.Join(dir, "page.png")
	for _, args := range [][]string{
		{"go", "run", "./cmd/sharetrail", "analyze", "-q", "testdata/cases/tg3390/evidence", "-o", out},
		{"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000",
			fmt.Sprintf("--window-size=%d,%d", width, height), "--screenshot=" + shot, "file://" + filepath.Join(out, "report.html")},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, text)
		}
	}
	f, err := os.Open(shot)
	if err != nil {
		return err
	}
	defer f.Close()
	page, err := png.Decode(f)
	if err != nil {
		return err
	}
	for name, part := range pictures {
		img := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
		draw.Draw(img, img.Bounds(), page, part.Min, draw.Src)
		if err := save(name, img); err != nil {
			return err
		}
	}
	return nil
}

func save(name string, img image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(f, img); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
