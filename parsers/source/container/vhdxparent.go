package container

import (
	"strings"
)

// openParent opens the disk that this one builds on. Its identifier must be one
// of those that the child knows: over a parent that was written to since, the
// child is no disk.
func (v *vhdx) openParent(d *folder) (*image, error) {
	p, f, err := d.parent("vhdx", distinct([]string{v.locator["relative_path"], v.locator["volume_path"], v.locator["absolute_win32_path"]})...)
	if err != nil {
		return nil, v.f.errorf(-1, "differencing disk", "%w", err)
	}
	id := guid(p.id)
	for _, key := range []string{"parent_linkage", "parent_linkage2"} {
		if strings.EqualFold(strings.Trim(v.locator[key], "{}"), id) {
			return p, nil
		}
	}
	return nil, v.f.errorf(-1, "parent_linkage", "%s, but %q has %s: it is not the parent, or was written to since", v.locator["parent_linkage"], f.name, id)
}

// parseLocator reads the keys and values of a parent locator.
func parseLocator(b []byte) map[string]string {
	m := map[string]string{}
	if guid(b) != vhdxLocatorIs {
		return m
	}
	text := func(off, n int) string {
		if off < 0 || off > len(b) || n > len(b)-off {
			return ""
		}
		return utf16Text(b[off : off+n])
	}
	for i := range int(le.Uint16(b[18:])) {
		if len(b) < 20+12*(i+1) {
			break
		}
		e := b[20+12*i:]
		m[text(int(le.Uint32(e)), int(le.Uint16(e[8:])))] = text(int(le.Uint32(e[4:])), int(le.Uint16(e[10:])))
	}
	return m
}
