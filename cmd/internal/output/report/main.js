
const choices = {};
// refresh shows what passes the filter, everywhere.
function refresh() {
  applyFilter();
  gapsOpen = pageOf;
  drawFindings();
  if (!grids.rows) return;
  layChart();
  grids.rows.set(shown.rowList);
  grids.shares.set(shown.shareList);
  grids.coverage.set(shown.coverage);
  grids.problems.set(shown.problems);
  const active = Object.values(filter).some(Boolean);
  $('filter-count').textContent = active ? `${plural(shown.gaps.length, 'finding')}, ${plural(shown.shareList.length, 'connection')}, ${plural(shown.rowList.length, 'row')} shown` : '';
  $('filter-reset').disabled = !active;
}

// setFilter filters by the given host, user, share and text; what is not given
// is not filtered by.
function setFilter(f) {
  Object.assign(filter, {host: '', user: '', share: '', text: ''}, f);
  for (const name of ['host', 'user', 'share']) $('filter-' + name).value = filter[name] ? String(choices[name].findIndex(v => same(v, filter[name])) + 1) : '';
  $('filter-text').value = filter.text;
  refresh();
}
function resetFilter() { setFilter({}); }

function wireFilter() {
  for (const name of ['host', 'user', 'share']) {
    choices[name] = options($('filter-' + name), name);
    $('filter-' + name).addEventListener('change', e => { filter[name] = choices[name][Number(e.target.value) - 1] ?? ''; refresh(); });
  }
  let wait;
  $('filter-text').addEventListener('input', e => {
    clearTimeout(wait);
    wait = setTimeout(() => { filter.text = e.target.value; refresh(); }, 150);
  });
  $('filter').addEventListener('submit', e => e.preventDefault());
  $('filter').addEventListener('reset', e => { e.preventDefault(); resetFilter(); });
}

// model says what the page shows, counted in what is drawn: for tests and for
// whoever doubts a picture.
function model() {
  const f = new Frame(1200, whole.from, whole.to), ctx = document.createElement('canvas').getContext('2d'), drawn = new Set();
  for (const l of lanes) for (const row of paintLane(ctx, f, l, 0, false)) drawn.add(row);
  return {
    rows: shown.rowList.length, marks: drawn.size, undated: shown.rowList.filter(r => Number.isNaN(times[r])).length,
    lanes: lanes.length, lanesOfConnections: lanes.filter(l => l.kind === 'connection').length, holes: lanes.reduce((n, l) => n + (l.kind === 'coverage' ? l.holes.length : 0), 0),
    shares: shown.shareList.length, gaps: shown.gaps.length, coverage: shown.coverage.length, problems: shown.problems.length,
    bars: lanes.filter(l => l.bar).map(l => ({id: shares.get(l.share, 'id'), ...l.bar})),
    view: {...view}, whole: {...whole}, selected: {...selected},
  };
}

// follow opens what the address names behind its #: a finding, a connection or
// a row, by its id or the beginning of it.
function follow() {
  const id = location.hash.slice(1);
  if (id.length < 6 || document.getElementById(id)) return;
  for (const [list, open] of [[gapOf, goToGap], [shareOf, s => openDetail('share', s)], [rowOf, r => openDetail('row', r)]]) {
    for (const [name, at] of list) if (name.startsWith(id)) return open(at);
  }
}

function wirePage() {
  addEventListener('hashchange', follow);
  const redraw = () => { readColours(); legend(); draw(); };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  new ResizeObserver(draw).observe($('chart-box'));
  let closed = [];
  addEventListener('beforeprint', () => {
    printing = true;
    readColours();
    legend();
    drawFindings();
    // What is the same in every report fills many pages: it is printed where a
    // person has opened it.
    closed = [...document.querySelectorAll('details:not([open], .reference)')];
    for (const d of closed) d.open = true;
    for (const g of Object.values(grids)) g.draw(true);
    paint();
  });
  addEventListener('afterprint', () => {
    printing = false;
    for (const d of closed) d.open = false;
    drawFindings();
    for (const g of Object.values(grids)) g.draw(true);
    redraw();
  });
}

const started = performance.now();
tiles();
applyFilter();
drawFindings();
window.sharetrail = {ready: false, model, filter: setFilter, times: {findings: performance.now() - started}};

document.addEventListener('DOMContentLoaded', () => setTimeout(() => {
  const from = performance.now();
  readRows();
  readColours();
  makeGrids();
  wireFilter();
  wirePointer();
  wireKeys();
  wireDetail();
  wirePage();
  manifest();
  method();
  legend();
  refresh();
  $('filter-reset').disabled = true;
  follow();
  sharetrail.ready = true;
  sharetrail.times.whole = performance.now() - from;
}));
