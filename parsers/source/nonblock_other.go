//go:build !unix

package source

// nonblock is a matter of Unix: opening a file does not wait elsewhere.
const nonblock = 0
