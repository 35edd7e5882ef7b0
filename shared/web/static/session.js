// Keeps whoever is signed in so while a page stays open, so that a form being filled in is not lost to a token that ran out.
(() => {
  "use strict";
  const every = 10 * 60 * 1000;
  let renewedAt = Date.now();
  let warned = false;
  const later = () => window.yangguang?.toast("soon", "登录已到时", "请在新窗口重新登录，再回到此页继续：已填写的内容仍在页面上。");
  async function renew() {
    renewedAt = Date.now();
    let answer;
    try { answer = await fetch("/sign-in/refresh", { method: "POST", credentials: "same-origin" }); } catch { return; /* away: the next turn tries again */ }
    if (answer.ok) warned = false;
    if (answer.status === 401 && !warned) { warned = true; later(); }
  }
  setInterval(renew, every);
  // A machine that slept runs no timers: make up for it when the page is looked at again.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - renewedAt > every) renew(); });
})();
