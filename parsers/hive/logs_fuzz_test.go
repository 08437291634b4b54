package hive_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/binread/costtest"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// readRecovered reads everything of a replay and of what is deleted, and checks
// what must hold for any input.
func readRecovered(t *testing.T, h *hive.Hive, p *hive.Replay) (items int) {
	check := func(it hive.Item, err error) {
		if err != nil {
			if !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v: must be damage", err)
			}
			return
		}
		items++
		if it.Where == "" || it.Off < 0 || (it.Key == nil) == (it.Value == nil && it.Text == "") {
			t.Errorf("item without a place or with too many kinds: %+v", it)
		}
		for _, v := range append(it.Values, it) {
			if v.Value == nil {
				continue
			}
			b, err := v.Value.Bytes()
			if err == nil && len(b) != int(v.Value.Size) {
				t.Errorf("%d bytes of %d without an error", len(b), v.Value.Size)
			}
			if err != nil && (!errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("error %v: must be damage", err)
			}
		}
	}
	checkNotLive(t, "mutant", h)
	for it, err := range h.Deleted() {
		check(it, err)
	}
	if p == nil {
		return items
	}
	for it, err := range p.StaleItems() {
		check(it, err)
	}
	for s := range p.States() {
		if (s.Err == nil) != (s.Hive != nil) {
			t.Errorf("state %+v", s)
		}
	}
	for _, err := range p.Problems {
		if binread.Offset(err) < 0 {
			t.Errorf("%v: no offset", err)
		}
	}
	return items
}

func FuzzReplay(f *testing.F) {
	for _, o := range []hivetest.LogOptions{{}, {First: 1}, {Old: true}, {Stale: []string{other}}} {
		s := logs(f, o)
		f.Add(s.hive, s.log1, s.log2, true)
	}
	f.Fuzz(func(t *testing.T, image, log1, log2 []byte, seal bool) {
		if seal { // else no change gets past the hashes
			log1 = sealAll(log1)
		}
		s := &logSet{image, log1, log2}
		h, p, err := s.try()
		if err != nil {
			if !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v: must be damage", err)
			}
			return
		}
		readRecovered(t, h, p)
	})
}

// sealAll signs the base block and all entries of a log again.
func sealAll(log []byte) []byte {
	log = bytes.Clone(log)
	if len(log) < 512 {
		return log
	}
	resum(log)
	for off := 512; off+40 <= len(log); {
		n := int(le.Uint32(log[off+4:]))
		if n < 40 || off+n > len(log) {
			break
		}
		hivetest.Seal(log[off : off+n])
		off += n
	}
	return log
}

const deletedText = removed + `[Software\Many\key0001]
[Software\Many\key0002]
-[Software\Many\key0003] 2026-03-01T00:00:00Z
x=hex:00
-"v"=\\nas\share
-[Software\Many\key0003\below] 2026-03-01T00:00:00Z unlinked
List=multi:one|two
-"Long"=qword:7
-[Software\Over] 2026-03-01T00:00:00Z overwritten
a=some longer text that is overwritten
`

func FuzzDeleted(f *testing.F) {
	f.Add(build(f, deletedText))
	f.Add(build(f, removed))
	f.Fuzz(func(t *testing.T, image []byte) {
		if h, err := hive.Open(bytes.NewReader(image), int64(len(image))); err == nil {
			readRecovered(t, h, nil)
		}
	})
}

// TestMutantLogs changes what steers replay and recovery. The logs are signed
// again, since anybody who forges one can.
func TestMutantLogs(t *testing.T) {
	mutants := 20_000
	if testing.Short() {
		mutants = 1000
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var sets []*logSet
	for _, o := range []hivetest.LogOptions{{}, {First: 1}, {Old: true}, {Stale: []string{deletedText, other}}} {
		h, l1, l2, err := o.Build(mapped+deletedText, gone+"[More]\nv=hex:"+hex.EncodeToString(make([]byte, 5000)), other)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, &logSet{h, l1, l2})
	}
	applied, items, worst := 0, 0, costtest.Worst{}
	deadline := time.Now().Add(8 * time.Second)
	n := 0
	for ; n < mutants && time.Now().Before(deadline); n++ {
		from := sets[n%len(sets)]
		s := &logSet{bytes.Clone(from.hive), bytes.Clone(from.log1), bytes.Clone(from.log2)}
		at, cells := references(s.hive)
		for range 1 + rng.IntN(3) {
			var word []byte
			if rng.IntN(3) == 0 {
				word = s.hive[at[rng.IntN(len(at))]:]
			} else { // the header, page references and pages of an entry
				word = s.log1[4*rng.IntN([]int{128, 150, len(s.log1)/4 - 1}[rng.IntN(3)]):]
			}
			edge := []uint32{0, 1, 7, 8, 512, 4096, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, cells[rng.IntN(len(cells))], rng.Uint32()}
			le.PutUint32(word, edge[rng.IntN(len(edge))])
		}
		if rng.IntN(8) > 0 {
			s.log1 = sealAll(s.log1)
		}
		did, found := 0, 0
		worst.Read(func() {
			if h, p, err := s.try(); err == nil {
				did, found = min(1, len(p.Applied)), readRecovered(t, h, p)
			}
		})
		applied, items = applied+did, items+found
	}
	t.Logf("%d of %d mutants applied a log, %d items", applied, n, items)
	if applied < n/4 || items < n {
		t.Errorf("only %d of %d mutants applied a log, %d items: the rest tests nothing", applied, n, items)
	}
	worst.Check(t, "hives with logs")
}
