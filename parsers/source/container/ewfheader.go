package container

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// ewfKeys names the values of a header section (libewf, "EWF specification",
// "Header section").
var ewfKeys = map[string]string{
	"c": "case number", "n": "evidence number", "a": "description", "e": "examiner", "t": "notes",
	"av": "software", "ov": "operating system", "md": "model", "sn": "serial number", "l": "label",
	"m": "acquired", "u": "system date",
}

// header takes the description of the acquisition. "header2" is UTF-16 and has
// times in UTC; "header" is in a code page that it does not name, and its times
// are those of the acquiring computer's clock.
func (e *ewf) header(f *file, s ewfSection) {
	wide := s.kind == "header2"
	if e.headers++; e.wide && !wide || e.headers > 8 { // EnCase writes three
		return
	}
	const most = 1 << 20
	c, err := f.get(s.body, min(s.end-s.body, most), s.kind+" section")
	if err == nil {
		c, err = unzlib(c, make([]byte, most), 1)
		if err != nil {
			err = f.errorf(s.body, s.kind+" section", "%w", err)
		}
	}
	if err != nil {
		e.doubt(err)
		return
	}
	text := string(c)
	if wide {
		text = utf16Text(c)
	}
	e.wide = wide
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i := 0; i+2 < len(lines); i++ {
		if lines[i] != "main" {
			continue
		}
		keys, values := strings.Split(lines[i+1], "\t"), strings.Split(lines[i+2], "\t")
		for j := range min(len(keys), len(values)) {
			if name := ewfKeys[keys[j]]; name != "" && values[j] != "" {
				e.setInfo(name, values[j])
			}
		}
		return
	}
}

func (e *ewf) setInfo(name, v string) {
	if name == "acquired" || name == "system date" {
		v = ewfTime(v)
	}
	e.stored[name] = strings.ToValidUTF8(v, "\ufffd")
}

// ewfTime writes a time of a header: seconds since 1970 in UTC, or six numbers
// of a local clock.
func ewfTime(v string) string {
	if sec, err := strconv.ParseInt(v, 10, 36); err == nil {
		return time.Unix(sec, 0).UTC().Format(time.RFC3339)
	}
	var n [6]int
	if k, _ := fmt.Sscan(v, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]); k == len(n) {
		return fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d (clock of the acquiring computer, its zone is not stored)", n[0], n[1], n[2], n[3], n[4], n[5])
	}
	return v
}

// utf16Text decodes UTF-16 with a byte order mark, little-endian without one.
func utf16Text(b []byte) string {
	big := len(b) > 1 && b[0] == 0xfe && b[1] == 0xff
	var u []uint16
	for i := 0; i+1 < len(b); i += 2 {
		if big {
			u = append(u, be.Uint16(b[i:]))
		} else {
			u = append(u, le.Uint16(b[i:]))
		}
	}
	return strings.TrimRight(strings.TrimPrefix(string(utf16.Decode(u)), "\ufeff"), "\x00")
}
