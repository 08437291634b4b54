package artifacts

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
)

var _ = register(Artifact{
	Name:         "ps-history",
	Title:        "commands on shares that were typed into PowerShell",
	What:         `*_history.txt in PSReadLine of each profile (ConsoleHost_history.txt and those of other hosts): the lines that were entered, in order; one that goes on in the next ends in a back-tick`,
	Proves:       `the line was entered in a PowerShell session of the profile's user. The file was last written when the last line of it was entered, or when it was edited: all lines are of that time or before`,
	DoesNotProve: `when a line was entered, that it took effect, or that all lines are there: the file is a text that anybody can edit, sessions without PSReadLine write none, and it keeps the last 4096 lines`,
	Reference:    "Microsoft, about_PSReadLine: HistorySavePath, MaximumHistoryCount; PowerShell/PSReadLine, History.cs",
	ReadFile:     readHistory,
	Files:        []string{"Users/*/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/*_history.txt"},
})

const maxHistory = 64 << 20 // bytes

func readHistory(in *DataFile, out *Emitter) error {
	b, err := in.whole(maxHistory)
	if err != nil {
		return err
	}
	if len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) || bytes.IndexByte(b, 0) >= 0 {
		out.Unreadable("", binread.Errorf(int64(max(bytes.IndexByte(b, 0), 0)), "history", "no UTF-8 text: PSReadLine writes no other"))
	}
	at := 0
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for line := int64(1); at < len(b); {
		entry, n, lines := historyEntry(b[at:])
		if !utf8.Valid(entry) {
			out.Doubtful("", "", binread.Errorf(int64(at), "history", "line %d is no UTF-8 text", line))
		}
		if text := strings.ToValidUTF8(string(entry), "\ufffd"); strings.TrimSpace(text) != "" {
			observeHistory(in, out, text, int64(at), int64(n), line, at+n >= len(b))
		}
		at += n
		line += lines
	}
	return nil
}

// historyEntry cuts the first entry from b: PSReadLine puts a back-tick in front
// of each line end inside an entry. A line that begins like a parameter or a
// pipe cannot begin a statement: there the back-tick is the user's own. n counts
// the entry's bytes, with the end of its last line.
func historyEntry(b []byte) (entry []byte, n int, lines int64) {
	for n < len(b) {
		end := bytes.IndexByte(b[n:], '\n')
		line := b[n:]
		if end >= 0 {
			line = b[n : n+end]
			n += end + 1
		} else {
			n = len(b)
		}
		lines++
		line = bytes.TrimSuffix(line, []byte("\r"))
		if first := bytes.TrimLeft(line, " \t"); len(entry) > 0 && len(first) > 0 && (first[0] == '-' || first[0] == '|') {
			entry[len(entry)-1] = ' '
		}
		more, goesOn := bytes.CutSuffix(line, []byte("`"))
		entry = append(entry, more...)
		if !goesOn {
			break
		}
		entry = append(entry, '\n')
	}
	return entry, n, lines
}

func observeHistory(in *DataFile, out *Emitter, text string, off, n, line int64, last bool) {
	for _, seg := range out.scriptCommands(off, text) {
		o := observeSegment(seg)
		o.User = out.user // also where the command is about the server's side
		o.Process = &evidence.Process{CommandLine: clip(seg.Text)}
		if out.unmasked {
			o.Process.CommandLine = clip(text)
		}
		o.Detail = append(o.Detail, evidence.Field{Name: "Line", Value: line}, evidence.Field{Name: "last", Value: last})
		if !in.ModTime.IsZero() {
			o.Time, o.TimeKind = in.ModTime, evidence.AtOrBefore
		}
		out.ObserveBytes(off, n, o)
	}
}
