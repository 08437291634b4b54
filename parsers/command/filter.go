package command

import "strings"

// mayMatter is the cheap test that most lines fail. It looks for words that
// every recognised command contains, after taking away what may split a word:
// carets, quotes, backticks, blanks and the signs of concatenation.
func mayMatter(line string, h Hint) bool {
	if h.OriginalName != "" && programs[baseName(h.OriginalName)] != nil && !shellBuiltin(baseName(h.OriginalName)) {
		return true
	}
	q := squeeze(line)
	if strings.Contains(q, "net") && containsAny(q, "use", "share", "sess", "file", "stop", "wnet", "obj") {
		return true
	}
	return containsAny(q, keywords...)
}

// mayHide is mayMatter for lines that hold a secret, recognised or not.
func mayHide(line string) bool {
	q := squeeze(line)
	return strings.Contains(q, "net") && containsAny(q, "use", "share", "obj") || containsAny(q, secretWords...) || containsAny(q, wrapperWords...)
}

var keywords = append([]string{
	"smb", "fileshare", "psdrive", "rdr", "networkdrive", "wnetcancel", "wnetadd", "netshare", "win32_s", "msft_", "deletesubkey", "deletevalue", "regdelete", "stdregprov",
	"hkcu", "hkey_", "hku", "hklm", "registry", "mountpoints2", "lanman", "evtx", "wevtutil", "eventlog", "clearlog", "history", "clhy", "doskey", "vssadmin", "shadow", "auditpol",
	"stop", "usn", "cmdkey", "klist", "subst", "mount", "openfiles", "psfile", "rmtshare", "start=", "-status", "wmic", "sysmon", "iex", "expression",
}, wrapperWords...)

// wrapperWords lead to commands that may be spelled in no readable way.
var wrapperWords = []string{"powershell", "pwsh", "frombase64", "-enc", "/enc", "-f'", "-join", "[char]"}

var secretWords = []string{"pass", "pwd", "securestring", "credential", "psexec", "paexec", "csexec", "schtasks", "winrs", "rasdial", "networkdrive", "wnetadd"}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// squeeze lowers a line and drops what may stand inside a word unseen.
func squeeze(line string) string {
	b := make([]byte, 0, len(line))
	for i := range len(line) {
		switch c := line[i]; c {
		case '^', '"', '\'', '`', '+', '(', ')', ' ', '\t', '\r', '\n':
		default:
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			b = append(b, c)
		}
	}
	return string(b)
}
