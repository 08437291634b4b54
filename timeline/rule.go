package timeline

import (
	"iter"
	"slices"

	"sharetrail/artifacts/evidence"
)

// A Rule finds one kind of gap. It is a literal, one file a rule, and yields
// claims; merging them into gaps is not its business.
type Rule struct {
	ID        string // "G31"; never changes meaning
	Title     string
	Technique string     // ATT&CK id; "" if none
	Claim     string     // what a claim of it says
	Base      Confidence // of a claim, before coverage and other kinds of evidence move it
	Severity  Severity   // of a claim, likewise
	Logic     string     // what must hold in the evidence
	Bound     string     // how the window follows
	Misses    string     // what it cannot see
	Benign    []string   // innocent causes that it tests or names
	Reference string
	// Needs names the evidence that the rule cannot do without: one of each
	// group, separated by "|". A host without it gets the rule reported as not
	// run.
	Needs []string
	Find  func(c *Case) iter.Seq[Claim]
	// Tie, if set, is asked once all gaps are known, instead of Find: for what
	// ties several of them together, or says more of one.
	Tie func(c *Case, found []*Found) iter.Seq[Claim]
}

// A Kind says what a claim is about: claims of one kind about one removal are
// one gap.
type Kind int

// The kinds.
const (
	KindRemoval  Kind = iota // a connection was removed, or a trace of one
	KindEnd                  // a connection ended without having been removed
	KindNoEffect             // a removal was tried and did not last
	KindTrace                // a trace of a connection was removed, or should be there
	KindBlind                // evidence is missing
	KindCluster              // several of the others belong together
)

// A Claim is what one rule says of one removal.
type Claim struct {
	Kind       Kind
	Life       *Life // nil if the connection is not known
	User, SID  string
	Share      string
	Drive      string
	Window     Window
	Confidence Confidence
	Severity   Severity
	Text       string // one sentence
	Steps      []Step
	Benign     []Benign
	Missing    []Missing
	By         RemovedBy
	Actor      *evidence.Fact // the fact that names who did it
	Facts      []*evidence.Fact
	Attack     []string
	Lives      []*Life  // further connections that it is about, where Life is nil or the first of them
	Of         *Found   // Rule.Tie only: the claim says more of this gap, and is none of its own
	Ties       []*Found // Rule.Tie only: the gaps that the claim ties together

	rule *Rule
}

// Ids returns the ids of facts, each once, in order.
func Ids(facts ...*evidence.Fact) []string {
	out := []string{}
	seen := map[string]bool{}
	for _, o := range facts {
		if o != nil && !seen[o.ID] {
			seen[o.ID] = true
			out = append(out, o.ID)
		}
	}
	return out
}

// rank orders words from strong to weak.
func (c Confidence) rank() int {
	for i, w := range []Confidence{Certain, Strong, Likely, Possible} {
		if c == w {
			return i
		}
	}
	return 4
}

// rank orders words from grave to harmless.
func (s Severity) rank() int {
	for i, w := range []Severity{High, Medium, Low, Info} {
		if s == w {
			return i
		}
	}
	return 4
}

// rank puts first what a reader has to weigh.
func (v Verdict) rank() int {
	return slices.Index([]Verdict{Supported, VerdictUnknown, Contradicted}, v)
}

// Weaker returns the weaker of c and d.
func (c Confidence) Weaker(d Confidence) Confidence {
	if d.rank() > c.rank() {
		return d
	}
	return c
}

// Milder returns the less grave of s and t.
func (s Severity) Milder(t Severity) Severity {
	if t.rank() > s.rank() {
		return t
	}
	return s
}

// AtLeast reports whether s is as grave as t or graver.
func (s Severity) AtLeast(t Severity) bool { return s.rank() <= t.rank() }
