package hive

// A Kind is what a hive is used for.
type Kind string

// Kinds of hives. config\DEFAULT, the profile of the SYSTEM account, looks like
// any user's hive and is NTUSER.
const (
	NTUSER     Kind = "NTUSER"
	UsrClass   Kind = "USRCLASS"
	System     Kind = "SYSTEM"
	Software   Kind = "SOFTWARE"
	Security   Kind = "SECURITY"
	SAM        Kind = "SAM"
	Amcache    Kind = "AMCACHE"
	BCD        Kind = "BCD"
	Components Kind = "COMPONENTS"
	Unknown    Kind = "UNKNOWN"
)

// kindMarks are tried in order; all keys of a mark must exist.
var kindMarks = []struct {
	kind Kind
	keys []string
}{
	{System, []string{"Select"}},
	{System, []string{"ControlSet001"}},
	{System, []string{"ControlSet002"}},
	{SAM, []string{`SAM\Domains`}},
	{SAM, []string{`SAM\RXACT`}},
	{Security, []string{"Policy"}},
	{Amcache, []string{`Root\File`}},
	{Amcache, []string{`Root\Programs`}},
	{Amcache, []string{`Root\InventoryApplication`}},
	{Amcache, []string{`Root\InventoryApplicationFile`}},
	{BCD, []string{"Objects", "Description"}},
	{Components, []string{"DerivedData"}},
	{Components, []string{"CanonicalData"}},
	{NTUSER, []string{"Software"}},
	{NTUSER, []string{"Network"}},
	{NTUSER, []string{"Control Panel"}},
	{NTUSER, []string{"Environment"}},
	{UsrClass, []string{"Local Settings"}},
	{UsrClass, []string{"VirtualStore"}},
	{UsrClass, []string{"CLSID"}},
	{Software, []string{"Microsoft"}},
	{Software, []string{"Classes"}},
}

// judge names the kind of the hive. A mark that cannot be read does not count.
func (h *Hive) judge() Kind {
	for _, m := range kindMarks {
		all := true
		for _, key := range m.keys {
			_, err := h.Key(key)
			all = all && err == nil
		}
		if all {
			return m.kind
		}
	}
	return Unknown
}
