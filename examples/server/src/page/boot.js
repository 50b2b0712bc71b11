// Runs before the first paint, so that neither theme nor language flashes. Everything else is a module.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(`chelseru.${name}`);
    } catch {
      return null; // Storage is switched off: the browser's wishes count.
    }
  };
  const theme = kept('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const isPersian = (kept('language') ?? navigator.language ?? '').startsWith('fa');
  root.lang = isPersian ? 'fa' : 'en';
  root.dir = isPersian ? 'rtl' : 'ltr';
})();
