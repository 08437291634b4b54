package output

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser is a headless Chromium with one page, driven through a pipe of its
// DevTools protocol (--remote-debugging-pipe): messages of JSON that end in a
// NUL, on file descriptors 3 and 4.
type browser struct {
	t        testing.TB
	in       *os.File
	out      *bufio.Reader
	id       int
	session  string
	url      string   // of the page
	faults   []string // errors and warnings of the console, exceptions, violations of the policy
	requests []string // for anything but the page
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("oracle chromium is not installed")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	limit := time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() }) // ends the read below
	t.Cleanup(func() {
		limit.Stop()
		in.Close()
		out.Close()
		cmd.Process.Kill()
		cmd.Wait()
		// Its children end a little later, and write until then.
		for range 50 {
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Logf("%s could not be removed", profile)
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.size(1280, 900)
	return b
}

// call sends a command and waits for its result.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		text, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var m struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			b.t.Fatal(err)
		}
		if m.ID != b.id {
			b.event(m.Method, m.Params)
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

func (b *browser) event(method string, params json.RawMessage) {
	switch method {
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		b.faults = append(b.faults, method+": "+string(params))
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		if err := json.Unmarshal(params, &p); err != nil || p.Request.URL != strings.SplitN(b.url, "#", 2)[0] && !strings.HasPrefix(p.Request.URL, "data:") {
			b.requests = append(b.requests, p.Request.URL)
		}
	}
}

// size sets the size of the window in pixels.
func (b *browser) size(width, height int) {
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// media sets what the page is to be shown on, and the colours preferred.
func (b *browser) media(kind, colours string) {
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": kind, "features": []map[string]string{{"name": "prefers-color-scheme", "value": colours}}}, nil)
}

// open loads a file and waits until its script is done.
func (b *browser) open(name string) {
	b.t.Helper()
	b.url = "file://" + filepath.ToSlash(name)
	b.call("Page.navigate", map[string]any{"url": b.url}, nil)
	for range 600 {
		if b.eval("!!(window.sharetrail && sharetrail.ready)") == true {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("the page does not get ready: %q", b.faults)
}

// eval evaluates an expression, waits for a promise, and returns its value.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s %s", expression, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value
}

// text evaluates an expression whose value is text.
func (b *browser) text(expression string) string {
	b.t.Helper()
	return fmt.Sprint(b.eval(expression))
}

// settle waits until what was asked for is drawn.
func (b *browser) settle() {
	b.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}

// save keeps a picture of the page in the folder that the environment names,
// for people to look at.
func (b *browser) save(name string, full bool) {
	dir := os.Getenv("SHARETRAIL_PICTURES")
	if dir == "" {
		return
	}
	b.settle()
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": full}, &shot)
	b.write(filepath.Join(dir, name+".png"), shot.Data)
}

// print makes a PDF of the page, keeps it likewise, and returns it.
func (b *browser) print(name string) []byte {
	var pdf struct{ Data string }
	b.call("Page.printToPDF", map[string]any{"printBackground": true, "preferCSSPageSize": true}, &pdf)
	if dir := os.Getenv("SHARETRAIL_PICTURES"); dir != "" {
		b.write(filepath.Join(dir, name+".pdf"), pdf.Data)
	}
	data, err := base64.StdEncoding.DecodeString(pdf.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

func (b *browser) write(name, base string) {
	data, err := base64.StdEncoding.DecodeString(base)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
