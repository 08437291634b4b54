package output

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// bodyfileFits reports whether mactime takes a time for one: whole seconds after
// 1970, in ten digits, because it sorts them as text. It reads 0 as no time.
func bodyfileFits(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 1e10 }

// bodyfileEscapes are undone by mactime (tm_split of Sleuth Kit 4.11), which drops
// a line with a raw "|" without a word.
var bodyfileEscapes = strings.NewReplacer("%", "%25", "|", "%7C")

// WriteBodyfile writes r as a bodyfile of Sleuth Kit 3 and later, for mactime:
// MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime. The name is the
// sentence of the row with its id, subject and place (mactime wants numbers in all
// other fields and drops the line else), and one of the times is set: the last write of a key or file as mtime, a run or a use as
// atime, what was created, an event record among it, as crtime.
func WriteBodyfile(w io.Writer, r *timeline.Report) (Omitted, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	left, err := moments(r, bodyfileFits, func(m *moment) error {
		times := [4]string{"-1", "-1", "-1", "-1"} // unset: 0 would be shown as a date
		times[m.bodyfileTime()] = strconv.FormatInt(m.at.Unix(), 10)
		_, err := fmt.Fprintf(out, "0|%s|0|0|0|0|0|%s\n", bodyfileEscapes.Replace(Visible(m.line())), strings.Join(times[:], "|"))
		return err
	})
	return left, firstError(err, out.Flush)
}

// line renders m in one line: kind, id, whose, what, what the time means, where.
func (m *moment) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] ", strings.TrimSpace(m.kind+" "+m.id))
	for _, s := range []string{m.host, m.user, m.drive, m.share} {
		if s != "" {
			b.WriteString(s + " ")
		}
	}
	// The whole instant, too: mactime knows seconds, and shows lines of one second
	// and text as one.
	fmt.Fprintf(&b, "%s (%s %s", m.text, strings.ReplaceAll(m.means, "_", " "), evidence.FormatTime(m.at))
	if m.o != nil {
		fmt.Fprintf(&b, "; %s; %s", m.o.Artifact, strings.TrimSpace(place(&m.o.From).Path+" "+locator(&m.o.From)))
	}
	return b.String() + ")"
}

// bodyfileTime returns which of atime, mtime, ctime and crtime is set.
func (m *moment) bodyfileTime() int {
	const atime, mtime, crtime = 0, 1, 3
	switch {
	case m.o == nil, m.o.TimeKind == evidence.KeyLastWrite, m.o.TimeKind == evidence.AtOrBefore, m.o.TimeKind == evidence.FileModified:
		return mtime
	case m.o.TimeKind == evidence.FileCreated, m.o.TimeKind == evidence.EventCreated:
		return crtime
	}
	return atime
}
