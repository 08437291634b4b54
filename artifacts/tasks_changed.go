package artifacts

import (
	"encoding/xml"
	"io"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/command"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "tasks-changed",
	Title:        "scheduled tasks that map, remove or hide shares",
	What:         "Security 4698 (created), 4702 (changed), 4699 (deleted): the commands in the definition of the task",
	Proves:       "that account made, changed or deleted the task at that time; the commands are what it would run, as RunAs, at a later time",
	DoesNotProve: "that the task ever ran. Off by default",
	Reference:    "Microsoft, Windows security auditing: events 4698, 4699, 4702",
	Events:       []Events{{securityChannel, auditingProvider, idsOf(taskChanges)}},
	OpenLog:      each(readTasksChanged),
	Files:        []string{securityLog},
})

var taskChanges = map[uint32]string{
	4698: "A scheduled task was created.",
	4699: "A scheduled task was deleted.",
	4702: "A scheduled task was changed.",
}

func readTasksChanged(rec *eventlog.Record, data Data, out *Emitter) {
	content := data.Text("TaskContent")
	if content == "" {
		content = data.Text("TaskContentNew")
	}
	task, err := parseTask(content)
	if err != nil {
		out.Doubtful("", "", binread.Errorf(rec.Off, "TaskContent", "record %d: %v: what the task runs may be unknown", rec.ID, err))
	}
	row := func(o evidence.Observation) {
		account(&o, data, "Subject")
		o.Detail = append(o.Detail, data.fields("TaskName")...)
		if as := task.runAs(); as != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "RunAs", Value: clip(as)})
		}
		out.ObserveRecord(rec, o)
	}
	o := evidence.Observation{Action: evidence.Context, Summary: taskChanges[rec.EventID]}
	var lines []string
	for _, e := range task.Exec {
		line := e.line()
		if !out.unmasked {
			line, _ = command.Mask(line)
		}
		if len(lines) < maxFields {
			lines = append(lines, clip(line))
		}
	}
	if len(lines) > 0 {
		o.Detail = evidence.Detail{{Name: "commands", Value: lines}}
	}
	row(o)
	if rec.EventID == 4699 {
		return // what it would have run it will not run any more
	}
	for _, e := range task.Exec {
		p := evidence.Process{Image: clip(e.Command), CommandLine: e.line()}
		for _, o := range out.commands(rec.Off, p, command.Hint{Image: e.Command}) {
			row(deferred(o))
		}
	}
}

// deferred marks a command that was not run when it was recorded.
func deferred(o evidence.Observation) evidence.Observation {
	for i := range o.Detail {
		if o.Detail[i].Name == "Deferred" && o.Detail[i].Value == false {
			o.Detail[i].Value = true
			o.Summary = strings.TrimSuffix(o.Summary, ".") + ", at a later time."
		}
	}
	return o
}

// A task is what matters of a task's definition ([MS-TSCH] 2.5).
type task struct {
	Exec     []taskExec
	UserIDs  []string
	GroupIDs []string
}

// A taskExec is an action that runs a program.
type taskExec struct{ Command, Arguments string }

// line returns the command line that the action runs.
func (e taskExec) line() string {
	c := strings.TrimSpace(e.Command)
	if strings.ContainsAny(c, " \t") && !strings.HasPrefix(c, `"`) {
		c = `"` + c + `"`
	}
	return strings.TrimSpace(c + " " + e.Arguments)
}

// runAs names the account that the task runs as.
func (t task) runAs() string {
	for _, list := range [][]string{t.UserIDs, t.GroupIDs} {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// parseTask reads a definition as far as it can be read. It says of itself that
// it is UTF-16, which it was.
func parseTask(content string) (t task, err error) {
	if given(content) == "" {
		return t, nil
	}
	d := xml.NewDecoder(strings.NewReader(content))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var stack []string
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			stack = append(stack, tok.Name.Local)
			if tok.Name.Local == "Exec" && len(t.Exec) < maxFields {
				t.Exec = append(t.Exec, taskExec{})
			}
		case xml.EndElement:
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		case xml.CharData:
			t.text(stack, string(tok))
		}
	}
}

// text takes over the text of the element that stack names.
func (t *task) text(stack []string, s string) {
	if len(stack) < 2 {
		return
	}
	n := len(t.Exec)
	switch in, name := stack[len(stack)-2], stack[len(stack)-1]; {
	case in == "Exec" && name == "Command" && n > 0:
		t.Exec[n-1].Command += s
	case in == "Exec" && name == "Arguments" && n > 0:
		t.Exec[n-1].Arguments += s
	case in == "Principal" && name == "UserId":
		t.UserIDs = append(t.UserIDs, strings.TrimSpace(s))
	case in == "Principal" && name == "GroupId":
		t.GroupIDs = append(t.GroupIDs, strings.TrimSpace(s))
	}
}
