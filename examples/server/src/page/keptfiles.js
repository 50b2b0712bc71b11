// Files that wait to be uploaded, kept by the browser so that a reload loses none. Browsers that keep nothing
// (some private windows) say so, and the user is told.

const STORE = 'files';

let opening = null;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('chelseru', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(new Error('nothing is kept here'));
  });
  return opening;
}

async function inStore(mode, act) {
  const transaction = (await database()).transaction(STORE, mode);
  const request = act(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(new Error('nothing is kept here'));
  });
}

/** Keeps a file under a key; whether it is kept. */
export async function put(key, file) {
  try {
    await inStore('readwrite', (store) => store.put(file, key));
    return true;
  } catch {
    return false;
  }
}

/** The file under a key, or null. */
export async function get(key) {
  try {
    return (await inStore('readonly', (store) => store.get(key))) ?? null;
  } catch {
    return null;
  }
}

export async function remove(key) {
  try {
    await inStore('readwrite', (store) => store.delete(key));
  } catch {
    // Then there is nothing to be removed.
  }
}

/** The keys that begin so. */
export async function keys(beginning) {
  try {
    return (await inStore('readonly', (store) => store.getAllKeys())).filter((key) => key.startsWith(beginning));
  } catch {
    return [];
  }
}
