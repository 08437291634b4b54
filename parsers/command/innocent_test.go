package command

import (
	"strings"
	"testing"
)

// innocent holds lines that do nothing to shares, in the words of those that do.
const innocent = `net user bob /delete
net localgroup admins bob /delete
net group "Domain Admins" x /delete /domain
net accounts
net view
net view \\srv /all
net start
net time \\srv /set
net config server
net statistics workstation
net name x /delete
net send * /delete
net print \\srv\q /delete
net computer \\pc /del
net use /?
net use /help
net help use
net help share /delete
net user use /delete
net user share /delete
net user "net use z: /delete" /add
net start "use z: /delete"
netsh interface ip delete arpcache
netsh advfirewall firewall delete rule name="File and Printer Sharing (SMB-In)"
netstat -an
netuse.exe z: /delete
netdom remove pc /domain:x
network.exe use z: /delete
dotnet.exe use z: /delete
telnet use share
internet.exe use z: /delete
mynet use z: /delete
C:\tools\dotnet tool uninstall share /delete
echo net use z: /delete
echo net use z: /delete > x.bat
echo net use z: /delete >> C:\x.cmd
echo "net use z: /d & net share x /d"
echo net use z: /delete ^& net share x /delete
echo. net use z: /delete
echo:net use z: /delete
@echo net use z: /delete
cmd /c echo net use z: /delete
rem net use z: /delete
rem net use z: /d & net share x /d
REM Remove-SmbMapping Z:
:: net use z: /delete
:net use z: /delete
# net use z: /delete
# Remove-SmbMapping -LocalPath Z: -Force
<# Remove-SmbShare x #>
Write-Host "net use z: /delete"
Write-Output 'Remove-SmbMapping Z: -Force'
Write-Host "Remove-SmbShare -Name x"; Get-Date
findstr "net use z: /delete" x.bat
findstr /i /c:"net use" *.cmd
find "net share x /delete" log.txt
type x.bat | findstr "net use z: /delete"
Select-String -Pattern "Remove-SmbMapping" *.ps1
Get-Help Remove-SmbMapping -Full
Get-Command Remove-SmbShare
help Remove-SmbMapping
man Remove-SmbShare
Get-SmbShare
Get-SmbShare | Format-Table
Get-SmbMapping
Get-SmbSession
Get-SmbOpenFile
Set-SmbShare -Name x -Description "delete"
Import-Module SmbShare
Export-ModuleMember -Function Remove-SmbShare,Remove-FileShare
Set-Alias rsmbs Remove-SmbShare
function Remove-SmbMapping { param($LocalPath) Write-Host $LocalPath }
$text = "net use z: /delete"
$cmd = 'Remove-SmbMapping Z:'
Remove-SmbMapping -LocalPath Z: -WhatIf
Remove-SmbShare x -WhatIf -Force
reg query HKCU\Network /s
reg export HKCU\Network x.reg
reg add HKCU\Network /f
reg delete HKCU\Software\Network /f
reg delete HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run /v x /f
reg delete "HKLM\SYSTEM\CurrentControlSet\Control\Network" /f
reg delete /?
Get-ChildItem HKCU:\Network
Get-ItemProperty HKCU:\Network\Z
Remove-Item C:\Network\Z -Recurse
Remove-Item .\share -Force
Remove-Item HKCU:\Software\Foo
rd /s /q \\srv\share\dir
del \\srv\share\file.txt
del z:\network\share.txt
wevtutil el
wevtutil qe Security /c:5
wevtutil gl Security
wevtutil sl Security /e:true
Get-EventLog -List
Get-WinEvent -LogName Security
vssadmin list shadows
vssadmin create shadow /for=C:
wmic shadowcopy list brief
wmic shadowcopy call create Volume=C:\
wmic share list
wmic process where name="net.exe" delete
wmic product where name="share" call uninstall
auditpol /get /category:*
auditpol /set /subcategory:"File Share" /success:enable /failure:enable
auditpol /backup /file:x
sc query lanmanserver
sc qc eventlog
sc start lanmanserver
sc stop spooler
sc config lanmanserver start= auto
Start-Service LanmanServer
Get-Service LanmanServer
Stop-Service -Name wuauserv
net start lanmanserver
net stop wuauserv
net stop "SQL Server (MSSQLSERVER)"
cmdkey /list
cmdkey /add:srv /user:u /pass:p
klist tickets
klist sessions
subst
subst z: c:\x
mountvol z: /d
mountvol /r
diskpart /s x.txt
dism /unmount-image /mountdir:c:\m /discard
explorer.exe \\srv\share
notepad.exe "net use z: /delete.txt"
code.exe C:\net use\delete.txt
xcopy c:\x \\srv\share /d
robocopy c:\x \\srv\share /purge
git branch --delete use
git push origin --delete share
docker network rm share
kubectl delete share x
az storage share delete --name x
aws s3 rm s3://share --recursive
powershell -File Remove-SmbMapping.ps1
powershell -c "Get-SmbMapping"
powershell -c "Write-Host 'net use z: /delete'"
powershell -enc ZABpAHIA
cmd /c dir \\srv\share
cmd /c "title net use z: /delete"
start notepad net use z: /delete
if "net use z: /delete"=="" echo x
for %i in ("net use z: /delete") do echo %i
set x=net use z: /delete
title net use z: /delete
schtasks /delete /tn "net use z:" /f
schtasks /query /tn share
wscript.exe unmap.vbs /delete
msiexec /x {share} /qn
taskkill /im net.exe /f
fsutil usn queryjournal C:
openfiles /query
doskey /history
doskey ls=dir
Get-History
Get-PSDrive
Remove-PSDrive HKU
New-PSDrive HKCR Registry HKEY_CLASSES_ROOT
New-Item HKCU:\Network\Z
gpupdate /force
chkdsk z: /f
shutdown /r /t 0
certutil -delstore my share
bitsadmin /reset
w32tm /unregister`

func TestInnocent(t *testing.T) {
	n := 0
	for line := range strings.SplitSeq(innocent, "\n") {
		n++
		if got := Classify(line, Hint{}); got != nil {
			t.Errorf("%s\n got %q", line, brief(got))
		}
	}
	if n < 100 {
		t.Errorf("only %d lines", n)
	}
}
