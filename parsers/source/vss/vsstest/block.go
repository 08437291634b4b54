package vsstest

func descriptor(orig, rel, at int64, flags, sectors uint32) []byte {
	d := make([]byte, 32)
	le.PutUint64(d, uint64(orig))
	le.PutUint64(d[8:], uint64(rel))
	le.PutUint64(d[16:], uint64(at))
	le.PutUint32(d[24:], flags)
	le.PutUint32(d[28:], sectors)
	return d
}

// chain writes body over as many blocks as it needs, without splitting a unit,
// and returns the offset of the first.
func (w *writer) chain(typ uint32, start int64, body []byte, unit int) int64 {
	per := (blockSize - bodyOffset) / unit * unit
	at := make([]int64, max(1, (len(body)+per-1)/per))
	for i := range at {
		at[i] = w.alloc()
	}
	for i, off := range at {
		next := int64(0)
		if i+1 < len(at) {
			next = at[i+1]
		}
		metadata(w.store, off, typ, off-start, next, body[i*per:min((i+1)*per, len(body))])
	}
	return at[0]
}

// metadata writes a metadata block ("Store block header").
func metadata(img []byte, off int64, typ uint32, rel, next int64, body []byte) {
	b := img[off : off+blockSize]
	clear(b)
	copy(b, signature)
	le.PutUint32(b[16:], 1)
	le.PutUint32(b[20:], typ)
	le.PutUint64(b[24:], uint64(rel))
	le.PutUint64(b[32:], uint64(off))
	le.PutUint64(b[40:], uint64(next))
	copy(b[bodyOffset:], body)
}

// header writes the volume header ("Volume header").
func header(img []byte, catalog int64, volume, storage int) {
	h := img[headerOffset : headerOffset+512]
	clear(h)
	copy(h, signature)
	le.PutUint32(h[16:], 1)
	le.PutUint32(h[20:], 1)
	le.PutUint64(h[24:], headerOffset)
	le.PutUint64(h[32:], headerOffset)
	le.PutUint64(h[48:], uint64(catalog))
	copy(h[64:], guid(volume))
	copy(h[80:], guid(storage))
}

func guid(seed int) []byte {
	g := make([]byte, 16)
	for i := range g {
		g[i] = byte(seed + i)
	}
	return g
}
