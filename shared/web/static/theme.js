// Runs before the first paint: the theme that this person chose, kept apart for the desk, which is dark by default.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem(`theme:${root.dataset.frame}`);
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch { /* storage is off: the system's choice stands */ }
})();
