// Beginning to talk: with one other, or in a group.

import * as api from '../api.js';
import { fill, h, iconButton } from '../dom.js';
import { problem, t } from '../i18n.js';
import { busy, dialog, field } from './common.js';

const NAME_LENGTH = 45;

function usernameInput() {
  return h('input', { type: 'text', name: 'username', dir: 'ltr', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true });
}

const goTo = (room) => {
  location.hash = `#/room/${room.id}`;
};

const why = (error) => (error.status === 404 || error.field?.('username') ? t('noSuchUser') : problem(error));

/** Asks for a username and opens the room with that one. */
export function openNewChat(chat) {
  dialog(t('newChat'), (close) => {
    const username = field(t('usernameOf'), usernameInput());
    const button = h('button', { class: 'primary' }, t('startChat'));
    const start = async () => {
      const name = username.input.value.trim();
      username.refuse(null);
      if (!name) return username.input.focus();
      if (name === chat.store.me.username) return username.refuse(t('thatIsYou'));
      try {
        const room = await chat.openPair(name);
        close();
        goTo(room);
      } catch (error) {
        username.refuse(why(error));
      }
      return undefined;
    };
    const submit = (event) => {
      event.preventDefault();
      busy(button, start);
    };
    const yours = h('p', { class: 'muted small' }, t('usernameHint'));
    return h('form', { class: 'stack', novalidate: true, on: { submit } }, h('p', { class: 'muted' }, t('newHint')), username.element, yours, button);
  });
}

/** Finds a user by name; refuses in the field when there is none. */
export async function find(chat, username) {
  const name = username.input.value.trim();
  username.refuse(null);
  if (!name) {
    username.input.focus();
    return null;
  }
  if (name === chat.store.me.username) {
    username.refuse(t('thatIsYou'));
    return null;
  }
  try {
    return await api.call('GET', `/chat/users/?username=${encodeURIComponent(name)}`);
  } catch (error) {
    username.refuse(why(error));
    return null;
  }
}

/** Asks for a name and members, and makes the group. */
export function openNewGroup(chat) {
  dialog(t('newGroup'), (close) => {
    const members = new Map();
    const name = field(t('groupName'), h('input', { type: 'text', name: 'name', maxlength: NAME_LENGTH, dir: 'auto', required: true, autocomplete: 'off' }));
    const username = field(t('addMember'), usernameInput());
    const chips = h('ul', { class: 'chips', 'aria-label': t('members') });
    const showChips = () => {
      fill(
        chips,
        [...members.values()].map((user) => {
          const remove = () => {
            members.delete(user.id);
            showChips();
            username.input.focus();
          };
          return h('li', {}, h('bdi', {}, user.username), iconButton('close', t('remove', { name: user.username }), remove));
        }),
      );
    };
    const addOne = async () => {
      const user = await find(chat, username);
      if (!user) return;
      members.set(user.id, user);
      username.input.value = '';
      username.input.focus();
      showChips();
    };
    const addButton = h('button', { type: 'button', on: { click: () => busy(addButton, addOne) } }, t('add'));
    username.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      addButton.click();
    });
    const button = h('button', { class: 'primary' }, t('createGroup'));
    const make = async () => {
      name.refuse(null);
      if (!name.input.value.trim()) return name.input.focus();
      // A name that was typed and not added yet is meant, too.
      if (username.input.value.trim()) await addOne();
      if (members.size === 0) return username.refuse(t('needMembers'));
      try {
        const room = await chat.openGroup(name.input.value.trim(), [...members.keys()]);
        close();
        goTo(room);
      } catch (error) {
        name.refuse(problem(error));
      }
      return undefined;
    };
    const submit = (event) => {
      event.preventDefault();
      busy(button, make);
    };
    return h('form', { class: 'stack', novalidate: true, on: { submit } }, name.element, h('div', { class: 'with-button' }, username.element, addButton), chips, button);
  });
}
