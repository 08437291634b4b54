
const $ = id => document.getElementById(id);
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const allHidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const named = {'\n': '\\n', '\r': '\\r', '\t': '\\t', '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\v': '\\v'};

// escape shows a character that has no shape, as sharetrail does in tables.
function escape(c) {
  const n = c.codePointAt(0), hex = w => n.toString(16).padStart(w, '0');
  return named[c] ?? (n < 0x80 ? '\\x' + hex(2) : n < 0x10000 ? '\\u' + hex(4) : '\\U' + hex(8));
}

// visible returns text of the evidence as one line without characters that act
// instead of being shown.
function visible(text) { return hidden.test(text) ? text.replace(allHidden, escape) : text; }

const maxCell = 300; // characters of a value in a table
// short returns what a table or a lane shows of a text.
function short(text, max = maxCell) {
  return visible(text.length > max ? text.slice(0, max).replace(/[\ud800-\udbff]$/, '') + '…' : text);
}

// el makes an element. Strings among the children become text, and only text.
function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== ''));
  return e;
}

const marked = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z/gu;
const maxLine = 1000; // characters of a text that stand there without being asked for

// evidence shows a text of the evidence in full: isolated, left to right, with
// the characters that have no shape marked, and times in one piece. A very long
// one opens on demand.
function evidence(text, tag = 'bdi') {
  const e = el(tag, {class: 'ev', dir: 'ltr'});
  const fill = s => {
    e.textContent = '';
    let done = 0;
    for (const m of s.matchAll(marked)) {
      e.append(s.slice(done, m.index), m[0].endsWith('Z') ? el('span', {class: 'time'}, m[0]) : el('span', {class: 'esc'}, escape(m[0])));
      done = m.index + m[0].length;
    }
    e.append(s.slice(done));
  };
  if (text.length <= maxLine) {
    fill(text);
    return e;
  }
  fill(text.slice(0, maxLine).replace(/[\ud800-\udbff]$/, '') + '…');
  e.append(' ', el('button', {type: 'button', class: 'link', onclick: () => fill(text)}, `show all ${text.length.toLocaleString('en')} characters`));
  return e;
}

// pill shows a word of ours with its meaning.
function pill(field, word, extra = '') {
  const cls = meaning(field, word) ? `${field}-${word}` : '';
  return el('span', {class: `pill ${cls} ${extra}`, title: meaning(field, word)}, short(word.replaceAll('_', ' ')));
}

// plural names n things.
function plural(n, one, many = one + 's') { return `${n.toLocaleString('en')} ${n === 1 ? one : many}`; }

// A sheet of our own places what moves, because the policy of the page forbids
// styles on elements.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];

// rule returns the declarations of a new rule for a selector of ours.
function rule(selector) { return sheet.cssRules[sheet.insertRule(selector + '{}', sheet.cssRules.length)].style; }
