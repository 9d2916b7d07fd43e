// Owns the choice between dark and light. Runs before the first paint, so that nobody is blinded by the other one first;
// that is why this is a script and no module.

(() => {
  let theme = 'system';
  try {
    theme = JSON.parse(localStorage.getItem('switchboard preferences') ?? '{}').theme ?? 'system';
  } catch {
    // As the system has it.
  }
  if (theme !== 'system') document.documentElement.dataset.theme = theme;
})();
