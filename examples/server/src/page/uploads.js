// Files on their way, one after the other: uploaded first, then sent with their message. Without a network they
// wait; over a reload the browser keeps them where it can.

import * as api from './api.js';
import * as keptFiles from './keptfiles.js';
import { isPicture } from './files.js';

/** After how long an upload that got no answer is tried again. */
const RETRY_AFTER = 4000;

export class Uploads {
  /**
   * `outbox`; `files`; `isLive()`; and what is told of an item: `onProgress`, `onDone` when its file is there,
   * `onFailed` when the file is refused, `onGone` when another tab has sent or discarded it.
   */
  constructor(options) {
    this.options = options;
    this.held = new Map();
    this.queue = [];
    this.current = null;
    this.onLeaving = (event) => this.queue.some((item) => !item.isKept) && event.preventDefault();
    addEventListener('beforeunload', this.onLeaving);
  }

  /** For good: the user has logged out. */
  stop() {
    removeEventListener('beforeunload', this.onLeaving);
    this.queue = [];
    this.current?.abort.abort();
    for (const { url } of this.held.values()) if (url) URL.revokeObjectURL(url);
  }

  #key(clientId) {
    return `${this.options.outbox.user}.${clientId}`;
  }

  /** An address under which this page can show the picture of an item, or null. */
  preview(clientId) {
    return this.held.get(clientId)?.url ?? null;
  }

  #hold(item, file) {
    this.held.set(item.clientId, { file, url: isPicture(file.type) ? URL.createObjectURL(file) : null });
  }

  /** A new item with its file. */
  async add(item, file) {
    this.#hold(item, file);
    this.#enqueue(item);
    item.isKept = await keptFiles.put(this.#key(item.clientId), file);
    // It may have gone meanwhile, and then nothing of it stays.
    if (!this.held.has(item.clientId)) keptFiles.remove(this.#key(item.clientId));
    else this.options.onProgress(item);
  }

  /** An item from before a reload; whether its file was kept. */
  async restore(item) {
    const file = await keptFiles.get(this.#key(item.clientId));
    if (!file) return false;
    item.isKept = true;
    this.#hold(item, file);
    if (!item.attachment) this.#enqueue(item);
    return true;
  }

  /** Tries again what was refused; whether there is still a file to try with. */
  retry(item) {
    if (!this.held.has(item.clientId)) return false;
    item.attachment = null;
    this.#enqueue(item);
    return true;
  }

  #enqueue(item) {
    item.progress = null;
    item.retryAt = null;
    this.queue.push(item);
    this.run();
  }

  /** Gives up an item, or lets go of one that has arrived. */
  forget(clientId) {
    this.queue = this.queue.filter((item) => item.clientId !== clientId);
    if (this.current?.item.clientId === clientId) this.current.abort.abort();
    const held = this.held.get(clientId);
    this.held.delete(clientId);
    if (!held) return;
    keptFiles.remove(this.#key(clientId));
    // The picture of an uploaded file is shown on from here.
    if (held.url && !held.isShared) URL.revokeObjectURL(held.url);
  }

  /** Removes the files of messages that are gone. */
  async sweep() {
    const beginning = this.#key('');
    for (const key of await keptFiles.keys(beginning)) {
      if (!this.options.outbox.find(key.slice(beginning.length))) await keptFiles.remove(key);
    }
  }

  /** Goes on with what waits, if it can be done now. */
  async run() {
    if (this.current) return;
    const isDue = (item) => (item.retryAt ?? 0) <= Date.now();
    for (let item; this.options.isLive() && (item = this.queue.find(isDue)); ) {
      this.current = { item, abort: new AbortController() };
      try {
        await this.#upload(item, this.current.abort.signal);
      } finally {
        this.current = null;
      }
    }
  }

  async #upload(item, signal) {
    try {
      await alone(`chelseru.upload.${item.clientId}`, signal, async () => {
        const kept = this.options.outbox.find(item.clientId);
        if (!kept) return this.#leave(item, () => this.options.onGone(item));
        // Another tab was faster: one message has one file.
        if (kept.attachment) Object.assign(item, { attachment: kept.attachment, type: kept.type });
        else await this.#transfer(item, signal);
        return this.#leave(item, () => this.options.onDone(item));
      });
    } catch (error) {
      if (!signal.aborted) this.#failed(item, error);
    }
  }

  async #transfer(item, signal) {
    const held = this.held.get(item.clientId);
    const onProgress = (part) => {
      item.progress = part;
      this.options.onProgress(item);
    };
    onProgress(0);
    const json = await api.upload(item.room, held.file, { onProgress, signal });
    item.attachment = json.id;
    item.type = isPicture(json.content_type) ? 'image' : 'file';
    this.options.files.learn(json, held.url);
    held.isShared = true;
    this.options.outbox.keep(item);
  }

  #leave(item, tell) {
    this.queue = this.queue.filter((other) => other !== item);
    tell();
  }

  #failed(item, error) {
    item.progress = null;
    const passes = !(error instanceof api.Refused) || error.status === 401 || error.status >= 500;
    if (passes) {
      item.retryAt = Date.now() + (error.wait ? error.wait * 1000 : RETRY_AFTER);
      this.options.onProgress(item);
    } else {
      this.#leave(item, () => this.options.onFailed(item, why(error)));
    }
  }
}

/** The code of the text that says why a file was refused. */
function why({ status, body }) {
  if (status === 404) return 'no_such_room';
  if (status === 413 || (status === 400 && body?.file)) return 'file_too_large';
  if (status === 429) return 'too_many_files';
  return body?.code ?? 'file_refused';
}

/** Runs while no other tab does the same. Without HTTPS browsers have no locks. */
function alone(name, signal, work) {
  return navigator.locks ? navigator.locks.request(name, { signal }, work) : work();
}
