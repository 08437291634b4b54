package command

import (
	"strings"
	"testing"
	"time"
)

func seeds(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.line)
	}
	for _, v := range lines {
		f.Add(v.line)
	}
	for _, v := range masks {
		f.Add(v.line)
	}
	for _, v := range scripts {
		f.Add(v.text)
	}
	for _, v := range hostile(300) {
		f.Add(v)
	}
}

// inTime fails for lines that take far longer than their length explains.
func inTime(t *testing.T, line string, start time.Time) {
	if d := time.Since(start); d > 5*time.Second && len(line) < 1<<16 {
		t.Errorf("%d bytes took %v: %q", len(line), d, line)
	}
}

func FuzzClassify(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line string) {
		defer inTime(t, line, time.Now())
		check := func(segs []Segment) {
			for _, s := range segs {
				if s.Class == "" || s.Class == None || s.Program == "" || s.Index < 0 {
					t.Errorf("%q: %+v", line, s)
				}
			}
		}
		check(Classify(line, Hint{}))
		check(Classify(line, Hint{Image: `C:\x\net.exe`, OriginalName: "net.exe"}))
		check(ClassifyScript(line))
		raw := ClassifyUnmasked(line, Hint{})
		if len(raw) != len(Classify(line, Hint{})) {
			t.Errorf("%q: masking changes what is recognised", line)
		}
	})
}

func FuzzMask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line string) {
		defer inTime(t, line, time.Now())
		got, changed := Mask(line)
		if changed != (got != line) {
			t.Errorf("%q: changed is %v", line, changed)
		}
		if changed && !strings.Contains(got, masked) {
			t.Errorf("%q: %q", line, got)
		}
		if again, _ := Mask(got); again != got {
			t.Errorf("%q: %q, then %q", line, got, again)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	logs := []string{
		`C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule`,
		`"C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --field-trial-handle=1234 --lang=en-US --disable-gpu`,
		`C:\Windows\System32\RuntimeBroker.exe -Embedding`,
		`\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1`,
		`taskhostw.exe {222A245B-E637-4AE9-A93F-A59CA119A75E}`,
	}
	b.Run("other", func(b *testing.B) {
		for i := range b.N {
			Classify(logs[i%len(logs)], Hint{})
		}
	})
	b.Run("net", func(b *testing.B) {
		for range b.N {
			Classify(`cmd /c "net use z: \\srv\share secret /user:u & net use y: /delete"`, Hint{})
		}
	})
}
