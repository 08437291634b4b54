package evtxtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Shapes lists the events whose form Parse knows: provider (in quotes if it has
// blanks), event id, version, header options, and the fields in the order and with the types of the
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
Microsoft-Windows-Eventlog task=101 level=2 keywords=0x4020000000000000 userdata=AuditEventsDropped
1101 0 Reason:uint32
Microsoft-Windows-Eventlog task=102 level=2 keywords=0x4020000000000000
1104 0
Microsoft-Windows-Eventlog task=101 level=2 keywords=0x4000000000000000 userdata=EventProcessingFailure
1108 0 ErrorCode:uint32 EventID:uint16 PublisherID
Microsoft-Windows-Security-Auditing task=12801 level=0 keywords=success
4697 0 @Subject ServiceName ServiceFileName ServiceType:hexint32=0x10 ServiceStartType:uint32=3 ServiceAccount=LocalSystem
Microsoft-Windows-Security-Auditing task=12804 level=0 keywords=success
4698 0 @Subject TaskName TaskContent
4699 0 @Subject TaskName TaskContent
4702 0 @Subject TaskName TaskContentNew
Microsoft-Windows-Security-Auditing task=12551 level=0 keywords=success
4800 0 @Target SessionId:uint32=1
4801 0 @Target SessionId:uint32=1
Microsoft-Windows-Security-Auditing task=14336 level=0 keywords=success
4776 0 PackageName=MICROSOFT_AUTHENTICATION_PACKAGE_V1_0 TargetUserName Workstation Status:hexint32
Microsoft-Windows-Security-Auditing task=14339 level=0 keywords=success
4768 0 TargetUserName TargetDomainName TargetSid:sid ServiceName=krbtgt ServiceSid:sid TicketOptions:hexint32=0x40810010 Status:hexint32 TicketEncryptionType:hexint32=0x12 PreAuthType=2 IpAddress IpPort=49152 CertIssuerName CertSerialNumber CertThumbprint
Microsoft-Windows-Security-Auditing task=14337 level=0 keywords=success
4769 0 TargetUserName TargetDomainName ServiceName ServiceSid:sid TicketOptions:hexint32=0x40810000 TicketEncryptionType:hexint32=0x12 IpAddress IpPort=49152 Status:hexint32 LogonGuid:guid TransmittedServices=-
Microsoft-Windows-Kernel-General level=4 keywords=0x8000000000000000
15 0 HiveNameLength:uint16 HiveName OriginalSize:uint32 NewSize:uint32
16 0 HiveNameLength:uint16 HiveName KeysUpdated:uint32 DirtyPages:uint32
Microsoft-Windows-Kernel-Power level=1 task=63 keywords=0x8000400000000002
41 8 BugcheckCode:uint32 BugcheckParameter1:hexint64 BugcheckParameter2:hexint64 BugcheckParameter3:hexint64 BugcheckParameter4:hexint64 SleepInProgress:uint32 PowerButtonTimestamp:uint64=0 BootAppStatus:uint32
Microsoft-Windows-Kernel-Power level=4 task=64 keywords=0x8000000000000404
42 3 TargetState:uint32=4 EffectiveState:uint32=4 Reason:uint32 Flags:uint32 TransitionsToOn:uint32=1
Microsoft-Windows-Kernel-Power level=4 task=102 keywords=0x8000000000000404
107 1 TargetState:uint32=4 EffectiveState:uint32=4 WakeFromState:uint32=4
Microsoft-Windows-Kernel-Power level=4 task=103 keywords=0x8000000000000004
109 0 ShutdownActionType:uint32=5 ShutdownEventCode:uint32 ShutdownReason:uint32=5
Microsoft-Windows-Kernel-Power level=4 task=203 keywords=0x8000000000000404
172 0 State:uint32=2 Reason:uint32=6
Microsoft-Windows-Power-Troubleshooter level=4 keywords=0x8000000000000000
1 3 SleepTime:filetime WakeTime:filetime SleepDuration:uint32 WakeDuration:uint32 DriverInitDuration:uint32 BiosInitDuration:uint32 HiberWriteDuration:uint32 HiberReadDuration:uint32 HiberPagesWritten:uint32 Attributes:uint32 TargetState:uint32=4 EffectiveState:uint32=4 WakeSourceType:uint32 WakeSourceTextLength:uint32 WakeSourceText
Microsoft-Windows-Time-Service level=4 keywords=0x8000000000000000
34 0 SystemTimeChangeSeconds:uint32 MaxSystemTimeChangeSeconds:uint32=54000 TimeSource
35 0 TimeSource TimeSourceRefId:uint32 CurrentStratumNumber:uint32=4
36 0 ErrorMessage
37 0 TimeSource
134 0 ErrorMessage RetryMinutes:uint32=15 DomainPeer
139 0
143 0
"Service Control Manager" level=4 keywords=0x8080000000000000
7036 0 param1 param2
7040 0 param1 param2 param3 param4
7045 0 ServiceName ImagePath ServiceType StartType AccountName
User32 level=4 keywords=0x8080000000000000 qualifiers=32768
1074 0 param1 param2 param3 param4 param5 param6 param7
Server level=3 keywords=0x80000000000000 qualifiers=32768
2511 0
Server level=2 keywords=0x80000000000000 qualifiers=49152
2505 0
Microsoft-Windows-SMBClient level=2 keywords=0x8000000000000040
30803 0 Reason:uint32 Status:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary ConnectionType:uint32=1
30803 2 Reason:uint32 Status:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 RemoteAddress:binary LocalAddress:binary InstanceNameLength:uint16 InstanceName=\Device\LanmanRedirector ConnectionType:uint32=1
30804 0 Reason:uint32 Status:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary ConnectionType:uint32=1
30804 2 Reason:uint32 Status:uint32 InstanceNameLength:uint16 InstanceName=\Device\LanmanRedirector ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary ConnectionType:uint32=1 InterfaceId:uint32
30805 0 Status:uint32 SessionId:uint64=0 TreeId:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary
30806 0 Status:uint32 SessionId:uint64=0 TreeId:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary
30807 0 Status:uint32 SessionId:uint64=0 TreeId:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary
30808 0 Status:uint32 SessionId:uint64=0 TreeId:uint32 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary
30810 0 NameLength:uint16 Name IfIndex:uint32
30811 0 NameLength:uint16 Name IfIndex:uint32
Microsoft-Windows-SMBClient level=4 keywords=0x8000000000000040
30833 0 ServerNameLength:uint16 ServerName AddressLength:uint32 Address:binary SessionId:uint64=0 TreeId:uint32
Microsoft-Windows-SMBClient level=2 keywords=0x8000000000000080
31001 0 Reason:uint32 Status:uint32 SecurityStatus:uint32 LogonId:uint64=0 ServerNameLength:uint16 ServerName PrincipalNameLength:uint16 PrincipalName UserNameLength:uint16 UserName
31010 0 Reason:uint32 Status:uint32 ShareNameLength:uint16 ShareName ObjectNameLength:uint16 ObjectName
31017 0 UserNameLength:uint16 UserName ServerNameLength:uint16 ServerName
31018 0 RegName RegValue:uint32
31022 0 UserNameLength:uint16 UserName ServerNameLength:uint16 ServerName
Microsoft-Windows-SMBServer level=2 keywords=0x8000000000000028 userdata=EventData
551 2 SessionGUID:guid ConnectionGUID:guid Status:hexint32 TranslatedStatus:hexint32 ClientAddressLength:uint32 ClientAddress:binary SessionId:hexint64 UserNameLength:uint16 UserName ClientNameLength:uint16 ClientName SPN SPNValidationPolicy:uint32
600 0 SessionGUID:guid TreeConnectGUID:guid ShareNameLength:uint16 ShareName
602 0 SessionGUID:guid TreeConnectGUID:guid ShareNameLength:uint16 ShareName
700 0 ShareNameLength:uint16 ShareName ServerNameLength:uint16 ServerName PathNameLength:uint16 PathName CSCState:uint32
702 0 ShareNameLength:uint16 ShareName ServerNameLength:uint16 ServerName
1006 1 ShareNameLength:uint16 ShareName SharePathLength:uint16 SharePath ClientAddressLength:uint32 ClientAddress:binary UserNameLength:uint16 UserName ClientNameLength:uint16 ClientName MappedAccess:hexint32 GrantedAccess:hexint32 Status:hexint32 TranslatedStatus:hexint32 SessionID:hexint64
1009 1 ClientAddressLength:uint32 ClientAddress:binary SessionID:hexint64 ClientNameLength:uint16 ClientName
1010 0 NameLength:uint16 Name DomainNameLength:uint16 DomainName TransportNameLength:uint16 TransportName TransportFlags:hexint32
1011 0 NameLength:uint16 Name DomainNameLength:uint16 DomainName TransportNameLength:uint16 TransportName
1020 1 Command:uint32 SessionGuid:guid SessionId:hexint64 ConnectionGuid:guid UserNameLength:uint16 UserName ClientNameLength:uint16 ClientName ClientAddressLength:uint16 ClientAddress:binary ShareNameLength:uint16 ShareName FileNameLength:uint16 FileName DurationInMilliseconds:uint64=0 ThresholdInMilliseconds:uint64=0
1905 0 SessionId:hexint64 InstanceId:uint32 Reason
3000 0 ClientName
Microsoft-Windows-NetworkProfile level=4 keywords=0x4000210000000001
10000 0 Name Description Guid:guid Type:uint32 State:uint32=1 Category:uint32
10001 0 Name Description Guid:guid Type:uint32 State:uint32=2 Category:uint32
10002 0 Name Description Guid:guid Type:uint32 State:uint32=1 Category:uint32
Microsoft-Windows-WLAN-AutoConfig level=4 keywords=0x8000000000000200
8001 0 InterfaceGuid:guid InterfaceDescription ConnectionMode ProfileName SSID BSSType
8003 0 InterfaceGuid:guid InterfaceDescription ConnectionMode ProfileName SSID BSSType Reason
"Microsoft-Windows-User Profiles Service" level=4 keywords=0x4000000000000000
1 0 Session:uint32=1
2 0 Session:uint32=1
3 0 Session:uint32=1
4 0 Session:uint32=1
5 0 File Key
67 0 LogonType=Regular LocalPath ProfileType=Regular
1500 0 Error
1511 0
1515 0
1530 0 Detail
Microsoft-Windows-TerminalServices-LocalSessionManager level=4 keywords=0x1000000000000000 userdata=EventXML
21 0 User SessionID:uint32=1 Address=LOCAL
22 0 User SessionID:uint32=1 Address=LOCAL
23 0 User SessionID:uint32=1
24 0 User SessionID:uint32=1 Address=LOCAL
25 0 User SessionID:uint32=1 Address=LOCAL
39 0 TargetSession:uint32=1 Source:uint32
40 0 Session:uint32=1 Reason:uint32
41 0 User SessionID:uint32=1
42 0 User SessionID:uint32=1
Microsoft-Windows-GroupPolicy level=4 keywords=0x4000000000000000
4000 1 PolicyActivityId:guid PrincipalSamName IsMachine:uint32=1 IsDomainJoined:boolean=true IsBackgroundProcessing:boolean=false IsAsyncProcessing:boolean=false IsServiceRestart:boolean=false ReasonForSyncProcessing:uint32
4001 1 PolicyActivityId:guid PrincipalSamName IsMachine:uint32 IsDomainJoined:boolean=true IsBackgroundProcessing:boolean=false IsAsyncProcessing:boolean=false IsServiceRestart:boolean=false ReasonForSyncProcessing:uint32
4016 0 CSEExtensionId:guid CSEExtensionName IsExtensionAsyncProcessing:boolean=false IsGPOListChanged:boolean=false GPOListStatusString DescriptionString ApplicableGPOList
4018 0 PrincipalSamName ScriptType:uint32
5016 0 CSEElaspedTimeInMilliSeconds:uint32 ErrorCode:uint32 CSEExtensionName CSEExtensionId:guid
5018 0 ScriptElaspedTimeInSeconds:uint32 ErrorCode:uint32 PrincipalSamName ScriptType:uint32
7016 0 CSEElaspedTimeInMilliSeconds:uint32 ErrorCode:uint32 CSEExtensionName CSEExtensionId:guid
"Group Policy Drive Maps" level=4 keywords=0x80000000000000 qualifiers=16384
4096 0
"Group Policy Drive Maps" level=3 keywords=0x80000000000000 qualifiers=32768
4098 0
Microsoft-Windows-TaskScheduler level=4 keywords=0x8000000000000001
100 0 TaskName UserContext InstanceId:guid
102 0 TaskName UserContext InstanceId:guid
106 0 TaskName UserContext
129 0 TaskName Path ProcessID:uint32 Priority:uint32=16384
140 0 TaskName UserName
141 0 TaskName UserName
200 1 TaskName ActionName TaskInstanceId:guid EnginePID:uint32
201 2 TaskName TaskInstanceId:guid ActionName ResultCode:uint32 EnginePID:uint32
Microsoft-Windows-WMI-Activity level=0 keywords=0x4000000000000000 userdata=Operation_StartedOperational
5857 0 ProviderName Code:hexint32 HostProcess=wmiprvse.exe ProcessID:uint32 ProviderPath
Microsoft-Windows-WMI-Activity level=2 keywords=0x4000000000000000 userdata=Operation_ClientFailure
5858 0 Id:guid ClientMachine User ClientProcessId:uint32 Component=Unknown Operation ResultCode:hexint32 PossibleCause=Unknown
Microsoft-Windows-WMI-Activity level=0 keywords=0x4000000000000000 userdata=Operation_TemporaryEssStarted
5860 0 NamespaceName Query User Processid:uint32 ClientMachine PossibleCause=Temporary
Microsoft-Windows-WMI-Activity level=0 keywords=0x4000000000000000 userdata=Operation_ESStoConsumerBinding
5861 0 Namespace ESS CONSUMER PossibleCause
Microsoft-Windows-OfflineFiles level=4 keywords=0x8000000000000000
7 0 Account Session:uint32=1
8 0 Account Session:uint32=1
9 0 Path
10 0 Path
1001 0 Path ResultCode:hexint32
1004 0 Path
Microsoft-Windows-NTLM level=4 keywords=0x8000000000000000
4001 0 TargetName UserName DomainName CallerPID:uint32 ProcessName ClientLUID:hexint64 ClientUserName ClientDomainName MechanismOID
8001 0 TargetName UserName DomainName CallerPID:uint32 ProcessName ClientLUID:hexint64 ClientUserName ClientDomainName MechanismOID
Microsoft-Windows-Sysmon level=4 keywords=0x8000000000000000
3 5 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 Image User Protocol=tcp Initiated:boolean=true SourceIsIpv6:boolean=false SourceIp SourceHostname=- SourcePort:uint16=49152 SourcePortName=- DestinationIsIpv6:boolean=false DestinationIp DestinationHostname=- DestinationPort:uint16=445 DestinationPortName=-
4 3 UtcTime State Version=15.15 SchemaVersion=4.90
11 2 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 Image TargetFilename CreationUtcTime User=-
16 3 UtcTime Configuration ConfigurationFileHash=-
17 1 RuleName=- EventType=CreatePipe UtcTime ProcessGuid:guid ProcessId:uint32 PipeName Image User=-
18 1 RuleName=- EventType=ConnectPipe UtcTime ProcessGuid:guid ProcessId:uint32 PipeName Image User=-
22 5 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 QueryName QueryStatus=0 QueryResults Image User=-
23 5 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 User Image TargetFilename Hashes=- IsExecutable:boolean=false Archived:boolean=false
26 5 RuleName=- UtcTime ProcessGuid:guid ProcessId:uint32 User Image TargetFilename Hashes=- IsExecutable:boolean=false
255 3 UtcTime ID Description
Microsoft-Windows-PowerShell task=106 level=4
4103 1 ContextInfo UserData Payload
PowerShellCore task=106 level=4
4103 1 ContextInfo UserData Payload
PowerShell level=4 keywords=0x80000000000000
400 0
403 0
600 0
800 0
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
			if quoted, ok := strings.CutPrefix(line, `"`); ok {
				provider, options, _ = strings.Cut(quoted, `" `)
			} else {
				provider, options, _ = strings.Cut(line, " ")
			}
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
