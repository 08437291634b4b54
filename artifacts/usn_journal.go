package artifacts

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/usn"
)

var _ = register(Artifact{
	Name:         "usn-journal",
	Title:        "traces of shares created, changed and deleted as files",
	What:         `$Extend\$UsnJrnl:$J, the change journal of NTFS: event logs, shortcuts and jump lists in Recent, prefetch files, PowerShell histories, user hives, scheduled tasks and batch files that were created, emptied, renamed or deleted; when the prefetch file of a program that acts on shares was written`,
	Proves:       "the file was created, emptied, renamed or deleted then, or written for the first time after it was opened",
	DoesNotProve: "who did it, or with what. The journal keeps some days, or less: what it does not tell of may have been before its first record. A path is that of today: a folder that was renamed since has its new name",
	Reference:    "Microsoft, USN_RECORD_V2; libyal/libfsntfs, New Technologies File System format: $UsnJrnl",
	ReadFile:     readJournal,
	Files:        []string{"$Extend/$UsnJrnl:$J"},
})

// Limits of one journal: of files that are open at a time, and of rows.
const (
	maxOpenFiles   = 1 << 16
	maxJournalRows = 1 << 16
)

// A fileChange is what happened to one file since it was opened.
type fileChange struct {
	trace, path string
	seen        uint32
	at          map[uint32]usn.Record // reason → first record with it
}

// A journalReader follows the files of a journal that are traces.
type journalReader struct {
	in      *DataFile
	out     *Emitter
	open    map[uint64]*fileChange
	renamed map[uint64]usn.Record // file → record with its old name
	rows    int
}

func readJournal(in *DataFile, out *Emitter) error {
	j := &journalReader{in, out, map[uint64]*fileChange{}, map[uint64]usn.Record{}, 0}
	for rec, err := range usn.Read(in.R, in.Size) {
		if err != nil {
			out.Unreadable("", moved(err, out.base))
			continue
		}
		if out.first.IsZero() {
			out.first = rec.Time
		}
		if rec.Time.After(out.last) {
			out.last = rec.Time
		}
		j.record(rec)
		if j.rows >= maxJournalRows {
			out.Unreadable("", binread.Errorf(rec.Off, "journal", "more than %d changes of traces: the rest was not looked at", maxJournalRows))
			break
		}
	}
	for _, c := range inOrder(j.open) {
		j.close(c)
	}
	return nil
}

// moved is err at its place in the whole journal, base bytes further on.
func moved(err error, base int64) error {
	if fe := (*binread.FormatError)(nil); errors.As(err, &fe) && fe.Off >= 0 {
		return binread.Errorf(fe.Off+base, fe.Field, "%w", fe.Err)
	}
	return err
}

// record follows one record.
func (j *journalReader) record(rec usn.Record) {
	if rec.Reason&usn.RenameOldName != 0 {
		if len(j.renamed) < maxOpenFiles {
			j.renamed[rec.File] = rec
		}
		return
	}
	if old, ok := j.renamed[rec.File]; ok && rec.Reason&usn.RenameNewName != 0 {
		delete(j.renamed, rec.File)
		j.rename(old, rec)
	}
	c := j.open[rec.File]
	if c == nil {
		p := j.path(rec)
		trace := journalTrace(p)
		if trace == "" || len(j.open) >= maxOpenFiles {
			return
		}
		c = &fileChange{trace: trace, path: p, at: map[uint32]usn.Record{}}
		j.open[rec.File] = c
	}
	for _, bit := range []uint32{usn.DataOverwrite, usn.DataExtend, usn.DataTruncation, usn.FileCreate, usn.FileDelete} {
		if rec.Reason&bit != 0 && c.seen&bit == 0 {
			c.at[bit] = rec
		}
	}
	if c.seen |= rec.Reason; rec.Reason&usn.Close != 0 {
		delete(j.open, rec.File)
		j.close(c)
	}
}

// path is the path of a record's file from the root, or its name alone if its
// directory is not known.
func (j *journalReader) path(rec usn.Record) string {
	name := strings.ReplaceAll(rec.Name, `\`, "_")
	if j.in.Directory != nil {
		if dir, ok := j.in.Directory(rec.Parent); ok {
			return `\` + strings.ReplaceAll(path.Join(dir, name), "/", `\`)
		}
	}
	return name
}

// journalTrace names the artifact that a file is a trace for; "" if it is none.
// Some names say enough without their directory.
func journalTrace(p string) string {
	low := strings.ToLower(p)
	base := baseName(low)
	if low == base {
		switch path.Ext(base) {
		case ".pf":
			low = `\windows\prefetch\` + base
		case ".automaticdestinations-ms", ".customdestinations-ms":
			low = `\recent\` + base
		}
	}
	switch trace := traceFile(low, false); {
	case trace != "":
		return trace
	case strings.HasSuffix(base, "_history.txt") && strings.Contains(low, `\psreadline\`):
		return "ps-history"
	case base == "ntuser.dat", base == "usrclass.dat":
		return "user-hive"
	case strings.Contains(low, `\windows\system32\tasks\`):
		return "scheduled-task"
	case strings.HasSuffix(base, ".bat"), strings.HasSuffix(base, ".cmd"):
		return "script"
	}
	return ""
}

// close reports what happened to a file that was closed, or whose journal ends.
func (j *journalReader) close(c *fileChange) {
	isNew := c.seen&usn.FileCreate != 0
	written := c.seen&(usn.DataExtend|usn.DataOverwrite) != 0
	switch {
	case isNew && traceFile(strings.ToLower(c.path), true) != "" || isNew && c.trace != "prefetch":
		j.observe(c.at[usn.FileCreate], c, "created", "")
	case c.trace == "prefetch" && (isNew || written || c.seen&usn.DataTruncation != 0) && ofShareTool(c.path):
		rec := c.at[usn.DataTruncation]
		for _, bit := range []uint32{usn.DataExtend, usn.DataOverwrite, usn.FileCreate} {
			if r, ok := c.at[bit]; ok && (rec.Name == "" || r.Off < rec.Off) {
				rec = r
			}
		}
		j.observe(rec, c, "written", "")
	case c.seen&usn.DataTruncation != 0 && c.seen&usn.FileDelete == 0 && c.trace != "prefetch" && c.trace != "lnk" && c.trace != "jump-lists":
		how := "emptied"
		if written {
			how = "written anew"
		}
		j.observe(c.at[usn.DataTruncation], c, how, "")
	}
	if c.seen&usn.FileDelete != 0 {
		j.observe(c.at[usn.FileDelete], c, "deleted", "")
	}
}

// ofShareTool reports whether a prefetch file is of a program that acts on shares
// or their traces.
func ofShareTool(p string) bool {
	base := baseName(strings.ToLower(p))
	for _, tool := range prefetchPrograms {
		if strings.HasPrefix(base, tool) {
			return true
		}
	}
	return false
}

// rename reports that a file got another name, if it was a trace or became one.
func (j *journalReader) rename(old, rec usn.Record) {
	from, to := j.path(old), j.path(rec)
	trace := cmp.Or(journalTrace(from), journalTrace(to))
	if trace == "" || journalTrace(from) == "prefetch" && !ofShareTool(from) {
		return
	}
	j.observe(rec, &fileChange{trace: trace, path: from}, "renamed", to)
}

// observe makes a row of a change, which rec records first.
func (j *journalReader) observe(rec usn.Record, c *fileChange, change, to string) {
	j.rows++
	o := evidence.Observation{
		Action: evidence.Context, Side: evidence.Client, Time: rec.Time, TimeKind: evidence.ItemTime,
		Summary: fmt.Sprintf("The file %s was %s.", clip(c.path), change),
	}
	if to != "" {
		o.Summary = fmt.Sprintf("The file %s was renamed to %s.", clip(c.path), clip(to))
	}
	o.Detail = detail(evidence.Detail{{Name: "trace", Value: c.trace}, {Name: "change", Value: change}, {Name: "File", Value: clip(c.path)}},
		evidence.Field{Name: "NewName", Value: to}, evidence.Field{Name: "profile", Value: profileOf(c.path)},
		evidence.Field{Name: "FileReference", Value: fmt.Sprintf("%d-%d", rec.File&(1<<48-1), rec.File>>48)})
	o.Detail = append(o.Detail, evidence.Field{Name: "Reason", Value: hex32(rec.Reason)}, evidence.Field{Name: "Usn", Value: fmt.Sprint(rec.USN)})
	j.out.ObserveBytes(rec.Off, rec.Len, o)
}

// inOrder lists what is still open in the order in which it was opened.
func inOrder(open map[uint64]*fileChange) []*fileChange {
	first := func(c *fileChange) int64 {
		off := int64(math.MaxInt64)
		for _, r := range c.at {
			off = min(off, r.Off)
		}
		return off
	}
	return slices.SortedFunc(maps.Values(open), func(a, b *fileChange) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), strings.Compare(a.path, b.path))
	})
}
