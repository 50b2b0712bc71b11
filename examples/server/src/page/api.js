// The routes of the server. A token that has run out is renewed on the way, unseen.

import * as tokens from './tokens.js';

const prefix = document.body.dataset.prefix;
const TIME_LIMIT = 20_000;
const UPLOAD_STALLS_AFTER = 60_000;

/** The server refused: its status, its body, and for how many seconds it wants to be left alone. */
export class Refused extends Error {
  constructor(status, body, wait) {
    super(`refused with ${status}`);
    this.status = status;
    this.body = body;
    this.wait = wait;
  }

  /** What the server says of a field, or null. */
  field(name) {
    const said = this.body?.[name];
    return Array.isArray(said) ? said[0] : null;
  }
}

/** No answer came: the network, or the server, is away. */
export class Unreachable extends Error {}

/** Who asked does not want the answer any more. */
export class Cancelled extends Error {}

/** Calls a route below the prefix without a token. */
export function open(method, path, body) {
  return exchange(method, prefix + path, body, null);
}

/** Calls a route below the prefix as the user who is logged in. */
export function call(method, path, body) {
  return callUrl(method, prefix + path, body);
}

/** The next page of a list. The token goes to this server and nowhere else. */
export function page(url) {
  if (!url.startsWith('/') || url.startsWith('//')) throw new Refused(0, null, null);
  return callUrl('GET', url);
}

/** All results of a list, page by page. */
export async function all(path) {
  const results = [];
  let next = prefix + path;
  while (next) {
    const answer = await page(next);
    results.push(...answer.results);
    next = answer.next;
  }
  return results;
}

/** Uploads a file for a room. `onProgress` is told which part of it has gone; `signal` cancels. */
export function upload(room, file, { onProgress, signal }) {
  return withToken((access) => transfer(room, file, access, { onProgress, signal }));
}

function callUrl(method, url, body) {
  return withToken((access) => exchange(method, url, body, access));
}

async function withToken(exchanged) {
  const access = await usableToken();
  try {
    return await exchanged(access);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    return exchanged(await freshToken(access));
  }
}

/** An access token that has some life left. */
export async function usableToken() {
  const kept = tokens.current();
  if (!kept) throw new Refused(401, null, null);
  return Date.now() < kept.endsAt - 5000 ? kept.access : freshToken(kept.access);
}

/** An access token other than `stale`; when the login is over it is forgotten, in all tabs. */
export async function freshToken(stale) {
  try {
    return await tokens.renewed(stale, (refresh) => open('POST', '/token/refresh/', { refresh }));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) tokens.forget();
    throw error;
  }
}

/** Where the socket for all rooms is. */
export function socketUrl() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}${prefix}/chat/`;
}

async function exchange(method, url, body, access) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (access) headers.authorization = `Bearer ${access}`;
  let response;
  let text;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(TIME_LIMIT),
    });
    text = await response.text();
  } catch {
    throw new Unreachable('no answer');
  }
  const answer = parsed(text);
  if (response.ok) return answer;
  throw new Refused(response.status, answer, waitOf(response.headers.get('retry-after'), answer));
}

/** `fetch` does not tell how far a body has gone; the older interface does. */
function transfer(room, file, access, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw new Cancelled();
    const request = new XMLHttpRequest();
    // A large file takes its time, as long as it moves.
    let stalled = 0;
    const moved = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), UPLOAD_STALLS_AFTER);
    };
    const cancel = () => request.abort();
    request.upload.onprogress = ({ loaded, total }) => {
      moved();
      onProgress(total ? loaded / total : 0);
    };
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(answer);
      else reject(new Refused(request.status, answer, waitOf(request.getResponseHeader('retry-after'), answer)));
    };
    request.onerror = () => reject(new Unreachable('no answer'));
    request.onabort = () => reject(signal.aborted ? new Cancelled() : new Unreachable('no answer'));
    request.onloadend = () => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', cancel);
    };
    signal.addEventListener('abort', cancel);
    const body = new FormData();
    body.append('chatroom', String(room));
    body.append('file', file, file.name);
    request.open('POST', `${prefix}/message/file/upload/`);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('authorization', `Bearer ${access}`);
    request.send(body);
    moved();
  });
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Seconds to wait: from the header, or from the sentence that clients of the package know. */
function waitOf(header, answer) {
  const seconds = Number.parseInt(header ?? '', 10);
  if (Number.isFinite(seconds)) return seconds;
  const said = /(\d+) seconds/.exec(answer?.details ?? '');
  return said ? Number(said[1]) : null;
}
