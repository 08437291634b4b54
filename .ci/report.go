// Report reads `go test -json`, prints what failed and a closing count, and
// fails if a test was skipped that the list of allowed skips does not name.
// A line of the list is PACKAGE TEST; a TEST that ends in * stands for all that
// begin so. Where there is no corpus, the tests that say so may be skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct{ Action, Package, Test, Output string }

func main() {
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var allowed []string
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			allowed = append(allowed, line)
		}
	}
	passed, failed, skipped, surprises := 0, 0, 0, 0
	output := map[string][]string{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // a build error
			continue
		}
		id := strings.TrimSpace(strings.TrimPrefix(e.Package, "sharetrail/") + " " + e.Test)
		switch {
		case e.Action == "output" || e.Action == "build-output":
			output[id] = append(output[id], e.Output)
			continue
		case e.Action == "fail":
			fmt.Printf("FAIL %s\n%s", id, strings.Join(output[id], ""))
			failed++
		case e.Test == "":
			continue
		case e.Action == "pass":
			passed++
		case e.Action == "skip":
			skipped++
			noCorpus := os.Getenv("SHARETRAIL_CORPUS") == "" && strings.Contains(strings.Join(output[id], ""), "SHARETRAIL_CORPUS is not set")
			if !noCorpus && !allows(allowed, id) {
				surprises++
				fmt.Printf("SKIP %s, which .ci/skips.txt does not allow\n%s", id, strings.Join(output[id], ""))
			}
		default:
			continue
		}
		delete(output, id)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || surprises > 0 || passed == 0 {
		os.Exit(1)
	}
}

func allows(allowed []string, id string) bool {
	for _, a := range allowed {
		if prefix, ok := strings.CutSuffix(a, "*"); a == id || ok && strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
