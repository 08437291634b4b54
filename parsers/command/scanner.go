package command

import (
	"slices"
	"strings"
)

// Bounds on hostile input. Nothing that people write comes near them.
const (
	maxDepth    = 24   // interpreters within interpreters
	maxPipe     = 16   // commands of a pipeline that are looked at together
	maxExpand   = 256  // values of one loop or array
	maxSegments = 8192 // recognised commands of one line
	workFactor  = 40   // bytes read in all, as a multiple of the line
	workFloor   = 1 << 20
)

type found struct {
	Segment
	doc    *document
	lo, hi int
}

// A scanner reads one line or script.
type scanner struct {
	doc   *document
	out   []found
	leaf  int // ordinal of the next simple command
	depth int
	work  int // bytes it may still read
	keep  int // part of work that expansions must leave for the rest of the line
	dead  int // >0: the text is data, not run: only its secrets count

	remote   string
	deferred bool

	env    map[string]string   // variables that set gave a value, by lower-case name
	vars   map[string][]string // PowerShell variables of known value
	piping string              // words of the pipeline that feeds the block being read, lower case
}

func newScanner(line string) *scanner {
	work := workFloor + workFactor*len(line)
	return &scanner{doc: &document{orig: line}, work: work, keep: work / 2, env: map[string]string{}, vars: map[string][]string{}}
}

// enter accounts for n bytes one level down; it reports whether that is allowed.
func (s *scanner) enter(n int) bool {
	if s.depth >= maxDepth || s.work < n {
		return false
	}
	s.depth++
	s.work -= n + 1
	return true
}

// spent says whether expansions have had their part of the work. What is left
// unexpanded then stays in the result as it was written.
func (s *scanner) spent() bool { return s.work < s.keep }

func (s *scanner) leave() { s.depth-- }

// A call is a simple command about to be interpreted.
type call struct {
	name    string // what it is, for the choice of a reading
	program string // what it is called
	args    []arg  // without the program
	lo, hi  int    // in the document

	src text // what args were split from; unused if ps
	ps  bool // args come from PowerShell
}

// rest returns the raw text from argument i on.
func (c *call) rest(i int) text {
	if i >= len(c.args) {
		return text{base: c.hi}
	}
	if c.ps || c.args[i].start < 0 {
		return joinArgs(c.args[i:], true)
	}
	return c.src.slice(c.args[i].start, len(c.src.s))
}

// emit records what a call does.
func (s *scanner) emit(c *call, seg Segment) {
	if s.dead > 0 || len(s.out) >= maxSegments {
		return
	}
	seg.Index = s.leaf
	if seg.Program == "" {
		seg.Program = c.program
	}
	if seg.Remote == "" {
		seg.Remote = s.remote
	}
	seg.Deferred = seg.Deferred || s.deferred
	slices.Sort(seg.Flags)
	seg.Flags = slices.Compact(seg.Flags)
	lo, hi := c.lo, min(max(c.hi, c.lo), len(s.doc.orig))
	s.out = append(s.out, found{Segment: seg, doc: s.doc, lo: lo, hi: hi})
}

// secret marks an argument as a password. A prompt (*) and a masked one are none.
func (s *scanner) secret(a arg) {
	if a.t.s == "" || a.t.s == "*" || a.t.s == masked {
		return
	}
	s.hide(a.lo, a.hi)
}

// secretTail marks the part of an argument behind n bytes ("/pass:" and the like).
func (s *scanner) secretTail(a arg, n int) {
	v := a.t.s
	if n >= len(v) || v[n:] == "*" || strings.Trim(v[n:], `"'`) == masked {
		return
	}
	hi := a.t.hi(len(v))
	for hi < a.hi && s.doc.orig[hi] != '"' && s.doc.orig[hi] != '\'' {
		hi++
	}
	s.hide(a.t.lo(n), hi)
}

func (s *scanner) hide(lo, hi int) {
	if lo < hi && lo >= 0 && hi <= len(s.doc.orig) && s.doc.orig[lo:hi] != masked {
		s.doc.secrets = append(s.doc.secrets, span{int32(lo), int32(hi)})
	}
}

// secretWord marks a positional password. A separator inside it ends the command
// for the shell, yet when what follows is no command, it is the rest of the
// password: "p&ss".
func (s *scanner) secretWord(a arg) {
	if a.t.s == "" || a.t.s == "*" || a.t.s == masked {
		return
	}
	o := s.doc.orig
	lo, hi := a.lo, a.hi
	for lo > 0 && o[lo-1] == '^' {
		lo--
	}
	for hi < len(o) && !a.quoted && strings.IndexByte("&|;<>(){}^,", o[hi]) >= 0 {
		next := hi + 1
		for next < len(o) && strings.IndexByte("&|;<>(){}^,", o[next]) >= 0 {
			next++
		}
		end := next
		for end < len(o) && !isSpace(o[end]) && strings.IndexByte("&|;<>(){}^\"',`", o[end]) < 0 {
			end++
		}
		if end == next || !passwordRest(o[hi:next], o[next:end]) {
			break
		}
		hi = end
	}
	s.hide(lo, hi)
}

// passwordRest says whether word, which abuts on a separator behind a password,
// belongs to the password and not to the shell.
func passwordRest(sep, word string) bool {
	if sep[0] == '>' || sep[0] == '<' {
		return !strings.EqualFold(word, "nul") && !strings.ContainsAny(word, `\.:$`) && !(len(word) == 1 && isDigit(word[0]))
	}
	return !isCommandWord(baseName(word)) && !strings.HasPrefix(word, "/") && word != masked
}

// skipData reads text that is not run, for its secrets.
func (s *scanner) skipData(t text) {
	if !mayHide(t.s) {
		return
	}
	s.dead++
	leaf := s.leaf
	s.cmdText(t)
	s.leaf = leaf
	s.dead--
}

// within reads a document that was decoded from bytes lo to hi of this one,
// and hides those if it holds a secret.
func (s *scanner) within(decoded string, lo, hi int, read func(text)) {
	outer := s.doc
	s.doc = &document{orig: decoded}
	read(wholeText(decoded))
	inner := s.doc
	s.doc = outer
	if len(inner.secrets) > 0 {
		s.hide(lo, hi)
	}
}

// elsewhere runs read with another computer as the place of execution.
func (s *scanner) elsewhere(remote string, read func()) {
	old := s.remote
	if remote != "" {
		s.remote = remote
	}
	read()
	s.remote = old
}

// later runs read for commands that are only scheduled.
func (s *scanner) later(read func()) {
	old := s.deferred
	s.deferred = true
	read()
	s.deferred = old
}
