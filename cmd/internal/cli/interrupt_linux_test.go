package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// endless writes evidence that takes far longer to read than any test waits: a
// log with a hole of many gigabytes, which takes no room on disk.
func endless(t *testing.T) string {
	t.Helper()
	b, err := buildLog(evidenceTexts["C/Windows/System32/winevt/Logs/Security.evtx"])
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ev")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "Security.evtx")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 20<<30); err != nil {
		t.Skipf("no file with a hole here: %v", err)
	}
	return dir
}

// terminal returns both ends of a terminal of 80 columns.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	if err := unix.IoctlSetWinsize(int(theirs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// shown collects what a program writes.
type shown struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shown) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// interrupted runs the program, interrupts it once ready is true, and returns its
// exit code; an interrupt must not wait for the end of a file.
func interrupted(t *testing.T, cmd *exec.Cmd, ready func() bool) int {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for begun := time.Now(); !ready(); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it was interrupted: %v", err)
		default:
		}
		if time.Since(begun) > 30*time.Second {
			cmd.Process.Kill()
			t.Fatal("it does not get to work")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("it ended with %v", err)
		}
		return exit.ExitCode()
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		t.Fatal("it does not end")
		return 0
	}
}

// Ctrl-C while a large log is read on a terminal: the progress tells rate and
// time left, the line goes, the exit status is 130, and what is left is said.
func TestInterruptTerminal(t *testing.T) {
	ev, out := endless(t), filepath.Join(t.TempDir(), "out")
	ours, theirs := terminal(t)
	var stderr shown
	go io.Copy(&stderr, ours)
	cmd := exec.Command("sharetrail", "analyze", ev, "-o", out)
	cmd.Stderr = theirs
	code := interrupted(t, cmd, func() bool { return strings.Contains(stderr.String(), " left  ") })
	time.Sleep(100 * time.Millisecond) // for the terminal to pass it on
	if code != 130 {
		t.Errorf("exit status %d", code)
	}
	lines := strings.Split(stderr.String(), eraseLine)
	last := lines[len(lines)-1]
	if want := "sharetrail: interrupted: nothing was written into " + out + "\r\n"; last != want {
		t.Errorf("said %q, want %q", last, want)
	}
	for _, l := range lines[:len(lines)-1] {
		if len([]rune(l)) >= 80 || strings.Contains(l, "\n") {
			t.Errorf("a line of %d columns: %q", len([]rune(l)), l)
		}
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// Without a terminal there is no progress, and with -q nothing at all.
func TestInterruptPipe(t *testing.T) {
	ev := endless(t)
	for _, c := range []struct {
		flag, want string
	}{{"--progress=auto", "sharetrail: interrupted: what was written is whole\n"}, {"-q", ""}} {
		var stdout, stderr shown
		cmd := exec.Command("sharetrail", "timeline", ev, c.flag)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		begun := time.Now()
		if code := interrupted(t, cmd, func() bool { return time.Since(begun) > time.Second }); code != 130 {
			t.Errorf("%s: exit status %d", c.flag, code)
		}
		if stderr.String() != c.want || stdout.String() != "" {
			t.Errorf("%s: said %q, wrote %q", c.flag, stderr.String(), stdout.String())
		}
	}
}

// A folder of an earlier run is as it was.
func TestInterruptForce(t *testing.T) {
	ev, out := endless(t), filepath.Join(t.TempDir(), "out")
	small := filepath.Join(t.TempDir(), "small")
	if err := writeEvidence(small); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("sharetrail", "analyze", small, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	var stderr shown
	cmd := exec.Command("sharetrail", "analyze", ev, "-o", out, "--force")
	cmd.Stderr = &stderr
	begun := time.Now()
	if code := interrupted(t, cmd, func() bool { return time.Since(begun) > time.Second }); code != 130 {
		t.Errorf("exit status %d", code)
	}
	if want := "sharetrail: interrupted: " + out + " is as it was\n"; stderr.String() != want {
		t.Errorf("said %q, want %q", stderr.String(), want)
	}
	if b, err := exec.Command("sharetrail", "gaps", out).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, b)
	}
}

// Colours are for a terminal, and for one whose user has not said no.
func TestColour(t *testing.T) {
	ev := filepath.Join(t.TempDir(), "ev")
	if err := writeEvidence(ev); err != nil {
		t.Fatal(err)
	}
	run := func(env string, terminalToo bool) string {
		t.Helper()
		var out shown
		cmd := exec.Command("sharetrail", "analyze", ev, "--format", "table")
		cmd.Env = append(os.Environ(), "NO_COLOR=", "TERM=xterm", env)
		cmd.Stdout = &out
		if terminalToo {
			ours, theirs := terminal(t)
			done := make(chan struct{})
			go func() { io.Copy(&out, ours); close(done) }()
			cmd.Stdout = theirs
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			theirs.Close()
			<-done
		} else if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(out.String(), "\r\n", "\n")
	}
	plain := run("COLUMNS=80", false)
	if strings.Contains(plain, "\x1b") || !strings.Contains(plain, "HIGH  certain  G07-") {
		t.Errorf("piped: %q", plain)
	}
	if got := run("A=b", true); !strings.Contains(got, "\x1b[1;31mHIGH\x1b[0m  certain  G07-") {
		t.Errorf("on a terminal: %q", got)
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if got := run(env, true); got != plain {
			t.Errorf("%s: %q, want %q", env, got, plain)
		}
	}
}
