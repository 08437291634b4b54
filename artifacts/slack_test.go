package artifacts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog/evtxtest"
)

// processes returns the text of events that start programs, the last of which
// is a delete command.
func processes(from, n int) string {
	text := "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01\n"
	for i := range n {
		line := "ping.exe fs01"
		if i == n-1 {
			line = `net use Z: /delete`
		}
		text += fmt.Sprintf("2026-03-01T10:00:%02d.0Z 4688 v=2 id=%d\n  SubjectUserSid = S-1-5-21-1-2-3-1001\n  SubjectUserName = alice\n  NewProcessName = C:\\Windows\\System32\\net.exe\n  CommandLine = %s\n", i, from+i, line)
	}
	return text
}

// TestReplacedRecords: a record that lies behind the list of its chunk, because
// Windows began to write the chunk anew, is a row of its own, of state deleted;
// with NoDeleted it is none, and a copy of a listed record never is.
func TestReplacedRecords(t *testing.T) {
	build := func(text string) []byte {
		events, err := evtxtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := evtxtest.Build(events, evtxtest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	// The first record of both defines the same template at the same place, so
	// what referred to the old definition finds it in the new one.
	old := build(processes(100, 12))
	anew := build(strings.Replace(processes(300, 1), "net use Z: /delete", "ping.exe fs01     ", 1))
	const chunk = 4096
	free := int(binary.LittleEndian.Uint32(anew[chunk+48:]))
	copy(old[chunk:chunk+free], anew[chunk:chunk+free])

	rows := func(noDeleted bool) (out []evidence.Observation) {
		e := ReadLog(File{Place: &evidence.Place{Source: "case", Path: "Security.evtx"}, R: bytes.NewReader(old), Size: int64(len(old)), NoDeleted: noDeleted})
		for _, o := range e.Observations {
			if o.Action == evidence.Command {
				out = append(out, o.Whole())
			}
		}
		return out
	}
	got := rows(false)
	if len(got) != 1 || got[0].State != evidence.Deleted || got[0].From.RecordID != 111 || got[0].Drive != "Z:" {
		t.Errorf("rows: %+v", got)
	}
	if got := rows(true); len(got) != 0 {
		t.Errorf("with NoDeleted: %+v", got)
	}
}
