package hive

import "math/bits"

// marvinSeed is the key that log entries are hashed with (REGF, "Log entries").
const marvinSeed = 0x82ef4d887a4e55c5

// marvin32 is the hash of a log entry. It guards against torn writes; anybody
// can compute it.
func marvin32(b []byte) uint64 {
	lo, hi := uint32(marvinSeed&0xffffffff), uint32(marvinSeed>>32)
	for ; len(b) >= 8; b = b[8:] {
		w := le.Uint64(b)
		lo, hi = marvinMix(lo+uint32(w), hi)
		lo, hi = marvinMix(lo+uint32(w>>32), hi)
	}
	if len(b) >= 4 {
		lo, hi = marvinMix(lo+le.Uint32(b), hi)
		b = b[4:]
	}
	last := uint32(0x80) // marks the end of the input
	for i := len(b) - 1; i >= 0; i-- {
		last = last<<8 | uint32(b[i])
	}
	lo, hi = marvinMix(lo+last, hi)
	lo, hi = marvinMix(lo, hi)
	return uint64(hi)<<32 | uint64(lo)
}

func marvinMix(lo, hi uint32) (uint32, uint32) {
	hi ^= lo
	lo = bits.RotateLeft32(lo, 20) + hi
	hi = bits.RotateLeft32(hi, 9) ^ lo
	lo = bits.RotateLeft32(lo, 27) + hi
	return lo, bits.RotateLeft32(hi, 19)
}
