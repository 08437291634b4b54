package eventlog

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of a census, so that a hostile log cannot grow it.
const (
	maxChannels  = 1024
	maxSeries    = 4096 // runs of numbers over all channels
	maxBadChunks = 4096
	maxHoles     = 4096
	maxSetBack   = 64 // a channel
	maxSilences  = 256
)

// minSilence is the shortest span without a record that is kept.
const minSilence = time.Hour

// minSetBack is the smallest step back in time from one record to the next that is
// kept. Records of one instant come out of order by seconds.
const minSetBack = time.Minute

// A Census is what a log holds, counted while [Log.Records] was iterated. It
// covers the records up to the point of the iteration.
type Census struct {
	Channels []ChannelCensus // sorted by channel, then computer
	// DroppedChannels is how many records belong to channels beyond the first
	// 1024; DroppedSeries how many breaks in the numbers were not kept.
	DroppedChannels, DroppedSeries int

	Records    int // readable
	Unreadable int // error elements
	// Missing is how many records chunk headers count that were not found.
	Missing uint64
	Chunks  int   // that are not all zero
	Bytes   int64 // from the start of the file to the end of the last of them
	// BadChunks are chunks with a wrong checksum or header, the first 4096.
	BadChunks        []BadChunk
	DroppedBadChunks int

	// Slack counts the records outside the record lists, if they were asked for,
	// and SlackUnread those of them of which only the header can be read. They
	// are in no other number of the census.
	Slack, SlackUnread int

	// Holes are chunks that hold fewer records than their header counts although
	// their list has no damaged bytes, the first 4096. Their records are in
	// Missing, and in no Series.
	Holes        []Hole
	DroppedHoles int

	// HeaderIDDiffers counts records whose header number is not their
	// System/EventRecordID, HeaderTimeDiffers those whose header time is more
	// than a second from System/TimeCreated, HeaderTimeZero those without.
	HeaderIDDiffers, HeaderTimeDiffers, HeaderTimeZero int
	// HeaderIDTail counts the records from the last one stored back to the last
	// whose two numbers are equal. HeaderIDRun says that the header numbers are
	// 1, 2, 3 and so on.
	HeaderIDTail int
	HeaderIDRun  bool
	// Turns counts how often a record is of another computer than the one before it.
	Turns int

	// Filled says that the log is, or once was, as large as it may get: so its
	// header says, or its oldest records do not come first.
	Filled bool
}

// minTail is how many records behind a first gap an export must have to be
// told from a log in which a few records were changed.
const minTail = 16

// Reexported reports whether the log was written by an export, a filter or a
// collector, not by the computer it is about: its record headers count the
// copies. A gap in such a log is no sign of deletion.
//
// It takes more than half of the records, or all of at least 16 from one on in
// a log whose header numbers count from 1, so that a change to one record
// cannot pass a log off as an export. Of 183 real logs 154 have no record that
// differs, and 29 have 98.9 % of them or more.
func (c *Census) Reexported() bool {
	if 2*c.HeaderIDDiffers > c.Records || c.collected() {
		return true
	}
	return c.HeaderIDRun && c.HeaderIDTail >= minTail && c.HeaderIDTail == c.HeaderIDDiffers
}

// collected reports whether the log holds the events of several computers by turns, as
// only a collector has them. The name of a computer changes once in its own log.
func (c *Census) collected() bool {
	counts := map[string]int{}
	for _, ch := range c.Channels {
		name, _, _ := strings.Cut(strings.ToLower(ch.Computer), ".")
		counts[name] += ch.Count
	}
	several := 0
	for _, n := range counts {
		if n >= minTail {
			several++
		}
	}
	return several > 1 && c.Turns >= c.Records/4
}

// HeadersChanged reports whether record headers differ from their events in a
// way that neither an export nor a service that writes its own log explains.
func (c *Census) HeadersChanged() bool {
	return !c.Reexported() && (c.HeaderIDDiffers > 0 || c.HeaderTimeZero > 0)
}

// A Hole is a number of records that a chunk had and does not hold, where no
// bytes are damaged: they were taken out, or never written.
type Hole struct {
	Chunk   int    // its place in the file, from 0
	Off     int64  // of the chunk, from the start of the file, in bytes
	Missing uint64 // records
	Of      uint64 // by the chunk's header
}

// A ChannelCensus counts the records of one channel of one computer.
type ChannelCensus struct {
	Channel, Computer string
	Count             int
	First, Last       Mark // lowest and highest System/EventRecordID
	Oldest, Newest    Mark // by System/TimeCreated
	// Series are the unbroken runs of System/EventRecordID, ascending.
	Series []IDRange
	// TimeStepsBack counts records that are older than the one stored before.
	TimeStepsBack int
	// SetBack are the records that are older by a minute or more than the one of the
	// number before, the first 64.
	SetBack []SetBack
	// Silences are the spans of an hour or more between a record and that of the next
	// number, the 256 longest, by time.
	Silences []Silence
}

// A Silence is a span in which a channel has no record, and lacks none.
type Silence struct{ From, To time.Time }

// A SetBack is a record that is older than the one before it.
type SetBack struct {
	ID           uint64    // of the record
	Before, Time time.Time // of the record before, and of this one
}

// A Mark is the number and time of one record.
type Mark struct {
	ID   uint64
	Time time.Time
}

// An IDRange is an unbroken run of record numbers.
type IDRange struct {
	First, Last         uint64
	FirstTime, LastTime time.Time // of the records First and Last
}

// A BadChunk is a chunk whose header or checksum is wrong.
type BadChunk struct {
	Number int   // its place in the file, from 0
	Off    int64 // from the start of the file, in bytes
	Why    string
}

type channelKey struct{ channel, computer string }

type channelCounter struct {
	ChannelCensus
	last time.Time // of the record stored before
	run  int       // index in Series of the run that grew last
}

type censusBuilder struct {
	c        Census
	channels map[channelKey]*channelCounter
	recent   *channelCounter
	series   int
}

func (b *censusBuilder) chunk(n int, off, end int64, h *chunkHeader) {
	b.c.Chunks++
	b.c.Bytes = end
	if h.doubt == "" {
		return
	}
	if len(b.c.BadChunks) == maxBadChunks {
		b.c.DroppedBadChunks++
		return
	}
	b.c.BadChunks = append(b.c.BadChunks, BadChunk{n, off, h.doubt})
}

func (b *censusBuilder) unread(error) { b.c.Unreadable++ }

func (b *censusBuilder) short(n uint64, err error) {
	b.c.Missing += n
	b.unread(err)
}

func (b *censusBuilder) hole(h Hole) {
	b.c.Missing += h.Missing
	if len(b.c.Holes) == maxHoles {
		b.c.DroppedHoles++
		return
	}
	b.c.Holes = append(b.c.Holes, h)
}

func (b *censusBuilder) record(r *Record) {
	b.c.Records++
	b.c.HeaderIDRun = r.HeaderID == uint64(b.c.Records) && (b.c.HeaderIDRun || b.c.Records == 1)
	if r.HeaderID != r.ID {
		b.c.HeaderIDDiffers++
		b.c.HeaderIDTail++
	} else {
		b.c.HeaderIDTail = 0
	}
	switch {
	case r.HeaderTime.IsZero():
		b.c.HeaderTimeZero++
	case r.HeaderTime == r.Time: // as in nearly all records
	case r.HeaderTime.Sub(r.Time).Abs() > time.Second:
		b.c.HeaderTimeDiffers++
	}
	if b.recent == nil || b.recent.Channel != r.Channel || b.recent.Computer != r.Computer {
		if b.recent != nil && b.recent.Computer != r.Computer {
			b.c.Turns++
		}
		if b.recent = b.channel(r); b.recent == nil {
			return
		}
	}
	b.series += b.recent.add(r, b.series < maxSeries, &b.c.DroppedSeries)
}

func (b *censusBuilder) channel(r *Record) *channelCounter {
	k := channelKey{r.Channel, r.Computer}
	if c := b.channels[k]; c != nil {
		return c
	}
	if len(b.channels) == maxChannels {
		b.c.DroppedChannels++
		return nil
	}
	if b.channels == nil {
		b.channels = make(map[channelKey]*channelCounter)
	}
	c := &channelCounter{ChannelCensus: ChannelCensus{Channel: r.Channel, Computer: r.Computer}}
	b.channels[k] = c
	return c
}

// add counts r, and returns how many runs it added. Without room, a record
// that starts a new run is only counted as dropped.
func (c *channelCounter) add(r *Record, room bool, dropped *int) int {
	m := Mark{r.ID, r.Time}
	if c.Count++; c.Count == 1 {
		c.First, c.Last, c.Oldest, c.Newest = m, m, m, m
	} else if r.Time.Before(c.last) {
		c.TimeStepsBack++
	}
	c.last = r.Time
	if m.ID < c.First.ID {
		c.First = m
	}
	if m.ID > c.Last.ID {
		c.Last = m
	}
	if m.Time.Before(c.Oldest.Time) {
		c.Oldest = m
	}
	if m.Time.After(c.Newest.Time) {
		c.Newest = m
	}
	if c.run < len(c.Series) {
		s := &c.Series[c.run]
		if m.ID >= s.First && m.ID <= s.Last {
			return 0 // stored twice
		}
		if m.ID == s.Last+1 {
			if m.Time.Before(s.LastTime) && s.LastTime.Sub(m.Time) >= minSetBack && len(c.SetBack) < maxSetBack {
				c.SetBack = append(c.SetBack, SetBack{m.ID, s.LastTime, m.Time})
			}
			if m.Time.Sub(s.LastTime) >= minSilence {
				if c.Silences = append(c.Silences, Silence{s.LastTime, m.Time}); len(c.Silences) == 2*maxSilences {
					c.Silences = longest(c.Silences)
				}
			}
			s.Last, s.LastTime = m.ID, m.Time
			return 0
		}
	}
	if !room {
		*dropped++
		return 0
	}
	c.Series = append(c.Series, IDRange{m.ID, m.ID, m.Time, m.Time})
	c.run = len(c.Series) - 1
	return 1
}

// Census returns what the records that were iterated so far amount to.
func (l *Log) Census() Census {
	c := l.census.c
	c.Filled = l.header.Full || l.header.FirstChunk > 0
	c.BadChunks, c.Holes = slices.Clone(c.BadChunks), slices.Clone(c.Holes)
	for _, ch := range l.census.channels {
		cc := ch.ChannelCensus
		c.Filled = c.Filled || !slices.IsSortedFunc(cc.Series, func(a, b IDRange) int { return cmp.Compare(a.First, b.First) })
		cc.Series = mergeRanges(cc.Series)
		cc.Silences = longest(slices.Clone(cc.Silences))
		slices.SortFunc(cc.Silences, func(a, b Silence) int { return a.From.Compare(b.From) })
		c.Channels = append(c.Channels, cc)
	}
	slices.SortFunc(c.Channels, func(a, b ChannelCensus) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Computer, b.Computer))
	})
	return c
}

// longest returns the longest silences of a list, which it sorts.
func longest(list []Silence) []Silence {
	slices.SortFunc(list, func(a, b Silence) int {
		return cmp.Or(cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)), a.From.Compare(b.From))
	})
	return list[:min(len(list), maxSilences)]
}

// mergeRanges sorts the runs and joins those that touch: the chunks of a log
// that wrapped are not stored in the order of their numbers.
func mergeRanges(list []IDRange) []IDRange {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b IDRange) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	out := list[:0]
	for _, r := range list {
		if n := len(out); n > 0 && (r.First <= out[n-1].Last || r.First == out[n-1].Last+1) {
			if r.Last > out[n-1].Last {
				out[n-1].Last, out[n-1].LastTime = r.Last, r.LastTime
			}
			continue
		}
		out = append(out, r)
	}
	return out
}
