// Command sharelab builds Windows evidence from text, for tests and training
// of sharetrail.
package main

import (
	"os"

	"sharetrail/cmd/internal/lab"
)

func main() { os.Exit(lab.Main()) }
