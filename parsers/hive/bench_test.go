package hive_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"www.velocidex.com/golang/regparser"

	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// benchHive has 20,000 keys in 20 lists and three values a key.
func benchHive(b *testing.B) []byte {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "[Software\\Classes\\group%02d\\{%08x-0000-0000-0000-000000000000}]\n@=some text of a class\nThreadingModel=Both\nVersion=dword:%d\n", i%20, i*2654435761, i)
	}
	image, err := hivetest.Build(text.String())
	if err != nil {
		b.Fatal(err)
	}
	return image
}

func BenchmarkOpen(b *testing.B) {
	image := benchHive(b)
	b.SetBytes(int64(len(image)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hive.Open(bytes.NewReader(image), int64(len(image))); err != nil {
			b.Fatal(err)
		}
	}
}

// The two walks read the same: names and times of all keys, names, types and
// data of all values.
func BenchmarkWalk(b *testing.B) {
	image := benchHive(b)
	b.Run("hive", func(b *testing.B) {
		b.SetBytes(int64(len(image)))
		b.ReportAllocs()
		for b.Loop() {
			h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
			if err != nil {
				b.Fatal(err)
			}
			for k, err := range h.Walk() {
				if err != nil {
					b.Fatal(err)
				}
				for v, err := range k.Values() {
					if err != nil {
						b.Fatal(err)
					}
					if _, err := v.Bytes(); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
	b.Run("regparser", func(b *testing.B) {
		b.SetBytes(int64(len(image)))
		b.ReportAllocs()
		for b.Loop() {
			reg, err := regparser.NewRegistry(bytes.NewReader(image))
			if err != nil {
				b.Fatal(err)
			}
			libraryWalk(reg.OpenKey(""))
		}
	})
	b.Run("regfexport", func(b *testing.B) {
		program, err := exec.LookPath("regfexport")
		if err != nil {
			b.Skip("regfexport is not installed")
		}
		name := filepath.Join(b.TempDir(), "hive")
		if err := os.WriteFile(name, image, 0o600); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(image)))
		for b.Loop() {
			if err := exec.Command(program, name).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func libraryWalk(k *regparser.CM_KEY_NODE) {
	_, _ = k.Name(), k.LastWriteTime()
	for _, v := range k.Values() {
		_, _ = v.ValueName(), v.ValueData()
	}
	for _, s := range k.Subkeys() {
		libraryWalk(s)
	}
}

func BenchmarkKey(b *testing.B) {
	image := benchHive(b)
	h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.Key(`Software\Classes\group19`); err != nil {
			b.Fatal(err)
		}
	}
}
