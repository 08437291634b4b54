package timeline

import "sharetrail/artifacts/evidence"

// describeClient fills what the facts of l state without any reasoning about
// its end.
func (l *Life) describeClient() {
	l.Status, l.Confidence = StatusUsedOnly, Likely
	l.Facts = Facts{Unknown, Unknown, Unknown, Unknown}
	l.Persistent = l.persistence()
	if len(l.Gone) > 0 && len(l.Maps) == 0 {
		l.Persistent = Yes // its key was there
	}
	if len(l.Uses) == 0 {
		l.Status, l.Confidence = StatusUnknown, Possible
	}
	if len(l.Maps) > 0 {
		l.Status, l.Confidence = StatusUnknown, Possible
		l.Mapped = mappedWindow(l.Maps)
	}
	for _, o := range l.Maps {
		if u := o.Detail.Text("MappedUser"); u != "" {
			l.CredentialsAs = u
		} else if u := o.Detail.Text("UserName"); u != "" && o.Artifact == "mapped-drives" {
			l.CredentialsAs = u
		}
	}
	l.countUses()
	if s := l.State; s != nil && l.Drive != "" && l.Persistent == Yes && len(l.Maps) > 0 && l.Next.IsZero() && s.Key != nil &&
		s.Drives[l.Drive] == nil && s.LastChange.After(l.MappedAtFirst()) {
		l.Facts.MappingGone = Yes
	}
	if d := l.State; d != nil && l.Drive != "" && l.Key != nil && d.Drives[l.Drive] != nil && l.Next.IsZero() && !l.former {
		l.Status, l.Confidence, l.Facts.MappingGone = StatusMapped, Certain, No
	}
}

// persistence says whether Windows remembered the mapping.
func (l *Life) persistence() Tri {
	switch {
	case l.Refused:
		return No
	case l.Barred != nil:
		return Unknown
	}
	if l.Key != nil || l.stored {
		return Yes
	}
	said := Unknown
	for _, o := range l.Maps {
		switch {
		case o.Artifact == "sysmon-registry" || o.Artifact == "object-access":
			return Yes // the write of Network\X itself
		case o.Detail.Text("Persistent") == "no" && said == Unknown:
			said = No
		case o.Detail.Text("Persistent") == "yes":
			said = Yes // whatever an earlier one said: that one had ended, or this one failed
		}
	}
	// To remember a mapping stamps Network. A key that was last written before
	// the mapping was made has never held it.
	if s := l.State; s != nil && said != No && len(l.Maps) > 0 && s.neverHeld(l.MappedAtFirst()) {
		return No
	}
	if l.Drive == "" && l.Maps != nil && said == Unknown && l.Maps[0].Action == evidence.Command {
		return No // a connection without a device is never remembered
	}
	return said
}

// mappedWindow bounds when the mapping was made.
func mappedWindow(maps []*evidence.Fact) Window {
	first := maps[0]
	switch {
	case first.Action == evidence.Command:
		for _, o := range maps[1:] {
			if o.TimeKind != evidence.AtOrBefore && o.Action == evidence.Mapped && Within(o.Time, first.Time) {
				return At(o.Time, basisOf(o))
			}
		}
		return Window{first.Time, first.Time.Add(EffectAfter), ByCommand}
	case basisOf(first) == KeyLastWrite:
		// The key may have been written again after it was made.
		return Window{NotAfter: first.Time, Basis: KeyLastWrite}
	}
	return At(first.Time, Recorded)
}

// basisOf says what the time of o rests on.
func basisOf(o *evidence.Fact) Basis {
	switch {
	case o.TimeKind == evidence.KeyLastWrite || o.TimeKind == evidence.AtOrBefore:
		return KeyLastWrite
	case o.Action == evidence.Command:
		return ByCommand
	}
	return Recorded
}
