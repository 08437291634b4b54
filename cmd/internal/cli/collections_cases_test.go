package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"sharetrail/parsers/hive/hivetest"
)

// one puts a single file into the folder of the case.
func one(name string, b []byte) tree { return tree{name: b} }

// noVSS is the coverage of a KAPE run that was not asked for shadow copies.
var noVSS = map[string]string{"vss": "absent not_collected"}

// packedCases are folders, archives and images of them.
func packedCases() []collectedCase {
	return []collectedCase{
		{name: "mounted volume", point: "mnt", files: func(t *testing.T, alice tree) tree { return alice.below("mnt/") }},
		{name: "renamed folder, mixed case", paths: strings.ToLower, files: func(t *testing.T, alice tree) tree {
			swap := strings.NewReplacer("Windows/System32", "WINDOWS/system32", "Users", "uSERS", "NTUSER.DAT", "ntuser.dat", "SYSTEM", "system", "winevt/Logs", "WinEVT/LOGS")
			return alice.at(func(p string) string { return "Case 42/received by mail/laufwerk/" + swap.Replace(p) })
		}},
		{name: "zip", point: "a.zip", files: func(t *testing.T, alice tree) tree { return one("a.zip", alice.below("C/").zip(t)) }},
		{name: "zip in a zip", point: "a.zip", files: func(t *testing.T, alice tree) tree {
			return one("a.zip", one("inner/b.zip", alice.below("x/C/").zip(t)).zip(t))
		}},
		{name: "tar", point: "a.tar", files: func(t *testing.T, alice tree) tree { return one("a.tar", alice.below("./C/").tar(t)) }},
		{name: "tar.gz", point: "a.tar.gz", files: func(t *testing.T, alice tree) tree {
			return one("a.tar.gz", gzipped(t, alice.below("C/").tar(t)))
		}},
		{name: "tar.zst", point: "a.tar.zst", files: func(t *testing.T, alice tree) tree {
			return one("a.tar.zst", zstandard(t, alice.below("C/").tar(t)))
		}},
		{name: "7z", point: "a.7z", files: func(t *testing.T, alice tree) tree { return one("a.7z", alice.below("C/").sevenZip(t)) }},
		{name: "disk in a zip", point: "a.zip", files: func(t *testing.T, alice tree) tree {
			return one("a.zip", one("disk.dd", alice.disk(t)).zip(t))
		}},
		{name: "split disk in a folder", files: func(t *testing.T, alice tree) tree {
			d := alice.disk(t)
			return tree{"x/disk.001": d[:3<<20], "x/disk.002": d[3<<20 : 6<<20], "x/disk.003": d[6<<20:]}
		}},
		{name: "compressed disk", point: "disk.dd.gz", files: func(t *testing.T, alice tree) tree {
			return one("disk.dd.gz", gzipped(t, alice.disk(t)))
		}},
		{name: "CyLR", point: "WS01.zip", files: func(t *testing.T, alice tree) tree {
			return one("WS01.zip", alice.at(func(p string) string { return `C\` + strings.ReplaceAll(p, "/", `\`) }).zip(t))
		}},
	}
}

// kapeRun makes the logs of a run of KAPE that copied files.
func kapeRun(files tree, skipped, failed string) map[string]string {
	log := "\xef\xbb\xbfCopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,DeferredCopy,CreatedOnUtc,ModifiedOnUtc,LastAccessedOnUtc,CopyDuration\r\n"
	for name, b := range files {
		p := strings.ReplaceAll(name, "/", `\`)
		log += fmt.Sprintf("2026-03-05 12:00:00.1234567,C:\\%s,E:\\out\\C\\%s,%d,%X,False,2026-03-05 11:00:00.0000000,2026-03-05 11:00:00.0000000,2026-03-05 11:00:00.0000000,00:00:00.1\r\n", p, p, len(b), sha1.Sum(b))
	}
	return map[string]string{
		"2026-03-05T12_00_00_1234567_CopyLog.csv":     log,
		"2026-03-05T12_00_00_1234567_SkipLog.csv.csv": "\xef\xbb\xbfSourceFile,SourceFileSha1,Reason\r\n" + skipped,
		"2026-03-05T12_00_00_1234567_ConsoleLog.txt": "[2026-03-05 12:59:00.1 | INF] Command line:   --tsource C: --tdest E:\\out --target !SANS_Triage\r\n" +
			"[2026-03-05 12:59:00.1 | INF] System info: Machine name: WS01, 64-bit: true, User: Administrator OS: \"Windows10\" (10.0.19045)\r\n" + failed,
	}
}

func kapeCases() []collectedCase {
	collect := func(alice tree) tree { return alice.below("C/").with(kapeRun(alice, "", "")) }
	excluded := "C:\\Windows\\System32\\winevt\\Logs\\Security.evtx,,Excluded\r\n"
	failed := "[2026-03-05 12:59:01.1 | FTL] Could not copy file C:\\Users\\alice\\NTUSER.DAT to E:\\out\\C\\Users\\alice\\NTUSER.DAT. Error: in use\r\n"
	return []collectedCase{
		{name: "KAPE folder", lacks: noVSS, files: func(t *testing.T, alice tree) tree { return collect(alice).below("out/") }},
		{name: "KAPE zip", lacks: noVSS, point: "2026-03-05T120000_WS01.zip", files: func(t *testing.T, alice tree) tree {
			return one("2026-03-05T120000_WS01.zip", collect(alice).zip(t))
		}},
		{name: "KAPE disk in a zip, logs beside", lacks: noVSS, files: func(t *testing.T, alice tree) tree {
			return one("2026-03-05T120000_WS01.zip", one("2026-03-05T120000_WS01.vhd", alice.below("C/").disk(t)).zip(t)).with(kapeRun(alice, "", ""))
		}},
		{name: "KAPE left a log out", partial: true, lacks: map[string]string{"evtx:Security": "absent not_collected"}, files: func(t *testing.T, alice tree) tree {
			alice = alice.without("Security.evtx")
			return alice.below("C/").with(kapeRun(alice, excluded, ""))
		}},
		{name: "KAPE could not copy a hive", partial: true, code: 3, lacks: map[string]string{"registry:NTUSER:alice": "absent not_collected"},
			problems: []string{"the collector could not copy it: in use"}, files: func(t *testing.T, alice tree) tree {
				alice = alice.without("NTUSER.DAT")
				return alice.below("C/").with(kapeRun(alice, "", failed))
			}},
		{name: "KAPE copied a hive that is gone", partial: true, code: 3, lacks: map[string]string{"registry:NTUSER:alice": "absent not_collected"},
			problems: []string{"the collector's log says that it was copied, and it is not here"}, files: func(t *testing.T, alice tree) tree {
				return alice.without("NTUSER.DAT").below("C/").with(kapeRun(alice, "", ""))
			}},
		{name: "KAPE shadow copies", partial: true, lacks: map[string]string{"vss": "partial", "registry:NTUSER:alice": "continuous"},
			problems: []string{"the collection does not tell when it was made"}, files: func(t *testing.T, alice tree) tree {
				logs := kapeRun(alice, fmt.Sprintf("C:\\___vssMount\\vss001\\Users\\alice\\NTUSER.DAT,%X,Deduped\r\n", sha1.Sum(alice["Users/alice/NTUSER.DAT"])), "")
				logs["_kape.cli"] = "--tsource C: --vss --tdest E:\\out --target !SANS_Triage"
				return alice.below("C/").with(logs).with(map[string]string{"VSS1/Windows/System32/config/SYSTEM": string(alice["Windows/System32/config/SYSTEM"])})
			}},
	}
}

// collected lays files out as Velociraptor does.
func collected(dir, accessor, drive string, files tree) tree {
	return files.at(func(p string) string {
		parts := strings.Split(p, "/")
		for i, part := range parts {
			parts[i] = url.PathEscape(part)
		}
		return dir + "uploads/" + accessor + "/" + url.PathEscape(drive) + "/" + strings.Join(parts, "/")
	})
}

func velociraptorCases(t *testing.T) []collectedCase {
	info := map[string]string{"client_info.json": `{"Hostname":"WS01","Fqdn":"WS01.corp.example","OS":"windows"}`, "collection_context.json": `{"session_id":"F.1","create_time":1772712000000000000,"start_time":1772712000000000000}`}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	sealed, err := rsa.EncryptOAEP(sha512.New(), rand.Reader, &key.PublicKey, []byte("s3cret"), nil)
	must(t, err)
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	auto := func(alice tree) tree { return collected("", "auto", "C:", alice).with(info) }
	encrypted := func(t *testing.T, alice tree) tree {
		outer := sealedFile(t, "data.zip", auto(alice).zip(t), "s3cret", map[string]string{"metadata.json": `[{"EncryptedPass":"` + base64.StdEncoding.EncodeToString(sealed) + `","Scheme":"X509","Params":"x"}]`})
		return one("a.zip", outer).with(map[string]string{"key.pem": string(pemKey), "passwords.txt": "wrong\ns3cret\n", "wide.txt": "\xff\xfew\x00\r\x00\n\x00s\x003\x00c\x00r\x00e\x00t\x00\r\x00\n\x00"})
	}
	const shadow = `\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7`
	return []collectedCase{
		{name: "Velociraptor", point: "a.zip", files: func(t *testing.T, alice tree) tree { return one("a.zip", auto(alice).zip(t)) }},
		{name: "Velociraptor, several accessors", point: "a.zip", files: func(t *testing.T, alice tree) tree {
			f := collected("", "ntfs", `\\.\C:`, alice.without(".evtx")).with(info)
			for name, b := range collected("", "lazy_ntfs", `C:`, alice.without("SYSTEM")) {
				f[name] = b
			}
			return one("a.zip", f.zip(t))
		}},
		{name: "Velociraptor, a log with a hole", point: "a.zip", files: sparseLog(auto)},
		{name: "Velociraptor, a log cut short", point: "a.zip", code: 3, partial: true, lacks: map[string]string{"evtx:Security": "partial corrupt rolled_over"},
			problems: []string{"the collector took only the first 40000 of 69632 bytes"}, files: func(t *testing.T, alice tree) tree {
				f := auto(alice)
				for name, b := range f {
					if strings.HasSuffix(name, "Security.evtx") {
						f[name] = b[:40000]
					}
				}
				f["uploads.json"] = []byte(`{"_Components":["uploads","auto","C:","Windows","System32","winevt","Logs","Security.evtx"],"file_size":69632,"uploaded_size":40000,"Type":""}` + "\n")
				return one("a.zip", f.zip(t))
			}},
		{name: "Velociraptor, a shadow copy", point: "a.zip", partial: true, lacks: map[string]string{"vss": "partial"}, problems: []string{"the collection does not tell when it was made"}, files: func(t *testing.T, alice tree) tree {
			old, err := hivetest.Build(evidenceTexts["C/Users/alice/NTUSER.DAT"] + "[Network\\Y] 2026-02-20T09:00:00Z\nRemotePath=\\\\fs02\\hr\n")
			must(t, err)
			f := auto(alice)
			for name, b := range collected("", "ntfs_vss", shadow, tree{"Users/alice/NTUSER.DAT": old}) {
				f[name] = b
			}
			return one("a.zip", f.zip(t))
		}},
		{name: "Velociraptor, export of a hunt", point: "hunt.zip", partial: true, hosts: "WS01 WS02", files: huntOf(info)},
		{name: "Velociraptor, password", point: "a.zip", args: []string{"--password", "s3cret"}, files: encrypted},
		{name: "Velociraptor, file of passwords", point: "a.zip", args: []string{"--password-file", "passwords.txt"}, files: encrypted},
		{name: "Velociraptor, file of passwords from PowerShell", point: "a.zip", args: []string{"--password-file", "wide.txt"}, files: encrypted},
		{name: "Velociraptor, key", point: "a.zip", args: []string{"--key", "key.pem"}, files: encrypted},
	}
}

// sparseLog leaves the zeros at the end of Security.evtx out of a collection, as
// a hole that the .idx file tells of.
func sparseLog(auto func(tree) tree) func(t *testing.T, alice tree) tree {
	return func(t *testing.T, alice tree) tree {
		f := auto(alice)
		for name, b := range f {
			if strings.HasSuffix(name, "Security.evtx") {
				used := len(bytes.TrimRight(b, "\x00"))
				f[name] = b[:used]
				f[name+".idx"] = fmt.Appendf(nil, `{"ranges":[{"file_offset":0,"original_offset":0,"file_length":%d,"length":%[1]d},{"file_offset":%[1]d,"original_offset":%[1]d,"file_length":0,"length":%[2]d}]}`, used, len(b)-used)
			}
		}
		return one("a.zip", f.zip(t))
	}
}

// huntOf is the export of a hunt over two hosts.
func huntOf(info map[string]string) func(t *testing.T, alice tree) tree {
	return func(t *testing.T, alice tree) tree {
		f := collected("WS01-C.1a2b/", "auto", "C:", alice).with(map[string]string{
			"hunt_info.json": `{"hunt_id":"H.1"}`, "results/All Windows.KapeFiles.Targets%2FUploads.json": "{}\n",
			"WS01-C.1a2b/client_info.json": info["client_info.json"], "WS02-C.3c4d/client_info.json": `{"Hostname":"WS02"}`,
		})
		for name, b := range collected("WS02-C.3c4d/", "auto", "C:", tree{"Users/bob/NTUSER.DAT": alice["Users/alice/NTUSER.DAT"]}) {
			f[name] = b
		}
		return one("hunt.zip", f.zip(t))
	}
}

func otherCases() []collectedCase {
	orc := func(t *testing.T, files tree) []byte {
		csv := "\xef\xbb\xbfComputerName,VolumeID,ParentName,FullName,SampleName,SizeInBytes,FindMatch,ContentType,SampleCollectionDate,LastModificationDate,AttrType,AttrName,SnapshotID\r\n"
		out := tree{}
		for name, b := range files {
			sample := strings.ReplaceAll(name, "/", "_") + "_{00000000-0000-0000-0000-000000000000}.data"
			out[`data\`+sample] = b
			csv += fmt.Sprintf("WS01,0xAC12,\\,\\%s,data\\%s,%d,x,data,2026-03-05 12:00:00.000,2026-03-05 12:00:00.000,$DATA,,{00000000-0000-0000-0000-000000000000}\r\n", strings.ReplaceAll(name, "/", `\`), sample, len(b))
		}
		return out.with(map[string]string{"GetThis.csv": csv}).sevenZip(t)
	}
	return []collectedCase{
		{name: "DFIR-ORC", point: "DFIR-ORC_WorkStation_WS01_General.7z", files: func(t *testing.T, alice tree) tree {
			return one("DFIR-ORC_WorkStation_WS01_General.7z", tree{
				"Event.7z": orc(t, alice.without("SYSTEM").without("NTUSER.DAT")), "SystemHives.7z": orc(t, alice.without(".evtx").without("NTUSER.DAT")),
				"UserHives.7z": orc(t, alice.without(".evtx").without("SYSTEM")),
			}.sevenZip(t))
		}},
		{name: "investigation package of Defender", point: "a.zip", partial: true, hosts: "WS01.corp.example", lacks: map[string]string{"registry:NTUSER:*": "absent not_collected", "registry:SYSTEM": "absent not_collected"},
			files: func(t *testing.T, alice tree) tree {
				return one("a.zip", tree{"InvestigationPackage_WS01/Security event log/Security.evtx": alice["Windows/System32/winevt/Logs/Security.evtx"]}.with(map[string]string{
					"InvestigationPackage_WS01/Windows Server Message Block (SMB) sessions/SmbInboundSession.txt": "none", "InvestigationPackage_WS01/Users and Groups/x.txt": "x",
				}).zip(t))
			}},
	}
}
