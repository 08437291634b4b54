package main

import (
	"bytes"
	"embed"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var templates embed.FS

// manifests writes what package managers need to find and check the archives,
// whose SHA-256 sums has by platform. A manager whose platforms were not all
// built is left out.
func (r *release) manifests(sums map[string]string) error {
	for _, m := range []struct {
		tmpl, file string
		needs      []string
	}{
		{"scoop.json.tmpl", "scoop/sharetrail.json", []string{"windows/amd64", "windows/arm64"}},
		{"winget.yaml.tmpl", "winget/Sharetrail.Sharetrail.yaml", []string{"windows/amd64", "windows/arm64"}},
		{"winget.installer.yaml.tmpl", "winget/Sharetrail.Sharetrail.installer.yaml", []string{"windows/amd64", "windows/arm64"}},
		{"winget.locale.yaml.tmpl", "winget/Sharetrail.Sharetrail.locale.en-US.yaml", []string{"windows/amd64", "windows/arm64"}},
		{"homebrew.rb.tmpl", "homebrew/sharetrail.rb", []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}},
	} {
		files := map[string]map[string]string{}
		for _, p := range m.needs {
			if sums[p] == "" {
				break
			}
			goos, goarch, _ := strings.Cut(p, "/")
			b := binary{goos: goos, goarch: goarch, base: "sharetrail_" + r.version + "_" + goos + "_" + goarch}
			files[goos+"_"+goarch] = map[string]string{"URL": r.url + b.archive(), "SHA": sums[p], "Folder": b.base}
		}
		if len(files) < len(m.needs) {
			continue
		}
		t, err := template.New(m.tmpl).Funcs(template.FuncMap{"upper": strings.ToUpper}).ParseFS(templates, m.tmpl)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, map[string]any{"Version": r.version, "URL": r.url, "Date": r.time.Format("2006-01-02"), "Files": files}); err != nil {
			return err
		}
		if err := r.write(m.file, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
