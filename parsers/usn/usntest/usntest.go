// Package usntest writes change journals from text, for tests and scenarios.
//
// Each line is a record: its time, the file and directory by number and sequence
// number, the reasons joined by "|" and the name:
//
//	2026-03-02T09:40:31.5Z 40-1 39-1 FileDelete|Close ConsoleHost_history.txt
//
// The line "v3" makes the records that follow those of version 3, "at N" gives the
// offset in the whole journal at which the first one lies, "damage N" puts N bytes
// of something else in between.
package usntest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

const page = 4096

// Reasons are the names of reasons, as Microsoft spells them.
var Reasons = map[string]uint32{
	"DataOverwrite": 0x1, "DataExtend": 0x2, "DataTruncation": 0x4, "FileCreate": 0x100, "FileDelete": 0x200,
	"RenameOldName": 0x1000, "RenameNewName": 0x2000, "BasicInfoChange": 0x8000, "Close": 0x80000000,
}

// Build writes a journal.
func Build(text string) ([]byte, error) {
	var out []byte
	first, v3 := int64(0), false
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 5)
		var err error
		switch {
		case f[0] == "":
			continue
		case f[0] == "v3":
			v3 = true
			continue
		case f[0] == "at" && len(f) == 2:
			first, err = strconv.ParseInt(f[1], 10, 64)
		case f[0] == "damage" && len(f) == 2:
			var n int
			n, err = strconv.Atoi(f[1])
			out = append(out, bytes.Repeat([]byte{0xee}, n)...)
		case len(f) == 5:
			out, err = add(out, first, v3, f)
		default:
			err = fmt.Errorf("no record")
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return append(out, make([]byte, (page-len(out)%page)%page)...), nil
}

func add(out []byte, first int64, v3 bool, f []string) ([]byte, error) {
	at, err := time.Parse(time.RFC3339Nano, f[0])
	if err != nil {
		return nil, err
	}
	file, err := reference(f[1])
	if err != nil {
		return nil, err
	}
	dir, err := reference(f[2])
	if err != nil {
		return nil, err
	}
	reason := uint32(0)
	for name := range strings.SplitSeq(f[3], "|") {
		bit, ok := Reasons[name]
		if !ok {
			return nil, fmt.Errorf("reason %q", name)
		}
		reason |= bit
	}
	name := utf16.Encode([]rune(f[4]))
	fixed, version := 60, uint16(2)
	if v3 {
		fixed, version = 76, 3
	}
	n := (fixed + 2*len(name) + 7) / 8 * 8
	if left := page - len(out)%page; left < n {
		out = append(out, make([]byte, left)...) // no record crosses a page
	}
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(n))
	b = le.AppendUint16(b, version)
	b = le.AppendUint16(b, 0)
	for _, ref := range []uint64{file, dir} {
		if b = le.AppendUint64(b, ref); v3 {
			b = le.AppendUint64(b, 0)
		}
	}
	b = le.AppendUint64(b, uint64(first)+uint64(len(out)))
	b = le.AppendUint64(b, filetime.From(at))
	b = le.AppendUint32(b, reason)
	b = append(b, make([]byte, 8)...) // source, security id
	b = le.AppendUint32(b, 0x20)      // FILE_ATTRIBUTE_ARCHIVE
	b = le.AppendUint16(b, uint16(2*len(name)))
	b = le.AppendUint16(b, uint16(fixed))
	for _, c := range name {
		b = le.AppendUint16(b, c)
	}
	return append(out, append(b, make([]byte, n-len(b))...)...), nil
}

// reference reads "40-1": number of the MFT record, sequence number.
func reference(s string) (uint64, error) {
	num, seq, _ := strings.Cut(s, "-")
	n, err := strconv.ParseUint(num, 10, 48)
	if err != nil {
		return 0, err
	}
	q, err := strconv.ParseUint(seq, 10, 16)
	return n | q<<48, err
}
