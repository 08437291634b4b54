//go:build !linux

package source

import "os"

// openAt opens name for reading. The system offers no way to keep the access
// time without writing it back, and writing is out of the question.
func openAt(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|nonblock, 0)
}
