package command

import (
	"strings"
	"testing"
)

// brief writes segments as "class target,target; class ...", with the account,
// the share and what else was asked for left out.
func brief(segs []Segment) string {
	var out []string
	for _, s := range segs {
		out = append(out, strings.TrimSpace(string(s.Class)+" "+strings.Join(s.Targets, ",")))
	}
	return strings.Join(out, "; ")
}

var vectors = []struct{ line, want string }{
	// The table of the reference, §7.4, and the atomic tests of §7.2.
	{`net use Z: /delete`, `use.delete Z:`},
	{`net1 use z: /d`, `use.delete Z:`},
	{`net.exe use /d Z:`, `use.delete Z:`},
	{`cmd /c "net use z: /del /y"`, `use.delete Z:`},
	{`"C:\Windows\system32\net.exe" use Z: /delete`, `use.delete Z:`},
	{`net use z: /delete:yes`, `use.delete Z:`},
	{`n^et u^se Z: /d"e"lete`, `use.delete Z:`},
	{`net  use * /DELETE /Y`, `use.delete *`},
	{`C:\Windows\SysWOW64\net1.exe  use  \\srv\c$ /dele`, `use.delete \\srv\c$`},
	{`cmd /c net use z: /d & net share x /de`, `use.delete Z:; share.delete x`},
	{`net share X /delete`, `share.delete X`},
	{`for %i in (C$ IPC$ ADMIN$) do net share %i /delete`, `share.delete C$,IPC$,ADMIN$`},
	{`net use * \\srv\share`, `use.map *,\\srv\share`},
	{`net use x: \\srv\s *`, `use.map X:,\\srv\s`},
	{`net use \\T\C$ P@ss /u:DOM\u`, `use.map \\T\C$`},
	{`net use d: \\s\data /persistent:yes`, `use.map D:,\\s\data`},
	{`net use`, `use.query`},
	{`net user bob /delete`, ``},
	{`net use c: \\test\share`, `use.map C:,\\test\share`},
	{`net share test=\\test\share /REMARK:"test share" /CACHE:No`, `share.add test`},
	{`net share \\test\share /delete`, `share.delete \\test\share`},
	{`Remove-SmbShare -Name \\test\share`, `share.delete \\test\share`},
	{`Remove-FileShare -Name \\test\share`, `share.delete \\test\share`},
	{`reg add HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters /v AutoShareServer /t REG_DWORD /d 0 /f`, ``},
	{`cmd.exe /c "net use \\T\C$ pw /u:DOM\user"`, `use.map \\T\C$`},
	{`New-PSDrive -name g -psprovider filesystem -root \\T\C$`, `use.map G:,\\T\C$`},
	{`cmd.exe /Q /c hostname 1> \\127.0.0.1\ADMIN$\output.txt 2>&1`, ``},
	{`"C:\Windows\system32\cmd.exe" /c "cmd.exe /c " net use \\Target\C$ P@ssw0rd1 /u:DOMAIN\Administrator`, `use.map \\Target\C$`},
	{`cmd.exe  /c  net use \\Target\C$ P@ssw0rd1 /u:DOMAIN\Administrator`, `use.map \\Target\C$`},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		if got := brief(Classify(v.line, Hint{})); got != v.want {
			t.Errorf("%s\n got %q\nwant %q", v.line, got, v.want)
		}
	}
}
