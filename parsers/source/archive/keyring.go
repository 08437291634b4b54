package archive

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A keyring holds the passwords that are tried on the members of one archive.
type keyring struct {
	passwords [][]byte
	fits      [][]byte // those that a member was opened with
}

// pages are the code pages that programs on Windows put a password into.
var pages = []*charmap.Charmap{charmap.Windows1252, charmap.CodePage850, charmap.CodePage437, charmap.Windows1250, charmap.CodePage852, charmap.Windows1251, charmap.CodePage866}

// newKeyring takes passwords as they are and, since a zip archive does not say what
// the bytes of its passwords mean, in the code pages that they can be written in.
func newKeyring(passwords [][]byte) *keyring {
	k := &keyring{passwords: slices.Clone(passwords)}
	for _, page := range pages {
		for _, p := range passwords {
			if !utf8.Valid(p) {
				continue
			}
			b, err := page.NewEncoder().Bytes(p)
			if err == nil && !slices.ContainsFunc(k.passwords, func(q []byte) bool { return string(q) == string(b) }) {
				k.passwords = append(k.passwords, b)
			}
		}
	}
	return k
}

// open gives z the key that try makes of the first n bytes of z and the password
// that fits. The check is a short one: if several fit, the content decides. Where
// it is long enough, as strong says, what opened all members before is tried alone:
// deriving a key is made slow on purpose.
func (k *keyring) open(z *zipped, n int, strong bool, try func(head, password []byte) cipherKey) (why string) {
	if len(k.passwords) == 0 {
		return needsPassword
	}
	raw, err := z.packed()
	if err != nil {
		return "encrypted, and its header cannot be read: " + err.Error()
	}
	head := make([]byte, n)
	if _, err := raw.ReadAt(head, 0); err != nil {
		return "encrypted, and cut short"
	}
	if strong && len(k.fits) == 1 {
		if z.key = try(head, k.fits[0]); z.key != nil {
			return ""
		}
	}
	var keys []cipherKey
	var with [][]byte
	for _, p := range k.passwords {
		if key := try(head, p); key != nil {
			keys, with = append(keys, key), append(with, p)
		}
	}
	for i, key := range keys {
		z.key = key
		if len(keys) == 1 || z.whole() {
			if !slices.ContainsFunc(k.fits, func(p []byte) bool { return string(p) == string(with[i]) }) {
				k.fits = append(k.fits, with[i])
			}
			return ""
		}
	}
	if len(keys) == 0 {
		return wrongPassword
	}
	return "" // damaged whichever it is: reading it tells
}
