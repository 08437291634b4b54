package vss

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
)

const (
	entrySize = 0x80

	// Windows keeps 512 shadow copies of a volume at most; a storage volume
	// holds the stores of several.
	maxSnapshots     = 1024
	maxCatalogBlocks = 256
)

// A location says where the parts of a store are ("Catalog entry type 0x03"), as
// offsets on the volume that keeps it.
type location struct {
	at                            int64 // of the entry itself
	table, info, bitmap, previous int64
	fileRef                       uint64
	allocated                     int64
}

// A catalog is what the header and the catalog of one volume say.
type catalog struct {
	v                 *volume
	volumeID, storage guid
	off, maxSize      int64
	snapshots         map[guid]*Snapshot
	stores            map[guid]location
	freed             int
	warnings          []error
	damaged           error // why entries may be missing
	unknown           error // an entry that cannot be read
}

// Open reads the shadow copy header and the catalog of the volume vol, whose size
// is in bytes. The stores of snapshots that are kept elsewhere are looked for on
// the others. The error wraps ErrNone if vol has no header.
//
// Damage below the header is no error of Open: it is in Set.Warnings and
// Snapshot.Warnings, and in the error of each ReaderAt that depends on it.
func Open(vol io.ReaderAt, size int64, others ...Storage) (*Set, error) {
	c, err := readCatalog(&volume{vol, size, ""})
	if err != nil {
		return nil, err
	}
	s := &Set{
		EmptyCatalog:  len(c.snapshots) == 0 && len(c.stores) == 0 && cmp.Or(c.damaged, c.unknown) == nil,
		Freed:         c.freed,
		CatalogOffset: c.off,
		MaxSize:       c.maxSize,
		VolumeID:      c.volumeID.String(),
		StorageID:     c.storage.String(),
		Warnings:      c.warnings,
		live:          c.v,
		damaged:       c.damaged,
		claimed:       map[place]bool{},
	}
	catalogs := []*catalog{c}
	if slices.ContainsFunc(slices.Collect(maps.Keys(c.snapshots)), func(g guid) bool { _, ok := c.stores[g]; return !ok }) {
		catalogs = append(catalogs, s.openStorage(others)...)
	}
	for _, g := range sortedKeys(c.snapshots) {
		n := c.snapshots[g]
		n.set = s
		n.find(g, catalogs)
		s.Snapshots = append(s.Snapshots, n)
	}
	s.order()
	for _, g := range sortedKeys(c.stores) {
		if c.snapshots[g] == nil {
			s.Orphans = append(s.Orphans, c.orphan(g))
		}
	}
	if len(s.Orphans) > 0 { // the unknown entry may be the other half of one
		s.damaged = cmp.Or(s.damaged, c.unknown)
	}
	return s, nil
}

// openStorage reads the catalogs of other volumes. One without a header is not a
// storage, and no cause for a warning.
func (s *Set) openStorage(others []Storage) (cs []*catalog) {
	for i, o := range others {
		if o.R == nil {
			continue
		}
		c, err := readCatalog(&volume{o.R, o.Size, fmt.Sprintf(" on storage volume %d", i+1)})
		switch {
		case errors.Is(err, ErrNone):
		case err != nil:
			s.Warnings = append(s.Warnings, err)
		default:
			s.Warnings = append(s.Warnings, c.warnings...)
			cs = append(cs, c)
		}
	}
	return cs
}

// order sorts and numbers the snapshots, oldest first. Stacks without gaps are
// checked when they are loaded: see Snapshot.stackable.
func (s *Set) order() {
	slices.SortStableFunc(s.Snapshots, func(a, b *Snapshot) int {
		return cmp.Or(cmp.Compare(a.Stack, b.Stack), a.Created.Compare(b.Created), strings.Compare(a.StoreID, b.StoreID))
	})
	for i, n := range s.Snapshots {
		n.Index = i + 1
		if i > 0 && n.Created.Before(s.Snapshots[i-1].Created) {
			n.warn(binread.Errorf(n.at+48, "creation time", "it is before that of snapshot %d, which is below it on the stack", i))
		}
	}
	s.pending = len(s.Snapshots)
}

// readCatalog reads the header ("Volume header") and the catalog that it names.
func readCatalog(v *volume) (*catalog, error) {
	h := make([]byte, 512)
	if _, err := v.fill(h, headerOffset, "shadow copy header"); err != nil {
		return nil, err
	}
	if string(h[:16]) != signature {
		return nil, ErrNone
	}
	if typ, off := le.Uint32(h[20:]), le.Uint64(h[24:]); typ != typeHeader || off != headerOffset {
		return nil, v.errorf(headerOffset+20, "shadow copy header", "record type %d at offset %#x", typ, off)
	}
	c := &catalog{
		v: v, off: int64(le.Uint64(h[48:])), maxSize: int64(le.Uint64(h[56:])),
		volumeID: guid(h[64:80]), storage: guid(h[80:96]),
		snapshots: map[guid]*Snapshot{}, stores: map[guid]location{},
	}
	blocks := 0
	err := v.chain(headerOffset+48, c.off, typeCatalog, "catalog", map[place]bool{}, func(body []byte, off int64) (bool, error) {
		if blocks++; blocks > maxCatalogBlocks {
			return false, v.errorf(off, "catalog", "more than %d blocks", maxCatalogBlocks)
		}
		for i := 0; i+entrySize <= len(body); i += entrySize {
			if err := c.entry(body[i:i+entrySize], off+int64(i)); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		c.warn(err)
		c.damaged = cmp.Or(c.damaged, err)
	}
	return c, nil
}

func (c *catalog) warn(err error) { c.warnings = append(c.warnings, err) }

// entry adds one catalog entry ("Catalog entry"). The two entries of a store are
// joined by their GUID; they need not be neighbours or in order.
func (c *catalog) entry(e []byte, off int64) error {
	id := guid(e[16:32])
	switch typ := le.Uint32(e); typ {
	case 0:
	case 1:
		c.freed++
	case 2:
		if len(c.snapshots) == maxSnapshots {
			return c.v.errorf(off, "catalog", "more than %d snapshots", maxSnapshots)
		}
		if c.snapshots[id] != nil {
			return c.v.errorf(off, "catalog", "a second entry of snapshot %s", id)
		}
		n := &Snapshot{
			StoreID: id.String(), VolumeSize: int64(le.Uint64(e[8:])),
			Stack: le.Uint64(e[32:]), Flags: le.Uint64(e[40:]), Created: filetime.Time(le.Uint64(e[48:])),
		}
		n.Deleted = n.Flags&FlagDeleted != 0
		n.at = off
		if n.VolumeSize <= 0 {
			return c.v.errorf(off+8, "volume size", "%#x bytes", le.Uint64(e[8:]))
		}
		if n.VolumeSize > c.v.size {
			n.warn(c.v.errorf(off+8, "volume size", "%d bytes, but the volume has %d: the rest cannot be read", n.VolumeSize, c.v.size))
		}
		c.snapshots[id] = n
	case 3:
		if _, ok := c.stores[id]; ok {
			return c.v.errorf(off, "catalog", "a second entry of store %s", id)
		}
		c.stores[id] = location{
			at: off, table: int64(le.Uint64(e[8:])), info: int64(le.Uint64(e[32:])),
			bitmap: int64(le.Uint64(e[48:])), previous: int64(le.Uint64(e[72:])),
			fileRef: le.Uint64(e[56:]), allocated: int64(le.Uint64(e[64:])),
		}
	default:
		if c.unknown == nil {
			c.unknown = c.v.errorf(off, "catalog", "entry of unknown type %#x", typ)
			c.warn(c.unknown)
		}
	}
	return nil
}

func (n *Snapshot) warn(err error) { n.Warnings = append(n.Warnings, err) }

// find looks for the store of n in the catalog of its own volume, then in the others.
func (n *Snapshot) find(id guid, catalogs []*catalog) {
	for _, c := range catalogs {
		loc, ok := c.stores[id]
		switch {
		case !ok:
		case n.home != nil:
			n.warn(c.v.errorf(loc.at, "catalog", "store %s is on two of the volumes given: the first is used", id))
		default:
			n.home, n.loc = c.v, loc
			n.FileRef, n.Allocated = loc.fileRef, loc.allocated
		}
	}
	if n.home == nil {
		n.lost = lost(n, catalogs)
		n.warn(n.lost)
		return
	}
	in, err := readInfo(n.home, n.loc)
	if err != nil {
		n.warn(err)
	}
	n.ID, n.SetID, n.Type, n.Attributes = in.id.String(), in.set.String(), in.typ, in.attributes
	n.OriginMachine, n.ServiceMachine = in.origin, in.service
}

// lost says why the store of n is not there. Only that the volume which keeps it was
// not given is an ErrElsewhere.
func lost(n *Snapshot, catalogs []*catalog) error {
	for _, c := range catalogs {
		if c.volumeID == catalogs[0].storage {
			return c.v.errorf(c.off, "catalog", "no entry of store %s, which belongs here", n.StoreID)
		}
	}
	return fmt.Errorf("store %s: %w: it is on the volume %s", n.StoreID, ErrElsewhere, catalogs[0].storage)
}

func (c *catalog) orphan(id guid) Orphan {
	loc := c.stores[id]
	in, err := readInfo(c.v, loc)
	return Orphan{id.String(), in.id.String(), in.set.String(), in.origin, in.service, loc.fileRef, err}
}

// info is what a store says of itself ("Store information").
type info struct {
	id, set         guid
	typ, attributes uint32
	origin, service string
}

func readInfo(v *volume, loc location) (in info, err error) {
	b := make([]byte, blockSize)
	if _, err := v.block(b, loc.at+32, loc.info, typeInfo, "store header"); err != nil {
		return in, err
	}
	p := b[bodyOffset:]
	in.id, in.set = guid(p[16:32]), guid(p[32:48])
	in.typ, in.attributes = le.Uint32(p[48:]), le.Uint32(p[56:])
	at := 64
	for _, s := range []*string{&in.origin, &in.service} {
		n := int(le.Uint16(p[at:]))
		if n%2 != 0 || at+2+n+2 > len(p) {
			return in, v.errorf(loc.info+bodyOffset+int64(at), "machine name", "%d bytes", n)
		}
		u := make([]uint16, n/2)
		for i := range u {
			u[i] = le.Uint16(p[at+2+2*i:])
		}
		*s, at = string(utf16.Decode(u)), at+2+n
	}
	return in, nil
}

func sortedKeys[V any](m map[guid]V) []guid {
	return slices.SortedFunc(maps.Keys(m), func(a, b guid) int { return cmp.Compare(string(a[:]), string(b[:])) })
}
