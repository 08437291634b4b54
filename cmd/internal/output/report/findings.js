
// The findings, in plain words, the gravest first as in the report.
const pageOf = 25;
let gapsOpen = pageOf;

// proof opens the rows that a sentence rests on.
function proof(ids) {
  return el('button', {type: 'button', class: 'link proof', onclick: () => ids.length === 1 && rowOf.has(ids[0]) ? openDetail('row', rowOf.get(ids[0])) : openPanel(plural(ids.length, 'row'), links(ids))}, plural(ids.length, 'row'));
}

// finding makes the card of a finding; the first ones stand open.
function finding(i, open) {
  const g = name => gaps.get(i, name), verdicts = gaps.object(i, 'benign'), steps = gaps.object(i, 'reasoning'), missing = gaps.object(i, 'missing');
  const ids = g('observations'), basis = g('window.basis');
  const exact = g('window.not_before') && g('window.not_before') === g('window.not_after');
  const when = exact ? 'exactly ' + span(g('window.not_before'), g('window.not_after'), true) : span(g('window.not_before'), g('window.not_after'));
  const counts = ['supported', 'unknown', 'contradicted'].map(v => [v, verdicts.filter(b => b.verdict === v).length]).filter(([, n]) => n);
  const subject = [['Host', 'host'], ['User', 'user'], ['Drive', 'drive'], ['Share', 'share']].filter(([, f]) => g(f)).map(([name, f]) => el('span', {class: 'fact'}, el('span', {class: 'muted'}, name + ' '), evidence(g(f))));
  return el('article', {class: `finding severity-${g('severity')}`, id: 'gap-' + i, tabindex: -1, 'aria-labelledby': `gap-${i}-claim`},
    el('div', {class: 'finding-top'}, pill('severity', g('severity'), 'strong'), pill('confidence', g('confidence')), el('code', {class: 'id'}, g('id')), g('attack').map(a => el('span', {class: 'pill'}, short(a)))),
    el('h3', {id: `gap-${i}-claim`}, evidence(g('claim'))),
    el('div', {class: 'facts'}, el('span', {class: 'fact when'}, capital(when), basis ? el('span', {class: 'muted', title: meaning('basis', basis)}, ` (${basis.replaceAll('_', ' ')})`) : ''), subject),
    verdicts.length ? el('details', {open: open || counts[0][0] !== 'contradicted'},
      el('summary', {}, 'Innocent explanations: ', counts.map(([v, n], k) => [k ? ', ' : '', el('span', {class: 'verdict-' + v}, `${n} ${v}`)])),
      el('ul', {class: 'verdicts'}, verdicts.map(b => el('li', {}, pill('verdict', b.verdict), ' ', evidence(b.explanation), b.because ? [': ', evidence(b.because)] : '', b.observations.length ? [' ', proof(b.observations)] : '')))) : el('p', {class: 'muted'}, 'No innocent explanation was tested.'),
    el('details', {}, el('summary', {}, `Reasoning: ${plural(steps.length, 'step')} from ${plural(ids.length, 'row')}`),
      el('ol', {class: 'steps'}, steps.map(s => el('li', {}, el('span', {class: 'muted'}, short(s.rule), ' '), evidence(s.statement), s.observations.length ? [' ', proof(s.observations)] : '')))),
    missing.length ? el('details', {open: true}, el('summary', {}, 'What would settle it'), el('ul', {}, missing.map(m => el('li', {}, evidence(m.what), ': ', evidence(m.why))))) : '',
    el('div', {class: 'tools'},
      el('button', {type: 'button', onclick: () => showGap(i)}, 'Show on the timeline'),
      el('button', {type: 'button', onclick: () => openPanel('Rows of ' + g('id'), links(ids))}, `Evidence: ${plural(ids.length, 'row')}`)));
}

const capital = s => s[0].toUpperCase() + s.slice(1);

// showGap brings the lane of a finding into sight, else its rows.
function showGap(i) {
  const share = gaps.get(i, 'connections').map(id => shareOf.get(id)).find(s => s !== undefined);
  if (share !== undefined) return showShare(share);
  showOnChart(gaps.get(i, 'observations').map(id => rowOf.get(id)).filter(r => r !== undefined));
}

function goToGap(i) {
  closeDetail();
  if (!shown.gaps.includes(i)) resetFilter();
  gapsOpen = Math.max(gapsOpen, shown.gaps.indexOf(i) + 1);
  drawFindings();
  $('gap-' + i)?.scrollIntoView({block: 'start'});
  $('gap-' + i)?.focus({preventScroll: true});
}

function drawFindings() {
  const list = shown.gaps, some = list.slice(0, printing ? maxPrint : gapsOpen), left = list.length - some.length;
  const out = some.map((gap, n) => finding(gap, n < 3));
  if (left && printing) out.push(el('p', {}, `${plural(left, 'more finding')}: see gaps.csv`));
  else if (left) out.push(el('button', {type: 'button', onclick: () => { gapsOpen += pageOf; drawFindings(); }}, `Show more: ${left} of ${list.length} findings are not shown yet`));
  if (gaps.count === 0) out.push(el('p', {class: 'none'}, 'No findings. That does not prove that nothing was removed: see below what the evidence could have told.'));
  else if (list.length === 0) out.push(el('p', {class: 'none'}, `The filter lets none of ${plural(gaps.count, 'finding')} through.`));
  $('finding-list').replaceChildren(...out);
}
