// Package evidence holds the facts that artifacts read from evidence files.
// It draws no conclusions; those are in package timeline.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// TimeLayout is how every output writes a time: UTC, 100 ns.
const TimeLayout = "2006-01-02T15:04:05.0000000Z"

// FormatTime renders t for output. The zero Time, which means "not set", is "".
func FormatTime(t time.Time) string {
	var room [len(TimeLayout)]byte
	return string(appendTime(room[:0], t))
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return t.UTC().AppendFormat(b, TimeLayout)
}

// A State says which part of a file a fact was read from.
type State string

// The states, from the best place of a fact to the worst.
const (
	Live     State = "live"         // allocated structure of the file as it stands
	Replayed State = "log_replayed" // transaction log, not yet in the primary file
	Shadow   State = "shadow"       // the same file in a volume shadow copy
	Deleted  State = "deleted"      // freed cell or slack; path and time may be partial
	Carved   State = "carved"       // found in a stream of bytes without a file around it
)

// An Action says what an observation shows, never what it implies.
type Action string

// The actions. See the table "what / action / artifact name" of the interface.
const (
	Mapped       Action = "mapped"
	Present      Action = "present"
	Used         Action = "used"
	Command      Action = "command"
	Removed      Action = "removed"
	ShareCreated Action = "share_created"
	ShareDeleted Action = "share_deleted"
	Context      Action = "context"
	Logon        Action = "logon"
	Logoff       Action = "logoff"
	LogCleared   Action = "log_cleared"
	ClockChanged Action = "clock_changed"
	Boot         Action = "boot"
	Shutdown     Action = "shutdown"
)

// IsContext reports whether rows of a are shown only where they bound or
// explain something (the flag --context).
func (a Action) IsContext() bool {
	switch a {
	case Context, Logon, Logoff, LogCleared, ClockChanged, Boot, Shutdown:
		return true
	}
	return false
}

// A Side is the end of a connection that a fact is about.
type Side string

// The sides. Facts about neither, such as a boot, have "".
const (
	Client Side = "client"
	Server Side = "server"
)

// A TimeKind says what a clock reading means.
type TimeKind string

// The time kinds.
const (
	KeyLastWrite TimeKind = "key_last_write" // last write of the key, which covers all its values
	AtOrBefore   TimeKind = "at_or_before"   // last write of a key that holds several entries; this one is not the newest
	EventCreated TimeKind = "event_created"  // System/TimeCreated of an event record
	FileModified TimeKind = "file_modified"
	FileCreated  TimeKind = "file_created"
	ItemTime     TimeKind = "item_time" // a time inside the entry itself
	Executed     TimeKind = "executed"
)

// A Place is where the facts of one evidence file come from. All facts of one
// file share one Place, so that a million of them stay small.
type Place struct {
	Host     string    // NetBIOS name of the computer the volume belongs to
	Source   string    // evidence as named on the command line
	Volume   string    // id of the volume inside Source, as sources prints it
	Snapshot string    // id of the shadow copy; "" for the volume as collected
	AsOf     time.Time // instant that the place shows: snapshot creation, else the newest time inside; UTC
	Path     string    // slash-separated, inside Volume
}

// A Provenance says where a fact was read, so that a second examiner with
// another tool finds the same bytes.
type Provenance struct {
	*Place
	Offset   int64  // of the structure, from the start of Path, bytes; -1 if it has none
	Length   int64  // of the structure, bytes; -1 if unknown
	Key      string // registry key below the hive's root, "\"-separated
	Value    string // registry value name
	Channel  string // event log channel; "" if the fact is no event
	Provider string
	EventID  uint32
	RecordID uint64 // System/EventRecordID
}

// appendLocator names the structure inside its file, for ids.
func (p *Provenance) appendLocator(b []byte, when time.Time) []byte {
	switch {
	case p.Channel != "":
		b = append(append(b, p.Channel...), 0)
		b = append(strconv.AppendUint(b, p.RecordID, 10), 0)
		return appendTime(b, when)
	case p.Key != "" || p.Value != "":
		return append(append(append(b, p.Key...), 0), p.Value...)
	}
	return strconv.AppendInt(b, p.Offset, 10)
}

// String renders p as one token that a person can look up.
func (p Provenance) String() string {
	switch {
	case p.Place == nil:
		return ""
	case p.Channel != "":
		return fmt.Sprintf("%s record %d", p.Path, p.RecordID)
	case p.Key != "":
		return fmt.Sprintf("%s %s", p.Path, p.Key)
	}
	return fmt.Sprintf("%s@%#x", p.Path, p.Offset)
}

// A Field is one named value of an artifact's own record, by its Windows name.
// Value is a string, bool, int64, uint64, []string, or Detail.
type Field struct {
	Name  string
	Value any
}

// A Detail is what an artifact read beyond the common fields.
type Detail []Field

// Text returns the string value of name, or "".
func (d Detail) Text(name string) string {
	s, _ := d.Get(name).(string)
	return s
}

// Int returns the int64 value of name, or 0.
func (d Detail) Int(name string) int64 {
	n, _ := d.Get(name).(int64)
	return n
}

// List returns the []string value of name, or nil.
func (d Detail) List(name string) []string {
	s, _ := d.Get(name).([]string)
	return s
}

// Get returns the value of name, or nil.
func (d Detail) Get(name string) any {
	for _, f := range d {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// A Process is a program that ran, as a log names it.
type Process struct {
	Image             string
	CommandLine       string // secrets masked, unless the user asked to show them
	PID               string // decimal; "" if the log has none
	ParentImage       string
	ParentCommandLine string
}

// An Observation is one fact, as one structure states it: one row of the
// timeline.
type Observation struct {
	ID       string
	Time     time.Time // zero if the structure carries no time
	TimeKind TimeKind
	Action   Action
	Host     string // "" until the pipeline has resolved it
	Side     Side
	User     string // account without domain; profile folder if the SID has no name
	SID      string
	Share    string // \\server\share, case as found; \\host\name on the server side
	Drive    string // "Z:"
	Peer     string // the other computer or its address
	Artifact string
	Summary  string // one sentence
	Process  *Process
	LogonID  string // "0x3e7"
	State    State
	Attack   []string // ATT&CK technique ids
	Detail   Detail
	From     Provenance
	AlsoAt   []Provenance // further places that state the same fact
	Views    []*Place     // states of files in which it stands; not for output
}

// SetID works out o's id: 16 hex digits of SHA-256 over host, path, snapshot
// time, artifact, locator, state and ordinal. The name of the source is left
// out, so that ids agree over container formats. ordinal tells apart facts of
// one structure that agree in all of these.
func (o *Observation) SetID(ordinal int) {
	const end = 0xff // no UTF-8 text holds it
	var room [512]byte
	b := append(append(room[:0], o.Host...), end)
	if o.From.Place != nil {
		b = append(b, o.From.Path...)
	}
	b = append(b, end)
	if o.From.Place != nil && o.From.Snapshot != "" {
		b = appendTime(b, o.From.AsOf)
	}
	b = append(append(append(b, end), o.Artifact...), end)
	b = append(o.From.appendLocator(b, o.Time), end)
	b = append(append(b, o.State...), end)
	b = append(strconv.AppendInt(b, int64(ordinal), 10), end)
	sum := sha256.Sum256(b)
	o.ID = hex.EncodeToString(sum[:8])
}

// A Severity says how far a Problem goes.
type Severity string

// The severities. An Error means that something could not be read: the run
// ends in exit status 3. A Warning means that something read must be doubted.
const (
	Warning Severity = "warning"
	Error   Severity = "error"
)

// A Problem is evidence that could not be read, or must be doubted. No finding
// may rest on absence from a place that has an Error.
type Problem struct {
	Severity Severity
	What     string // what is wrong and what it costs
	From     Provenance
}

// A Reason says why a span of time is blind.
type Reason string

// The reasons.
const (
	Cleared       Reason = "cleared"
	RolledOver    Reason = "rolled_over"
	AuditOff      Reason = "audit_off"
	ChannelOff    Reason = "channel_off"
	RecordGap     Reason = "record_gap"
	Corrupt       Reason = "corrupt"
	NotCollected  Reason = "not_collected"
	PoweredOff    Reason = "powered_off"
	ClockWasMoved Reason = "clock_changed"
)

// A Hole is a span in which a kind of evidence could not have told anything.
// A zero end is open.
type Hole struct {
	From, To     time.Time
	Reason       Reason
	Observations []string // ids of what shows the hole
	Why          *Fact    // the same before ids are known; nil if the place itself shows it
}

// A Coverage is one place that was read for one kind of evidence: what it can
// attest. Absence may be claimed only inside one that is Complete.
type Coverage struct {
	Evidence  string // "evtx:Security", "registry:NTUSER:alice", "registry:SYSTEM"
	Host      string // "" until the pipeline has resolved it
	Computer  string // event log: the computer that its records name
	User, SID string // of a user hive
	AsOf      time.Time
	From, To  time.Time // oldest and newest instant that the place holds
	Records   int64     // -1 if not counted
	Keys      []string  // registry keys that were read whole, there or not, as the artifacts spell them
	Complete  bool      // nothing in this place was unreadable
	// NotCollected says that the collector reports to have left it behind.
	NotCollected bool
	// Whole says that the volume which Windows runs from was read whole: no kind of
	// evidence but those in Keys has a file there. Evidence is "" then.
	Whole bool
	// Unread says that the kinds of evidence in Keys have a file there of which
	// nothing was read: it is damaged or, if the place is Complete, holds nothing.
	// Evidence is "" then.
	Unread bool
	// Unlisted says that not all of the place could be listed: of the kinds of evidence
	// in Keys, and those that begin with one that ends in ":", more may be there than was
	// seen. Evidence is "" then.
	Unlisted   bool
	Emptied    bool      // shadow copies: enabled, and none is there
	Earlier    bool      // a state that a later one of the same hive supersedes
	View       int       // counts the states of one hive, the first is 0
	Dirty      bool      // a hive whose transaction logs were not replayed: it may lack its last changes
	Series     []IDRange // event log: unbroken runs of record ids
	Reexported bool      // event log whose record headers were renumbered: gaps mean nothing
	Unfilled   int64     // event log: bytes of a file that never was full, as its computer wrote it; 0 if it may have been
	Witnesses  []Witness // event log: that something was being recorded
	SetBack    []SetBack // event log: records that are older than the one before them
	Silences   []Span    // event log: spans of an hour or more between a record and that of the next id, the longest, by time
	Written    Written
	Place      *Place
}

// Written is what a hive, but for its keys, tells of when it was written.
type Written struct {
	Sequence    uint32    // counts its writes; 0 if unknown, 1 if nothing but a program that saved it has written it
	Reorganized time.Time // when it was last written anew as a whole, which may begin another count; UTC
	SetBack     bool      // it was collected after states that have later times
}

// A Witness is proof that a log recorded a kind of fact: the first and last
// record of the kind.
type Witness struct {
	What        string // "command lines", "share access"
	First, Last time.Time
	Count       int64
}

// What a Witness may prove to have been recorded.
const (
	CommandLines = "command lines"
	ShareAccess  = "share access"
)

// AuditKinds are the audit subcategories that share activity is recorded by, each of
// which a Witness may prove to have been on.
var AuditKinds = []string{"Process Creation", "File Share", "Logon", "Logoff", "Registry", "Detailed File Share"}

// AuditedAs returns which of AuditKinds a success with that event id in the Security log
// belongs to, "" for none.
func AuditedAs(id uint32) string {
	switch id {
	case 4688:
		return "Process Creation"
	case 5140, 5142, 5143, 5144:
		return "File Share"
	case 4624, 4648:
		return "Logon"
	case 4634, 4647:
		return "Logoff"
	case 4656, 4657, 4663:
		return "Registry"
	case 5145:
		return "Detailed File Share"
	}
	return ""
}

// A Span is from one instant to a later one, UTC.
type Span struct{ From, To time.Time }

// A SetBack is an event record that is older, by a minute or more, than the one whose id
// is one less.
type SetBack struct {
	ID           uint64
	Before, Time time.Time // of the record before, and of this one
}

// An IDRange is an unbroken run of event record ids with the times of its ends.
type IDRange struct {
	First, Last         uint64
	FirstTime, LastTime time.Time
}
