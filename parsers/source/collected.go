package source

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"sharetrail/parsers/source/archive"
	"sharetrail/parsers/source/triage"
)

// collected makes one volume of what a collector took of one drive in several
// ways, and brings in what KAPE left out of shadow copies as unchanged.
func (l *layouter) collected() {
	type drive struct{ parent, letter string }
	first := map[drive]*Volume{}
	for _, root := range slices.Sorted(maps.Keys(l.volumes)) {
		v := l.volumes[root]
		parent, letter, ok := triage.Drive(root)
		if _, _, isSnapshot := triage.Snapshot(root); isSnapshot && !v.Loose {
			v.problem(warnf("", "is a shadow copy; the collection does not tell when it was made"))
			continue
		}
		if !ok || v.Loose {
			continue
		}
		key := drive{parent, letter}
		to := first[key]
		if to == nil {
			first[key] = v
			continue
		}
		to.take(v)
		delete(l.volumes, root)
	}
	l.deduped()
}

// take adds what v has to w. Of two files with the same path and bytes, one is
// enough.
func (w *Volume) take(v *Volume) {
	have := map[string]*File{}
	for i := range w.Files {
		have[w.Files[i].Path] = &w.Files[i]
	}
	var more []File
	for i := range v.Files {
		f := &v.Files[i]
		if g := have[f.Path]; g == nil || g.Size != f.Size || !equal(f, g) {
			more = append(more, *f)
		}
	}
	w.Files = append(w.Files, more...)
	w.Problems = append(w.Problems, v.Problems...)
}

// deduped adds the files that KAPE did not copy, having the same bytes already,
// which their SHA-1 proves: those of shadow copies in which nothing changed, and
// copies in RegBack that equal the hive.
func (l *layouter) deduped() {
	for _, k := range l.col.skips() {
		if !k.deduped || k.sha1 == "" {
			continue
		}
		root, sources := l.origin(k)
		if f := same1(sources, k); f != nil {
			v := l.volume(root, false)
			g := *f
			g.Path = triage.Show(k.rest)
			v.Files = append(v.Files, g)
		} else if !k.listed {
			k.listed = true
			l.volume(root, false).problem(warnf(triage.Show(k.rest), "the collector left it out, having the same bytes already (SHA-1 %s); no file here has them", k.sha1))
			l.volume(root, false).NotCollected = append(l.volume(root, false).NotCollected, triage.Show(k.rest))
		}
	}
}

// origin returns the root that the file k belongs to, and the volumes that the
// same collection has.
func (l *layouter) origin(k *skip) (root string, all []*Volume) {
	root = path.Join(k.dir, k.letter)
	if k.n > 0 {
		root = path.Join(k.dir, "VSS"+strconv.Itoa(k.n))
	}
	for _, r := range slices.Sorted(maps.Keys(l.volumes)) {
		v := l.volumes[r]
		if v.Loose || !within(r, k.dir) {
			continue
		}
		_, n, isSnapshot := triage.Snapshot(r)
		_, letter, isDrive := triage.Drive(r)
		if isSnapshot && n == k.n || !isSnapshot && isDrive && k.n == 0 && letter == k.letter {
			root = r
		}
		if isSnapshot || isDrive {
			all = append(all, v)
		}
	}
	return root, all
}

// same1 returns the file with the SHA-1 of k: that with its path, else any.
func same1(volumes []*Volume, k *skip) *File {
	for _, samePath := range []bool{true, false} {
		for _, v := range volumes {
			for i := range v.Files {
				f := &v.Files[i]
				if strings.EqualFold(f.Path, triage.Show(k.rest)) == samePath && (samePath || f.Kind == Hive || f.Kind == EVTX) && f.sha1() == k.sha1 {
					return f
				}
			}
		}
	}
	return nil
}

// sha1 returns the SHA-1 of the content in lower-case hex, "" if it cannot be
// read whole.
func (f *File) sha1() string {
	h, err := f.Open()
	if err != nil {
		return ""
	}
	defer h.Close()
	sum := sha1.New()
	if n, err := io.Copy(sum, io.NewSectionReader(h, 0, h.Size())); err != nil || n != h.Size() {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// snapshots marks the volumes that a collection has of shadow copies.
func (l *layouter) snapshots() {
	type copied struct {
		v *Volume
		n int
	}
	var all []copied
	for _, v := range l.c.volumes {
		parent, n, ok := triage.Snapshot(v.Root)
		if !ok || v.Loose || l.c.kind == "ntfs" && v.Snapshot != "" {
			continue
		}
		v.Snapshot = v.ID
		if v.Snapshot == "" {
			v.Snapshot = v.Root
		}
		var of []*Volume
		for _, w := range l.c.volumes {
			if p, _, isDrive := triage.Drive(w.Root); (isDrive && p == parent || w.Root == parent && parent != "") && !w.Loose {
				if _, _, isSnapshot := triage.Snapshot(w.Root); !isSnapshot {
					of = append(of, w)
				}
			}
		}
		if len(of) == 1 {
			v.Of = of[0]
		}
		all = append(all, copied{v, n})
	}
	slices.SortStableFunc(all, func(a, b copied) int { return b.n - a.n })
	for i, s := range all {
		if s.v.Of == nil {
			continue
		}
		newer := []view{{[]*Volume{s.v.Of}, ""}}
		for _, o := range slices.Backward(all[:i]) {
			if o.v.Of == s.v.Of {
				newer = append(newer, view{[]*Volume{o.v}, ""})
			}
		}
		sameFiles(newer, s.v)
	}
}

// sameFiles is same for volumes whose roots differ.
func sameFiles(newer []view, older *Volume) {
	for i := range older.Files {
		f := &older.Files[i]
		for _, v := range newer {
			w := v.volumes[0]
			j, ok := slices.BinarySearchFunc(w.Files, f.Path, func(g File, p string) int { return strings.Compare(g.Path, p) })
			if !ok || w.Files[j].Size != f.Size || w.Files[j].Kind != f.Kind || !equal(f, &w.Files[j]) {
				continue
			}
			if f.SameAs = (Ref{w.ID, f.Path}); w.Files[j].SameAs != (Ref{}) {
				f.SameAs = w.Files[j].SameAs
			}
			break
		}
	}
}

// collectorPassword decrypts the password of a Velociraptor collection that is
// encrypted for a certificate: metadata.json beside data.zip holds it, by
// RSA-OAEP with SHA-512.
func (s *scanner) collectorPassword(c *scope, a *archive.Archive) (password []byte, ok bool) {
	sealed := slices.ContainsFunc(a.Members, func(m archive.Member) bool { return m.Sealed != "" })
	i := slices.IndexFunc(a.Members, func(m archive.Member) bool { return strings.EqualFold(m.Name, "metadata.json") })
	if !sealed || i < 0 || a.Members[i].Sealed != "" || a.Members[i].Size > maxMetadata {
		return nil, false
	}
	password, err := s.decryptPassword(&a.Members[i])
	if err != nil {
		c.problem(errorf("metadata.json", "its password cannot be decrypted with the given key: %s", text(err)))
	}
	return password, err == nil
}

func (s *scanner) decryptPassword(m *archive.Member) ([]byte, error) {
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var list []struct{ EncryptedPass, Scheme string }
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, err
	}
	key, err := privateKey(s.o.KeyPEM)
	if err != nil {
		return nil, err
	}
	err = errors.New("it holds none that is encrypted for a certificate (X509)")
	for _, e := range list {
		if !strings.EqualFold(e.Scheme, "X509") {
			continue
		}
		var sealed, password []byte
		if sealed, err = base64.StdEncoding.DecodeString(e.EncryptedPass); err != nil {
			continue
		}
		if password, err = rsa.DecryptOAEP(sha512.New(), nil, key, sealed, nil); err == nil {
			return password, nil
		}
	}
	return nil, err
}

// privateKey reads the first RSA private key of a PEM file.
func privateKey(b []byte) (*rsa.PrivateKey, error) {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := key.(*rsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, errors.New("the key file holds no RSA private key in PEM")
}
