package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The parts of a CycloneDX 1.5 document that are used
// (cyclonedx.org/docs/1.5/json).
type (
	bomDocument struct {
		Format       string          `json:"bomFormat"`
		Spec         string          `json:"specVersion"`
		Version      int             `json:"version"`
		Metadata     bomMetadata     `json:"metadata"`
		Components   []bomComponent  `json:"components"`
		Dependencies []bomDependency `json:"dependencies"`
	}
	bomMetadata struct {
		Timestamp string       `json:"timestamp"`
		Component bomComponent `json:"component"`
	}
	bomComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref"`
		Name       string        `json:"name"`
		Version    string        `json:"version"`
		PURL       string        `json:"purl"`
		Licenses   []any         `json:"licenses,omitempty"`
		Hashes     []bomHash     `json:"hashes,omitempty"`
		Properties []bomProperty `json:"properties,omitempty"`
	}
	bomHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	bomProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	bomDependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	}
)

// bill lists what is in a program, as the program itself says: the modules that
// were linked, and the standard library.
func (r *release) bill(b *binary, program []byte) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.base, err)
	}
	sum := sha256.Sum256(program)
	own := bomComponent{
		Type: "application", Name: "sharetrail", Version: r.version, PURL: purl("sharetrail", r.version),
		Licenses: []any{map[string]any{"license": map[string]string{"id": "Apache-2.0"}}},
		Hashes:   []bomHash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	own.Ref = own.PURL
	for _, s := range info.Settings {
		own.Properties = append(own.Properties, bomProperty{"go:" + s.Key, s.Value})
	}
	doc := bomDocument{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: bomMetadata{r.time.Format(time.RFC3339), own}}
	used := bomDependency{Ref: own.Ref, On: []string{}}
	add := func(name, version, goSum string) {
		c := bomComponent{Type: "library", Name: name, Version: version, PURL: purl(name, version)}
		c.Ref = c.PURL
		if goSum != "" {
			c.Properties = []bomProperty{{"go:sum", goSum}}
		}
		doc.Components = append(doc.Components, c)
		used.On = append(used.On, c.Ref)
	}
	add("std", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		add(m.Path, m.Version, m.Sum)
	}
	doc.Dependencies = []bomDependency{used}
	out, err := json.MarshalIndent(doc, "", "  ")
	return append(out, '\n'), err
}

// purl is the package URL of a Go module.
func purl(name, version string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "pkg:golang/" + strings.Join(parts, "/") + "@" + url.PathEscape(version)
}
