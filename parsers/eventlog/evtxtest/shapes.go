package evtxtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Shapes lists the events whose form Parse knows: provider, event id, version,
// header options, and the fields in the order and with the types of the
// provider's manifest. A field is NAME, NAME:TYPE, or either with =VALUE, the
// value that Windows writes for nothing.
const Shapes = `
Microsoft-Windows-Security-Auditing task=12288 level=0 keywords=success
4608 0
4616 1 @Subject PreviousTime:filetime NewTime:filetime ProcessId:pointer ProcessName
Microsoft-Windows-Security-Auditing task=12544 level=0 keywords=success
4624 0 @Subject @Target LogonType:uint32 @Logon4624
4624 1 @Subject @Target LogonType:uint32 @Logon4624 ImpersonationLevel=%%1833
4624 2 @Subject @Target LogonType:uint32 @Logon4624 ImpersonationLevel=%%1833 RestrictedAdminMode=- TargetOutboundUserName=- TargetOutboundDomainName=- VirtualAccount=%%1843 TargetLinkedLogonId:hexint64 ElevatedToken=%%1843
4648 0 @Subject LogonGuid:guid TargetUserName TargetDomainName TargetLogonGuid:guid TargetServerName TargetInfo ProcessId:pointer ProcessName IpAddress=- IpPort=-
Microsoft-Windows-Security-Auditing task=12545 level=0 keywords=success
4634 0 @Target LogonType:uint32
4647 0 @Target
Microsoft-Windows-Security-Auditing task=12548 level=0 keywords=success
4672 0 @Subject PrivilegeList
Microsoft-Windows-Security-Auditing task=12551 level=0 keywords=success
4778 0 AccountName AccountDomain LogonID:hexint64 SessionName ClientName ClientAddress
4779 0 AccountName AccountDomain LogonID:hexint64 SessionName ClientName ClientAddress
Microsoft-Windows-Security-Auditing task=12801 level=0 keywords=success
4656 1 @Subject ObjectServer=Security ObjectType=Key ObjectName HandleId:pointer TransactionId:guid AccessList AccessReason=- AccessMask:hexint32 PrivilegeList=- RestrictedSidCount:uint32 ProcessId:pointer ProcessName ResourceAttributes=-
4657 0 @Subject ObjectName ObjectValueName HandleId:pointer OperationType OldValueType=- OldValue=- NewValueType=- NewValue=- ProcessId:pointer ProcessName
4658 0 @Subject ObjectServer=Security HandleId:pointer ProcessId:pointer ProcessName
4660 0 @Subject ObjectServer=Security HandleId:pointer ProcessId:pointer ProcessName TransactionId:guid
4663 1 @Subject ObjectServer=Security ObjectType=Key ObjectName HandleId:pointer AccessList AccessMask:hexint32 ProcessId:pointer ProcessName ResourceAttributes=-
Microsoft-Windows-Security-Auditing task=13312 level=0 keywords=success
4688 0 @Subject NewProcessId:pointer NewProcessName TokenElevationType=%%1936 ProcessId:pointer
4688 1 @Subject NewProcessId:pointer NewProcessName TokenElevationType=%%1936 ProcessId:pointer CommandLine
4688 2 @Subject NewProcessId:pointer NewProcessName TokenElevationType=%%1936 ProcessId:pointer CommandLine TargetUserSid:sid TargetUserName=- TargetDomainName=- TargetLogonId:hexint64 ParentProcessName MandatoryLabel:sid=S-1-16-8192
Microsoft-Windows-Security-Auditing task=13313 level=0 keywords=success
4689 0 @Subject Status:hexint32 ProcessId:pointer ProcessName
Microsoft-Windows-Security-Auditing task=13568 level=0 keywords=success
4719 0 @Subject CategoryId SubcategoryId SubcategoryGuid:guid AuditPolicyChanges
Microsoft-Windows-Security-Auditing task=12808 level=0 keywords=success
5140 0 @Subject IpAddress IpPort ShareName
5140 1 @Subject ObjectType=File IpAddress IpPort=49152 ShareName ShareLocalPath AccessMask:hexint32=0x1 AccessList=%%4416\u{D}\u{A}\u{9}\u{9}\u{9}\u{9}
5142 0 @Subject ShareName ShareLocalPath
5143 0 @Subject ObjectType=Directory ShareName ShareLocalPath OldRemark=N/A NewRemark=N/A OldMaxUsers:hexint32=0xffffffff NewMaxUsers:hexint32=0xffffffff OldShareFlags:hexint32 NewShareFlags:hexint32 OldSD NewSD
5144 0 @Subject ShareName ShareLocalPath
Microsoft-Windows-Security-Auditing task=12811 level=0 keywords=success
5145 0 @Subject ObjectType=File IpAddress IpPort=49152 ShareName ShareLocalPath RelativeTargetName AccessMask:hexint32=0x1 AccessList=%%4416\u{D}\u{A}\u{9}\u{9}\u{9}\u{9} AccessReason=-
Microsoft-Windows-Eventlog task=103 level=4 keywords=0x4020000000000000 userdata=ServiceShutdown
1100 0
Microsoft-Windows-Eventlog task=104 level=4 keywords=0x4020000000000000 userdata=LogFileCleared
1102 0 @Subject
Microsoft-Windows-Eventlog task=104 level=4 keywords=0x8000000000000000 userdata=LogFileCleared
104 0 SubjectUserName SubjectDomainName Channel BackupPath
Microsoft-Windows-Eventlog task=105 level=4 keywords=0x4020000000000000 userdata=AutoBackup
1105 0 Channel BackupPath
Microsoft-Windows-Kernel-General task=5 level=4 keywords=0x8000000000000010
1 0 NewTime:filetime OldTime:filetime
1 1 NewTime:filetime OldTime:filetime Reason:uint32
1 2 NewTime:filetime OldTime:filetime Reason:uint32 ProcessName ProcessID:uint32
Microsoft-Windows-Kernel-General task=1 level=4 keywords=0x8000000000000080
12 1 MajorVersion:uint32=10 MinorVersion:uint32 BuildVersion:uint32=19045 QfeVersion:uint32=1 ServiceVersion:uint32 BootMode:uint32 StartTime:filetime
Microsoft-Windows-Kernel-General task=2 level=4 keywords=0x8000000000000080
13 0 StopTime:filetime
EventLog level=4 keywords=0x80000000000000 qualifiers=32768
6005 0
6006 0
6009 0
6013 0
EventLog level=2 keywords=0x80000000000000 qualifiers=32768
6008 0
Microsoft-Windows-Winlogon task=1101 level=4 keywords=0x2000200000000000
7001 0 TSId:uint32=1 UserSid:sid
Microsoft-Windows-Winlogon task=1102 level=4 keywords=0x2000200000000000
7002 0 TSId:uint32=1 UserSid:sid
Microsoft-Windows-Sysmon task=1 level=4 keywords=0x8000000000000000
1 5 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 Image FileVersion=- Description=- Product=- Company=- OriginalFileName=- CommandLine CurrentDirectory=C:\Windows\system32\ User LogonGuid:guid LogonId:hexint64 TerminalSessionId:uint32=1 IntegrityLevel=Medium Hashes ParentProcessGuid:guid ParentProcessId:uint32 ParentImage=- ParentCommandLine=- ParentUser=-
Microsoft-Windows-Sysmon task=12 level=4 keywords=0x8000000000000000
12 2 RuleName=- EventType UtcTime ProcessGuid:guid ProcessId:uint32 Image TargetObject User=-
Microsoft-Windows-Sysmon task=13 level=4 keywords=0x8000000000000000
13 2 RuleName=- EventType=SetValue UtcTime ProcessGuid:guid ProcessId:uint32 Image TargetObject Details User=-
Microsoft-Windows-PowerShell task=2 level=5 opcode=15
4104 1 MessageNumber:int32=1 MessageTotal:int32=1 ScriptBlockText ScriptBlockId Path
PowerShellCore task=2 level=5 opcode=15
4104 1 MessageNumber:int32=1 MessageTotal:int32=1 ScriptBlockText ScriptBlockId Path
RasClient level=4 keywords=0x80000000000000
20225 0
20226 0
`

// groups are the fields that many events begin with.
var groups = map[string]string{
	"@Subject":   "SubjectUserSid:sid SubjectUserName=- SubjectDomainName=- SubjectLogonId:hexint64",
	"@Target":    "TargetUserSid:sid TargetUserName TargetDomainName TargetLogonId:hexint64",
	"@Logon4624": "LogonProcessName AuthenticationPackageName=Negotiate WorkstationName LogonGuid:guid TransmittedServices=- LmPackageName=- KeyLength:uint32 ProcessId:pointer ProcessName=- IpAddress=- IpPort=-",
}

// empty is what Windows writes for nothing in a type that has no empty value.
var empty = map[string]string{
	"sid": "S-1-0-0", "hexint64": "0x0", "hexint32": "0x0", "pointer": "0x0", "uint32": "0", "int32": "0",
	"guid": "{00000000-0000-0000-0000-000000000000}",
}

// A shape is the form of one version of an event.
type shape struct {
	options string
	version uint8
	fields  []Field
}

var shapes = readShapes()

func shapeKey(provider string, id uint32) string {
	return fmt.Sprintf("%s\x00%d", strings.ToLower(provider), id)
}

// readShapes reads the table above; the versions of an event stand in order.
func readShapes() map[string][]*shape {
	m := map[string][]*shape{}
	provider, options := "", ""
	for _, line := range strings.Split(strings.TrimSpace(Shapes), "\n") {
		if line[0] < '0' || line[0] > '9' {
			provider, options, _ = strings.Cut(line, " ")
			continue
		}
		for name, list := range groups {
			line = strings.ReplaceAll(line, name, list)
		}
		word := strings.Fields(line)
		id, _ := strconv.ParseUint(word[0], 10, 16)
		version, _ := strconv.ParseUint(word[1], 10, 8)
		s := &shape{options: options, version: uint8(version)}
		for _, w := range word[2:] {
			head, val, given := strings.Cut(w, "=")
			name, typ, _ := strings.Cut(head, ":")
			if !given {
				val = empty[typ]
			}
			val, _ = unescape(val)
			s.fields = append(s.fields, Field{Name: name, Type: typ, Value: val})
		}
		k := shapeKey(provider, uint32(id))
		m[k] = append(m[k], s)
	}
	return m
}

// shapeOf returns the form of an event; version -1 is the newest that is
// known. It is nil for events and versions that are not.
func shapeOf(provider string, id uint32, version int) *shape {
	list := shapes[shapeKey(provider, id)]
	for i := len(list) - 1; i >= 0; i-- {
		if version < 0 || int(list[i].version) == version {
			return list[i]
		}
	}
	return nil
}

// apply fills e from s. typed says which fields of e keep their type. Fields
// that s does not know follow at the end.
func (s *shape) apply(e *Event, typed []bool) {
	e.Version = s.version
	options, _ := parseOptions(s.options)
	for _, k := range []string{"task", "level", "opcode", "keywords", "userdata", "qualifiers"} {
		if v, ok := options[k]; ok {
			_ = e.set(k, v) // the table above is tested
		}
	}
	used := make([]bool, len(e.Data))
	var data []Field
	for _, f := range s.fields {
		if f.Name == "UtcTime" {
			f.Value = e.Time.UTC().Format("2006-01-02 15:04:05.000")
		}
		for i, own := range e.Data {
			if !used[i] && own.Name == f.Name {
				used[i] = true
				f.Value = own.Value
				if typed[i] {
					f.Type = own.Type
				}
				break
			}
		}
		data = append(data, f)
	}
	for i, own := range e.Data {
		if !used[i] {
			data = append(data, own)
		}
	}
	e.Data = data
}
