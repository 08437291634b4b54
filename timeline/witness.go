package timeline

import "sharetrail/artifacts/evidence"

// OtherHostsShareAccess is what a rule needs that compares a host with what
// file servers of the evidence recorded of it.
const OtherHostsShareAccess = "Security 5140 of another host"

// CommandsWitnessed reports whether records of the Security log from before and
// after w prove that processes were recorded with their command lines.
func (c *Case) CommandsWitnessed(w Window) bool {
	return c.witnessed(securityLog, evidence.CommandLines, w)
}
