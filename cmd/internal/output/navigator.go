package output

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sharetrail/timeline"
)

// The objects of an ATT&CK Navigator layer, format 4.5 (layers/spec/v4.5 of
// attack-navigator). The version of ATT&CK and the tactics are left out: the
// ids hold in any, and T1070.005 has moved between tactics.
type (
	navigatorLayer struct {
		Name        string               `json:"name"`
		Versions    navigatorVersions    `json:"versions"`
		Domain      string               `json:"domain"`
		Description string               `json:"description"`
		Sorting     int                  `json:"sorting"` // 3: highest score first
		Layout      navigatorLayout      `json:"layout"`
		Techniques  []navigatorTechnique `json:"techniques"`
		Gradient    navigatorGradient    `json:"gradient"`
		LegendItems []navigatorLegend    `json:"legendItems"`
		Metadata    []navigatorMetadata  `json:"metadata"`
	}
	navigatorVersions struct {
		Navigator string `json:"navigator"`
		Layer     string `json:"layer"`
	}
	navigatorLayout struct {
		Layout                string `json:"layout"`
		ShowID                bool   `json:"showID"`
		ShowName              bool   `json:"showName"`
		ExpandedSubtechniques string `json:"expandedSubtechniques"` // "annotated", or those of the layer stay hidden
	}
	navigatorTechnique struct {
		TechniqueID string              `json:"techniqueID"`
		Score       int                 `json:"score"`
		Comment     string              `json:"comment"`
		Enabled     bool                `json:"enabled"`
		Metadata    []navigatorMetadata `json:"metadata"`
	}
	navigatorGradient struct {
		Colors   []string `json:"colors"`
		MinValue int      `json:"minValue"`
		MaxValue int      `json:"maxValue"`
	}
	navigatorLegend struct {
		Label string `json:"label"`
		Color string `json:"color"`
	}
	navigatorMetadata struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// navigatorScores grade a technique by its gravest finding; rows without a
// finding give 0.
var navigatorScores = map[timeline.Severity]int{timeline.Info: 1, timeline.Low: 2, timeline.Medium: 3, timeline.High: 4}

var navigatorColors = []string{"#eceff3", "#cfe2f6", "#9cc3ee", "#f2b36a", "#d9534a"}

var techniqueID = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)

// maxNavigatorClaims is how many findings the comment on a technique quotes.
const maxNavigatorClaims = 10

// WriteNavigator writes the techniques that rows and findings of r name as a layer
// of the ATT&CK Navigator. version is that of the program.
func WriteNavigator(w io.Writer, r *timeline.Report, version string) error {
	layer := navigatorLayer{
		Name: "sharetrail", Versions: navigatorVersions{"4.9.0", "4.5"}, Domain: "enterprise-attack", Sorting: 3,
		Layout:      navigatorLayout{"side", true, true, "annotated"},
		Description: "Techniques that rows or findings of sharetrail name. No colour is no proof that a technique was not used.",
		Techniques:  navigatorTechniques(r),
		Gradient:    navigatorGradient{navigatorColors, 0, 4},
		LegendItems: []navigatorLegend{{"rows, no finding", navigatorColors[0]}, {"finding: info", navigatorColors[1]}, {"finding: low", navigatorColors[2]}, {"finding: medium", navigatorColors[3]}, {"finding: high", navigatorColors[4]}},
		Metadata:    []navigatorMetadata{{"made by", "sharetrail " + version}},
	}
	if hosts := hostsOf(r); len(hosts) > 0 {
		layer.Name += ": " + Visible(strings.Join(hosts, ", "))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(layer)
}

// hostsOf returns the hosts that rows of r name; a report that was read from a
// folder has no list of its own.
func hostsOf(r *timeline.Report) []string {
	seen := map[string]bool{}
	for i := range r.Observations {
		seen[r.Observations[i].Host] = true
	}
	for i := range r.Coverage {
		seen[r.Coverage[i].Host] = true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

// navigatorTechniques returns what r says about each technique, ordered by id.
func navigatorTechniques(r *timeline.Report) []navigatorTechnique {
	type facts struct {
		score, rows, findings int
		claims                []string
	}
	by := map[string]*facts{}
	of := func(id string) *facts {
		if by[id] == nil {
			by[id] = &facts{}
		}
		return by[id]
	}
	for _, g := range r.Gaps { // the gravest first
		for _, id := range g.Attack {
			f := of(id)
			f.findings++
			f.score = max(f.score, navigatorScores[g.Severity])
			if len(f.claims) < maxNavigatorClaims {
				f.claims = append(f.claims, Visible(fmt.Sprintf("%s (%s, %s): %s", g.ID, g.Severity, g.Confidence, g.Claim)))
			}
		}
	}
	for i := range r.Observations {
		for _, id := range r.Observations[i].Attack {
			of(id).rows++
		}
	}
	out := []navigatorTechnique{}
	for id, f := range by {
		if !techniqueID.MatchString(id) {
			continue
		}
		if n := f.findings - len(f.claims); n > 0 {
			f.claims = append(f.claims, timeline.Counted(n, "more finding", "more findings"))
		}
		out = append(out, navigatorTechnique{
			TechniqueID: id, Score: f.score, Comment: cmp.Or(strings.Join(f.claims, "\n"), "rows of the timeline, no finding"), Enabled: true,
			Metadata: []navigatorMetadata{{"findings", strconv.Itoa(f.findings)}, {"rows", strconv.Itoa(f.rows)}},
		})
	}
	slices.SortFunc(out, func(a, b navigatorTechnique) int { return strings.Compare(a.TechniqueID, b.TechniqueID) })
	return out
}
