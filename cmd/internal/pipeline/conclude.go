package pipeline

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
	"sharetrail/timeline/rules"
)

// conclude resolves whose facts they are and reasons from them, host by host.
// With ctx done it leaves out hosts.
func conclude(ctx context.Context, tasks []*task, problems []evidence.Problem, o Options) timeline.Report {
	tellApart(tasks)
	obs, facts, found := resolve(tasks)
	obs = identify(obs)
	rep := timeline.Report{Problems: slices.Concat(problems, found, disputed(obs, facts))}
	byHost := divide(obs)
	covers := map[string][]evidence.Coverage{}
	for _, f := range facts {
		covers[f.Host] = append(covers[f.Host], f)
		if _, ok := byHost[f.Host]; !ok {
			byHost[f.Host] = nil
		}
	}
	for h := range byHost {
		rep.Hosts = append(rep.Hosts, h)
	}
	slices.Sort(rep.Hosts)
	var cases []*timeline.Case
	for _, h := range rep.Hosts {
		if ctx.Err() != nil {
			return rep
		}
		c := timeline.NewCase(h, byHost[h], covers[h])
		rep.Problems = append(rep.Problems, c.MadeAnew()...)
		cases = append(cases, c)
	}
	timeline.Meet(cases)
	for _, c := range cases {
		if ctx.Err() != nil {
			return rep
		}
		gaps, conns, notRun := timeline.Reason(c, rules.All())
		rep.Gaps = joined(rep.Gaps, gaps)
		rep.Connections = joined(rep.Connections, conns)
		rep.NotRun = append(rep.NotRun, notRun...)
		rows := c.Coverage
		for i := range rows {
			nameHoles(rows[i].Holes)
		}
		rep.Coverage = append(rep.Coverage, rows...)
	}
	timeline.SortGaps(rep.Gaps)
	timeline.SortConnections(rep.Connections)
	slices.SortStableFunc(rep.Coverage, func(a, b timeline.CoverageRow) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Evidence, b.Evidence), a.From.Compare(b.From))
	})
	rep.Observations = shown(obs, rep.Named(true), o.Context)
	sortProblems(rep.Problems)
	return rep
}

// divide returns the facts of each host. They are many: no list of them grows.
func divide(obs []*evidence.Fact) map[string][]*evidence.Fact {
	count := map[string]int{}
	for _, o := range obs {
		count[o.Host]++
	}
	byHost := map[string][]*evidence.Fact{}
	for h, n := range count {
		byHost[h] = make([]*evidence.Fact, 0, n)
	}
	for _, o := range obs {
		byHost[o.Host] = append(byHost[o.Host], o)
	}
	return byHost
}

// joined appends b to a, without a copy of what is the first.
func joined[T any](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

// nameHoles turns what shows a hole into ids.
func nameHoles(holes []evidence.Hole) {
	for i := range holes {
		holes[i].Observations = timeline.Ids(holes[i].Why)
	}
}

// shown leaves out the context facts that the policy does not want as rows. An
// id that a list names is always a row.
func shown(obs []*evidence.Fact, named map[string]bool, policy string) []evidence.Observation {
	isRow := func(o *evidence.Fact) bool {
		return policy == "all" || !o.Action.IsContext() || named[o.ID] && policy != "none"
	}
	n := 0
	for _, o := range obs {
		if isRow(o) {
			n++
		}
	}
	rows := make([]evidence.Observation, 0, n) // to grow it would take more memory than all else
	for _, o := range obs {
		if isRow(o) {
			rows = append(rows, o.Whole())
		}
	}
	return rows
}

func sortProblems(ps []evidence.Problem) {
	at := func(p evidence.Problem) evidence.Place {
		if p.From.Place == nil {
			return evidence.Place{}
		}
		return *p.From.Place
	}
	slices.SortStableFunc(ps, func(a, b evidence.Problem) int {
		pa, pb := at(a), at(b)
		return cmp.Or(strings.Compare(pa.Source, pb.Source), strings.Compare(pa.Volume, pb.Volume), strings.Compare(pa.Path, pb.Path),
			cmp.Compare(a.From.Offset, b.From.Offset), strings.Compare(a.What, b.What))
	})
}
