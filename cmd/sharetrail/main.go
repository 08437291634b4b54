// Command sharetrail reconstructs from offline Windows evidence when network
// shares were mapped, used and removed. See its help.
package main

import (
	"os"

	"sharetrail/cmd/internal/cli"
)

func main() { os.Exit(cli.Main()) }
