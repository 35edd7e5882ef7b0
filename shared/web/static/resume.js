// Sends a form on by itself: one that only passes through, or that was meant to be sent a moment ago.
(() => {
  "use strict";
  document.querySelector("form[data-go-on]")?.requestSubmit();
})();
