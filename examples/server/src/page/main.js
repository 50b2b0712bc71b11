// Which of the two faces is shown: the login, or the chat of who is logged in.

import * as api from './api.js';
import * as tokens from './tokens.js';
import { Chat } from './chat.js';
import { fill, h } from './dom.js';
import { t } from './i18n.js';
import { Login } from './views/login.js';
import { Shell } from './views/shell.js';

const root = document.getElementById('app');
const RETRY_AFTER = 4000;

let chat = null;
let face = null;
let access = null;

function show(next) {
  face?.end?.();
  face = next;
  fill(root, next.element);
  next.shown?.();
}

function showLogin(notice) {
  document.title = 'chelseru';
  show(new Login({ notice, onLanguage: () => showLogin(notice) }));
}

function showChat() {
  const started = chat;
  show(new Shell(started, { onLanguage: showChat }));
}

async function enter() {
  fill(root, h('p', { class: 'splash', role: 'status' }, t('loading')));
  try {
    const me = await api.call('GET', '/me/');
    const entered = new Chat(me);
    await entered.start();
    // Logged out meanwhile, by another tab.
    if (!tokens.current()) return entered.stop();
    chat = entered;
    showChat();
  } catch (error) {
    if (!tokens.current()) return undefined;
    if (error.status === 404) return fill(root, noChat());
    fill(root, h('p', { class: 'splash', role: 'status' }, error instanceof api.Unreachable ? t('noAnswer') : t('serverTrouble')));
    setTimeout(() => tokens.current() && !chat && enter(), RETRY_AFTER);
  }
  return undefined;
}

/** An operator can do without the chat (CHAT.ENABLED); the login is there all the same. */
function noChat() {
  const logOut = () => api.call('POST', '/logout/').finally(() => dispatchEvent(new Event('chelseru:logout')));
  return h('div', { class: 'splash' }, h('p', { role: 'status' }, t('chatOff')), h('button', { type: 'button', on: { click: logOut } }, t('logOut')));
}

function leave() {
  const hadChat = chat !== null;
  chat?.stop();
  chat = null;
  location.hash = '';
  showLogin(hadChat && !leave.wasAsked ? t('sessionOver') : null);
  leave.wasAsked = false;
}

/** The user has asked for the end of the session: no notice is needed. */
addEventListener('chelseru:logout', () => {
  leave.wasAsked = true;
  tokens.forget();
});

tokens.onChange((now) => {
  const isOther = (now === null) !== (access === null);
  access = now?.access ?? null;
  if (!isOther) return access && chat?.useToken(access);
  return access ? enter() : leave();
});

access = tokens.current()?.access ?? null;
if (access) enter();
else showLogin(null);
