//go:build unix && !linux

package source

import "syscall"

// nonblock keeps a FIFO that took a file's place from holding up the run.
const nonblock = syscall.O_NONBLOCK
