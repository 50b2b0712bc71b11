// The user's own page: the name that others see, and the sessions.

import * as api from '../api.js';
import { avatar, fill, h, icon, toast } from '../dom.js';
import { ago, localDigits, moment, problem, t } from '../i18n.js';
import { ask, busy, field, passwordInput } from './common.js';

const HAS_PASSWORDS = document.body.dataset.methods.split(' ').includes('PASSWD');

export class YouView {
  constructor(chat) {
    this.chat = chat;
    this.store = chat.store;
    this.head = h('div', { class: 'about-head' });
    this.sessions = h('ul', { class: 'people sessions' }, h('li', { class: 'muted' }, t('loading')));
    this.others = h('div', { class: 'row end' });
    this.element = h(
      'section',
      { class: 'you' },
      h('header', { class: 'bar' }, h('a', { class: 'icon-button back', href: '#/', 'aria-label': t('back'), title: t('back') }, icon('back')), h('h1', { tabindex: '-1' }, t('you'))),
      h(
        'div',
        { class: 'page' },
        this.head,
        this.#usernameForm(),
        HAS_PASSWORDS ? this.#passwordForm() : null,
        h('section', { class: 'stack' }, h('h2', {}, t('sessions')), this.sessions, this.others),
        h('div', { class: 'row end' }, h('button', { type: 'button', class: 'danger-quiet', on: { click: () => this.#logOut() } }, t('logOut'))),
      ),
    );
    this.end = this.store.on('me', () => this.#showHead());
    this.#showHead();
  }

  shown() {
    this.element.querySelector('h1').focus();
    this.#readSessions();
  }

  #showHead() {
    const { id, username, mobile_number: number } = this.store.me;
    fill(this.head, avatar(username, id), h('h2', {}, h('bdi', {}, username)), number ? h('p', { class: 'muted' }, h('bdi', { dir: 'ltr' }, localDigits(number))) : null);
  }

  #usernameForm() {
    const input = h('input', { type: 'text', name: 'username', dir: 'ltr', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', value: this.store.me.username });
    const username = field(t('username'), input, t('usernameHint'));
    const button = h('button', {}, t('save'));
    const save = async () => {
      username.refuse(null);
      if (input.value.trim() === this.store.me.username) return;
      try {
        const me = await api.call('PATCH', '/me/', { username: input.value.trim() });
        this.store.me = { ...this.store.me, ...me };
        this.store.change('me', 'rooms');
        toast(t('saved'));
      } catch (error) {
        username.refuse(error.status === 400 || error.status === 409 ? t('usernameTaken') : problem(error));
      }
    };
    const submit = (event) => {
      event.preventDefault();
      busy(button, save);
    };
    return h('form', { class: 'with-button', novalidate: true, on: { submit } }, username.element, button);
  }

  #passwordForm() {
    const old = field(t('oldPassword'), passwordInput('current-password'), t('oldPasswordHint'));
    const fresh = field(t('newPassword'), passwordInput('new-password'), t('passwordHint'));
    const button = h('button', {}, t('save'));
    const save = async () => {
      old.refuse(null);
      fresh.refuse(null);
      const body = { old_password: old.input.value, new_password: fresh.input.value };
      if (!body.old_password) return old.refuse(t('fieldMissing'));
      if (!body.new_password) return fresh.refuse(t('fieldMissing'));
      try {
        await api.call('POST', '/password/change/', body);
        form.reset();
        toast(t('passwordChanged'));
        this.#readSessions();
      } catch (error) {
        if (error.field?.('new_password')) fresh.refuse(t('badPassword'));
        else old.refuse(error.field?.('old_password') ? t('wrongOldPassword') : problem(error));
      }
      return undefined;
    };
    const submit = (event) => {
      event.preventDefault();
      busy(button, save);
    };
    // Password managers look for whose password it is.
    const whose = h('input', { type: 'text', autocomplete: 'username', hidden: true, value: this.store.me.username });
    const form = h('form', { class: 'stack', novalidate: true, on: { submit } }, whose, old.element, fresh.element, h('div', { class: 'row end' }, button));
    return h('details', {}, h('summary', {}, t('changePassword')), form);
  }

  async #readSessions() {
    try {
      const sessions = await api.call('GET', '/sessions/');
      sessions.sort((a, b) => Number(b.current) - Number(a.current) || Date.parse(b.last_seen) - Date.parse(a.last_seen));
      fill(this.sessions, sessions.map((session) => this.#sessionRow(session)));
      const button = h('button', { type: 'button', class: 'danger-quiet', on: { click: () => this.#endOthers() } }, t('endOthers'));
      fill(this.others, sessions.length > 1 ? button : null);
    } catch (error) {
      fill(this.sessions, h('li', { class: 'muted' }, problem(error)));
    }
  }

  #sessionRow(session) {
    const place = [session.device, session.browser].filter((part) => part && part !== 'Other').join(' · ') || session.user_agent;
    const end = () => this.#end(`/sessions/${session.id}/`);
    return h(
      'li',
      {},
      h(
        'span',
        { class: 'grow' },
        h('b', {}, h('bdi', {}, place)),
        session.current ? [' ', h('span', { class: 'tag' }, t('thisSession'))] : null,
        h('span', { class: 'muted small block', title: moment(session.last_seen) }, t('lastActive', { ago: ago(session.last_seen) }), ' · ', h('bdi', { dir: 'ltr' }, session.ip_address ?? '')),
      ),
      session.current ? null : h('button', { type: 'button', class: 'quiet', on: { click: end } }, t('endSession')),
    );
  }

  async #endOthers() {
    if (await ask(t('endOthersQuestion'), t('endOthers'))) await this.#end('/sessions/');
  }

  async #end(path) {
    try {
      await api.call('DELETE', path);
      toast(t('sessionEnded'));
    } catch (error) {
      toast(problem(error));
    }
    await this.#readSessions();
  }

  async #logOut() {
    const isUnsent = this.chat.sending.outbox.unsent().length > 0;
    if (isUnsent && !(await ask(t('logOutUnsent'), t('logOut')))) return;
    try {
      await api.call('POST', '/logout/');
    } catch (error) {
      // Without an answer the session is still there, and saying that it has ended would be a lie.
      if (!(error instanceof api.Refused)) return toast(problem(error));
    }
    dispatchEvent(new Event('chelseru:logout'));
  }
}
