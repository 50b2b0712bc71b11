// What is known of the files of messages. A link to one is good for minutes, so whoever uses one asks for it
// when it is needed.

import * as api from './api.js';

/** The types that the server shows in place; all others it offers for download. */
const SHOWN = new Set(['image/gif', 'image/jpeg', 'image/png', 'image/webp']);

/** Whether a file of this type is a picture that can be looked at here. */
export const isPicture = (type) => SHOWN.has(type);

export class Files {
  constructor() {
    this.known = new Map();
    this.asked = new Map();
  }

  /** Forgets the pictures that were held for this page. */
  end() {
    for (const { local } of this.known.values()) if (local) URL.revokeObjectURL(local);
    this.known.clear();
  }

  /** Takes what the server says of a file; `local` is the address of the same bytes in this browser. */
  learn(json, local = this.known.get(json.id)?.local ?? null) {
    const file = { id: json.id, name: json.name, bytes: json.bytes, type: json.content_type, url: sameOrigin(json.file_url), local };
    this.known.set(file.id, file);
    return file;
  }

  /** What is known of a file, perhaps with a link that has run out, or null. */
  get(id) {
    return this.known.get(id) ?? null;
  }

  /** A file with a fresh link; questions that come together share one. */
  ask(id) {
    if (!this.asked.has(id)) {
      const asking = api
        .call('GET', `/chat/files/${id}/`)
        .then((json) => this.learn(json))
        .finally(() => this.asked.delete(id));
      this.asked.set(id, asking);
    }
    return this.asked.get(id);
  }
}

/** Only what this server serves is shown; the page's policy holds that, too. */
function sameOrigin(url) {
  return url?.startsWith('/') && !url.startsWith('//') ? url : null;
}
