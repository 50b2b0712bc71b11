// The frame around the chat: the list on one side, what is open on the other. On a narrow screen one of the
// two is shown. The address after # says what is open, so that the back button works.

import { announce, fill, h, icon, iconButton } from '../dom.js';
import { number, t } from '../i18n.js';
import { ChatView } from './chat.js';
import { RoomList } from './rooms.js';
import { YouView } from './you.js';
import { openNewChat, openNewGroup } from './people.js';
import { languageButton, menu, themeButton } from './common.js';

export class Shell {
  constructor(chat, { onLanguage }) {
    this.chat = chat;
    this.store = chat.store;
    this.list = new RoomList(chat);
    this.banner = h('div', { class: 'banner', role: 'status', hidden: true });
    this.main = h('main', { class: 'main' });
    const add = iconButton('plus', t('newChat'), () => this.#openAddMenu(add), { 'aria-haspopup': 'menu' });
    const side = h(
      'aside',
      { class: 'side', 'aria-label': t('chats') },
      h(
        'header',
        { class: 'bar' },
        h('h1', {}, t('chats')),
        languageButton(onLanguage),
        themeButton(),
        h('a', { class: 'icon-button', href: '#/you', 'aria-label': t('profile'), title: t('profile') }, icon('user')),
        add,
      ),
      this.list.element,
    );
    this.element = h('div', { class: 'shell' }, this.banner, side, this.main);
    this.ends = [
      this.store.on('connection', () => this.#showConnection()),
      this.store.on('rooms', () => this.#showTotal()),
    ];
    this.onHash = () => this.#route();
    addEventListener('hashchange', this.onHash);
    chat.onGone = () => {
      location.hash = '#/';
    };
    chat.onArrival = (room, frame) => this.#arrived(room, frame);
    this.#route();
    this.#showConnection();
    this.#showTotal();
  }

  end() {
    for (const end of this.ends) end();
    removeEventListener('hashchange', this.onHash);
    clearInterval(this.clock);
    this.view?.end?.();
    this.list.end();
  }

  #openAddMenu(button) {
    menu(button, [
      { label: t('newChat'), act: () => openNewChat(this.chat) },
      { label: t('newGroup'), act: () => openNewGroup(this.chat) },
    ]);
  }

  #route() {
    this.view?.end?.();
    const cameFrom = this.chat.openRoomId;
    this.chat.openRoomId = null;
    const [, kind, id] = location.hash.split('/');
    const room = kind === 'room' ? this.store.rooms.get(Number(id)) : null;
    if (room) {
      this.chat.openRoomId = room.id;
      this.view = new ChatView(this.chat, room);
    } else if (kind === 'you') {
      this.view = new YouView(this.chat);
    } else {
      this.view = null;
    }
    this.element.dataset.view = this.view ? 'main' : 'list';
    this.list.mark(room?.id ?? null);
    fill(this.main, this.view?.element ?? this.#placeholder());
    this.view?.shown?.();
    if (!this.view && cameFrom !== null) this.list.focus(cameFrom);
  }

  #placeholder() {
    return h('div', { class: 'placeholder' }, icon('chat'), h('p', {}, t('chooseChat')));
  }

  /** Says honestly how the connection is; nothing while all is well. */
  #showConnection() {
    clearInterval(this.clock);
    const state = this.store.connection;
    const isFirst = !this.chat.wasLive;
    this.element.dataset.connection = state.name;
    if (state.name === 'live') {
      this.banner.hidden = true;
      return;
    }
    const text = h('span', {});
    const retry = h('button', { type: 'button', class: 'quiet', on: { click: () => this.chat.socket.retryNow() } }, t('tryAgain'));
    const reload = h('button', { type: 'button', class: 'quiet', on: { click: () => location.reload() } }, t('reload'));
    const parts = [h('span', { class: 'pulse', 'aria-hidden': 'true' }), text];
    if (state.name === 'connecting') text.textContent = isFirst ? t('connecting') : t('reconnecting');
    if (state.name === 'offline') text.textContent = t('offline');
    if (state.name === 'waiting') {
      const left = () => Math.ceil((state.until - Date.now()) / 1000);
      // A count that changes every second is not read out, only that the connection is lost.
      const tick = () => {
        text.textContent = left() > 2 ? t('reconnectingIn', { seconds: left() }) : t('reconnecting');
      };
      tick();
      this.clock = setInterval(tick, 1000);
      if (left() > 2) parts.push(retry);
    }
    if (state.name === 'stopped') {
      text.textContent = state.why === 'elsewhere' ? t('stoppedElsewhere') : t('stoppedProtocol');
      parts.push(state.why === 'elsewhere' ? retry : reload);
    }
    fill(this.banner, parts);
    this.banner.hidden = false;
  }

  #showTotal() {
    const total = this.store.unreadTotal();
    document.title = total > 0 ? `(${number(total)}) chelseru` : 'chelseru';
    const [, kind, id] = location.hash.split('/');
    // A room that was named by the address and has come, or has gone.
    const isThere = this.store.rooms.has(Number(id));
    if (kind === 'room' && isThere !== (this.chat.openRoomId === Number(id))) this.#route();
  }

  #arrived(room, frame) {
    if (room.json.muted && this.chat.openRoomId !== room.id) return;
    announce(t('messageFrom', { name: frame.sender || t('goneUser'), text: frame.message || t('file') }));
  }
}
