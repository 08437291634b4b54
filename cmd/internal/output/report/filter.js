
// The filter acts on everything: a row of any kind is shown if it passes.
const filter = {host: '', user: '', share: '', text: ''};
let shown = {};

const same = (a, b) => a.toLowerCase() === b.toLowerCase();

// facets returns one byte a row: whether host, user and share of a row fit.
function facets(table, host = 'host') {
  const out = new Uint8Array(table.count).fill(1);
  for (const [name, column] of [['host', host], ['user', 'user'], ['share', 'share']]) {
    const c = table.columns.get(column);
    if (!filter[name] || !c) continue;
    const fits = c.values.map(v => same(v, filter[name]));
    for (let i = 0; i < table.count; i++) if (!fits[table.index(c, i)]) out[i] = 0;
  }
  return out;
}

const chosen = bytes => Array.from(bytes.keys()).filter(i => bytes[i]);

// applyFilter works out what is shown. A fact of a connection belongs to it
// even where the fact itself names no share, such as a command that removes all
// drives; a finding likewise.
function applyFilter() {
  const text = filter.text.toLowerCase();
  const all = table => new Uint8Array(table.count).fill(1);
  const match = table => text ? table.matching(text) : all(table);
  const shareFits = facets(shares), rowFits = facets(rows), gapFits = facets(gaps);
  for (const [row, list] of sharesOfRow) if (list.some(s => shareFits[s])) rowFits[row] = 1;
  gapShares.forEach((ids, gap) => { if (ids.some(id => shareFits[shareOf.get(id)])) gapFits[gap] = 1; });
  const rowText = match(rows), shareText = match(shares), gapText = match(gaps);
  for (const [row, list] of sharesOfRow) if (rowText[row]) for (const s of list) shareText[s] = 1;
  const both = (a, b) => a.map((v, i) => v & b[i]);
  shown = {
    rows: both(rowFits, rowText),
    shares: both(shareFits, shareText),
    gaps: chosen(both(gapFits, gapText)),
    coverage: chosen(both(facets(coverage), match(coverage))),
    problems: chosen(both(facets(problems, 'provenance.host'), match(problems))),
  };
  shown.rowList = chosen(shown.rows);
  shown.shareList = chosen(shown.shares);
}

const maxOptions = 2000;

// options fills a list of the filter with the values that occur.
function options(select, column) {
  const seen = new Map();
  for (const table of [rows, shares, gaps, coverage]) {
    const c = table.columns.get(column);
    for (const v of c ? c.values : []) if (v && !seen.has(v.toLowerCase())) seen.set(v.toLowerCase(), v);
  }
  const values = [...seen.values()].sort((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1);
  select.replaceChildren(el('option', {value: ''}, 'all'));
  values.slice(0, maxOptions).forEach((v, i) => {
    const o = el('option', {value: String(i + 1)}, short(v, 60));
    o.dataset.n = i;
    select.append(o);
  });
  if (values.length > maxOptions) select.append(el('option', {disabled: true}, `${values.length - maxOptions} more: use the text filter`));
  return values;
}
