// The socket for all rooms that comes back: back-off with jitter, a ping against half-open connections, a
// fresh token in time. What was missed is asked for with `resume` (docs/websocket.md); who uses this says
// from where.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** A connection that lived this long was a good one: the next wait is short again. */
const GOOD_AFTER = 10_000;
const OPEN_WITHIN = 12_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const RENEW_EVERY = 5000;

/** Close codes after which the same again would end the same way. */
const FINAL = { 1009: 'protocol', 4400: 'protocol', 4403: 'protocol', 4409: 'elsewhere' };
const TOKEN_ENDED = 4401;
const TOO_FAST = 4429;

/**
 * States: `connecting`, `live`, `waiting` (with `until`), `offline`, and `stopped` (with `why`).
 */
export class ReturningSocket {
  /**
   * `url`; `token()` and `freshToken(stale)` give access tokens; `probe()` finds out whether the login
   * still holds; `greeting()` gives the frames that a new connection begins with; `onFrame`, `onState`.
   */
  constructor(options) {
    this.options = options;
    this.state = { name: 'stopped', why: null };
    this.socket = null;
    this.failures = 0;
    this.timers = { retry: 0, open: 0, ping: 0, pong: 0 };
    this.onOnline = () => this.retryNow();
    this.onOffline = () => this.#lost({ name: 'offline' });
    this.onVisible = () => document.visibilityState === 'visible' && this.#check();
  }

  start() {
    addEventListener('online', this.onOnline);
    addEventListener('offline', this.onOffline);
    document.addEventListener('visibilitychange', this.onVisible);
    this.#connect();
  }

  /** For good: the user has logged out. */
  stop() {
    removeEventListener('online', this.onOnline);
    removeEventListener('offline', this.onOffline);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.#drop();
    this.#become({ name: 'stopped', why: null });
  }

  get isLive() {
    return this.state.name === 'live';
  }

  /** Sends a frame if the connection is there; whether it was. */
  send(frame) {
    if (!this.isLive) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tries now instead of later. */
  retryNow() {
    if (this.isLive || this.state.name === 'connecting') return;
    this.failures = 0;
    this.#drop();
    this.#connect();
  }

  /** Begins anew because something is missing; `resume` then brings it. */
  restart() {
    this.#lost(this.#waitFor(this.#backOff()));
  }

  async #connect() {
    if (navigator.onLine === false) return this.#become({ name: 'offline' });
    this.#become({ name: 'connecting' });
    const attempt = (this.attempt = Symbol('attempt'));
    let token;
    try {
      if (this.failures > 0) await this.options.probe();
      token = await this.options.token();
    } catch {
      // Logged out, and then this was stopped; or nobody answers.
      if (this.attempt === attempt) this.#lost(this.#waitFor(this.#backOff()));
      return;
    }
    if (this.attempt !== attempt) return;
    const socket = new WebSocket(this.options.url, ['chelseru.v1', `bearer.${token}`]);
    this.socket = socket;
    this.token = token;
    this.reconnectAfter = null;
    this.timers.open = setTimeout(() => this.#lost(this.#waitFor(this.#backOff())), OPEN_WITHIN);
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event);
    socket.onclose = (event) => this.#closed(event.code);
  }

  #opened() {
    clearTimeout(this.timers.open);
    this.openedAt = Date.now();
    this.state = { name: 'live' };
    for (const frame of this.options.greeting()) this.socket.send(JSON.stringify(frame));
    this.timers.ping = setInterval(() => this.#check(), PING_EVERY);
    this.options.onState(this.state);
  }

  #received(event) {
    clearTimeout(this.timers.pong);
    this.timers.pong = 0;
    let frame;
    try {
      frame = JSON.parse(event.data);
    } catch {
      return;
    }
    if (frame.type === 'token_expiring') this.renewToken();
    else if (frame.type === 'reconnect') this.reconnectAfter = frame.after_ms;
    else if (frame.type !== 'pong') this.options.onFrame(frame);
  }

  /** Gives the living connection a fresh token. */
  async renewToken() {
    // Tokens that live for seconds would be renewed all the time.
    if (Date.now() < (this.renewedAt ?? 0) + RENEW_EVERY) return;
    this.renewedAt = Date.now();
    try {
      this.useToken(await this.options.freshToken(this.token));
    } catch {
      // Then the server closes the connection in its time, and the next one is refused or not.
    }
  }

  /** Another token of the same login is there. */
  useToken(token) {
    if (token === this.token || !this.isLive) return;
    this.token = token;
    this.send({ type: 'auth', token });
  }

  #closed(code) {
    if (code in FINAL) return this.#lost({ name: 'stopped', why: FINAL[code] });
    if (this.reconnectAfter !== null) return this.#lost(this.#waitFor(this.reconnectAfter));
    if (code === TOO_FAST) return this.#lost(this.#waitFor(10_000));
    if (code === TOKEN_ENDED) return this.#renewAndReturn();
    return this.#lost(this.#waitFor(this.#backOff()));
  }

  async #renewAndReturn() {
    const wait = this.#waitFor(this.#backOff());
    const token = this.token;
    this.#drop();
    this.#become({ name: 'connecting' });
    try {
      await this.options.freshToken(token);
    } catch {
      // Logged out, and then this was stopped; or nobody answers.
    }
    if (this.state.name === 'connecting') this.#lost(wait);
  }

  /** Asks for a sign of life. */
  #check() {
    if (!this.isLive) {
      if (this.state.name === 'waiting') this.retryNow();
      return;
    }
    this.send({ type: 'ping' });
    if (!this.timers.pong) {
      this.timers.pong = setTimeout(() => this.#lost(this.#waitFor(0)), PONG_WITHIN);
    }
  }

  #backOff() {
    const wasGood = this.openedAt && Date.now() - this.openedAt > GOOD_AFTER;
    this.openedAt = null;
    this.failures = wasGood ? 1 : this.failures + 1;
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    // Between half of it and all of it: many clients that were cut together come back apart.
    return most / 2 + (Math.random() * most) / 2;
  }

  #waitFor(milliseconds) {
    return { name: 'waiting', until: Date.now() + milliseconds };
  }

  #lost(state) {
    this.#drop();
    const isStopped = this.state.name === 'stopped' && this.state.why === null;
    if (isStopped) return;
    const next = state.name === 'waiting' && navigator.onLine === false ? { name: 'offline' } : state;
    if (next.name === 'waiting') {
      this.timers.retry = setTimeout(() => this.#connect(), Math.max(0, next.until - Date.now()));
    }
    this.#become(next);
  }

  #drop() {
    this.attempt = null;
    clearTimeout(this.timers.retry);
    clearTimeout(this.timers.open);
    clearTimeout(this.timers.pong);
    clearInterval(this.timers.ping);
    this.timers = { retry: 0, open: 0, ping: 0, pong: 0 };
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    // A dead network answers no closing handshake: nobody waits for it.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #become(state) {
    this.state = state;
    this.options.onState(state);
  }
}
