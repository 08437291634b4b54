package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G16: access rights are stored for a share that is not, or the other way.
//
// Logic: Windows writes and removes the value in Shares and the one in
// Shares\Security together. A name in one and not in the other was edited by
// hand, or its removal was cut short.
//
// Bound: at or before the last write of the key that lacks the name, after the
// last write of the other where that is earlier.
//
// Misses: edits of both.
//
// Benign: printers and cluster roles, which keep shares their own way.
var _ = register(timeline.Rule{
	ID: "G16", Title: "access rights without a share, or a share without", Technique: "T1070.005",
	Claim: "one of two values that belong together was removed", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     `a name in LanmanServer\Shares\Security of the current control set and not in Shares, or the other way`,
	Bound:     "at or before the last write of the key that lacks the name",
	Misses:    "edits of both values",
	Benign:    []string{"a printer or a cluster role keeps its shares differently", "a share without access rights of its own"},
	Reference: "as sharetrail artifacts server-shares",
	Needs:     []string{"registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if current, _ := o.Detail.Get("current").(bool); !current || !isShareList(o, "shares") {
					continue
				}
				sec := sameSet(c, o, "security")
				if sec == nil {
					continue
				}
				for _, name := range sec.Detail.List("Names") {
					if !hasName(o, name) && !strings.EqualFold(name, "print$") && !yield(orphan(c, name, o, sec)) {
						return
					}
				}
			}
		}
	},
})

// isShareList reports whether o is the key Shares ("shares") or its subkey
// Security ("security") of a control set.
func isShareList(o *evidence.Fact, which string) bool {
	return o.Artifact == "server-shares" && o.Action == evidence.Context && strings.HasSuffix(strings.ToLower(o.From().Key), `\`+which)
}

// sameSet returns the other list of the same control set and hive, or nil.
func sameSet(c *timeline.Case, o *evidence.Fact, which string) *evidence.Fact {
	for _, x := range c.Observations {
		if isShareList(x, which) && x.From().Place == o.From().Place && strings.EqualFold(x.Detail.Text("ControlSet"), o.Detail.Text("ControlSet")) {
			return x
		}
	}
	return nil
}

func hasName(o *evidence.Fact, name string) bool {
	return slices.ContainsFunc(o.Detail.List("Names"), func(s string) bool { return strings.EqualFold(s, name) })
}

func orphan(c *timeline.Case, name string, shares, sec *evidence.Fact) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, Share: `\\` + c.Host + `\` + name, Confidence: timeline.Likely, Severity: timeline.Low,
		Window: timeline.Window{NotAfter: shares.Time, Basis: timeline.KeyLastWrite}, By: timeline.ByRegistry,
		Attack: []string{"T1070.005"}, Facts: []*evidence.Fact{shares, sec},
	}
	for _, l := range c.Lives {
		if l.Side == evidence.Server && strings.EqualFold(nameOf(l.Share), name) {
			cl.Life, cl.Share = l, l.Share
		}
	}
	cl.Text = fmt.Sprintf(`The stored share %s was removed at or before %s and its access rights were left: they stand in Shares\Security, and the share does not stand in Shares.`, cl.Share, stamp(shares.Time))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s, last written at %s, stores access rights for %s.", sec.From().Key, stamp(sec.Time), name), sec),
		step(fmt.Sprintf("%s, last written at %s, was read whole and does not store the share. Windows removes both together.", shares.From().Key, stamp(shares.Time)), shares)}
	cl.Benign = []timeline.Benign{verdict("a printer or a cluster role keeps its shares differently", timeline.VerdictUnknown, "the hive does not say what made the share", sec)}
	return cl
}
