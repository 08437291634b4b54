// Package command says what a Windows command line, as a log or a history file
// holds it, would do to network shares, mapped drives and the traces of them.
//
// It reads text and executes nothing: a class names what the command asks for,
// never that it took effect. What it cannot resolve (an environment variable,
// a loop over the output of a program) stays in the result as it was written.
//
// Two readings are supported, the one of cmd.exe and the one of PowerShell, and
// each is carried through wrappers (cmd /c, for, psexec, powershell
// -EncodedCommand, ...) to a bounded depth. Secrets are found in the same pass,
// so that what is shown of a line and what is understood of it agree.
//
// Decisions that are not obvious:
//   - "net use /persistent:no" alone changes a default and touches no
//     connection: none. "net use * /delete" has the target "*".
//   - "reg add ...\LanmanServer\Parameters /v AutoShareWks /d 0" is none: the
//     shares go only when the service restarts.
//   - "vssadmin resize shadowstorage" is shadow.delete if it sets a limit of at
//     most 1 GB, which makes Windows discard copies; otherwise none.
//   - "wevtutil sl LOG /e:false" is audit.off, "fsutil usn deletejournal" is
//     log.clear of "$UsnJrnl".
//   - A PowerShell cmdlet that runs with -WhatIf does nothing: none.
package command

import (
	"slices"
	"strings"
)

// A Class says what a command asks Windows to do.
type Class string

// The classes. None is the zero of the set: nothing that concerns shares.
const (
	None             Class = "none"
	UseMap           Class = "use.map"           // connect to a share
	UseDelete        Class = "use.delete"        // net use /delete
	UseQuery         Class = "use.query"         // list connections with net use
	ShareAdd         Class = "share.add"         // export a share
	ShareDelete      Class = "share.delete"      // stop exporting a share
	SessionDelete    Class = "session.delete"    // end the session of a client of this server
	FileClose        Class = "file.close"        // close a file that a client has open
	MappingRemove    Class = "mapping.remove"    // remove a mapping by other means than net use
	KeyDelete        Class = "key.delete"        // delete a registry key that records shares
	ValueDelete      Class = "value.delete"      // delete or empty values of such a key
	LogClear         Class = "log.clear"         // clear or delete an event log
	HistoryClear     Class = "history.clear"     // remove or stop a command history
	ShadowDelete     Class = "shadow.delete"     // delete shadow copies
	AuditOff         Class = "audit.off"         // stop the recording of events
	ServiceStop      Class = "service.stop"      // stop a service that shares or logs rest on
	CredentialDelete Class = "credential.delete" // forget stored credentials or tickets
)

// A Segment is one recognised command of a line.
type Segment struct {
	Index int    // ordinal of the simple command in the line, from 0; commands of no class count too
	Text  string // the command as written, without its wrapper; secrets are *** unless asked otherwise
	Class Class  // never None in a result

	// Targets are what the command acts on: drives as "Z:", shares as written,
	// "*" for all, registry paths as written, names of logs and services. What
	// could not be resolved stays as written ("%i", "$drive"). Empty: not said.
	Targets []string

	// Share is the remote name of a use.map, `\\server\share` with any
	// sub-folder, or a URL. Its Targets are the local device, if any, and Share.
	Share string

	// Persistent is "yes" or "no" if a mapping says so, "" if it does not.
	Persistent string

	User          string   // account the command gives; "" if none; never a password
	UpdateProfile bool     // the removal also covers the remembered mapping
	Flags         []string // switches by their full names, lower case, sorted
	Program       string   // base name of the program, lower case, without .exe; cmdlets by their full names

	// Remote is the other computer a wrapper or a switch runs the command on
	// (psexec, wmic /node, -ComputerName); "" if the line names none.
	Remote string

	// Deferred is set if the line only schedules the command (schtasks, at,
	// a service's binPath): it did not run when the line did.
	Deferred bool

	Masked bool // a secret in Text is shown as ***
}

// A Hint is what a log says of the process apart from its command line.
// Zero fields are unknown.
type Hint struct {
	Image        string // path of the executable
	OriginalName string // OriginalFileName of its version resource
}

// Classify returns the recognised commands of a line in order, nil if there are
// none. Secrets in the result are masked.
func Classify(line string, h Hint) []Segment {
	return classify(line, h, true)
}

// ClassifyUnmasked is Classify without masking.
func ClassifyUnmasked(line string, h Hint) []Segment {
	return classify(line, h, false)
}

func classify(line string, h Hint, mask bool) []Segment {
	if !mayMatter(line, h) {
		return nil
	}
	s := newScanner(line)
	s.line(h)
	return s.segments(mask)
}

// ClassifyScript returns the recognised commands of the text of a PowerShell
// script block, masked. Definitions and listings that a module writes when it is
// loaded call nothing, and so give nothing.
func ClassifyScript(text string) []Segment { return classifyScript(text, true) }

// ClassifyScriptUnmasked is ClassifyScript without masking.
func ClassifyScriptUnmasked(text string) []Segment { return classifyScript(text, false) }

func classifyScript(text string, mask bool) []Segment {
	if !mayMatter(text, Hint{}) {
		return nil
	}
	s := newScanner(text)
	s.script(wholeText(text))
	return s.segments(mask)
}

// maxMaskPasses bounds the repetition in Mask. One pass is enough for all but
// lines in which masking changes how the rest reads.
const maxMaskPasses = 8

// Mask replaces the secrets of a line by *** and leaves every other byte alone.
// Masking a masked line changes nothing.
func Mask(line string) (masked string, changed bool) {
	masked = line
	for range maxMaskPasses {
		if !mayHide(masked) {
			break
		}
		s := newScanner(masked)
		s.line(Hint{})
		next := s.doc.mask(0, len(masked))
		if next == masked {
			break
		}
		masked = next
	}
	return masked, masked != line
}

// segments finishes the result: the texts are cut now, when all secrets of
// their documents are known.
func (s *scanner) segments(mask bool) []Segment {
	var out []Segment
	for _, f := range s.out {
		seg := f.Segment
		seg.Text = f.doc.orig[f.lo:f.hi]
		if mask {
			seg.Text = f.doc.mask(f.lo, f.hi)
			seg.Masked = seg.Text != f.doc.orig[f.lo:f.hi]
		}
		out = append(out, seg)
	}
	return out
}

// addUnique appends the values that list does not hold yet.
func addUnique(list []string, values ...string) []string {
	for _, v := range values {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// driveName returns "Z:" for a drive in any case, with or without a trailing
// backslash.
func driveName(s string) (string, bool) {
	s = strings.TrimSuffix(s, `\`)
	if len(s) == 2 && s[1] == ':' && isLetter(s[0]) {
		return strings.ToUpper(s), true
	}
	return "", false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'
}
