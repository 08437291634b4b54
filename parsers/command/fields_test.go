package command

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fields holds lines whose every field is checked.
var fields = []struct {
	line string
	hint Hint
	want []Segment
}{
	{`net use z: \\srv\share\sub P@ss /user:DOM\u /p:n`, Hint{}, []Segment{{
		Text: `net use z: \\srv\share\sub *** /user:DOM\u /p:n`, Class: UseMap, Targets: []string{"Z:", `\\srv\share\sub`}, Share: `\\srv\share\sub`,
		Persistent: "no", User: `DOM\u`, Flags: []string{"/persistent:no", "/user"}, Program: "net", Masked: true}}},
	{`cd \ & net1 use z: /d /y >nul`, Hint{}, []Segment{{
		Index: 1, Text: `net1 use z: /d /y >nul`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete", "/y"}, Program: "net1"}}},
	{`cmd /c "net use z: /del & net share x /delete"`, Hint{}, []Segment{
		{Text: `net use z: /del`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete"}, Program: "net"},
		{Index: 1, Text: `net share x /delete`, Class: ShareDelete, Targets: []string{"x"}, Flags: []string{"/delete"}, Program: "net"}}},
	{`net use z: /delete:no /yes`, Hint{}, []Segment{{
		Text: `net use z: /delete:no /yes`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete:no", "/y"}, Program: "net"}}},
	{`net use z: \\s\s /savecred /smartcard`, Hint{}, []Segment{{
		Text: `net use z: \\s\s /savecred /smartcard`, Class: UseMap, Targets: []string{"Z:", `\\s\s`}, Share: `\\s\s`, Flags: []string{"/savecred", "/smartcard"}, Program: "net"}}},
	{`svch.exe use z: /d`, Hint{Image: `C:\Users\Public\svch.exe`, OriginalName: "net.exe"}, []Segment{{
		Text: `svch.exe use z: /d`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete"}, Program: "svch"}}},
	{`svch.exe use z: /d`, Hint{Image: `C:\Users\Public\svch.exe`}, nil},
	{`x use \\s\s p&q /user:u`, Hint{Image: `C:\x.exe`, OriginalName: "net1.exe"}, []Segment{{
		Text: `x use \\s\s *** /user:u`, Class: UseMap, Targets: []string{`\\s\s`}, Share: `\\s\s`, User: "u", Flags: []string{"/user"}, Program: "x", Masked: true}}},
	{`foo /c net use z: /d & net share x /d`, Hint{OriginalName: "Cmd.Exe"}, []Segment{
		{Text: `net use z: /d`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete"}, Program: "net"},
		{Index: 1, Text: `net share x /d`, Class: ShareDelete, Targets: []string{"x"}, Flags: []string{"/delete"}, Program: "net"}}},
	{`p -e ` + encode(`net use z: /d`), Hint{OriginalName: "PowerShell.EXE"}, []Segment{
		{Text: `net use z: /d`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete"}, Program: "net"}}},
	{`Remove-SmbMapping -LocalPath z: -Force -UpdateProfile`, Hint{}, []Segment{{
		Text: `Remove-SmbMapping -LocalPath z: -Force -UpdateProfile`, Class: MappingRemove, Targets: []string{"Z:"}, UpdateProfile: true,
		Flags: []string{"-force", "-localpath", "-updateprofile"}, Program: "remove-smbmapping"}}},
	{`Remove-SmbMapping z: -Upd:$false -Fo`, Hint{}, []Segment{{
		Text: `Remove-SmbMapping z: -Upd:$false -Fo`, Class: MappingRemove, Targets: []string{"Z:"}, Flags: []string{"-force", "-updateprofile"}, Program: "remove-smbmapping"}}},
	{`New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName DOM\u -Password pw -Persistent $true`, Hint{}, []Segment{{
		Text: `New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName DOM\u -Password *** -Persistent $true`, Class: UseMap, Targets: []string{"Z:", `\\s\s`}, Share: `\\s\s`,
		Persistent: "yes", User: `DOM\u`, Flags: []string{"-localpath", "-password", "-persistent", "-remotepath", "-username"}, Program: "new-smbmapping", Masked: true}}},
	{`New-PSDrive Z FileSystem \\s\s -Persist -Credential DOM\u`, Hint{}, []Segment{{
		Text: `New-PSDrive Z FileSystem \\s\s -Persist -Credential DOM\u`, Class: UseMap, Targets: []string{"Z:", `\\s\s`}, Share: `\\s\s`,
		Persistent: "yes", User: `DOM\u`, Flags: []string{"-credential", "-persist"}, Program: "new-psdrive"}}},
	{`psexec \\srv1 -u a -p b net share x /delete`, Hint{}, []Segment{{
		Text: `net share x /delete`, Class: ShareDelete, Targets: []string{"x"}, Flags: []string{"/delete"}, Program: "net", Remote: `\\srv1`}}},
	{`schtasks /create /s srv2 /tn x /tr "net use z: /d" /sc once`, Hint{}, []Segment{{
		Text: `net use z: /d`, Class: UseDelete, Targets: []string{"Z:"}, Flags: []string{"/delete"}, Program: "net", Remote: "srv2", Deferred: true}}},
	{`Invoke-Command -ComputerName srv3 { Remove-SmbShare x -Force }`, Hint{}, []Segment{{
		Text: `Remove-SmbShare x -Force`, Class: ShareDelete, Targets: []string{"x"}, Flags: []string{"-force"}, Program: "remove-smbshare", Remote: "srv3"}}},
	{`reg delete HKCU\Network\Z /f`, Hint{}, []Segment{{
		Text: `reg delete HKCU\Network\Z /f`, Class: KeyDelete, Targets: []string{`HKCU\Network\Z`}, Flags: []string{"/f"}, Program: "reg"}}},
	{`for %i in (C$ IPC$) do net share %i /delete`, Hint{}, []Segment{{
		Text: `net share %i /delete`, Class: ShareDelete, Targets: []string{"C$", "IPC$"}, Flags: []string{"/delete"}, Program: "net"}}},
}

func TestFields(t *testing.T) {
	for _, v := range fields {
		if diff := cmp.Diff(v.want, Classify(v.line, v.hint)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.line, diff)
		}
	}
}
