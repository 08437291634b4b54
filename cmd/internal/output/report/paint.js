
// Painting of the timeline on a canvas. Each shape has a meaning of its own, so
// that nothing depends on colour alone.
let view = {from: 0, to: 1}; // the span that is drawn, Unix milliseconds
let selected = {lane: -1, row: -1};
let colours = {};

// readColours takes the colours of the page, which differ by day, night and print.
function readColours() {
  const css = getComputedStyle(document.documentElement);
  for (const name of ['bg', 'fg', 'muted', 'panel', 'border', 'accent', 'bar', 'bar-edge', 'use', 'command', 'removed', 'cleared', 'context', 'hatch', 'select', 'host-lane', 'good']) {
    colours[name] = css.getPropertyValue('--' + name).trim();
  }
  pattern = null;
}

let pattern = null;
// hatch returns the pattern of what could not have been seen.
function hatch(ctx) {
  if (pattern) return pattern;
  const ratio = 2, tile = document.createElement('canvas');
  tile.width = tile.height = 8 * ratio;
  const t = tile.getContext('2d');
  t.scale(ratio, ratio);
  t.strokeStyle = colours.hatch;
  t.lineWidth = 1.2;
  t.beginPath();
  for (const x of [-8, 0, 8]) { t.moveTo(x, 8); t.lineTo(x + 8, 0); }
  t.stroke();
  pattern = ctx.createPattern(tile, 'repeat');
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}

// order is which marks stand above others: the last ones.
const order = ['context', 'boot', 'shutdown', 'logon', 'logoff', 'present', 'used', 'clock_changed', 'share_created', 'mapped', 'command', 'log_cleared', 'share_deleted', 'removed'];
const above = new Map(order.map((a, i) => [a, i]));

// shapes paints the mark of an action around x, y.
const shapes = {
  used(c, x, y) { c.fillStyle = colours.use; c.fillRect(x - 1, y - 9, 2, 18); },
  mapped(c, x, y) { polygon(c, colours.use, [[x, y - 7], [x + 7, y + 5], [x - 7, y + 5]]); },
  command(c, x, y) { polygon(c, colours.command, [[x, y - 7], [x + 7, y], [x, y + 7], [x - 7, y]]); },
  removed(c, x, y) { cross(c, colours.removed, x, y, 6, 3); },
  log_cleared(c, x, y) { c.fillStyle = colours.cleared; c.fillRect(x - 7, y - 7, 14, 14); cross(c, colours.bg, x, y, 4, 2); },
  clock_changed(c, x, y) { ring(c, colours.cleared, x, y, 6); line(c, colours.cleared, x, y - 4, x, y); line(c, colours.cleared, x, y, x + 3, y); },
  boot(c, x, y) { polygon(c, colours.context, [[x - 3, y + 5], [x + 3, y + 5], [x, y - 5]]); },
  shutdown(c, x, y) { polygon(c, colours.context, [[x - 3, y - 5], [x + 3, y - 5], [x, y + 5]]); },
  logon(c, x, y) { polygon(c, colours.context, [[x - 3, y - 4], [x + 4, y], [x - 3, y + 4]]); },
  logoff(c, x, y) { polygon(c, colours.context, [[x + 3, y - 4], [x - 4, y], [x + 3, y + 4]]); },
  present(c, x, y) { ring(c, colours.use, x, y, 5); },
  context(c, x, y) { c.fillStyle = colours.context; c.beginPath(); c.arc(x, y, 3, 0, 7); c.fill(); },
};
shapes.share_created = shapes.mapped;
shapes.share_deleted = shapes.removed;

function polygon(c, colour, points) {
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  c.closePath();
  c.fillStyle = colour;
  c.fill();
  c.strokeStyle = colours.bg;
  c.lineWidth = 1;
  c.stroke();
}
function line(c, colour, x1, y1, x2, y2, width = 1.5) {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.beginPath();
  c.moveTo(x1, y1);
  c.lineTo(x2, y2);
  c.stroke();
}
function cross(c, colour, x, y, r, width) {
  line(c, colours.bg, x - r, y - r, x + r, y + r, width + 2);
  line(c, colours.bg, x - r, y + r, x + r, y - r, width + 2);
  line(c, colour, x - r, y - r, x + r, y + r, width);
  line(c, colour, x - r, y + r, x + r, y - r, width);
}
function ring(c, colour, x, y, r) {
  c.strokeStyle = colour;
  c.lineWidth = 2;
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  c.stroke();
}

// A frame maps time to the part of the canvas right of the labels.
class Frame {
  constructor(width, from = view.from, to = view.to) {
    this.wide = width >= 640;
    this.left = this.wide ? 280 : 132;
    this.right = width - 10;
    this.from = from;
    this.scale = (this.right - this.left) / (to - from);
    this.to = to;
  }
  x(t) { return Math.max(this.left - 50, Math.min(this.right + 50, this.left + (t - this.from) * this.scale)); }
  t(x) { return this.from + (x - this.left) / this.scale; }
}

// paintHoles hatches where evidence could not have told anything.
function paintHoles(ctx, f, holes, y, height) {
  ctx.fillStyle = hatch(ctx);
  for (const h of holes) {
    const a = f.x(h.from), b = f.x(h.to);
    if (b > f.left && a < f.right) ctx.fillRect(a, y, Math.max(b - a, 2), height);
  }
}

// paintBar draws the life of a connection: solid where it is known to have been
// there, fading where the evidence bounds an end no tighter, faint where it may
// never have been, a broken line where it was only used.
function paintBar(ctx, f, bar, y) {
  const first = f.x(bar.first), from = f.x(bar.from), to = f.x(bar.to), last = f.x(bar.last), h = 12, fade = 26;
  if (bar.status === 'used_only' || bar.status === 'unknown') {
    ctx.setLineDash([4, 3]);
    line(ctx, colours['bar-edge'], Math.min(first, to), y, Math.max(last, from), y, 2);
    ctx.setLineDash([]);
    return;
  }
  if (bar.from > bar.to) {
    ctx.globalAlpha = 0.4;
    ctx.fillStyle = colours.bar;
    ctx.fillRect(Math.min(first, to), y - h / 2, Math.max(last, from) - Math.min(first, to), h);
    ctx.globalAlpha = 1;
    return;
  }
  ctx.fillStyle = colours.bar;
  ctx.fillRect(from, y - h / 2, Math.max(to - from, 2), h);
  for (const edge of [y - h / 2, y + h / 2]) line(ctx, colours['bar-edge'], from, edge, Math.max(to, from + 2), edge, 1);
  soft(ctx, bar.openStart ? from - fade : first, from, y, h);
  soft(ctx, bar.openEnd ? to + fade : last, to, y, h);
}

// paintEnd draws the window of the end of a connection as the evidence gives it:
// a strong line at the latest instant, a thin one at the earliest.
function paintEnd(ctx, f, bar, y, half) {
  if (bar.status !== 'removed' && bar.status !== 'ended') return;
  const colour = bar.status === 'removed' ? colours.removed : colours.context, [a, b] = bar.end.map(t => f.x(t));
  if (a < b || !Number.isNaN(a) && Number.isNaN(b)) line(ctx, colour, a, y - half, a, y + half, 1);
  if (!Number.isNaN(b)) line(ctx, colour, b, y - half, b, y + half, 3);
}

// soft fades from the end of what is known to the bound of what may be.
function soft(ctx, outer, inner, y, h) {
  if (Math.abs(outer - inner) < 1) return;
  const g = ctx.createLinearGradient(inner, 0, outer, 0);
  g.addColorStop(0, colours.bar);
  g.addColorStop(1, colours.bar + '00'); // the same colour, unseen
  ctx.fillStyle = g;
  ctx.fillRect(Math.min(outer, inner), y - h / 2, Math.abs(outer - inner), h);
}

// paintMarks draws the marks of a lane and returns their rows that lie within
// the frame. Marks of one kind on one pixel are drawn once and count each.
function paintMarks(ctx, f, l, y) {
  const drawn = [], todo = order.map(() => []), at = order.map(() => -1);
  for (let i = firstMark(l, f.from); i < l.marks.length; i++) {
    const row = l.marks[i], t = times[row];
    if (t > f.to) break;
    const kind = above.get(rows.get(row, 'action')) ?? 0, x = Math.round(f.x(t));
    drawn.push(row);
    if (at[kind] !== x) todo[kind].push(x);
    at[kind] = x;
  }
  todo.forEach((list, kind) => { for (const x of list) (shapes[order[kind]] ?? shapes.context)(ctx, x, y); });
  return drawn;
}

// paintClears draws through all lanes of a host when its logs were cleared.
function paintClears(ctx, f, l, y) {
  let at = -1;
  ctx.setLineDash([3, 3]);
  for (const t of l.clears) {
    const x = Math.round(f.x(t));
    if (x !== at && t >= f.from && t <= f.to) line(ctx, colours.cleared, x, y, x, y + l.height, 1);
    at = x;
  }
  ctx.setLineDash([]);
}

// paintFindings underlines the windows of findings.
function paintFindings(ctx, f, list, y) {
  ctx.fillStyle = colours.removed;
  for (const g of list) {
    const a = f.x(g.from), b = f.x(g.to);
    if (b < f.left || a > f.right) continue;
    ctx.fillRect(Math.min(a, b - 5), y, Math.max(b - a, 10), 3);
  }
}

function text(ctx, s, x, y, width, colour, font) {
  ctx.font = font;
  ctx.fillStyle = colour;
  if (ctx.measureText(s).width > width) {
    let n = s.length;
    while (n > 1 && ctx.measureText(s.slice(0, n) + '…').width > width) n = Math.min(n - 1, Math.floor(n * 0.95));
    s = s.slice(0, n).replace(/[\ud800-\udbff]$/, '') + '…';
  }
  ctx.fillText(s, x, y);
}

const fontOf = (size, weight = 400) => `${weight} ${size}px system-ui, "Segoe UI", "DejaVu Sans", sans-serif`;

// paintLabel names a lane at the left.
function paintLabel(ctx, f, l, y, isSelected) {
  const width = f.left - 22, mid = y + l.height / 2;
  ctx.direction = 'ltr';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = isSelected ? colours.select : l.kind === 'host' ? colours['host-lane'] : colours.bg;
  ctx.fillRect(0, y, f.left - 1, l.height);
  if (l.kind === 'host') {
    text(ctx, short(l.host || '(no host)', 80), 10, mid, width, colours.fg, fontOf(13, 700));
  } else if (l.kind === 'coverage') {
    const c = coverage.get(l.coverage, 'class');
    text(ctx, short(coverage.get(l.coverage, 'evidence').replace('Microsoft-Windows-', ''), 80), 22, mid, f.wide ? width - 82 : width, colours.muted, fontOf(11));
    ctx.textAlign = 'right';
    if (f.wide) text(ctx, c, f.left - 10, mid, 76, colours.muted, fontOf(11));
    ctx.textAlign = 'left';
  } else {
    const s = name => shares.get(l.share, name);
    text(ctx, short([s('drive'), s('share')].filter(Boolean).join(' '), 120) || '(share unknown)', 22, mid - 8, width - 10, colours.fg, fontOf(12, 600));
    const undated = l.undated ? `, ${l.undated} undated` : '';
    text(ctx, short([s('user'), s('status').replaceAll('_', ' ') + undated].filter(Boolean).join(' · '), 120), 22, mid + 8, width - 10, s('status') === 'removed' ? colours.removed : colours.muted, fontOf(11));
  }
}

// paintLane draws one lane and returns the rows of its marks within the frame.
function paintLane(ctx, f, l, y, isSelected) {
  const mid = y + l.height / 2;
  if (l.kind === 'host') {
    ctx.fillStyle = colours['host-lane'];
    ctx.fillRect(f.left, y, f.right - f.left + 10, l.height);
  }
  if (isSelected) {
    ctx.fillStyle = colours.select;
    ctx.fillRect(f.left, y, f.right - f.left + 10, l.height);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(f.left, y, f.right - f.left + 10, l.height);
  ctx.clip();
  if (l.kind === 'coverage') {
    const from = coverage.get(l.coverage, 'from'), to = coverage.get(l.coverage, 'to') || coverage.get(l.coverage, 'as_of');
    if (to && coverage.get(l.coverage, 'class') !== 'absent') {
      ctx.fillStyle = colours.good;
      ctx.globalAlpha = 0.6;
      const b = f.x(ms(to)), a = from ? f.x(ms(from)) : b - 3; // a hive shows one instant
      ctx.fillRect(a, mid - (b - a > 3 ? 3 : 6), Math.max(b - a, 3), b - a > 3 ? 6 : 12);
      ctx.globalAlpha = 1;
    }
  }
  ctx.globalAlpha = l.kind === 'coverage' ? 1 : 0.5;
  paintHoles(ctx, f, l.holes, y + 2, l.height - 4);
  ctx.globalAlpha = 1;
  if (l.bar) paintBar(ctx, f, l.bar, mid);
  paintClears(ctx, f, l, y);
  paintFindings(ctx, f, l.findings, y + l.height - 6);
  const drawn = paintMarks(ctx, f, l, mid);
  if (l.bar) paintEnd(ctx, f, l.bar, mid, l.height / 2 - 2);
  if (isSelected && selected.row >= 0 && l.marks.includes(selected.row)) ring(ctx, colours.accent, f.x(times[selected.row]), mid, 11);
  ctx.restore();
  paintLabel(ctx, f, l, y, isSelected);
  line(ctx, colours.border, 0, y + l.height - 0.5, f.right + 10, y + l.height - 0.5, 1);
  return drawn;
}
