package hive_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharetrail/parsers/hive"
)

func TestText(t *testing.T) {
	for spec, want := range map[string][2]string{
		`sz:\\fs01\finance`:              {`\\fs01\finance`, ""},
		"sz:":                            {"", ""},
		"expand:%USERPROFILE%\\x":        {`%USERPROFILE%\x`, ""},
		"raw:6:5c00":                     {`\`, ""}, // a link has no NUL
		"raw:1:41004200":                 {"AB", ""},
		"raw:1:410042":                   {"A", "42"},
		"raw:1:4100420043":               {"AB", "43"},
		"raw:1:410000000000":             {"A", ""},
		"raw:1:41000000000000":           {"A", ""},
		`sz:cut\u{0}hidden text`:         {"cut", "hidden text"},
		`sz:cut\u{0}one\u{0}two`:         {"cut", "6f006e0065000000740077006f000000"},
		"raw:1:4100000001d8":             {"A", "01d8"},
		"raw:1:41000000ff":               {"A", "ff"},
		"raw:1:00000000":                 {"", ""},
		"raw:1:0000410000":               {"", "A"},
		`sz:x\u{D800}y`:                  {"x\ufffdy", ""},
		`sz:\u{1F4C1}`:                   {"📁", ""},
		"raw:1:":                         {"", ""},
		"raw:1:41":                       {"", "41"},
		"sz:Zażółć gęślą jaźń":           {"Zażółć gęślą jaźń", ""},
		"raw:2:2500540000000000fffe0000": {"%T", "0000fffe0000"},
	} {
		v := value(t, open(t, build(t, "[a]\nv="+spec)), "a", "v")
		text, trailing, err := v.Text()
		if text != want[0] || trailing != want[1] || err != nil {
			t.Errorf("%s: %q, %q, %v; want %q", spec, text, trailing, err, want)
		}
	}
	for _, spec := range []string{"dword:1", "hex:4100", "multi:a", "none:4100"} {
		v := value(t, open(t, build(t, "[a]\nv="+spec)), "a", "v")
		if _, _, err := v.Text(); !errors.Is(err, hive.ErrType) || errors.Is(err, hive.ErrDamaged) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestStrings(t *testing.T) {
	for spec, want := range map[string][]string{
		"multi:":                     nil,
		"multi:one":                  {"one"},
		"multi:one|two":              {"one", "two"},
		"multi:CSCFlags=768|Path=C:": {"CSCFlags=768", "Path=C:"},
		"raw:7:":                     nil,
		"raw:7:00":                   nil,
		"raw:7:00000000":             nil,
		"raw:7:41004200":             {"AB"},
		"raw:7:4100000042":           {"A"},
		"raw:7:41000000000042000000": {"A", "", "B"}, // hidden from Windows
		"raw:7:000041000000":         {"", "A"},
	} {
		got, err := value(t, open(t, build(t, "[a]\nv="+spec)), "a", "v").Strings()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", spec, err, diff)
		}
	}
	if _, err := value(t, open(t, build(t, "[a]\nv=sz:x")), "a", "v").Strings(); !errors.Is(err, hive.ErrType) {
		t.Error(err)
	}
}

func TestUint(t *testing.T) {
	for spec, want := range map[string]string{
		"dword:4294967236":         "4294967236 true",
		"dword_be:0x01020304":      "16909060 true",
		"qword:0xffffffffffffffff": "18446744073709551615 true",
		"raw:4:010000":             "0 false",
		"raw:4:0100000000000000":   "0 false",
		"raw:4:":                   "0 false",
		"raw:11:01000000":          "0 false",
		"raw:5:0102":               "0 false",
		"hex:01000000":             "0 false",
		"sz:1":                     "0 false",
	} {
		n, ok := value(t, open(t, build(t, "[a]\nv="+spec)), "a", "v").Uint()
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
}

func TestDefaultValue(t *testing.T) {
	h := open(t, build(t, "[a]\n@=the default\n\"@\"=named at\n[b]\nx=1\n"))
	if s, _, err := value(t, h, "a", "").Text(); s != "the default" || err != nil {
		t.Error(s, err)
	}
	if s, _, err := value(t, h, "a", "@").Text(); s != "named at" || err != nil {
		t.Error(s, err)
	}
	if _, err := key(t, h, "b").Value(""); err == nil {
		t.Error("a default value that is not there")
	}
}

func TestTypeName(t *testing.T) {
	for typ, want := range map[uint32]string{0: "REG_NONE", 1: "REG_SZ", 7: "REG_MULTI_SZ", 11: "REG_QWORD", 12: "0xc", 0x222: "0x222", 0xffff0012: "0xffff0012"} {
		if got := hive.TypeName(typ); got != want {
			t.Errorf("%d: %s, want %s", typ, got, want)
		}
	}
	if v := value(t, open(t, build(t, "[a]\nv=raw:0x222:414243")), "a", "v"); v.Type != 0x222 || v.Size != 3 {
		t.Errorf("%+v", v)
	}
}
