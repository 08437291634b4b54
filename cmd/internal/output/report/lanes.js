
// A lane of the drawn timeline belongs to a host, a connection, or one kind of
// evidence of a host. Every row that is shown and dated is a mark in at least
// one lane: in those of its connections, else in that of its host.
let lanes = [];
let laneOfShare = new Map();
const laneHeight = {host: 30, connection: 38, coverage: 20};

// endOf is the newest instant of the evidence of each host, in which bars of
// what was there at collection end.
const endOf = new Map();
for (let i = 0; i < coverage.count; i++) {
  const host = coverage.get(i, 'host');
  for (const name of ['as_of', 'to']) {
    const t = ms(coverage.get(i, name));
    if (t > (endOf.get(host) ?? -Infinity)) endOf.set(host, t);
  }
}

// A bar is drawn whole between from and to, and fading between first and from,
// to and last, because the evidence bounds the ends no tighter. An end that is
// not bounded at all is open.
function barOf(share) {
  const t = name => ms(shares.get(share, name));
  const status = shares.get(share, 'status');
  const known = list => list.filter(x => !Number.isNaN(x));
  const seen = known([t('first_used'), t('last_used'), t('mapped.not_after'), t('removed.not_before')]);
  const bar = {first: t('mapped.not_before'), from: t('mapped.not_after'), to: t('removed.not_before'), last: t('removed.not_after'), openStart: false, openEnd: false, status};
  if (Number.isNaN(bar.from)) bar.from = Math.min(...known([t('first_used'), t('last_used'), t('removed.not_before'), t('removed.not_after'), bar.first]));
  if (Number.isNaN(bar.first)) { bar.first = bar.from; bar.openStart = true; }
  if (status === 'mapped' || status === 'exported') {
    bar.to = bar.last = Math.max(endOf.get(shares.get(share, 'host')) ?? -Infinity, ...seen);
  } else {
    if (Number.isNaN(bar.to)) bar.to = Math.max(...known([t('last_used'), t('first_used'), bar.from]));
    if (Number.isNaN(bar.last)) { bar.last = bar.to; bar.openEnd = true; }
  }
  if (!Number.isFinite(bar.from) || !Number.isFinite(bar.to)) return null;
  bar.first = Math.min(bar.first, bar.from);
  bar.to = Math.max(Math.min(bar.to, bar.last), bar.from);
  bar.last = Math.max(bar.last, bar.to);
  return bar;
}

// holesOf returns the holes of one row of coverage; an open end is infinite.
function holesOf(row) {
  return coverage.object(row, 'holes').map(h => ({from: h.from ? ms(h.from) : -Infinity, to: h.to ? ms(h.to) : Infinity, reason: h.reason, raw: h}));
}

// hostsShown returns the hosts in the order of the report.
function hostsShown() {
  const hosts = new Set(head.hosts);
  for (const table of [shares, coverage, rows]) for (const h of table.columns.get('host')?.values ?? []) hosts.add(h);
  return [...hosts].filter(h => !filter.host || same(h, filter.host));
}

// layLanes builds the lanes of what the filter shows.
function layLanes(withCoverage) {
  const groups = new Map(hostsShown().map(h => [h, {marks: [], shares: [], coverage: [], security: []}]));
  const group = h => groups.get(h) ?? groups.set(h, {marks: [], shares: [], coverage: [], security: []}).get(h);
  const marks = new Map(shown.shareList.map(s => [s, []]));
  for (const row of shown.rowList) {
    const list = (sharesOfRow.get(row) ?? []).filter(s => shown.shares[s]);
    for (const s of list) marks.get(s).push(row);
    if (list.length === 0) group(rows.get(row, 'host')).marks.push(row);
  }
  for (const s of shown.shareList) group(shares.get(s, 'host')).shares.push(s);
  for (let i = 0; i < coverage.count; i++) {
    const g = groups.get(coverage.get(i, 'host'));
    if (g && coverage.get(i, 'evidence') === 'evtx:Security') g.security = g.security.concat(holesOf(i));
  }
  for (const i of shown.coverage) groups.get(coverage.get(i, 'host'))?.coverage.push(i);
  lanes = [];
  laneOfShare = new Map();
  for (const [host, g] of groups) {
    if (g.marks.length + g.shares.length + (withCoverage ? g.coverage.length : 0) === 0) continue;
    lanes.push(lane('host', host, g.marks, {holes: []}));
    for (const s of g.shares) {
      laneOfShare.set(s, lanes.length);
      lanes.push(lane('connection', host, marks.get(s), {share: s, bar: barOf(s), holes: g.security}));
    }
    if (withCoverage) for (const i of g.coverage) lanes.push(lane('coverage', host, [], {coverage: i, holes: holesOf(i)}));
  }
  let y = 0;
  for (const l of lanes) {
    l.y = y;
    y += l.height;
  }
  return y;
}

function lane(kind, host, list, more) {
  const dated = list.filter(r => !Number.isNaN(times[r])).sort((a, b) => times[a] - times[b]);
  return {kind, host, marks: dated, undated: list.length - dated.length, height: laneHeight[kind], ...more};
}

// laneAt returns the index of the lane at a height, -1 below the last.
function laneAt(y) {
  let low = 0, high = lanes.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (lanes[mid].y + lanes[mid].height <= y) low = mid + 1; else high = mid;
  }
  return low < lanes.length && y >= 0 ? low : -1;
}

// firstMark returns the position of the first mark of a lane at or after t.
function firstMark(l, t) {
  let low = 0, high = l.marks.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (times[l.marks[mid]] < t) low = mid + 1; else high = mid;
  }
  return low;
}

// describe names a lane in words.
function describe(l) {
  if (l.kind === 'host') return `${l.host || 'no host'}: facts of no connection`;
  if (l.kind === 'coverage') return `${l.host}: coverage of ${coverage.get(l.coverage, 'evidence')}, ${coverage.get(l.coverage, 'class')}`;
  const s = name => shares.get(l.share, name);
  return [s('host'), s('user'), s('drive'), s('share')].filter(Boolean).join(' · ') + ': ' + s('status').replaceAll('_', ' ');
}
