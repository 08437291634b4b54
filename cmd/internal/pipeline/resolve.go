package pipeline

import (
	"cmp"
	"iter"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// resolve gives every fact its host and user, and returns all facts together.
func resolve(tasks []*task) (obs []*evidence.Fact, facts []evidence.Coverage, problems []evidence.Problem) {
	joinRecent(tasks)
	hosts := nameHosts(tasks)
	hosts.carvedHosts(tasks)
	for _, t := range tasks {
		t.place.Host = hosts.volume[t.vol]
		for o := range t.statements() {
			o.Host = hosts.canonical(cmp.Or(o.Host, t.place.Host))
			if rest, ok := strings.CutPrefix(o.Share, anyServer); ok {
				o.Share = `\\` + o.Host + `\` + rest
				o.Summary = strings.ReplaceAll(o.Summary, anyServer, `\\`+o.Host+`\`)
			}
		}
		for i := range t.out.Coverage {
			c := &t.out.Coverage[i]
			c.Host = hosts.canonical(cmp.Or(c.Host, t.place.Host))
		}
		// A file whose facts all belong to one other host, such as a loose
		// log, lies on that host as far as anybody can tell.
		if len(t.out.Coverage) > 0 && t.vol.Loose {
			t.place.Host = t.out.Coverage[0].Host
		}
		if t.raw() && t.vol.Loose {
			t.place.Host = cmp.Or(onlyHost(t.out.Observations), t.place.Host)
		}
		for _, p := range t.out.Places {
			p.Host = t.place.Host
		}
	}
	users := nameUsers(tasks)
	for _, t := range tasks {
		users.setApart(t)
		for o := range t.statements() {
			users.fill(o)
		}
		for i := range t.out.Coverage {
			users.fillCoverage(&t.out.Coverage[i])
			t.told = t.told || t.out.Coverage[i].Evidence != "registry:"+string(hive.Unknown)
		}
		obs = append(obs, t.out.Observations...)
		facts = append(facts, t.out.Coverage...)
		problems = append(problems, t.out.Problems...)
		t.out.Observations, t.out.Coverage = nil, nil
	}
	return obs, append(facts, volumeFacts(tasks, hosts)...), problems
}

// statements returns what the facts of t say, each once: facts share them.
func (t *task) statements() iter.Seq[*evidence.Observation] {
	return func(yield func(*evidence.Observation) bool) {
		seen := map[*evidence.Observation]bool{}
		for _, f := range t.out.Observations {
			if o := f.Observation; !seen[o] {
				seen[o] = true
				if !yield(o) {
					return
				}
			}
		}
	}
}

// anyServer is how a server's own records begin the names of its shares.
const anyServer = `\\*\`
