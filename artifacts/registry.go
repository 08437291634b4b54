package artifacts

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/hive"
)

// explorer is the key below which the shell keeps its memories of a user.
const explorer = `Software\Microsoft\Windows\CurrentVersion\Explorer`

// Hives are hostile input: no row grows with what a hive claims.
const (
	maxValues = 1024    // values of one key in one row
	maxBinary = 4 << 10 // bytes of one binary value in one row
	maxText   = 4 << 10 // bytes of one text in one row
)

// clip cuts a text for a row, and says so in it.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + fmt.Sprintf(" ... (%d bytes in all)", len(s))
}

// ownDetails are names in details that artifacts speak by, in lower case.
var ownDetails = []string{"subpath", "provider", "device", "domain", "doubt", "computer"}

// values appends the values of k to d, each by its own name, but for names
// that are ours: a hive cannot speak for the artifact.
func values(k *hive.Key, d evidence.Detail, out *Emitter) evidence.Detail {
	seen := map[string]bool{}
	for _, name := range ownDetails {
		seen[name] = true
	}
	for _, f := range d {
		seen[strings.ToLower(f.Name)] = true
	}
	n := 0
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			continue
		}
		if n++; n > maxValues {
			out.Doubtful(k.Path, "", binread.Errorf(k.Off, "values", "more than %d values: the row leaves out the rest", maxValues))
			break
		}
		if name := strings.ToLower(v.Name); seen[name] {
			out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value name", "value %q is left out: the row has another of that name", clip(v.Name)))
			continue
		} else {
			seen[name] = true
		}
		if data, ok := valueData(k, v, out); ok {
			d = append(d, evidence.Field{Name: v.Name, Value: data})
		}
	}
	return d
}

// pick returns those of the named values of k that are there, spelled and
// ordered as in names.
func pick(k *hive.Key, names []string, out *Emitter) (d evidence.Detail) {
	for _, name := range names {
		v, err := k.Value(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			out.Unreadable(k.Path, err)
		default:
			if data, ok := valueData(k, v, out); ok {
				d = append(d, evidence.Field{Name: name, Value: data})
			}
		}
	}
	return d
}

// valueData returns the data of v as a row shows it: text, number, list, or
// hex for everything else, numbers of a wrong size among it.
func valueData(k *hive.Key, v *hive.Value, out *Emitter) (any, bool) {
	switch v.Type {
	case regSZ, regExpandSZ, regLink:
		return clip(valueText(k, v, out)), true
	case regMultiSZ:
		return valueList(k, v, out), true
	}
	if n, ok := v.Uint(); ok {
		if n > 1<<53 {
			return fmt.Sprint(n), true
		}
		return int64(n), true
	}
	b, err := v.Bytes()
	if err != nil {
		out.Unreadable(k.Path, err)
		if len(b) == 0 {
			return nil, false
		}
	}
	if len(b) > maxBinary {
		return hex.EncodeToString(b[:maxBinary]) + fmt.Sprintf(" ... (%d bytes in all)", len(b)), true
	}
	return hex.EncodeToString(b), true
}

// The registry value types that are read as text ([MS-RRP] 2.2.9).
const (
	regSZ       = 1
	regExpandSZ = 2
	regLink     = 6
	regMultiSZ  = 7
)

// valueList returns the strings of a REG_MULTI_SZ.
func valueList(k *hive.Key, v *hive.Value, out *Emitter) []string {
	list, err := v.Strings()
	if err != nil {
		out.Unreadable(k.Path, err)
	}
	if len(list) > maxValues {
		out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value data", "more than %d strings: the row leaves out the rest", maxValues))
		list = list[:maxValues]
	}
	for i := range list {
		list[i] = clip(list[i])
	}
	return list
}

// currentSet returns the name of the control set that Windows was last
// running on, by Select\Current. "" means that the hive does not tell, which
// out then holds as a Problem.
func currentSet(in *Hive, out *Emitter) string {
	key, err := in.Key("Select")
	if err != nil {
		out.Unreadable("Select", fmt.Errorf("the current control set is unknown: %w", err))
		return ""
	}
	n, ok := number(key, "Current")
	if !ok || n == 0 || n > 999 {
		out.Unreadable("Select", binread.Errorf(key.Off, "Select", "the current control set is unknown: Current is absent or no number of a control set"))
		return ""
	}
	return fmt.Sprintf("ControlSet%03d", n)
}

// openCurrent opens rel below the current control set and returns the whole
// path as it is to be attested. A nil key and error mean that it is not there,
// or that the set is unknown, which out then holds.
func openCurrent(in *Hive, rel string, out *Emitter) (k *hive.Key, path string, err error) {
	set := currentSet(in, out)
	if set == "" {
		return nil, "", nil
	}
	path = set + `\` + rel
	k, err = lookup(in, path, out)
	return k, path, err
}

// subkeys reads the list of subkeys of k; whole is false if some of it is
// unreadable, which out then holds.
func subkeys(k *hive.Key, out *Emitter) (list []*hive.Key, whole bool) {
	whole = true
	for sub, err := range k.Subkeys() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		list = append(list, sub)
	}
	return list, whole
}

// halves joins the two DWORD values of a FILETIME; the zero time if unset.
func halves(k *hive.Key, low, high string) (t time.Time) {
	lo, ok1 := number(k, low)
	hi, ok2 := number(k, high)
	if ok1 && ok2 {
		t = filetime.Time(hi<<32 | lo&0xffffffff)
	}
	return t
}

// parseShare reads the name of a network place in any spelling that Windows
// takes: a UNC path, file://server/share, or a WebDAV URL, which the WebClient
// service names \\server@SSL@port\share. share is "" if s names a server only.
func parseShare(s string) (share, server, rest string, ok bool) {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	scheme, after, _ := strings.Cut(s, ":")
	switch scheme = strings.ToLower(scheme); scheme {
	case "file":
		path := strings.ReplaceAll(after, `\`, "/")
		slashes := len(path) - len(strings.TrimLeft(path, "/"))
		if slashes < 2 || slashes == 3 {
			return "", "", "", false // file:///C:/x is local
		}
		s = "//" + path[slashes:]
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
	case "http", "https":
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" {
			return "", "", "", false
		}
		host := u.Hostname()
		if scheme == "https" {
			host += "@SSL"
		}
		if u.Port() != "" {
			host += "@" + u.Port()
		}
		s = `\\` + host + strings.ReplaceAll(u.Path, "/", `\`)
	}
	share, rest, ok = evidence.ParseUNC(s)
	server = evidence.ServerOf(share)
	if ok && share == `\\`+server {
		share = ""
	}
	return share, server, rest, ok
}

// place fills in o what parseShare reads from s, and reports whether s names a
// network place.
func place(o *evidence.Observation, s string) bool {
	share, server, rest, ok := parseShare(s)
	if !ok {
		return false
	}
	o.Share = share
	if share == "" {
		o.Peer = server
	}
	if rest != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "subpath", Value: clip(rest)})
	}
	if p := otherProvider(server); p != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "provider", Value: p})
	}
	return true
}

// otherProvider names the network provider of servers that are no SMB servers
// but look like one in a UNC path; "" for all others.
func otherProvider(server string) string {
	switch s := strings.ToLower(server); {
	case s == "wsl$", s == "wsl.localhost":
		return "Plan 9 (Windows Subsystem for Linux)"
	case s == "vmware-host", s == ".host":
		return "VMware shared folders"
	case s == "vboxsvr", s == "vboxsrv":
		return "VirtualBox shared folders"
	case s == "tsclient":
		return "Remote Desktop drive redirection"
	case strings.Contains(s, "@ssl"), strings.Contains(s, "@80"):
		return "WebDAV"
	}
	return ""
}

// name is how a sentence names the network place of o.
func name(o *evidence.Observation) string {
	switch {
	case o.Share != "":
		return o.Share
	case o.Peer != "":
		return `\\` + o.Peer
	}
	return "an unknown share"
}

// binaryTime returns the FILETIME that the binary value name of k begins with;
// the zero time if k is nil, or the value absent, shorter or unset.
func binaryTime(k *hive.Key, name string) time.Time {
	if k == nil {
		return time.Time{}
	}
	v, err := k.Value(name)
	if err != nil {
		return time.Time{}
	}
	b, err := v.Bytes()
	if err != nil || len(b) < 8 {
		return time.Time{}
	}
	return filetime.Time(binary.LittleEndian.Uint64(b))
}

// utf16Text decodes UTF-16LE.
func utf16Text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
