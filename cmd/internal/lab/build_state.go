package lab

import (
	"strings"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"
)

// endOfTime is after everything in a story.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// logFiles builds the logs of w below root as they are at t.
func (w *world) logFiles(root string, t time.Time) (files []file, err error) {
	channels := map[string][]evtxtest.Event{}
	for _, e := range w.events {
		channels[e.Channel] = append(channels[e.Channel], e)
	}
	for channel, events := range channels {
		events, err := w.ids(channel, events, t)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 { // all has rolled over; Windows would keep an empty file
			continue
		}
		o := w.options(channel)
		name := strings.ReplaceAll(channel, "/", "%4") + ".evtx"
		f, err := logFile(root+"Windows/System32/winevt/Logs/"+name, events, evtxtest.Options{Dirty: o.dirty, HeaderIDOffset: o.header})
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// shotFiles builds the hives and logs of a shadow copy below root.
func (w *world) shotFiles(root string, s shot) ([]file, error) {
	files, err := w.logFiles(root, s.at)
	if err != nil {
		return nil, err
	}
	add := func(path, text string, asOf time.Time) error {
		data, err := hivetest.Build(text)
		files = append(files, file{path, data, asOf})
		return err
	}
	system := s.hives[systemHive]
	if err := add(root+"Windows/System32/config/SYSTEM", system.text, system.asOf); err != nil {
		return nil, err
	}
	for _, u := range w.Users {
		if state, ok := s.hives[lower(u.Name)]; ok {
			if err := add(root+"Users/"+u.Folder+"/NTUSER.DAT", state.text, state.asOf); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}
