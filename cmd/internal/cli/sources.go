package cli

import (
	"errors"
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/cmd/internal/pipeline"
	"sharetrail/parsers/source"
	"sharetrail/parsers/source/container"

	"github.com/spf13/cobra"
)

// A sourceNode is a container or volume with the host that it belongs to.
type sourceNode struct {
	*source.Node
	host     string
	children []sourceNode
}

var nodeFiles = output.NewLayout("file", []output.Column[source.File]{
	{Name: "path", Get: func(f *source.File) any { return f.Path }},
	{Name: "kind", Get: func(f *source.File) any { return string(f.Kind) }},
	{Name: "size", Get: func(f *source.File) any { return f.Size }},
	{Name: "modified", Get: func(f *source.File) any { return f.ModTime }},
	{Name: "deleted", Get: func(f *source.File) any { return f.Deleted }},
	{Name: "same_as", Get: func(f *source.File) any { return f.SameAs.Volume }},
}...)

var nodeProblems = output.NewLayout("problem", []output.Column[source.Problem]{
	{Name: "severity", Get: func(p *source.Problem) any { return p.Severity }},
	{Name: "what", Get: func(p *source.Problem) any { return p.What }},
	{Name: "path", Get: func(p *source.Problem) any { return p.Path }},
	{Name: "offset", Get: func(p *source.Problem) any { return unlessUnknown(p.Offset) }},
}...)

// unlessUnknown returns n, or nil for the -1 of an unknown number.
func unlessUnknown(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}

var nodeRows *output.Layout[sourceNode] // refers to itself

func init() {
	nodeRows = output.NewLayout("source", []output.Column[sourceNode]{
		{Name: "id", Get: func(n *sourceNode) any { return n.ID }},
		{Name: "kind", Get: func(n *sourceNode) any { return n.Kind }},
		{Name: "size", Get: func(n *sourceNode) any { return unlessUnknown(n.Size) }},
		{Name: "offset", Get: func(n *sourceNode) any { return unlessUnknown(n.Offset) }},
		{Name: "created", Get: func(n *sourceNode) any { return n.Created }},
		{Name: "host", Get: func(n *sourceNode) any { return n.host }},
		{Name: "label", Get: func(n *sourceNode) any { return n.Label }},
		{Name: "problems", Get: func(n *sourceNode) any { return output.List(nodeProblems, n.Problems) }},
		{Name: "files", Get: func(n *sourceNode) any { return output.List(nodeFiles, n.Files) }},
		{Name: "children", Get: func(n *sourceNode) any { return output.List(nodeRows, n.children) }},
	}...)
}

func (a *app) sources() *cobra.Command {
	var r reading
	var p printing
	cmd := &cobra.Command{
		Use:   "sources SOURCE...",
		Short: "Show what is in the evidence: containers, volumes, snapshots, hosts, artifact files",
		Long: `Show what is in the evidence as a tree of containers, volumes and shadow copies,
each with the host it belongs to and the files that are read. json is an array with one tree
for each SOURCE; in jsonl each tree is a line.`,
		Example: `  sharetrail sources /cases/42/WS01
  sharetrail sources WS01.zip --format json`,
		Args: sourceArgs,
	}
	r.flags(cmd)
	r.o.Context = "all" // the host of a volume may stand in context only
	cmd.Flags().BoolVar(&r.o.Verify, "verify", false, "compare each disk image with the hashes stored in it, and files with those in the collector's log, which reads them whole")
	p.flags(cmd, output.TableFormat, output.JSON, output.JSONL)
	cmd.RunE = func(cmd *cobra.Command, sources []string) error {
		if err := r.check(cmd, sources); err != nil {
			return err
		}
		if err := exist(sources); err != nil {
			return err
		}
		res, err := a.read(cmd.Context(), &r, sources)
		if err != nil {
			return err
		}
		for _, c := range res.run.Checks {
			switch {
			case c.Err == nil && c.File:
				a.say("%s: has the SHA-1 that its collector logged", output.Visible(c.ID))
			case c.Err == nil:
				a.say("%s: the hashes stored in it are right", output.Visible(c.ID))
			case errors.Is(c.Err, container.ErrNoStoredHash):
				a.say("%s: stores no hash, not verified", output.Visible(c.ID))
			}
		}
		if err := written(a.printTrees(sourceTrees(res.run), p.o)); err != nil {
			return err
		}
		return res.status()
	}
	return cmd
}

// sourceTrees joins the trees of all sources with what the run found out about
// the hosts.
func sourceTrees(run *pipeline.Result) []sourceNode {
	var trees []sourceNode
	for _, e := range run.Evidence {
		var join func(n *source.Node) sourceNode
		join = func(n *source.Node) sourceNode {
			out := sourceNode{Node: n, host: run.Host(e.Name, n.ID)}
			for _, c := range n.Children {
				out.children = append(out.children, join(c))
			}
			return out
		}
		trees = append(trees, join(e.Tree))
	}
	return trees
}

// printTrees writes the trees; as a table, one indented line a node.
func (a *app) printTrees(trees []sourceNode, o output.Options) error {
	if o.Format != output.TableFormat {
		return output.WriteAll(a.stdout, nodeRows, trees, o)
	}
	var b strings.Builder
	var line func(n *sourceNode, depth int)
	line = func(n *sourceNode, depth int) {
		name := n.ID
		if name == "" {
			name = n.Label
		}
		fmt.Fprintf(&b, "%*s%s (%s)", 2*depth, "", output.Visible(name), n.Kind)
		if n.Size >= 0 {
			fmt.Fprintf(&b, " %d bytes", n.Size)
		}
		if !n.Created.IsZero() {
			fmt.Fprintf(&b, " of %s", evidence.FormatTime(n.Created))
		}
		if n.host != "" {
			fmt.Fprintf(&b, " host %s", output.Visible(n.host))
		}
		b.WriteByte('\n')
		for _, f := range n.Files {
			fmt.Fprintf(&b, "%*s%s (%s) %d bytes", 2*depth+2, "", output.Visible(f.Path), f.Kind, f.Size)
			if f.Deleted {
				b.WriteString(" deleted")
			}
			if f.SameAs.Volume != "" {
				fmt.Fprintf(&b, " as in %s", output.Visible(f.SameAs.Volume))
			}
			b.WriteByte('\n')
		}
		for _, p := range n.Problems {
			fmt.Fprintf(&b, "%*s%s: %s\n", 2*depth+2, "", p.Severity, output.Visible(strings.TrimLeft(p.Path+": "+p.What, ": ")))
		}
		for i := range n.children {
			line(&n.children[i], depth+1)
		}
	}
	for i := range trees {
		line(&trees[i], 0)
	}
	_, err := a.stdout.Write([]byte(b.String()))
	return err
}
