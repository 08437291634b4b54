
// What the pointer and the keys do on the drawn timeline.
const maxTip = 6; // rows that a tip names

function showTip(e, found) {
  const l = lanes[found.lane], parts = [];
  for (const r of (found.rows ?? []).slice(0, maxTip)) {
    const kind = rows.get(r, 'time_kind');
    parts.push(el('div', {class: 'tip-row'},
      el('b', {}, clock(rows.get(r, 'time'), true)), ' ', pill('action', rows.get(r, 'action')),
      el('div', {}, short(rows.get(r, 'summary'))),
      rows.get(r, 'process.command_line') ? el('code', {}, short(rows.get(r, 'process.command_line'))) : null,
      el('div', {class: 'muted'}, short(`${rows.get(r, 'artifact')}, ${kind.replaceAll('_', ' ')} · `), place(rows, r))));
  }
  if ((found.rows?.length ?? 0) > maxTip) parts.push(el('div', {class: 'muted'}, `and ${found.rows.length - maxTip} more here`));
  if (parts.length === 0 && found.bar) parts.push(el('b', {}, short(describe(l))), el('div', {}, 'mapped ' + windowText(shares, l.share, 'mapped')), removedText(l.share) ? el('div', {}, 'removed ' + removedText(l.share)) : null);
  for (const g of (found.findings ?? []).slice(0, 3)) parts.push(el('div', {class: 'tip-hole'}, pill('severity', gaps.get(g.gap, 'severity')), ' ', short(gaps.get(g.gap, 'claim'))));
  for (const h of (found.holes ?? []).slice(0, 3)) {
    const kind = l.kind === 'coverage' ? coverage.get(l.coverage, 'evidence') : 'evtx:Security';
    parts.push(el('div', {class: 'tip-hole'}, short(`Blind: ${kind}, ${holeText(h.raw)}`)));
  }
  if (parts.length === 0 && l?.kind === 'coverage') parts.push(el('div', {}, short(describe(l))));
  tip.hidden = parts.length === 0;
  if (tip.hidden) return;
  tip.replaceChildren(...parts.filter(Boolean));
  const box = $('chart-box').getBoundingClientRect(), w = tip.offsetWidth, h = tip.offsetHeight;
  tipAt.left = Math.max(0, Math.min(e.clientX - box.left + 14, box.width - w - 4)) + 'px';
  tipAt.top = (e.clientY + h + 24 > window.innerHeight ? e.clientY - box.top - h - 14 : e.clientY - box.top + 16) + 'px';
}

// windowText says a window in words, with what it rests on.
function windowText(table, row, name) {
  const basis = table.get(row, name + '.basis');
  return span(table.get(row, name + '.not_before'), table.get(row, name + '.not_after')) + (basis ? ` (${basis.replaceAll('_', ' ')})` : '');
}
function removedText(share) {
  return shares.get(share, 'removed.not_before') || shares.get(share, 'removed.not_after') ? windowText(shares, share, 'removed') : '';
}
function holeText(h) {
  const when = !h.from && !h.to ? 'over the whole time' : !h.from ? `until ${clock(h.to)}` : !h.to ? `since ${clock(h.from)}` : `from ${clock(h.from)} to ${clock(h.to)}`;
  return `${h.reason.replaceAll('_', ' ')} ${when}`;
}

function wirePointer() {
  const at = e => { const b = canvas.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
  let drag = null;
  canvas.addEventListener('pointerdown', e => { drag = {x: e.clientX, view: {...view}, moved: false}; });
  canvas.addEventListener('pointermove', e => {
    if (!drag || e.buttons === 0) { drag = null; return showTip(e, hit(...at(e))); }
    const f = new Frame(laneBox.clientWidth, drag.view.from, drag.view.to), d = (drag.x - e.clientX) / f.scale;
    if (!drag.moved && Math.abs(e.clientX - drag.x) < 4) return;
    if (!drag.moved) canvas.setPointerCapture(e.pointerId);
    drag.moved = true;
    tip.hidden = true;
    show(drag.view.from + d, drag.view.to + d);
  });
  canvas.addEventListener('pointerup', e => {
    const moved = drag?.moved;
    drag = null;
    if (moved) return;
    const found = hit(...at(e));
    choose(found.lane, found.rows?.[0] ?? -1);
    openHit(found);
  });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  laneBox.addEventListener('scroll', draw);
  laneBox.addEventListener('wheel', e => {
    if (!e.ctrlKey && !e.shiftKey) return;
    e.preventDefault();
    const move = e.deltaY || e.deltaX;
    if (e.shiftKey) pan(Math.sign(move) * 0.1);
    else zoom(move > 0 ? 1.25 : 0.8, new Frame(laneBox.clientWidth).t(Math.max(at(e)[0], new Frame(laneBox.clientWidth).left)));
  }, {passive: false});
  const jump = e => {
    if (e.buttons === 0) return;
    const f = new Frame(laneBox.clientWidth, whole.from, whole.to), b = overview.getBoundingClientRect(), half = (view.to - view.from) / 2, t = f.t(e.clientX - b.left);
    show(t - half, t + half);
  };
  overview.addEventListener('pointerdown', jump);
  overview.addEventListener('pointermove', jump);
}

// openHit shows the evidence of what was chosen.
function openHit(found) {
  const l = lanes[found.lane];
  if (!l) return;
  if (found.rows?.length) openRows(found.rows);
  else if (found.findings?.length) goToGap(found.findings[0].gap);
  else if (l.kind === 'connection') openDetail('share', l.share);
  else if (l.kind === 'coverage') openDetail('coverage', l.coverage);
}

function wireKeys() {
  const keys = {
    ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15), '+': () => zoom(0.7), '=': () => zoom(0.7), '-': () => zoom(1.4),
    ArrowUp: () => choose(Math.max(0, selected.lane - 1)), ArrowDown: () => choose(Math.min(lanes.length - 1, selected.lane + 1)),
    Home: () => show(whole.from, whole.to), ',': () => step(-1), '.': () => step(1),
    Enter: () => { if (selected.lane >= 0) openHit({lane: selected.lane, rows: selected.row >= 0 ? [selected.row] : []}); },
  };
  laneBox.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  });
  for (const [id, act] of [['zoom-in', () => zoom(0.5)], ['zoom-out', () => zoom(2)], ['pan-left', () => pan(-0.25)], ['pan-right', () => pan(0.25)], ['zoom-all', () => show(whole.from, whole.to)], ['zoom-lives', () => fitLives(false)], ['zoom-removals', () => fitLives(true)]]) $(id).addEventListener('click', act);
  $('show-coverage').addEventListener('change', layChart);
}

// step goes to the next mark of the chosen lane.
function step(by) {
  const l = lanes[selected.lane];
  if (!l?.marks.length) return;
  const now = l.marks.indexOf(selected.row);
  choose(selected.lane, l.marks[now < 0 ? (by > 0 ? 0 : l.marks.length - 1) : Math.max(0, Math.min(l.marks.length - 1, now + by))]);
}

// legend explains the shapes, drawn by the code that draws the marks.
function legend() {
  const item = (name, text, paintIt) => {
    const c = el('canvas', {'aria-hidden': 'true', class: 'glyph'});
    paintIt(fit(c, 28, 20));
    return el('li', {}, c, text);
  };
  const bar = more => c => {
    const f = {x: x => x, left: 0, right: 28}, b = {first: 2, from: 9, to: 19, last: 26, end: [19, 26], status: 'removed', ...more};
    paintBar(c, f, b, 10);
    paintEnd(c, f, b, 10, 9);
  };
  $('legend').replaceChildren(
    item('bar', 'there; fading where an end is not exact', bar({status: 'mapped'})), item('end', 'removed between the lines', bar({})), item('used-only', 'used, not known to be mapped', bar({status: 'used_only'})), item('faint', 'no instant known at which it was there', bar({from: 26, to: 9, status: 'mapped'})),
    ...[['mapped', 'mapped, or share created'], ['used', 'used'], ['present', 'present, time of making unknown'], ['command', 'command'], ['removed', 'removal recorded'], ['log_cleared', 'log cleared'], ['clock_changed', 'clock changed'], ['logon', 'logon'], ['logoff', 'logoff'], ['boot', 'boot'], ['shutdown', 'shutdown'], ['context', 'other context']]
      .map(([a, words]) => item(a, words, c => shapes[a](c, 14, 10))),
    item('finding', 'window of a finding', c => paintFindings(c, {x: x => x, left: 0, right: 28}, [{from: 5, to: 23}], 9)),
    item('clear', 'logs of the host cleared', c => paintClears(c, {x: x => x, from: 0, to: 28}, {clears: [14], height: 20}, 0)),
    item('hole', 'evidence is blind (in a lane of a connection: the Security log)', c => { c.fillStyle = hatch(c); c.fillRect(1, 2, 26, 16); }));
}
