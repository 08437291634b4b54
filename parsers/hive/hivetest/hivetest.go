// Package hivetest builds registry hives from text, as Windows would write
// them, for tests and scenarios. The text has one entry a line:
//
//	# a comment
//	!minor=5                                format version 1.5, the default; 3 to 6
//	!name=\??\C:\Users\alice\ntuser.dat     path in the base block; only its end is kept
//	!seq=10,9                               sequence numbers; different ones make the hive dirty
//	!reorganized=TIME                       last reorganisation
//	!checksum=bad                           a wrong checksum of the base block
//	[] TIME                                 time of the root key
//	[Network\Z] TIME                        a key; missing parents are made
//	[Network\Z]utf16 TIME volatile=2        name stored as UTF-16 though Latin-1 would do; volatile subkeys
//	RemotePath=\\fs01\finance               a value of the last key
//	"name with = in it"=sz:text             a name in quotes
//	@=text                                  the default value
//	-[Network\Z] TIME                       a deleted key, with the values below it
//	-[Network\Z] TIME unlinked              one in cells that are still allocated
//	-"RemotePath"=text                      a deleted value of the last key; the quotes are needed
//
// A TIME is as in RFC 3339, to 100 ns, or ft:NUMBER, a raw FILETIME. A key
// without a time has its parent's, the root 2020-01-01T00:00:00Z. A key may be
// opened again to add to it; a second value of one name is an error.
//
// What is deleted is written like the rest, but no list leads to it, and its
// cells are freed: neighbours become one free cell, as in Windows. The time of
// the parent is not touched: give the parent the moment of the removal. A
// deleted key that is named again is another one, from another time; below a
// deleted key only deleted ones can be. Words behind the time of a deleted key:
//
//	apart         its free cells are not joined with their neighbours
//	unlinked      its cells stay allocated
//	overwritten   the data of its values, and what is before it, is overwritten in part
//
// Data is all that stands behind the =, blanks too. It is text (REG_SZ) unless
// it starts with one of
//
//	sz:TEXT  expand:TEXT            REG_SZ, REG_EXPAND_SZ; the terminating NUL is added
//	multi:ITEM|ITEM                 REG_MULTI_SZ
//	dword:N  dword_be:N  qword:N    a number, decimal or 0x...
//	hex:HEX  none:HEX               REG_BINARY, REG_NONE; blanks and commas are ignored
//	raw:TYPE:HEX                    any type number
//	ftbin:TIME                      REG_BINARY, a FILETIME
//
// [BuildWithLog] puts later states of a hive into transaction logs.
//
// In names and text, \u{XXXX} stands for the UTF-16 unit or character of that
// hexadecimal number: \u{0}, \u{5C} for a backslash in a key name, \u{D800}.
// Names beyond Latin-1 are stored as UTF-16.
package hivetest

// BuildOptions choose among what different versions of Windows write. The zero
// value is what current ones do.
type BuildOptions struct {
	List  string // kind of subkey list: "lh" (default), "lf" or "li"
	Leaf  int    // entries of one list before an index root ("ri") is needed; 0 means 500
	Plain bool   // data above 16344 bytes stays in one cell, as before version 1.4
}

// Build returns the hive that text describes.
func Build(text string) ([]byte, error) { return BuildOptions{}.Build(text) }

// Build returns the hive that text describes, written as o says.
func (o BuildOptions) Build(text string) ([]byte, error) {
	spec, err := parse(text)
	if err != nil {
		return nil, err
	}
	return o.write(spec)
}
