package source

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// itemOf is a file of a scope that holds b.
func itemOf(name string, b []byte) *item {
	it := &item{path: name, place: name, size: int64(len(b)), open: func() (Handle, error) { return inPlace{io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))}, nil }}
	it.head = identify(b[:min(len(b), sniffLen)])
	return it
}

func hostileScanner() *scanner {
	o := Options{MaxMember: 1 << 22, MaxTotal: 1 << 23, MaxEntries: 1000, Passwords: [][]byte{[]byte("x"), []byte("y")}}
	return &scanner{ctx: context.Background(), o: o.withDefaults(), ev: &Evidence{Tree: &Node{}}}
}

// FuzzArchives opens what may be any archive or image.
func FuzzArchives(f *testing.F) {
	plain := tarOf(f, map[string]string{"C/Users/bob/NTUSER.DAT": user})
	f.Add(plain)
	for _, kind := range []string{"gzip", "zstd", "xz"} {
		f.Add(pack(f, kind, plain))
	}
	f.Add(sealedZip(f, "NTUSER.DAT", user, "x", 3, true))
	f.Add(sealedZip(f, "NTUSER.DAT", user, "y", 0, false))
	f.Add([]byte("7z\xbc\xaf\x27\x1c\x00\x04aaaaaaaaaaaaaaaaaaaaaaaa"))
	f.Add(diskOf(volume(f, ntfsFile("C/Users/bob/NTUSER.DAT", user))[:1<<16]))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := hostileScanner()
		c := &scope{id: "", kind: "folder", items: []*item{itemOf("f", b)}}
		if _, err := s.layout(c); err != nil {
			t.Fatal(err)
		}
		if err := s.snapshots(); err != nil {
			t.Fatal(err)
		}
		for _, v := range s.ev.Volumes {
			for _, f := range v.Files {
				if h, err := f.Open(); err == nil {
					h.ReadAt(make([]byte, 4096), 0) // an error is an answer
					h.Close()
				}
			}
		}
		if err := s.ev.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCollection reads what a collector says.
func FuzzCollection(f *testing.F) {
	f.Add("client_info.json", `{"Hostname":"WS01"}`)
	f.Add("collection_context.json", `{"create_time":1600000000000000000}`)
	f.Add("uploads.json", `{"_Components":["C","Users"],"file_size":5,"uploaded_size":2}`)
	f.Add("GetThis.csv", "ComputerName,VolumeID,FullName,SampleName\nWS01,1,\\Users\\bob\\NTUSER.DAT,C\\Users\\bob\\NTUSER.DAT")
	f.Add("1_skiplog.csv", "SourceFile,SourceFileSha1,Reason\nC:\\x\\vss001\\Users\\bob\\NTUSER.DAT,aa,Deduped")
	f.Add("1_CopyLog.csv", "CopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,ModifiedOnUtc\n2025-08-25 20:21:09.9776063,C:\\Users\\eve\\NTUSER.DAT,D:\\x\\C\\Users\\bob\\NTUSER.DAT,5,aa,2025-08-24 11:22:33")
	f.Add("1_ConsoleLog.txt", "System info: Machine name: FS03, x\nCould not copy file C:\\Users\\..\\..\\NTUSER.DAT to D:\\x. Error: y\nCommand line:   --tsource C:")
	f.Add("C/Users/bob/NTUSER.DAT.idx", `{"ranges":[{"file_offset":0,"original_offset":10,"file_length":5,"length":5}]}`)
	f.Fuzz(func(t *testing.T, name, data string) {
		if name == "" || strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
			return
		}
		s := hostileScanner()
		c := &scope{kind: "folder", items: []*item{itemOf("C/Users/bob/NTUSER.DAT", []byte(user)), itemOf("VSS1/Users/bob/NTUSER.DAT", []byte(user)), itemOf(name, []byte(data))}}
		if _, err := s.layout(c); err != nil {
			t.Fatal(err)
		}
		for _, v := range s.ev.Volumes {
			for _, f := range v.Files {
				if strings.HasPrefix(f.Path, "/") || strings.Contains("/"+f.Path+"/", "/../") {
					t.Errorf("path %q leads elsewhere", f.Path)
				}
				h, err := f.Open()
				if err != nil {
					continue
				}
				if n, err := h.ReadAt(make([]byte, 64), 0); err == nil && n < 64 || h.Size() < 0 {
					t.Errorf("%d bytes of %d without an error", n, h.Size())
				}
				h.Close()
			}
		}
	})
}
