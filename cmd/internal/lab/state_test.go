package lab

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"sharetrail/parsers/hive"
)

// final opens alice's hive with its logs replayed.
func (m image) final(t *testing.T) *hive.Hive {
	t.Helper()
	var found []hive.LogFile
	for _, name := range []string{ntuser + ".LOG1", ntuser + ".LOG2"} {
		if data := m[name]; len(data) > 0 {
			found = append(found, hive.LogFile{Name: name, R: bytes.NewReader(data), Size: int64(len(data))})
		}
	}
	h, _, err := hive.OpenWithLogs(bytes.NewReader(m[ntuser]), int64(len(m[ntuser])), found)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// letters are the drives below Network.
func letters(t *testing.T, h *hive.Hive) (names []string) {
	t.Helper()
	for _, letter := range "XYZ" {
		_, err := h.Key(`Network\` + string(letter))
		if err == nil {
			names = append(names, string(letter))
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return names
}

func TestHiveLagsBehind(t *testing.T) {
	const story = fullHost + `2026-03-01T08:00:00Z logon alice id=0x51
2026-03-01T09:00:00Z map alice Z: \\fs01\a
2026-03-01T09:30:00Z save alice
2026-03-01T10:00:00Z map alice Y: \\fs01\b
2026-03-01T10:30:00Z unmap alice Z:
`
	for _, c := range []struct {
		story       string
		file, final []string
	}{
		{story, []string{"Z"}, []string{"Y"}},
		{story + "2026-03-01T10:31:00Z freeze alice\n2026-03-01T11:00:00Z unmap alice Y:\n", []string{"Z"}, []string{"Y"}},
		{story + "2026-03-01T10:31:00Z save alice\n", []string{"Y"}, []string{"Y"}},
	} {
		m := build(t, c.story)
		h, err := hive.Open(bytes.NewReader(m[ntuser]), int64(len(m[ntuser])))
		if err != nil {
			t.Fatal(err)
		}
		if got := letters(t, h); !slices.Equal(got, c.file) {
			t.Errorf("the file alone holds %q, want %q", got, c.file)
		}
		if got := letters(t, m.final(t)); !slices.Equal(got, c.final) {
			t.Errorf("with its log it holds %q, want %q", got, c.final)
		}
	}
}

func TestSystemHiveLagsBehind(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00Z share alice path="C:\a" a
2026-03-01T09:30:00Z freeze SYSTEM
2026-03-01T10:00:00Z unshare alice a
`)
	k := m.key(t, config+"SYSTEM", sharesKey)
	if _, err := k.Value("a"); err != nil {
		t.Errorf("what was deleted after the last flush: %v", err)
	}
}

func TestDeletedCellsStay(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00Z map alice Z: \\fs01\a
2026-03-01T09:00:01Z map alice Y: \\fs01\b
2026-03-01T10:00:00Z unmap alice cell=free Z:
2026-03-01T11:00:00Z unmap alice Y:
`)
	var got []string
	for item, err := range m.final(t).Deleted() {
		if err != nil {
			t.Fatal(err)
		}
		if item.Key != nil && len(item.Key.Name) == 1 {
			got = append(got, item.Key.Name+" "+stamp(item.Key.LastWrite))
		}
	}
	if want := []string{"Z 2026-03-01T09:00:00.0000000Z"}; !slices.Equal(got, want) {
		t.Errorf("recovered %q, want %q", got, want)
	}
}

func TestAuditedDeletion(t *testing.T) {
	m := build(t, small+`audit = Registry:success
-- WS01/story --
2026-03-01T09:00:00Z map alice Z: \\fs01\a
2026-03-01T10:00:00Z unmap alice image=C:\Windows\System32\reg.exe sacl=yes Z:
`)
	var nums []uint32
	for _, r := range m.log(t, logs+"Security.evtx") {
		nums = append(nums, r.num)
		if r.num == 4663 && r.data["ObjectName"] != `\REGISTRY\USER\S-1-5-21-1-2-3-1001\Network\Z` {
			t.Errorf("object %q", r.data["ObjectName"])
		}
	}
	if !slices.Equal(nums, []uint32{4663, 4660}) {
		t.Errorf("records %v", nums)
	}
}

func TestPolicyAndClock(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00Z policy SYSTEM begins
2026-03-01T09:00:01Z policy alice begins
2026-03-01T09:00:02Z policy alice drives
2026-03-01T09:01:00Z policy alice logoff
2026-03-01T12:00:00Z clock alice from=2026-03-01T11:00:00Z
`)
	var nums []uint32
	for _, r := range m.log(t, logs+"Microsoft-Windows-GroupPolicy%4Operational.evtx") {
		nums = append(nums, r.num)
	}
	if !slices.Equal(nums, []uint32{4000, 4001, 4016, 5016, 4018, 5018}) {
		t.Errorf("records %v", nums)
	}
	found := false
	for _, r := range m.log(t, logs+"Security.evtx") {
		found = found || r.num == 4616 && r.time == "2026-03-01T12:00:00.0000000Z"
	}
	if !found {
		t.Error("no 4616")
	}
}

func TestScrub(t *testing.T) {
	m := build(t, fullHost+`2026-03-01T09:00:00Z browse alice \\fs01\a
2026-03-01T09:00:01Z wizard alice \\fs01\a
2026-03-01T10:00:00Z scrub alice \\fs01\a
2026-03-01T11:00:00Z scrub alice list
`)
	if m.key(t, ntuser, mountPoint(`\\fs01\a`)) != nil {
		t.Error("Explorer's key is still there")
	}
	k := m.key(t, ntuser, explorerKey+`\MountPoints2`)
	if got := stamp(k.LastWrite); got != "2026-03-01T10:00:00.0000000Z" {
		t.Errorf("MountPoints2 was written %s", got)
	}
	k = m.key(t, ntuser, explorerKey+`\Map Network Drive MRU`)
	if got := stamp(k.LastWrite); got != "2026-03-01T11:00:00.0000000Z" || k.ValueCount != 0 {
		t.Errorf("the list was written %s and holds %d values", got, k.ValueCount)
	}
}
