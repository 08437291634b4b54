package command

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf16"
)

// masks are lines with what Mask makes of them; "" stands for no change.
var masks = []struct{ line, want string }{
	{`net use \\T\C$ P@ss /u:DOM\u`, `net use \\T\C$ *** /u:DOM\u`},
	{`net use z: \\s\s "my secret" /user:u`, `net use z: \\s\s *** /user:u`},
	{`net use z: \\s\s /user:u Secret1`, `net use z: \\s\s /user:u ***`},
	{`net use z: \\s\s *`, ``},
	{`net use z: \\s\s * /user:u`, ``},
	{`net use * \\s\s pw`, `net use * \\s\s ***`},
	{`net use z: \\s\s ***`, ``},
	{`net use z: \\s\s`, ``},
	{`net use z: /delete /y`, ``},
	{`net use z: pw /home`, `net use z: *** /home`},
	{`net use z: \\s\s p&ss /user:u`, `net use z: \\s\s *** /user:u`},
	{`net use z: \\s\s p;s|s /user:u`, `net use z: \\s\s *** /user:u`},
	{`net use z: \\s\s p^&ss /user:u`, `net use z: \\s\s *** /user:u`},
	{`net use z: \\s\s "p&s s" /user:u`, `net use z: \\s\s *** /user:u`},
	{`net use z: \\s\s pw&net use y: \\s\t pw2`, `net use z: \\s\s ***&net use y: \\s\t ***`},
	{`net use z: \\s\s pw & echo done`, `net use z: \\s\s *** & echo done`},
	{`net use z: \\s\s pw>nul`, `net use z: \\s\s ***>nul`},
	{`(net use z: \\s\s pw)`, `(net use z: \\s\s ***)`},
	{`cmd /c "net use z: \\s\s pw /user:u"`, `cmd /c "net use z: \\s\s *** /user:u"`},
	{`cmd /c "net use z: \\s\s pw"`, `cmd /c "net use z: \\s\s ***"`},
	{`n^et u^se z: \\s\s p^w`, `n^et u^se z: \\s\s ***`},
	{`net use http://u:pw@host/dav z:`, `net use http://u:***@host/dav z:`},
	{`net use z: \\s\s /password:pw`, `net use z: \\s\s /password:***`},
	{`net user bob P@ss /add`, `net user bob *** /add`},
	{`net user /add bob "P@ ss" /domain`, `net user /add bob *** /domain`},
	{`net user bob * /add`, ``},
	{`net user bob /delete`, ``},
	{`net user bob /passwordchg:no /passwordreq:yes`, ``},
	{`net1 user bob Secret1`, `net1 user bob ***`},
	{`cmdkey /add:srv /user:u /pass:Secret1`, `cmdkey /add:srv /user:u /pass:***`},
	{`cmdkey /add:srv /user:u /pass:"a b"`, `cmdkey /add:srv /user:u /pass:"***"`},
	{`cmdkey /generic:srv /user:u /pass`, ``},
	{`psexec \\h -u u -p pw cmd /c net use z: \\s\s pw2`, `psexec \\h -u u -p *** cmd /c net use z: \\s\s ***`},
	{`psexec64.exe \\h -u u -p "p w" cmd`, `psexec64.exe \\h -u u -p *** cmd`},
	{`schtasks /create /tn x /tr "net use z: \\s\s pw" /ru u /rp Secret1`, `schtasks /create /tn x /tr "net use z: \\s\s ***" /ru u /rp ***`},
	{`schtasks /create /s srv /u adm /p Secret1 /tn x`, `schtasks /create /s srv /u adm /p *** /tn x`},
	{`wmic /node:h /user:u /password:pw process call create "cmd"`, `wmic /node:h /user:u /password:*** process call create "cmd"`},
	{`wmic /node:h /user:"u" /password:"p w" os get`, `wmic /node:h /user:"u" /password:"***" os get`},
	{`winrs -r:h -u:u -p:pw cmd`, `winrs -r:h -u:u -p:*** cmd`},
	{`New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName u -Password Secret1`, `New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName u -Password ***`},
	{`New-SmbMapping -Password 'Se cret' -LocalPath Z: -RemotePath \\s\s`, `New-SmbMapping -Password *** -LocalPath Z: -RemotePath \\s\s`},
	{`New-SmbMapping -Password:Secret -LocalPath Z:`, `New-SmbMapping -Password:*** -LocalPath Z:`},
	{`New-SmbMapping -Password $pw -LocalPath Z:`, ``},
	{`$p = ConvertTo-SecureString "Secret1" -AsPlainText -Force`, `$p = ConvertTo-SecureString *** -AsPlainText -Force`},
	{`ConvertTo-SecureString -String 'Secret1' -AsPlainText -Force`, `ConvertTo-SecureString -String *** -AsPlainText -Force`},
	{`ConvertTo-SecureString -AsPlainText Secret1 -Force`, `ConvertTo-SecureString -AsPlainText *** -Force`},
	{`"Secret1" | ConvertTo-SecureString -AsPlainText -Force`, `*** | ConvertTo-SecureString -AsPlainText -Force`},
	{`$c = New-Object System.Management.Automation.PSCredential("u",(ConvertTo-SecureString "Secret1" -AsPlainText -Force))`, `$c = New-Object System.Management.Automation.PSCredential("u",(ConvertTo-SecureString *** -AsPlainText -Force))`},
	{`$c = [pscredential]::new('u',(ConvertTo-SecureString 'Secret1' -AsPlainText -Force))`, `$c = [pscredential]::new('u',(ConvertTo-SecureString *** -AsPlainText -Force))`},
	{`$n.MapNetworkDrive("Z:","\\s\s",$false,"u","pw")`, `$n.MapNetworkDrive("Z:","\\s\s",$false,"u",***)`},
	{`powershell -c "New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName u -Password pw"`, `powershell -c "New-SmbMapping -LocalPath Z: -RemotePath \\s\s -UserName u -Password ***"`},
	{`powershell -c "net use z: \\s\s pw /user:u"`, `powershell -c "net use z: \\s\s *** /user:u"`},
	{`$password = 'Secret1'`, `$password = ***`},
	{`echo net use z: \\s\s pw /user:u >> map.bat`, `echo net use z: \\s\s *** /user:u >> map.bat`},
	{`rem net use z: \\s\s pw`, `rem net use z: \\s\s ***`},
	{`# net use z: \\s\s pw`, `# net use z: \\s\s ***`},
	{`other.exe "net use z: \\s\s pw"`, `other.exe "net use z: \\s\s ***"`},
	{`hidden.exe net use z: \\s\s pw`, `hidden.exe net use z: \\s\s ***`},
	{`rasdial vpn user pw`, `rasdial vpn user ***`},
	{`tool.exe /password:abc`, `tool.exe /password:***`},
	{`tool.exe --password abc`, `tool.exe --password ***`},
	{`tool.exe --password=abc`, `tool.exe --password=***`},
	{`runas /user:x "net use z: \\s\s pw"`, `runas /user:x "net use z: \\s\s ***"`},
	{`for %i in (a b) do net use \\%i\c$ pw /user:u`, `for %i in (a b) do net use \\%i\c$ *** /user:u`},
	{`psexec \\h -u u -pSecret1 cmd`, `psexec \\h -u u -p*** cmd`},
	{`set PASSWORD=Secret1`, `set PASSWORD=***`},
	{`cmd /c "set PW=Secret1&& net use z: \\s\s %PW%"`, `cmd /c "set PW=***&& net use z: \\s\s ***"`},
	{`[Net.NetworkCredential]::new('u','Secret1')`, `[Net.NetworkCredential]::new('u',***)`},
	{`passwd.exe pw`, ``},
	{`notepad password.txt`, ``},
}

func TestMask(t *testing.T) {
	for _, m := range masks {
		want := m.want
		if want == "" {
			want = m.line
		}
		got, changed := Mask(m.line)
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", m.line, got, want)
		}
		if changed != (want != m.line) {
			t.Errorf("%s: changed is %v", m.line, changed)
		}
		if again, changed := Mask(got); again != got || changed {
			t.Errorf("%s: masked twice: %s", m.line, again)
		}
	}
}

func encode(script string) string {
	var raw []byte
	for _, u := range utf16.Encode([]rune(script)) {
		raw = append(raw, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestMaskEncoded(t *testing.T) {
	line := `powershell -nop -enc ` + encode(`net use z: \\s\s Secret1 /user:u; Remove-SmbShare x -Force`)
	if got, _ := Mask(line); got != `powershell -nop -enc ***` {
		t.Errorf("got %s", got)
	}
	segs := Classify(line, Hint{})
	if brief(segs) != `use.map Z:,\\s\s; share.delete x` {
		t.Fatalf("got %q", brief(segs))
	}
	if segs[0].Text != `net use z: \\s\s *** /user:u` || !segs[0].Masked || segs[1].Masked {
		t.Errorf("got %+v", segs)
	}
	if raw := ClassifyUnmasked(line, Hint{}); !strings.Contains(raw[0].Text, "Secret1") || raw[0].Masked {
		t.Errorf("unmasked: %+v", raw[0])
	}
	open := `powershell -enc ` + encode(`net use z: /delete`)
	if got, changed := Mask(open); changed {
		t.Errorf("nothing to hide, but %s", got)
	}
}
