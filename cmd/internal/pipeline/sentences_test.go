package pipeline

import (
	"regexp"
	"testing"
	"unicode/utf8"

	"sharetrail/timeline"
)

var (
	quoted = regexp.MustCompile("`[^`]*`") // command lines, which are as they were
	// badly is what no sentence for a court has: a number with the wrong word,
	// durations and verbs of a programming language, slips of commas and blanks.
	badly  = regexp.MustCompile(`\b[01] (records|rows|children|sessions|files|times|acts|kinds|minutes|logs|shares|connections)\b|\b\d+(ms|s|m\d+s|h\d+m\d+s)\b|%!|<nil>| {2}| [,.;:]|\.\.|[,;:]\.|\(\)|\bthe the\b`)
	doubts = regexp.MustCompile(`\bmay\b|\bif it was\b|\bended or was\b|never stored`)
	ends   = regexp.MustCompile(`[.]$`)
)

// maxSentence is how many characters a person reads in one go. A claim has two
// sentences at most.
const maxSentence = 600

// checkSentences holds what the findings of a case say to the form in which they
// are read aloud, and their words to the confidence that stands beside them.
func checkSentences(t *testing.T, gaps []timeline.Gap) {
	t.Helper()
	check := func(id, text string, whole bool) {
		bare := quoted.ReplaceAllString(text, "`…`")
		if at := badly.FindString(bare); at != "" {
			t.Errorf("%s has %q in: %s", id, at, text)
		}
		if n := utf8.RuneCountInString(bare); n > maxSentence {
			t.Errorf("%s has %d characters: %s", id, n, text)
		}
		if whole && !ends.MatchString(bare) {
			t.Errorf("%s has no end: %s", id, text)
		}
	}
	for _, g := range gaps {
		check(g.ID, g.Claim, true)
		if (g.Confidence == timeline.Possible) != doubts.MatchString(quoted.ReplaceAllString(g.Claim, "")) {
			t.Errorf("%s is %s, and says: %s", g.ID, g.Confidence, g.Claim)
		}
		for _, s := range g.Reasoning {
			check(g.ID, s.Statement, true)
		}
		for _, b := range g.Benign {
			check(g.ID, b.Explanation+": "+b.Because, false)
		}
		for _, m := range g.Missing {
			check(g.ID, m.What+": "+m.Why, false)
		}
	}
}
