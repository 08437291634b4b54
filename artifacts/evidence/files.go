package evidence

// Files begins the Evidence of a Coverage that is one file of an artifact which
// keeps many, such as shortcuts: "files:lnk:alice". Such a file attests nothing
// about those that are not there.
const Files = "files:"
