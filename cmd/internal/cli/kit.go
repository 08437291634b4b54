package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"sharetrail/cmd/internal/kit"

	"github.com/spf13/cobra"
)

func (a *app) kit() *cobra.Command {
	return group(&cobra.Command{
		Use:   "kit kape|velociraptor -o DIR",
		Short: "Write what lets KAPE or Velociraptor collect and run it",
		Long: `Write what lets another program collect the evidence and run this one over it.
What is collected is what the artifacts declare (sharetrail artifacts).`,
		Example: `  sharetrail kit kape -o kape
  sharetrail kit velociraptor -o velociraptor`,
	},
		a.kitOf("kape", `Write a target that collects, and a module that runs this program over what was
collected: Sharetrail.tkape and SharetrailFiles.tkape belong below Targets of
KAPE, Sharetrail.mkape below Modules, the program at
Modules\bin\sharetrail\sharetrail.exe.`, kit.KAPE),
		a.kitOf("velociraptor", `Write three artifacts: one collects, one runs this program on an endpoint, one
runs it on the server over finished collections, of a hunt or a client. Each
says which tool the server must have first.`, kit.Velociraptor))
}

func (a *app) kitOf(name, long string, files func() []kit.File) *cobra.Command {
	var dir folder
	cmd := &cobra.Command{
		Use:     name + " -o DIR",
		Short:   "Write the kit for " + map[string]string{"kape": "KAPE", "velociraptor": "Velociraptor"}[name],
		Long:    long,
		Example: "  sharetrail kit " + name + " -o " + name,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := dir.need(); err != nil {
				return err
			}
			for _, f := range files() {
				name := filepath.Join(dir.dir, f.Name)
				if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
					return &exit{exitFailed, err}
				}
				if _, err := fmt.Fprintln(a.stdout, name); err != nil {
					return written(err)
				}
			}
			return nil
		},
	}
	dir.flags(cmd)
	return cmd
}
