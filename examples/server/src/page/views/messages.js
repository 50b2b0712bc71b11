// The messages of a room, in order, and after them what is on its way. Only what has changed is drawn anew.

import * as api from '../api.js';
import { avatar, fill, h, icon, iconButton, linked, toast } from '../dom.js';
import { clockTime, day, moment, problem, reason, t } from '../i18n.js';
import { FAILED, SENT, UPLOADING } from '../outbox.js';
import { attachment, upload } from './attachment.js';
import { ask, dialog, menu } from './common.js';
import { preview } from './rooms.js';

/** Messages of one sender within this time are shown together. */
const TOGETHER = 5 * 60_000;
const KICK_MEMBER = 3;

export class MessageList {
  constructor(chat, room, { reply, edit, show }) {
    this.chat = chat;
    this.store = chat.store;
    this.room = room;
    this.reply = reply;
    this.edit = edit;
    this.showMessage = show;
    this.drawn = new Map();
    // Kept when a message is drawn anew, so that pictures do not flicker.
    this.attachments = new Map();
    this.uploads = new Map();
    this.list = h('ol', { class: 'messages' });
    this.top = h('p', { class: 'muted small top' });
    this.element = h('div', { class: 'log-inner' }, this.top, this.list);
    // Where the line between old and new is, as long as the room is open.
    this.newFrom = room.unread > 0 ? room.readSeq : null;
  }

  show() {
    const rows = this.#rows();
    const kept = new Set();
    rows.forEach((row, at) => {
      kept.add(row.key);
      const element = this.#draw(row);
      if (this.list.children[at] !== element) this.list.insertBefore(element, this.list.children[at] ?? null);
    });
    for (const [key, { element }] of this.drawn) {
      if (kept.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
      this.uploads.delete(key);
    }
    this.top.textContent = this.#topText(rows.length > 0);
  }

  #topText(hasMessages) {
    if (!this.room.isLoaded || this.chat.hasOlder(this.room)) return t('loading');
    return hasMessages ? t('beginning') : t('noMessages');
  }

  #rows() {
    const stored = this.store.sortedMessages(this.room);
    const isMine = (message) => message.sender?.id === this.store.me.id;
    const pending = this.room.pending.map((item) => ({ ...item, isPending: true, item, sender: this.store.me }));
    const all = this.room.isLoaded ? [...stored, ...(this.room.island ? [] : pending)] : [];
    const rows = [];
    let before = null;
    let hasLine = false;
    all.forEach((message, at) => {
      const isNewDay = !before || !isSameDay(before, message);
      if (isNewDay) rows.push({ key: `day ${day(message.createdAt)}`, day: day(message.createdAt) });
      const isNew = this.newFrom !== null && message.seq > this.newFrom && !isMine(message);
      if (isNew && !hasLine) {
        hasLine = true;
        rows.push({ key: 'new', line: t('newMessages') });
      }
      const after = all[at + 1];
      rows.push({
        key: message.clientId && isMine(message) ? `c${message.clientId}` : `m${message.id}`,
        message,
        isMine: isMine(message),
        isFirst: isNewDay || !belongTogether(before, message),
        isLast: !after || !belongTogether(message, after) || !isSameDay(message, after),
      });
      before = message;
    });
    return rows;
  }

  #draw(row) {
    const state = row.message ? this.#state(row) : null;
    const shown = JSON.stringify([row.day, row.line, state, row.isFirst, row.isLast, row.message && this.#visible(row.message)]);
    const known = this.drawn.get(row.key);
    if (known?.shown === shown) return known.element;
    const element = known?.element ?? h('li', {});
    if (row.message) this.#drawMessage(element, row, state);
    else {
      element.className = row.day ? 'day' : 'line';
      fill(element, h('span', {}, row.day ?? row.line));
    }
    this.drawn.set(row.key, { element, shown });
    return element;
  }

  #visible(message) {
    const quoted = message.replyTo ? this.#quoted(message.replyTo) : null;
    return [message.text, message.deletedAt, message.editedAt, message.createdAt, message.attachment, message.state, message.why, message.sender?.username, quoted && preview(quoted)];
  }

  /** How far an own message has come: a sign and its name. */
  #state({ message, isMine }) {
    if (!isMine || message.deletedAt) return null;
    if (message.isPending) {
      if (message.state === FAILED) return ['alert', t('notSent', { why: reason(message.why) })];
      if (message.state === SENT) return ['check', t('sent')];
      if (message.state === UPLOADING && this.chat.socket.isLive) return ['clock', t('uploading')];
      return ['clock', this.chat.socket.isLive ? t('sending') : t('waitingToSend')];
    }
    const readers = this.store.readers(this.room, message);
    if (readers === 0) return ['check', t('sent')];
    return ['checks', this.room.json.kind === 'pair' ? t('read') : t('readBy', { count: readers })];
  }

  #drawMessage(element, row, state) {
    const { message, isMine, isFirst, isLast } = row;
    const isGroup = this.room.json.kind === 'group';
    const name = message.sender?.username ?? t('goneUser');
    element.className = ['message', isMine && 'mine', isFirst && 'first', isLast && 'last', message.deletedAt && 'deleted', message.state === FAILED && 'failed'].filter(Boolean).join(' ');
    const showsName = isGroup && !isMine && isFirst;
    const bubble = h(
      'div',
      { class: 'bubble' },
      showsName ? h('p', { class: 'sender', 'data-tint': (message.sender?.id ?? 0) % 8 }, h('bdi', {}, name)) : h('span', { class: 'hidden-visually' }, isMine ? t('you') : name, ': '),
      message.replyTo && !message.deletedAt ? this.#quotation(message.replyTo) : null,
      message.deletedAt ? h('p', { class: 'text' }, t('deletedMessage')) : [this.#file(row), message.text ? h('p', { class: 'text', dir: 'auto' }, linked(message.text)) : null],
      h(
        'p',
        { class: 'meta' },
        message.editedAt && !message.deletedAt ? h('span', {}, t('edited')) : null,
        h('time', { datetime: message.createdAt, title: moment(message.createdAt) }, clockTime(message.createdAt)),
        state ? h('span', { class: `state ${state[0]}`, role: 'img', 'aria-label': state[1], title: state[1] }, icon(state[0])) : null,
      ),
    );
    fill(
      element,
      isGroup && !isMine ? (isLast ? avatar(name, message.sender?.id ?? 0) : h('span', { class: 'avatar-space' })) : null,
      bubble,
      message.isPending || message.deletedAt ? null : this.#actions(message, isMine),
      message.state === FAILED ? this.#failure(message, state) : null,
    );
  }

  #quoted(id) {
    return this.room.messages.get(id) ?? this.room.quoted.get(id) ?? null;
  }

  #quotation(id) {
    const quoted = this.#quoted(id);
    if (!quoted) this.chat.fetchQuoted(this.room, id);
    const jump = async () => {
      const target = this.#quoted(id) ?? (await this.chat.fetchQuoted(this.room, id));
      if (target) this.showMessage(target);
    };
    return h(
      'button',
      { type: 'button', class: 'quote', on: { click: jump } },
      h('b', {}, quoted ? h('bdi', {}, quoted.sender?.username ?? t('goneUser')) : t('earlierMessage')),
      quoted ? h('span', { dir: 'auto' }, preview(quoted)) : null,
    );
  }

  /** The messages that are drawn, in order. Headings between them move when more comes. */
  elements() {
    return [...this.list.children].filter((element) => element.classList.contains('message'));
  }

  /** Whether a message is among what is shown. */
  has(id) {
    return this.#elementOf(id) !== null;
  }

  #elementOf(id) {
    const message = this.room.messages.get(id);
    if (!message) return null;
    return (this.drawn.get(`m${id}`) ?? this.drawn.get(`c${message.clientId}`))?.element ?? null;
  }

  /** Brings a message that is drawn into the middle of what is seen; whether it is drawn. */
  point(id) {
    const element = this.#elementOf(id);
    if (!element) return false;
    element.scrollIntoView({ block: 'center' });
    element.classList.add('found');
    setTimeout(() => element.classList.remove('found'), 2000);
    return true;
  }

  #file({ message, key }) {
    if (message.item?.file && !message.attachment) {
      if (!this.uploads.has(key)) this.uploads.set(key, upload(this.chat, message.item));
      const { element, update } = this.uploads.get(key);
      update();
      return element;
    }
    const id = message.attachment;
    if (!id) return null;
    if (!this.attachments.has(id)) this.attachments.set(id, attachment(this.chat, message));
    return this.attachments.get(id);
  }

  /** Shows how far the files on their way are. */
  showProgress() {
    for (const { update } of this.uploads.values()) update();
  }

  #failure(message, state) {
    return h(
      'p',
      { class: 'failure', role: 'alert' },
      h('span', {}, state[1]),
      // What was not kept cannot be sent.
      message.why === 'file_lost' ? null : h('button', { type: 'button', class: 'quiet', on: { click: () => this.chat.sending.resend(this.room, message.item) } }, t('tryAgain')),
      h('button', { type: 'button', class: 'quiet', on: { click: () => this.chat.sending.discard(message.item) } }, t('discard')),
    );
  }

  #actions(message, isMine) {
    const button = iconButton('more', t('messageActions'), () => menu(button, this.#verbs(message, isMine)), { 'aria-haspopup': 'menu', class: 'icon-button actions' });
    return button;
  }

  #verbs(message, isMine) {
    const { kind, permissions, owner } = this.room.json;
    const mayDeleteOthers = kind === 'group' && (owner?.id === this.store.me.id || permissions.includes(KICK_MEMBER));
    const copy = () => navigator.clipboard?.writeText(message.text).then(() => toast(t('copied')), () => {});
    return [
      { label: t('reply'), act: () => this.reply(message) },
      message.text && navigator.clipboard ? { label: t('copy'), act: copy } : null,
      isMine && this.room.json.kind === 'group' ? { label: t('seenBy'), act: () => this.#openReaders(message) } : null,
      isMine && message.text ? { label: t('edit'), act: () => this.edit(message) } : null,
      isMine || mayDeleteOthers ? { label: t('deleteForAll'), act: () => this.#remove(message, 'everyone'), isDanger: true } : null,
      { label: t('deleteForMe'), act: () => this.#remove(message, 'me'), isDanger: true },
    ].filter(Boolean);
  }

  async #openReaders(message) {
    try {
      const { read_by: readers } = await api.call('GET', `/chat/messages/${message.id}/`);
      const rows = readers.map((user) => h('li', {}, avatar(user.username, user.id), h('bdi', { class: 'grow' }, user.username)));
      dialog(t('seenBy'), () => h('div', {}, rows.length > 0 ? h('ul', { class: 'people' }, rows) : h('p', { class: 'muted' }, t('seenByNobody'))));
    } catch (error) {
      toast(problem(error));
    }
  }

  async #remove(message, whom) {
    if (!(await ask(preview(message), t(whom === 'me' ? 'deleteForMe' : 'deleteForAll')))) return;
    try {
      await this.chat.remove(this.room, message, whom);
    } catch (error) {
      toast(problem(error));
    }
  }
}

function isSameDay(one, other) {
  return new Date(one.createdAt).toDateString() === new Date(other.createdAt).toDateString();
}

function belongTogether(one, other) {
  return one?.sender?.id === other.sender?.id && Math.abs(Date.parse(other.createdAt) - Date.parse(one.createdAt)) < TOGETHER;
}
