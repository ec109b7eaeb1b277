"use strict";
// Below each chart: the values of all lines at the epoch nearest to the pointer.
for (const chart of document.querySelectorAll(".chart")) {
  const { left, right, low, high } = Object.fromEntries(Object.entries(chart.dataset).map(([name, value]) => [name, Number(value)]));
  const svg = chart.querySelector(":scope > svg"), pointer = svg.querySelector(".pointer"), output = chart.querySelector("output");
  const lines = [...svg.querySelectorAll("path[data-x]")].map(path => ({
    name: path.dataset.name, x: path.dataset.x.split(" ").map(Number), y: path.dataset.y.split(" "),
  }));
  const nearest = (numbers, at) => numbers.reduce((best, x, i) => Math.abs(x - at) < Math.abs(numbers[best] - at) ? i : best, 0);
  const show = event => {
    const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const wanted = low + (high - low) * (at - left) / (right - left);
    const all = lines.flatMap(line => line.x), epoch = all[nearest(all, wanted)], place = left + (right - left) * (epoch - low) / (high - low);
    pointer.setAttribute("x1", place);
    pointer.setAttribute("x2", place);
    pointer.style.visibility = "visible";
    output.textContent = `epoch ${epoch}: ` + lines.map(line => `${line.name} ${line.y[nearest(line.x, epoch)]}`).join(", ");
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", event => {
    if (event.pointerType === "mouse") {
      pointer.style.visibility = "hidden";
      output.textContent = "\u00A0";
    }
  });
}
// While the run continues, the page reloads itself; opened details stay open. A page that is no longer updated shows a note.
const { again, written } = document.body.dataset, key = "open " + location.pathname;
const details = [...document.querySelectorAll("details")];     // at most one in a section
try {
  const open = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  details.forEach(part => part.open = open[part.closest("section").id] ?? part.open);
} catch { }
if (Number(again) > 0) {
  const age = Date.now() - Number(written);
  if (age > 20 * 60000) {
    const stale = document.querySelector(".written");
    stale.classList.add("stale");
    stale.textContent += ` No update for ${Math.round(age / 60000)} minutes: the run may have been killed.`;
  }
  setTimeout(() => {
    try {
      sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(details.map(part => [part.closest("section").id, part.open]))));
    } catch { }
    location.reload();
  }, 1000 * Number(again));
}
