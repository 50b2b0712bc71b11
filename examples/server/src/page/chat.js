// The chat of one login: the socket feeds the store, and what the user does goes out through here.

import * as api from './api.js';
import * as tokens from './tokens.js';
import { FAILED, Outbox, SENDING, SENT } from './outbox.js';
import { ReturningSocket } from './socket.js';
import { GAP, NO_ROOM, Store, TAKEN, fromRoute } from './store.js';

const PAGE_SIZE = 50;
const TYPING_EVERY = 3000;
/** After how long without an answer a message on a living connection is sent again. */
const ACK_WITHIN = 15_000;
/** Errors that time mends; all others say that the message itself is refused. */
const PASSING = new Set(['try_again', 'unavailable', 'too_many_messages', 'too_many_frames']);

export class Chat {
  constructor(me) {
    this.store = new Store(me);
    this.outbox = new Outbox(me.id);
    this.openRoomId = null;
    this.typedAt = new Map();
    this.refetching = new Map();
    this.wasLive = false;
    this.onArrival = () => {};
    this.onGone = () => {};
    this.socket = new ReturningSocket({
      url: api.socketUrl(),
      token: api.usableToken,
      freshToken: api.freshToken,
      probe: () => api.call('GET', '/sessions/'),
      greeting: () => this.#greeting(),
      onFrame: (frame) => this.#frame(frame),
      onState: (state) => this.#connection(state),
    });
  }

  /** Reads the rooms, then listens. Fails when the rooms cannot be read. */
  async start() {
    for (const json of await api.all('/chat/chatrooms/?page_size=100')) this.store.putRoom(json);
    for (const item of this.outbox.unsent()) {
      const room = this.store.rooms.get(item.room);
      if (room) room.pending.push(item.state === FAILED ? item : { ...item, state: SENDING });
      else this.outbox.forget(item.clientId);
    }
    this.socket.start();
    this.renewal = setInterval(() => this.#renewInTime(), 5000);
    this.sweep = setInterval(() => this.#sendAgain(), 5000);
  }

  stop() {
    clearInterval(this.renewal);
    clearInterval(this.sweep);
    this.socket.stop();
  }

  /** Another tab, or a route, has renewed the tokens. */
  useToken(access) {
    this.socket.useToken(access);
  }

  #renewInTime() {
    if (!this.socket.isLive) return;
    const now = Date.now();
    if (now > (tokens.current()?.renewAt ?? Number.POSITIVE_INFINITY)) this.socket.renewToken();
  }

  #greeting() {
    const rooms = {};
    for (const room of this.store.rooms.values()) rooms[room.id] = room.at;
    const frames = [{ type: 'resume', rooms }];
    for (const room of this.store.rooms.values()) {
      for (const item of room.pending) {
        if (item.state !== SENDING) continue;
        item.triedAt = Date.now();
        frames.push(Outbox.frame(item));
      }
      if (room.readSeq > room.readTold) frames.push({ type: 'read', room: room.id, seq: room.readSeq });
    }
    return frames;
  }

  #connection(state) {
    this.store.connection = state;
    this.store.change('connection');
    if (state.name !== 'live') return;
    // The log comes by `resume`; names, members and what others have read do not.
    if (this.wasLive) this.#refresh();
    this.wasLive = true;
  }

  async #refresh() {
    try {
      for (const json of await api.all('/chat/chatrooms/?page_size=100')) this.store.putRoom(json);
      const open = this.store.rooms.get(this.openRoomId);
      if (open?.isLoaded) await this.#newestPage(open, open.older);
    } catch {
      // The next connection tries again.
    }
  }

  #frame(frame) {
    switch (frame.type) {
      case 'hello':
        return this.#hello(frame);
      case 'chat_message':
      case 'message_edited':
      case 'message_deleted':
        return this.#entry(frame);
      case 'ack':
        return this.#acknowledged(frame);
      case 'error':
        return this.#refused(frame);
      case 'too_far':
        return this.#tooFar(frame);
      case 'read':
        return this.#withRoom(frame.room, (room) => this.store.putRead(room, frame.user, frame.seq));
      case 'typing':
        return this.store.putTyping(frame);
      case 'presence':
        return this.store.putPresence(frame);
      case 'room_changed':
        return this.fetchRoom(frame.room);
      case 'room_left':
        return this.#left(frame.room);
      default:
        // A later server may say more.
        return undefined;
    }
  }

  #hello(frame) {
    this.store.me = { ...this.store.me, ...frame.user };
    this.store.change('me');
    for (const id of Object.keys(frame.rooms).map(Number)) if (!this.store.rooms.has(id)) this.fetchRoom(id);
    for (const id of [...this.store.rooms.keys()]) if (!(id in frame.rooms)) this.#left(id);
  }

  #entry(frame) {
    const what = this.store.putEntry(frame);
    if (what === NO_ROOM) this.fetchRoom(frame.room);
    // Cannot be, but if it is, `resume` brings what is missing.
    if (what === GAP) this.socket.restart();
    if (what !== TAKEN || frame.type !== 'chat_message') return;
    const isMine = frame.sender_id === this.store.me.id;
    if (isMine && frame.client_id) this.outbox.forget(frame.client_id);
    if (frame.attachment) this.#fetchMessage(frame.room, frame.id);
    if (!isMine) this.onArrival(this.store.rooms.get(frame.room), frame);
  }

  #acknowledged(frame) {
    this.outbox.forget(frame.client_id);
    this.#withRoom(frame.room, (room) => {
      const item = room.pending.find((pending) => pending.clientId === frame.client_id);
      if (!item) return;
      item.state = SENT;
      item.createdAt = frame.created_at;
      // Its own frame may have come before, to a room that was not looked at then.
      if (frame.seq <= room.at && !room.isLoaded) room.pending = room.pending.filter((other) => other !== item);
      this.store.change(`messages:${room.id}`, 'rooms');
    });
  }

  #refused(frame) {
    if (!frame.client_id) return;
    for (const room of this.store.rooms.values()) {
      const item = room.pending.find((pending) => pending.clientId === frame.client_id);
      if (!item) continue;
      if (frame.retry_after_ms || PASSING.has(frame.code)) {
        item.retryAt = Date.now() + (frame.retry_after_ms ?? 2000);
      } else {
        item.state = FAILED;
        item.why = frame.code;
        this.outbox.keep(item);
      }
      this.store.change(`messages:${room.id}`, 'rooms');
    }
  }

  async #tooFar(frame) {
    const room = this.store.rooms.get(frame.room);
    if (!room) return;
    this.store.forgetMessages(room, frame.seq);
    await this.fetchRoom(room.id);
    if (this.openRoomId === room.id) await this.load(room).catch(() => {});
  }

  #left(id) {
    this.store.removeRoom(id);
    if (this.openRoomId === id) this.onGone();
  }

  #withRoom(id, act) {
    const room = this.store.rooms.get(id);
    if (room) act(room);
  }

  /** Reads a room; calls that come together share one. */
  fetchRoom(id) {
    if (!this.refetching.has(id)) {
      const reading = api
        .call('GET', `/chat/chatrooms/${id}/`)
        .then((json) => this.store.putRoom(json))
        .catch((error) => {
          if (error instanceof api.Refused && error.status === 404) this.#left(id);
          return null;
        })
        .finally(() => this.refetching.delete(id));
      this.refetching.set(id, reading);
    }
    return this.refetching.get(id);
  }

  async #fetchMessage(roomId, id) {
    const room = this.store.rooms.get(roomId);
    if (!room?.isLoaded) return;
    try {
      this.store.putMessage(room, fromRoute(await api.call('GET', `/chat/messages/${id}/`)));
    } catch {
      // It is shown without its file.
    }
  }

  /** The message that another one answers, for its quotation. */
  async fetchQuoted(room, id) {
    if (room.quoted.has(id)) return;
    room.quoted.set(id, null);
    try {
      room.quoted.set(id, fromRoute(await api.call('GET', `/chat/messages/${id}/`)));
      this.store.change(`messages:${room.id}`);
    } catch {
      // It stays without.
    }
  }

  /** The newest messages of a room, once. */
  async load(room) {
    if (!room.isLoaded) await this.#newestPage(room);
  }

  async #newestPage(room, older) {
    const page = await api.call('GET', `/chat/messages/?chat_room=${room.id}&page_size=${PAGE_SIZE}`);
    // What is shown already begins further back than this page does.
    this.store.putPage(room, older === undefined ? page : { ...page, next: older });
  }

  /** The page before what is shown; whether there was one. */
  async loadOlder(room) {
    if (!room.older || room.isLoadingOlder) return false;
    room.isLoadingOlder = true;
    try {
      this.store.putPage(room, await api.page(room.older));
      return true;
    } finally {
      room.isLoadingOlder = false;
    }
  }

  /** Sends a text: at once, or when the connection is back. */
  send(room, text, replyTo) {
    const item = this.outbox.add(room.id, text, replyTo);
    room.pending.push(item);
    this.typedAt.delete(room.id);
    this.#try(item);
    this.store.change(`messages:${room.id}`, 'rooms');
  }

  #try(item) {
    item.retryAt = null;
    if (this.socket.send(Outbox.frame(item))) item.triedAt = Date.now();
  }

  /** Sends again what was refused, under the same key. */
  resend(room, item) {
    item.state = SENDING;
    item.why = null;
    this.outbox.keep(item);
    this.#try(item);
    this.store.change(`messages:${room.id}`, 'rooms');
  }

  /** Gives up a message that was not sent. */
  discard(room, item) {
    this.outbox.forget(item.clientId);
    room.pending = room.pending.filter((other) => other !== item);
    this.store.change(`messages:${room.id}`, 'rooms');
  }

  #sendAgain() {
    if (!this.socket.isLive) return;
    const now = Date.now();
    for (const room of this.store.rooms.values()) {
      for (const item of room.pending) {
        if (item.state !== SENDING) continue;
        const isDue = item.retryAt ? now > item.retryAt : now > (item.triedAt ?? 0) + ACK_WITHIN;
        if (isDue) this.#try(item);
      }
    }
  }

  async edit(room, message, text) {
    const json = await api.call('PATCH', `/chat/messages/${message.id}/`, { text });
    this.store.putMessage(room, fromRoute(json));
  }

  /** Deletes a message for everyone or for oneself (`me`). */
  async remove(room, message, whom) {
    await api.call('DELETE', `/chat/messages/${message.id}/?for=${whom}`);
    this.store.putMessage(room, { ...message, text: '', deletedAt: new Date().toISOString() });
  }

  /** The user has seen the room up to its end. */
  markRead(room) {
    const seq = room.last?.seq ?? 0;
    if (seq > room.readSeq || room.unread > 0) {
      room.readSeq = Math.max(room.readSeq, seq);
      room.unread = 0;
      this.store.change('rooms', `room:${room.id}`);
    }
    if (room.readSeq > room.readTold && this.socket.send({ type: 'read', room: room.id, seq: room.readSeq })) {
      room.readTold = room.readSeq;
    }
  }

  /** The user types; told once in a few seconds. */
  typing(room) {
    const now = Date.now();
    if (now < (this.typedAt.get(room.id) ?? 0) + TYPING_EVERY) return;
    if (this.socket.send({ type: 'typing', room: room.id })) this.typedAt.set(room.id, now);
  }

  /** A room for two with somebody: the one that there is, or a new one. */
  async openPair(username) {
    return this.store.putRoom(await api.call('POST', '/chat/chatrooms/', { username }));
  }

  async openGroup(name, users) {
    return this.store.putRoom(await api.call('POST', '/chat/chatrooms/', { name, users }));
  }

  /** Changes a room, or what it is to the user. */
  async change(room, changes) {
    this.store.putRoom(await api.call('PATCH', `/chat/chatrooms/${room.id}/`, changes));
  }

  /** A verb below a room; the room is read again after it. */
  async act(room, method, path, body) {
    const answer = await api.call(method, `/chat/chatrooms/${room.id}/${path}`, body);
    await this.fetchRoom(room.id);
    return answer;
  }
}
