package cli

import (
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
)

// evidence writes the rows called ids. A row is told in full where it is named
// first; step names that place for later ones.
func (p *page) evidence(indent int, step string, ids []string) {
	for _, id := range ids {
		o := p.x.byID[id]
		switch {
		case o == nil:
			p.line(indent, "evidence "+id+" is not among the rows: analyze left context out (--context none)")
		case p.told[id] != "":
			p.line(indent, "evidence "+id+", see "+p.told[id])
		default:
			p.told[id] = step
			p.row(indent, o)
		}
	}
}

// row writes one observation with the place and the values that it was read from.
func (p *page) row(indent int, o *evidence.Observation) {
	when := "without a time"
	if !o.Time.IsZero() {
		when = p.time(o.Time) + " (" + string(o.TimeKind) + ")"
	}
	p.line(indent, strings.Join(filled("evidence "+o.ID, when, string(o.Action), o.Artifact, string(o.State)), "  "))
	indent += 2
	p.para(indent, "", o.Summary)
	p.line(indent, "file     "+file(&o.From))
	p.line(indent, "at       "+locator(&o.From))
	for i := range o.AlsoAt {
		p.line(indent, "also at  "+file(&o.AlsoAt[i])+", "+locator(&o.AlsoAt[i]))
	}
	for _, f := range fieldsOf(o) {
		p.line(indent, "value    "+f.Name+" = "+output.Text(f.Value))
	}
}

// fieldsOf returns the values of the record that are not empty: those that rows
// have in columns of their own, then the rest.
func fieldsOf(o *evidence.Observation) (d evidence.Detail) {
	add := func(name, value string) {
		if value != "" {
			d = append(d, evidence.Field{Name: name, Value: value})
		}
	}
	add("user", o.User)
	add("sid", o.SID)
	add("share", o.Share)
	add("drive", o.Drive)
	add("peer", o.Peer)
	add("logon_id", o.LogonID)
	if p := o.Process; p != nil {
		add("process.image", p.Image)
		add("process.command_line", p.CommandLine)
		add("process.pid", p.PID)
		add("process.parent_image", p.ParentImage)
		add("process.parent_command_line", p.ParentCommandLine)
	}
	for _, f := range o.Detail {
		if f.Value != "" {
			d = append(d, evidence.Field{Name: "detail." + f.Name, Value: f.Value})
		}
	}
	return d
}

// file names the file that p lies in, in full.
func file(p *evidence.Provenance) string {
	at := p.Path
	if p.Volume != "" || p.Snapshot != "" {
		at += " (" + strings.Join(filled(volumeOf("volume", p.Volume), volumeOf("snapshot", p.Snapshot)), ", ") + ")"
	}
	return at + " of " + p.Source
}

func volumeOf(kind, id string) string {
	if id == "" {
		return ""
	}
	return kind + " " + id
}

// locator names the structure inside the file.
func locator(p *evidence.Provenance) string {
	var parts []string
	if p.Offset >= 0 {
		s := fmt.Sprintf("offset %d (%#x)", p.Offset, p.Offset)
		if p.Length >= 0 {
			s += fmt.Sprintf(", %d bytes", p.Length)
		}
		parts = append(parts, s)
	}
	switch {
	case p.Channel != "":
		parts = append(parts, fmt.Sprintf("record %d of %s, event %d of %s", p.RecordID, p.Channel, p.EventID, p.Provider))
	case p.Key != "":
		parts = append(parts, "key "+p.Key)
		fallthrough
	default:
		if p.Value != "" {
			parts = append(parts, "value "+p.Value)
		}
	}
	if len(parts) == 0 {
		return "no offset: it is about the whole file"
	}
	return strings.Join(parts, "; ")
}
