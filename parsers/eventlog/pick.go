package eventlog

// pick reads the fields by the plans of the record's templates. It is false,
// and has read nothing, if the record has to be walked.
func (s *fieldSink) pick() bool {
	d := s.rec.dec
	if len(d.offs) != 0 {
		return false
	}
	in, ok, err := d.top(s.rec.lo, s.rec.hi)
	ok = ok && err == nil && s.pickFrom(&in, inRecord, s.rec.hi)
	d.offs = d.offs[:0]
	if !ok {
		s.fields, s.origins = nil, nil
	}
	return ok
}

// pickFrom reads the fields of one instance, behind which the fragment must
// end.
func (s *fieldSink) pickFrom(in *instance, at placement, end int) bool {
	d := s.rec.dec
	plan := in.plan.dataPlan(d, at)
	if !plan.ok || d.locate(in) != nil {
		return false
	}
	if in.end > end || in.end < end && d.b[in.end] != tokenEOF {
		return false
	}
	for k := range in.n { // a document in any other place has to be walked
		if desc := in.desc + 4*k; d.b[desc+2] == typeBinXML && k != plan.nest && le.Uint16(d.b[desc:]) != 0 {
			return false
		}
	}
	if d.steps -= len(plan.fields); d.steps < 0 {
		return false
	}
	if s.fields == nil && plan.nest < 0 && !s.one {
		s.fields = make([]Field, 0, len(plan.fields))
	}
	if !s.pickFields(in, plan.fields[:plan.at]) || !s.pickNest(in, plan) {
		return false
	}
	return s.pickFields(in, plan.fields[plan.at:])
}

// pickNest reads the fields of the document that is a value of in.
func (s *fieldSink) pickNest(in *instance, plan *dataPlan) bool {
	d := s.rec.dec
	if plan.nest < 0 {
		return true
	}
	if plan.nest >= in.n {
		return plan.inside == inEvent
	}
	desc := in.desc + 4*plan.nest
	size, off := int(le.Uint16(d.b[desc:])), d.offs[in.base+plan.nest]
	if d.b[desc+2] != typeBinXML || size == 0 {
		return plan.inside == inEvent // no element, and text in this place is not data
	}
	nest, ok, err := d.top(off, off+size)
	return ok && err == nil && s.pickFrom(&nest, plan.inside, off+size)
}

func (s *fieldSink) pickFields(in *instance, fields []planField) bool {
	d := s.rec.dec
	for i := range fields {
		f := &fields[i]
		if s.one && (f.name != s.only || len(s.fields) > 0) {
			continue
		}
		typ, raw := f.value(d, in)
		if d.bytes -= len(raw); d.bytes < 0 {
			return false
		}
		s.pickField(f, typ, raw)
	}
	return true
}

// value returns the stored value of f.
func (f *planField) value(d *decoder, in *instance) (typ byte, raw []byte) {
	switch {
	case f.sub < 0:
		return typeString, f.raw
	case f.sub >= in.n: // the writer left the last values out
		return typeNull, nil
	}
	desc, off := in.desc+4*f.sub, d.offs[in.base+f.sub]
	return d.b[desc+2], d.b[off : off+int(le.Uint16(d.b[desc:]))]
}

// null reports whether f, whose value is raw, is no field at all.
func (f *planField) null(raw []byte) bool {
	return f.data && f.sub >= 0 && len(raw) == 0 && (f.declared&typeArray != 0 || f.declared == typeBinary)
}

func (s *fieldSink) pickField(f *planField, typ byte, raw []byte) {
	if f.null(raw) {
		return
	}
	v := s.rec.dec.decode(typ, raw)
	if f.list && typ == typeArray|typeString {
		if list, ok := v.([]string); ok {
			for _, v := range list {
				s.add(f.name, v, origin{})
			}
			return
		}
	}
	if f.attr {
		s.add(f.name, v, origin{})
		return
	}
	if f.empty {
		typ = typeNull
	}
	s.add(f.name, v, origin{path: f.path, typ: typ, plain: true})
}
