
// The panel with everything that one row says.
const tables = {row: () => rows, share: () => shares, coverage: () => coverage, problem: () => problems};
let opener = null;

// link opens a row of another kind by its id.
function link(id) {
  const [kind, row] = rowOf.has(id) ? ['row', rowOf.get(id)] : shareOf.has(id) ? ['share', shareOf.get(id)] : gapOf.has(id) ? ['gap', gapOf.get(id)] : [];
  if (!kind) return evidence(id, 'code');
  let words = id;
  if (kind === 'row') words = (clock(rows.get(row, 'time')) || 'undated') + ' ' + short(rows.get(row, 'summary'), 120);
  if (kind === 'share') words = short([shares.get(row, 'user'), shares.get(row, 'drive'), shares.get(row, 'share')].filter(Boolean).join(' '), 120);
  return el('button', {type: 'button', class: 'link', dir: 'ltr', onclick: () => kind === 'gap' ? goToGap(row) : openDetail(kind, row)}, words);
}

const maxLinks = 200;
function links(ids) {
  const more = ids.length > maxLinks ? el('li', {class: 'muted'}, `${ids.length - maxLinks} more: see the rows, filtered`) : null;
  return el('ul', {class: 'links'}, ids.slice(0, maxLinks).map(id => el('li', {}, link(id))), more);
}

// show value of any kind in full.
function value(name, v) {
  if (v === null) return el('span', {class: 'muted'}, 'unknown');
  if (['observations', 'connections', 'gaps'].includes(name) && Array.isArray(v)) return links(v);
  if (Array.isArray(v)) return el('ul', {}, v.map(x => el('li', {}, value('', x))));
  if (typeof v === 'object') return fields(Object.entries(v));
  if (typeof v === 'string' && /^\d{4,5}-\d\d-\d\dT[\d:]{8}\.\d{7}Z$/.test(v)) return el('span', {}, clock(v, true));
  return evidence(plain(v));
}

const empty = v => v === '' || Array.isArray(v) && v.length === 0 || typeof v === 'object' && v !== null && Object.keys(v).length === 0;

function fields(list) {
  return el('dl', {}, list.filter(([, v]) => !empty(v)).flatMap(([name, v]) => [el('dt', {}, short(name, 80)), el('dd', {}, value(name, v))]));
}

// explain adds what a word of ours means.
function explain(table, row) {
  const out = [], artifact = table.columns.has('artifact') ? artifactOf.get(table.get(row, 'artifact')) : null;
  for (const field of ['time_kind', 'action', 'state', 'status', 'class']) {
    const word = table.columns.has(field) ? table.get(row, field) : '';
    if (word && meaning(field, word)) out.push(el('li', {}, el('b', {}, word.replaceAll('_', ' ')), ': ' + meaning(field, word)));
  }
  if (artifact) out.push(el('li', {}, el('b', {}, 'Proves'), ': ' + artifact.proves), el('li', {}, el('b', {}, 'Does not prove'), ': ' + artifact.does_not_prove));
  return el('ul', {class: 'explain'}, out);
}

function rowDetail(kind, row) {
  const table = tables[kind](), list = [];
  for (const c of table.columns.values()) {
    const v = c.values[table.index(c, row)];
    if (!c.json && v === null) continue;
    list.push([c.name, c.json ? JSON.parse(v) : v]);
  }
  const actions = el('div', {class: 'tools'});
  if (kind === 'row') {
    actions.append(el('button', {type: 'button', onclick: () => showOnChart([row])}, 'Show on the timeline'), el('button', {type: 'button', onclick: () => { closeDetail(); grids.rows.reveal(row); }}, 'Show in the table'));
    const related = sharesOfRow.get(row) ?? [];
    if (related.length) list.splice(1, 0, ['connections', related.map(s => shares.get(s, 'id'))]);
  }
  if (kind === 'share') actions.append(el('button', {type: 'button', onclick: () => { closeDetail(); showShare(row); }}, 'Show on the timeline'));
  const sentence = kind === 'row' ? rows.get(row, 'summary') : kind === 'share' ? describe({kind: 'connection', share: row}) : kind === 'problem' ? problems.get(row, 'what') : '';
  return el('article', {}, sentence ? el('h3', {}, evidence(sentence)) : '', actions, explain(table, row), fields(list));
}

function openPanel(title, ...content) {
  if ($('detail').hidden) opener = document.activeElement;
  $('detail-head').textContent = title;
  $('detail-body').replaceChildren(...content);
  $('detail').hidden = false;
  $('detail').scrollTop = 0;
  $('detail').focus({preventScroll: true});
}

const titles = {row: 'Row', share: 'Connection', coverage: 'Coverage', problem: 'Problem'};
function openDetail(kind, row) { openPanel(titles[kind], rowDetail(kind, row)); }

const maxRowsOpen = 100;
function openRows(list) {
  if (list.length === 1) return openDetail('row', list[0]);
  openPanel(plural(list.length, 'row') + ' here', links(list.slice(0, maxRowsOpen).map(r => rows.get(r, 'id'))), list.length > maxRowsOpen ? el('p', {class: 'muted'}, `The nearest ${maxRowsOpen}. Zoom in for the others.`) : '');
}

function closeDetail() {
  $('detail').hidden = true;
  if (opener?.isConnected) opener.focus({preventScroll: true});
  opener = null;
}

function wireDetail() {
  $('detail-close').addEventListener('click', closeDetail);
  document.addEventListener('keydown', e => { if (e.key === 'Escape' && !$('detail').hidden) closeDetail(); });
}

// showOnChart brings rows into sight on the timeline.
function showOnChart(list) {
  const dated = list.filter(r => !Number.isNaN(times[r]));
  if (dated.length === 0) return;
  if (list.some(r => !shown.rows[r])) resetFilter();
  const a = dated.reduce((m, r) => Math.min(m, times[r]), Infinity), b = dated.reduce((m, r) => Math.max(m, times[r]), -Infinity);
  const pad = Math.max((b - a) * 0.2, 60e3);
  show(a - pad, b + pad);
  const i = lanes.findIndex(l => l.marks.includes(dated[0]));
  $('chart').scrollIntoView({block: 'start'});
  choose(i, dated[0]);
}

// showShare brings the life of a connection into sight.
function showShare(share) {
  if (!shown.shares[share]) resetFilter();
  const i = laneOfShare.get(share), bar = lanes[i]?.bar;
  if (i === undefined) return;
  if (bar) {
    const end = bar.status === 'mapped' || bar.status === 'exported' ? Math.max(bar.from, ...lanes[i].marks.map(r => times[r]).slice(-1)) : bar.last;
    const pad = Math.max((end - bar.first) * 0.2, 60e3);
    show(bar.first - pad, end + pad);
  }
  $('chart').scrollIntoView({block: 'start'});
  choose(i);
}
