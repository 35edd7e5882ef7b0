// What every page does: theme, faults beside the fields, ticking clocks, keys. No inline code anywhere.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const yangguang = (window.yangguang = {});

  // Theme -------------------------------------------------------------------------------------------------------
  const root = document.documentElement;
  const isDark = () => root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  function toggleTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem(`theme:${root.dataset.frame}`, root.dataset.theme); } catch { /* not kept */ }
    document.dispatchEvent(new CustomEvent("yangguang:theme"));
  }

  // The server's clock: its instant at arrival plus what has passed since, whatever this machine's own clock says --------
  let offset = null;
  yangguang.setServerNow = (iso) => {
    const instant = Date.parse(iso);
    if (!Number.isNaN(instant)) offset = instant - performance.now();
  };
  yangguang.serverNow = () => (offset === null ? Date.now() : offset + performance.now());

  const pad = (number) => String(number).padStart(2, "0");
  // Seconds count in the last day only; before it, they would crowd out what the time is for.
  function exact(seconds) {
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor((seconds % 86400) / 3600);
    if (days) return hours ? `${days} 天 ${hours} 小时` : `${days} 天`;
    return `${pad(hours)}:${pad(Math.floor((seconds % 3600) / 60))}:${pad(seconds % 60)}`;
  }
  function tick(element) {
    const left = Math.floor((Date.parse(element.dataset.due) - yangguang.serverNow()) / 1000);
    const late = left < 0;
    const soonBelow = Number(element.dataset.soon || 0);
    element.classList.toggle("late", late);
    element.classList.toggle("soon", !late && left < soonBelow);
    element.querySelector(".clock-state").textContent = late ? "已超期" : "还剩";
    element.querySelector(".clock-left").textContent = exact(Math.abs(left));
  }
  const tickAll = () => all("time[data-due]").forEach(tick);
  function learnClock(scope) {
    const newest = all("[data-server-now]", scope).map((element) => element.dataset.serverNow).sort().pop();
    if (newest) yangguang.setServerNow(newest);
  }

  // Faults beside the fields --------------------------------------------------------------------------------------
  const reasonFor = (input) => {
    const validity = input.validity;
    if (validity.valid) return "";
    if (validity.valueMissing) return ["radio", "checkbox", "file"].includes(input.type) || input.tagName === "SELECT" ? "请选择。" : "请填写此项。";
    if (validity.tooLong) return `内容太长，最多 ${input.maxLength} 个字。`;
    if (validity.tooShort) return `内容太短，至少 ${input.minLength} 个字。`;
    if (validity.typeMismatch && input.type === "email") return "邮箱格式不正确，例如 name@example.com。";
    if (validity.rangeUnderflow) return `不能小于 ${input.min}。`;
    if (validity.rangeOverflow) return `不能大于 ${input.max}。`;
    return input.dataset.fault || "格式不正确，请核对后重填。";
  };
  const boxOf = (input) => input.closest("[data-field]");
  function showFault(box, reason) {
    const line = box.querySelector(".fault");
    box.classList.toggle("has-fault", Boolean(reason));
    line.hidden = !reason;
    line.querySelector("span").textContent = reason;
    for (const input of all("input, select, textarea", box)) {
      if (reason) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    }
  }
  const check = (input) => { const box = boxOf(input); if (box) showFault(box, reasonFor(input)); };
  function summarize(form, faults) {
    const summary = form.querySelector(".faults");
    const list = summary.querySelector("ul");
    list.replaceChildren(...faults.map(({ id, label, reason }) => {
      const item = document.createElement("li");
      const link = id ? Object.assign(document.createElement("a"), { href: `#${id}` }) : item;
      link.textContent = label ? `${label}：${reason}` : reason;
      if (id) item.append(link);
      return item;
    }));
    summary.hidden = !faults.length;
    if (faults.length) { summary.focus(); summary.scrollIntoView({ block: "nearest" }); }
  }
  const labelOf = (box) => {
    const label = (box.dataset.label || "").trim();
    const section = box.closest(".form-section");
    const twin = section && all("[data-label]", box.closest("form")).some((other) => other.dataset.label === box.dataset.label && !section.contains(other));
    return twin ? `${section.querySelector("legend").textContent.trim()}，${label}` : label;
  };
  function checkForm(form) {
    const seen = new Set();
    const faults = [];
    for (const input of form.elements) {
      const box = input.willValidate ? boxOf(input) : null;
      if (!box || seen.has(box)) continue;
      const reason = reasonFor(input);
      if (reason) { seen.add(box); faults.push({ id: input.id, label: labelOf(box), reason }); }
      showFault(box, reason);
    }
    summarize(form, faults);
    return !faults.length;
  }
  function placeFaults(form, errors) {
    all("[data-field]", form).forEach((box) => showFault(box, ""));
    const faults = errors.map(({ field, reason }) => {
      const box = all("[data-field]", form).find((candidate) => candidate.dataset.field === field);
      if (!box) return { id: "", label: "", reason };
      showFault(box, reason);
      return { id: box.querySelector("input, select, textarea").id, label: labelOf(box), reason };
    });
    summarize(form, faults);
  }
  function count(area) {
    const counter = document.getElementById(`${area.id}-count`);
    if (counter) counter.textContent = `还可输入 ${area.maxLength - area.value.length} 字`;
  }

  // Submitting: once, and with everything in order ------------------------------------------------------------------
  const busy = (form, is) => all("button[type=submit], button:not([type])", form).forEach((button) => {
    if (is) button.setAttribute("aria-busy", "true"); else button.removeAttribute("aria-busy");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-form]") && !event.submitter?.formNoValidate && !checkForm(form)) { event.preventDefault(); event.stopPropagation(); return; }
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); event.stopPropagation(); return; }
    form.dataset.sent = "1";
    busy(form, true);
  }, true);
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; busy(form, false); }));
  document.addEventListener("focusout", (event) => {
    const input = event.target;
    if (input.closest && input.closest("[data-form]") && input.willValidate && (input.value || boxOf(input)?.classList.contains("has-fault"))) check(input);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[maxlength]")) count(event.target);
    if (event.target.matches("[data-form] *") && boxOf(event.target)?.classList.contains("has-fault") && event.target.validity.valid) check(event.target);
  });
  document.addEventListener("change", (event) => {
    const name = event.target.closest(".file")?.querySelector(".file-name");
    if (name) name.textContent = [...event.target.files].map((file) => file.name).join("、") || "尚未选择文件";
    if (event.target.matches("[data-submit-on-change], [data-submit-on-change] *")) event.target.form?.requestSubmit();
  });

  // htmx: answers with faults, and a server that is away -------------------------------------------------------------
  yangguang.toast = (kind, title, text) => {
    document.querySelector(".toast")?.remove();
    const template = document.getElementById("toast-template");
    if (!template) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add(`is-${kind}`);
    toast.querySelector(".alert-title").textContent = title;
    toast.querySelector(".alert-text").textContent = text;
    document.body.append(toast);
    setTimeout(() => toast.remove(), 9000);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const reply = event.detail.xhr;
    if (!(reply.getResponseHeader("content-type") || "").includes("problem+json")) return;
    event.detail.shouldSwap = false;
    if (event.detail.requestConfig.elt.matches("[data-fragment]")) return;
    const problem = JSON.parse(reply.responseText);
    const form = event.detail.requestConfig.elt.closest("[data-form]");
    if (form && problem.errors) placeFaults(form, problem.errors); else yangguang.toast("late", problem.title, problem.detail);
  });
  document.addEventListener("htmx:afterRequest", (event) => { const form = event.detail.elt.closest?.("form"); if (form) { delete form.dataset.sent; busy(form, false); } });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, ({ detail: { elt } }) => { if (elt.dataset.fragment) elt.textContent = elt.dataset.fragment; });
  }
  // No answer is no refusal: the act may be done by now. `data-once`: sent again it is not done again.
  const unanswered = (form) => {
    if (form?.method !== "post") return ["没有连接到服务器", "请检查网络后重试。"];
    const again = "once" in form.dataset ? "请检查网络后再提交一次：已经提交的不会重复，填写的内容仍在页面上。" : "请先刷新页面核对，没有提交的再重新提交。";
    return ["没有收到服务器的答复", `不知道是否已经提交。${again}`];
  };
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, ({ detail: { elt } }) => elt.dataset.fragment || yangguang.toast("late", ...unanswered(elt.closest("form"))));
  }
  document.addEventListener("htmx:load", (event) => { learnClock(event.detail.elt); tickAll(); });
  // Fragments that arrive above the place that the address names push it away: go there again, until the reader moves.
  let moved = !location.hash;
  for (const name of ["wheel", "pointerdown", "keydown"]) addEventListener(name, () => { moved = true; }, { passive: true });
  document.addEventListener("htmx:afterSettle", () => { if (!moved) document.getElementById(location.hash.slice(1))?.scrollIntoView(); });

  // Keys: data-key clicks; j, k and the arrows choose a row; a row's own keys come first --------------------------------
  const rows = () => all("[data-row]");
  function choose(row) {
    rows().forEach((other) => other.classList.toggle("is-current", other === row));
    yangguang.currentRow = row ? row.dataset.row : null;
    row?.scrollIntoView({ block: "nearest" });
    row?.focus({ preventScroll: true });
  }
  function step(by) {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.classList.contains("is-current"));
    choose(list[Math.min(list.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
  }
  function restoreRow() {
    const list = rows();
    if (!list.length) return;
    const again = list.find((row) => row.dataset.row === yangguang.currentRow) || list[0];
    list.forEach((row) => row.classList.toggle("is-current", row === again));
  }
  yangguang.restoreRow = restoreRow;
  const typing = (element) => element.matches("input, select, textarea, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all("details.confirm[open], details.menu[open]").forEach((open) => { open.open = false; open.querySelector("summary").focus(); });
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (rows().length && ["j", "ArrowDown", "k", "ArrowUp"].includes(event.key)) { step(["j", "ArrowDown"].includes(event.key) ? 1 : -1); event.preventDefault(); return; }
    const fits = (element) => element.dataset.key === event.key.toLowerCase();
    const row = document.querySelector("[data-row].is-current");
    const target = (row && all("[data-key]", row).find(fits)) || all("[data-key]").filter((element) => !element.closest("[data-row]")).find(fits);
    if (target) { event.preventDefault(); target.click(); }
  });

  // Clicks ------------------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    if (target.closest("[data-theme-toggle]")) toggleTheme();
    if (target.closest("[data-print]")) print();
    const pick = target.closest("[data-pick-all]");
    if (pick) {
      const boxes = all(`input[type=checkbox][name="${pick.dataset.pickAll}"]`, pick.form);
      const every = boxes.every((box) => box.checked);
      boxes.forEach((box) => { box.checked = !every; });
    }
    const copy = target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => yangguang.toast("ok", "已复制", copy.dataset.copy));
    all("details.confirm[open], details.menu[open]").filter((open) => !open.contains(target)).forEach((open) => { open.open = false; });
  });

  learnClock(document);
  tickAll();
  setInterval(tickAll, 1000);
  all("textarea[maxlength]").forEach(count);
  restoreRow();
  all(".faults:not([hidden]) a").forEach((link) => {
    const box = document.getElementById(link.hash.slice(1))?.closest("[data-field]");
    if (box) link.textContent = `${labelOf(box)}：${link.textContent}`;
  });
  const first = document.querySelector(".faults:not([hidden])");
  if (first) first.focus();
})();
