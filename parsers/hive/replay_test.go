package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// Three states: Z is mapped, Z is gone, Y is mapped.
const (
	mapped = "!seq=5\n!name=C:\\Users\\alice\\ntuser.dat\n[Network] 2026-03-01T00:00:00Z\n[Network\\Z] 2026-03-01T00:00:00Z\nRemotePath=\\\\fs01\\finance\n"
	gone   = "[Network] 2026-03-02T00:00:00Z\n-[Network\\Z] 2026-03-01T00:00:00Z\nRemotePath=\\\\fs01\\finance\n"
	other  = "[Network] 2026-03-03T00:00:00Z\n[Network\\Y] 2026-03-03T00:00:00Z\nRemotePath=\\\\fs02\\hr\n"
)

// A logSet is a hive with its logs, to be damaged.
type logSet struct{ hive, log1, log2 []byte }

func logs(t testing.TB, o hivetest.LogOptions) *logSet {
	t.Helper()
	h, l1, l2, err := o.Build(mapped, gone, other)
	if err != nil {
		t.Fatal(err)
	}
	return &logSet{h, l1, l2}
}

func (s *logSet) open(t testing.TB) (*hive.Hive, *hive.Replay) {
	t.Helper()
	h, p, err := s.try()
	if err != nil {
		t.Fatal(err)
	}
	return h, p
}

func (s *logSet) try() (*hive.Hive, *hive.Replay, error) {
	file := func(name string, b []byte) hive.LogFile {
		return hive.LogFile{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}
	}
	return hive.OpenWithLogs(bytes.NewReader(s.hive), int64(len(s.hive)), []hive.LogFile{file("LOG2", s.log2), file("LOG1", s.log1)})
}

// reseal changes the first entry of a log and signs it again.
func reseal(log []byte, change func(e []byte)) {
	e := log[512:]
	e = e[:le.Uint32(e[4:])]
	change(e)
	hivetest.Seal(e)
}

func resum(b []byte) {
	sum := uint32(0)
	for i := 0; i < 508; i += 4 {
		sum ^= le.Uint32(b[i:])
	}
	le.PutUint32(b[508:], sum)
}

// letters names the keys below Network.
func letters(h *hive.Hive) string {
	k, err := h.Key("Network")
	if err != nil {
		return err.Error()
	}
	s := ""
	for sub, err := range k.Subkeys() {
		if err != nil {
			return err.Error()
		}
		s += sub.Name
	}
	return s
}

func TestReplay(t *testing.T) {
	second := func(b []byte) []byte { return b[512+le.Uint32(b[516:]):] }
	for name, tt := range map[string]struct {
		options hivetest.LogOptions
		damage  func(s *logSet)
		final   string // letters
		applied string // sequence numbers
		stale   string
		says    []string // in the only problem
	}{
		"one log":                {final: "Y", applied: "5 6"},
		"two logs":               {options: hivetest.LogOptions{First: 1}, final: "Y", applied: "5 6"},
		"logs swapped":           {options: hivetest.LogOptions{First: 1}, damage: func(s *logSet) { s.log1, s.log2 = s.log2, s.log1 }, final: "Y", applied: "5 6"},
		"one log twice":          {damage: func(s *logSet) { s.log2 = s.log1 }, final: "Y", applied: "5 6"},
		"no logs":                {damage: func(s *logSet) { s.log1, s.log2 = nil, nil }, final: "Z"},
		"zeros":                  {damage: func(s *logSet) { clear(s.log1) }, final: "Z"},
		"stale entries":          {options: hivetest.LogOptions{Stale: []string{other, gone}}, final: "Y", applied: "5 6", stale: "3 4"},
		"padding behind":         {damage: func(s *logSet) { s.log1 = append(s.log1, make([]byte, 5000)...) }, final: "Y", applied: "5 6"},
		"second log lost":        {options: hivetest.LogOptions{First: 1}, damage: func(s *logSet) { s.log2 = nil }, final: "", applied: "5"},
		"first log lost":         {options: hivetest.LogOptions{First: 1}, damage: func(s *logSet) { s.log1 = nil }, final: "Y", applied: "6"}, // as the ring is: the primary may be far behind
		"hive newer than a part": {damage: func(s *logSet) { le.PutUint32(s.hive[4:], 7); le.PutUint32(s.hive[8:], 6); resum(s.hive) }, final: "Y", applied: "6", stale: "5"},
		"old format":             {options: hivetest.LogOptions{Old: true}, final: "Y", applied: "6"},

		"clean": {options: hivetest.LogOptions{Clean: true}, final: "Z", stale: "5 6", says: []string{`"LOG1"`, "sequence 5 is newer than the hive", "clean"}},
		"clean and logs older": {damage: func(s *logSet) {
			le.PutUint32(s.hive[4:], 9)
			le.PutUint32(s.hive[8:], 9)
			resum(s.hive)
		}, final: "Z", stale: "5 6"},
		"first entry damaged":           {damage: func(s *logSet) { s.log1[1000] ^= 1 }, final: "Z", stale: "6", says: []string{`"LOG1": offset 0x200`, "sequence 5", "hash of its pages"}},
		"second entry damaged":          {damage: func(s *logSet) { second(s.log1)[1000] ^= 1 }, final: "", applied: "5", says: []string{`"LOG1"`, "sequence 6", "hash of its pages"}},
		"header damaged":                {damage: func(s *logSet) { s.log1[512+20] ^= 1 }, final: "Z", stale: "6", says: []string{"sequence 5", "hash of its header"}},
		"signature damaged":             {damage: func(s *logSet) { s.log1[512] ^= 1 }, final: "Z", stale: "6", says: []string{`"LOG1": offset 0x1400`, "sequence 6 is newer than the hive, which ends before 5"}},
		"log cut":                       {damage: func(s *logSet) { s.log1 = s.log1[:len(s.log1)-100] }, final: "", applied: "5", says: []string{"sequence 6", "left in the log"}},
		"log cut in its base block":     {damage: func(s *logSet) { s.log1 = s.log1[:300] }, final: "Z", says: []string{`"LOG1": offset 0x0: base block: 300 bytes`}},
		"base block of the log damaged": {damage: func(s *logSet) { s.log1[100] ^= 1 }, final: "Z", stale: "5 6", says: []string{`"LOG1": offset 0x1fc: checksum`}},
		"base block half written":       {damage: func(s *logSet) { le.PutUint32(s.log1[4:], 6); resum(s.log1) }, final: "Z", stale: "5 6", says: []string{`"LOG1": offset 0x4: sequence: 6 and 5 differ`}},
		"a hive as log":                 {damage: func(s *logSet) { s.log1 = s.hive }, final: "Z", says: []string{"type 0: no log"}},
		"text as log":                   {damage: func(s *logSet) { s.log1 = []byte(strings.Repeat("log", 400)) }, final: "Z", says: []string{`signature "logl"`}},
		"gap": {options: hivetest.LogOptions{First: 1}, damage: func(s *logSet) {
			le.PutUint32(s.log2[4:], 8)
			le.PutUint32(s.log2[8:], 8)
			resum(s.log2)
			reseal(s.log2, func(e []byte) { le.PutUint32(e[12:], 8) })
		}, final: "", applied: "5", stale: "8", says: []string{`"LOG2": offset 0x200`, "sequence 8, want 6"}},
		"page outside":            {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[40:], 1<<20) }) }, final: "Z", stale: "6", says: []string{"page 0", "at 0x100000"}},
		"page odd":                {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[44:], 100) }) }, final: "Z", stale: "6", says: []string{"page 0: 0x64 bytes"}},
		"too many pages":          {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[20:], 1<<31) }) }, final: "Z", stale: "6", says: []string{"2147483648 pages"}},
		"no bins":                 {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[16:], 0) }) }, final: "Z", stale: "6", says: []string{"hive bins of 0x0"}},
		"giant bins":              {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[16:], 1<<30) }) }, final: "Z", stale: "5 6", says: []string{"makes the hive 1073737728 bytes larger"}},
		"entry without size":      {damage: func(s *logSet) { reseal(s.log1, func(e []byte) { le.PutUint32(e[4:], 0) }) }, final: "Z", stale: "6", says: []string{"0 bytes"}},
		"of another hive by name": {damage: func(s *logSet) { s.log1[50] ^= 1; resum(s.log1) }, final: "Z", stale: "5 6", says: []string{`"LOG1": offset 0x30: file name`, "another hive"}},
		"of another hive by id": {damage: func(s *logSet) {
			s.hive[112], s.log1[112] = 1, 2
			resum(s.hive)
			resum(s.log1)
		}, final: "Z", stale: "5 6", says: []string{`"LOG1": offset 0x70: resource manager`}},
		"base block of the hive damaged": {damage: func(s *logSet) { s.hive[150] ^= 1 }, final: "Y", applied: "5 6", says: []string{`base block of the hive is damaged, that of log "LOG1" is used`}},
		"hive broken by its log": {damage: func(s *logSet) {
			reseal(s.log1, func(e []byte) { clear(e[48 : 48+4096]) })
			s.log1 = s.log1[:512+le.Uint32(s.log1[516:])]
		}, final: "Z", stale: "5", says: []string{"cannot be read after its logs were replayed"}},

		"old, other time":      {options: hivetest.LogOptions{Old: true}, damage: func(s *logSet) { s.log1[12] ^= 1; resum(s.log1) }, final: "Z", stale: "6", says: []string{`"LOG1": offset 0xc: last written`}},
		"old, no dirty vector": {options: hivetest.LogOptions{Old: true}, damage: func(s *logSet) { s.log1[512] ^= 1 }, final: "Z", says: []string{"dirty vector: signature"}},
		"old, sectors missing": {options: hivetest.LogOptions{Old: true}, damage: func(s *logSet) { s.log1 = s.log1[:len(s.log1)-512] }, final: "Z", says: []string{"more sectors than"}},
		"old, vector cut":      {options: hivetest.LogOptions{Old: true}, damage: func(s *logSet) { s.log1 = s.log1[:514] }, final: "Z", says: []string{"2 bytes, need"}},
		"old, clean":           {options: hivetest.LogOptions{Old: true, Clean: true}, final: "Z", stale: "5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := logs(t, tt.options)
			if tt.damage != nil {
				tt.damage(s)
			}
			h, p := s.open(t)
			if got := letters(h); got != tt.final {
				t.Errorf("Network has %q, want %q", got, tt.final)
			}
			if got := sequences(p.Applied); got != tt.applied {
				t.Errorf("applied %s, want %s", got, tt.applied)
			}
			if got := sequences(p.Stale); got != tt.stale {
				t.Errorf("stale %s, want %s", got, tt.stale)
			}
			said := fmt.Sprint(p.Problems)
			if (len(p.Problems) > 0) != (len(tt.says) > 0) {
				t.Errorf("problems %s", said)
			}
			for _, want := range tt.says {
				if !strings.Contains(said, want) {
					t.Errorf("problems %s, want %q", said, want)
				}
			}
			for _, err := range p.Problems {
				if binread.Offset(err) < 0 {
					t.Errorf("%v: no offset", err)
				}
			}
			if len(p.Applied) > 0 && (h.Dirty() || len(h.Problems()) > 0) {
				t.Errorf("dirty %v, %v", h.Dirty(), h.Problems())
			}
			checkStates(t, h, p)
		})
	}
}

func sequences(list []hive.Entry) string {
	var s []string
	for _, e := range list {
		s = append(s, fmt.Sprint(e.Sequence))
	}
	return strings.Join(s, " ")
}

// checkStates holds the states to the entries, and the last to the final view.
func checkStates(t *testing.T, h *hive.Hive, p *hive.Replay) {
	t.Helper()
	n, last := 0, ""
	for s := range p.States() {
		if n == 0 && s.Log != "" || n > 0 && (n > len(p.Applied) || s.Sequence != p.Applied[n-1].Sequence) {
			t.Errorf("state %d: %+v", n, s.Entry)
		}
		n++
		if last = fmt.Sprint(s.Err); s.Err == nil {
			last = letters(s.Hive)
		}
	}
	if n != len(p.Applied)+1 || last != letters(h) {
		t.Errorf("%d states for %d entries; the last has %q, the final view %q", n, len(p.Applied), last, letters(h))
	}
}

func TestReplayStates(t *testing.T) {
	_, p := logs(t, hivetest.LogOptions{First: 1}).open(t)
	got := ""
	for s := range p.States() {
		got += fmt.Sprintf("%s:%d %s, ", s.Log, s.Sequence, letters(s.Hive))
	}
	if want := ":0 Z, LOG1:5 , LOG2:6 Y, "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if p.Format != hive.FormatNew || p.Clean || p.Gap != 0 {
		t.Error(p.Format, p.Clean, p.Gap)
	}
	s := logs(t, hivetest.LogOptions{First: 1})
	s.log1 = nil
	if _, p := s.open(t); p.Gap != 1 {
		t.Errorf("gap %d without the first log, want 1", p.Gap)
	}
}

func TestOrigin(t *testing.T) {
	s := logs(t, hivetest.LogOptions{First: 1})
	h, p := s.open(t)
	y := key(t, h, `Network\Y`)
	log, off, replayed := h.Origin(y.Off)
	if log != "LOG2" || !replayed || !bytes.HasPrefix(s.log2[off:], []byte("nk")) || !h.Changed(y.Off, y.Len) {
		t.Errorf("%q, %#x, %v, changed %v", log, off, replayed, h.Changed(y.Off, y.Len))
	}
	if log, off, replayed := h.Origin(0); log != "" || off != 0 || replayed {
		t.Error("base block:", log, off, replayed)
	}
	for _, off := range []int64{-1, 1 << 40} {
		if _, _, replayed := h.Origin(off); replayed {
			t.Error(off)
		}
	}
	for s := range p.States() {
		z, err := s.Hive.Key(`Network\Z`)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, replayed := s.Hive.Origin(z.Off); replayed || s.Hive.Changed(z.Off, z.Len) {
			t.Error("the primary comes from a log")
		}
		break
	}
	// A page of the log brings what the hive had already.
	root := h.Root()
	if _, _, replayed := h.Origin(root.Off); !replayed || h.Changed(root.Off, 4) {
		t.Error("the root's signature has changed")
	}
	plain := open(t, s.hive)
	if _, _, replayed := plain.Origin(y.Off); replayed || plain.Changed(0, int64(len(s.hive))) {
		t.Error("a hive without logs comes from one")
	}
}

func TestStaleItems(t *testing.T) {
	s := logs(t, hivetest.LogOptions{Stale: []string{
		"[Network] 2026-02-01T00:00:00Z\n[Network\\X] 2026-02-01T00:00:00Z\nRemotePath=\\\\old\\share\n",
		"[Network] 2026-02-01T00:00:00Z\n[Network\\X] 2026-02-01T00:00:00Z\nRemotePath=\\\\old\\share\n",
	}})
	_, p := s.open(t)
	got := ""
	for it, err := range p.StaleItems() {
		if err != nil {
			t.Fatal(err)
		}
		if it.Key != nil && it.Key.Name == "X" {
			if it.Log != "LOG1" || !bytes.HasPrefix(s.log1[it.Off:], []byte("nk")) || it.Where != hive.OldLog {
				t.Errorf("%q, %#x, %q", it.Log, it.Off, it.Where)
			}
			text, _, err := it.Values[0].Value.Text()
			got += fmt.Sprint(it.Path, " ", text, err, it.PathComplete)
		}
		if !strings.Contains(it.Doubt, "not applied") {
			t.Errorf("%q: doubt %q", it.Path, it.Doubt)
		}
	}
	if want := `Network\X \\old\share<nil> true`; got != want {
		t.Errorf("%q, want %q once", got, want)
	}
	_, p = logs(t, hivetest.LogOptions{}).open(t)
	for it := range p.StaleItems() {
		t.Error("nothing is stale, but", it.Path)
	}
}

// badReader fails behind n bytes.
type badReader struct {
	b []byte
	n int64
}

func (r badReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > r.n {
		if off >= r.n {
			return 0, errors.New("bad sector")
		}
		return copy(p, r.b[off:r.n]), errors.New("bad sector")
	}
	return copy(p, r.b[off:]), nil
}

func TestReplayReaders(t *testing.T) {
	s := logs(t, hivetest.LogOptions{})
	first := 512 + int64(le.Uint32(s.log1[516:]))
	for name, tt := range map[string]struct {
		log   hive.LogFile
		final string
		says  string
	}{
		"bad sector":   {hive.LogFile{Name: "L", R: badReader{s.log1, first + 600}, Size: int64(len(s.log1))}, "", "bad sector"},
		"size too big": {hive.LogFile{Name: "L", R: bytes.NewReader(s.log1), Size: int64(len(s.log1)) + 512}, "Y", "file ends early"},
		"negative":     {hive.LogFile{Name: "L", R: bytes.NewReader(s.log1), Size: -1}, "Z", "-1 bytes"},
		"giant":        {hive.LogFile{Name: "L", R: bytes.NewReader(s.log1), Size: 1 << 50}, "Z", "1125899906842624 bytes"},
		"none":         {hive.LogFile{Name: "L", Size: 512}, "Z", "512 bytes"},
	} {
		h, p, err := hive.OpenWithLogs(bytes.NewReader(s.hive), int64(len(s.hive)), []hive.LogFile{tt.log})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := letters(h); got != tt.final || !strings.Contains(fmt.Sprint(p.Problems), tt.says) {
			t.Errorf("%s: %q, %v; want %q, %q", name, got, p.Problems, tt.final, tt.says)
		}
	}
	for name, b := range map[string][]byte{"empty": nil, "no hive": []byte(strings.Repeat("x", 9000)), "log": s.log1, "short": s.hive[:600]} {
		h, p, err := hive.OpenWithLogs(bytes.NewReader(b), int64(len(b)), []hive.LogFile{{Name: "L", R: bytes.NewReader(s.log1), Size: int64(len(s.log1))}})
		if h != nil || p != nil || !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v, %v", name, h, p, err)
		}
	}
	if _, _, err := hive.OpenWithLogs(io.NewSectionReader(bytes.NewReader(nil), 0, 0), 1<<40, nil); !errors.Is(err, hive.ErrDamaged) {
		t.Error(err)
	}
}

// TestStaleItemsForeign: what a log of another hive holds is nothing of this one.
func TestStaleItemsForeign(t *testing.T) {
	s := logs(t, hivetest.LogOptions{})
	s.log1[50] ^= 1 // in the name of its hive
	resum(s.log1)
	_, p := s.open(t)
	if len(p.Stale) == 0 {
		t.Fatal("no stale entries")
	}
	for it, err := range p.StaleItems() {
		t.Errorf("%+v, %v", it, err)
	}
}
