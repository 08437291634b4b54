package cli

import (
	"encoding/pem"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// unlocking are the flags on what opens a source that is not in the clear, or
// not in one piece.
type unlocking struct {
	passwords             []string
	passwordFile, keyFile string
	storage               []string

	secrets [][]byte // set by check
	key     []byte
}

func (u *unlocking) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&u.passwords, "password", nil, "password `P` of an encrypted archive; may be repeated")
	f.StringVar(&u.passwordFile, "password-file", "", "`FILE` with one such password a line")
	f.StringVar(&u.keyFile, "key", "", "PEM `FILE` with the private key for collections that are encrypted for a certificate")
	f.StringArrayVar(&u.storage, "storage", nil, "disk `IMAGE` on which the shadow copies of another volume are stored; may be repeated")
}

// check reads the files that the flags name.
func (u *unlocking) check() error {
	u.secrets = nil
	for _, p := range u.passwords {
		u.secrets = append(u.secrets, []byte(p))
	}
	if u.passwordFile != "" {
		b, err := os.ReadFile(u.passwordFile)
		if err != nil {
			return usagef("--password-file: %v", err)
		}
		b, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), b) // PowerShell writes UTF-16
		if err != nil {
			return usagef("--password-file: %v", err)
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				u.secrets = append(u.secrets, []byte(line))
			}
		}
	}
	if u.keyFile != "" {
		b, err := os.ReadFile(u.keyFile)
		if err != nil {
			return usagef("--key: %v", err)
		}
		if block, _ := pem.Decode(b); block == nil {
			return usagef("--key %q: holds nothing in PEM: give the file that has a line -----BEGIN … PRIVATE KEY-----", u.keyFile)
		}
		u.key = b
	}
	for _, p := range u.storage {
		if _, err := os.Stat(p); err != nil {
			return usagef("--storage: %v", err)
		}
	}
	return nil
}
