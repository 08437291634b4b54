package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every command and flag of the help has its manual page, which groff sets
// without a complaint.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if code, _, stderr := runApp("man", "-o", dir); code != 0 {
		t.Fatal(stderr)
	}
	all := documented((&app{}).root())
	if got := listed(t, dir); len(got) != len(all) || len(got) < 20 {
		t.Errorf("%d pages of %d commands", len(got), len(all))
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed")
	}
	for _, c := range all {
		name := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		cmd := exec.Command(groff, "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=500n", name)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v: %s", name, err, stderr.String())
		}
		text := strings.Join(strings.Fields(string(out)), " ")
		words := append(strings.Fields(c.Flags().FlagUsages()), strings.Fields(c.Example)...)
		for _, w := range append(words, strings.Fields(c.Short)...) {
			if strings.HasPrefix(w, "--") && !strings.Contains(text, w) {
				t.Errorf("%s does not say %s", c.CommandPath(), w)
			}
		}
		for line := range strings.Lines(c.Example) {
			if line = strings.Join(strings.Fields(line), " "); !strings.Contains(text, line) {
				t.Errorf("%s: the example %q is not there as it is typed", c.CommandPath(), line)
			}
		}
	}
}

// The completion for each shell is a program that the shell can read, and the
// program answers what it asks.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		t.Run(shell, func(t *testing.T) {
			code, stdout, stderr := runApp("completion", shell)
			if code != 0 || stderr != "" || !strings.Contains(stdout, "__complete") {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			program := map[string]string{"powershell": "pwsh"}[shell]
			if program == "" {
				program = shell
			}
			path, err := exec.LookPath(program)
			if err != nil {
				if shell == "powershell" {
					return // no Debian has it
				}
				t.Skipf("%s is not installed", program)
			}
			name := filepath.Join(t.TempDir(), "completion")
			if err := os.WriteFile(name, []byte(stdout), 0o644); err != nil {
				t.Fatal(err)
			}
			args := []string{"-n", name}
			if shell == "powershell" {
				args = []string{"-NoProfile", "-Command", ". " + name}
			}
			if out, err := exec.Command(path, args...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"ga"}, "gaps\t"}, {[]string{"dump", ""}, "evtx\t"}, {[]string{"kit", "k"}, "kape\t"}, {[]string{"gaps", "--sev"}, "--severity\t"},
	} {
		code, stdout, _ := runApp(append([]string{"__complete"}, test.args...)...)
		if code != 0 || !strings.HasPrefix(stdout, test.want) {
			t.Errorf("%q completes to %q", test.args, stdout)
		}
	}
}
