package artifacts

import (
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// remnants is what recovered registry cells are called that are of no known
// key: texts that name a share.
var _ = register(Artifact{
	Name:         "registry-remnants",
	Title:        "names of shares in unused space of hives",
	What:         `\\server\share texts, and values of mappings without their key, in free cells and slack of user hives`,
	Proves:       "the text stood in this hive once",
	DoesNotProve: "when, in which key, or that the share was mapped; Windows leaves copies behind when it moves values",
	Reference:    "msuhanov/regf, Windows registry file format specification: unused cells; msuhanov/yarp",
	Hive:         hive.NTUSER,
	Keys:         []string{"(unused space)"},
	ReadHive:     func(*Hive, *Emitter) error { return nil }, // readDeleted feeds it
	Files:        []string{"Users/*/NTUSER.DAT"},
})

// readDeleted reports what was deleted from a hive and can be recovered, and
// what old entries of its logs hold that the hive has outlived, as far as it is
// about shares. It is never mixed with what is live.
func readDeleted(h *hive.Hive, replay *hive.Replay, out *Emitter) {
	kind, _ := kindOf(h)
	if !keepsStates(kind) {
		return
	}
	state, at := out.state, out.place
	defer func() { out.state, out.place = state, at }()
	read := func(items iter.Seq2[hive.Item, error], s evidence.State, what string) {
		out.state = s
		for it, err := range items {
			if err != nil {
				out.Doubtful("", "", fmt.Errorf("search for %s: %w", what, err))
				return
			}
			out.place = at
			if it.Log != "" {
				out.place = out.logPlace(it.Log)
			}
			if kind == hive.System {
				deletedShare(it, out)
			} else {
				deletedOfUser(it, out)
			}
		}
	}
	read(h.Deleted(), evidence.Deleted, "deleted keys")
	read(replay.StaleItems(), evidence.Carved, "what old log entries hold")
}

func deletedOfUser(it hive.Item, out *Emitter) {
	remote := ""
	if it.Key != nil {
		for _, v := range it.Values {
			if v.Value != nil && strings.EqualFold(v.Value.Name, "RemotePath") && !v.Reused {
				remote, _, _ = v.Value.Text()
			}
		}
	}
	parent := strings.ToLower(it.Path)
	if i := strings.LastIndex(parent, `\`); i >= 0 {
		parent = parent[:i]
	}
	switch {
	case it.Key != nil && (parent == "network" || remote != "") && evidence.Drive(it.Key.Name) != "" && len(it.Key.Name) == 1:
		deletedMapping(it, remote, out)
	case it.Key != nil && strings.HasPrefix(it.Key.Name, "##") && !strings.HasPrefix(it.Key.Name, "##?#"):
		out.artifact = "mountpoints2"
		o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Detail: evidence.Detail{{Name: "Key", Value: clip(it.Key.Name)}}}
		place(&o, it.Key.Name)
		o.Summary = "Explorer had mounted " + name(&o) + "; the key was deleted."
		recovered(it, &o)
		out.ObserveKey(it.Key, o)
	case it.Key == nil && it.Value != nil && strings.EqualFold(it.Value.Name, "RemotePath"):
		s, _, err := it.Value.Text()
		if err == nil {
			remnant(it, s, out)
		}
	case it.Text != "":
		remnant(it, it.Text, out)
	}
}

// deletedMapping reports the deleted key of a remembered mapping.
func deletedMapping(it hive.Item, remote string, out *Emitter) {
	out.artifact = "mapped-drives"
	o := evidence.Observation{Action: evidence.Present, Side: evidence.Client, Drive: evidence.Drive(it.Key.Name)}
	place(&o, remote)
	for _, v := range it.Values {
		if v.Value == nil || v.Reused || len(o.Detail) >= maxValues {
			continue
		}
		switch s, _, err := v.Value.Text(); {
		case err == nil:
			o.Detail = append(o.Detail, evidence.Field{Name: v.Value.Name, Value: clip(s)})
		default:
			if n, ok := v.Value.Uint(); ok {
				o.Detail = append(o.Detail, evidence.Field{Name: v.Value.Name, Value: int64(n)})
			}
		}
	}
	o.Summary = fmt.Sprintf("%s was remembered as mapped to %s; the key was deleted.", o.Drive, name(&o))
	recovered(it, &o)
	k := *it.Key
	if it.Path != "" {
		k.Path = it.Path
	}
	out.ObserveKey(&k, o)
}

// recovered says how far a recovered cell can be trusted.
func recovered(it hive.Item, o *evidence.Observation) {
	o.Detail = append(o.Detail, evidence.Field{Name: "found", Value: string(it.Where)}, evidence.Field{Name: "path_complete", Value: it.PathComplete})
	if it.Doubt != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "doubt", Value: it.Doubt})
	}
}

// remnant reports a text that names a share and belongs to no key.
func remnant(it hive.Item, text string, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client}
	if !place(&o, text) || o.Share == "" {
		return
	}
	out.artifact = "registry-remnants"
	o.Summary = "The name " + name(&o) + " stands in unused space of the hive."
	recovered(it, &o)
	o = out.stamp(o)
	o.From.Offset, o.From.Length = it.Off, int64(2*len(utf16.Encode([]rune(text))))
	if it.Value != nil {
		o.From.Value, o.From.Length = it.Value.Name, it.Value.Len
	}
	out.Observations = append(out.Observations, evidence.NewFact(o))
}

// deletedShare reports a deleted value of LanmanServer\Shares: a list of
// strings among which are the share's path and its own name.
func deletedShare(it hive.Item, out *Emitter) {
	if it.Value == nil || it.Value.Type != regMultiSZ || it.Reused {
		return
	}
	list, err := it.Value.Strings()
	if err != nil {
		return
	}
	o := evidence.Observation{Action: evidence.Present, Side: evidence.Server}
	for _, s := range list {
		field, data, ok := strings.Cut(s, "=")
		if ok && len(o.Detail) < maxValues {
			o.Detail = append(o.Detail, evidence.Field{Name: field, Value: clip(data)})
		}
	}
	if o.Detail.Text("ShareName") == "" && o.Detail.Text("Path") == "" && o.Detail.Text("MaxUses") == "" {
		return
	}
	out.artifact = "server-shares"
	o.Share = `\\*\` + clip(it.Value.Name)
	o.Summary = "Share " + clip(it.Value.Name) + " was set up to be exported; the value was deleted."
	recovered(it, &o)
	o = out.stamp(o)
	o.From.Offset, o.From.Length, o.From.Key, o.From.Value = it.Off, it.Value.Len, it.Path, it.Value.Name
	out.Observations = append(out.Observations, evidence.NewFact(o))
}
