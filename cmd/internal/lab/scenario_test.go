package lab

import (
	"strings"
	"testing"
)

const small = `A story.

-- host WS01 --
os = Windows 10 Pro
installed = 2026-01-05T08:00:00Z
collected = 2026-03-02T13:00:00Z
user alice S-1-5-21-1-2-3-1001 profile-created=2026-01-06T07:55:00Z
`

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":           {"only a story\n", `x: nothing to build`},
		"no name":         {"-- --\n--  --\n--   --\n", `x:3: "" is neither`},
		"twice":           {small + "-- host WS01 --\n", `x:8: section "host WS01" is there twice`},
		"directive":       {small + "-- host B --\ncolour = red\n", `x:9: unknown host directive "colour"`},
		"no installation": {"-- host B --\ncollected = 2026-01-01T00:00:00Z\n", `x:1: host B: installed = TIME is missing`},
		"host name":       {"-- host a/b --\n", `x:1: "a/b" is not a computer name`},
		"time":            {strings.Replace(small, "2026-03-02T13:00:00Z", "yesterday", 1), `x:6: "yesterday" is not a time`},
		"sid":             {strings.Replace(small, "S-1-5-21-1-2-3-1001", "S-1", 1), `x:7: "S-1" is not a SID`},
		"folder":          {small + "-- host B --\nuser eve S-1-5-21-1-2-3-5 profile-created=2026-01-06T07:55:00Z profile=..\n", `x:9: user eve: a profile needs a plain folder name`},
		"audit":           {strings.Replace(small, "os = Windows 10 Pro", "audit = Everything:success", 1), `x:4: unknown audit subcategory "Everything"`},
		"background":      {strings.Replace(small, "os = Windows 10 Pro", "background = 2026-01-01T00:00:00Z..2026-03-01T00:00:00Z every=1s", 1), `x:4: "every=1s" is not every=DURATION`},
		"long background": {strings.Replace(small, "os = Windows 10 Pro", "background = 2000-01-01T00:00:00Z..2026-03-01T00:00:00Z every=1m", 1), `x:4: background of`},
		"section":         {small + "-- ../x --\n", `x:8: "../x" is neither a known section nor a relative path`},
		"host of story":   {small + "-- WS02/story --\n", `x:8: "WS02/story": no section "host WS02" before it`},
		"expectation":     {small + "-- expect/gaps.jsonl --\n{\n", `x:9: unexpected end of JSON input`},
		"expected kind":   {small + "-- expect/gap.jsonl --\n", `x:8: "expect/gap.jsonl": only`},
		"no such file":    {small + "-- times --\na 2026-03-02T13:00:00Z\n", `x: times: no file "a" is built`},
		"verb":            {small + "-- WS01/story --\n# fine\n2026-03-01T00:00:00Z fly alice\n", `x:10: unknown verb "fly"`},
		"order":           {small + "-- WS01/story --\n2026-03-01T00:00:00Z boot\n2026-02-01T00:00:00Z boot\n", `x:10: 2026-02-01T00:00:00.0000000Z is before the line above`},
		"future":          {small + "-- WS01/story --\n2027-03-01T00:00:00Z boot\n", `x:9: 2027-03-01T00:00:00.0000000Z is after the collection`},
		"user":            {small + "-- WS01/story --\n2026-03-01T00:00:00Z run bob net use\n", `x:9: host WS01 has no user "bob"`},
		"drive":           {small + "-- WS01/story --\n2026-03-01T00:00:00Z map alice ZZ: \\\\a\\b\n", `x:9: "ZZ:" is not a letter and a colon`},
		"not mapped":      {small + "-- WS01/story --\n2026-03-01T00:00:00Z unmap alice Z:\n", `x:9: unmap: alice has no mapping of drive Z`},
		"no share":        {small + "-- WS01/story --\n2026-03-01T00:00:00Z unshare alice x\n", `x:9: unshare: there is no share "x"`},
		"not logged on":   {small + "-- WS01/story --\n2026-03-01T00:00:00Z logoff alice\n", `x:9: logoff: alice is not logged on`},
		"quote":           {small + "-- WS01/story --\n2026-03-01T00:00:00Z run alice parent=\"cmd net use\n", `x:9: run: no closing quote after parent=`},
		"hive":            {small + "-- WS01/hive NTUSER bob --\n[]\n", `x:8: host WS01 has no hive "NTUSER bob"`},
		"hive value":      {small + "-- WS01/hive NTUSER alice --\n[A]\nx=dword:red\n", `x:10: hive NTUSER alice: `},
		"log field":       {small + "-- WS01/log Security --\n2026-03-01T00:00:00Z 4688\n  CommandLine net use\n", `x:10: log Security: no = in`},
		"record id":       {small + "-- WS01/log Security --\n2026-03-01T00:00:00Z 4688 id=7\n", `x: log Security: id=7 at 2026-03-01T00:00:00.0000000Z is not above`},
		"two files":       {small + "-- a.bin --\n-- A.bin --\n", `x:9: section "A.bin" is there twice`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse("x", []byte(test.text))
			if err == nil {
				err = s.Build(t.TempDir())
			}
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	row := func(text string) []Row {
		var rows []Row
		if err := parseRows(section{text: text, line: 1}, &rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for name, test := range map[string]struct {
		want, got []Row
		ok        bool
	}{
		"not checked":   {nil, row(`{"a":1}`), true},
		"none allowed":  {[]Row{}, row(`{"a":1}`), false},
		"part":          {row(`{"a":1}`), row(`{"a":1,"b":2}`), true},
		"missing field": {row(`{"c":1}`), row(`{"a":1,"b":2}`), false},
		"missing row":   {row("{\"a\":1}\n{\"a\":1}"), row(`{"a":1}`), false},
		"left over":     {row(`{"a":1}`), row("{\"a\":1}\n{\"a\":1}"), false},
		"inside":        {row(`{"w":{"from":"x"}}`), row(`{"w":{"from":"x","to":"y"}}`), true},
		"other inside":  {row(`{"w":{"from":"x"}}`), row(`{"w":{"from":"z","to":"y"}}`), false},
		"in the list":   {row(`{"l":["b"]}`), row(`{"l":["a","b"]}`), true},
		"of objects":    {row(`{"l":[{"v":2}]}`), row(`{"l":[{"v":1},{"v":2,"w":3}]}`), true},
		"empty list":    {row(`{"l":[]}`), row(`{"l":["a"]}`), false},
		"other type":    {row(`{"a":"1"}`), row(`{"a":1}`), false},
		// The first row must give way to the second, which fits one only.
		"moves": {row("{\"a\":1}\n{\"a\":1,\"b\":1}"), row("{\"a\":1,\"b\":1}\n{\"a\":1,\"b\":2}"), true},
	} {
		if text := Check(test.want, test.got); (text == "") != test.ok {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small + "-- WS01/story --\n2026-03-01T00:00:00Z map alice Z: \\\\a\\b\n2026-03-01T00:00:01Z smb alice from=10.0.0.1 id=0x1 x\n"))
	for _, text := range scenarios(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("x", data)
		if err != nil {
			return
		}
		for _, h := range s.Hosts {
			if b := h.background; b.to.Sub(b.from)/b.every > 100 {
				return // slow, and no other code
			}
		}
		files, err := s.files()
		if err == nil && len(files) == 0 {
			t.Error("nothing is built, and no error says so")
		}
	})
}
