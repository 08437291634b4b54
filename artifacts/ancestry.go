package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
)

const (
	maxProcesses = 4096 // remembered a log: more than run at one time
	maxAncestors = 8
)

// A started is a program whose start a log recorded.
type started struct {
	image, line, parent string // parent is the key of the program that started it
}

// An ancestry remembers the last programs that a log saw starting, so that a
// command can be traced to what started it: 4688 names the creator by its
// process id only, and no further.
type ancestry struct {
	byKey map[string]started
	order []string // keys, oldest first
}

// add remembers p under key. A process id is used again after its end, so the
// latest start of an id is the one that counts.
func (a *ancestry) add(key, parent string, p evidence.Process) {
	if key == "" {
		return
	}
	if a.byKey == nil {
		a.byKey = map[string]started{}
	}
	if _, again := a.byKey[key]; again {
		a.order = slices.DeleteFunc(a.order, func(k string) bool { return k == key })
	}
	if len(a.order) == maxProcesses {
		delete(a.byKey, a.order[0])
		a.order = a.order[1:]
	}
	a.order = append(a.order, key)
	// A copy, so that a remembered line does not hold a whole record.
	a.byKey[key] = started{strings.Clone(p.Image), strings.Clone(clipTo(p.CommandLine, 512)), parent}
}

// of returns the programs above the process key, nearest first, each as its
// command line or, without one, its image. It fills what p lacks of its parent.
// The chain ends where the record of p contradicts what was remembered.
func (a *ancestry) of(key, parent string, p *evidence.Process) (chain []string) {
	seen := map[string]bool{key: true}
	for n := 0; n < maxAncestors && parent != "" && !seen[parent]; n++ {
		seen[parent] = true
		s, ok := a.byKey[parent]
		if !ok {
			break
		}
		line, _ := command.Mask(s.line)
		if n == 0 {
			if p.ParentImage != "" && !strings.EqualFold(p.ParentImage, s.image) {
				break
			}
			p.ParentImage = s.image
			if p.ParentCommandLine == "" {
				p.ParentCommandLine = line
			}
		}
		if line == "" || !strings.Contains(strings.ToLower(line), strings.ToLower(baseName(s.image))) {
			line = strings.TrimSpace(s.image + " " + line)
		}
		chain = append(chain, line)
		parent = s.parent
	}
	return chain
}

// baseName returns the last component of a Windows path.
func baseName(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// clipTo cuts s to at most n bytes, at the beginning of a character.
func clipTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
