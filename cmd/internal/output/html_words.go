package output

// A vocabulary explains the words of one field, in the order in which the page
// lists them.
type vocabulary struct {
	Field string      `json:"field"`
	Title string      `json:"title"`
	Words [][2]string `json:"words"` // word, meaning
}

// vocabularies has every word that package evidence or timeline can yield; a
// test compares.
var vocabularies = []vocabulary{
	{"time_kind", "What the time of a row means", [][2]string{
		{"key_last_write", "Last write of the registry key. It covers all values of the key and says nothing about which of them changed."},
		{"at_or_before", "Last write of a key that holds several entries. This entry is not the newest, so it was written then or earlier."},
		{"event_created", "Creation time of the event record, by the clock of the computer that wrote it."},
		{"file_modified", "Last modification of the file."},
		{"file_created", "Creation of the file in this place."},
		{"item_time", "A time stored inside the entry itself."},
		{"executed", "A run of the program, as Windows counted it."},
	}},
	{"action", "What a row shows", [][2]string{
		{"mapped", "The evidence holds a mapping of the share."},
		{"present", "The entry was there; when it was made is not known."},
		{"used", "The share was used, or shown to a user who opened it."},
		{"command", "A command line was recorded. It does not show that the command took effect."},
		{"removed", "A removal was recorded, or a mapping is in one state of the registry and not in a later one."},
		{"share_created", "A share was exported."},
		{"share_deleted", "A share was no longer exported."},
		{"context", "A fact that bounds or explains others."},
		{"logon", "A session of a user began."},
		{"logoff", "A session of a user ended."},
		{"log_cleared", "An event log was cleared."},
		{"clock_changed", "The clock of the computer was set."},
		{"boot", "Windows started."},
		{"shutdown", "Windows shut down."},
	}},
	{"state", "Where a row was read", [][2]string{
		{"live", "An allocated structure of the file as it was collected."},
		{"log_replayed", "A transaction log of the registry that was not yet written to the hive."},
		{"shadow", "The same file in a volume shadow copy."},
		{"deleted", "A freed cell or slack space: path and time may be partial."},
		{"carved", "Found in a stream of bytes without a file around it."},
	}},
	{"confidence", "How sure a claim is, as it is worded", [][2]string{
		{"certain", "Recorded directly, or forced by two states and their times."},
		{"strong", "Two independent kinds of evidence agree."},
		{"likely", "One kind of evidence, inside continuous coverage, and no innocent explanation is supported."},
		{"possible", "The evidence is consistent with it, not more."},
	}},
	{"severity", "How much a finding matters, if it is true", [][2]string{
		{"high", "A removal with a known actor, or within a cluster of clean-up."},
		{"medium", "A removal without that."},
		{"low", "A fact that fits a removal."},
		{"info", "Coverage and context."},
		{"error", "Something could not be read. No finding rests on absence there."},
		{"warning", "Something that was read must be doubted."},
	}},
	{"basis", "What the ends of a window rest on", [][2]string{
		{"recorded", "An event states the instant itself."},
		{"command", "A command was run at the instant, or takes effect within a bounded time after it."},
		{"key_last_write", "The last write of the registry key."},
		{"parent_key_last_write", "The last write of the key above, which changes when a key below is made or removed."},
		{"hive_state", "A state of the registry file shows it, or lacks it."},
		{"snapshot", "A volume shadow copy shows it, or lacks it."},
		{"session", "The session of the user began or ended."},
		{"boot", "Windows started or shut down."},
		{"collection", "The newest instant in the evidence of the host."},
	}},
	{"status", "How a connection stood at collection", [][2]string{
		{"mapped", "It was there."},
		{"exported", "The share was exported."},
		{"removed", "The remembered mapping or the exported share is gone, or a removal was seen to take effect."},
		{"ended", "A connection that was never remembered ended with its session: no removal."},
		{"used_only", "It was used; there is no evidence that it was mapped."},
		{"unknown", "The evidence does not tell."},
	}},
	{"removed_by", "How a removal was done", [][2]string{
		{"command", "By a command line, such as net use /delete."},
		{"explorer", "In Explorer."},
		{"api", "By a program, through the interface of Windows."},
		{"registry_edit", "By deleting the registry key."},
		{"logoff", "At the end of the session."},
		{"policy", "By Group Policy."},
		{"unknown", "The evidence does not tell."},
	}},
	{"verdict", "What became of an innocent explanation", [][2]string{
		{"supported", "Evidence speaks for it: the finding may be harmless."},
		{"contradicted", "Evidence speaks against it."},
		{"unknown", "The evidence cannot tell."},
	}},
	{"class", "What one kind of evidence could have told", [][2]string{
		{"continuous", "Whole over its span."},
		{"partial", "There, with holes."},
		{"rolled", "Older records were overwritten: it cannot tell of the time before its span."},
		{"cleared", "Cleared: it cannot tell of the time before that."},
		{"disabled", "Not recording."},
		{"absent", "Not in the evidence."},
		{"unknown", "Could not be judged."},
	}},
	{"reason", "Why a span of time is blind", [][2]string{
		{"cleared", "The log was cleared."},
		{"rolled_over", "Older records were overwritten."},
		{"audit_off", "Auditing was off."},
		{"channel_off", "The log was switched off."},
		{"record_gap", "Numbers of records are missing."},
		{"corrupt", "The records are damaged."},
		{"not_collected", "The file is not in the evidence."},
		{"powered_off", "The computer was off."},
		{"clock_changed", "The clock was set, so the time of the records is in doubt."},
	}},
}
