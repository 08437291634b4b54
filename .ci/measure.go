// Measure runs a command several times without its output and prints the least
// wall clock time and processor time in seconds, and the most memory in MiB.
//
//	go run .ci/measure.go ROUNDS COMMAND [ARGUMENT]...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: measure ROUNDS COMMAND [ARGUMENT]...")
		os.Exit(2)
	}
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil || rounds < 1 {
		fmt.Fprintln(os.Stderr, "rounds:", os.Args[1])
		os.Exit(2)
	}
	var wall, cpu float64
	rss := int64(0) // KiB
	for i := range rounds {
		cmd := exec.Command(os.Args[2], os.Args[3:]...)
		begun := time.Now()
		err := cmd.Run()
		took := time.Since(begun).Seconds()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() < 0 || cmd.ProcessState.ExitCode() == 2 {
			fmt.Fprintln(os.Stderr, os.Args[2:], err)
			os.Exit(1)
		}
		u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		used := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if i == 0 || took < wall {
			wall = took
		}
		if i == 0 || used < cpu {
			cpu = used
		}
		rss = max(rss, u.Maxrss)
	}
	fmt.Printf("%.3f %.3f %.1f\n", wall, cpu, float64(rss)/1024)
}
