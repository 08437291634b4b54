
// A Table holds the rows of one kind, column by column: the different values of
// a column, and for each row which of them it has.
class Table {
  constructor(raw) {
    this.count = raw.count;
    this.columns = new Map();
    for (const c of raw.columns) this.columns.set(c.name, c);
  }

  // index returns which of the values of column c a row has.
  index(c, row) { return c.rows ? c.rows[row] : c.values.length === 1 ? 0 : row; }

  // get returns the value that a row has in the column of that name.
  get(row, name) {
    const c = this.columns.get(name);
    return c.values[this.index(c, row)];
  }

  // object returns a value that is a list of objects, or an object.
  object(row, name) { return JSON.parse(this.get(row, name)); }

  // each calls visit with the index and the value for each row of a column,
  // after map has been applied to every different value once.
  mapped(name, map) {
    const c = this.columns.get(name);
    const values = c.values.map(map);
    const out = new Array(this.count);
    for (let i = 0; i < this.count; i++) out[i] = values[this.index(c, i)];
    return out;
  }

  // matching returns one byte a row: whether any of its columns holds text,
  // which is lower case.
  matching(text) {
    const out = new Uint8Array(this.count);
    for (const c of this.columns.values()) {
      c.lower ??= c.values.map(v => plain(v).toLowerCase());
      const hits = c.lower.map(v => v.includes(text));
      if (!hits.includes(true)) continue;
      for (let i = 0; i < this.count; i++) if (hits[this.index(c, i)]) out[i] = 1;
    }
    return out;
  }
}

// plain returns a value as text.
function plain(v) {
  if (v === null || v === undefined) return '';
  return Array.isArray(v) ? v.map(plain).join('; ') : String(v);
}

const read = id => JSON.parse(document.getElementById(id).textContent);
const data = read('data');
const head = data.head;
const gaps = new Table(data.gaps), shares = new Table(data.shares), coverage = new Table(data.coverage), problems = new Table(data.problems);
let rows = new Table({count: 0, columns: []}); // of the timeline, once they are read
let times = new Float64Array(0);               // of rows, Unix milliseconds; NaN: undated
const rowOf = new Map();                       // id of an observation: its row
const gapOf = new Map(), shareOf = new Map();
for (let i = 0; i < gaps.count; i++) gapOf.set(gaps.get(i, 'id'), i);
for (let i = 0; i < shares.count; i++) shareOf.set(shares.get(i, 'id'), i);
const lists = (table, name) => Array.from({length: table.count}, (_, i) => table.get(i, name) ?? []);
const shareRows = lists(shares, 'observations'), gapShares = lists(gaps, 'connections');
let sharesOfRow = new Map(); // row: the connections that name it

// readRows reads the rows of the timeline, which stand at the end of the page
// so that the findings need not wait for them.
function readRows() {
  rows = new Table(read('data-timeline'));
  times = Float64Array.from(rows.mapped('time', ms));
  for (let i = 0; i < rows.count; i++) rowOf.set(rows.get(i, 'id'), i);
  shareRows.forEach((ids, share) => {
    for (const id of ids) {
      const row = rowOf.get(id);
      if (row === undefined) continue;
      if (!sharesOfRow.has(row)) sharesOfRow.set(row, []);
      sharesOfRow.get(row).push(share);
    }
  });
}

// ms returns a time of the data as Unix milliseconds, NaN if it is not set. The
// years that a FILETIME can hold have up to five digits, which JavaScript reads
// only as six with a sign (ECMA-262, 21.4.1.32.1).
function ms(time) { return time ? Date.parse(time.indexOf('-') > 4 ? '+0' + time : time) : NaN; }

// offsetAt returns by how many seconds the zone of the page is east of UTC.
function offsetAt(t) {
  let offset = head.zone.offsets[0][1];
  for (const [from, seconds] of head.zone.offsets) if (from * 1000 <= t) offset = seconds;
  return offset;
}

// suffix names an offset as RFC 3339 does.
function suffix(seconds) {
  if (head.zone.name === 'UTC') return 'Z';
  const m = Math.trunc(Math.abs(seconds) / 60);
  const two = n => String(n).padStart(2, '0');
  return (seconds < 0 ? '-' : '+') + two(Math.trunc(m / 60)) + ':' + two(m % 60);
}

// clock renders a time of the data with its offset: to the second, or whole.
function clock(time, whole) {
  if (!time) return '';
  const t = ms(time), offset = offsetAt(t);
  const local = offset === 0 ? time : new Date(t + offset * 1000).toISOString().replace('+0', '');
  const second = local.slice(0, local.indexOf('.')).replace('T', ' ');
  const fraction = time.slice(time.indexOf('.'), -1);
  return second + (whole && !/^\.0*$/.test(fraction) ? fraction : '') + suffix(offset);
}

// brief renders the same for a table: the date of the second end only where it
// is another day, and nothing for a window without bounds.
function brief(from, to) {
  if (!from && !to) return '';
  if (!from) return '≤ ' + clock(to);
  if (!to) return '≥ ' + clock(from);
  const a = clock(from), b = clock(to);
  if (from === to) return a;
  if (a === b) return clock(from, true) + ' – ' + clock(to, true).split(' ')[1];
  return a + ' – ' + (a.split(' ')[0] === b.split(' ')[0] ? b.split(' ')[1] : b);
}

// span renders the time between two times, either of which may be open.
function span(from, to, whole) {
  if (!from && !to) return 'at an unknown time';
  if (from === to) return 'at ' + clock(from, whole);
  if (!from) return 'at or before ' + clock(to, whole);
  if (!to) return 'at or after ' + clock(from, whole);
  if (clock(from) === clock(to)) whole = true;
  return 'between ' + clock(from, whole) + ' and ' + clock(to, whole);
}

const meanings = new Map(head.words.map(v => [v.field, new Map(v.words)]));
// meaning explains a word of a field.
function meaning(field, word) { return meanings.get(field)?.get(word) ?? ''; }
const artifactOf = new Map((head.artifacts ?? []).map(a => [a.name, a]));
