// Package vss reads the volume shadow copies of an NTFS volume: what the volume
// held when each was made.
//
// Sources: "Volume Shadow Snapshot (VSS)" format document of libvshadow (J. Metz),
// cited by section, and the behaviour of images that Windows made. A volume is
// copied on write in blocks of 16 KiB. A store holds what its snapshot needs and
// the next newer one does not show, so that a snapshot is its own store over all
// newer stores over the live volume: whatever is wrong with one store is wrong
// with every older snapshot too, and reading those is an error.
//
// What cannot be told from the metadata: Windows may have been set up to keep
// some files out of the snapshots (see [Snapshot.MayBeScoped]), and a block that
// was free when the snapshot was made is not kept (see [FlagZeroUnused]).
package vss

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"sharetrail/parsers/binread"
)

var (
	// ErrNone says that the volume has no shadow copy header: shadow copies
	// were never enabled on it, and no other volume keeps its stores there.
	ErrNone = fmt.Errorf("no shadow copy header: %w", fs.ErrNotExist)

	// ErrElsewhere says that the store of a snapshot, or of a newer one, is on
	// a volume that was not given.
	ErrElsewhere = errors.New("the store is not on a volume at hand")
)

// Bits of Snapshot.Flags ("Catalog entry type 0x02"; the meaning of 0x100 and
// 0x400 is from images and from how Windows reads them).
const (
	FlagDeleted    = 0x100 // deleted by Windows or a user; its data may still be whole
	FlagZeroUnused = 0x400 // Windows 8 and later: blocks that were free read as zeros; without it they show newer data
)

// A Storage is a volume that may keep the stores of another volume.
type Storage struct {
	R    io.ReaderAt
	Size int64 // in bytes
}

// A Set is what a volume says about its shadow copies. Its fields are set by
// Open and not changed later.
type Set struct {
	// Snapshots are ordered from the oldest to the newest by their place on the
	// stack, which is the order that they are resolved in; clocks play no part.
	Snapshots []*Snapshot

	// EmptyCatalog says that shadow copies are enabled, and that the catalog was
	// read whole and names no snapshot and no store: none was ever made, or all
	// were deleted.
	EmptyCatalog bool

	// Orphans are stores in the catalog that belong to no snapshot in it: those
	// of another volume, or what is left of a deleted snapshot. The metadata does
	// not tell which.
	Orphans []Orphan

	// Freed counts the catalog entries that are marked as no longer used.
	Freed int

	CatalogOffset int64  // from the start of the volume, in bytes; 0 if there is no catalog
	MaxSize       int64  // limit of the storage in bytes; 0 if it has none
	VolumeID      string // GUID of the volume, "" if it is not set
	StorageID     string // GUID of the volume that keeps its stores, "" if it is not set

	// Warnings are what must be doubted in the catalog, in the order found.
	Warnings []error

	live    *volume
	damaged error // why the catalog is not known in full; nil if it is

	mu      sync.Mutex
	pending int   // Snapshots[pending:] are loaded
	failed  error // why Snapshots[pending-1] could not be loaded
	entries int   // in all tables that are loaded
	bitmaps int64 // bytes of all bitmaps that are loaded
	claimed map[place]bool
}

// A Snapshot is one shadow copy.
type Snapshot struct {
	Index   int       // 1 for the oldest; vshadowinfo has the same, unless a clock was set back: it goes by time
	Stack   uint64    // position on the stack; greater is newer
	StoreID string    // GUID in the catalog, part of the name of the store's file
	ID      string    // GUID of the shadow copy, as vssadmin shows it; "" if its store cannot be read
	SetID   string    // GUID of the set of shadow copies that it was made with; "" likewise
	Created time.Time // UTC, 100 ns; zero if it is not set

	Flags      uint64 // of the catalog entry: FlagDeleted, FlagZeroUnused, others
	Deleted    bool   // FlagDeleted is set: Windows no longer lists it
	Type       uint32 // of the store ("Store types"): 0x9 rollback, 0xd client accessible
	Attributes uint32 // of the store ("Store attribute flags")

	OriginMachine  string // computer that asked for it ("Operating machine")
	ServiceMachine string // computer that made it

	VolumeSize int64  // in bytes, as the catalog has it
	FileRef    uint64 // NTFS file reference of the store's file on the volume that keeps it; 0 if unknown
	Allocated  int64  // bytes allocated to the store; 0 if unknown

	// Warnings are what must be doubted in this snapshot, in the order found,
	// without what is found when its contents are first read.
	Warnings []error

	set   *Set
	at    int64 // of its catalog entry
	loc   location
	home  *volume // that keeps the store; nil if it is lost
	lost  error   // why
	table table
	late  []error // found when the table was loaded
}

// An Orphan is a store without a snapshot.
type Orphan struct {
	StoreID        string // GUID in the catalog
	ID, SetID      string // GUIDs of the shadow copy and its set; "" if the store cannot be read
	OriginMachine  string
	ServiceMachine string
	FileRef        uint64 // NTFS file reference of its file
	Err            error  // why the store cannot be read; nil if it can
}

// MayBeScoped reports whether the snapshot was made by a version of Windows that
// may leave files out of it (Windows 8 and later, value ScopeSnapshots below
// SOFTWARE\Microsoft\Windows NT\CurrentVersion\SystemRestore). Files outside the
// scope may then hold data that is newer than the snapshot.
func (s *Snapshot) MayBeScoped() bool { return s.Flags&FlagZeroUnused != 0 }

// Size returns the size of the snapshot in bytes: that of the catalog, but never
// more than the volume has.
func (s *Snapshot) Size() int64 { return min(s.VolumeSize, s.set.live.size) }

// ReaderAt returns the contents of the volume at the time of the snapshot. The
// first call reads the tables of its store and of all newer ones. It may be
// called concurrently, as may what it returns.
//
// A read that meets damage is an error with its offset on the volume where the
// damage lies; what the metadata does not tell is never filled with zeros.
func (s *Snapshot) ReaderAt() (io.ReaderAt, error) {
	if err := s.set.load(s.Index - 1); err != nil {
		return nil, err
	}
	return &view{stores: s.set.Snapshots[s.Index-1:], live: s.set.live, size: s.Size()}, nil
}

// Damaged returns the one of Warnings that says that the catalog cannot be read
// whole, so that it may name further snapshots; nil if there is none.
func (s *Set) Damaged() error { return s.damaged }

// LateWarnings returns the warnings that the first call of ReaderAt added.
func (s *Snapshot) LateWarnings() []error {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	return s.late
}

// load reads the tables from the newest one down to that of Snapshots[i]. The
// fixed order makes the outcome the same whoever asks first.
func (s *Set) load(i int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damaged != nil {
		return fmt.Errorf("a newer store may be missing from the catalog: %w", s.damaged)
	}
	for s.failed == nil && s.pending > i {
		n := s.Snapshots[s.pending-1]
		err := n.stackable()
		if err == nil {
			err = n.load()
		}
		if err != nil {
			s.failed = fmt.Errorf("snapshot %d (store %s): %w", n.Index, n.StoreID, err)
			break
		}
		s.pending--
	}
	if s.pending > i {
		return s.failed
	}
	return nil
}

// stackable returns an error if the place of n on the stack is in doubt. Positions
// have no gaps: what Windows deletes out of order stays there and is flagged.
func (n *Snapshot) stackable() error {
	all, i := n.set.Snapshots, n.Index-1
	switch {
	case i > 0 && all[i-1].Stack == n.Stack:
		return binread.Errorf(n.at+32, "stack position", "store %s has %d, too", all[i-1].StoreID, n.Stack)
	case i+1 < len(all) && all[i+1].Stack != n.Stack+1:
		return binread.Errorf(n.at+32, "stack position", "it is %d, and the next newer store has %d: what lies between is unknown", n.Stack, all[i+1].Stack)
	}
	return nil
}
