// An open room: its head, its messages, and where one writes.

import { fill, h, icon, iconButton, toast } from '../dom.js';
import { ago, number, problem, t } from '../i18n.js';
import { peer } from '../store.js';
import { openAbout } from './about.js';
import { Composer } from './composer.js';
import { MessageList } from './messages.js';
import { nameOf, pictureOf, typingIn } from './rooms.js';
import { menu } from './common.js';

/** So near to its end a list counts as being at its end. */
const NEAR = 80;
/** So near to its beginning, earlier messages are read. */
const READ_AHEAD = 400;

export class ChatView {
  constructor(chat, room) {
    this.chat = chat;
    this.room = room;
    this.store = chat.store;
    this.isAtEnd = true;
    this.messages = new MessageList(chat, room, {
      reply: (message) => this.composer.reply(message),
      edit: (message) => this.composer.edit(message),
    });
    this.composer = new Composer(chat, room, () => this.#toEnd());
    this.log = h('div', { class: 'log', tabindex: '0', role: 'region', 'aria-label': nameOf(room, this.store.me) }, this.messages.element);
    this.toEnd = h('button', { type: 'button', class: 'to-end', 'aria-label': t('toEnd'), title: t('toEnd'), hidden: true, on: { click: () => this.#toEnd() } });
    this.picture = h('span', { class: 'picture' });
    this.name = h('h1', {});
    this.about = h('p', { class: 'muted' });
    const more = iconButton('more', t('more'), () => this.#openMenu(more), { 'aria-haspopup': 'menu' });
    this.element = h(
      'section',
      { class: 'chat' },
      h(
        'header',
        { class: 'bar' },
        h('a', { class: 'icon-button back', href: '#/', 'aria-label': t('back'), title: t('back') }, icon('back')),
        h('button', { type: 'button', class: 'chat-title', title: t('roomInfo'), on: { click: () => openAbout(chat, room) } }, this.picture, h('span', { class: 'chat-names' }, this.name, this.about)),
        more,
      ),
      h('div', { class: 'log-frame' }, this.log, this.toEnd),
      this.composer.element,
    );
    this.ends = [
      this.store.on(`room:${room.id}`, () => this.#showHead()),
      this.store.on(`messages:${room.id}`, () => this.#showMessages()),
      this.store.on('connection', () => this.#showMessages()),
    ];
    this.log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.onVisible = () => this.#seen();
    document.addEventListener('visibilitychange', this.onVisible);
    // A keyboard that comes up must not push the newest message out of sight.
    this.size = new ResizeObserver(() => this.isAtEnd && this.#toEnd());
    this.clock = setInterval(() => this.#showHead(), 30_000);
  }

  async shown() {
    this.size.observe(this.log);
    this.#showHead();
    this.#showMessages();
    this.composer.shown();
    // On a phone the keyboard would cover what was said.
    if (matchMedia('(pointer: fine)').matches) this.composer.focus();
    else this.element.querySelector('.chat-title').focus({ preventScroll: true });
    try {
      await this.chat.load(this.room);
      this.#showMessages();
      this.#seen();
    } catch (error) {
      toast(problem(error));
    }
  }

  end() {
    for (const end of this.ends) end();
    document.removeEventListener('visibilitychange', this.onVisible);
    this.size.disconnect();
    clearInterval(this.clock);
    this.composer.end();
  }

  #showHead() {
    fill(this.picture, pictureOf(this.room, this.store));
    fill(this.name, h('bdi', {}, nameOf(this.room, this.store.me)));
    const typing = typingIn(this.room);
    this.about.textContent = typing ?? this.#state();
    this.about.classList.toggle('typing', typing !== null);
    this.composer.show();
  }

  #state() {
    const other = peer(this.room, this.store.me);
    if (!other) return t('memberCount', { count: this.room.json.member_count ?? 0 });
    const presence = this.store.presence.get(other.id);
    if (presence?.online) return t('online');
    return presence?.lastSeen ? t('lastSeen', { ago: ago(presence.lastSeen) }) : '';
  }

  #showMessages() {
    const { scrollHeight, scrollTop } = this.log;
    const first = this.messages.firstKey;
    this.messages.show();
    // Earlier messages were put above: what was in sight stays in sight.
    if (first !== this.messages.firstKey && !this.isAtEnd) this.log.scrollTop = scrollTop + this.log.scrollHeight - scrollHeight;
    if (this.isAtEnd) this.#toEnd();
    else this.#showToEnd();
    this.#seen();
    if (this.log.scrollTop < READ_AHEAD) this.#readOlder();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#showToEnd();
    this.#seen();
    if (scrollTop < READ_AHEAD) this.#readOlder();
  }

  #toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.isAtEnd = true;
    this.#showToEnd();
    this.#seen();
  }

  #showToEnd() {
    this.toEnd.hidden = this.isAtEnd;
    const { unread } = this.room;
    fill(this.toEnd, icon('down'), unread > 0 ? h('span', { class: 'badge' }, number(unread)) : null);
  }

  /** What is in sight on a page that is in sight has been read. */
  #seen() {
    if (this.isAtEnd && this.room.isLoaded && document.visibilityState === 'visible') this.chat.markRead(this.room);
  }

  async #readOlder() {
    if (!this.room.isLoaded || !this.room.older) return;
    try {
      await this.chat.loadOlder(this.room);
    } catch {
      // Scrolling tries again.
    }
  }

  #openMenu(button) {
    const { pinned, muted } = this.room.json;
    const change = (changes) => () => this.chat.change(this.room, changes).catch((error) => toast(problem(error)));
    menu(button, [
      { label: t('roomInfo'), act: () => openAbout(this.chat, this.room) },
      { label: t(pinned ? 'unpin' : 'pin'), act: change({ pinned: !pinned }) },
      { label: t(muted ? 'unmute' : 'mute'), act: change({ muted: !muted }) },
    ]);
  }
}
