// The routes of the server. A token that has run out is renewed on the way, unseen.

import * as tokens from './tokens.js';

const prefix = document.body.dataset.prefix;
const TIME_LIMIT = 20_000;

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

async function callUrl(method, url, body) {
  const access = await usableToken();
  try {
    return await exchange(method, url, body, access);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    return exchange(method, url, body, await freshToken(access));
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
  throw new Refused(response.status, answer, waitOf(response, answer));
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Seconds to wait: from the header, or from the sentence that clients of the package know. */
function waitOf(response, answer) {
  const header = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  if (Number.isFinite(header)) return header;
  const said = /(\d+) seconds/.exec(answer?.details ?? '');
  return said ? Number(said[1]) : null;
}
