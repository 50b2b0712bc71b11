// An open room: its head, its messages, and where one writes.

import { fill, h, icon, iconButton, toast } from '../dom.js';
import { ago, bytes, number, problem, t } from '../i18n.js';
import { peer } from '../store.js';
import { openAbout } from './about.js';
import { Composer, LARGEST_FILE } from './composer.js';
import { MessageList } from './messages.js';
import { nameOf, pictureOf, typingIn } from './rooms.js';
import { menu } from './common.js';
import { Search } from './search.js';

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
      show: (message) => this.#showMessage(message),
    });
    this.search = new Search(chat, room, {
      onChoose: (message) => {
        this.search.close();
        this.log.focus({ preventScroll: true });
        this.#showMessage(message);
      },
      onClose: () => {
        this.search.close();
        this.searchButton.focus();
      },
    });
    this.searchButton = iconButton('search', t('searchHere'), () => this.search.open());
    this.dropHint = h('div', { class: 'drop-hint', hidden: true }, icon('attach'), h('p', {}, t('dropHere', { size: bytes(LARGEST_FILE) })));
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
        this.searchButton,
        more,
      ),
      h('div', { class: 'log-frame' }, this.log, this.toEnd, this.search.element),
      this.composer.element,
      this.dropHint,
    );
    this.ends = [
      this.store.on(`room:${room.id}`, () => this.#showHead()),
      this.store.on(`messages:${room.id}`, () => this.#showMessages()),
      this.store.on(`progress:${room.id}`, () => this.messages.showProgress()),
      this.store.on('connection', () => {
        this.#showHead();
        this.#showMessages();
      }),
    ];
    this.#takeDrops();
    this.log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.onVisible = () => this.#seen();
    document.addEventListener('visibilitychange', this.onVisible);
    // Neither a keyboard that comes up nor a file that turns out to be larger pushes the newest message out of sight.
    this.size = new ResizeObserver(() => this.isAtEnd && this.#scrollToEnd());
    this.clock = setInterval(() => this.#showHead(), 30_000);
  }

  async shown() {
    this.size.observe(this.log);
    this.size.observe(this.messages.element);
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
    this.search.end();
    this.composer.end();
    // Who comes back comes back to the end.
    this.room.island = null;
  }

  /** Files that are dropped anywhere on the chat are added to what is sent next. */
  #takeDrops() {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files') && this.composer.takesFiles;
    const onDrag = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.dropHint.hidden = false;
    };
    const onLeave = (event) => {
      if (!this.element.contains(event.relatedTarget)) this.dropHint.hidden = true;
    };
    const onDrop = (event) => {
      this.dropHint.hidden = true;
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.composer.addFiles([...event.dataTransfer.files]);
    };
    for (const [event, act] of Object.entries({ dragenter: onDrag, dragover: onDrag, dragleave: onLeave, drop: onDrop })) {
      this.element.addEventListener(event, act);
    }
  }

  /** Goes to a message, which is loaded in its place if it is not there. */
  async #showMessage({ id, seq }) {
    if (!this.messages.has(id)) {
      try {
        await this.chat.reach(this.room, seq);
      } catch (error) {
        return toast(problem(error));
      }
    }
    this.isAtEnd = false;
    this.#showMessages();
    if (!this.messages.point(id)) toast(t('notFound'));
    this.#scrolled();
    return undefined;
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
    if (this.store.isOnline(other.id)) return t('online');
    const { lastSeen } = this.store.presence.get(other.id) ?? {};
    return lastSeen ? t('lastSeen', { ago: ago(lastSeen) }) : '';
  }

  #showMessages() {
    // What is in sight stays in sight, whatever is put above it.
    const anchor = this.isAtEnd ? null : this.#firstInSight();
    const before = anchor?.offsetTop;
    this.messages.show();
    if (this.isAtEnd) this.#scrollToEnd();
    else if (anchor?.isConnected) this.log.scrollTop += anchor.offsetTop - before;
    this.#showToEnd();
    this.#seen();
    this.#readOn();
  }

  #firstInSight() {
    const { scrollTop } = this.log;
    return this.messages.elements().find((element) => element.offsetTop + element.offsetHeight > scrollTop) ?? null;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.isAtEnd = !this.room.island && scrollHeight - scrollTop - clientHeight < NEAR;
    this.#showToEnd();
    this.#seen();
    this.#readOn();
  }

  /** Shows the newest message, also of who is far away from it. */
  #toEnd() {
    this.isAtEnd = true;
    if (this.room.island) this.chat.leaveIsland(this.room);
    this.#showMessages();
  }

  #scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
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

  /** Reads what comes before or after, where the reader comes near to an end of what is there. */
  async #readOn() {
    if (!this.room.isLoaded) return;
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    try {
      if (scrollTop < READ_AHEAD && this.chat.hasOlder(this.room)) await this.chat.loadOlder(this.room);
      else if (this.room.island && scrollHeight - scrollTop - clientHeight < READ_AHEAD) await this.chat.loadNewer(this.room);
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
