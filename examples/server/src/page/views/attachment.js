// The files of messages: pictures in place, all others as downloads, and those on their way. Names are what
// somebody else has typed, and are shown as text alone.

import { fill, h, icon, iconButton, toast } from '../dom.js';
import { isPicture } from '../files.js';
import { bytes, percent, problem, t } from '../i18n.js';
import { dialog } from './common.js';

const waiting = new Map();
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    sight.unobserve(target);
    waiting.get(target)?.();
    waiting.delete(target);
  }
});

/** Calls when an element comes into sight. */
function whenSeen(element, act) {
  waiting.set(element, act);
  sight.observe(element);
}

/** The file of a message: its element, which finds out by itself what it is. */
export function attachment(chat, message) {
  const id = message.attachment;
  const element = h('div', { class: 'attachment' });
  const known = chat.files.get(id);
  const show = (file) => fill(element, isPicture(file.type) ? picture(chat, id, file.local ?? file.url, asFile) : fileBox(chat, file));
  const asFile = (file) => fill(element, fileBox(chat, file));
  if (known) show(known);
  else if (message.type === 'image' && message.fileUrl) fill(element, picture(chat, id, message.fileUrl, asFile));
  else {
    fill(element, fileBox(chat, { id, name: t('file'), bytes: null }));
    whenSeen(element, () => chat.files.ask(id).then(show, () => {}));
  }
  return element;
}

/** A picture in a box of one size, so that what is read does not move when it comes. */
function picture(chat, id, url, asFile) {
  const image = h('img', { alt: '', loading: 'lazy', decoding: 'async', src: url });
  const button = h('button', { type: 'button', class: 'photo', 'aria-label': t('openPhoto'), on: { click: () => openPicture(chat, id) } }, image);
  let isRenewed = false;
  image.addEventListener('load', () => button.classList.add('loaded'));
  image.addEventListener('error', async () => {
    try {
      const file = await chat.files.ask(id);
      // The link had run out. What is no picture with a fresh one either is a file.
      if (isRenewed || !isPicture(file.type)) return asFile(file);
      isRenewed = true;
      image.src = file.url;
    } catch {
      fill(button, h('span', { class: 'muted small' }, t('photoGone')));
    }
    return undefined;
  });
  return button;
}

async function openPicture(chat, id) {
  try {
    const file = await chat.files.ask(id);
    const image = h('img', { alt: file.name, src: file.local ?? file.url });
    const about = h('div', { class: 'row spread' }, h('span', { class: 'muted small' }, bytes(file.bytes)), downloadButton(chat, file));
    dialog(h('bdi', {}, file.name), () => h('div', { class: 'stack' }, image, about)).classList.add('viewer');
  } catch (error) {
    toast(problem(error));
  }
}

function downloadButton(chat, file) {
  return h('button', { type: 'button', class: 'quiet', on: { click: () => download(chat, file.id) } }, icon('download'), ' ', t('download'));
}

function fileBox(chat, file) {
  const label = t('downloadFile', { name: file.name });
  return h('button', { type: 'button', class: 'file', 'aria-label': label, on: { click: () => download(chat, file.id) } }, icon('file'), fileNames(file), icon('download'));
}

function fileNames({ name, bytes: size }) {
  return h('span', { class: 'file-names' }, h('bdi', { class: 'file-name' }, name), h('span', { class: 'small' }, size === null ? '' : bytes(size)));
}

/** Saves a file through a fresh link, under the name that it was sent with. */
async function download(chat, id) {
  try {
    const { url, name } = await chat.files.ask(id);
    h('a', { href: url, download: name }).click();
  } catch (error) {
    toast(problem(error));
  }
}

/** A picture as this browser has it; something else where it is none. */
function localPicture(url, attributes, instead) {
  const image = h('img', { ...attributes, src: url });
  image.addEventListener('error', () => image.replaceWith(instead));
  return image;
}

/** A file on its way: how far it is, and a way to stop it. `update` shows what has changed of it. */
export function upload(chat, item) {
  const preview = chat.sending.uploads.preview(item.clientId);
  const bar = h('progress', { max: '1', 'aria-label': t('uploading') });
  const state = h('span', { class: 'grow' });
  const warning = h('p', { class: 'small warning' }, t('notKept'));
  const cancel = iconButton('close', t('cancelUpload'), () => chat.sending.discard(item));
  const progress = h('div', { class: 'upload-state small' }, state, cancel, bar);
  const element = h(
    'div',
    { class: 'attachment upload' },
    preview ? h('div', { class: 'photo loaded' }, localPicture(preview, { alt: item.file.name }, icon('file'))) : h('div', { class: 'file' }, icon('file'), fileNames(item.file)),
    progress,
    warning,
  );
  const update = () => {
    const isUnderWay = item.state === 'uploading';
    progress.hidden = !isUnderWay;
    warning.hidden = !isUnderWay || item.isKept !== false;
    if (typeof item.progress === 'number') bar.value = item.progress;
    else bar.removeAttribute('value');
    state.textContent = stateOf(chat, item);
  };
  update();
  return { element, update };
}

function stateOf(chat, item) {
  if (!chat.socket.isLive) return t('waitingToSend');
  return typeof item.progress === 'number' ? t('uploadingPart', { part: percent(item.progress) }) : t('waitingTurn');
}

/** A file that was chosen and not sent yet, with a way to take it away again. */
export function chosenFile(file, onRemove) {
  const url = isPicture(file.type) ? URL.createObjectURL(file) : null;
  const picture = url ? localPicture(url, { alt: '' }, icon('file')) : icon('file');
  picture.addEventListener('load', () => URL.revokeObjectURL(url));
  return h('li', {}, picture, fileNames({ name: file.name, bytes: file.size }), iconButton('close', t('remove', { name: file.name }), onRemove));
}
