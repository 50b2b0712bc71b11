// What the browser keeps for us. Storage may be switched off or full; then it lasts as long as the tab.

const PREFIX = 'chelseru.';
const memory = new Map();

/** What is kept under a name, or null. */
export function read(name) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? (memory.get(name) ?? null) : JSON.parse(text);
  } catch {
    return memory.get(name) ?? null;
  }
}

/** Keeps something under a name; null forgets it. */
export function write(name, value) {
  if (value === null) memory.delete(name);
  else memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    memory.delete(name);
  } catch {
    // It stays in memory.
  }
}

/** Keeps a plain word, as boot.js reads it. */
export function writeWord(name, word) {
  try {
    if (word === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, word);
  } catch {
    // Then it is forgotten with the tab.
  }
}

/** The plain word kept under a name, or null. */
export function readWord(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** The names under which something is kept that begin so. */
export function names(beginning) {
  const found = new Set([...memory.keys()].filter((name) => name.startsWith(beginning)));
  try {
    for (let at = 0; at < localStorage.length; at += 1) {
      const key = localStorage.key(at);
      if (key.startsWith(PREFIX + beginning)) found.add(key.slice(PREFIX.length));
    }
  } catch {
    // Only what is in memory.
  }
  return [...found];
}

/** Calls when another tab changes what is kept under a name. */
export function onChangeElsewhere(name, listener) {
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + name || event.key === null) listener();
  });
}

/** A key that nobody else has: 32 hexadecimal digits. (`crypto.randomUUID` needs HTTPS.) */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
