// Writes times in the reader's own zone, and puts the cursor into the search with "/". Every page works without it.
(() => {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = new Date(document.documentElement.dataset.now || Date.now());
  const parts = (date) => {
    const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value === "Sept" ? "Sep" : value]));
  };
  const day = (of) => `${of.day} ${of.month} ${of.year}`;
  const today = parts(now);
  const words = (date) => {
    const of = parts(date);
    if (day(of) === day(today)) return `today ${of.hour}:${of.minute}`;
    return of.year === today.year ? `${of.day} ${of.month} ${of.hour}:${of.minute}` : day(of);
  };
  if (zone) {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      if (time.hasAttribute("data-ago")) time.title = words(date);
      else time.textContent = words(date);
    }
    for (const note of document.querySelectorAll("[data-zone]")) note.textContent = `Times are in ${zone}.`;
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const find = document.querySelector("[data-find]");
    if (find) {
      event.preventDefault();
      find.focus();
    }
  });
})();
