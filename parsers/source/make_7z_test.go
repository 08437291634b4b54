package source

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"unicode/utf16"
)

// sealed7z is a 7z archive of one file, encrypted but for its list of files. The
// content is not compressed.
func sealed7z(t testing.TB, name, content, password string) []byte {
	t.Helper()
	const cycles = 4 // 2^4 rounds
	iv := bytes.Repeat([]byte{0xa5}, aes.BlockSize)
	kdf := sha256.New()
	for i := range uint64(1 << cycles) {
		binary.Write(kdf, binary.LittleEndian, utf16.Encode([]rune(password)))
		binary.Write(kdf, binary.LittleEndian, i)
	}
	block, err := aes.NewCipher(kdf.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	packed := []byte(content + string(make([]byte, -len(content)&(aes.BlockSize-1))))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(packed, packed)
	coder := []byte{0x24, 0x06, 0xf1, 0x07, 0x01, byte(2 + len(iv)), 0x40 | cycles, 0x0f}
	return of7z(name, content, packed, append(coder, iv...))
}

// stored7z is a 7z archive of one file that is not compressed.
func stored7z(name, content string) []byte {
	return of7z(name, content, []byte(content), []byte{0x01, 0x00})
}

// of7z is a 7z archive of one file, which a coder unpacks (7zFormat.txt and
// Methods.txt of the LZMA SDK).
func of7z(name, content string, packed, coder []byte) []byte {
	var h bytes.Buffer
	number := func(n int) { // of up to 32 bits: the bits of the first byte tell how many follow
		h.Write([]byte{0xf0, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	}
	h.Write([]byte{1, 4})       // header, main streams
	h.Write([]byte{6, 0, 1, 9}) // one packed stream at 0, its size
	number(len(packed))
	h.WriteByte(0)
	h.Write([]byte{7, 11, 1, 0, 1}) // one folder of one coder
	h.Write(coder)
	h.WriteByte(12) // unpacked size
	number(len(content))
	h.Write([]byte{10, 1}) // its checksum
	binary.Write(&h, binary.LittleEndian, crc32.ChecksumIEEE([]byte(content)))
	h.Write([]byte{0, 0})
	var names bytes.Buffer
	names.WriteByte(0)
	binary.Write(&names, binary.LittleEndian, utf16.Encode([]rune(name+"\x00")))
	h.Write([]byte{5, 1, 17}) // one file, its name
	number(names.Len())
	h.Write(names.Bytes())
	h.Write([]byte{0, 0})

	var start bytes.Buffer
	binary.Write(&start, binary.LittleEndian, []uint64{uint64(len(packed)), uint64(h.Len())})
	binary.Write(&start, binary.LittleEndian, crc32.ChecksumIEEE(h.Bytes()))
	var out bytes.Buffer
	out.WriteString("7z\xbc\xaf\x27\x1c\x00\x04")
	binary.Write(&out, binary.LittleEndian, crc32.ChecksumIEEE(start.Bytes()))
	out.Write(start.Bytes())
	out.Write(packed)
	out.Write(h.Bytes())
	return out.Bytes()
}
