package kit

// The names of the artifacts for Velociraptor, which their files have, too.
const (
	VelociraptorCollection = "Custom.Windows.Sharetrail.Collection"
	VelociraptorEndpoint   = "Custom.Windows.Sharetrail.Run"
	VelociraptorServer     = "Custom.Server.Sharetrail.Analyze"
)

// Velociraptor returns an artifact that collects, one that runs the program on
// an endpoint, and one that runs it on the server over finished collections.
func Velociraptor() []File {
	var globs []string
	for _, p := range Patterns() {
		globs = append(globs, backslashed(p))
	}
	var out []File
	for _, f := range []struct{ name, tmpl string }{
		{VelociraptorCollection, "velociraptor_collection.yaml.tmpl"},
		{VelociraptorEndpoint, "velociraptor_endpoint.yaml.tmpl"},
		{VelociraptorServer, "velociraptor_server.yaml.tmpl"},
	} {
		out = append(out, File{f.name + ".yaml", render(f.tmpl, map[string]any{"Name": f.name, "Globs": globs, "Collection": VelociraptorCollection})})
	}
	return out
}
