
// A Grid shows rows of a table. Only those in sight are in the page, so that
// hundreds of thousands of them can be sorted and scrolled.
const rowHeight = 28, maxScroll = 12e6, maxPrint = 2000; // pixels, pixels, rows
class Grid {
  // columns: {head, text(row), sort: column name or function, cls}
  constructor(box, name, table, columns, open, note) {
    Object.assign(this, {box, name, table, columns, open, list: [], sorted: -1, down: false, note, ranks: new Map()});
    this.body = el('tbody');
    this.heads = columns.map((c, i) => el('th', {scope: 'col', class: c.cls}, el('button', {type: 'button', onclick: () => this.sort(i)}, c.head)));
    this.grid = el('table', {'aria-label': name}, el('thead', {}, el('tr', {'aria-rowindex': 1}, this.heads)), this.body);
    const id = box.id;
    this.scroll = el('div', {class: 'grid', id: id + '-scroll', tabindex: 0, role: 'region', 'aria-label': name + ', scrolling'}, this.grid);
    this.count = el('p', {class: 'muted count'});
    box.replaceChildren(this.count, this.scroll);
    this.before = rule(`#${id}-scroll tr.before`);
    this.after = rule(`#${id}-scroll tr.after`);
    this.scroll.addEventListener('scroll', () => { if (!printing) this.draw(); });
  }

  // set shows the rows of list, in the order that was chosen.
  set(list) {
    this.list = list;
    this.order();
    const n = list.length, all = this.table.count;
    this.count.textContent = all === 0 ? 'None.' : (n === all ? plural(n, 'row') : `${n.toLocaleString('en')} of ${plural(all, 'row')}`) + (this.note ? '. ' + this.note : '');
    this.scroll.hidden = n === 0;
    this.grid.setAttribute('aria-rowcount', n + 1);
    this.scroll.scrollTop = 0;
    this.draw(true);
  }

  sort(i) {
    this.down = this.sorted === i && !this.down;
    this.sorted = i;
    this.heads.forEach((h, k) => { if (k === i) h.setAttribute('aria-sort', this.down ? 'descending' : 'ascending'); else h.removeAttribute('aria-sort'); });
    this.order();
    this.draw(true);
  }

  // rank returns for each row the place of its value among all.
  rank(i) {
    if (this.ranks.has(i)) return this.ranks.get(i);
    const c = this.table.columns.get(this.columns[i].sort), words = this.columns[i].words;
    const key = v => words ? words.indexOf(v) : typeof v === 'number' ? v : plain(v).toLowerCase();
    const keys = c.values.map(key), places = [...keys.keys()].sort((a, b) => keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0);
    const place = new Int32Array(keys.length);
    places.forEach((v, n) => { place[v] = n > 0 && keys[v] === keys[places[n - 1]] ? place[places[n - 1]] : n; });
    const out = Int32Array.from({length: this.table.count}, (_, row) => place[this.table.index(c, row)]);
    this.ranks.set(i, out);
    return out;
  }

  order() {
    this.sortedList = this.list;
    if (this.sorted < 0) return;
    const rank = this.rank(this.sorted), sign = this.down ? -1 : 1;
    this.sortedList = [...this.list].sort((a, b) => sign * (rank[a] - rank[b]) || a - b);
  }

  // draw puts the rows in sight into the page. A list too long for a browser to
  // scroll pixel by pixel is scrolled in proportion.
  draw(force) {
    const n = this.sortedList.length, seen = Math.ceil(Math.max(this.scroll.clientHeight, 560) / rowHeight) + 2;
    const full = n * rowHeight, height = Math.min(full, maxScroll), view = this.scroll.clientHeight || 400;
    const share = height > view ? Math.min(1, this.scroll.scrollTop / (height - view)) : 0;
    let first = full <= maxScroll ? Math.floor(this.scroll.scrollTop / rowHeight) : Math.round(share * Math.max(0, n - seen + 2));
    first = Math.max(0, Math.min(first, n - 1) - 4);
    let last = Math.min(n, first + seen + 8);
    if (printing) { first = 0; last = Math.min(n, maxPrint); }
    if (!force && first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    const above = full <= maxScroll ? first * rowHeight : Math.max(0, Math.min(this.scroll.scrollTop, height - (last - first) * rowHeight));
    this.before.height = (printing ? 0 : above) + 'px';
    this.after.height = (printing ? 0 : Math.max(0, height - above - (last - first) * rowHeight)) + 'px';
    const focus = this.body.contains(document.activeElement) ? document.activeElement.dataset.row : null;
    const line = i => {
      const row = this.sortedList[i];
      return el('tr', {'aria-rowindex': i + 2, 'data-row': row}, this.columns.map((c, k) => {
        const content = c.text(row), cell = el('td', {class: c.cls, dir: 'ltr'});
        if (k === 0) cell.append(el('button', {type: 'button', class: 'link', 'data-row': row, 'aria-haspopup': 'dialog'}, content || '–'));
        else cell.append(content);
        return cell;
      }));
    };
    const lines = [];
    for (let i = first; i < last; i++) lines.push(line(i));
    if (printing && last < n) lines.push(el('tr', {}, el('td', {colspan: this.columns.length}, `${(n - last).toLocaleString('en')} more rows are not printed: see the files beside this page.`)));
    this.body.replaceChildren(el('tr', {class: 'before', 'aria-hidden': 'true'}), ...lines, el('tr', {class: 'after', 'aria-hidden': 'true'}));
    if (focus) this.body.querySelector(`button[data-row="${focus}"]`)?.focus({preventScroll: true});
  }

  // reveal scrolls to a row and marks it; reports whether it is shown.
  reveal(row) {
    const i = this.sortedList.indexOf(row);
    if (i < 0) return false;
    const full = this.sortedList.length * rowHeight;
    this.scroll.scrollTop = full <= maxScroll ? Math.max(0, (i - 3) * rowHeight) : i / this.sortedList.length * maxScroll;
    this.draw(true);
    this.box.scrollIntoView({block: 'start'});
    this.body.querySelector(`button[data-row="${row}"]`)?.focus({preventScroll: true});
    return true;
  }
}

// place says where a row was read, short.
function place(table, row) {
  const p = name => table.get(row, 'provenance.' + name), path = p('path');
  if (p('channel')) return short(`${path} record ${p('record_id')}`);
  if (p('key')) return short(`${path} ${p('key')}`);
  return short(path + (p('offset') === null ? '' : '@0x' + Number(p('offset')).toString(16)));
}

const grids = {};
const cell = (table, name) => row => short(plain(table.get(row, name)));
const time = (table, name) => row => clock(table.get(row, name));
const wordsOf = field => head.words.find(v => v.field === field).words.map(w => w[0]);

function makeGrids() {
  const openOn = (kind, grid) => grid.body.addEventListener('click', e => {
    const row = e.target.closest('tr')?.dataset.row;
    if (row !== undefined) openDetail(kind, Number(row));
  });
  const left = head.manifest.counts.timeline - head.kept;
  grids.rows = new Grid($('rows-table'), 'Rows of the timeline', rows, [
    {head: 'Time', text: row => (rows.get(row, 'time_kind') === 'at_or_before' && rows.get(row, 'time') ? '≤ ' : '') + (clock(rows.get(row, 'time')) || 'undated'), sort: 'time', cls: 'time'},
    {head: 'Action', text: row => pill('action', rows.get(row, 'action')), sort: 'action', cls: 'word'},
    {head: 'Host', text: cell(rows, 'host'), sort: 'host', cls: 'name'},
    {head: 'User', text: cell(rows, 'user'), sort: 'user', cls: 'name'},
    {head: 'Drive', text: cell(rows, 'drive'), sort: 'drive', cls: 'drive'},
    {head: 'Share', text: cell(rows, 'share'), sort: 'share', cls: 'share'},
    {head: 'Summary', text: cell(rows, 'summary'), sort: 'summary', cls: 'long'},
    {head: 'Artifact', text: cell(rows, 'artifact'), sort: 'artifact', cls: 'name'},
    {head: 'State', text: cell(rows, 'state'), sort: 'state', cls: 'state'},
    {head: 'Where', text: row => place(rows, row), sort: 'provenance.path', cls: 'share'},
  ], 'row', left > 0 ? `This page leaves out ${plural(left, 'row')}, which are in timeline.csv and timeline.jsonl.` : '');
  openOn('row', grids.rows);
  grids.shares = new Grid($('shares-table'), 'Connections', shares, [
    {head: 'Share', text: cell(shares, 'share'), sort: 'share', cls: 'share'},
    {head: 'Drive', text: cell(shares, 'drive'), sort: 'drive', cls: 'drive'},
    {head: 'Host', text: cell(shares, 'host'), sort: 'host', cls: 'name'},
    {head: 'User', text: cell(shares, 'user'), sort: 'user', cls: 'name'},
    {head: 'Status', text: row => pill('status', shares.get(row, 'status')), sort: 'status', cls: 'word'},
    {head: 'Removed', text: row => brief(shares.get(row, 'removed.not_before'), shares.get(row, 'removed.not_after')), sort: 'removed.not_after', cls: 'window'},
    {head: 'How', text: cell(shares, 'removed_by'), sort: 'removed_by', cls: 'word'},
    {head: 'Confidence', text: cell(shares, 'confidence'), sort: 'confidence', words: wordsOf('confidence'), cls: 'word'},
    {head: 'Mapped', text: row => brief(shares.get(row, 'mapped.not_before'), shares.get(row, 'mapped.not_after')), sort: 'mapped.not_after', cls: 'window'},
    {head: 'Last used', text: time(shares, 'last_used'), sort: 'last_used', cls: 'time'},
  ], 'share');
  openOn('share', grids.shares);
  grids.coverage = new Grid($('coverage-table'), 'Coverage', coverage, [
    {head: 'Evidence', text: cell(coverage, 'evidence'), sort: 'evidence', cls: 'evidence'},
    {head: 'Host', text: cell(coverage, 'host'), sort: 'host', cls: 'name'},
    {head: 'Class', text: row => pill('class', coverage.get(row, 'class')), sort: 'class', words: wordsOf('class'), cls: 'word'},
    {head: 'From', text: time(coverage, 'from'), sort: 'from', cls: 'time'},
    {head: 'To', text: time(coverage, 'to'), sort: 'to', cls: 'time'},
    {head: 'Records', text: cell(coverage, 'records'), sort: 'records', cls: 'state'},
    {head: 'On', text: cell(coverage, 'enabled'), sort: 'enabled', cls: 'state'},
    {head: 'Holes', text: row => short(coverage.object(row, 'holes').slice(0, 4).map(holeText).join('; ') + (coverage.object(row, 'holes').length > 4 ? '; …' : '')), sort: 'holes', cls: 'long'},
  ], 'coverage');
  openOn('coverage', grids.coverage);
  grids.problems = new Grid($('problems-table'), 'Problems', problems, [
    {head: 'Severity', text: row => problems.get(row, 'severity'), sort: 'severity', cls: 'word'},
    {head: 'Host', text: cell(problems, 'provenance.host'), sort: 'provenance.host', cls: 'name'},
    {head: 'What', text: cell(problems, 'what'), sort: 'what', cls: 'long'},
    {head: 'Where', text: row => place(problems, row), sort: 'provenance.path', cls: 'long'},
  ], 'problem');
  openOn('problem', grids.problems);
}
