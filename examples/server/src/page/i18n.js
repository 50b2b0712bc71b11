// The two languages of the page: texts, digits and dates.

import * as kept from './kept.js';
import { ENGLISH } from './texts.en.js';
import { PERSIAN } from './texts.fa.js';

const root = document.documentElement;

export const isPersian = () => root.lang === 'fa';

/** The text of a name, with `{values}` filled in; numbers get the language's digits. */
export function t(name, values = {}) {
  const texts = isPersian() ? PERSIAN : ENGLISH;
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => {
    const value = values[key];
    return typeof value === 'number' ? number(value) : value;
  });
}

/** Changes the language of the page. Who shows texts shows them anew. */
export function setLanguage(language) {
  root.lang = language;
  root.dir = language === 'fa' ? 'rtl' : 'ltr';
  kept.writeWord('language', language);
}

/** Every text that was shown in a language can be shown in the other one. */
export const otherLanguage = () => (isPersian() ? 'en' : 'fa');

/** Persian has its own calendar and digits, whatever the device prefers. */
const locale = () => (isPersian() ? 'fa-IR-u-ca-persian-nu-arabext' : 'en-GB');

const formats = new Map();

/** A format of the language. Making one takes longer than using it a hundred times. */
function format(Kind, options) {
  const key = `${Kind.name} ${locale()} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Kind(locale(), options));
  return formats.get(key);
}

export function number(value) {
  return format(Intl.NumberFormat, { useGrouping: false }).format(value);
}

export function clockTime(time) {
  return format(Intl.DateTimeFormat, { hour: '2-digit', minute: '2-digit' }).format(new Date(time));
}

/** A part of 1 as a percentage. */
export function percent(part) {
  return format(Intl.NumberFormat, { style: 'percent', maximumFractionDigits: 0 }).format(part);
}

/** How large a file is, in the largest unit of which it has one. */
export function bytes(count) {
  const [unit, size] = count >= 2 ** 20 ? ['megabyte', 2 ** 20] : count >= 1024 ? ['kilobyte', 1024] : ['byte', 1];
  const options = { style: 'unit', unit, unitDisplay: isPersian() || unit === 'byte' ? 'long' : 'short', maximumFractionDigits: count < 10 * size ? 1 : 0 };
  return format(Intl.NumberFormat, options).format(count / size);
}

/** Minutes and seconds. */
export function duration(seconds) {
  const two = (value) => (value < 10 ? number(0) : '') + number(value);
  return `${number(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

/** Digits of any kind as ASCII. */
export function asciiDigits(text) {
  return text.replace(/[۰-۹٠-٩]/g, (digit) => String(digit.charCodeAt(0) & 0xf));
}

/** The digits in a text as the language writes them. */
export function localDigits(text) {
  return isPersian() ? text.replace(/[0-9]/g, (digit) => String.fromCharCode(0x6f0 + Number(digit))) : text;
}

function daysAgo(time) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((start(new Date()) - start(new Date(time))) / 86_400_000);
}

/** A day as a heading between messages. */
export function day(time) {
  const ago = daysAgo(time);
  if (ago === 0) return t('today');
  if (ago === 1) return t('yesterday');
  const monthAndDay = format(Intl.DateTimeFormat, { weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(time));
  // Of a whole date browsers write the Persian parts in the order of English.
  return year(time) === year(Date.now()) ? monthAndDay : `${monthAndDay} ${year(time)}`;
}

/** The year of the language's calendar. */
function year(time) {
  const parts = format(Intl.DateTimeFormat, { year: 'numeric' }).formatToParts(new Date(time));
  return parts.find(({ type }) => type === 'year').value;
}

/** The whole moment, for those who want to know. */
export function moment(time) {
  return format(Intl.DateTimeFormat, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(time));
}

/** When something was, in as few letters as a list has room for. */
export function shortTime(time) {
  const ago = daysAgo(time);
  if (ago <= 0) return clockTime(time);
  if (ago === 1) return t('yesterday');
  if (ago < 7) return format(Intl.DateTimeFormat, { weekday: 'short' }).format(new Date(time));
  return format(Intl.DateTimeFormat, { day: 'numeric', month: 'short' }).format(new Date(time));
}

/** How long ago something was. */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 60) return t('justNow');
  const relative = format(Intl.RelativeTimeFormat, { numeric: 'auto' });
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute');
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), 'hour');
  return relative.format(-Math.floor(seconds / 86_400), 'day');
}

/** Which text says why the server refused, or that nobody answered. */
export function problem(error) {
  if (error.status === undefined) return t('noAnswer');
  if (error.status === 429 && error.wait) return t('tooMany', { time: duration(error.wait) });
  if (error.status === 403) return t('notAllowed');
  if (error.status === 404) return t('notFound');
  if (error.status === 400) {
    const said = Object.values(error.body ?? {}).flat().find((text) => typeof text === 'string');
    if (said && !isPersian()) return said;
    return t('notAccepted');
  }
  return t('serverTrouble');
}

/** Why a message was refused, by the code of the error frame. */
export function reason(code) {
  return t(`code_${code}` in ENGLISH ? `code_${code}` : 'codeUnknown');
}
