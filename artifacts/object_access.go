package artifacts

import (
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "object-access",
	Title:        "audited changes of the registry keys of shares",
	What:         `Security 4656, 4663 (a key was opened, used with the right DELETE), 4660 (it was deleted) and 4657 (a value was changed), on Network, MountPoints2, the MRU lists, LanmanServer\Shares and Parameters`,
	Proves:       "4660 after a 4663 of the same handle: that process deleted that key at that time. 4657: it set, changed or deleted that value",
	DoesNotProve: "that nothing was deleted if absent: the key needs an audit entry, and the auditing of registry access is off by default. A 4663 without a 4660 is an attempt",
	Reference:    "Microsoft, Windows security auditing: events 4656, 4657, 4658, 4660, 4663",
	Events:       []Events{{securityChannel, auditingProvider, []uint32{4656, 4657, 4658, 4660, 4663}}},
	Joins:        true,
	OpenLog: func() LogReader {
		h := &handles{pending: map[handle]*deletion{}}
		return LogReader{Read: h.read, Close: h.close}
	},
	Files: []string{securityLog},
})

const (
	// deleteRight is the access right DELETE ([MS-DTYP] 2.4.3); %%1537 names it.
	deleteRight = 0x10000
	// maxHandles is how many handles are held until their deletion follows.
	maxHandles = 1024
	// deleteWithin is how long after the use of the right the deletion is
	// recorded, at most. Both are parts of one call; a handle is used again
	// after it was closed, which may not be recorded.
	deleteWithin = 5 * time.Second
)

// A handle is an open object of one process.
type handle struct{ computer, process, id string }

// A deletion is a use of the right to delete a key of shares that no deletion
// has followed yet.
type deletion struct {
	rec    *eventlog.Record
	object string
	o      evidence.Observation
}

// handles pairs deletions with the names of what was deleted: 4660 has none.
type handles struct {
	pending map[handle]*deletion
	order   []handle // oldest first, and some that have left
}

func (h *handles) read(rec *eventlog.Record, data Data, out *Emitter) {
	key := handle{rec.Computer, data.Text("ProcessId"), data.Text("HandleId")}
	switch rec.EventID {
	case 4657:
		valueChanged(rec, data, out)
	case 4660:
		h.deleted(key, rec, data, out)
	case 4663:
		h.drop(key, out)
		object := data.Text("ObjectName")
		o, ok := keyEvent(object, "DeleteKey", "")
		if ok && strings.EqualFold(data.Text("ObjectType"), "Key") && wantsDelete(data) && !failed(rec) {
			h.add(key, &deletion{header(rec), object, bySubject(o, data)}, out)
		}
	default: // opened or closed: the handle is another object, or none
		h.drop(key, out)
	}
}

// wantsDelete reports whether the accesses of a record include DELETE.
func wantsDelete(data Data) bool {
	if mask, ok := data.number("AccessMask"); ok && mask&deleteRight != 0 {
		return true
	}
	for _, code := range strings.Fields(data.Text("AccessList")) {
		if code == "%%1537" {
			return true
		}
	}
	return false
}

func (h *handles) add(key handle, d *deletion, out *Emitter) {
	if len(h.order) >= 2*maxHandles {
		kept := h.order[:0]
		for _, k := range h.order {
			if h.pending[k] != nil {
				kept = append(kept, k)
			}
		}
		h.order = kept
	}
	for len(h.pending) >= maxHandles && len(h.order) > 0 {
		h.drop(h.order[0], out)
		h.order = h.order[1:]
	}
	h.pending[key] = d
	h.order = append(h.order, key)
}

// deleted reports what the record rec says to have been deleted.
func (h *handles) deleted(key handle, rec *eventlog.Record, data Data, out *Emitter) {
	d := h.pending[key]
	if d == nil {
		return
	}
	if apart := rec.Time.Sub(d.rec.Time); apart < 0 || apart > deleteWithin {
		h.drop(key, out)
		return
	}
	delete(h.pending, key)
	o := d.o
	o.Detail = append(o.Detail, evidence.Field{Name: "ObjectName", Value: clip(d.object)}, evidence.Field{Name: "access_record", Value: d.rec.ID})
	o.Detail = append(o.Detail, data.fields("HandleId")...)
	out.ObserveRecord(rec, o)
}

// drop reports that nothing is known to have followed the use of the right, if
// there was one.
func (h *handles) drop(key handle, out *Emitter) {
	d := h.pending[key]
	if d == nil {
		return
	}
	delete(h.pending, key)
	o := d.o
	// Not what it is about, so that nobody takes it for removed.
	o.Action, o.Attack = evidence.Context, nil
	o.Summary = "A key of shares was accessed with the right to delete it; no deletion is recorded."
	o.Detail = append(o.Detail, evidence.Field{Name: "ObjectName", Value: clip(d.object)}, evidence.Field{Name: "HandleId", Value: key.id})
	out.ObserveRecord(d.rec, o)
}

func (h *handles) close(out *Emitter) {
	for _, key := range h.order {
		h.drop(key, out)
	}
}

// valueChanged reports a change of a value that is about shares.
func valueChanged(rec *eventlog.Record, data Data, out *Emitter) {
	kind := ""
	switch data.Text("OperationType") {
	case "%%1904", "%%1905": // new, modified
		kind = "SetValue"
	case "%%1906":
		kind = "DeleteValue"
	}
	value := given(data.Text("ObjectValueName"))
	o, ok := keyEvent(data.Text("ObjectName")+`\`+value, kind, given(data.Text("NewValue")))
	if !ok || value == "" || kind == "" {
		return
	}
	o = bySubject(o, data)
	o.Detail = append(o.Detail, data.fields("ObjectName", "ObjectValueName", "OperationType", "OldValue", "NewValue")...)
	if failed(rec) {
		o.Action, o.Attack, o.Summary = evidence.Context, nil, "A change of a registry value of shares was refused."
	}
	out.ObserveRecord(rec, o)
}

// keyEvent reads an event on a registry object as Sysmon would have told it.
func keyEvent(target, kind, details string) (o evidence.Observation, ok bool) {
	told := Data{{Name: "EventType", Value: kind}, {Name: "Details", Value: details}}
	if sid, path, isUser := userObject(target); isUser {
		o, ok = userEvent(path, told)
		o.SID = clip(sid)
	} else if path, isShares := sharesObject(target); isShares {
		o, ok = sharesEvent(path, told)
	} else if path, isServer := controlSetObject(target, lanmanParameters); isServer && kind != "DeleteKey" {
		o, ok = parametersEvent(path, kind)
	}
	return o, ok
}

// parametersEvent reads a change of a switch of the administrative shares.
func parametersEvent(value, kind string) (evidence.Observation, bool) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Server, Summary: "Set: the switch " + clip(value) + " of the administrative shares."}
	if kind == "DeleteValue" {
		o.Summary = "Deleted: the switch " + clip(value) + " of the administrative shares."
	}
	return o, strings.EqualFold(value, "AutoShareServer") || strings.EqualFold(value, "AutoShareWks")
}

// bySubject fills in who did it. The user of the row is whose hive it was; the
// two differ when somebody changes another user's hive.
func bySubject(o evidence.Observation, data Data) evidence.Observation {
	o.Process = &evidence.Process{Image: given(data.Text("ProcessName")), PID: pid(data.Text("ProcessId"))}
	o.LogonID = logonID(data.Text("SubjectLogonId"))
	sid, user := given(data.Text("SubjectUserSid")), given(data.Text("SubjectUserName"))
	if o.SID == sid || o.SID == "" {
		o.SID, o.User = sid, user
	}
	o.Detail = append(o.Detail, data.fields("SubjectUserSid", "SubjectUserName", "SubjectDomainName")...)
	return o
}
