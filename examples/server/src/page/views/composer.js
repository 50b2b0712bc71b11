// Where one writes: new messages, answers, and changes of one's own messages.

import { fill, h, icon, iconButton, toast } from '../dom.js';
import { bytes, problem, t } from '../i18n.js';
import { chosenFile } from './attachment.js';
import { preview } from './rooms.js';

const LONGEST = 4096;
/** How many bytes a file may have. */
export const LARGEST_FILE = Number(document.body.dataset.fileBytes);
const MOST_FILES = 10;
const MEMBER = 1;
const READ_ONLY = 0;
const OPEN = 1;
const CLOSED = 2;

export class Composer {
  constructor(chat, room, onSent) {
    this.chat = chat;
    this.room = room;
    this.onSent = onSent;
    this.answered = room.draft?.answered ?? null;
    this.edited = null;
    this.files = room.draft?.files ?? [];
    this.input = h('textarea', { rows: '1', dir: 'auto', 'aria-label': t('writeMessage'), placeholder: t('writeMessage'), enterkeyhint: 'send', value: room.draft?.text ?? '' });
    this.input.addEventListener('input', () => this.#changed());
    this.input.addEventListener('keydown', (event) => this.#key(event));
    this.input.addEventListener('paste', (event) => this.#pasted(event));
    this.about = h('div', { class: 'about-message', hidden: true });
    this.tray = h('ul', { class: 'tray', 'aria-label': t('chosenFiles'), hidden: true });
    this.picker = h('input', { type: 'file', multiple: true, hidden: true, 'aria-hidden': 'true', tabindex: '-1' });
    this.picker.addEventListener('change', () => this.#picked());
    this.attach = iconButton('attach', t('attach', { size: bytes(LARGEST_FILE) }), () => this.picker.click());
    this.form = h(
      'form',
      { class: 'composer', on: { submit: (event) => this.#submit(event) } },
      this.about,
      this.tray,
      h('div', { class: 'composer-row' }, this.picker, this.attach, this.input, h('button', { class: 'send', 'aria-label': t('send'), title: t('send') }, icon('send'))),
    );
    this.refusal = h('p', { class: 'composer refusal', hidden: true });
    this.element = h('footer', {}, this.form, this.refusal);
    this.#showAbout();
    this.#showTray();
    this.show();
  }

  end() {
    if (!this.edited) this.room.draft = { text: this.input.value, answered: this.answered, files: this.files };
  }

  shown() {
    this.#grow();
  }

  focus() {
    this.input.focus();
    this.#grow();
  }

  /** Shows the field, or why there is none. */
  show() {
    const why = this.#whyNot();
    this.form.hidden = why !== null;
    this.refusal.hidden = why === null;
    if (why) fill(this.refusal, icon('lock'), ' ', why);
  }

  #whyNot() {
    const { status, permissions } = this.room.json;
    if (status === CLOSED) return t('isClosed');
    if (status !== OPEN) return t('isOnHold');
    return permissions.includes(MEMBER) && !permissions.includes(READ_ONLY) ? null : t('cannotWrite');
  }

  /** Whether files can be added now. */
  get takesFiles() {
    return !this.form.hidden && !this.edited;
  }

  /** Adds files to what is sent next, and says why some cannot be. */
  addFiles(files) {
    if (!this.takesFiles) return;
    for (const file of files) {
      if (file.size > LARGEST_FILE) toast(t('fileTooLarge', { name: file.name, size: bytes(LARGEST_FILE) }));
      else if (file.size === 0) toast(t('fileEmpty', { name: file.name }));
      else if (this.files.length >= MOST_FILES) return void toast(t('tooManyAtOnce', { count: MOST_FILES }));
      else this.files = [...this.files, file];
      this.#showTray();
    }
    this.focus();
  }

  #picked() {
    this.addFiles([...this.picker.files]);
    // The same file can be chosen again.
    this.picker.value = '';
  }

  #pasted(event) {
    const { files } = event.clipboardData;
    if (files.length === 0) return;
    event.preventDefault();
    this.addFiles([...files]);
  }

  #showTray() {
    this.tray.hidden = this.files.length === 0 || this.edited !== null;
    this.attach.hidden = this.edited !== null;
    const remove = (file) => {
      this.files = this.files.filter((other) => other !== file);
      this.#showTray();
      this.focus();
    };
    fill(this.tray, this.files.map((file) => chosenFile(file, () => remove(file))));
  }

  /** The next message answers this one. */
  reply(message) {
    if (this.edited) this.#clear();
    this.answered = message;
    this.#showAbout();
    this.focus();
  }

  /** The text of this message is changed. */
  edit(message) {
    this.answered = null;
    this.edited = message;
    this.input.value = message.text;
    this.#showAbout();
    this.#showTray();
    this.focus();
  }

  /** Begins anew; files that were chosen stay, unless they were sent. */
  #clear() {
    this.answered = null;
    this.edited = null;
    this.input.value = '';
    this.room.draft = null;
    this.#showAbout();
    this.#showTray();
    this.#grow();
  }

  #showAbout() {
    const message = this.edited ?? this.answered;
    this.about.hidden = message === null;
    if (!message) return fill(this.about);
    const title = this.edited ? t('editing') : t('replyingTo', { name: message.sender?.username ?? t('goneUser') });
    const cancel = () => {
      this.#clear();
      this.focus();
    };
    return fill(this.about, h('div', { class: 'quote' }, h('b', {}, title), h('span', { dir: 'auto' }, preview(message))), iconButton('close', t('cancel'), cancel));
  }

  #changed() {
    this.#grow();
    if (this.input.value && !this.edited) this.chat.typing(this.room);
  }

  #grow() {
    const { style } = this.input;
    style.height = 'auto';
    const borders = this.input.offsetHeight - this.input.clientHeight;
    style.height = `${this.input.scrollHeight + borders}px`;
    // Its height has a limit, beyond which it scrolls.
    style.overflowY = this.input.scrollHeight > this.input.clientHeight + 1 ? 'auto' : 'hidden';
  }

  #key(event) {
    // While a word is being composed, Enter and Escape belong to the keyboard.
    if (event.isComposing) return;
    const makesLines = event.shiftKey || matchMedia('(pointer: coarse)').matches;
    if (event.key === 'Enter' && !makesLines) {
      event.preventDefault();
      this.#submit(event);
    } else if (event.key === 'Escape' && (this.edited || this.answered)) {
      this.#clear();
    } else if (event.key === 'ArrowUp' && this.input.value === '') {
      const last = this.chat.store.sortedMessages(this.room).findLast((message) => message.sender?.id === this.chat.store.me.id && !message.deletedAt && message.text);
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  #submit(event) {
    event.preventDefault();
    const text = this.input.value;
    const files = this.edited ? [] : this.files;
    if (!text.trim() && files.length === 0) return undefined;
    if ([...text].length > LONGEST) return toast(t('tooLong', { count: LONGEST }));
    const { edited, answered } = this;
    this.files = edited ? this.files : [];
    this.#clear();
    this.input.focus();
    if (edited) this.#change(edited, text);
    else {
      // A file needs no text, and what cannot be seen is none.
      this.chat.send(this.room, { text: text.trim() ? text : '', files, replyTo: answered?.id ?? null });
      this.onSent();
    }
    return undefined;
  }

  async #change(message, text) {
    if (text === message.text) return;
    try {
      await this.chat.edit(this.room, message, text);
    } catch (error) {
      toast(problem(error));
      // The text is not lost; unless something else was begun meanwhile.
      if (!this.input.value) {
        this.edit(message);
        this.input.value = text;
      }
    }
  }
}
