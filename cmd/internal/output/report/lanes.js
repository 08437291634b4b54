
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
// to and last, because the evidence bounds the ends no tighter. Where from lies
// after to, no instant is known at which the connection was there. An end that
// is not bounded at all is open; end is the window of the removal as it stands.
function barOf(share) {
  const t = name => ms(shares.get(share, name)), known = list => list.filter(x => !Number.isNaN(x));
  const status = shares.get(share, 'status'), end = [t('removed.not_before'), t('removed.not_after')], used = known([t('first_used'), t('last_used')]);
  const bar = {status, end, first: t('mapped.not_before'), from: t('mapped.not_after'), to: end[0], last: end[1], openStart: false, openEnd: false};
  if (Number.isNaN(bar.from)) bar.from = Math.min(...used, ...known([bar.first, ...end]));
  if (Number.isNaN(bar.first)) { bar.first = bar.from; bar.openStart = true; }
  if (status === 'mapped' || status === 'exported') {
    bar.to = bar.last = Math.max(endOf.get(shares.get(share, 'host')) ?? -Infinity, bar.from, ...used);
  } else {
    if (Number.isNaN(bar.to)) bar.to = Math.min(Math.max(bar.from, ...used), ...known([bar.last]));
    if (Number.isNaN(bar.last)) { bar.last = Math.max(bar.from, bar.to); bar.openEnd = true; }
  }
  return Number.isFinite(bar.from) && Number.isFinite(bar.to) ? bar : null;
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

// findingsOf returns the windows of the findings that are shown, by connection;
// those of none that has a lane are under -1.
function findingsOf(marks) {
  const out = new Map([[-1, []]]);
  for (const gap of shown.gaps) {
    const a = gaps.get(gap, 'window.not_before'), b = gaps.get(gap, 'window.not_after');
    if (!a && !b) continue;
    const f = {gap, from: a ? ms(a) : -Infinity, to: b ? ms(b) : Infinity};
    const list = gaps.get(gap, 'connections').map(id => shareOf.get(id)).filter(s => marks.has(s));
    for (const s of list.length ? list : [-1]) {
      if (!out.has(s)) out.set(s, []);
      out.get(s).push(f);
    }
  }
  return out;
}

// layLanes builds the lanes of what the filter shows.
function layLanes(withCoverage) {
  const fresh = () => ({marks: [], shares: [], coverage: [], security: [], clears: [], findings: []});
  const groups = new Map(hostsShown().map(h => [h, fresh()]));
  const group = h => groups.get(h) ?? groups.set(h, fresh()).get(h);
  const marks = new Map(shown.shareList.map(s => [s, []]));
  for (const row of shown.rowList) {
    const list = (sharesOfRow.get(row) ?? []).filter(s => shown.shares[s]);
    for (const s of list) marks.get(s).push(row);
    if (list.length === 0) group(rows.get(row, 'host')).marks.push(row);
    if (rows.get(row, 'action') === 'log_cleared' && !Number.isNaN(times[row])) group(rows.get(row, 'host')).clears.push(times[row]);
  }
  const findings = findingsOf(marks);
  for (const s of shown.shareList) group(shares.get(s, 'host')).shares.push(s);
  for (let i = 0; i < coverage.count; i++) {
    const g = groups.get(coverage.get(i, 'host'));
    if (g && coverage.get(i, 'evidence') === 'evtx:Security') g.security = g.security.concat(holesOf(i));
  }
  for (const f of findings.get(-1)) group(gaps.get(f.gap, 'host')).findings.push(f);
  for (const i of shown.coverage) groups.get(coverage.get(i, 'host'))?.coverage.push(i);
  lanes = [];
  laneOfShare = new Map();
  for (const [host, g] of groups) {
    if (g.marks.length + g.shares.length + g.findings.length + (withCoverage ? g.coverage.length : 0) === 0) continue;
    lanes.push(lane('host', host, g.marks, {holes: [], clears: g.clears, findings: g.findings}));
    for (const s of g.shares) {
      laneOfShare.set(s, lanes.length);
      lanes.push(lane('connection', host, marks.get(s), {share: s, bar: barOf(s), holes: g.security, clears: g.clears, findings: findings.get(s) ?? []}));
    }
    if (withCoverage) for (const i of g.coverage) lanes.push(lane('coverage', host, [], {coverage: i, holes: holesOf(i), clears: g.clears, findings: []}));
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
