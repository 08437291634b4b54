package command

import "testing"

var scripts = []struct{ name, text, want string }{
	{"several lines", "$ErrorActionPreference = 'Stop'\r\nGet-SmbMapping |\r\n  Remove-SmbMapping -Force\r\n\r\n# Remove-SmbShare x\r\nnet use Y: /delete\r\n", `mapping.remove *; use.delete Y:`},
	{"continued line", "Remove-SmbMapping `\r\n  -LocalPath Z: `\r\n  -Force -UpdateProfile", `mapping.remove Z:`},
	{"here-string is text", "$x = @'\nRemove-SmbShare -Name x\nnet use z: /d\n'@\nGet-Date", ``},
	{"here-string is run", "iex @'\nRemove-SmbShare -Name x\nnet use z: /d\n'@", `share.delete x; use.delete Z:`},
	{"block comment", "<#\n.EXAMPLE\nRemove-SmbShare x\n#>\nGet-SmbShare", ``},
	{"proxy function", `function Remove-FileShare {
    [CmdletBinding(PositionalBinding=$false)]
    param([Parameter(ParameterSetName='ByName', Mandatory=$true)][string[]] ${Name})
    begin {
        $__cmdletization_objectModelWrapper = Microsoft.PowerShell.Utility\New-Object $script:ObjectModelWrapper
        $__cmdletization_objectModelWrapper.Initialize($PSCmdlet, $script:ClassName, $script:ClassVersion, $script:ModuleVersion, $script:PrivateData)
    }
    process {
        $__cmdletization_methodParameter = [Microsoft.PowerShell.Cmdletization.MethodParameter]@{Name = 'ReturnValue'; ParameterType = 'System.UInt32'; Bindings = 'Error'}
        $__cmdletization_methodInvocationInfo = [Microsoft.PowerShell.Cmdletization.MethodInvocationInfo]::new('DeleteObject', @($__cmdletization_methodParameter), $__cmdletization_returnValue)
    }
    # .EXTERNALHELP FileShare.cdxml-Help.xml
}
Microsoft.PowerShell.Core\Export-ModuleMember -Function 'Remove-FileShare' -Alias '*'
`, ``},
	{"listing", `#.ExternalHelp MSFT_FileShare.cdxml-help.xml
$script:ClassName = 'ROOT/Microsoft/Windows/Storage/MSFT_FileShare'
@{ FunctionsToExport = @('New-SmbShare', 'Remove-SmbShare', 'Remove-SmbMapping') }`, ``},
	{"noise does not hide a call", "# FileShare.cdxml ObjectModelWrapper\nRemove-SmbShare -Name data -Force", `share.delete data`},
	{"declaration is no call", `Add-Type -Namespace Win32 -Name Mpr -MemberDefinition @'
[DllImport("mpr.dll")] public static extern int WNetCancelConnection2(string name, int flags, bool force);
'@
[Win32.Mpr]::WNetCancelConnection2('Z:', 1, $true)`, `mapping.remove Z:`},
	{"loop over a variable", "$letters = 'X:','Y:'\nforeach ($l in $letters) {\n  net use $l /delete /y\n}", `use.delete X:,Y:`},
	{"unknown variable stays", "Remove-SmbMapping -LocalPath $drive -Force", `mapping.remove $drive`},
	{"string with variable", "$l = 'Z'\nnet use \"${l}:\" /delete", `use.delete Z:`},
	{"base64 text", `iex ([Text.Encoding]::Unicode.GetString([Convert]::FromBase64String("` + encode("net use z: /d") + `")))`, `use.delete Z:`},
	{"class prefix", `Microsoft.PowerShell.Management\Remove-PSDrive -Name Z`, `mapping.remove Z:`},
	{"cim method", `Invoke-CimMethod -Namespace root/microsoft/windows/smb -ClassName MSFT_SmbMapping -MethodName Remove -Arguments @{LocalPath='Z:'; Force=$true}`, `mapping.remove Z:`},
	{"registry over wmi", `Invoke-CimMethod -ClassName StdRegProv -MethodName DeleteKey -Arguments @{hDefKey=[uint32]2147483649; sSubKeyName='Network\Z'}`, `key.delete HKEY_CURRENT_USER\Network\Z`},
	{"nested blocks", "if ($true) { try { & { Remove-SmbShare -Name a -Force } } finally { Remove-SmbShare b -Force } }", `share.delete a; share.delete b`},
	{"native in PowerShell", "& \"$env:SystemRoot\\System32\\net.exe\" use z: /d | Out-Null", `use.delete Z:`},
	{"redirection", "net use z: /d 2>&1 | Out-Null; net use y: /d *> $null", `use.delete Z:; use.delete Y:`},
	{"sc is Set-Content", "sc stop lanmanserver\nsc.exe stop lanmanserver", `service.stop lanmanserver`},
	{"class", "Get-EventLog -List | % { Clear-EventLog $_.Log }", `log.clear $_.Log`},
	{"typographic quotes", "net use “z:” /delete", `use.delete Z:`},
	{"unclosed", "Remove-SmbShare x; if ($a) { net use z: /d", `share.delete x; use.delete Z:`},
	{"formatted", "& (\"{0}-{1}\" -f 'Remove','SmbMapping') Z:", `mapping.remove Z:`},
}

func TestScripts(t *testing.T) {
	for _, v := range scripts {
		if got := brief(ClassifyScript(v.text)); got != v.want {
			t.Errorf("%s\n got %q\nwant %q", v.name, got, v.want)
		}
	}
}
