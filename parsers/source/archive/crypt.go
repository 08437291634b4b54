package archive

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// A cipherKey decrypts one member.
type cipherKey interface {
	seekable() bool
	noCRC() bool // the directory has no CRC-32 of the plain content
	readerAt(raw *io.SectionReader) io.ReaderAt
	reader(raw *io.SectionReader) decrypter
}

// A decrypter reads a member from its start. check tells, at the end, whether
// the encrypted bytes are those that were written.
type decrypter interface {
	io.Reader
	check() error
}

// What to do about an encrypted member.
const (
	needsPassword = "encrypted: give its password with --password or --password-file"
	wrongPassword = "encrypted: none of the given passwords opens it"
)

// unlock finds the password of z.
func (z *zipped) unlock(k *keyring) (why string) {
	if z.Method == methodAES {
		a, method, err := aesOf(z.Extra)
		if err != nil {
			return "encrypted: " + err.Error()
		}
		z.method = method
		return k.open(z, a.salt+2, true, a.try)
	}
	if z.Flags&flagStrong != 0 {
		return "encrypted with PKWARE strong encryption: not supported; extract it with its password and point at the extracted folder"
	}
	want := byte(z.CRC32 >> 24)
	if z.Flags&flagStreamed != 0 {
		want = byte(z.ModifiedTime >> 8)
	}
	return k.open(z, zipCryptoHead, false, func(head, password []byte) cipherKey { return tryZipCrypto(head, password, want) })
}

const (
	flagStreamed = 1 << 3 // the sizes and the checksum follow the content
	flagStrong   = 1 << 6
)

// whole reports whether the member can be read to its end.
func (z *zipped) whole() bool {
	r, err := z.open(int64(z.UncompressedSize64))
	if err != nil {
		return false
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err == nil
}

// An aesEntry is what the extra field 0x9901 says (WinZip, "AES Encryption
// Information", II.A).
type aesEntry struct {
	version uint16
	salt    int // its length, and half of the key's, in bytes
}

func aesOf(extra []byte) (a aesEntry, method uint16, err error) {
	for b := extra; len(b) >= 4; {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		if f := b[4 : 4+n]; id == 0x9901 && n >= 7 {
			a.version, method = binary.LittleEndian.Uint16(f), binary.LittleEndian.Uint16(f[5:])
			if f[4] < 1 || f[4] > 3 {
				return a, 0, fmt.Errorf("AES key of unknown strength %d", f[4])
			}
			a.salt = 4 + 4*int(f[4])
			return a, method, nil
		}
		b = b[4+n:]
	}
	return a, 0, errors.New("no AES extra field")
}

const (
	authLen    = 10   // bytes of the authentication code behind the content
	iterations = 1000 // of PBKDF2
)

// try derives the keys and compares the two bytes that tell a wrong password.
func (a aesEntry) try(head, password []byte) cipherKey {
	n := 2 * a.salt
	keys, err := pbkdf2.Key(sha1.New, string(password), head[:a.salt], iterations, 2*n+2)
	if err != nil || subtle.ConstantTimeCompare(keys[2*n:], head[a.salt:a.salt+2]) != 1 {
		return nil
	}
	block, err := aes.NewCipher(keys[:n])
	if err != nil {
		return nil
	}
	return &aesKey{block: block, mac: keys[n : 2*n], head: int64(a.salt + 2), version: a.version}
}

// An aesKey decrypts a member by AES in counter mode, whose counter is
// little-endian and starts at 1: any byte can be had without those before it.
type aesKey struct {
	block   cipher.Block
	mac     []byte
	head    int64 // bytes before the content: salt and password check
	version uint16
}

func (k *aesKey) seekable() bool { return true }

// noCRC: version 2 leaves the CRC-32 out, since it tells about the content.
func (k *aesKey) noCRC() bool { return k.version == 2 }

func (k *aesKey) content(raw *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(raw, k.head, max(0, raw.Size()-k.head-authLen))
}

func (k *aesKey) readerAt(raw *io.SectionReader) io.ReaderAt {
	return &aesReaderAt{k, k.content(raw)}
}

type aesReaderAt struct {
	k *aesKey
	r *io.SectionReader
}

func (r *aesReaderAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.r.ReadAt(b, off)
	r.k.xor(b[:n], off)
	return n, err
}

// xor decrypts b, which lies at off in the content.
func (k *aesKey) xor(b []byte, off int64) {
	var counter, pad [aes.BlockSize]byte
	for i := 0; i < len(b); {
		at := off + int64(i)
		binary.LittleEndian.PutUint64(counter[:], uint64(at/aes.BlockSize)+1)
		k.block.Encrypt(pad[:], counter[:])
		i += subtle.XORBytes(b[i:], b[i:], pad[at%aes.BlockSize:])
	}
}

func (k *aesKey) reader(raw *io.SectionReader) decrypter {
	return &aesStream{k: k, raw: raw, r: k.content(raw), sum: hmac.New(sha1.New, k.mac)}
}

type aesStream struct {
	k      *aesKey
	raw, r *io.SectionReader
	off    int64
	sum    hash.Hash
}

func (s *aesStream) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.sum.Write(b[:n])
	s.k.xor(b[:n], s.off)
	s.off += int64(n)
	return n, err
}

// check reads what the decompressor left, and compares the authentication code.
func (s *aesStream) check() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	want := make([]byte, authLen)
	if _, err := s.raw.ReadAt(want, s.k.head+s.r.Size()); err != nil && err != io.EOF {
		return err
	}
	if !hmac.Equal(want, s.sum.Sum(nil)[:authLen]) {
		return errAuth
	}
	return nil
}

var errAuth = fmt.Errorf("%w: neither does the authentication code of its encryption", ErrChecksum)

// zipCryptoHead is the length of the random header of a member (APPNOTE 6.1.5).
const zipCryptoHead = 12

// A zipCryptoKey is the state of the cipher behind the header (APPNOTE 6.1).
type zipCryptoKey [3]uint32

func tryZipCrypto(head, password []byte, want byte) cipherKey {
	k := zipCryptoKey{0x12345678, 0x23456789, 0x34567890}
	for _, c := range password {
		k.update(c)
	}
	b := bytes.Clone(head)
	k.decrypt(b)
	if b[zipCryptoHead-1] != want {
		return nil
	}
	return k
}

func (k *zipCryptoKey) update(c byte) {
	k[0] = crc32.IEEETable[byte(k[0])^c] ^ k[0]>>8
	k[1] = (k[1]+k[0]&0xff)*134775813 + 1
	k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
}

func (k *zipCryptoKey) decrypt(b []byte) {
	for i := range b {
		t := k[2]&0xffff | 2
		b[i] ^= byte(t * (t ^ 1) >> 8)
		k.update(b[i])
	}
}

func (k zipCryptoKey) seekable() bool                         { return false }
func (k zipCryptoKey) noCRC() bool                            { return false }
func (k zipCryptoKey) readerAt(*io.SectionReader) io.ReaderAt { return nil }

func (k zipCryptoKey) reader(raw *io.SectionReader) decrypter {
	return &zipCryptoStream{k, io.NewSectionReader(raw, zipCryptoHead, max(0, raw.Size()-zipCryptoHead))}
}

type zipCryptoStream struct {
	k zipCryptoKey
	r *io.SectionReader
}

func (s *zipCryptoStream) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.k.decrypt(b[:n])
	return n, err
}

func (*zipCryptoStream) check() error { return nil }
