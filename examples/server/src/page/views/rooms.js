// The list of rooms.

import { avatar, fill, h, icon } from '../dom.js';
import { isPicture } from '../files.js';
import { number, shortTime, t } from '../i18n.js';
import { FAILED } from '../outbox.js';
import { peer } from '../store.js';

/** What a room is called. */
export function nameOf(room, me) {
  if (room.json.kind === 'group') return room.json.name;
  return peer(room, me)?.username ?? t('goneUser');
}

/** The picture of a room. */
export function pictureOf(room, store) {
  const other = peer(room, store.me);
  const isGroup = room.json.kind === 'group';
  const isOnline = other ? store.isOnline(other.id) : null;
  return avatar(nameOf(room, store.me), other?.id ?? room.id, { isGroup, isOnline });
}

/** Who is typing in a room, or null. */
export function typingIn(room) {
  const names = [...room.typing.values()].map(({ name }) => name);
  if (names.length === 0) return null;
  if (room.json.kind === 'pair') return t('typing');
  return names.length === 1 ? t('typingOne', { name: names[0] }) : t('typingMany', { count: names.length });
}

/** A message in one line. */
export function preview(message) {
  if (message.deletedAt) return t('deletedMessage');
  if (message.text) return message.text;
  return message.type === 'image' || isPicture(message.file?.type) ? t('photo') : (message.file?.name ?? t('file'));
}

export class RoomList {
  constructor(chat) {
    this.chat = chat;
    this.store = chat.store;
    this.links = new Map();
    this.current = null;
    this.list = h('ul', { class: 'rooms' });
    this.empty = h('div', { class: 'placeholder small', hidden: true });
    this.element = h('nav', { class: 'room-list', 'aria-label': t('chats') }, this.list, this.empty);
    this.ends = [this.store.on('rooms', () => this.#show()), this.store.on('me', () => this.#show())];
    this.#show();
  }

  end() {
    for (const end of this.ends) end();
  }

  /** The room that is open. */
  mark(id) {
    this.current = id;
    for (const [room, { link }] of this.links) markCurrent(link, room === id);
  }

  /** Goes back to where one came from. */
  focus(id) {
    this.links.get(id)?.link.focus();
  }

  #show() {
    const rooms = this.store.sortedRooms();
    const focused = document.activeElement;
    const hadFocus = this.list.contains(focused);
    rooms.forEach((room, at) => {
      const { item } = this.#itemOf(room);
      if (this.list.children[at] !== item) this.list.insertBefore(item, this.list.children[at] ?? null);
    });
    for (const [id, { item }] of this.links) {
      if (this.store.rooms.has(id)) continue;
      item.remove();
      this.links.delete(id);
    }
    if (hadFocus && document.activeElement !== focused) focused.focus();
    this.empty.hidden = rooms.length > 0;
    fill(this.empty, icon('chat'), h('h2', {}, t('noChats')), h('p', {}, t('noChatsHint', { name: this.store.me.username })));
  }

  #itemOf(room) {
    let entry = this.links.get(room.id);
    if (!entry) {
      const link = h('a', { class: 'room', href: `#/room/${room.id}` });
      entry = { link, item: h('li', {}, link), shown: null };
      markCurrent(link, room.id === this.current);
      this.links.set(room.id, entry);
    }
    const pending = room.pending.at(-1) ?? null;
    const typing = typingIn(room);
    const name = nameOf(room, this.store.me);
    const other = peer(room, this.store.me);
    const { pinned, muted, status } = room.json;
    const isOnline = other && this.store.isOnline(other.id);
    const isRead = room.last && this.store.readers(room, room.last) > 0;
    const shown = JSON.stringify([name, typing, pending && [pending.clientId, pending.state], room.last, room.unread, pinned, muted, status, isOnline, isRead, shortTimeOf(room)]);
    if (shown !== entry.shown) {
      entry.shown = shown;
      fill(entry.link, this.#contents(room, name, typing, pending));
    }
    return entry;
  }

  #contents(room, name, typing, pending) {
    const { pinned, muted, status } = room.json;
    return [
      pictureOf(room, this.store),
      h('span', { class: 'room-name' }, h('bdi', {}, name), status === 1 ? null : icon('lock'), muted ? icon('mute') : null),
      h('time', {}, shortTimeOf(room)),
      typing
        ? h('span', { class: 'room-last typing' }, typing)
        : h('span', { class: 'room-last', dir: 'auto' }, this.#lastLine(room, pending)),
      h(
        'span',
        { class: 'room-marks' },
        pinned && room.unread === 0 ? icon('pin') : null,
        room.unread > 0
          ? h('span', { class: muted ? 'badge quiet-badge' : 'badge', 'aria-label': t('unread', { count: room.unread }) }, room.unread > 999 ? `${number(999)}+` : number(room.unread))
          : null,
      ),
    ];
  }

  #lastLine(room, pending) {
    if (pending) return [icon(pending.state === FAILED ? 'alert' : 'clock'), ' ', preview(pending).slice(0, 120)];
    const { last } = room;
    if (!last) return '';
    const text = preview(last).slice(0, 120);
    if (last.sender?.id === this.store.me.id && !last.deletedAt) {
      return [icon(this.store.readers(room, last) > 0 ? 'checks' : 'check'), ' ', text];
    }
    if (room.json.kind === 'group' && !last.deletedAt) return [h('b', {}, h('bdi', {}, last.sender?.username ?? t('goneUser'))), ': ', text];
    return text;
  }
}

function shortTimeOf(room) {
  const time = room.pending.at(-1)?.createdAt ?? room.last?.createdAt;
  return time ? shortTime(time) : '';
}

function markCurrent(link, isCurrent) {
  if (isCurrent) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
}
