package ntfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"sharetrail/parsers/binread"
)

// Tags of reparse points (MS-FSCC 2.1.2.1).
const (
	tagMountPoint = 0xa0000003
	tagSymlink    = 0xa000000c
	tagWOF        = 0x80000017
	tagCloud      = 0x9000001a // with a number in bits 12 to 15
)

var tags = map[uint32]string{
	tagMountPoint: "mount point or junction",
	tagSymlink:    "symbolic link",
	tagWOF:        "compressed by WOF",
	0x80000013:    "deduplicated file",
	0x80000014:    "NFS file",
	0x80000018:    "container file",
	0x8000001b:    "application alias",
	0x80000023:    "UNIX socket",
	0xa000001d:    "WSL symbolic link",
	0xc0000004:    "file in remote storage (HSM)",
	0x80000006:    "file in remote storage (HSM2)",
	0x80000008:    "single-instance file (SIS)",
	0x8000000a:    "DFS",
	0x80000012:    "DFS replication",
	0x9000001c:    "projected file system",
	0x80000021:    "old OneDrive placeholder",
}

// reparse returns the reparse data of the file, and what they mean. Without a
// reparse point the tag is 0.
func (in *inode) reparse() (data []byte, meaning string, err error) {
	st, err := in.open(typeReparsePoint, "", "reparse point")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "damaged reparse point", err
	}
	if st.size < 8 || st.size > 16<<10 {
		return nil, "damaged reparse point", binread.Errorf(in.off, "reparse point", "%d bytes", st.size)
	}
	data = make([]byte, st.size)
	if err := binread.Full(st, data, 0, "reparse point"); err != nil {
		return nil, "damaged reparse point", err
	}
	tag := binary.LittleEndian.Uint32(data)
	switch {
	case tags[tag] != "":
		meaning = tags[tag]
	case tag&0xffff0fff == tagCloud:
		meaning = "cloud file (OneDrive or alike)"
	default:
		meaning = fmt.Sprintf("reparse point %#x", tag)
	}
	if to := target(tag, data); to != "" {
		meaning += " to " + to
	}
	return data, meaning, nil
}

// target returns where a link leads: the substitute name, as the system sees it
// (MS-FSCC 2.1.2.4 and 2.1.2.5).
func target(tag uint32, b []byte) string {
	le := binary.LittleEndian
	start := 16
	if tag == tagSymlink {
		start = 20
	} else if tag != tagMountPoint {
		return ""
	}
	if len(b) < start {
		return ""
	}
	at, n := start+int(le.Uint16(b[8:])), int(le.Uint16(b[10:]))
	if at+n > len(b) {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(decodeName(b[at:at+n]), `\x5c`, `\`), `\x3a`, ":")
}

// content opens the data of a file as a program would see them. Streams are
// read as they are; what the unnamed one means may depend on a reparse point.
func (in *inode) content(name string) (reader, error) {
	r, err := in.dataOf(name)
	if err != nil {
		return nil, err // not a reader that holds a nil or half a stream
	}
	return r, nil
}

func (in *inode) dataOf(name string) (reader, error) {
	ext, err := in.extents(typeData, name)
	if errors.Is(err, fs.ErrNotExist) && name == "" {
		return &stream{f: in.f, value: []byte{}, field: "$DATA"}, nil // $Secure has named streams only
	}
	if err != nil {
		return nil, err
	}
	if ext[0].flags&attrEncrypted != 0 {
		return nil, binread.Errorf(ext[0].off+12, "$DATA", "encrypted by EFS: %w", errors.ErrUnsupported)
	}
	if name != "" {
		return in.f.newStream(ext, "$DATA")
	}
	data, meaning, err := in.reparse()
	if err != nil {
		return nil, err
	}
	if data == nil {
		return in.f.newStream(ext, "$DATA")
	}
	tag := binary.LittleEndian.Uint32(data)
	if tag == tagWOF {
		return in.wof(data, in.size())
	}
	if tag&0xffff0fff == tagCloud {
		if in.info(nil).Attributes&(attributeOffline|attributeRecall) == 0 {
			return in.f.newStream(ext, "$DATA")
		}
		meaning += ", content not on this disk"
	}
	return nil, binread.Errorf(ext[0].off, "$DATA", "%s: %w", meaning, errors.ErrUnsupported)
}
