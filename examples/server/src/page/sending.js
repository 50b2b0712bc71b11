// What the user sends: texts at once, files when they are uploaded, both again until the server has them.

import { FAILED, Outbox, SENDING, SENT, UPLOADING } from './outbox.js';
import { Uploads } from './uploads.js';

/** After how long without an answer a message on a living connection is sent again. */
const ACK_WITHIN = 15_000;
/** Errors that time mends; all others say that the message itself is refused. */
const PASSING = new Set(['try_again', 'unavailable', 'too_many_messages', 'too_many_frames']);

export class Sending {
  constructor(store, files, socket) {
    this.store = store;
    this.socket = socket;
    this.outbox = new Outbox(store.me.id);
    this.uploads = new Uploads({
      outbox: this.outbox,
      files,
      isLive: () => socket.isLive,
      onProgress: (item) => store.change(`progress:${item.room}`),
      onDone: (item) => this.#uploaded(item),
      onFailed: (item, why) => this.#fail(item, why),
      onGone: (item) => this.#drop(item),
    });
  }

  /** Takes up what was not sent when the page was last here. */
  async restore() {
    for (const item of this.outbox.unsent()) {
      const room = this.store.rooms.get(item.room);
      if (!room) {
        this.outbox.forget(item.clientId);
        continue;
      }
      room.pending.push(item);
      const isThere = !item.file || (await this.uploads.restore(item)) || item.attachment;
      if (!isThere) this.#fail(item, 'file_lost');
      else if (item.state !== FAILED) item.state = item.file && !item.attachment ? UPLOADING : SENDING;
    }
    this.uploads.sweep();
    this.clock = setInterval(() => this.#again(), 5000);
  }

  stop() {
    clearInterval(this.clock);
    this.uploads.stop();
  }

  /** The frames with which a new connection sends what waits in a room. */
  waiting(room) {
    const items = room.pending.filter((item) => item.state === SENDING);
    for (const item of items) item.triedAt = Date.now();
    return items.map(Outbox.frame);
  }

  /** Sends a text: at once, or when the connection is back. */
  send(room, text, replyTo) {
    const item = this.outbox.add(room.id, text, replyTo);
    room.pending.push(item);
    this.#try(item);
    this.#changed(room);
  }

  /** Sends files, each with a message of its own; the last one has the text. */
  sendFiles(room, files, text, replyTo) {
    files.forEach((file, at) => {
      const isLast = at === files.length - 1;
      const about = { name: file.name, bytes: file.size, type: file.type };
      const item = this.outbox.add(room.id, isLast ? text : '', at === 0 ? replyTo : null, about);
      item.order += at;
      this.outbox.keep(item);
      room.pending.push(item);
      this.uploads.add(item, file);
    });
    this.#changed(room);
  }

  #uploaded(item) {
    item.state = SENDING;
    this.#try(item);
    this.#changed(this.store.rooms.get(item.room));
  }

  #try(item) {
    item.retryAt = null;
    if (this.socket.send(Outbox.frame(item))) item.triedAt = Date.now();
  }

  #fail(item, why) {
    Object.assign(item, { state: FAILED, why });
    this.outbox.keep(item);
    this.#changed(this.store.rooms.get(item.room));
  }

  #drop(item) {
    const room = this.store.rooms.get(item.room);
    if (room) room.pending = room.pending.filter((other) => other !== item);
    this.#changed(room);
  }

  #changed(room) {
    if (room) this.store.change(`messages:${room.id}`, 'rooms');
  }

  /** Sends again what was refused, under the same key. */
  resend(room, item) {
    // A file that was not sent for a day is gone from the server.
    const needsFile = item.file && (!item.attachment || item.why === 'invalid_field');
    if (needsFile && !this.uploads.retry(item)) return this.#fail(item, 'file_lost');
    item.state = needsFile ? UPLOADING : SENDING;
    item.why = null;
    this.outbox.keep(item);
    if (!needsFile) this.#try(item);
    return this.#changed(room);
  }

  /** Gives up a message that was not sent. */
  discard(item) {
    this.forget(item.clientId);
    this.#drop(item);
  }

  /** The server has it, or nobody wants it any more. */
  forget(clientId) {
    this.outbox.forget(clientId);
    this.uploads.forget(clientId);
  }

  /** The server has stored a message. */
  acknowledged(frame) {
    this.forget(frame.client_id);
    const room = this.store.rooms.get(frame.room);
    const item = room?.pending.find((pending) => pending.clientId === frame.client_id);
    if (!item) return;
    item.state = SENT;
    item.createdAt = frame.created_at;
    // Its own frame may have come before, to a room that was not looked at then.
    if (frame.seq <= room.at && !room.isLoaded) this.#drop(item);
    else this.#changed(room);
  }

  /** The server has refused a message. */
  refused(frame) {
    for (const room of this.store.rooms.values()) {
      const item = room.pending.find((pending) => pending.clientId === frame.client_id);
      if (!item) continue;
      if (frame.retry_after_ms || PASSING.has(frame.code)) {
        item.retryAt = Date.now() + (frame.retry_after_ms ?? 2000);
      } else if (frame.code === 'client_id_taken' && item.file) {
        // Another tab has sent it, with a copy of the file.
        this.discard(item);
      } else {
        this.#fail(item, frame.code);
      }
    }
  }

  #again() {
    if (!this.socket.isLive) return;
    const now = Date.now();
    for (const room of this.store.rooms.values()) {
      for (const item of room.pending) {
        if (item.state !== SENDING) continue;
        const isDue = item.retryAt ? now > item.retryAt : now > (item.triedAt ?? 0) + ACK_WITHIN;
        if (isDue) this.#try(item);
      }
    }
    this.uploads.run();
  }
}
