// The two tokens of this login, shared by all tabs. A refresh token is exchanged once: one tab does it, the
// others wait for what it got.

import * as kept from './kept.js';

const NAME = 'tokens';
/** The part of an access token's life after which it is renewed. */
const RENEW_AFTER = 0.75;

let listeners = [];
let underWay = null;

/** Is called with the tokens, or with null, whenever they change in any tab. */
export function onChange(listener) {
  listeners.push(listener);
}

function tell() {
  const tokens = current();
  for (const listener of listeners) listener(tokens);
}

kept.onChangeElsewhere(NAME, tell);

/** `{ access, refresh, renewAt, endsAt }`, or null when nobody is logged in. */
export function current() {
  return kept.read(NAME);
}

/** Keeps what a login or a refresh gave. */
export function set({ access, refresh }) {
  // Reckoned from now: the clocks of this device and of the server may differ by hours.
  const { exp, iat } = claims(access);
  const life = Math.max(10, (exp ?? 0) - (iat ?? 0)) * 1000;
  const now = Date.now();
  kept.write(NAME, { access, refresh, renewAt: now + life * RENEW_AFTER, endsAt: now + life });
  tell();
}

/** Forgets the login. */
export function forget() {
  kept.write(NAME, null);
  tell();
}

/**
 * An access token other than `stale`, from another tab or by a refresh through `exchange`, which is
 * given the refresh token. Fails when there is no login, or as `exchange` fails.
 */
export function renewed(stale, exchange) {
  // Calls of this tab that come together share one.
  underWay ??= alone(async () => {
    const tokens = current();
    if (!tokens) throw new Error('logged out');
    if (tokens.access !== stale) return tokens.access;
    set(await exchange(tokens.refresh));
    return current().access;
  }).finally(() => {
    underWay = null;
  });
  return underWay;
}

/** Runs while no other tab does. Without HTTPS browsers have no locks; the server then gives both tabs the same pair. */
function alone(work) {
  return navigator.locks ? navigator.locks.request('chelseru.refresh', work) : work();
}

function claims(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(atob(payload));
  } catch {
    return {};
  }
}
