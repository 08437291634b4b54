package artifacts

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/prefetch"
)

var _ = register(Artifact{
	Name:         "prefetch",
	Title:        "when programs that can act on shares were started",
	What:         `Windows\Prefetch\*.pf: for each program (by name and path) its last starts, up to eight, their number, and the files that it loaded in its first seconds`,
	Proves:       `the program was started at that time. A file on a share in its list was loaded by one of its starts, the last one at the latest`,
	DoesNotProve: `what it was started with, by whom, or that it did anything to a share; that it was not started at other times: only the last ones are kept. Servers, and Windows where PrefetchParameters says so, write none`,
	Reference:    "libyal/libscca, Windows Prefetch File format",
	ReadFile:     readPrefetch,
	Files:        []string{"Windows/Prefetch/*.pf"},
})

// shareTools are programs that can make, use and remove connections, or clean
// up after them. Others become rows only if they loaded files from a share.
var shareTools = []string{
	"NET.EXE", "NET1.EXE", "SUBST.EXE", "MOUNT.EXE", "REG.EXE", "REGEDIT.EXE", "WEVTUTIL.EXE", "AUDITPOL.EXE", "VSSADMIN.EXE",
	"WMIC.EXE", "CMD.EXE", "POWERSHELL.EXE", "POWERSHELL_ISE.EXE", "PWSH.EXE", "CSCRIPT.EXE", "WSCRIPT.EXE", "MSHTA.EXE",
	"CMDKEY.EXE", "SC.EXE", "SCHTASKS.EXE", "AT.EXE", "PSEXEC.EXE", "PSEXEC64.EXE", "PSEXESVC.EXE", "FSUTIL.EXE",
	"NETSH.EXE", "MMC.EXE", "RUNDLL32.EXE", "MSTSC.EXE", "ROBOCOPY.EXE", "XCOPY.EXE",
	"DISKSHADOW.EXE", "CIPHER.EXE", "CLEANMGR.EXE", "SDELETE.EXE", "SDELETE64.EXE", "CCLEANER.EXE", "CCLEANER64.EXE", "ERASER.EXE", "BLEACHBIT.EXE",
}

func readPrefetch(in *DataFile, out *Emitter) error {
	p, err := prefetch.Read(in.R, in.Size)
	if err != nil {
		return err
	}
	out.seen(p.Problems)
	facts := evidence.Detail{
		{Name: "Executable", Value: clip(p.Executable)},
		{Name: "Hash", Value: fmt.Sprintf("%08X", p.Hash)},
		{Name: "RunCount", Value: int64(p.RunCount)},
		{Name: "Version", Value: int64(p.Version)},
		{Name: "packed", Value: p.Packed},
	}
	image := imagePath(p)
	if slices.Contains(shareTools, strings.ToUpper(p.Executable)) {
		for i, r := range p.Runs {
			out.ObserveBytes(r.Off, 8, evidence.Observation{
				Time: r.Time, TimeKind: evidence.Executed, Action: evidence.Context, Side: evidence.Client,
				Process: &evidence.Process{Image: image},
				Detail:  append(facts[:len(facts):len(facts)], evidence.Field{Name: "Run", Value: int64(i)}),
				Summary: fmt.Sprintf("%s was started (run count %d).", clip(p.Executable), p.RunCount),
			})
		}
	}
	observeLoaded(p, image, facts, out)
	return nil
}

// imagePath is the path of the program among the files that it loaded; its
// bare name if it is not there.
func imagePath(p *prefetch.Prefetch) string {
	for _, f := range p.Files {
		if strings.HasSuffix(strings.ToUpper(f), `\`+strings.ToUpper(p.Executable)) {
			return clip(f)
		}
	}
	return clip(p.Executable)
}

// observeLoaded reports each share that the program loaded files from.
func observeLoaded(p *prefetch.Prefetch, image string, facts evidence.Detail, out *Emitter) {
	type share struct {
		o     evidence.Observation
		files int64
	}
	var list []*share
	byKey := map[string]*share{}
	for _, f := range p.Files {
		path, drive, ok := redirected(f)
		if !ok {
			continue
		}
		o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Drive: drive, TimeKind: evidence.AtOrBefore}
		if !place(&o, path) || o.Share == "" || strings.EqualFold(o.Share[strings.LastIndexByte(o.Share, '\\')+1:], "pipe") || strings.EqualFold(o.Share[strings.LastIndexByte(o.Share, '\\')+1:], "IPC$") {
			continue
		}
		key := evidence.ShareKey(o.Share) + "\x00" + drive
		if s := byKey[key]; s != nil {
			s.files++
			continue
		}
		o.Detail = append(o.Detail, facts...)
		o.Detail = append(o.Detail, evidence.Field{Name: "file", Value: clip(f)})
		byKey[key] = &share{o, 1}
		list = append(list, byKey[key])
		if len(list) == maxValues {
			break
		}
	}
	for _, s := range list {
		o := s.o
		off := int64(0)
		if len(p.Runs) > 0 {
			o.Time, off = p.Runs[0].Time, p.Runs[0].Off
		} else {
			o.TimeKind = ""
		}
		o.Process = &evidence.Process{Image: image}
		o.Detail = append(o.Detail, evidence.Field{Name: "files", Value: s.files})
		o.Summary = fmt.Sprintf("%s loaded a file from %s in one of its starts.", clip(p.Executable), target(&o))
		out.ObserveBytes(off, 8, o)
	}
}

// redirected turns a device path of the network into a UNC path. The parts that
// begin with ";" name the redirector, or the drive letter and logon session that
// the path was opened through: \DEVICE\MUP\;LANMANREDIRECTOR\;Z:0000000000012345\FS01\X.
func redirected(device string) (unc, drive string, ok bool) {
	parts := strings.Split(device, `\`)
	if len(parts) < 4 || parts[0] != "" || !strings.EqualFold(parts[1], "DEVICE") {
		return "", "", false
	}
	switch strings.ToUpper(parts[2]) {
	case "MUP", "LANMANREDIRECTOR", "WEBDAVREDIRECTOR":
	default:
		return "", "", false
	}
	parts = parts[3:]
	for len(parts) > 0 && strings.HasPrefix(parts[0], ";") {
		if len(parts[0]) >= 3 && parts[0][2] == ':' {
			drive = evidence.Drive(parts[0][1:3])
		}
		parts = parts[1:]
	}
	return `\\` + strings.Join(parts, `\`), drive, len(parts) >= 2
}
