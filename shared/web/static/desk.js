// The duty desk's hands: the panel beside the list, keys inside forms, nothing typed is lost, the server's time of day.
(() => {
  "use strict";
  const app = window.yangguang;
  const panel = document.getElementById("desk-panel");
  const queue = document.querySelector("[data-queue]");
  const hints = panel && !panel.classList.contains("is-alone") ? panel.cloneNode(true) : null;
  const beside = () => matchMedia("(min-width: 1100px)").matches;

  // The time of day, by the server's clock, in the court's time zone ----------------------------------------------------
  const format = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const showNow = () => document.querySelectorAll("[data-now]").forEach((place) => { place.textContent = format.format(new Date(app.serverNow())); });
  showNow();
  setInterval(showNow, 1000);

  // The queue is replaced under the reader's hands: the focus stays on the same button of the same item ------------------
  let kept = null;
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const active = document.activeElement;
    const row = event.target === queue && queue.contains(active) ? active.closest("[data-row]") : null;
    kept = row && { row: row.dataset.row, key: active.dataset.key || "", href: active.getAttribute("href") || "" };
  });
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target !== queue || !kept) return;
    const row = [...queue.querySelectorAll("[data-row]")].find((each) => each.dataset.row === kept.row);
    const same = row && [...row.querySelectorAll("a, button")].find((each) => (each.dataset.key || "") === kept.key && (each.getAttribute("href") || "") === kept.href);
    (same || row)?.focus({ preventScroll: true });
    kept = null;
  });
  if (!panel) return;

  // The panel: forms keep what is typed until it is sent or given up ------------------------------------------------------
  const refused = (form) => Boolean(form?.querySelector(".faults:not([hidden])"));
  const written = () => [...panel.querySelectorAll("textarea, input[type=text]")].some((input) => input.value.trim() && (input.value !== input.defaultValue || refused(input.form)));
  const mayLeave = () => !written() || confirm("已填写的内容尚未登记，确定放弃吗？");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== panel) return;
    const link = event.detail.elt;
    if (panel.contains(link)) return;
    if (!mayLeave()) { event.preventDefault(); return; }
    if (link.tagName === "A" && !beside()) { event.preventDefault(); location.assign(link.href); }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== panel) return;
    panel.scrollTop = 0;
    const place = panel.querySelector("[aria-invalid=true]") || panel.querySelector("[data-focus]");
    (place || panel).focus({ preventScroll: true });
    if (place && hints) panel.scrollTop = Math.max(0, place.getBoundingClientRect().bottom - panel.getBoundingClientRect().bottom + 120);
    else place?.scrollIntoView({ block: "center" });
  });
  function close() {
    if (!mayLeave()) return;
    if (hints === null) { location.assign("/desk"); return; }
    panel.replaceChildren(...hints.cloneNode(true).childNodes);
    const row = queue?.querySelector(".is-current");
    row?.focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => { if (event.target instanceof Element && event.target.closest("[data-close-panel]")) close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.querySelector("[data-item]") && !event.isComposing) { event.preventDefault(); close(); return; }
    const form = event.target instanceof Element ? event.target.closest("form") : null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form && panel.contains(form)) { event.preventDefault(); form.requestSubmit(); }
  });
  addEventListener("beforeunload", (event) => { if (written() && !panel.querySelector("form[data-sent]")) event.preventDefault(); });
})();
