package source

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sharetrail/parsers/source/triage"
)

// layout makes volumes of what a container holds, opens the archives in it,
// and returns its part of the tree.
func (s *scanner) layout(c *scope) (*Node, error) {
	col := s.collection(c)
	l := &layouter{s: s, c: c, col: col, roots: windowsRoots(c), volumes: map[string]*Volume{}, strays: map[*Volume][]string{}, hiveLogs: map[*Volume][]string{}}
	l.groups = l.systemDirs()
	for dir := range col.packages {
		if _, inTree := triage.Nearest(dir, l.roots); !inTree {
			if l.groups == nil {
				l.groups = map[string]bool{}
			}
			l.groups[dir] = true
		}
	}
	if !c.shut {
		if err := l.images(); err != nil {
			return nil, err
		}
	}
	node := &Node{ID: c.id, Kind: c.kind, Size: c.size, Offset: -1, Label: c.label}
	for _, it := range c.items {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		child, err := l.add(it)
		if err != nil {
			return nil, err
		}
		if child != nil {
			node.Children = append(node.Children, child)
		}
	}
	for _, it := range c.freed {
		l.recovered(it, true)
	}
	for _, it := range c.streams {
		l.recovered(it, false)
	}
	for v, paths := range l.strays {
		v.problem(strayHives(paths))
	}
	for v, logs := range l.hiveLogs {
		orphans(v, logs)
	}
	col.unsettled(c)
	for _, p := range c.problems {
		l.report(p)
	}
	if n := len(l.sealed); n > 0 {
		l.report(errorf("", "%d more members cannot be opened, the first is %q: %s", n, l.sealed[0].path, l.sealed[0].sealed))
	}
	if n := len(l.single); n > 0 {
		l.report(warnf(l.single[0], "is compressed, one of %d that are: read unpacked, under its name without the ending; offsets are those in what it holds", n))
	}
	if l.closed > 0 {
		l.report(warnf("", "%d archives and disk images in it were not opened", l.closed))
	}
	l.finish(node)
	return node, nil
}

// windowsRoots collects the roots that the items prove, each with the spelling
// of its path.
func windowsRoots(c *scope) map[string]bool {
	roots := map[string]bool{}
	for _, it := range c.items {
		for _, r := range triage.Roots(it.place) {
			roots[r] = true
		}
	}
	return roots
}

type layouter struct {
	s        *scanner
	c        *scope
	col      *collection
	roots    map[string]bool // of Windows trees
	groups   map[string]bool // directories that divide the loose files; nil if they are one group
	volumes  map[string]*Volume
	outside  []Problem // of no volume
	opened   map[*item]*image
	closed   int                  // archives and images that are not opened
	strays   map[*Volume][]string // hives in a Windows tree, where Windows keeps none
	hiveLogs map[*Volume][]string // transaction logs, by their content
	single   []string             // files that are compressed one by one
	sealed   []*item              // members whose names promise nothing and whose content cannot be seen
}

// systemDirs returns the directories that hold a loose SYSTEM hive directly, or
// nil if there is at most one. A hive counts if it calls itself SYSTEM or its
// file name starts so.
func (l *layouter) systemDirs() map[string]bool {
	dirs := map[string]bool{}
	for _, it := range l.c.items {
		dir, name := path.Split(it.place)
		if it.head.kind != Hive || !it.head.system && !hasPrefixFold(name, "SYSTEM") {
			continue
		}
		if _, inTree := triage.Nearest(it.place, l.roots); !inTree {
			dirs[strings.TrimSuffix(dir, "/")] = true
		}
	}
	if len(dirs) < 2 {
		return nil
	}
	return dirs
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// where returns the root that a path belongs to and whether it is loose.
func (l *layouter) where(p string) (root string, loose bool) {
	if root, ok := triage.Nearest(p, l.roots); ok {
		return root, false
	}
	root, _ = triage.Nearest(p, l.groups)
	return root, true
}

// volume returns the volume of root, made on first use. A directory cannot be
// both a Windows root and the top of loose files: these would lie in the tree.
func (l *layouter) volume(root string, loose bool) *Volume {
	v := l.volumes[root]
	if v == nil {
		v = &Volume{Kind: l.c.kind, Root: root, Loose: loose, Label: cmp.Or(triage.Label(root), l.c.label)}
		l.volumes[root] = v
	}
	return v
}

// inVolume is the path of an item inside its volume, and what to judge it by.
func inVolume(root string, it *item) (shown, place string) {
	shown, place = triage.Rel(root, it.path), triage.Rel(root, it.place)
	if triage.Encoded(root) {
		shown, place = triage.Decode(shown), triage.Decode(place)
	}
	return shown, place
}

// A spot is where an item lies: in which volume, its path there, and what to judge it by.
type spot struct {
	root         string
	loose        bool
	shown, place string
}

func (l *layouter) spot(it *item) spot {
	root, loose := l.where(it.place)
	shown, place := inVolume(root, it)
	return spot{root, loose, shown, place}
}

// at returns the volume of a spot.
func (l *layouter) at(s spot) *Volume { return l.volume(s.root, s.loose) }

// add sorts one item into its volume, or opens it if it is an archive.
func (l *layouter) add(it *item) (*Node, error) {
	at := l.spot(it)
	packed := it.archive()
	switch {
	case it.dir:
		if triage.IsHiveDir(at.place, at.loose) {
			l.at(at).problem(errorf(at.shown, "is a directory, where a file of this name is expected"))
		}
		return nil, nil
	case it.sealed != "":
		l.seal(it, at.place, at.loose)
		l.unreadable(at)
		return nil, nil
	case it.lost:
		l.unreadable(at)
		return nil, nil
	case l.opened[it] != nil:
		im := l.opened[it]
		im.outer = l.col.beside(path.Dir(it.place))
		return l.s.disk(it, im, join(l.c.id, it.path), l.c.depth+1)
	case at.loose && l.c.shut && (packed != "" || it.isImage()):
		l.closed++
		return nil, nil
	case at.loose && packed != "" && l.c.kind != "file":
		node, un, err := l.openArchive(it, packed)
		if un == nil || err != nil {
			return node, err
		}
		it = un
	case !at.loose && packed != "":
		if l.c.kind != "ntfs" && triage.HasFolders(path.Dir(at.place)) {
			l.at(at).problem(warnf(at.shown, "an archive where Windows has folders: not opened, as those of users are not; if a folder was packed into it, extract it and point at the whole"))
		}
		un, err := l.unpacked(it, at)
		if un == nil || err != nil {
			return nil, err
		}
		it = un
	}
	at.shown, at.place = inVolume(at.root, it)
	l.addFile(it, at)
	return nil, nil
}

// openArchive opens an archive among loose files. If it is nothing but one file that
// is compressed, it returns that.
func (l *layouter) openArchive(it *item, kind string) (*Node, *item, error) {
	c, err := l.s.listed(it, kind, join(l.c.id, it.path), l.c.depth+1, l.col.beside(path.Dir(it.place)))
	if err != nil {
		return nil, nil, err
	}
	un := c.lone(it)
	if un == nil {
		node, err := l.s.layout(c)
		return node, nil, err
	}
	for _, p := range c.problems {
		p.Path = it.path
		l.outside = append(l.outside, p)
	}
	l.single = append(l.single, it.path)
	return nil, un, nil
}

// addFile sorts a file into its volume.
func (l *layouter) addFile(it *item, at spot) {
	if !at.loose && it.head.kind == Hive && !triage.KeepsHives(at.place) {
		if !triage.OwnHive(at.place) {
			v := l.at(at)
			l.strays[v] = append(l.strays[v], at.shown)
		}
		return
	}
	f, p := l.judge(it, at.place, at.loose)
	if f != nil && it.passed {
		f, p = nil, &Problem{Severity: Error, Offset: -1, What: "member was not unpacked: extract it and point at the extracted folder"}
	}
	if f == nil {
		l.unreadable(at)
	}
	switch {
	case p == nil:
	case f == nil && at.loose:
		p.Path = it.path
		l.outside = append(l.outside, *p)
	default:
		p.Path = at.shown
		l.at(at).problem(*p)
	}
	if f == nil {
		return
	}
	v := l.at(at)
	f.Path = at.shown
	if p := l.col.complete(it, f); p != nil {
		p.Path = at.shown
		v.problem(*p)
	}
	v.Files = append(v.Files, *f)
	if it.head.kind == HiveLog {
		l.hiveLogs[v] = append(l.hiveLogs[v], at.shown)
	}
}

// unreadable notes down a file in a Windows tree that cannot be read, if it is one
// that coverage tells of.
func (l *layouter) unreadable(at spot) {
	if n := triage.Expect(at.place, at.loose); !at.loose && (n == triage.Hive || n == triage.Log) {
		v := l.at(at)
		v.Unreadable = append(v.Unreadable, at.shown)
	}
}

// orphans says which transaction logs lie where there is no hive of their name.
func orphans(v *Volume, logs []string) {
	stem := func(p string) string {
		p = strings.ToLower(p)
		if i := strings.LastIndexByte(p, '~'); i >= 0 && strings.Trim(p[i+1:], "0123456789") == "" {
			p = p[:i]
		}
		return p
	}
	hives := map[string]bool{}
	for _, f := range v.Files {
		if f.Kind == Hive || f.Kind == Other && f.Expected {
			hives[stem(f.Path)] = true
		}
	}
	logs = slices.DeleteFunc(logs, func(p string) bool {
		p = stem(p)
		return hives[strings.TrimSuffix(p, path.Ext(p))]
	})
	if len(logs) > 0 {
		v.problem(warnf(logs[0], "a transaction log of a registry hive, one of %d, without its hive: not read", len(logs)))
	}
}

// strayHives tells of hives where Windows keeps none: what lies in the folder of a
// user may be anybody's.
func strayHives(paths []string) Problem {
	return warnf(paths[0], "a registry hive where Windows keeps none, one of %d on this volume: whose it is is not known, so it was not read; extract it and point at it", len(paths))
}

// recovered adds a deleted file, or bytes that are no file, to the volume that it
// lies in. It is no proof of a Windows tree.
func (l *layouter) recovered(it *item, deleted bool) {
	at := l.spot(it)
	v := l.at(at)
	if deleted && !at.loose && it.head.kind == Hive && !triage.KeepsHives(at.place) {
		l.strays[v] = append(l.strays[v], at.shown)
		return
	}
	away := deleted && !at.loose && it.head.kind == EVTX && !triage.KeepsLogs(at.place)
	v.Files = append(v.Files, File{Path: at.shown, Size: it.size, ModTime: it.mod, Kind: it.head.kind, Deleted: deleted, Away: away, Open: it.open})
}

// seal reports an item that cannot be opened. In an archive that is encrypted
// throughout, one problem stands for all whose names promise nothing.
func (l *layouter) seal(it *item, place string, loose bool) {
	name := triage.Expect(place, loose)
	if name == triage.None && !strings.EqualFold(path.Ext(place), ".zip") {
		l.sealed = append(l.sealed, it)
		return
	}
	l.report(errorf(it.path, "member is %s", it.sealed))
}

func (v *Volume) problem(p Problem) { v.Problems = append(v.Problems, p) }

// report sorts a problem that was met before the layout was known. One in a
// Windows tree belongs to that volume even if the volume has nothing else.
func (l *layouter) report(p Problem) {
	root, loose := l.where(p.Path)
	if p.Path == "" || loose {
		l.outside = append(l.outside, p)
		return
	}
	p.Path, _ = inVolume(root, &item{path: p.Path, place: p.Path})
	l.volume(root, loose).problem(p)
}

// finish sorts, names and hands over the volumes of a container.
func (l *layouter) finish(node *Node) {
	l.collected()
	for _, p := range l.outside {
		p.Path = join(l.c.id, p.Path)
		l.s.ev.problem(p)
		node.Problems = append(node.Problems, p)
	}
	sortProblems(node.Problems)
	roots := slices.Sorted(maps.Keys(l.volumes))
	for _, root := range roots {
		v := l.volumes[root]
		v.ID = l.c.id
		if len(roots) > 1 {
			v.ID = join(l.c.id, root)
		}
		v.Unlisted = l.c.unlistedIn(root)
		uniquePaths(v.Files)
		sortProblems(v.Problems)
		v.Problems = slices.Compact(v.Problems) // what hides one directory is met on several ways
		l.col.tell(l.c, root, v)
		l.s.ev.Volumes = append(l.s.ev.Volumes, v)
		l.c.volumes = append(l.c.volumes, v)
		if len(roots) == 1 {
			v.node = node
			node.Files, node.Problems = v.Files, append(node.Problems, v.Problems...)
			continue
		}
		kind := "windows"
		if v.Loose {
			kind = "loose"
		}
		v.node = &Node{ID: v.ID, Kind: kind, Size: -1, Offset: -1, Label: v.Label, Problems: slices.Clone(v.Problems), Files: v.Files}
		node.Children = append(node.Children, v.node)
	}
	l.snapshots()
	slices.SortStableFunc(node.Children, func(a, b *Node) int { return strings.Compare(a.ID, b.ID) })
}

// unlistedIn returns what of the volume of root is not known to be listed whole.
func (c *scope) unlistedIn(root string) (dirs []string) {
	for _, dir := range c.unlisted {
		switch {
		case within(root, dir):
			dirs = append(dirs, "")
		case within(dir, root):
			dir, _ = inVolume(root, &item{path: dir, place: dir})
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// join adds a name to a container's id.
func join(id, name string) string {
	if id == "" || name == "" {
		return id + name
	}
	return id + "!" + name
}

// uniquePaths sorts files and tells equal paths apart: names that differ only
// in bytes that cannot be shown, or in their encoding.
func uniquePaths(files []File) {
	slices.SortStableFunc(files, func(a, b File) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 || a.Deleted == b.Deleted {
			return c
		} else if a.Deleted {
			return 1
		}
		return -1
	})
	taken := map[string]bool{}
	for i := range files {
		files[i].Path = unique(taken, files[i].Path, func(s string) string { return s })
	}
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// unique returns p, or p~2, p~3, ... if its key is taken, and takes it.
func unique(taken map[string]bool, p string, key func(string) string) string {
	name := p
	for n := 2; taken[key(name)]; n++ {
		name = p + "~" + strconv.Itoa(n)
	}
	taken[key(name)] = true
	return name
}

func sortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Offset, b.Offset), strings.Compare(a.Severity, b.Severity), strings.Compare(a.What, b.What))
	})
}

// folderLabel names a folder. One that stands for a drive, as KAPE's "C" does,
// is named by what it lies in.
func folderLabel(abs string) string {
	slash := strings.Trim(filepath.ToSlash(strings.TrimPrefix(abs, filepath.VolumeName(abs))), "/")
	return triage.Show(cmp.Or(triage.Label(slash), path.Base(slash)))
}
