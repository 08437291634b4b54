package source

// zip opens the archive it at id. The seam for other containers is the same.
func (s *scanner) zip(it *item, id string, depth int) (*Node, error) {
	s.ev.problem(errorf(id, "zip archive: not read yet"))
	return &Node{ID: id, Kind: "zip", Size: it.size, Offset: -1, Label: id}, nil
}
