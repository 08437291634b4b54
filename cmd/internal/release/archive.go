package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path"
	"time"
)

// An entry is a file or, with a slash at its end, a folder of an archive.
type entry struct {
	name string
	mode int64
	data []byte
}

// tarball packs entries: owner root, one time, nothing of this machine.
func tarball(at time.Time, entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: at, Uname: "root", Gname: "root",
			Typeflag: tar.TypeReg, Format: tar.FormatGNU, // which dpkg reads
		}
		if e.name[len(e.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return gzipped(b.Bytes())
}

// gzipped compresses without name and time.
func gzipped(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

func zipped(at time.Time, entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(e.mode))
		out, err := w.CreateHeader(h)
		if err == nil {
			_, err = out.Write(e.data)
		}
		if err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// pack writes what there is of one build: the archive, the bill of materials
// and, for Linux, the package for Debian.
func (r *release) pack(b *binary, docs []document) error {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return err
	}
	entries := []entry{{path.Join(b.base, b.name()), 0o755, program}}
	for _, d := range docs {
		entries = append(entries, entry{path.Join(b.base, d.name), 0o644, d.data})
	}
	packed, err := zipped(r.time, entries)
	if b.goos != "windows" {
		packed, err = tarball(r.time, entries)
	}
	if err != nil {
		return err
	}
	if err := r.write(b.archive(), packed); err != nil {
		return err
	}
	bill, err := r.bill(b, program)
	if err != nil {
		return err
	}
	if err := r.write(b.base+".cdx.json", bill); err != nil {
		return err
	}
	if b.goos != "linux" {
		return nil
	}
	deb, err := r.deb(b, program, docs)
	if err != nil {
		return err
	}
	return r.write("sharetrail_"+debVersion(r.version)+"_"+b.goarch+".deb", deb)
}
