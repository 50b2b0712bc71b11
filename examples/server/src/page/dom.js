// Making elements. Text is only ever put in as text: nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: attributes by name, `on` for listeners, children as nodes or text; null is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'value') {
      element.value = value;
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  send: 'M20.5 3.5L3.5 10.5l7 3 3 7 7-17zM10.5 13.5l4-4',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 10l6 6 6-6',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5l4.5 4.5L15 8.5M10.5 15.5L12 17l9.5-9.5',
  alert: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.01',
  group: 'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 19c0-3 2.7-5 6-5s6 2 6 5M16 5.2a3 3 0 0 1 0 5.6M18 14.4c1.8.7 3 2.3 3 4.6',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c0-3.5 3.6-6 8-6s8 2.5 8 6',
  pin: 'M9 4h6l-1 6 3 3v1H7v-1l3-3-1-6zM12 14v6',
  mute: 'M5 9v6h3l5 4V5L8 9H5zM17 9l4 6M21 9l-4 6',
  chat: 'M5 5h14a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 17h-7l-5 4v-4H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 5z',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.400M17.6 17.600L19 19M5 19l1.4-1.400M17.6 6.400L19 5',
  moon: 'M19 14.500A7.5 7.5 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.500z',
  file: 'M7 3h7l4 4v14H7zM14 3v4h4',
  attach: 'M20 11.500l-8.200 8.200a5 5 0 0 1-7.100-7.100l8.600-8.600a3.400 3.400 0 0 1 4.800 4.800l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.500-7.500',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 19.500h14',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15.500 15.500L20 20',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z',
};

/** A drawn sign; what it means is said by the element that it stands in. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with a sign in it and a name for those who do not see the sign. */
export function iconButton(name, label, onClick, attributes = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, on: { click: onClick }, ...attributes }, icon(name));
}

/** A round picture of a name: its first letter in one of eight colours. */
export function avatar(name, id, { isGroup = false, isOnline = null } = {}) {
  const letter = [...(name || '?')][0].toUpperCase();
  const dot = isOnline ? h('span', { class: 'dot' }) : null;
  return h('span', { class: isGroup ? 'avatar group' : 'avatar', 'data-tint': Math.abs(id ?? 0) % 8, 'aria-hidden': 'true' }, letter, dot);
}

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}،؛؟»]/g;

/** A text with its web addresses as links, as nodes. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(text.slice(end, match.index));
    nodes.push(h('a', { href: match[0], target: '_blank', rel: 'noopener noreferrer nofollow', dir: 'ltr' }, match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** Says something that just happened, to everybody who looks or listens, for a few seconds. */
export function toast(text) {
  const element = h('p', { class: 'toast' }, text);
  document.getElementById('toasts').append(element);
  setTimeout(() => element.remove(), 5000);
}

/** Tells those who listen to the page, and nobody else. */
export function announce(text) {
  const region = document.getElementById('announcements');
  region.append(h('p', {}, text));
  while (region.childElementCount > 5) region.firstChild.remove();
}
