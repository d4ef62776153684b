"use strict";
(() => {
  const nodes = JSON.parse(document.getElementById("nodes").textContent);
  const stage = document.getElementById("stage");
  const graph = document.getElementById("graph");
  const panel = document.getElementById("panel");
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const scaleText = document.getElementById("scale");
  const boxes = nodes.map((_, index) => document.getElementById(`node-${index}`));
  const edges = [...graph.querySelectorAll(".edge")];
  const size = { width: graph.viewBox.baseVal.width, height: graph.viewBox.baseVal.height };

  // --- What is seen: (x, y) of the graph in the upper left corner, and pixels per unit.

  const view = { x: 0, y: 0, scale: 1, isFitted: true };
  const MAX_SCALE = 4;
  // A stage that is not shown has no size; the scale may not be zero all the same.
  const fittingScale = () => Math.max(Math.min(stage.clientWidth / size.width, stage.clientHeight / size.height), 0.001);

  function show() {
    const { clientWidth: width, clientHeight: height } = stage;
    graph.setAttribute("viewBox", `${view.x} ${view.y} ${width / view.scale} ${height / view.scale}`);
    // Names of boxes are too small to read now; those of blocks step in.
    graph.classList.toggle("far", view.scale < 0.45);
    scaleText.textContent = `${Math.round(view.scale * 100)}%`;
  }

  function centre(x, y) {
    view.x = x - stage.clientWidth / view.scale / 2;
    view.y = y - stage.clientHeight / view.scale / 2;
    show();
  }

  function fit() {
    view.scale = Math.min(fittingScale(), 1.25);
    centre(size.width / 2, size.height / 2);
    view.isFitted = true;
  }

  /** Zooms; the place at (left, top) of the stage stays where it is. */
  function zoom(factor, left = stage.clientWidth / 2, top = stage.clientHeight / 2) {
    const lowest = Math.min(fittingScale() / 2, 0.5);
    const scale = Math.min(Math.max(view.scale * factor, lowest), MAX_SCALE);
    view.x += left / view.scale - left / scale;
    view.y += top / view.scale - top / scale;
    view.scale = scale;
    view.isFitted = false;
    show();
  }

  function pan(right, down) {
    view.x -= right / view.scale;
    view.y -= down / view.scale;
    view.isFitted = false;
    show();
  }

  /** Brings a node to the middle, large enough to read. */
  function goTo(index) {
    const box = boxes[index].getBBox();
    view.scale = Math.max(view.scale, 0.8);
    view.isFitted = false;
    centre(box.x + box.width / 2, box.y + box.height / 2);
  }

  function goToUnseen(index) {
    const box = boxes[index].getBoundingClientRect();
    const frame = stage.getBoundingClientRect();
    const isSeen = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!isSeen) goTo(index);
  }

  new ResizeObserver(() => (view.isFitted ? fit() : show())).observe(stage);
  document.getElementById("zoom-in").addEventListener("click", () => zoom(1.25));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(0.8));
  document.getElementById("fit").addEventListener("click", fit);

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = stage.getBoundingClientRect();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touchpad arrives as a wheel with Ctrl and small steps.
    const step = event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015);
    zoom(Math.exp(-step), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });

  // --- Drag. The pointer is captured only once it moved, so that a click still reaches its node.

  let drag = null;
  graph.addEventListener("pointerdown", (event) => {
    if (event.button === 0) drag = { id: event.pointerId, x: event.clientX, y: event.clientY, hasMoved: false };
  });
  graph.addEventListener("pointermove", (event) => {
    if (drag === null || drag.id !== event.pointerId) return;
    const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.hasMoved && Math.hypot(right, down) < 4) return;
    if (!drag.hasMoved) {
      drag.hasMoved = true;
      graph.setPointerCapture(drag.id);
      graph.classList.add("dragging");
    }
    pan(right, down);
    drag.x = event.clientX;
    drag.y = event.clientY;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    graph.addEventListener(end, () => {
      drag = null;
      graph.classList.remove("dragging");
    });
  }

  // --- The panel. Everything is set as text, so no name is ever read as markup.

  let selected = null;

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function links(title, indices) {
    if (indices.length === 0) return [];
    const items = indices.map((index) => {
      const button = element("button", { type: "button", textContent: nodes[index].key });
      button.addEventListener("click", () => { select(index); goTo(index); });
      return element("li", {}, button);
    });
    return [element("h3", { textContent: `${title} (${indices.length})` }), element("ul", {}, ...items)];
  }

  function facts(pairs) {
    return element("dl", {}, ...pairs.flatMap(([label, text]) =>
      [element("dt", { textContent: label }), element("dd", { textContent: text })]));
  }

  function select(index) {
    selected = index;
    boxes.forEach((box, other) => {
      box.classList.toggle("selected", other === index);
      box.setAttribute("aria-pressed", String(other === index));
    });
    edges.forEach((edge) => {
      const isNear = [edge.dataset.from, edge.dataset.to].includes(String(index));
      edge.classList.toggle("near", isNear);
      // In front of the blocks, behind the boxes.
      if (isNear) graph.insertBefore(edge, boxes[0]);
    });
    panel.hidden = index === null;
    if (index === null) return;
    const node = nodes[index];
    const heading = element("h2", { id: "panel-title", tabIndex: -1, textContent: node.name });
    const close = element("button", { type: "button", className: "close", title: "Close (Escape)", textContent: "×" });
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", leave);
    const sections = [facts(node.facts)];
    if (node.explanation !== null) {
      sections.push(element("h3", { textContent: "Explanation" }), element("p", { className: "explanation", textContent: node.explanation }));
    }
    for (const [label, text] of node.inputs) {
      sections.push(element("h3", { textContent: label }), element("pre", { textContent: text }));
    }
    if (node.secrets.length > 0) sections.push(element("h3", { textContent: "Secret inputs" }), facts(node.secrets));
    sections.push(...links("Depends on", node.depends_on), ...links("Needed by", node.needed_by));
    panel.replaceChildren(heading, close, ...sections);
    panel.scrollTop = 0;
    heading.focus({ preventScroll: true });
  }

  /** Closes the panel; the focus goes back to the node. */
  function leave() {
    const index = selected;
    select(null);
    if (index !== null) boxes[index].focus({ preventScroll: true });
  }

  boxes.forEach((box, index) => {
    const { key, facts: told } = nodes[index];
    const definition = told.find(([label]) => label === "Definition");
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "button");
    box.setAttribute("aria-label", definition ? `${key}, Definition ${definition[1]}` : key);
    box.setAttribute("aria-pressed", "false");
    box.addEventListener("focus", () => { if (box.matches(":focus-visible")) goToUnseen(index); });
    box.addEventListener("click", () => { select(index); goToUnseen(index); });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      select(index);
      goToUnseen(index);
    });
  });

  // --- Search.

  const texts = nodes.map(({ key, facts: told }) =>
    [key, ...told.map(([, text]) => text)].join("\n").toLowerCase());
  let matches = [];
  let current = -1;

  function search() {
    const words = query.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    matches = words.length === 0 ? [] : [...texts.keys()].filter((index) => words.every((word) => texts[index].includes(word)));
    current = -1;
    graph.classList.toggle("searching", words.length > 0);
    boxes.forEach((box, index) => box.classList.toggle("match", matches.includes(index)));
    markCurrent();
    found.textContent = words.length === 0 ? "" : `${matches.length} found`;
  }

  function markCurrent() {
    boxes.forEach((box, index) => box.classList.toggle("current", index === matches[current]));
  }

  function walk(step) {
    if (matches.length === 0) return;
    current = current < 0 && step < 0 ? matches.length - 1 : (current + step + matches.length) % matches.length;
    markCurrent();
    goTo(matches[current]);
    found.textContent = `${current + 1} of ${matches.length}`;
  }

  query.addEventListener("input", search);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") walk(event.shiftKey ? -1 : 1);
    if (event.key === "Escape" && query.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      query.value = "";
      search();
    }
  });

  // --- Keys of the whole page.

  const keys = {
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit,
    "/": () => query.focus(), "Escape": leave,
    "ArrowLeft": () => pan(60, 0), "ArrowRight": () => pan(-60, 0),
    "ArrowUp": () => pan(0, 60), "ArrowDown": () => pan(0, -60),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target === query && event.key !== "Escape";
    const isScrolling = panel.contains(event.target) && event.key.startsWith("Arrow");
    if (isTyping || isScrolling || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  fit();
})();
