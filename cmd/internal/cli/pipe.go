package cli

import (
	"errors"
	"runtime"
	"syscall"
)

// brokenPipe reports whether err says that whoever read our output has seen
// enough, which is no failure.
func brokenPipe(err error) bool {
	if runtime.GOOS == "windows" {
		const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // ERROR_BROKEN_PIPE, ERROR_NO_DATA
		return errors.Is(err, brokenPipe) || errors.Is(err, noData)
	}
	return errors.Is(err, syscall.EPIPE)
}

// written makes the exit of an error of standard output.
func written(err error) error {
	if err == nil || brokenPipe(err) {
		return nil
	}
	return &exit{exitFailed, err}
}
