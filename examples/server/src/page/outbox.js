// Messages on their way: kept in the browser under their `client_id` until the server says that it has them,
// so that a reload, a cut or a closed tab loses none. Sent again, they are the same messages.

import * as kept from './kept.js';

/** The states of a message on its way. */
export const UPLOADING = 'uploading';
export const SENDING = 'sending';
export const SENT = 'sent';
export const FAILED = 'failed';

const name = (user, clientId) => `outbox.${user}.${clientId}`;

export class Outbox {
  constructor(user) {
    this.user = user;
  }

  /** What was not sent when the page was last here, the oldest first. */
  unsent() {
    const items = kept.names(`outbox.${this.user}.`).map((key) => kept.read(key));
    return items.filter((item) => item && typeof item.text === 'string').sort((a, b) => a.order - b.order);
  }

  /** What is kept of a message on its way, or null when it has arrived or was given up. */
  find(clientId) {
    return kept.read(name(this.user, clientId));
  }

  /** A new message on its way. Its file, `{ name, bytes, type }`, is uploaded first. */
  add(room, text, replyTo, file = null) {
    const now = new Date();
    const item = {
      clientId: kept.randomKey(),
      room,
      text,
      replyTo,
      type: file ? 'file' : 'text',
      file,
      attachment: null,
      createdAt: now.toISOString(),
      order: now.getTime(),
      state: file ? UPLOADING : SENDING,
      why: null,
    };
    this.keep(item);
    return item;
  }

  keep(item) {
    kept.write(name(this.user, item.clientId), item);
  }

  /** The server has it, or nobody wants it any more. */
  forget(clientId) {
    kept.write(name(this.user, clientId), null);
  }

  /** The frame that sends it, the same every time. */
  static frame(item) {
    const frame = { type: 'send', room: item.room, message: item.text, client_id: item.clientId };
    if (item.replyTo) frame.reply_to = item.replyTo;
    if (item.attachment) Object.assign(frame, { message_type: item.type, attachment: item.attachment });
    return frame;
  }
}
