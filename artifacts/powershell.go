package artifacts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "powershell",
	Title:        "PowerShell that maps, removes or hides shares",
	What:         "script blocks of Microsoft-Windows-PowerShell/Operational and PowerShellCore/Operational, event 4104",
	Proves:       "PowerShell compiled that text in a session of that SID at that time",
	DoesNotProve: "that the line was reached, succeeded or had an effect. Only suspicious blocks are recorded unless a policy asks for all",
	Reference:    "Microsoft, about_Logging_Windows: script block logging",
	Events: []Events{
		{"Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell", []uint32{4104}},
		{"PowerShellCore/Operational", "PowerShellCore", []uint32{4104}},
	},
	Joins: true,
	OpenLog: func() LogReader {
		b := &scriptBlocks{pending: map[string]*scriptBlock{}}
		return LogReader{Read: b.read, Close: b.close}
	},
	Files: []string{
		"Windows/System32/winevt/Logs/Microsoft-Windows-PowerShell%4Operational.evtx",
		"Windows/System32/winevt/Logs/PowerShellCore%4Operational.evtx",
	},
})

// Script blocks longer than an event are cut into parts. Parts wait for the
// rest of their block within these bounds; the oldest go first.
const (
	maxBlocks     = 1024
	maxBlockBytes = 32 << 20
)

// A scriptBlock is what has been read of one block.
type scriptBlock struct {
	id    string
	path  string
	total int
	first int              // lowest part number read
	rec   *eventlog.Record // of that part
	parts map[int]string
	bytes int
}

// scriptBlocks joins the parts of script blocks.
type scriptBlocks struct {
	pending    map[string]*scriptBlock
	order      []*scriptBlock // pending, oldest first
	bytes      int            // of all pending parts
	incomplete int            // blocks given up
}

func (b *scriptBlocks) read(rec *eventlog.Record, data Data, out *Emitter) {
	number, _ := strconv.Atoi(data.Text("MessageNumber"))
	total, _ := strconv.Atoi(data.Text("MessageTotal"))
	text, id := data.Text("ScriptBlockText"), data.Text("ScriptBlockId")
	if total <= 1 || number < 1 || number > total || id == "" {
		block := &scriptBlock{id: id, path: data.Text("Path"), total: 1, first: 1, rec: header(rec), parts: map[int]string{1: text}}
		block.observe(out)
		return
	}
	key := rec.Computer + "\x00" + id
	block := b.pending[key]
	if block == nil {
		block = &scriptBlock{id: id, path: data.Text("Path"), total: total, parts: map[int]string{}}
		b.pending[key] = block
		b.order = append(b.order, block)
	}
	if _, again := block.parts[number]; again { // a record that the log holds twice
		return
	}
	block.parts[number] = text
	block.bytes += len(text)
	b.bytes += len(text)
	if block.rec == nil || number < block.first {
		block.first, block.rec = number, header(rec)
	}
	if len(block.parts) == block.total {
		b.finish(block, out)
	}
	for len(b.order) > 0 && (len(b.order) > maxBlocks || b.bytes > maxBlockBytes) {
		b.incomplete++
		b.finish(b.order[0], out)
	}
}

// finish reports block and forgets it.
func (b *scriptBlocks) finish(block *scriptBlock, out *Emitter) {
	b.order = slices.DeleteFunc(b.order, func(x *scriptBlock) bool { return x == block })
	delete(b.pending, block.rec.Computer+"\x00"+block.id)
	b.bytes -= block.bytes
	block.observe(out)
}

// close reports the blocks whose parts are not all in the log.
func (b *scriptBlocks) close(out *Emitter) {
	var first *eventlog.Record
	if len(b.order) > 0 {
		first = b.order[0].rec
	}
	b.incomplete += len(b.order)
	for len(b.order) > 0 {
		b.finish(b.order[0], out)
	}
	if b.incomplete > 0 {
		off := int64(-1)
		if first != nil {
			off = first.Off
		}
		out.Doubtful("", "", binread.Errorf(off, "script blocks", "%d of them lack parts, in which commands are unknown", b.incomplete))
	}
}

// header keeps of rec what a row needs after the log has moved on.
func header(rec *eventlog.Record) *eventlog.Record {
	return &eventlog.Record{
		Off: rec.Off, Len: rec.Len, ID: rec.ID, Time: rec.Time,
		Channel: rec.Channel, Provider: rec.Provider, Computer: rec.Computer, EventID: rec.EventID,
		UserID: rec.UserID, ProcessID: rec.ProcessID, State: rec.State, Doubt: rec.Doubt,
	}
}

// text joins the parts that are there. Where one is missing a line break keeps
// what is left from joining into a command that nobody wrote.
func (s *scriptBlock) text() string {
	var b strings.Builder
	last := 0
	for _, n := range s.numbers() {
		if n != last+1 {
			b.WriteByte('\n')
		}
		b.WriteString(s.parts[n])
		last = n
	}
	return b.String()
}

func (s *scriptBlock) numbers() []int {
	list := make([]int, 0, len(s.parts))
	for n := range s.parts {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// observe reports what the block does to shares.
func (s *scriptBlock) observe(out *Emitter) {
	for _, seg := range out.scriptCommands(s.rec.Off, s.text()) {
		o := observeSegment(seg)
		o.SID = s.rec.UserID
		o.Process = &evidence.Process{CommandLine: clip(seg.Text), PID: pid(fmt.Sprint(s.rec.ProcessID))}
		if s.rec.ProcessID == 0 {
			o.Process.PID = ""
		}
		if p := given(s.path); p != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "Path", Value: clip(p)})
		}
		if s.id != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "ScriptBlockId", Value: clip(s.id)})
		}
		if len(s.parts) < s.total {
			o.Detail = append(o.Detail, evidence.Field{Name: "parts", Value: fmt.Sprintf("%d of %d", len(s.parts), s.total)})
		}
		out.ObserveRecord(s.rec, o)
	}
}
