// Package shell reads what the Windows shell remembers of places: shell items
// and lists of them, shortcuts (LNK), jump lists and property stores. Every
// size and offset in them is a claim; what does not fit is a problem with its
// place in the file, and what came before it is still read.
package shell
