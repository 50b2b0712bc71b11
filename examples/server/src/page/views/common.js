// What all faces of the page have: the switches of language and theme, dialogs and menus.

import * as kept from '../kept.js';
import { h, icon, iconButton } from '../dom.js';
import { otherLanguage, setLanguage, t } from '../i18n.js';

const root = document.documentElement;

/** The theme that is chosen: `light`, `dark`, or null for the device's. */
export const theme = () => root.dataset.theme ?? null;

export function setTheme(chosen) {
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
  kept.writeWord('theme', chosen);
}

function isDark() {
  return theme() ? theme() === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Switches between light and dark. */
export function themeButton() {
  const button = iconButton(isDark() ? 'sun' : 'moon', t('switchTheme'), () => {
    setTheme(isDark() ? 'light' : 'dark');
    button.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
  });
  return button;
}

/** Switches to the other language; its name is written in that language. */
export function languageButton(onLanguage) {
  const language = otherLanguage();
  const onClick = () => {
    setLanguage(language);
    onLanguage();
  };
  return h('button', { type: 'button', class: 'quiet', lang: language, on: { click: onClick } }, t('language'));
}

/** A dialog in front of everything; Escape closes it. The element gets what `fillIn(close)` gives. */
export function dialog(title, fillIn) {
  const close = () => element.close();
  const heading = h('h2', { id: 'dialog-title' }, title);
  const element = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title', on: { close: () => element.remove() } },
    h('header', {}, heading, iconButton('close', t('close'), close)),
    fillIn(close),
  );
  element.addEventListener('click', (event) => event.target === element && close());
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks before what cannot be undone. */
export function ask(question, verb) {
  return new Promise((resolve) => {
    let answer = false;
    const element = dialog(verb, (close) => {
      const yes = () => {
        answer = true;
        close();
      };
      return h(
        'div',
        { class: 'stack' },
        h('p', {}, question),
        h(
          'div',
          { class: 'row end' },
          h('button', { type: 'button', class: 'quiet', on: { click: close } }, t('cancel')),
          h('button', { type: 'button', class: 'danger', on: { click: yes } }, verb),
        ),
      );
    });
    element.addEventListener('close', () => resolve(answer));
  });
}

/** Opens a menu below its button: `[{ label, act, isDanger }]`. Arrows move, Escape closes. */
export function menu(button, items) {
  document.querySelector('.menu')?.remove();
  const close = () => {
    element.remove();
    button.setAttribute('aria-expanded', 'false');
    removeEventListener('pointerdown', outside, true);
    removeEventListener('scroll', close, true);
    removeEventListener('resize', close);
  };
  const outside = (event) => !element.contains(event.target) && close();
  const onKey = (event) => {
    const all = [...element.children];
    const at = all.indexOf(document.activeElement);
    if (event.key === 'ArrowDown') all[(at + 1) % all.length].focus();
    else if (event.key === 'ArrowUp') all[(at - 1 + all.length) % all.length].focus();
    else if (event.key === 'Escape' || event.key === 'Tab') {
      close();
      button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const element = h(
    'div',
    { class: 'menu', role: 'menu', on: { keydown: onKey } },
    items.map(({ label, act, isDanger }) => {
      const chosen = () => {
        close();
        button.focus();
        act();
      };
      return h('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: isDanger ? 'is-danger' : null, on: { click: chosen } }, label);
    }),
  );
  // A dialog is in front of all that is not inside of it.
  (button.closest('dialog') ?? document.body).append(element);
  button.setAttribute('aria-expanded', 'true');
  place(element, button.getBoundingClientRect());
  element.firstChild.focus();
  addEventListener('pointerdown', outside, true);
  addEventListener('scroll', close, true);
  addEventListener('resize', close);
}

function place(element, anchor) {
  const { width, height } = element.getBoundingClientRect();
  const isRight = root.dir === 'ltr';
  const left = isRight ? anchor.right - width : anchor.left;
  const below = anchor.bottom + 4;
  const top = below + height > innerHeight - 8 ? anchor.top - height - 4 : below;
  element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  element.style.top = `${Math.max(8, top)}px`;
}

/** A field with its label and a place for what is wrong with it. */
export function field(label, input, hint) {
  const id = `field-${(field.count = (field.count ?? 0) + 1)}`;
  const error = h('p', { class: 'error', id: `${id}-error`, role: 'alert' });
  input.id = id;
  input.setAttribute('aria-describedby', hint ? `${id}-hint ${id}-error` : `${id}-error`);
  const element = h('div', { class: 'field' }, h('label', { for: id }, label), input, hint ? h('p', { class: 'hint', id: `${id}-hint` }, hint) : null, error);
  const refuse = (text) => {
    error.textContent = text ?? '';
    input.toggleAttribute('aria-invalid', Boolean(text));
    if (text) input.focus();
  };
  return { element, input, refuse };
}

/** An input for a password: one that is there (`current-password`) or a `new-password`. */
export function passwordInput(kind) {
  return h('input', { type: 'password', name: kind, autocomplete: kind, dir: 'ltr', required: true, maxlength: 1024 });
}

/** Keeps a button from being pressed again while its work is under way. */
export async function busy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
