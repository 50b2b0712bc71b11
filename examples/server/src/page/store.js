// What is known of the rooms. Frames of the log are taken in order and once: that is what makes a resumed
// connection lose and repeat nothing. Views listen to topics: `rooms`, `room:ID`, `messages:ID`,
// `connection`, `me`.

/** What a frame of the log did to a room. */
export const TAKEN = 'taken';
export const KNOWN = 'known';
export const GAP = 'gap';
export const NO_ROOM = 'no room';

const TYPING_FOR = 5000;

export class Store {
  constructor(me) {
    this.me = me;
    this.rooms = new Map();
    this.presence = new Map();
    this.connection = { name: 'connecting' };
    this.listeners = new Map();
    this.changed = new Set();
  }

  /** Listens to a topic; gives the function that ends it. */
  on(topic, listener) {
    if (!this.listeners.has(topic)) this.listeners.set(topic, new Set());
    this.listeners.get(topic).add(listener);
    return () => this.listeners.get(topic)?.delete(listener);
  }

  /** Tells of a change, once for all that come together. */
  change(...topics) {
    if (this.changed.size === 0) queueMicrotask(() => this.#tell());
    for (const topic of topics) this.changed.add(topic);
  }

  #tell() {
    const topics = [...this.changed];
    this.changed.clear();
    for (const topic of topics) for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  /** Takes a room as the routes tell of it. The place in its log moves only by frames. */
  putRoom(json) {
    const known = this.rooms.get(json.id);
    const room = known ?? {
      id: json.id,
      at: json.last_seq,
      unread: json.unread_count,
      readSeq: json.read_seq,
      readTold: json.read_seq,
      last: null,
      messages: new Map(),
      pending: [],
      quoted: new Map(),
      isLoaded: false,
      older: null,
      // From which place on everything up to the end is here.
      low: Number.POSITIVE_INFINITY,
      // A part of the log away from the end, when that is what is looked at: from, to.
      island: null,
      reads: new Map(),
      typing: new Map(),
    };
    room.json = json;
    room.readSeq = Math.max(room.readSeq, json.read_seq);
    room.readTold = Math.max(room.readTold, json.read_seq);
    if (json.last_seq === room.at && json.read_seq === room.readSeq) room.unread = json.unread_count;
    if (json.last_message && (!room.last || json.last_message.seq >= room.last.seq)) {
      room.last = fromRoute(json.last_message);
      this.#putReads(room, json.last_message);
    }
    const other = peer(room, this.me);
    if (other && json.online !== undefined) {
      this.presence.set(other.id, { ...this.presence.get(other.id), online: Boolean(json.online) });
    }
    this.rooms.set(room.id, room);
    this.change('rooms', `room:${room.id}`);
    return room;
  }

  removeRoom(id) {
    if (this.rooms.delete(id)) this.change('rooms', `room:${id}`);
  }

  /** Takes a page of messages as the route gives them, the newest first. */
  putPage(room, page) {
    for (const json of page.results) {
      this.putMessage(room, fromRoute(json));
      this.#putReads(room, json);
    }
    const first = page.next ? Math.min(...page.results.map((json) => json.seq)) : 0;
    room.low = Math.min(room.low, first);
    room.older = page.next;
    room.isLoaded = true;
    this.change(`messages:${room.id}`);
  }

  /** Forgets the messages of a room: they are behind a gap and are read anew. */
  forgetMessages(room, at) {
    room.messages.clear();
    room.isLoaded = false;
    room.older = null;
    room.low = Number.POSITIVE_INFINITY;
    room.island = null;
    room.at = at;
    this.change(`messages:${room.id}`);
  }

  /** Takes a part of the log, as the route tells its entries, beside the end of it. */
  putEntries(room, frames) {
    for (const frame of frames) if (frame.type === 'chat_message') this.putMessage(room, fromFrame(frame));
  }

  /** What is looked at: a part of the log away from its end, or null for the end. */
  putIsland(room, island) {
    room.island = island;
    if (island && island.to >= room.low - 1) {
      // They touch: it is no island any more.
      room.low = island.from > 1 ? Math.min(room.low, island.from) : 0;
      room.island = null;
      if (room.low === 0) room.older = null;
    }
    this.change(`messages:${room.id}`);
  }

  /** Takes a message in the newer of its states: pages and frames may cross. */
  putMessage(room, message) {
    const known = room.messages.get(message.id);
    const merged = known && age(known) > age(message) ? known : message;
    room.messages.set(message.id, merged);
    if (room.last?.id === message.id || !room.last || message.seq > room.last.seq) room.last = merged;
    if (message.clientId && message.sender?.id === this.me.id) {
      room.pending = room.pending.filter((item) => item.clientId !== message.clientId);
    }
    this.change(`messages:${room.id}`, 'rooms');
    return merged;
  }

  #putReads(room, json) {
    for (const user of json.read_by ?? []) this.putRead(room, user.id, json.seq);
  }

  /** A member has read up to a place. */
  putRead(room, user, seq) {
    if (user === this.me.id) {
      room.readTold = Math.max(room.readTold, seq);
      if (seq > room.readSeq) this.#readMyself(room, seq);
    } else if (seq > (room.reads.get(user) ?? 0)) {
      room.reads.set(user, seq);
      this.change(`messages:${room.id}`, 'rooms');
    }
  }

  #readMyself(room, seq) {
    room.readSeq = seq;
    if (seq >= (room.last?.seq ?? 0)) room.unread = 0;
    else if (room.isLoaded) room.unread = this.#unreadAmong(room);
    this.change('rooms', `room:${room.id}`);
  }

  #unreadAmong(room) {
    return [...room.messages.values()].filter(
      (message) => message.seq > room.readSeq && message.sender?.id !== this.me.id && !message.deletedAt,
    ).length;
  }

  /** How many others have read a message. */
  readers(room, message) {
    return [...room.reads.values()].filter((seq) => seq >= message.seq).length;
  }

  /** Takes a frame of the log: each place once, in order. */
  putEntry(frame) {
    const room = this.rooms.get(frame.room);
    if (!room) return NO_ROOM;
    if (frame.seq <= room.at) return KNOWN;
    if (frame.seq > room.at + 1) return GAP;
    room.at = frame.seq;
    if (frame.type === 'chat_message') this.#putNew(room, fromFrame(frame));
    else this.#putChange(room, frame);
    return TAKEN;
  }

  #putNew(room, message) {
    room.typing.delete(message.sender?.id);
    // Of a room that was never looked at, the newest message is enough.
    if (room.isLoaded) this.putMessage(room, message);
    else this.#putLast(room, message);
    if (message.sender?.id === this.me.id) this.#readMyself(room, Math.max(room.readSeq, message.seq));
    else if (message.seq > room.readSeq && !message.deletedAt) room.unread += 1;
    this.change('rooms', `room:${room.id}`);
  }

  #putLast(room, message) {
    room.last = message;
    room.pending = room.pending.filter((item) => item.clientId !== message.clientId);
  }

  #putChange(room, frame) {
    const isDeletion = frame.type === 'message_deleted';
    const change = isDeletion
      ? { text: '', deletedAt: frame.deleted_at }
      : { text: frame.message, editedAt: frame.edited_at };
    const known = room.messages.get(frame.id);
    if (isDeletion && known && known.seq > room.readSeq && known.sender?.id !== this.me.id) {
      room.unread = Math.max(0, room.unread - 1);
    }
    if (known && !known.deletedAt) room.messages.set(frame.id, { ...known, ...change });
    if (room.last?.id === frame.id) room.last = { ...room.last, ...change };
    if (room.quoted.has(frame.id)) room.quoted.set(frame.id, { ...room.quoted.get(frame.id), ...change });
    this.change(`messages:${room.id}`, 'rooms');
  }

  /** A member is typing, for a few seconds unless told again. */
  putTyping(frame) {
    const room = this.rooms.get(frame.room);
    if (!room || frame.user === this.me.id) return;
    clearTimeout(room.typing.get(frame.user)?.timer);
    const timer = setTimeout(() => {
      room.typing.delete(frame.user);
      this.change(`room:${room.id}`, 'rooms');
    }, TYPING_FOR);
    room.typing.set(frame.user, { name: frame.sender, timer });
    this.change(`room:${room.id}`, 'rooms');
  }

  putPresence(frame) {
    this.presence.set(frame.user, { online: frame.online, lastSeen: frame.last_seen ?? null });
    this.change('rooms', ...[...this.rooms.keys()].map((id) => `room:${id}`));
  }

  /** Whether somebody is here, or null: without a connection nobody knows. */
  isOnline(id) {
    return this.connection.name === 'live' ? (this.presence.get(id)?.online ?? null) : null;
  }

  /** The rooms as the list shows them: pinned first, then the latest. */
  sortedRooms() {
    return [...this.rooms.values()].sort(
      (a, b) => Number(b.json.pinned) - Number(a.json.pinned) || lastTime(b) - lastTime(a) || b.id - a.id,
    );
  }

  /** The messages of a room that are looked at, in order and without a gap. */
  sortedMessages(room) {
    const { from, to } = room.island ?? { from: room.low, to: Number.POSITIVE_INFINITY };
    const shown = [...room.messages.values()].filter(({ seq }) => seq >= from && seq <= to);
    return shown.sort((a, b) => a.seq - b.seq);
  }

  /** Messages that were not seen, in rooms that are not muted. */
  unreadTotal() {
    let total = 0;
    for (const room of this.rooms.values()) if (!room.json.muted) total += room.unread;
    return total;
  }
}

function lastTime(room) {
  const pending = room.pending.at(-1)?.createdAt;
  return Date.parse(pending ?? room.last?.createdAt ?? room.json.created_at) || 0;
}

/** The other one of a room for two. */
export function peer(room, me) {
  if (room.json.kind !== 'pair') return null;
  const { user_1: one, user_2: two, users } = room.json;
  const both = [one, two, ...(users ?? [])].filter(Boolean);
  return both.find((user) => user.id !== me.id) ?? null;
}

function age(message) {
  if (message.deletedAt) return Number.POSITIVE_INFINITY;
  return message.editedAt ? Date.parse(message.editedAt) : 0;
}

/** A message as the routes tell of it. */
export function fromRoute(json) {
  return {
    id: json.id,
    room: json.chat_room?.id ?? json.chat_room,
    seq: json.seq,
    sender: json.sender,
    text: json.text ?? json.message ?? '',
    type: json.message_type,
    clientId: json.client_id ?? null,
    replyTo: json.reply_to?.id ?? json.reply_to ?? null,
    attachment: json.attachment ?? null,
    fileUrl: json.file_url ?? null,
    createdAt: json.created_at,
    editedAt: json.edited_at,
    deletedAt: json.deleted_at,
  };
}

/** A message as the socket tells of it. */
export function fromFrame(frame) {
  return {
    id: frame.id,
    room: frame.room,
    seq: frame.seq,
    sender: frame.sender_id === null ? null : { id: frame.sender_id, username: frame.sender },
    text: frame.message,
    type: frame.message_type,
    clientId: frame.client_id ?? null,
    replyTo: frame.reply_to ?? null,
    attachment: frame.attachment ?? null,
    fileUrl: null,
    createdAt: frame.created_at,
    editedAt: frame.edited_at ?? null,
    deletedAt: frame.deleted_at ?? null,
  };
}
