package source

import (
	"bufio"
	"bytes"
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/source/triage"
)

// A kape is what the logs of KAPE in one directory say about the collection there:
// <time>_CopyLog.csv, <time>_SkipLog.csv (also .csv.csv), <time>_ConsoleLog.txt
// and _kape.cli. The columns are those of KapeDocs 2.1; times are UTC.
type kape struct {
	dir      string // in which the logs lie
	copied   []copied
	skips    []*skip
	failed   []failure
	commands []string
	machine  string    // that KAPE ran on
	at       time.Time // when the last file was copied; zero if no log says
	here     bool      // they tell of this container
	used     *bool     // or of one of those that share them
}

// A failure is a file that KAPE could not copy.
type failure struct {
	skip
	why string
}

// sortedKapes are the logs in the order of their directories.
func (col *collection) sortedKapes() (all []*kape) {
	for _, dir := range slices.Sorted(maps.Keys(col.kapes)) {
		all = append(all, col.kapes[dir])
	}
	return all
}

// A copied file is a row of the log of files that KAPE copied.
type copied struct {
	from     skip   // where it was
	dest     string // where it was copied to, slash-separated, with the directories above the collection
	size     int64  // bytes; -1 if the log does not say
	sha1     string // lower-case hex, "" if the log does not say
	modified time.Time
}

// kapeOf returns the logs in dir, made on first use.
func (col *collection) kapeOf(dir string) *kape {
	k := col.kapes[dir]
	if k == nil {
		k = &kape{dir: dir, used: new(bool)}
		col.kapes[dir] = k
	}
	return k
}

// inherit takes the logs that lie beside the container for its own.
func (col *collection) inherit(outer *kape) {
	if outer == nil || col.kapes[""] != nil {
		return
	}
	k := *outer
	k.dir, k.skips, k.failed = "", nil, nil
	for _, s := range outer.skips {
		own := *s
		own.dir = ""
		k.skips = append(k.skips, &own)
	}
	for _, f := range outer.failed {
		f.dir = ""
		k.failed = append(k.failed, f)
	}
	col.kapes[""] = &k
}

// beside returns the logs that may tell of a container in dir: KAPE leaves them
// outside of the archive or disk that it packs a collection into.
func (col *collection) beside(dir string) *kape {
	if dir == "." {
		dir = ""
	}
	if k := col.kapes[dir]; k != nil && !*k.used {
		return k
	}
	return nil
}

func (col *collection) copylog(dir string, b []byte) error {
	k := col.kapeOf(dir)
	return table(b, "SourceFile", func(m map[string]string) {
		c := copied{from: skipped(dir, m["SourceFile"]), dest: strings.ReplaceAll(m["DestinationFile"], `\`, "/"), size: -1, sha1: strings.ToLower(m["SourceFileSha1"])}
		if n, err := strconv.ParseInt(m["FileSize"], 10, 64); err == nil {
			c.size = n
		}
		c.modified, _ = kapeTime(m["ModifiedOnUtc"])
		if at, ok := kapeTime(m["CopiedTimestamp"]); ok && k.at.Before(at) {
			k.at = at
		}
		k.copied = append(k.copied, c)
	})
}

func (col *collection) skiplog(dir string, b []byte) error {
	k := col.kapeOf(dir)
	return table(b, "SourceFile", func(m map[string]string) {
		s := skipped(dir, m["SourceFile"])
		if triage.Expect(s.rest, false) == triage.None {
			return
		}
		s.sha1, s.deduped = strings.ToLower(m["SourceFileSha1"]), strings.EqualFold(m["Reason"], "Deduped")
		k.skips = append(k.skips, &s)
	})
}

// skipped names the file that a log in dir calls p.
func skipped(dir, p string) skip {
	s := skip{dir: dir}
	n, rest := triage.Collector(p)
	s.n, s.rest = n, strings.TrimPrefix(path.Clean("/"+rest), "/") // no way up
	if s.n == 0 && len(p) > 2 && p[1] == ':' {
		s.letter = strings.ToUpper(p[:1])
	}
	return s
}

// kapeTime reads a time of the logs: "2025-08-25 20:21:09.9776063", UTC.
func kapeTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateTime, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1601 {
			return t.UTC().Truncate(timeResolution), true
		}
	}
	return time.Time{}, false
}

var (
	kapeMachine = regexp.MustCompile(`System info: Machine name: ([^,\s]{1,255}),`)
	kapeCommand = regexp.MustCompile(`Command line:\s+(.*)`)
	kapeFailed  = regexp.MustCompile(`Could not copy file (.+?) to [A-Za-z]:\\.*?(?:Error: (.*))?$`)
)

// console reads what KAPE wrote to the console: which computer it ran on, how,
// and what it could not copy.
func (col *collection) console(dir string, b []byte) {
	k := col.kapeOf(dir)
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, maxMetadata)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if m := kapeMachine.FindStringSubmatch(line); m != nil {
			k.machine = m[1]
		}
		if m := kapeCommand.FindStringSubmatch(line); m != nil {
			k.commands = append(k.commands, m[1])
		}
		m := kapeFailed.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if s := skipped(dir, m[1]); triage.Expect(s.rest, false) != triage.None {
			k.failed = append(k.failed, failure{s, strings.TrimSpace(m[2])})
		}
	}
}

// path is where the file would lie in the collection.
func (s *skip) path() string {
	root := s.letter
	if s.n > 0 {
		root = "VSS" + strconv.Itoa(s.n)
	}
	return triage.Show(path.Join(s.dir, root, s.rest))
}

// tell sets what the logs say about a volume of theirs.
func (k *kape) tell(v *Volume) {
	v.HostHint = cmp.Or(v.HostHint, k.machine)
	if v.Collected.IsZero() {
		v.Collected = k.at
	}
	if !v.Loose && k.hasNoSnapshots() {
		v.NotCollected = append(v.NotCollected, ShadowCopies)
	}
}

// hasNoSnapshots reports whether the logs say that shadow copies were not asked for.
func (k *kape) hasNoSnapshots() bool {
	for _, c := range k.commands {
		for _, word := range strings.Fields(strings.ToLower(c)) {
			if word == "--vss" {
				return false
			}
		}
	}
	return len(k.commands) > 0
}

// settle joins the logs of copied files with the files: they get the times and
// hashes that the logs have, those under a name of KAPE's own the paths that they
// had. What a log says was copied and is not here is reported, unless nothing of
// it is: the log may then tell of a container beside it.
func (col *collection) settle(c *scope) {
	if len(col.kapes) == 0 {
		return
	}
	items := map[string]*item{}
	for _, it := range c.items {
		if !it.dir {
			items[strings.ToLower(it.place)] = it
		}
	}
	roots := windowsRoots(c)
	for _, k := range col.sortedKapes() {
		var missing []*copied
		for i := range k.copied {
			cp := &k.copied[i]
			if it := k.find(items, cp); it != nil {
				k.here = true
				col.join(k, cp, it)
			} else {
				missing = append(missing, cp)
			}
		}
		for root := range roots {
			k.here = k.here || len(k.copied) == 0 && within(root, k.dir)
		}
		if k.here {
			*k.used = true
			k.lacks(c, missing)
		}
	}
}

// find returns the item that cp was copied to.
func (k *kape) find(items map[string]*item, cp *copied) *item {
	rest := strings.ToLower(cp.dest)
	for {
		_, below, ok := strings.Cut(rest, "/")
		if !ok {
			return nil
		}
		if it := items[path.Join(strings.ToLower(k.dir), below)]; it != nil {
			return it
		}
		rest = below
	}
}

func (col *collection) join(k *kape, cp *copied, it *item) {
	if !cp.modified.IsZero() {
		it.mod = cp.modified
	}
	it.copied = cp
	from := cp.from
	from.dir = k.dir
	if !strings.Contains(from.rest, ":") && !strings.HasSuffix(strings.ToLower(it.place), "/"+strings.ToLower(from.rest)) && (from.letter != "" || from.n > 0) {
		it.place = from.path() // of the folder LongFileNames
		it.path = it.place
	}
}

// lacks reports what the logs say was copied and is not there, and what could not
// be copied.
func (k *kape) lacks(c *scope, missing []*copied) {
	for _, f := range k.failed {
		own := f.skip
		k.skips = append(k.skips, &own)
		c.problem(errorf(own.path(), "the collector could not copy it: %s", f.why))
	}
	for _, cp := range missing {
		if triage.Expect(cp.from.rest, false) == triage.None {
			continue
		}
		own := cp.from
		own.dir = k.dir
		k.skips = append(k.skips, &own)
		c.problem(errorf(own.path(), "the collector's log says that it was copied, and it is not here"))
	}
}

// unsettled reports all that the logs of this container list if none of it was
// found in the container nor in one beside the logs.
func (col *collection) unsettled(c *scope) {
	for _, k := range col.sortedKapes() {
		if *k.used || c.outer != nil && k.used == c.outer.used {
			continue
		}
		k.here = true
		var missing []*copied
		for i := range k.copied {
			missing = append(missing, &k.copied[i])
		}
		k.lacks(c, missing)
	}
}

// skips are what the logs of this container say is not in it.
func (col *collection) skips() (all []*skip) {
	for _, k := range col.sortedKapes() {
		if k.here {
			all = append(all, k.skips...)
		}
	}
	return all
}
