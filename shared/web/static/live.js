// Live pages: data older than the limit says so; new items announce themselves by sound, title and a banner.
(() => {
  "use strict";
  const app = window.yangguang;
  const region = document.querySelector("[data-live]");
  if (!region) return;
  const limit = Number(region.dataset.staleAfter || 5) * 1000;
  const bar = region.querySelector(".stale-bar");
  let heard = performance.now();

  const hear = () => { heard = performance.now(); };
  function judgeAge() {
    const age = performance.now() - heard;
    bar.hidden = age <= limit;
    if (!bar.hidden) bar.querySelector("[data-age]").textContent = String(Math.floor(age / 1000));
  }
  setInterval(judgeAge, 500);

  // Sound: browsers allow it after the first touch or key; until then a bar says so ------------------------------------
  const soundBar = document.querySelector("[data-sound-bar]");
  const soundWords = () => document.querySelectorAll("[data-sound-toggle] .word");
  let audio = null;
  let muted = false;
  try { muted = sessionStorage.getItem("desk:muted") === "1"; } catch { /* sound stays on */ }
  function showSound() {
    const on = !muted && audio && audio.state === "running";
    if (soundBar) soundBar.hidden = Boolean(on || muted);
    soundWords().forEach((word) => { word.textContent = muted ? "声音已关" : on ? "声音已开" : "声音未开"; });
  }
  function wake() {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) return;
    audio = audio || new Context();
    audio.resume().then(showSound);
  }
  function tone(at, pitch) {
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.frequency.value = pitch;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.28);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.3);
  }
  function beep(urgent) {
    if (muted || !audio || audio.state !== "running") return;
    const pitches = urgent ? [988, 740, 988, 740, 988, 740] : [660, 880];
    pitches.forEach((pitch, index) => tone(audio.currentTime + index * 0.3, pitch));
  }
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, wake);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-sound-toggle]")) return;
    muted = !muted;
    try { sessionStorage.setItem("desk:muted", muted ? "1" : "0"); } catch { /* not kept */ }
    showSound();
    if (!muted) wake();
  });

  // Announcements --------------------------------------------------------------------------------------------------------
  const banner = document.querySelector("[data-announce-bar]");
  const plainTitle = document.title;
  const known = new Set();
  let fresh = 0;
  const present = () => [...document.querySelectorAll("[data-announce]")];
  function settle() {
    fresh = 0;
    document.title = plainTitle;
    if (banner) banner.hidden = true;
  }
  function announce(items) {
    const urgent = items.some((item) => item.dataset.announceLevel === "urgent");
    fresh += items.length;
    document.title = `（${fresh} 件提醒）${plainTitle}`;
    if (banner) {
      banner.hidden = false;
      banner.classList.toggle("urgent", urgent);
      banner.querySelector("[data-announce-words]").textContent = items.map((item) => item.dataset.announceText).join("；");
    }
    beep(urgent);
  }
  function look() {
    const items = present().filter((item) => !known.has(item.dataset.announce));
    items.forEach((item) => known.add(item.dataset.announce));
    if (items.length) announce(items);
    app.restoreRow();
  }
  present().forEach((item) => known.add(item.dataset.announce));
  document.addEventListener("click", (event) => { if (event.target instanceof Element && event.target.closest("[data-announce-close]")) settle(); });

  document.addEventListener("htmx:sseOpen", hear);
  document.addEventListener("htmx:sseMessage", (event) => {
    hear();
    judgeAge();
    if (event.detail.type === "tick") app.setServerNow(String(event.detail.data).trim());
  });
  document.addEventListener("htmx:afterSettle", look);
  wake();
  showSound();
})();
