package artifacts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
)

var _ = register(Artifact{
	Name:         "drive-maps",
	Title:        "drives that Group Policy maps and removes",
	What:         `Drives.xml of Group Policy Preferences, in the history of each computer and user: for each drive what to do (C create, R replace, U update, D delete), letter, path`,
	Proves:       `Group Policy had that plan for the computer or user when the file was written: a removal or a rewrite of that mapping may be its doing`,
	DoesNotProve: `that the plan was carried out, or for whom: filters may exclude a user or computer`,
	Reference:    "[MS-GPPREF] Group Policy: Preferences Extension Data Structure: Drives",
	ReadFile:     readDriveMaps,
	Files:        []string{"ProgramData/Microsoft/Group Policy/History/*/*/Preferences/Drives/Drives.xml"},
})

const maxXML = 16 << 20 // bytes

// maxPlans bounds the drives of one file.
const maxPlans = 4096

// driveActions are the actions of a preference ([MS-GPPREF] 2.2.1.1).
var driveActions = map[string]string{"C": "create", "R": "replace", "U": "update", "D": "remove", "": "update"}

func readDriveMaps(in *DataFile, out *Emitter) error {
	b, err := in.whole(maxXML)
	if err != nil {
		return err
	}
	if b, err = asUTF8(b); err != nil {
		return err
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("unknown encoding") }
	drive, off, plans, elements := xml.StartElement{}, int64(0), 0, 0
	for {
		at := d.InputOffset()
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return binread.Errorf(at, "xml", "%w", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements++
		switch {
		case e.Name.Local == "Drive":
			drive, off = e.Copy(), at
		case e.Name.Local == "Properties" && drive.Name.Local != "":
			if plans++; plans > maxPlans {
				return binread.Errorf(at, "xml", "more than %d drives", maxPlans)
			}
			observePlan(in, out, drive, e, off, d.InputOffset()-off)
			drive = xml.StartElement{}
		}
	}
	if elements == 0 {
		return binread.Errorf(0, "xml", "no element in %d bytes", len(b))
	}
	return nil
}

// asUTF8 turns UTF-16 with its mark into UTF-8, which the decoder wants.
func asUTF8(b []byte) ([]byte, error) {
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xfe {
		return b, nil
	}
	u := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		u = append(u, uint16(b[i])|uint16(b[i+1])<<8)
	}
	s := string(utf16.Decode(u))
	if rest, ok := strings.CutPrefix(s, "<?xml"); ok { // its declaration names the encoding that it had
		_, rest, ok = strings.Cut(rest, "?>")
		if !ok {
			return nil, binread.Errorf(2, "xml", "declaration without an end")
		}
		s = rest
	}
	return []byte(s), nil
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value
		}
	}
	return ""
}

// observePlan reports one <Drive> and its <Properties>.
func observePlan(in *DataFile, out *Emitter, drive, p xml.StartElement, off, n int64) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client}
	action := strings.ToUpper(attribute(p, "action"))
	what, known := driveActions[action]
	if !known {
		what = "do " + clip(action) + " with"
	}
	o.Drive = evidence.Drive(attribute(p, "letter"))
	path := attribute(p, "path")
	if path != "" {
		place(&o, path)
	}
	for _, a := range []struct {
		e    xml.StartElement
		name string
	}{{p, "action"}, {p, "path"}, {p, "letter"}, {p, "useLetter"}, {p, "persistent"}, {p, "label"}, {p, "thisDrive"}, {p, "allDrives"}, {p, "userName"}, {drive, "name"}, {drive, "changed"}, {drive, "uid"}, {drive, "disabled"}, {drive, "bypassErrors"}, {drive, "userContext"}} {
		o.Detail = detail(o.Detail, evidence.Field{Name: a.name, Value: attribute(a.e, a.name)})
	}
	if password := attribute(p, "cpassword"); password != "" { // its key is public
		if !out.unmasked {
			password = "***"
		}
		o.Detail = append(o.Detail, evidence.Field{Name: "cpassword", Value: password})
	}
	parts := strings.Split(in.Path, "/")
	if i := len(parts) - 4; i >= 1 { // .../{GPO}/<SID or Machine>/Preferences/Drives/Drives.xml
		o.Detail = detail(o.Detail, evidence.Field{Name: "GPO", Value: parts[i-1]})
		if strings.HasPrefix(strings.ToUpper(parts[i]), "S-1-") {
			o.SID = parts[i]
		}
	}
	if !in.ModTime.IsZero() {
		o.Time, o.TimeKind = in.ModTime, evidence.FileModified
	}
	subject := "a drive"
	if o.Drive != "" {
		subject = "drive " + o.Drive
	}
	if o.Share != "" {
		subject += " for " + o.Share
	}
	o.Summary = "Group Policy planned to " + what + " " + subject + "."
	out.ObserveBytes(off, n, o)
}
