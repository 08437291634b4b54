package source

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/source/triage"
)

// Shadow copies in a collection of KAPE, with what it left out of them.
func TestKAPE(t *testing.T) {
	sum := func(s string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(s))) }
	files := map[string]string{
		"WS01/C/Windows/System32/config/SYSTEM": system,
		"WS01/C/Users/bob/NTUSER.DAT":           user + "new",
		"WS01/VSS1/Users/bob/NTUSER.DAT":        user + "old",
		"WS01/VSS2/Users/bob/NTUSER.DAT":        user + "old",
		"WS01/2021-03-04T05_06_07_1_Target_skiplog.csv": "SourceFile,SourceFileSha1,Reason\r\n" +
			`C:\___vssMount\vss001\Windows\System32\config\SYSTEM,` + sum(system) + ",Deduped\r\n" +
			`C:\___vssMount\vss002\Windows\System32\config\SYSTEM,` + sum("other") + ",Deduped\r\n" +
			`C:\Windows\System32\winevt\Logs\Security.evtx,,Excluded` + "\r\n" +
			`C:\Users\bob\holiday.jpg,,Excluded` + "\r\n",
	}
	ev := open(t, write(t, files), Options{})
	wantLines(t, ev,
		`volume id="WS01/C" root="WS01/C" label="WS01" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		`volume id="WS01/VSS1" root="WS01/VSS1" label="WS01" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		`  warning "" @-1: is a shadow copy; the collection does not tell when it was made`,
		`volume id="WS01/VSS2" root="WS01/VSS2" label="WS01" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		`  warning "" @-1: is a shadow copy; the collection does not tell when it was made`,
		`  warning "Windows/System32/config/SYSTEM" @-1: the collector left it out, having the same bytes already (SHA-1 `+strings.ToLower(sum("other"))+`); no file here has them`,
	)
	live := ev.Volumes[0]
	if !slices.Equal(live.NotCollected, []string{"Windows/System32/winevt/Logs/Security.evtx"}) || live.Snapshot != "" {
		t.Errorf("not collected %q, snapshot %q", live.NotCollected, live.Snapshot)
	}
	for _, v := range ev.Volumes[1:] {
		if v.Of != live || v.Snapshot != v.ID {
			t.Errorf("%s: snapshot %q of %v", v.ID, v.Snapshot, v.Of)
		}
	}
	vss1 := ev.Volumes[1].Files
	if vss1[0].SameAs != (Ref{"WS01/VSS2", "Users/bob/NTUSER.DAT"}) || vss1[1].SameAs != (Ref{"WS01/C", "Windows/System32/config/SYSTEM"}) {
		t.Errorf("same as %v and %v", vss1[0].SameAs, vss1[1].SameAs)
	}
}

// What Velociraptor read in several ways is one volume, of the host and time
// that it says.
func TestVelociraptor(t *testing.T) {
	collection := func(dir, host string) map[string]string {
		return map[string]string{
			dir + "uploads/auto/C%3A/Users/bob/NTUSER.DAT":                                                            user,
			dir + "uploads/ntfs/%5C%5C.%5CC%3A/Users/bob/NTUSER.DAT":                                                  user,
			dir + "uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config/SYSTEM":                                        system,
			dir + "uploads/lazy_ntfs/C%3A/Windows/System32/winevt/Logs/Security.evtx":                                 evtx,
			dir + "uploads/lazy_ntfs/C%3A/Windows/System32/winevt/Logs/System.evtx":                                   "ElfFile\x00" + evtx[4096:],
			dir + "uploads/lazy_ntfs/C%3A/Windows/System32/winevt/Logs/System.evtx.idx":                               fmt.Sprintf(`{"ranges":[{"file_offset":0,"original_offset":0,"file_length":8,"length":8},{"original_offset":8,"length":4088},{"file_offset":8,"original_offset":4096,"file_length":%d,"length":%[1]d}]}`, len(evtx)-4096),
			dir + "uploads/ntfs_vss/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy7/Users/bob/NTUSER.DAT": user + "old",
			dir + "client_info.json":        `{"Hostname":"` + host + `","Fqdn":"x"}`,
			dir + "collection_context.json": `{"create_time":1600000000000000000,"start_time":1614834367123456789}`,
			dir + "uploads.json":            `{"_Components":["uploads","auto","C:","Users","bob","NTUSER.DAT"],"file_size":4128,"uploaded_size":4128,"Type":""}` + "\n" + `{"_Components":["uploads","ntfs","\\\\.\\C:","Windows","System32","config","SYSTEM"],"file_size":9999,"uploaded_size":4128,"Type":""}` + "\n",
		}
	}
	ev := open(t, write(t, collection("", "WS01")), Options{})
	snapshot := "uploads/ntfs_vss/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy7"
	wantLines(t, ev,
		`volume id="uploads/auto/C%3A" root="uploads/auto/C%3A" label="case" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
		"  Windows/System32/winevt/Logs/System.evtx evtx expected",
		`  error "Windows/System32/config/SYSTEM" @4128: the collector took only the first 4128 of 9999 bytes`,
		`volume id="`+snapshot+`" root="`+snapshot+`" label="case" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		`  warning "" @-1: is a shadow copy; the collection does not tell when it was made`,
	)
	v := ev.Volumes[0]
	if v.HostHint != "WS01" || !v.Collected.Equal(time.Date(2021, 3, 4, 5, 6, 7, 123456700, time.UTC)) {
		t.Errorf("host %q, collected %v", v.HostHint, v.Collected)
	}
	if readAll(t, v.Files[3]) != evtx {
		t.Error("a file with holes is not put together")
	}
	if s := ev.Volumes[1]; s.Of != v || s.Snapshot == "" || s.HostHint != "WS01" {
		t.Errorf("snapshot %q of %v on %q", s.Snapshot, s.Of, s.HostHint)
	}

	// The export of a hunt holds many hosts.
	hunt := collection("WS01-C.1a2b/", "WS01")
	for name, data := range collection("WS02-C.3c4d/", "WS02") {
		hunt[name] = data
	}
	hosts := map[string]int{}
	for _, v := range open(t, write(t, hunt), Options{}).Volumes {
		hosts[v.HostHint]++
	}
	if hosts["WS01"] != 2 || hosts["WS02"] != 2 || len(hosts) != 2 {
		t.Errorf("hosts of a hunt: %v", hosts)
	}
}

// A change journal that Velociraptor collected without its hole, and of which the
// upload broke off: what is there is read, at its place in the journal.
func TestVelociraptorJournal(t *testing.T) {
	dir := "uploads/ntfs/%5C%5C.%5CC%3A/"
	ev := open(t, write(t, map[string]string{
		dir + "$Extend/$UsnJrnl%3A$J":     strings.Repeat("x", 5120),
		dir + "$Extend/$UsnJrnl%3A$J.idx": `{"ranges":[{"length":9301852160},{"original_offset":9301852160,"length":4430299136},{"original_offset":13732151296,"file_length":39612408,"length":39612408}]}`,
		dir + "Users/bob/NTUSER.DAT":      user,
	}), Options{})
	wantLines(t, ev, `volume id="" root="uploads/ntfs/%5C%5C.%5CC%3A" label="case" folder windows`,
		"  $Extend/$UsnJrnl:$J other", "  Users/bob/NTUSER.DAT hive expected",
		`  error "$Extend/$UsnJrnl:$J" @13732156416: of 13771763704 bytes that the collector lists, what lies behind the first 13732156416 is not there`)
	f := ev.Volumes[0].Files[0]
	h, err := f.Open()
	must(t, err)
	defer h.Close()
	if !f.Incomplete || f.Size != 5120 || h.Size() != 5120 || Base(h) != 13732151296 || readAll(t, f) != strings.Repeat("x", 5120) {
		t.Errorf("%d bytes at %d, incomplete %v", h.Size(), Base(h), f.Incomplete)
	}
}

// The segments of an image are found whatever the case of their names, and names
// of archives give the host.
func TestNamesOfSources(t *testing.T) {
	img := string(diskOf(volume(t, ntfsFile("Windows/System32/config/SYSTEM", system))))
	dir := write(t, map[string]string{"disk.IMG.001": img[:3<<20], "DISK.img.002": img[3<<20:]})
	ev := open(t, filepath.Join(dir, "disk.IMG.001"), Options{})
	if len(ev.Problems) > 0 || len(ev.Volumes) != 1 || len(ev.Parts) != 2 || filepath.Base(ev.Parts[1]) != "DISK.img.002" {
		t.Errorf("parts %q\n%s", ev.Parts, strings.Join(describe(ev), "\n"))
	}
	for name, want := range map[string]string{
		"Collection-WIN-E5K9RC5GU23-2021-11-21T18_05_56-08_00": "WIN-E5K9RC5GU23", "DFIR-ORC_Server_fs01.corp.example_General": "fs01.corp.example",
		"ORC_WorkStation_WS01_Little": "WS01", "Collection-of-stamps": "Collection-of-stamps", "WS01": "WS01",
	} {
		if got := triage.HostOf(name); got != want {
			t.Errorf("%s: host %q, want %q", name, got, want)
		}
	}
}

func TestBadIndex(t *testing.T) {
	for _, idx := range []string{
		`{"ranges":[{"file_offset":0,"original_offset":0,"file_length":99999,"length":99999}]}`,
		`{"ranges":[{"original_offset":10,"length":10},{"original_offset":5,"length":10}]}`,
		`{"ranges":[{"original_offset":0,"length":-1}]}`,
		`{"ranges":[{"original_offset":9223372036854775807,"length":9223372036854775807}]}`,
		`no json`,
	} {
		ev := open(t, write(t, map[string]string{"C/Users/bob/NTUSER.DAT": user, "C/Users/bob/NTUSER.DAT.idx": idx}), Options{})
		v := ev.Volumes[0]
		if len(v.Files) != 1 || readAll(t, v.Files[0]) != user || len(v.Problems) != 1 || v.Problems[0].Severity != Error {
			t.Errorf("%s:\n%s", idx, strings.Join(describe(ev), "\n"))
		}
	}
}

// A collection that is encrypted for a certificate opens with its key.
func TestEncryptedForCertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := rsa.EncryptOAEP(sha512.New(), rand.Reader, &key.PublicKey, []byte("s3cret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	inner := zipOf(t, member{name: "uploads/auto/C%3A/Users/bob/NTUSER.DAT", data: user})
	outer := sealedZip(t, "data.zip", string(inner), "s3cret", 3, true,
		member{name: "metadata.json", data: `[{"EncryptedPass":"` + base64.StdEncoding.EncodeToString(sealed) + `","Scheme":"X509"}]`})
	path := zipFileOf(t, outer)
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	ev := open(t, path, Options{KeyPEM: pkcs1})
	wantLines(t, ev, `volume id="case.zip!data.zip" root="uploads/auto/C%3A" label="data" zip windows`, "  Users/bob/NTUSER.DAT hive expected")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	wrong := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other)})
	wantLines(t, open(t, path, Options{KeyPEM: wrong}),
		`error "case.zip!data.zip" @-1: member is encrypted: give its password with --password or --password-file`,
		`error "case.zip!metadata.json" @-1: its password cannot be decrypted with the given key: crypto/rsa: decryption error`)
}

// An investigation package of Microsoft Defender has a log and no hives; the
// files of a user that are called like those of a collector tell nothing.
func TestDefenderPackage(t *testing.T) {
	ev := open(t, write(t, map[string]string{
		"WS01/Security event log/Security.evtx":                                  evtx,
		"WS01/Windows Server Message Block (SMB) sessions/SmbInboundSession.txt": "x",
		"C/Users/bob/NTUSER.DAT":                                                 user,
		"C/Users/bob/src/client_info.json":                                       `{"Hostname":"EVIL"}`,
		"C/Users/bob/src/.git/pack-1.idx":                                        "\xfftOc",
		"C/Users/bob/src/pack-1":                                                 "x",
	}), Options{})
	wantLines(t, ev,
		`volume id="C" root="C" label="case" folder windows`, "  Users/bob/NTUSER.DAT hive expected",
		`volume id="WS01" root="WS01" label="WS01" folder loose`, "  Security event log/Security.evtx evtx expected")
	for _, v := range ev.Volumes {
		if v.HostHint != "" {
			t.Errorf("%s: host %q", v.ID, v.HostHint)
		}
	}
	if ev := open(t, write(t, map[string]string{"Security event log/Security.evtx": evtx, "Windows Server Message Block (SMB) sessions/x.txt": "x"}), Options{}); len(ev.Volumes[0].NotCollected) == 0 {
		t.Error("the package does not say that hives were not collected")
	}
}

// CyLR writes paths without the colon, with either separator.
func TestCyLR(t *testing.T) {
	ev := open(t, zipFileOf(t, zipOf(t,
		member{name: `C\Windows\System32\config\SYSTEM`, data: system}, member{name: `C\Users\bob\NTUSER.DAT`, data: user},
		member{name: "C/Windows/System32/winevt/Logs/Security.evtx", data: evtx})), Options{})
	wantLines(t, ev, `volume id="case.zip" root="C" label="case" zip windows`, "  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected", "  Windows/System32/winevt/Logs/Security.evtx evtx expected")
}

// Flows of one hunt have the same name on every computer; without other names the
// folders of the clients tell them apart.
func TestHuntWithoutNames(t *testing.T) {
	const flow = "/collections/F.CABC123.H/uploads/auto/C%3A/Users/bob/NTUSER.DAT"
	dir := write(t, map[string]string{"clients/WS01-C.1a" + flow: user, "clients/WS02-C.2b" + flow: user})
	ev := open(t, dir, Options{})
	if len(ev.Volumes) != 2 || ev.Volumes[0].Label != "WS01-C.1a" || ev.Volumes[1].Label != "WS02-C.2b" {
		t.Errorf("%s", strings.Join(describe(ev), "\n"))
	}
}
