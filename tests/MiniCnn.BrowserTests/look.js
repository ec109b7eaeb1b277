"use strict";
// What the tests ask of a page, from within it. Each question is answered by a line for each fault.
globalThis.look = (() => {
  const described = element => {
    const path = [];
    for (let e = element; e && e !== document.body; e = e.parentElement)
      path.unshift(e.localName + (e.id ? `#${e.id}` : e.getAttribute("class") ? `.${e.getAttribute("class").replaceAll(" ", ".")}` : ""));
    return `${path.join(" ")} “${element.textContent.trim().slice(0, 30)}”`;
  };

  // Text that is seen, with its boxes: one for each line.
  function* texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, element = node.parentElement, range = document.createRange();
      if (node.data.trim() === "" || element.closest("script, style, noscript") || !element.checkVisibility({ visibilityProperty: true }))
        continue;
      range.selectNodeContents(node);
      yield { node, element, boxes: [...range.getClientRects()] };
    }
  }

  // Red, green, blue and opacity, from 0 to 1.
  const colour = text => {
    const [, space, list] = /^(rgba?|color)\((?:srgb )?([-\d.,\/ e]+)\)$/.exec(text) ?? [];
    if (!list)
      throw new Error(`a colour of another kind: ${text}`);
    const [r, g, b, a = 1] = list.split(/[ ,\/]+/).map(Number), most = space === "color" ? 1 : 255;
    return [r / most, g / most, b / most, a];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = rgb => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) =>
    sum + weight * (rgb[i] <= 0.04045 ? rgb[i] / 12.92 : ((rgb[i] + 0.055) / 1.055) ** 2.4), 0);
  const ancestors = element => element ? [...ancestors(element.parentElement), element] : [];

  // The contrast of a colour with what lies below an element, as WCAG 2 has it.
  const contrast = (element, ink) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "Canvas";                              // what the browser paints below all
    let paper = colour(getComputedStyle(probe).color), opacity = 1;
    probe.remove();
    for (const e of ancestors(element)) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none" || style.filter !== "none" || style.mixBlendMode !== "normal")
        throw new Error(`${described(e)} has more than a colour below it`);
      paper = over(colour(style.backgroundColor), paper);
      opacity *= style.opacity;
    }
    const [r, g, b, a] = colour(ink), [x, y] = [luminance(over([r, g, b, a * opacity], paper)), luminance(paper)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };

  return {
    unfold() {
      document.querySelectorAll("details").forEach(details => details.open = true);
      for (const svg of document.querySelectorAll(".chart > svg")) {
        const box = svg.getBoundingClientRect();
        svg.dispatchEvent(new PointerEvent("pointermove", { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 }));
      }
    },

    // Text has a contrast of 4.5, lines of 3.
    faint() {
      const faults = [];
      for (const { element } of texts()) {
        const style = getComputedStyle(element), got = contrast(element, element.closest("svg") ? style.fill : style.color);
        if (!(got >= 4.5))
          faults.push(`${got.toFixed(2)}: ${described(element)}`);
      }
      for (const line of document.querySelectorAll("path, line.best, line.pointer")) {
        const got = contrast(line, getComputedStyle(line).stroke);
        if (!(got >= 3))
          faults.push(`${got.toFixed(2)}: ${described(line)}`);
      }
      return faults;
    },

    // Nothing is wider than the window, and what a box holds is within it, or can be scrolled to.
    spilled() {
      const faults = [], root = document.documentElement;
      if (root.scrollWidth > innerWidth)
        faults.push(`the page is ${root.scrollWidth} wide, the window ${innerWidth}`);
      const check = (element, box, around) => {
        let { left, right, top, bottom } = box;
        for (let e = around; e; e = e.parentElement) {
          const style = getComputedStyle(e), own = e.getBoundingClientRect();
          if (style.display === "inline" || style.display === "contents")
            continue;
          const scrolls = /auto|scroll/.test(style.overflowX), cuts = /hidden|clip/.test(style.overflowY);
          const far = scrolls ? own.left - e.scrollLeft + e.scrollWidth : own.right;
          if (left < own.left - 1 - (scrolls ? e.scrollLeft : 0) || right > far + 1 || cuts && (top < own.top - 1 || bottom > own.bottom + 1)) {
            const [from, to, first, last] = [left, right, own.left, far].map(Math.round);
            faults.push(`${described(element)} ${from} to ${to}, its box ${described(e)} ${first} to ${last}`);
            return;
          }
          if (scrolls)
            ({ left, right, top, bottom } = own);
        }
      };
      for (const { element, boxes } of texts())
        boxes.forEach(box => check(element, box, element));
      for (const element of document.querySelectorAll("img, .chart > svg, table, figure, .cards div"))
        if (element.checkVisibility())
          check(element, element.getBoundingClientRect(), element.parentElement);
      return faults;
    },

    // No text stands in so narrow a box that there are but a few letters in a line.
    squeezed() {
      const faults = [];
      for (const { node, element, boxes } of texts()) {
        const lines = new Set(boxes.map(box => Math.round(box.top))).size;
        if (lines > 1 && node.data.trim().length / lines < 2.5)
          faults.push(`${lines} lines: ${described(element)}`);
      }
      return faults;
    },

    // No label of a chart lies on another one.
    overlaid() {
      const faults = [];
      for (const svg of document.querySelectorAll(".chart > svg")) {
        const labels = [...svg.querySelectorAll("text")].map(label => ({ label, box: label.getBoundingClientRect() }));
        labels.forEach((a, i) => labels.slice(i + 1).forEach(b => {
          const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          if (across > 0 && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > a.box.height / 3)    // what letters leave empty
            faults.push(`${described(a.label)} on ${described(b.label)}`);
        }));
      }
      return faults;
    },

    // Pictures can be decoded, have a size in the markup and are shown in their proportions.
    async broken() {
      const faults = [];
      for (const image of document.images) {
        const { naturalWidth: width, naturalHeight: height } = image, box = image.getBoundingClientRect();
        await image.decode().catch(error => faults.push(`${described(image.parentElement)}: ${error}`));
        if (!width || !height || !image.hasAttribute("width") || !image.hasAttribute("height"))
          faults.push(`${described(image.parentElement)}: ${image.outerHTML.slice(0, 60)}`);
        else if (image.getAttribute("width") * height !== image.getAttribute("height") * width || Math.abs(box.width * height - box.height * width) > width / 2)
          faults.push(`${described(image.parentElement)}: ${width}×${height} is shown as ${box.width}×${box.height}`);
      }
      return faults;
    },

    // A chart draws a line, or a dot where there is but one value.
    empty() {
      return [...document.querySelectorAll(".chart")].filter(chart => {
        const lines = [...chart.querySelectorAll(":scope > svg path[data-x]")];
        const isSeen = line => line.getAttribute("d") && (line.getTotalLength() > 0 || line.parentElement.querySelector("circle"));
        return lines.length === 0 || !lines.every(isSeen);
      }).map(described);
    },

    // What makes a page readable without eyes.
    unsaid() {
      const faults = [], all = selector => [...document.querySelectorAll(selector)];
      const must = (elements, holds, what) => elements.filter(e => !holds(e)).forEach(e => faults.push(`${what}: ${described(e)}`));
      const text = e => e?.textContent.trim() ?? "";
      must([document.documentElement], html => html.lang, "no language");
      must(all("table"), table => text(table.caption), "no caption");
      must(all("thead th"), th => th.scope === "col" && text(th), "no title of a column");
      must(all("tbody tr"), row => row.cells[0].localName === "th" && row.cells[0].scope === "row" && text(row.cells[0]), "no title of a row");
      must(all("tr"), row => row.cells.length === row.closest("table").rows[0].cells.length, "other columns than the table");
      must(all("img"), image => image.hasAttribute("alt"), "no alt");
      must(all("img"), image => image.alt || text(image.closest("figure")?.querySelector("figcaption")), "neither alt nor caption");
      must(all(".chart > svg"), svg => svg.getAttribute("role") === "img" && svg.getAttribute("aria-label"), "a chart without a label");
      must(all("svg:not([role])"), svg => svg.getAttribute("aria-hidden") === "true", "a drawing that is neither labelled nor hidden");
      must(all("details"), details => text(details.querySelector(":scope > summary")), "no summary");
      must(all("h1, h2, h3, h4, h5, h6"), text, "an empty heading");
      const levels = all("h1, h2, h3, h4, h5, h6").map(h => Number(h.localName[1]));
      if (levels.filter(level => level === 1).length !== 1 || levels.some((level, i) => level > (i === 0 ? 1 : levels[i - 1] + 1)))
        faults.push(`headings: ${levels}`);
      const ids = all("[id]").map(e => e.id);
      if (new Set(ids).size !== ids.length)
        faults.push(`the same id twice: ${ids}`);
      return faults;
    },

    // Elements that only a name which was taken for markup could have made.
    injected() {
      const known = "html head meta title link style noscript body main h1 h2 h3 p span bdi strong dl div dt dd section figure figcaption svg g path line circle "
        + "text output details summary table caption thead tbody tr th td img pre";
      const [last] = [...document.querySelectorAll("body > script:last-child")];
      return [...document.querySelectorAll("*")].filter(e => e !== last && !known.split(" ").includes(e.localName)
        || [...e.attributes].some(a => a.name.startsWith("on")) || e.localName === "img" && !e.src.startsWith("data:image/")).map(e => e.outerHTML.slice(0, 100));
    },

    // Numbers with a percent sign and keys run from left to right, whatever name stands before them.
    reversed() {
      const keys = [...document.querySelectorAll(".key + .key")].filter(key => {
        const [before, after] = [key.previousElementSibling, key].map(e => e.getBoundingClientRect());
        return before.top === after.top && before.left >= after.left;
      });
      return keys.map(described).concat( [...document.querySelectorAll("figcaption, p")].filter(block => {
        if (!block.checkVisibility())
          return false;
        const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          for (const match of walker.currentNode.data.matchAll(/\d[\d.]* %/g)) {
            const [first, last] = [match.index, match.index + match[0].length - 1].map(at => {
              const range = document.createRange();
              range.setStart(walker.currentNode, at);
              range.setEnd(walker.currentNode, at + 1);
              return range.getBoundingClientRect();
            });
            if (first.top === last.top && first.left >= last.left)
              return true;
          }
        }
        return false;
      }).map(described));
    },
  };
})();
