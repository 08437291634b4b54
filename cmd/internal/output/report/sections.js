
// The parts of the page that do not change: counts, manifest, words.
function tiles() {
  const c = head.manifest.counts;
  const of = (table, name) => { const out = new Map(); for (let i = 0; i < table.count; i++) out.set(table.get(i, name), (out.get(table.get(i, name)) ?? 0) + 1); return out; };
  const severity = of(gaps, 'severity'), status = of(shares, 'status'), trouble = of(problems, 'severity'), classes = of(coverage, 'class');
  const list = (counts, words) => words.filter(w => counts.get(w)).map(w => `${counts.get(w)} ${w.replaceAll('_', ' ')}`).join(', ');
  const tile = (n, what, more, target, cls = '') => el('li', {class: cls}, el('a', {href: target}, el('b', {}, n.toLocaleString('en')), el('span', {}, what), el('small', {}, more)));
  const names = field => head.words.find(v => v.field === field).words.map(w => w[0]);
  $('tiles').replaceChildren(
    tile(c.gaps, c.gaps === 1 ? 'finding' : 'findings', list(severity, names('severity')), '#findings', severity.get('high') ? 'bad' : ''),
    tile(c.shares, c.shares === 1 ? 'connection' : 'connections', list(status, names('status')), '#shares'),
    tile(c.timeline, c.timeline === 1 ? 'row' : 'rows', head.kept < c.timeline ? `${head.kept.toLocaleString('en')} on this page` : 'in the timeline', '#rows'),
    tile(c.hosts, c.hosts === 1 ? 'host' : 'hosts', short(head.hosts.slice(0, 3).join(', ') + (head.hosts.length > 3 ? ', …' : ''), 60), '#chart'),
    tile(c.coverage, c.coverage === 1 ? 'kind of evidence' : 'kinds of evidence', (c.hosts > 1 ? `on ${c.hosts} hosts: ` : '') + list(classes, names('class')), '#coverage'),
    tile(c.problems, c.problems === 1 ? 'problem' : 'problems', list(trouble, ['error', 'warning']) || 'none noted', '#problems', trouble.get('error') ? 'bad' : ''));
  $('subject').textContent = `${head.hosts.length ? short(head.hosts.slice(0, 8).join(', ')) + (head.hosts.length > 8 ? ` and ${head.hosts.length - 8} more` : '') : 'no host'} · times in ${head.zone.name} · sharetrail ${head.manifest.version}`;
  document.title = `sharetrail: ${plural(c.gaps, 'finding')}, ${short(head.hosts.slice(0, 3).join(', '), 60)}`;
  const notes = [];
  if (head.kept < c.timeline) notes.push(`This page holds ${head.kept.toLocaleString('en')} of ${plural(c.timeline, 'row')} of the timeline, all that findings rest on among them. The others are in timeline.csv and timeline.jsonl.`);
  if (trouble.get('error')) notes.push(`Something could not be read (${plural(trouble.get('error'), 'error')}): see the problems.`);
  if (c.rules_not_run) notes.push(`Rules were not run in ${plural(c.rules_not_run, 'case')}, for want of evidence: see the coverage. That is not the same as finding nothing.`);
  $('notice').hidden = notes.length === 0;
  $('notice').textContent = notes.join(' ');
}

// plainTable makes a small table of texts.
function plainTable(name, heads, lines) {
  const cut = lines.slice(0, 2000), more = lines.length - cut.length;
  return el('div', {class: 'plain', tabindex: 0, role: 'region', 'aria-label': name}, el('table', {},
    el('caption', {}, `${name} (${lines.length.toLocaleString('en')})`), el('thead', {}, el('tr', {}, heads.map(h => el('th', {scope: 'col'}, h)))),
    el('tbody', {}, cut.map(l => el('tr', {}, l.map(v => el('td', {}, typeof v === 'string' ? evidence(v) : v))))), more > 0 ? el('tfoot', {}, el('tr', {}, el('td', {colspan: heads.length}, `${more} more: see manifest.json`))) : ''));
}

const bytes = n => n === null ? 'unknown' : n.toLocaleString('en');
const hash = s => el('code', {class: 'hash'}, s || '–');

function manifest() {
  const m = head.manifest;
  $('manifest-body').replaceChildren(
    el('p', {}, `Made by sharetrail ${m.version}, format ${m.format}. Context rows: ${m.arguments.context || 'related'}. Secrets are ${m.arguments.show_secrets ? 'shown as they are' : 'masked'}.${m.arguments.no_snapshots ? ' Shadow copies were left out.' : ''}${m.arguments.no_deleted ? ' Recovered data was left out.' : ''} Facts of the run, and the hash of this page, are in manifest.json.`),
    plainTable('Sources', ['Name', 'Kind', 'Bytes', 'SHA-256'], (m.sources ?? []).map(s => [s.name, s.kind, bytes(s.size), hash(s.sha256)])),
    plainTable('Evidence files read', ['Path', 'Source', 'Volume', 'Kind', 'Bytes', 'SHA-256'], (m.artifacts ?? []).map(a => [a.path, a.source, a.volume, a.kind, bytes(a.size), hash(a.sha256)])),
    plainTable('Files written before this page', ['Name', 'Bytes', 'SHA-256'], (m.files ?? []).map(f => [f.path, bytes(f.size), hash(f.sha256)])),
    (m.files ?? []).some(f => f.path === 'timesketch.jsonl') ? el('p', {}, `timesketch.jsonl holds ${plural(m.timesketch.events, 'event')}.` + (m.timesketch.undated + m.timesketch.out_of_range ? ` It leaves out ${plural(m.timesketch.undated, 'row')} without a time and ${plural(m.timesketch.out_of_range, 'row')} with one that Timesketch cannot hold.` : '')) : '');
  const not = head.not_run;
  $('not-run').replaceChildren(not.length ? plainTable('Rules not run', ['Rule', 'Host', 'Why'], not.map(n => [n.rule, n.host, n.why])) : el('p', {class: 'muted'}, 'Every rule was run on every host.'));
}

function method() {
  $('words').replaceChildren(
    ...head.words.map(v => el('details', {class: 'words'}, el('summary', {}, v.title), el('dl', {}, v.words.flatMap(([w, m]) => [el('dt', {}, w), el('dd', {}, m)])))),
    (head.artifacts ?? []).length ? el('details', {class: 'words reference'}, el('summary', {}, `Artifacts: what a row of each proves, and what it does not (${head.artifacts.length})`), plainTable('Artifacts', ['Name', 'Proves', 'Does not prove'], head.artifacts.map(a => [a.name, a.proves, a.does_not_prove]))) : '',
    head.rules.length ? el('details', {class: 'words reference'}, el('summary', {}, `Rules: how each concludes, and what it cannot see (${head.rules.length})`), plainTable('Rules', ['Id', 'Claim', 'Logic', 'Window', 'Misses'], head.rules.map(r => [r.id, r.claim, r.logic, r.bound, r.misses]))) : '');
}
