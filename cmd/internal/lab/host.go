package lab

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,14}$`) // a NetBIOS name, and no path
	sidText  = regexp.MustCompile(`^S-1-[0-9]+(-[0-9]+){1,14}$`)
)

// background says when the harmless events of a running computer are written.
type background struct {
	from, to time.Time
	every    time.Duration
}

// logOptions are the properties of one log file.
type logOptions struct {
	first  uint64 // id of the oldest record
	dirty  bool
	header int64 // record header ids minus System ids: a re-exported look
}

// firstID is the oldest record id of a log where the scenario names none.
// Logs in use start far above 1, as they roll over.
var firstID = map[string]uint64{
	"Security": 48211, "System": 9120, "Application": 3307,
	channelSysmon: 120455, channelPowerShell: 2210,
}

// netbios is the name that the host's domain, or for a workgroup the host
// itself, gives to accounts.
func (h *Host) netbios() string {
	if h.Domain == "" {
		return h.Name
	}
	first, _, _ := strings.Cut(h.Domain, ".")
	return strings.ToUpper(first)
}

// fqdn is the name that events carry as Computer.
func (h *Host) fqdn() string {
	if h.Domain == "" {
		return h.Name
	}
	return h.Name + "." + h.Domain
}

func (h *Host) user(name string) (*User, error) {
	for _, u := range h.Users {
		if strings.EqualFold(u.Name, name) {
			return u, nil
		}
	}
	return nil, fmt.Errorf("host %s has no user %q", h.Name, name)
}

// parseHost reads the block "host NAME".
func parseHost(name string, sec section) (*Host, error) {
	if !hostName.MatchString(name) {
		return nil, fmt.Errorf("%q is not a computer name", name)
	}
	h := &Host{
		Name: name, OS: "Windows 10 Pro", Build: "18363", TimeZone: "UTC",
		MachineSID: "S-1-5-21-1004336348-1177238915-682003330",
		audit:      newAuditPolicy(),
		logs:       map[string]*logOptions{},
		background: background{every: time.Hour},
	}
	if err := sec.each(func(_ int, text string) error { return h.directive(text) }); err != nil {
		return nil, err
	}
	if h.LogsBegin.IsZero() {
		h.LogsBegin = h.background.from
	}
	switch {
	case h.Installed.IsZero():
		return nil, fmt.Errorf("host %s: installed = TIME is missing", name)
	case h.Collected.IsZero():
		return nil, fmt.Errorf("host %s: collected = TIME is missing", name)
	}
	return h, nil
}

// directive reads one line of a host block.
func (h *Host) directive(text string) error {
	if rest, ok := strings.CutPrefix(text, "user "); ok {
		return h.addUser(strings.Fields(rest))
	}
	if rest, ok := strings.CutPrefix(text, "log "); ok {
		return h.addLog(rest)
	}
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is neither KEY = VALUE nor a user or log line", text)
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	var err error
	switch key {
	case "os":
		h.OS = value
	case "build":
		h.Build = value
	case "domain":
		h.Domain = value
	case "timezone":
		err = h.setZone(value)
	case "machine-sid":
		h.MachineSID, err = parseSID(value)
	case "installed":
		h.Installed, err = parseTime(value)
	case "collected":
		h.Collected, err = parseTime(value)
	case "logs-begin":
		h.LogsBegin, err = parseTime(value)
	case "audit":
		err = h.audit.set(value)
	case "cmdline-logging":
		h.CommandLines, err = parseYes(value)
	case "remains":
		h.Remains, err = parseYes(value)
	case "powershell-logging":
		h.PowerShell, err = parseYes(value)
	case "sysmon":
		h.Sysmon, err = parseYes(value)
	case "background":
		h.background, err = parseBackground(value)
	default:
		err = fmt.Errorf("unknown host directive %q", key)
	}
	return err
}

// addUser reads: NAME SID [profile-created=TIME] [profile=FOLDER].
func (h *Host) addUser(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("a user line is: user NAME SID [profile-created=TIME] [profile=FOLDER]")
	}
	u := &User{Name: words[0]}
	var err error
	if u.SID, err = parseSID(words[1]); err != nil {
		return err
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "profile-created":
			if u.Created, err = parseTime(value); err != nil {
				return err
			}
			if u.Folder == "" {
				u.Folder = u.Name
			}
		case "profile":
			u.Folder = value
		default:
			return fmt.Errorf("unknown user property %q", w)
		}
	}
	if strings.ContainsAny(u.Folder, `/\`) || u.Folder == ".." || (u.Folder != "" && u.Created.IsZero()) {
		return fmt.Errorf("user %s: a profile needs a plain folder name and profile-created=TIME", u.Name)
	}
	h.Users = append(h.Users, u)
	return nil
}

// addLog reads: CHANNEL [first=ID] [dirty=yes] [header-offset=N].
func (h *Host) addLog(rest string) error {
	words := strings.Fields(rest)
	if len(words) == 0 {
		return fmt.Errorf("a log line is: log CHANNEL [first=ID] [dirty=yes] [header-offset=N]")
	}
	o := h.options(channelOf(words[0]))
	var err error
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "first":
			o.first, err = strconv.ParseUint(value, 10, 62)
		case "dirty":
			o.dirty, err = parseYes(value)
		case "header-offset":
			o.header, err = strconv.ParseInt(value, 10, 62)
		default:
			err = fmt.Errorf("unknown log property %q", w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// options returns the options of channel, making them on first use.
func (h *Host) options(channel string) *logOptions {
	o := h.logs[channel]
	if o == nil {
		o = &logOptions{first: firstID[channel]}
		if o.first == 0 {
			o.first = 1
		}
		h.logs[channel] = o
	}
	return o
}

// setZone reads: KEY-NAME BIAS.
func (h *Host) setZone(value string) error {
	i := strings.LastIndex(value, " ")
	if i < 0 {
		return fmt.Errorf("timezone is NAME BIAS, the bias in minutes (UTC = local + bias)")
	}
	bias, err := strconv.Atoi(value[i+1:])
	if err != nil || bias < -14*60 || bias > 12*60 {
		return fmt.Errorf("%q is not a bias in minutes", value[i+1:])
	}
	h.TimeZone, h.Bias = strings.TrimSpace(value[:i]), bias
	return nil
}

// parseBackground reads: FROM..TO every=DURATION.
func parseBackground(value string) (background, error) {
	span, every, _ := strings.Cut(value, " ")
	b := background{every: time.Hour}
	var err error
	if b.from, b.to, err = parseSpan(span); err != nil {
		return b, err
	}
	if every = strings.TrimSpace(every); every != "" {
		d, ok := strings.CutPrefix(every, "every=")
		if b.every, err = time.ParseDuration(d); err != nil || !ok || b.every < time.Minute {
			return b, fmt.Errorf("%q is not every=DURATION of a minute or more", every)
		}
	}
	if n := b.to.Sub(b.from) / b.every; n > 20_000 {
		return b, fmt.Errorf("background of %d steps is too much", n)
	}
	return b, nil
}

func parseSpan(text string) (from, to time.Time, err error) {
	a, b, ok := strings.Cut(text, "..")
	if !ok {
		return from, to, fmt.Errorf("%q is not FROM..TO", text)
	}
	if from, err = parseTime(a); err != nil {
		return from, to, err
	}
	if to, err = parseTime(b); err == nil && to.Before(from) {
		err = fmt.Errorf("%q ends before it begins", text)
	}
	return from, to, err
}

func parseSID(s string) (string, error) {
	if !sidText.MatchString(s) {
		return "", fmt.Errorf("%q is not a SID", s)
	}
	return s, nil
}

func parseYes(s string) (bool, error) {
	switch s {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither yes nor no", s)
}
