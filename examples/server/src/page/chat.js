// The chat of one login: the socket feeds the store, and what the user does goes out through here.

import * as api from './api.js';
import * as tokens from './tokens.js';
import { Files } from './files.js';
import { Sending } from './sending.js';
import { ReturningSocket } from './socket.js';
import { GAP, NO_ROOM, Store, TAKEN, fromRoute } from './store.js';

const PAGE_SIZE = 50;
const TYPING_EVERY = 3000;
/** In rooms with more members nobody is told who has read what. */
const MANY_MEMBERS = 50;
/** How many entries are read before a message that is looked for. */
const BEFORE = 20;

export class Chat {
  constructor(me) {
    this.store = new Store(me);
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
    this.files = new Files();
    this.sending = new Sending(this.store, this.files, this.socket);
  }

  /** Reads the rooms, then listens. Fails when the rooms cannot be read. */
  async start() {
    for (const json of await api.all('/chat/chatrooms/?page_size=100')) this.store.putRoom(json);
    await this.sending.restore();
    this.socket.start();
    this.renewal = setInterval(() => this.#renewInTime(), 5000);
  }

  stop() {
    clearInterval(this.renewal);
    this.sending.stop();
    this.socket.stop();
    this.files.end();
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
      frames.push(...this.sending.waiting(room));
      if (room.readSeq > room.readTold) frames.push({ type: 'read', room: room.id, seq: room.readSeq });
    }
    return frames;
  }

  #connection(state) {
    this.store.connection = state;
    this.store.change('connection', 'rooms');
    if (state.name !== 'live') return;
    // The log comes by `resume`; names, members and what others have read do not.
    if (this.wasLive) this.#refresh();
    this.wasLive = true;
    this.sending.uploads.run();
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
        return this.sending.acknowledged(frame);
      case 'error':
        return frame.client_id && this.sending.refused(frame);
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
    if (isMine && frame.client_id) this.sending.forget(frame.client_id);
    if (!isMine) this.onArrival(this.store.rooms.get(frame.room), frame);
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

  /** The message that another one answers, for its quotation; null when it cannot be read. */
  async fetchQuoted(room, id) {
    if (room.quoted.has(id)) return room.quoted.get(id);
    room.quoted.set(id, null);
    try {
      room.quoted.set(id, fromRoute(await api.call('GET', `/chat/messages/${id}/`)));
      this.store.change(`messages:${room.id}`);
    } catch {
      // It stays without.
    }
    return room.quoted.get(id);
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

  /** Whether there is something before what is shown. */
  hasOlder(room) {
    return room.island ? room.island.from > 1 : room.older !== null;
  }

  /** The page before what is shown, if there is one. */
  async loadOlder(room) {
    const { island } = room;
    await this.#once(room, async () => {
      if (!island && room.older) this.store.putPage(room, await api.page(room.older));
      if (!island || island.from <= 1) return;
      const since = Math.max(0, island.from - 1 - PAGE_SIZE);
      await this.#entries(room, since, island.from - 1 - since);
      if (room.island === island) this.store.putIsland(room, { ...island, from: since + 1 });
    });
  }

  /** The page after what is shown, where that is not the end. */
  async loadNewer(room) {
    const { island } = room;
    if (!island) return;
    await this.#once(room, async () => {
      const count = await this.#entries(room, island.to, PAGE_SIZE);
      if (room.island === island) this.store.putIsland(room, { ...island, to: island.to + count });
    });
  }

  /** Makes a place of the log be among what is shown, with what is around it. */
  async reach(room, seq) {
    const { from, to } = room.island ?? { from: room.low, to: Number.POSITIVE_INFINITY };
    if (seq >= from && seq <= to) return;
    if (seq >= room.low) return this.leaveIsland(room);
    const since = Math.max(0, seq - 1 - BEFORE);
    const [count] = await Promise.all([this.#entries(room, since, PAGE_SIZE), this.#readPlaces(room)]);
    this.store.putIsland(room, { from: since + 1, to: since + count });
  }

  /** Shows the end of the log again. */
  leaveIsland(room) {
    if (room.island) this.store.putIsland(room, null);
  }

  async #once(room, load) {
    if (room.isLoadingMore) return;
    room.isLoadingMore = true;
    try {
      await load();
    } finally {
      room.isLoadingMore = false;
    }
  }

  /** Entries of the log after a place, which have no gaps; how many there were. */
  async #entries(room, since, count) {
    const page = await api.call('GET', `/chat/messages/?chat_room=${room.id}&since=${since}&page_size=${count}`);
    this.store.putEntries(room, page.results);
    return page.results.length;
  }

  /** How far the members have read, which entries do not tell. */
  async #readPlaces(room) {
    if (room.json.member_count > MANY_MEMBERS) return;
    const members = await api.all(`/chat/chatrooms/${room.id}/members/?page_size=100`);
    for (const { user, read_seq: seq } of members) this.store.putRead(room, user.id, seq);
  }

  /** The messages in which words are, a page of them: the newest first. */
  search(room, words) {
    return api.call('GET', `/chat/messages/?chat_room=${room.id}&search=${encodeURIComponent(words)}`);
  }

  /** Sends a text and files. */
  send(room, { text, files, replyTo }) {
    this.typedAt.delete(room.id);
    if (files.length > 0) this.sending.sendFiles(room, files, text, replyTo);
    else this.sending.send(room, text, replyTo);
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
