package artifacts

import (
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
	turn                int    // of its entry in ancestry.order
}

// An ancestry remembers the last programs that a log saw starting, so that a
// command can be traced to what started it: 4688 names the creator by its
// process id only, and no further.
type ancestry struct {
	byKey map[string]started
	order []string // a ring of up to maxProcesses keys
	turn  int      // entries made so far
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
	if len(a.order) < maxProcesses { // most logs have few
		a.order = append(a.order, "")
	}
	slot := &a.order[a.turn%maxProcesses]
	if old, ok := a.byKey[*slot]; ok && old.turn == a.turn-maxProcesses {
		delete(a.byKey, *slot)
	}
	// Copies, so that a remembered line does not hold a whole record.
	a.byKey[strings.Clone(key)] = started{strings.Clone(p.Image), strings.Clone(clip(p.CommandLine)), strings.Clone(parent), a.turn}
	*slot = strings.Clone(key)
	a.turn++
}

// of returns the programs above the process key, nearest first, each as its
// command line or, without one, its image. It fills what p lacks of its parent.
// The chain ends where the record of p contradicts what was remembered.
func (a *ancestry) of(key, parent string, p *evidence.Process, unmasked bool) (chain []string) {
	seen := map[string]bool{key: true}
	for n := 0; n < maxAncestors && parent != "" && !seen[parent]; n++ {
		seen[parent] = true
		s, ok := a.byKey[parent]
		if !ok {
			break
		}
		line := s.line
		if !unmasked {
			line, _ = command.Mask(line)
		}
		if n == 0 {
			if p.ParentImage != "" && !strings.EqualFold(p.ParentImage, s.image) {
				break
			}
			p.ParentImage = s.image
			if p.ParentCommandLine == "" {
				p.ParentCommandLine = line
			}
		}
		if s.image != "" && !strings.Contains(strings.ToLower(line), strings.ToLower(s.image)) {
			line = strings.TrimSpace(s.image + ": " + line) // what a line calls a program is not what ran
		}
		chain = append(chain, line)
		parent = s.parent
	}
	return chain
}

// baseName returns the last component of a Windows path.
func baseName(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }
