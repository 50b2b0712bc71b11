// Finding messages of a room by their words, and going to them.

import { fill, h, icon, iconButton } from '../dom.js';
import * as api from '../api.js';
import { findWords } from '../fold.js';
import { problem, shortTime, t } from '../i18n.js';
import { fromRoute } from '../store.js';

/** How long after the last key the words are looked for. */
const AFTER_TYPING = 300;
const LONGEST = 200;
/** How much of a text is shown before the words. */
const BEFORE = 40;
const SHOWN = 180;

export class Search {
  constructor(chat, room, { onChoose, onClose }) {
    this.chat = chat;
    this.room = room;
    this.onChoose = onChoose;
    this.input = h('input', { type: 'search', maxlength: LONGEST, dir: 'auto', 'aria-label': t('searchHere'), placeholder: t('searchHere'), autocomplete: 'off', enterkeyhint: 'search' });
    this.input.addEventListener('input', () => this.#typed());
    this.status = h('p', { class: 'muted', role: 'status' });
    this.results = h('ol', { class: 'results' });
    this.more = h('button', { type: 'button', class: 'quiet', hidden: true, on: { click: () => this.#read(api.page(this.next)) } }, t('moreResults'));
    const submit = (event) => {
      event.preventDefault();
      this.#begin();
    };
    const onKey = (event) => event.key === 'Escape' && !event.isComposing && onClose();
    this.element = h(
      'section',
      { class: 'search', hidden: true, 'aria-label': t('searchHere'), on: { keydown: onKey } },
      h('form', { class: 'search-row', role: 'search', on: { submit } }, icon('search'), this.input, iconButton('close', t('closeSearch'), onClose)),
      h('div', { class: 'search-found' }, this.status, this.results, this.more),
    );
  }

  open() {
    this.element.hidden = false;
    this.input.select();
    this.input.focus();
  }

  close() {
    this.element.hidden = true;
  }

  end() {
    clearTimeout(this.timer);
    this.words = null;
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#begin(), AFTER_TYPING);
  }

  #begin() {
    clearTimeout(this.timer);
    const words = this.input.value.trim();
    if (words === this.words) return;
    this.words = words;
    this.count = 0;
    this.next = null;
    this.more.hidden = true;
    fill(this.results);
    this.status.textContent = words ? t('searching') : '';
    if (words) this.#read(this.chat.search(this.room, words));
  }

  /** Shows a page of results, unless other words are looked for by then. */
  async #read(asking) {
    const { words } = this;
    this.more.hidden = true;
    try {
      const page = await asking;
      if (words !== this.words) return;
      this.next = page.next;
      this.count += page.results.length;
      this.results.append(...page.results.map((json) => this.#result(fromRoute(json), words)));
      this.more.hidden = !page.next;
      this.status.textContent = this.#found(page.next !== null);
    } catch (error) {
      if (words !== this.words) return;
      this.status.textContent = problem(error);
      // The same words can be tried again.
      this.words = null;
    }
  }

  #found(hasMore) {
    if (this.count === 0) return t('nothingFound');
    return t(hasMore ? 'foundMore' : 'found', { count: this.count });
  }

  #result(message, words) {
    const name = message.sender?.id === this.chat.store.me.id ? t('you') : (message.sender?.username ?? t('goneUser'));
    const choose = () => this.onChoose(message);
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'result', on: { click: choose } },
        h('b', {}, h('bdi', {}, name)),
        h('time', { datetime: message.createdAt }, shortTime(message.createdAt)),
        h('span', { class: 'result-text', dir: 'auto' }, marked(message.text, words)),
      ),
    );
  }
}

/** The part of a text around the words, with the words marked, as nodes. */
function marked(text, words) {
  const places = findWords(text, words);
  const begin = Math.max(0, (places[0]?.[0] ?? 0) - BEFORE);
  // A word is not cut in two where there is a space nearby.
  const start = begin === 0 ? 0 : begin + Math.max(0, text.slice(begin, begin + 20).search(/\s/u));
  const end = Math.min(text.length, start + SHOWN);
  const nodes = [start > 0 ? '…' : ''];
  let at = start;
  for (const [from, to] of places.filter((place) => place[1] <= end)) {
    nodes.push(text.slice(at, from), h('mark', {}, text.slice(from, to)));
    at = to;
  }
  nodes.push(text.slice(at, end), end < text.length ? '…' : '');
  return nodes;
}
