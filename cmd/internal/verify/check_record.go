package verify

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// checkRecord proves a row against the event record at its offset. In bytes that
// are no log, several chunks may seem to hold it.
func (f *file) checkRecord(o *evidence.Observation) (said string, err error) {
	chunks, err := f.chunks(o.From.Offset)
	if err != nil {
		return "", err
	}
	for _, c := range chunks {
		why, failed := f.proveRecord(c, o)
		if failed == nil {
			return why, nil
		}
		if err == nil {
			err = failed
		}
	}
	return "", err
}

// proveRecord proves a row against the record at its offset, as one of chunk c.
func (f *file) proveRecord(c *chunk, o *evidence.Observation) (string, error) {
	rec, err := f.record(c, o)
	if err != nil {
		return "", err
	}
	if err := rec.system(o); err != nil {
		return "", err
	}
	n, err := rec.data(o)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("record: signature, size, number, time, provider, event, channel and %d values", n)
	if len(rec.lent) > 0 {
		said += ", read with the template of another chunk"
	}
	if sum := o.Detail.Text("sha256"); sum != "" {
		return said + ", SHA-256 of the bytes", f.sum(o, sum)
	}
	if !f.same && !rec.whole {
		return "", errors.New("the file was changed since, and the checksum of the chunk that the record lies in does not hold")
	}
	return said, nil
}

// record reads the record of o, which lies in c. Rows come in the order of their
// offsets, and a record makes several.
func (f *file) record(c *chunk, o *evidence.Observation) (*record, error) {
	off := o.From.Offset
	if f.last != nil && f.off == off && f.of == c {
		return f.last, nil
	}
	lent, err := f.lent(listOf(o.Detail.Get("lent_templates")))
	if err != nil {
		return nil, err
	}
	rec, err := c.record(off, lent)
	if err == nil {
		f.last, f.off, f.of = rec, off, c
	}
	return rec, err
}

// chunks returns the chunks that the record at off may lie in.
func (f *file) chunks(off int64) ([]*chunk, error) {
	if len(f.near) > 0 && (f.nearAt == off || f.kind != source.Raw && off >= f.near[0].start && off < f.near[0].start+chunkSize) {
		return f.near, nil
	}
	near, err := chunksAt(f.h, f.kind, off)
	if err == nil {
		f.near, f.nearAt = near, off
	}
	return near, err
}

// lent returns the definitions that a row says a record was read with: each is an
// offset and, where it lies in another file, the path of that.
func (f *file) lent(list []string) (out []definition, err error) {
	for _, s := range list {
		where, name, _ := strings.Cut(s, " ")
		off, err := strconv.ParseInt(where, 0, 64)
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", s, err)
		}
		h, kind := f.h, f.kind
		if name != "" {
			id, ok := f.checker.named(f.id, name)
			if !ok {
				return nil, fmt.Errorf("template %q: %w", s, errNotThere)
			}
			kind = f.checker.files[id].Kind
			if h, err = f.checker.handle(id); err != nil {
				return nil, err
			}
			defer h.Close()
		}
		chunks, err := chunksAt(h, kind, off)
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", s, err)
		}
		out = append(out, definition{chunks[0].b, int(off - chunks[0].start)})
	}
	return out, nil
}

// system compares what System says of the record.
func (r *record) system(o *evidence.Observation) error {
	const system = "Event/System/"
	id := r.number
	if s := r.get(system + "EventRecordID"); s != "" {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			return fmt.Errorf("EventRecordID is %q", s)
		}
		id = n
	}
	if id != o.From.RecordID {
		return fmt.Errorf("the record's number is %d, not %d", id, o.From.RecordID)
	}
	if s := r.get(system + "TimeCreated@SystemTime"); o.TimeKind == evidence.EventCreated && !sameTime(s, o.Time) {
		return fmt.Errorf("TimeCreated is %q, not %s", s, evidence.FormatTime(o.Time))
	}
	if n, err := strconv.ParseUint(r.get(system+"EventID"), 0, 32); err != nil || uint32(n) != o.From.EventID {
		return fmt.Errorf("the event is %q, not %d", r.get(system+"EventID"), o.From.EventID)
	}
	for _, want := range [][2]string{{"Provider@Name", o.From.Provider}, {"Channel", o.From.Channel}, {"Computer", o.Detail.Text("Computer")}} {
		if got := r.get(system + want[0]); got != want[1] && !(want[0] == "Computer" && want[1] == "") {
			return fmt.Errorf("%s is %q, not %q", want[0], got, want[1])
		}
	}
	return nil
}

func sameTime(s string, t time.Time) bool {
	if s == "" {
		return t.IsZero()
	}
	got, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && got.UTC().Truncate(100).Equal(t)
}

// data compares the values of the row that bear the name of one in the record,
// and the command line, and returns how many.
func (r *record) data(o *evidence.Observation) (n int, err error) {
	for _, d := range o.Detail {
		want, ok := plainText(d.Value)
		if !ok {
			continue
		}
		found, same := false, false
		got := ""
		for _, l := range r.leaves {
			if strings.HasPrefix(l.path, "Event/System/") || !strings.EqualFold(l.name, d.Name) {
				continue
			}
			found, got = true, l.text
			same = same || equal(l.text, want)
		}
		switch {
		case same:
			n++
		case found:
			return n, fmt.Errorf("%s is %q, not %q", d.Name, got, want)
		}
	}
	p := o.Process
	if p == nil {
		return n, nil
	}
	for _, want := range []string{p.Image, p.CommandLine} {
		if want == "" {
			continue
		}
		if !r.holds(want) {
			return n, fmt.Errorf("no value is %q", want)
		}
		n++
	}
	// What started the process may be known from that one's own record only.
	for _, want := range []string{p.ParentImage, p.ParentCommandLine} {
		if want != "" && r.holds(want) {
			n++
		}
	}
	return n, nil
}

// holds reports whether a value of the record is the text, has it as a part, as
// a script has many commands, or has all its words, as a record has that names
// each parameter of a command by itself.
func (r *record) holds(want string) bool {
	parts := strings.Split(want, secret)
	words := strings.FieldsFunc(strings.ReplaceAll(want, secret, " "), func(r rune) bool { return strings.ContainsRune(" \t\r\n'\",-", r) })
	for _, l := range r.leaves {
		if equal(l.text, want) || inOrder(l.text, parts) {
			return true
		}
		if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(l.text, w) }) {
			return true
		}
	}
	return false
}

// plainText returns the text of a row's value; ok is false for lists and the like.
func plainText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case int64, uint64:
		return fmt.Sprint(v), true
	case time.Time:
		return evidence.FormatTime(v), true
	}
	return "", false
}

// equal reports whether a row may write raw as want: with white space folded,
// secrets masked, long text cut, numbers in another base, and the bytes of a
// socket address as address and port.
func equal(raw, want string) bool {
	a, b := strings.Join(strings.Fields(raw), " "), strings.Join(strings.Fields(want), " ")
	if a == b {
		return true
	}
	if head, tail, ok := strings.Cut(b, " ... ("); ok && strings.HasSuffix(tail, " bytes in all)") && strings.HasPrefix(a, head) {
		return true
	}
	if parts := strings.Split(b, secret); len(parts) > 1 {
		return strings.HasPrefix(a, parts[0]) && strings.HasSuffix(a, parts[len(parts)-1]) && inOrder(a, parts)
	}
	if s := socket(a); s != "" {
		return s == b
	}
	x, errX := strconv.ParseUint(a, 0, 64)
	y, errY := strconv.ParseUint(b, 0, 64)
	if errX != nil {
		n, err := strconv.ParseInt(a, 0, 64)
		x, errX = uint64(uint32(int32(n))), err
	}
	return errX == nil && errY == nil && x == y
}

// secret is how rows show a secret.
const secret = "***"

// inOrder reports whether s has the parts, one behind the other.
func inOrder(s string, parts []string) bool {
	for _, p := range parts {
		_, after, ok := strings.Cut(s, p)
		if !ok {
			return false
		}
		s = after
	}
	return true
}

// socket renders the hexadecimal digits of a sockaddr (winsock2.h): family in
// the byte order of the computer, port and address in that of the network; ""
// if they are none.
func socket(digits string) string {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) < 8 || b[1] != 0 {
		return ""
	}
	var ip netip.Addr
	switch {
	case b[0] == 2:
		ip = netip.AddrFrom4([4]byte(b[4:8]))
	case b[0] == 23 && len(b) >= 24:
		ip = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	default:
		return ""
	}
	return netip.AddrPortFrom(ip, uint16(b[2])<<8|uint16(b[3])).String()
}
