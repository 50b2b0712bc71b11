// Logging in: a number, then the code that was sent to it.

import * as api from '../api.js';
import * as tokens from '../tokens.js';
import { fill, h } from '../dom.js';
import { asciiDigits, duration, localDigits, problem, t } from '../i18n.js';
import { busy, field, languageButton, themeButton } from './common.js';

const { codeLength, codeSeconds, inbox } = document.body.dataset;
const CODE_LENGTH = Number(codeLength);

// Kept when the language is switched.
const entered = { number: '', isSent: false, wasSentBefore: false, nextAt: 0 };

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
    if (entered.isSent) this.#showCode();
    else this.#showNumber();
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
      h('h1', {}, t('welcome')),
      this.notice ? h('p', { class: 'notice', role: 'status' }, this.notice) : null,
      h('p', { class: 'muted' }, t('welcomeHint')),
      h('form', { class: 'stack', novalidate: true, on: { submit } }, number.element, button),
      inboxLink(),
    );
    this.shown();
  }

  async #send(refuse) {
    refuse(null);
    if (!entered.number.trim()) return refuse(t('badMobile'));
    try {
      await api.open('POST', '/otp/send/', { mobile_number: entered.number });
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
    const code = field(t('code'), input);
    const button = h('button', { class: 'primary' }, t('logIn'));
    const submit = () => busy(button, () => this.#verify(digitsOf(input), code.refuse));
    const onSubmit = (event) => {
      event.preventDefault();
      submit();
    };
    input.addEventListener('input', () => digitsOf(input).length === CODE_LENGTH && submit());
    const shownNumber = h('bdi', { dir: 'ltr' }, localDigits(asciiDigits(entered.number.trim())));
    const [before, after] = t(entered.wasSentBefore ? 'codeStillValid' : 'codeSentTo', { number: '\u0000' }).split('\u0000');
    const again = h('div', { class: 'row spread' });
    fill(
      this.step,
      h('h1', {}, t('welcome')),
      h('p', { class: 'muted', role: 'status' }, before, shownNumber, after),
      h('form', { class: 'stack', novalidate: true, on: { submit: onSubmit } }, code.element, button),
      again,
      inboxLink(),
    );
    this.#waitForNext(again, code.refuse);
    this.#readFromMessage(input, submit);
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

  async #verify(code, refuse) {
    refuse(null);
    if (code.length !== CODE_LENGTH) return refuse(t('badCode', { count: CODE_LENGTH }));
    try {
      const pair = await api.open('POST', '/authenticate/', { mobile_number: entered.number, code });
      Object.assign(entered, { number: '', isSent: false });
      tokens.set(pair);
    } catch (error) {
      refuse(error.status === 401 ? t('wrongCode') : problem(error));
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
