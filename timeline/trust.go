package timeline

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// trust lowers a claim that rests on what was found outside of any log or hive,
// and says so. Such a record proves itself. Nothing around it does: it may be
// older than the rest thinks, and of what else there was nothing is known. Where
// all that shows the matter is of that kind, the claim is likely at most; where
// other facts agree, strong at most.
func (c *Case) trust(cl Claim) Claim {
	facts := slices.Clone(cl.Facts) // perhaps of other hosts
	for _, s := range cl.Steps {
		for _, id := range s.Observations {
			if i, ok := slices.BinarySearchFunc(c.byID, id, func(o *evidence.Fact, id string) int { return strings.Compare(o.ID, id) }); ok {
				facts = append(facts, c.byID[i])
			}
		}
	}
	facts = slices.DeleteFunc(facts, func(o *evidence.Fact) bool { return o == nil })
	var before []*evidence.Fact // what shows that it was there
	if l := cl.Life; l != nil {
		before = slices.Concat(l.Maps, l.Uses)
	}
	cl = doubted(cl, facts, before)
	var carved, places []string
	others := false // is anything else said of the matter itself
	for _, o := range facts {
		switch {
		case o.State == evidence.Carved:
			carved = addNew(carved, o.ID)
			places = addNew(places, placeName(o.From().Place))
		case !gone(o.State) && !slices.Contains(before, o):
			others = true
		}
	}
	if len(carved) == 0 {
		return onlyDeleted(cl, facts)
	}
	what, most := "All that shows it was recovered from %s,", Likely
	if others {
		what, most = "Some of what shows it was recovered from %s,", Strong
	}
	slices.Sort(places)
	cl.Confidence = cl.Confidence.Weaker(most)
	cl.Steps = append(slices.Clip(cl.Steps), Step{
		Statement:    fmt.Sprintf(what+" outside of any log or hive that is in use: it proves itself, and nothing attests what else there was.", strings.Join(places, ", ")),
		Observations: carved,
	})
	return cl
}

// doubted lowers a claim that rests on what must be doubted, and says why: it is
// likely at most where nothing else shows the matter, strong where other facts agree.
func doubted(cl Claim, facts, before []*evidence.Fact) Claim {
	var why, ids []string
	others := false
	for _, o := range facts {
		switch doubt := o.Detail.Text("doubt"); {
		case doubt != "":
			why, ids = addNew(why, doubt), addNew(ids, o.ID)
		case !slices.Contains(before, o):
			others = true
		}
	}
	if len(why) == 0 {
		return cl
	}
	most := Likely
	if others {
		most = Strong
	}
	slices.Sort(why)
	more := ""
	if n := len(why) - maxDoubts; n > 0 {
		why, more = why[:maxDoubts], fmt.Sprintf("; and for %d more reasons", n)
	}
	cl.Confidence = cl.Confidence.Weaker(most)
	cl.Steps = append(slices.Clip(cl.Steps), Step{
		Statement:    "Some of what shows it must be doubted: " + strings.Join(why, "; ") + more + ".",
		Observations: ids,
	})
	return cl
}

// maxDoubts is how many reasons to doubt a claim are told.
const maxDoubts = 3

// placeName names the bytes that a record was found in, for a sentence.
func placeName(p *evidence.Place) string {
	if p == nil {
		return "an unknown place"
	}
	name := strings.Trim(p.Path, "()")
	if name != p.Path && p.Volume != "" {
		name += " of " + p.Volume
	}
	return name
}

// onlyDeleted says so if a claim rests on nothing but what was deleted and is
// recovered from the log, hive or file that it was in.
func onlyDeleted(cl Claim, facts []*evidence.Fact) Claim {
	if len(facts) == 0 || slices.ContainsFunc(facts, func(o *evidence.Fact) bool { return o.State != evidence.Deleted }) {
		return cl
	}
	cl.Steps = append(slices.Clip(cl.Steps), Step{
		Statement:    "Everything that shows it was recovered from what had been deleted: nothing attests that it is complete.",
		Observations: Ids(facts...),
	})
	return cl
}
