// What a room is, who is in it, and what the user may do there: every verb is offered by the permission codes
// that the server gave, and refused by the server all the same.

import * as api from '../api.js';
import { avatar, fill, h, iconButton, toast } from '../dom.js';
import { problem, t } from '../i18n.js';
import { ask, busy, dialog, field, menu } from './common.js';
import { find } from './people.js';
import { nameOf, pictureOf } from './rooms.js';

/** The codes of permissions. */
const MAY = { write: 1, add: 2, kick: 3, ban: 4, give: 5, take: 6, kickAdmin: 7, close: 8, reopen: 9, rename: 10, remove: 12 };
const CODES = Array.from({ length: 13 }, (_, code) => code);
const [OPEN, CLOSED, HOLD] = [1, 2, 3];

/** Opens the dialog about a room. */
export function openAbout(chat, room) {
  const about = new About(chat, room);
  about.close = () => element.close();
  const element = dialog(t('roomInfo'), () => about.element);
  element.addEventListener('close', () => about.end());
  about.show();
}

class About {
  constructor(chat, room) {
    this.chat = chat;
    this.room = room;
    this.members = null;
    this.element = h('div', { class: 'stack about' });
    this.end = chat.store.on(`room:${room.id}`, () => this.#roomChanged());
  }

  get #me() {
    return this.chat.store.me;
  }

  #may(...codes) {
    const { owner, permissions } = this.room.json;
    return owner?.id === this.#me.id || codes.every((code) => permissions.includes(code));
  }

  async show() {
    this.#draw();
    await this.#read();
  }

  #roomChanged() {
    if (!this.chat.store.rooms.has(this.room.id)) return this.close();
    // Presence and typing change it, too: the members are read again for a change of the room only.
    if (this.shownJson === this.room.json) return undefined;
    return this.#read();
  }

  async #read() {
    this.shownJson = this.room.json;
    if (this.room.json.kind === 'group') {
      const path = `/chat/chatrooms/${this.room.id}`;
      try {
        this.members = await api.all(`${path}/members/?page_size=100`);
        this.banned = this.#may(MAY.ban) ? await api.all(`${path}/bans/?page_size=100`) : [];
      } catch (error) {
        toast(problem(error));
      }
    }
    this.#draw();
  }

  /** Does something and says what came of it. */
  async #do(work) {
    try {
      await work();
      toast(t('done'));
    } catch (error) {
      toast(problem(error));
    }
    if (this.chat.store.rooms.has(this.room.id)) await this.#read();
  }

  #act(method, path, body) {
    return this.#do(() => this.chat.act(this.room, method, path, body));
  }

  #draw() {
    const { json } = this.room;
    const isGroup = json.kind === 'group';
    fill(
      this.element,
      h('div', { class: 'about-head' }, pictureOf(this.room, this.chat.store), h('h3', {}, h('bdi', {}, nameOf(this.room, this.#me))), json.description ? h('p', { class: 'muted', dir: 'auto' }, json.description) : null),
      isGroup && this.#may(MAY.rename) ? this.#renaming() : null,
      isGroup ? this.#memberSection() : null,
      isGroup && this.banned?.length ? this.#bannedSection() : null,
      this.#verbs(isGroup),
    );
  }

  #renaming() {
    const { json } = this.room;
    const name = field(t('groupName'), h('input', { type: 'text', maxlength: 45, dir: 'auto', value: json.name }));
    const description = field(t('description'), h('textarea', { rows: 2, maxlength: 1000, dir: 'auto', value: json.description ?? '' }));
    const button = h('button', {}, t('save'));
    const submit = (event) => {
      event.preventDefault();
      busy(button, () => this.#do(() => this.chat.change(this.room, { name: name.input.value, description: description.input.value })));
    };
    return h('details', {}, h('summary', {}, t('rename')), h('form', { class: 'stack', on: { submit } }, name.element, description.element, button));
  }

  #memberSection() {
    const title = h('h3', {}, t('memberCount', { count: this.room.json.member_count ?? this.members?.length ?? 0 }));
    const rows = (this.members ?? []).map((member) => this.#memberRow(member));
    return h('section', { class: 'stack' }, title, this.#may(MAY.add) ? this.#adding() : null, h('ul', { class: 'people' }, this.members ? rows : h('li', { class: 'muted' }, t('loading'))));
  }

  #adding() {
    const username = field(t('addMember'), h('input', { type: 'text', dir: 'ltr', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }));
    const button = h('button', {}, t('add'));
    const submit = (event) => {
      event.preventDefault();
      busy(button, async () => {
        const user = await find(this.chat, username);
        if (user) await this.#act('POST', 'members/', { user: user.id });
      });
    };
    return h('form', { class: 'with-button', novalidate: true, on: { submit } }, username.element, button);
  }

  #memberRow(member) {
    const user = userOf(member);
    const codes = member.permissions ?? [];
    const isOwner = this.room.json.owner?.id === user.id;
    const isAdmin = codes.some((code) => code >= MAY.add);
    const role = isOwner ? t('owner') : codes.includes(0) ? t('readOnly') : isAdmin ? t('admin') : null;
    const verbs = isOwner || user.id === this.#me.id ? [] : this.#memberVerbs(user, codes, isAdmin);
    const button = verbs.length ? iconButton('more', t('permissionsOf', { name: user.username }), () => menu(button, verbs), { 'aria-haspopup': 'menu' }) : null;
    return h('li', {}, avatar(user.username, user.id), h('span', { class: 'grow' }, h('bdi', {}, user.username), user.id === this.#me.id ? ` (${t('you')})` : null), role ? h('span', { class: 'tag' }, role) : null, button);
  }

  #memberVerbs(user, codes, isAdmin) {
    const { name } = { name: user.username };
    const alsoAdmin = isAdmin ? [MAY.kickAdmin] : [];
    const verbs = [];
    if (this.#may(MAY.give) || this.#may(MAY.take)) verbs.push({ label: t('permissions'), act: () => this.#openPermissions(user, codes) });
    if (this.room.json.owner?.id === this.#me.id) {
      verbs.push({ label: t('handOver'), act: () => this.#asked(t('handOverQuestion', { name }), t('handOver'), 'POST', 'owner/', { user: user.id }) });
    }
    if (this.#may(MAY.kick, ...alsoAdmin)) {
      verbs.push({ label: t('kick'), isDanger: true, act: () => this.#asked(t('kickQuestion', { name }), t('kick'), 'DELETE', `members/${user.id}/`) });
    }
    if (this.#may(MAY.ban, ...alsoAdmin)) {
      verbs.push({ label: t('ban'), isDanger: true, act: () => this.#asked(t('banQuestion', { name }), t('ban'), 'POST', 'bans/', { user: user.id }) });
    }
    return verbs;
  }

  async #asked(question, verb, method, path, body) {
    if (await ask(question, verb)) await this.#act(method, path, body);
  }

  #openPermissions(user, codes) {
    dialog(t('permissionsOf', { name: user.username }), (close) => {
      const boxes = CODES.map((code) => {
        const has = codes.includes(code);
        // One gives what one has, and takes what one has.
        const mayChange = this.#may(has ? MAY.take : MAY.give) && (code <= MAY.write || this.#may(code));
        const box = h('input', { type: 'checkbox', name: 'code', disabled: !mayChange });
        box.checked = has;
        return { code, box };
      });
      const button = h('button', { class: 'primary' }, t('save'));
      const submit = (event) => {
        event.preventDefault();
        const permissions = boxes.filter(({ box }) => box.checked).map(({ code }) => code);
        busy(button, async () => {
          await this.#act('PATCH', `members/${user.id}/`, { permissions });
          close();
        });
      };
      const rows = boxes.map(({ code, box }) => h('label', { class: 'check-row' }, box, h('span', {}, t(`permission${code}`))));
      return h('form', { class: 'stack', on: { submit } }, h('div', { class: 'checks' }, rows), button);
    });
  }

  #bannedSection() {
    const rows = this.banned.map((ban) => {
      const user = userOf(ban);
      return h('li', {}, avatar(user.username, user.id), h('span', { class: 'grow' }, h('bdi', {}, user.username)), h('button', { type: 'button', class: 'quiet', on: { click: () => this.#act('DELETE', `bans/${user.id}/`) } }, t('unban')));
    });
    return h('section', { class: 'stack' }, h('h3', {}, t('bannedUsers')), h('ul', { class: 'people' }, rows));
  }

  #verbs(isGroup) {
    const { status } = this.room.json;
    const setStatus = (next) => () => this.#do(() => this.chat.change(this.room, { status: next }));
    const button = (label, act, kind = '') => h('button', { type: 'button', class: kind, on: { click: act } }, t(label));
    const isOpen = status === OPEN;
    return h(
      'div',
      { class: 'row wrap' },
      isGroup && isOpen && this.#may(MAY.close) ? [button('holdRoom', setStatus(HOLD)), button('closeRoom', setStatus(CLOSED))] : null,
      isGroup && !isOpen && this.#may(MAY.reopen) ? button('reopenRoom', setStatus(OPEN)) : null,
      button('leave', () => this.#leave(), 'danger-quiet'),
      isGroup && this.#may(MAY.remove) ? button('deleteGroup', () => this.#delete(), 'danger-quiet') : null,
    );
  }

  async #leave() {
    if (await ask(t('leaveQuestion'), t('leave'))) await this.#goneBy(() => api.call('POST', `/chat/chatrooms/${this.room.id}/leave/`));
  }

  async #delete() {
    if (await ask(t('deleteGroupQuestion'), t('deleteGroup'))) await this.#goneBy(() => api.call('DELETE', `/chat/chatrooms/${this.room.id}/`));
  }

  async #goneBy(work) {
    try {
      await work();
      this.close();
      this.chat.store.removeRoom(this.room.id);
      location.hash = '#/';
    } catch (error) {
      toast(problem(error));
    }
  }
}

/** A member is a user with permissions, or has one. */
function userOf(member) {
  return typeof member.user === 'object' ? member.user : member;
}
