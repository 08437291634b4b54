package lab

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"
)

// Build writes the evidence of a scenario below dir, which must be new or
// empty. The same scenario gives the same bytes, wherever and whenever.
func Build(scenario []byte, dir string) error {
	s, err := Parse("scenario", scenario)
	if err != nil {
		return err
	}
	return s.Build(dir)
}

// A file is one file of the built evidence.
type file struct {
	path string // slash-separated, below the target folder
	data []byte
	time time.Time
}

// Build writes the evidence of s below dir, which must be new or empty.
func (s *Scenario) Build(dir string) error {
	files, err := s.files()
	if err != nil {
		return s.locate(err)
	}
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	return writeFiles(dir, files)
}

func writeFiles(dir string, files []file) error {
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o666); err != nil {
			return err
		}
		if err := os.Chtimes(name, f.time, f.time); err != nil {
			return err
		}
	}
	return nil
}

// files returns all files of the evidence, ordered by path.
func (s *Scenario) files() ([]file, error) {
	var files []file
	newest := time.Time{}
	for _, h := range s.Hosts {
		fs, err := h.files()
		if err != nil {
			return nil, err
		}
		files = append(files, fs...)
		if h.Collected.After(newest) {
			newest = h.Collected
		}
	}
	return s.withFiles(files, newest)
}

// withFiles adds the files of s that belong to no host, of time t where nothing
// else is said, and orders all by path.
func (s *Scenario) withFiles(files []file, t time.Time) ([]file, error) {
	for _, sec := range s.Files {
		f, err := sec.file(t)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for name, t := range s.Times {
		i := slices.IndexFunc(files, func(f file) bool { return f.path == name })
		if i < 0 {
			return nil, fmt.Errorf("times: no file %q is built", name)
		}
		files[i].time = t
	}
	for i := 1; i < len(files); i++ {
		if strings.EqualFold(files[i-1].path, files[i].path) {
			return nil, fmt.Errorf("two sections make the file %q", files[i].path)
		}
	}
	return files, nil
}

// file builds a section that names a file of its own: PATH.reg is a hive and
// PATH.evtx.txt a log, as the test packages of the parsers take them; any
// other is copied. The time is that of the newest content, or else t.
func (s section) file(t time.Time) (file, error) {
	switch {
	case strings.HasSuffix(s.name, ".reg"):
		r := newRegistry()
		if err := s.mergeInto(r); err != nil {
			return file{}, err
		}
		return hiveFile(strings.TrimSuffix(s.name, ".reg"), r)
	case strings.HasSuffix(s.name, ".evtx.txt"):
		events, err := s.events("")
		if err != nil {
			return file{}, err
		}
		return logFile(strings.TrimSuffix(s.name, ".txt"), events, evtxtest.Options{})
	}
	return file{s.name, []byte(s.text), t}, nil
}

// events parses s as a log; defaults is the line before its first.
func (s section) events(defaults string) ([]evtxtest.Event, error) {
	events, err := evtxtest.Parse(strings.Repeat("\n", s.line-2) + defaults + "\n" + s.text)
	return events, s.locate(err)
}

// mergeInto reads s as a hivetest text over r.
func (s section) mergeInto(r *registry) error {
	// hivetest judges the text first, as its errors name the line.
	if _, err := hivetest.Build(strings.Repeat("\n", s.line-1) + s.text); err != nil {
		return s.locate(err)
	}
	return r.merge(s.text, s.line)
}

var lineOf = regexp.MustCompile(`^(?:evtxtest: )?line ([0-9]+): `)

// locate turns an error of a parser that was given s's text with the line
// numbers of the scenario into one that names the line as all others do.
func (s section) locate(err error) error {
	if err == nil {
		return nil
	}
	line, text := s.line-1, err.Error()
	if m := lineOf.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	return &lineError{line, fmt.Errorf("%s: %s", s.name, text)}
}

func hiveFile(name string, r *registry) (file, error) {
	data, err := hivetest.Build(r.text())
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", name, err)
	}
	return file{name, data, r.newest()}, nil
}

func logFile(name string, events []evtxtest.Event, o evtxtest.Options) (file, error) {
	data, err := logBytes(events, o)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", name, err)
	}
	newest := time.Time{}
	for _, e := range events {
		if e.Time.After(newest) {
			newest = e.Time
		}
	}
	return file{name, data, newest}, nil
}

// logBytes builds a log in which lost ids lie between chunks, as they do where
// Windows lost a chunk: within one, ids are without a gap.
func logBytes(events []evtxtest.Event, o evtxtest.Options) ([]byte, error) {
	const header = 4096
	var log []byte
	for len(events) > 0 {
		n := 1
		for n < len(events) && (events[n].RecordID == 0 || events[n].RecordID == events[n-1].RecordID+1) {
			n++
		}
		part, err := evtxtest.Build(events[:n], o)
		if err != nil {
			return nil, err
		}
		if log != nil && !o.Dirty { // the header of a dirty log is that of its beginning
			copy(log, part[:header])
		}
		log = append(log, part[min(len(log), header):]...)
		events = events[n:]
	}
	if o.Dirty {
		return log, nil
	}
	chunks := len(log) / (64 << 10)
	binary.LittleEndian.PutUint64(log[16:], uint64(chunks-1))
	binary.LittleEndian.PutUint16(log[42:], uint16(chunks))
	binary.LittleEndian.PutUint32(log[124:], crc32.ChecksumIEEE(log[:120]))
	return log, nil
}

// files tells h's story and returns what it leaves.
func (h *Host) files() ([]file, error) {
	w, err := h.told()
	if err != nil {
		return nil, err
	}
	return w.files()
}

// told returns the world at the end of h's story.
func (h *Host) told() (*world, error) {
	w, err := h.world()
	if err != nil {
		return nil, err
	}
	for _, s := range h.sections {
		if s.name != "story" {
			continue
		}
		if err := w.tell(s); err != nil {
			return nil, err
		}
	}
	w.idle()
	if w.err != nil {
		return nil, w.err
	}
	if w.machine["SECURITY"], err = baseHive("SECURITY", baseData{Host: h, Audit: w.audit}); err != nil {
		return nil, err
	}
	for _, s := range h.sections {
		if err := w.overlay(s); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// overlay adds a section "hive KIND" or "log CHANNEL" to the world.
func (w *world) overlay(s section) error {
	kind, name, _ := strings.Cut(s.name, " ")
	switch kind {
	case "hive":
		r := w.machine[name]
		if user, ok := strings.CutPrefix(name, "NTUSER "); ok {
			r = w.users[strings.ToLower(user)]
		}
		if r == nil {
			return &lineError{s.line - 1, fmt.Errorf("host %s has no hive %q: it is SYSTEM, SOFTWARE, SECURITY or NTUSER and a user with a profile", w.Name, name)}
		}
		return s.mergeInto(r)
	case "log":
		channel := channelOf(name)
		events, err := s.events(fmt.Sprintf("@Channel=%q Provider=%q Computer=%q", channel, or(providers[channel], channel), w.fqdn()))
		w.events = append(w.events, events...)
		return err
	}
	return nil
}

// files builds the hives and logs of w below DIR/HOST/C, as collectors do.
func (w *world) files() ([]file, error) {
	root := w.Name + "/C/"
	var files []file
	for kind, r := range w.machine {
		name := ""
		if kind == "SYSTEM" {
			name = systemHive
		}
		hive, err := w.hiveFiles(root+"Windows/System32/config/", kind, name, r)
		if err != nil {
			return nil, err
		}
		files = append(files, hive...)
	}
	for _, u := range w.Users {
		if u.Folder == "" {
			continue
		}
		hive, err := w.hiveFiles(root+"Users/"+u.Folder+"/", "NTUSER.DAT", lower(u.Name), w.users[lower(u.Name)])
		if err != nil {
			return nil, err
		}
		files = append(files, hive...)
	}
	slices.SortStableFunc(w.events, func(a, b evtxtest.Event) int { return a.Time.Compare(b.Time) })
	logs, err := w.logFiles(root, endOfTime)
	files = append(files, logs...)
	if err != nil {
		return nil, err
	}
	for i, s := range w.shots {
		more, err := w.shotFiles(fmt.Sprintf("%s/VSS%d/", w.Name, i+1), s)
		files = append(files, more...)
		if err != nil {
			return nil, err
		}
	}
	if w.Remains {
		f, err := w.remains()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}
