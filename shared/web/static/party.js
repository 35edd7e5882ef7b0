// The entrance for parties: a link's code stands in the fragment, which browsers never send; it is typed for them.
(() => {
  "use strict";
  const code = document.getElementById("f-code");
  const tail = document.getElementById("f-last_six");
  function take() {
    const found = /^#([0-9A-Za-z]{8})$/.exec(location.hash);
    if (!found || !code) return;
    code.value = found[1].toUpperCase();
    // Neither the history nor a picture of the screen keeps it.
    history.replaceState(null, "", location.pathname);
    tail?.focus();
  }
  addEventListener("hashchange", take);
  take();
})();
