// Logging in: a number, then the code that was sent to it; or a password, which a code sets. Which of them is
// offered, the server says in the page.

import * as api from '../api.js';
import * as tokens from '../tokens.js';
import { fill, h } from '../dom.js';
import { asciiDigits, duration, localDigits, problem, t } from '../i18n.js';
import { busy, field, languageButton, passwordInput, themeButton } from './common.js';

const { codeLength, codeSeconds, inbox, methods } = document.body.dataset;
const CODE_LENGTH = Number(codeLength);
const HAS_CODES = methods.split(' ').includes('OTP');
const HAS_PASSWORDS = methods.split(' ').includes('PASSWD');

/** What a code is for: the routes that send and take it, and what is said. */
const PURPOSES = {
  logIn: { send: '/otp/send/', take: '/authenticate/', title: 'welcome', hint: 'welcomeHint', verb: 'logIn' },
  register: { send: '/register/send/', take: '/register/', title: 'register', hint: 'registerHint', verb: 'register', setsPassword: true, asksName: true },
  reset: { send: '/password/reset/', take: '/password/reset/confirm/', title: 'reset', hint: 'resetHint', verb: 'reset', setsPassword: true },
};

// Kept when the language is switched.
const entered = { purpose: HAS_CODES ? 'logIn' : null, number: '', isSent: false, wasSentBefore: false, nextAt: 0 };

export class Login {
  constructor({ notice, onLanguage }) {
    this.notice = notice;
    this.step = h('div', { class: 'stack' });
    this.element = h(
      'main',
      { class: 'login' },
      h('div', { class: 'login-tools' }, languageButton(onLanguage), themeButton()),
      h('section', { class: 'card' }, h('img', { class: 'logo', src: '/app/icon.svg', alt: '', width: 56, height: 56 }), this.step),
    );
    if (!entered.purpose) this.#showPassword();
    else if (entered.isSent) this.#showCode();
    else this.#showNumber();
  }

  get #purpose() {
    return PURPOSES[entered.purpose];
  }

  /** Asks for a number to which a code for this is sent; for a password when it is for nothing. */
  #begin(purpose) {
    Object.assign(entered, { purpose, isSent: false });
    if (purpose) this.#showNumber();
    else this.#showPassword();
  }

  #link(name, purpose) {
    return h('button', { type: 'button', class: 'quiet', on: { click: () => this.#begin(purpose) } }, t(name));
  }

  /** The other ways in. */
  #otherWays() {
    const { purpose } = entered;
    const ways = [
      HAS_PASSWORDS && purpose !== null ? this.#link('withPassword', null) : null,
      HAS_CODES && purpose !== 'logIn' ? this.#link('withCode', 'logIn') : null,
      HAS_PASSWORDS && purpose === null ? [this.#link('register', 'register'), this.#link('forgotPassword', 'reset')] : null,
    ];
    return h('div', { class: 'row wrap ways' }, ways.flat());
  }

  #showPassword() {
    this.#stopWaiting();
    const name = field(t('usernameOrMobile'), h('input', { type: 'text', name: 'username', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', dir: 'ltr', required: true, value: entered.number }));
    const password = field(t('password'), passwordInput('current-password'));
    const button = h('button', { class: 'primary' }, t('logIn'));
    const submit = (event) => {
      event.preventDefault();
      busy(button, () => this.#logIn(name, password));
    };
    fill(
      this.step,
      h('h1', {}, t('welcome')),
      this.notice ? h('p', { class: 'notice', role: 'status' }, this.notice) : null,
      h('form', { class: 'stack', novalidate: true, on: { submit } }, name.element, password.element, button),
      this.#otherWays(),
    );
    this.shown();
  }

  async #logIn(name, password) {
    name.refuse(null);
    password.refuse(null);
    const account = name.input.value.trim();
    if (!account) return name.refuse(t('fieldMissing'));
    if (!password.input.value) return password.refuse(t('fieldMissing'));
    const isNumber = /^[+\d][\d\s()-]*$/.test(asciiDigits(account));
    if (isNumber) entered.number = account;
    const body = { [isNumber ? 'mobile_number' : 'username']: account, password: password.input.value };
    try {
      tokens.set(await api.open('POST', '/login/', body));
    } catch (error) {
      if (error.status === 400 && error.field('mobile_number')) name.refuse(t('badMobile'));
      else password.refuse(error.status === 401 ? t('wrongPassword') : problem(error));
    }
    return undefined;
  }

  shown() {
    this.step.querySelector('input')?.focus();
  }

  end() {
    this.#stopWaiting();
  }

  #stopWaiting() {
    clearInterval(this.clock);
    this.otp?.abort();
  }

  #showNumber() {
    this.#stopWaiting();
    const input = h('input', { type: 'tel', inputmode: 'tel', autocomplete: 'tel', name: 'mobile_number', dir: 'ltr', required: true, placeholder: t('mobileExample'), value: entered.number });
    const number = field(t('mobile'), input);
    const button = h('button', { class: 'primary' }, t('sendCode'));
    const submit = (event) => {
      event.preventDefault();
      entered.number = input.value;
      busy(button, () => this.#send(number.refuse));
    };
    fill(
      this.step,
      h('h1', {}, t(this.#purpose.title)),
      this.notice ? h('p', { class: 'notice', role: 'status' }, this.notice) : null,
      h('p', { class: 'muted' }, t(this.#purpose.hint)),
      h('form', { class: 'stack', novalidate: true, on: { submit } }, number.element, button),
      this.#otherWays(),
      inboxLink(),
    );
    this.shown();
  }

  async #send(refuse) {
    refuse(null);
    if (!entered.number.trim()) return refuse(t('badMobile'));
    try {
      await api.open('POST', this.#purpose.send, { mobile_number: entered.number });
      this.#sent(false, Number(codeSeconds));
    } catch (error) {
      if (error.status === 409) this.#sent(true, error.wait ?? 0);
      else refuse(whyNotSent(error));
    }
    return undefined;
  }

  #sent(wasSentBefore, seconds) {
    Object.assign(entered, { isSent: true, wasSentBefore, nextAt: Date.now() + seconds * 1000 });
    this.notice = null;
    this.#showCode();
  }

  #showCode() {
    this.#stopWaiting();
    const input = h('input', { class: 'code', type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', name: 'code', dir: 'ltr', required: true, maxlength: CODE_LENGTH + 4, autocapitalize: 'off', spellcheck: 'false' });
    const { setsPassword, asksName, title, verb } = this.#purpose;
    const fields = { code: field(t('code'), input) };
    if (asksName) fields.username = field(t('usernameOptional'), h('input', { type: 'text', name: 'username', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', dir: 'ltr' }), t('usernameHint'));
    if (setsPassword) fields.password = field(t('newPassword'), passwordInput('new-password'), t('passwordHint'));
    const button = h('button', { class: 'primary' }, t(verb));
    const submit = () => busy(button, () => this.#take(fields));
    const onSubmit = (event) => {
      event.preventDefault();
      submit();
    };
    input.addEventListener('input', () => !setsPassword && digitsOf(input).length === CODE_LENGTH && submit());
    const shownNumber = h('bdi', { dir: 'ltr' }, localDigits(asciiDigits(entered.number.trim())));
    const [before, after] = t(entered.wasSentBefore ? 'codeStillValid' : 'codeSentTo', { number: '\u0000' }).split('\u0000');
    const again = h('div', { class: 'row spread' });
    fill(
      this.step,
      h('h1', {}, t(title)),
      h('p', { class: 'muted', role: 'status' }, before, shownNumber, after),
      h('form', { class: 'stack', novalidate: true, on: { submit: onSubmit } }, Object.values(fields).map(({ element }) => element), button),
      again,
      inboxLink(),
    );
    this.#waitForNext(again, fields.code.refuse);
    this.#readFromMessage(input, () => setsPassword || submit());
    this.shown();
  }

  #waitForNext(element, refuse) {
    const other = h('button', { type: 'button', class: 'quiet', on: { click: () => this.#otherNumber() } }, t('otherNumber'));
    const text = h('span', { class: 'muted small' });
    const again = h('button', { type: 'button', class: 'quiet', on: { click: () => busy(again, () => this.#send(refuse)) } }, t('askAgain'));
    const tick = () => {
      const seconds = Math.ceil((entered.nextAt - Date.now()) / 1000);
      if (seconds > 0) {
        text.textContent = t('askAgainIn', { time: duration(seconds) });
        return;
      }
      clearInterval(this.clock);
      fill(element, again, other);
    };
    fill(element, text, other);
    this.clock = setInterval(tick, 1000);
    tick();
  }

  #otherNumber() {
    entered.isSent = false;
    this.#showNumber();
  }

  /** WebOTP: where the browser can, it reads the code from the message when the user allows it. */
  async #readFromMessage(input, submit) {
    if (!('OTPCredential' in window)) return;
    this.otp = new AbortController();
    try {
      const read = await navigator.credentials.get({ otp: { transport: ['sms'] }, signal: this.otp.signal });
      input.value = read.code;
      submit();
    } catch {
      // The user types it.
    }
  }

  /** Uses the code up. */
  async #take({ code, username, password }) {
    for (const one of [code, username, password]) one?.refuse(null);
    const body = { mobile_number: entered.number, code: digitsOf(code.input) };
    if (body.code.length !== CODE_LENGTH) return code.refuse(t('badCode', { count: CODE_LENGTH }));
    if (password) {
      body.password = password.input.value;
      if (!body.password) return password.refuse(t('fieldMissing'));
    }
    if (username?.input.value.trim()) body.username = username.input.value.trim();
    try {
      const pair = await api.open('POST', this.#purpose.take, body);
      Object.assign(entered, { purpose: HAS_CODES ? 'logIn' : null, number: '', isSent: false });
      tokens.set(pair);
    } catch (error) {
      if (error.field?.('password')) password.refuse(t('badPassword'));
      else if (error.field?.('username')) username.refuse(t('usernameTaken'));
      else if (error.field?.('mobile_number')) code.refuse(t(entered.purpose === 'reset' ? 'noSuchAccount' : 'hasAccount'));
      else code.refuse(error.status === 401 ? t('wrongCode') : problem(error));
    }
    return undefined;
  }
}

function digitsOf(input) {
  return asciiDigits(input.value).replace(/\D/g, '');
}

function whyNotSent(error) {
  if (error.status === 400) return t('badMobile');
  if (error.status === 403) return t('noCodes');
  if (error.status === 502) return t('sendingFailed');
  return problem(error);
}

function inboxLink() {
  if (!inbox) return null;
  return h('p', { class: 'muted small inbox' }, t('inboxHint'), ' ', h('a', { href: inbox, target: '_blank' }, t('inbox')));
}
