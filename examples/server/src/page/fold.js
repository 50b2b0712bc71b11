// Where in a text the server has found words: letters are made one as the search of the server makes them,
// and each remembers where it stood.

const UNSEEN = /[\u00AD\u0610-\u061C\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/u;

const FORMS = new Map(
  Object.entries({ ی: 'يىئ', ک: 'ك', ه: 'ةۀۂہھ', ا: 'أإآٱ', و: 'ؤ' }).flatMap(([form, others]) => [...others].map((other) => [other, form])),
);

function folded(text) {
  let form = '';
  const places = [];
  let at = 0;
  for (const char of text) {
    const one = foldedChar(char, form);
    form += one;
    for (let count = 0; count < one.length; count += 1) places.push(at);
    at += char.length;
  }
  return { form, places };
}

function foldedChar(char, before) {
  if (UNSEEN.test(char)) return '';
  if (/\s/u.test(char)) return before.endsWith(' ') ? '' : ' ';
  if (/[۰-۹٠-٩]/u.test(char)) return String(char.charCodeAt(0) & 0xf);
  return FORMS.get(char) ?? char.toLowerCase();
}

/** The places `[from, to]` of a text at which the words are. */
export function findWords(text, words) {
  const wanted = folded(words).form.trim();
  if (!wanted) return [];
  const { form, places } = folded(text);
  const found = [];
  for (let at = form.indexOf(wanted); at >= 0; at = form.indexOf(wanted, at + wanted.length)) {
    let end = at + wanted.length;
    // One letter can become two.
    while (places[end] === places[end - 1]) end += 1;
    found.push([places[at], places[end] ?? text.length]);
  }
  return found;
}
