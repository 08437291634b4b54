package source

import (
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name, data string
		kind       FileKind
		system     bool
	}{
		{"primary", regf(0, ""), Hive, false},
		{"old log", regf(1, ""), HiveLog, false},
		{"log of Windows 2000", regf(2, ""), HiveLog, false},
		{"new log", regf(6, `emRoot\System32\Config\SYSTEM`), HiveLog, false},
		{"damaged type", regf(77, ""), Hive, false},
		{"SYSTEM", regf(0, `emRoot\System32\Config\SYSTEM`), Hive, true},
		{"SYSTEM, other case", regf(0, `\REGISTRY\MACHINE\System`), Hive, true},
		{"SYSTEM alone", regf(0, "SYSTEM"), Hive, true},
		{"not SYSTEM", regf(0, `C:\ECOSYSTEM`), Hive, false},
		{"name without end", regf(0, strings.Repeat("x", 32-7)+`\SYSTEM`), Hive, true},
		{"cut in the base block", regf(6, "SYSTEM")[:20], Hive, false},
		{"signature only", "regf", Hive, false},
		{"cut signature", "reg", "", false},
		{"log header", "ElfFile\x00", EVTX, false},
		{"cut log signature", "ElfFile", "", false},
		{"chunk without header", "ElfChnk\x00", EVTX, false},
		{"overwritten header", strings.Repeat("x", 4096) + "ElfChnk\x00", EVTX, false},
		{"chunk elsewhere", strings.Repeat("x", 4095) + "ElfChnk\x00", "", false},
		{"nothing", "", "", false},
	} {
		if h := identify([]byte(test.data)); h.kind != test.kind || h.system != test.system {
			t.Errorf("%s: kind %q, SYSTEM %v; want %q, %v", test.name, h.kind, h.system, test.kind, test.system)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	for _, s := range []string{system, txlog, evtx, mbr(), "PK\x03\x04", "vhdxfile"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := identify(b)
		if h.archive != "" && (h.kind != "" || h.foreign != "") || h.kind != "" && h.foreign != "" {
			t.Errorf("is several things: %+v", h)
		}
		if h.system && h.kind != Hive {
			t.Errorf("a SYSTEM hive of kind %q", h.kind)
		}
		if len(h.first) > 16 {
			t.Errorf("quotes %d bytes", len(h.first))
		}
	})
}
