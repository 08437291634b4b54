
// The drawn timeline: size, movement, pointer and keyboard.
const overview = $('overview'), canvas = $('canvas'), laneBox = $('lanes'), tip = $('tip');
const tipAt = rule('#tip'), lanesHeight = rule('#lanes-height'), boxHeight = rule('#lanes');
const overviewHeight = 62, maxBox = 560, day = 86400e3;
let whole = {from: 0, to: 1}, total = 0, printing = false;

// fit prepares a canvas for the pixels of the screen and returns its context.
function fit(c, width, height) {
  const ratio = printing ? 2 : window.devicePixelRatio || 1;
  c.width = Math.round(width * ratio);
  c.height = Math.round(height * ratio);
  const ctx = c.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

// layChart builds the lanes anew, after the filter or the page changed.
function layChart() {
  total = layLanes($('show-coverage').checked);
  selected = {lane: -1, row: -1};
  lanesHeight.height = total + 'px';
  let from = Infinity, to = -Infinity;
  const see = (a, b) => { if (a < from) from = a; if (b > to) to = b; };
  for (const l of lanes) {
    if (l.marks.length) see(times[l.marks[0]], times[l.marks.at(-1)]);
    if (l.bar) see(l.bar.first, l.bar.last);
    for (const h of [...l.holes, ...l.findings]) { if (Number.isFinite(h.from)) see(h.from, h.from); if (Number.isFinite(h.to)) see(h.to, h.to); }
  }
  if (from > to) { from = 0; to = day; }
  const pad = Math.max((to - from) * 0.03, 1000);
  whole = {from: from - pad, to: to + pad};
  const dated = new Set(lanes.flatMap(l => l.marks)).size, n = shown.rowList.length;
  $('chart-count').textContent = `${plural(dated, 'mark')} of ${plural(n, 'row')}` + (n > dated ? `; ${plural(n - dated, 'row')} without a time: in the table only` : '');
  const removals = lanes.some(l => l.bar && isOver(l.bar));
  $('zoom-removals').disabled = !removals;
  fitLives(removals);
}

const isOver = bar => bar.status === 'removed' || bar.status === 'ended';

// fitLives shows the span in which connections were made, used and removed: all
// of them, or those that were removed.
function fitLives(removed) {
  const ends = [];
  for (const l of lanes) {
    if (!l.bar || removed && !isOver(l.bar)) continue;
    for (const r of l.marks) if (times[r] >= l.bar.first && times[r] <= l.bar.last) ends.push(times[r]);
    if (!l.bar.openStart) ends.push(l.bar.first);
    if (isOver(l.bar)) ends.push(l.bar.last);
  }
  if (ends.length === 0) return show(whole.from, whole.to);
  let a = Infinity, b = -Infinity;
  for (const t of ends) { if (t < a) a = t; if (t > b) b = t; }
  const pad = Math.max((b - a) * 0.15, 60e3);
  show(a - pad, b + pad);
}

// show draws the span from a to b, as far as there is one.
function show(a, b) {
  const width = Math.max(b - a, 10), most = whole.to - whole.from;
  if (width >= most) view = {...whole};
  else {
    a = Math.max(whole.from, Math.min(a, whole.to - width));
    view = {from: a, to: a + width};
  }
  draw();
}
const zoom = (factor, at = (view.from + view.to) / 2) => show(at - (at - view.from) * factor, at + (view.to - at) * factor);
const pan = share => { const d = (view.to - view.from) * share; show(view.from + d, view.to + d); };

let queued = false;
// draw draws once before the next picture, however often it is asked to.
function draw() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => { queued = false; paint(); });
}

// paint draws the part of the lanes that is in sight, and the overview.
function paint() {
  const width = $('chart-box').clientWidth, height = printing ? Math.min(total, 1500) : Math.min(total, maxBox);
  if (width === 0) return;
  boxHeight.height = height + 2 + 'px';
  const f = new Frame(laneBox.clientWidth), ctx = fit(canvas, laneBox.clientWidth, height), top = printing ? 0 : laneBox.scrollTop;
  ctx.fillStyle = colours.bg;
  ctx.fillRect(0, 0, width, height);
  const grid = ticks(f);
  for (const {x} of grid) line(ctx, colours.border, x, 0, x, height, 1);
  for (let i = Math.max(laneAt(top), 0); i < lanes.length && lanes[i].y < top + height; i++) paintLane(ctx, f, lanes[i], lanes[i].y - top, i === selected.lane);
  line(ctx, colours.border, f.left - 0.5, 0, f.left - 0.5, height, 1);
  paintOverview(f, grid);
}

// paintOverview draws where the rows lie in the whole span, the part that is
// shown, and the scale.
function paintOverview(f, grid) {
  const width = laneBox.clientWidth, ctx = fit(overview, width, overviewHeight), o = new Frame(width, whole.from, whole.to);
  ctx.fillStyle = colours.panel;
  ctx.fillRect(0, 0, width, overviewHeight);
  const bins = new Float64Array(Math.max(1, Math.ceil((o.right - o.left) / 3)));
  for (const l of lanes) for (const r of l.marks) bins[Math.min(bins.length - 1, Math.max(0, Math.floor((o.x(times[r]) - o.left) / 3)))]++;
  const most = Math.log1p(bins.reduce((a, b) => Math.max(a, b), 1));
  ctx.fillStyle = colours.use;
  bins.forEach((n, i) => { if (n) { const h = Math.max(4, 24 * Math.log1p(n) / most); ctx.fillRect(o.left + i * 3, 28 - h, 2, h); } });
  const a = o.x(view.from), b = Math.max(o.x(view.to), o.x(view.from) + 3);
  ctx.fillStyle = colours.select;
  ctx.globalAlpha = 0.45;
  ctx.fillRect(a, 2, b - a, 27);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(a, 2, b - a, 27);
  ctx.textBaseline = 'middle';
  text(ctx, `Times in ${head.zone.name}`, 10, 17, o.left - 20, colours.muted, fontOf(11));
  let free = -Infinity;
  for (const {x, label, day} of grid) {
    line(ctx, colours.border, x, 32, x, overviewHeight, 1);
    ctx.font = fontOf(11);
    const w = Math.max(ctx.measureText(label).width, ctx.measureText(day ?? '').width);
    if (x < free || x + w + 4 > width) continue;
    if (day) text(ctx, day, x + 4, 39, w + 4, colours.muted, fontOf(11));
    text(ctx, label, x + 4, 53, w + 4, colours.fg, fontOf(11));
    free = x + w + 12;
  }
}

const steps = [1, 5, 10, 50, 100, 500, 1e3, 5e3, 15e3, 60e3, 300e3, 900e3, 3600e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3, day, 2 * day, 7 * day, 14 * day];

// ticks returns the marks of the scale, even in the zone of the page.
function ticks(f) {
  const want = (f.to - f.from) / Math.max(2, (f.right - f.left) / 110), out = [], step = steps.find(s => s >= want);
  const push = t => { if (t >= f.from && t <= f.to) out.push({x: f.x(t), ...label(t, step ?? 31 * day)}); };
  if (step) {
    for (let t = Math.floor((f.from + offsetAt(f.from) * 1000) / step) * step; t - offsetAt(t) * 1000 <= f.to; t += step) push(t - offsetAt(t) * 1000);
  } else {
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000].find(m => m * 30.4 * day >= want) ?? 60000, d = new Date(f.from);
    for (let m = Math.floor((d.getUTCFullYear() * 12 + d.getUTCMonth()) / months) * months, t = 0; t <= f.to; m += months) {
      t = Date.UTC(2000, m - 24000, 1);
      if (Number.isNaN(t)) break;
      push(t - offsetAt(t) * 1000);
    }
  }
  let last = '';
  for (const t of out) { if (t.day === last) t.day = undefined; else last = t.day; }
  return out;
}

function label(t, step) {
  const [date, time] = clock(new Date(t).toISOString().replace('+0', '')).split(' ');
  if (step >= 28 * day) return {label: date.slice(0, -3)};
  if (step >= day) return {label: date};
  const fraction = step < 1000 ? '.' + String(Math.floor((t % 1000 + 1000) % 1000)).padStart(3, '0') : '';
  return {label: time.slice(0, step < 60e3 ? 8 : 5) + fraction, day: date};
}

// hit finds what lies under a point of the lanes: rows, a bar, a hole.
function hit(x, y) {
  const i = laneAt(y + laneBox.scrollTop), l = lanes[i], f = new Frame(laneBox.clientWidth);
  if (!l || x < f.left) return {lane: i};
  const t = f.t(x), near = 7 / f.scale, found = [];
  for (let k = firstMark(l, t - near); k < l.marks.length && times[l.marks[k]] <= t + near; k++) found.push(l.marks[k]);
  found.sort((a, b) => Math.abs(times[a] - t) - Math.abs(times[b] - t));
  const slack = 4 / f.scale;
  return {lane: i, rows: found, findings: l.findings.filter(g => g.from - slack <= t && t <= g.to + slack), bar: l.bar && t >= l.bar.first - slack && t <= l.bar.last + slack ? l.bar : null, holes: l.holes.filter(h => h.from - slack <= t && t <= h.to + slack)};
}

// choose selects a lane, and a mark of it, brings it into sight and says it.
function choose(i, row = -1) {
  const l = lanes[i];
  if (!l) return;
  selected = {lane: i, row};
  if (l.y < laneBox.scrollTop) laneBox.scrollTop = l.y;
  else if (l.y + l.height > laneBox.scrollTop + laneBox.clientHeight) laneBox.scrollTop = l.y + l.height - laneBox.clientHeight;
  if (row >= 0 && (times[row] < view.from || times[row] > view.to)) {
    const half = (view.to - view.from) / 2;
    show(times[row] - half, times[row] + half);
  } else draw();
  $('chart-status').textContent = row >= 0 ? `${clock(rows.get(row, 'time'))}: ${visible(rows.get(row, 'summary'))}` : short(describe(l)) + `, ${plural(l.marks.length, 'mark')}`;
}
