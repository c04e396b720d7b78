"use strict";
(() => {
  const data = JSON.parse(document.getElementById("plane-data").textContent);
  const at = (name) => document.getElementById(`plane-${name}`);
  const svg = at("svg"), tip = at("tip"), slider = at("epoch");
  const SPACE = "http://www.w3.org/2000/svg";
  const SHADES = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
  const outline = (corners) => (r) => `M${corners.map(([x, y]) => `${(x * r).toFixed(2)},${(y * r).toFixed(2)}`).join("L")}Z`;
  const around = (radii) => outline(radii.map((d, i) => {
    const angle = (2 * Math.PI * i) / radii.length - Math.PI / 2;
    return [d * Math.cos(angle), d * Math.sin(angle)];
  }));
  const quarters = (corners) => outline([[1, 0], [0, 1], [-1, 0], [0, -1]].flatMap(([c, s]) => corners.map(([x, y]) => [c * x - s * y, s * x + c * y])));
  /* The marks by the letters that the still pictures use. */
  const SHAPES = {
    o: (r) => `M${-r},0A${r},${r} 0 1 0 ${r},0A${r},${r} 0 1 0 ${-r},0Z`,
    s: outline([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]),
    D: outline([[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]]),
    "^": outline([[0, -1.2], [1.15, 0.85], [-1.15, 0.85]]),
    v: outline([[0, 1.2], [1.15, -0.85], [-1.15, -0.85]]),
    P: quarters([[0.42, -0.42], [1.15, -0.42], [1.15, 0.42]]),
    X: quarters([[0.5, 0], [1.1, 0.6], [0.6, 1.1]]),
    "*": around([1.35, 0.55, 1.35, 0.55, 1.35, 0.55, 1.35, 0.55, 1.35, 0.55]),
    h: around([1.1, 1.1, 1.1, 1.1, 1.1, 1.1]),
  };
  const state = { set: 0, estimator: data.estimators[0], hidden: new Set(), epochs: [], index: 0, timer: 0, focus: "" };

  const make = (tag, attributes = {}, parent = null, text = "") => {
    const node = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  };
  const element = (tag, parent, text = "", name = "") => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (name) node.className = name;
    parent.appendChild(node);
    return node;
  };
  const shape = (group, radius) => SHAPES[data.groups[group].mark](radius);
  const short = (value) => (value === 0 ? "0" : Math.abs(value) < 1e-3 ? value.toExponential() : String(value));
  const nats = (value, error) => {
    if (value === null) return "not measured";
    const digits = error && error > 0 ? Math.min(5, Math.max(2, 1 - Math.floor(Math.log10(error)))) : 3;
    return error === null ? `${value.toFixed(digits)} nats` : `${value.toFixed(digits)} ± ${error.toFixed(digits)} nats`;
  };

  const gammas = [...new Set(data.runs.map((run) => run.gamma))].sort((a, b) => a - b);
  const positive = gammas.filter((gamma) => gamma > 0);
  const isShaded = positive.length > 1, low = Math.log10(positive[0]), high = Math.log10(positive[positive.length - 1]);
  const mix = (a, b, share) => Math.round(a + (b - a) * share);
  const channel = (shade, i) => parseInt(shade.slice(1 + 2 * i, 3 + 2 * i), 16);
  /* By gamma where it varies, else by group; gamma = 0 beside others has the colour of ink. */
  const colour = ({ gamma, group }) => {
    if (gamma <= 0 && gammas.length > 1) return "var(--ink)";
    if (!isShaded) return data.groups[group].colour;
    const place = ((Math.log10(gamma) - low) / (high - low)) * (SHADES.length - 1);
    const i = Math.min(SHADES.length - 2, Math.max(0, Math.floor(place)));
    return `rgb(${[0, 1, 2].map((c) => mix(channel(SHADES[i], c), channel(SHADES[i + 1], c), place - i)).join(" ")})`;
  };

  const median = (values) => quantile(values, 0.5);
  const quantile = (values, share) => {
    const sorted = [...values].sort((a, b) => a - b), place = share * (sorted.length - 1), i = Math.floor(place);
    return i + 1 < sorted.length ? sorted[i] + (place - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
  };

  /* One way for each run, or for each group and gamma the medians over its seeds. */
  const ways = () => {
    const runs = data.runs.filter((run) => run.set === state.set && run.series[state.estimator]);
    const single = runs.map((run) => {
      const s = run.series[state.estimator];
      const points = s.epoch.map((epoch, i) => ({
        epoch, x: s.x[i], y: s.y[i], ex: s.ex[i], ey: s.ey[i], flag: s.flag[i], train: s.train[i], test: s.test[i],
      }));
      return { ...run, key: run.run, title: `seed ${run.seed}`, points: points.filter((p) => p.x !== null && p.y !== null) };
    });
    if (!at("medians").checked) return single;
    const groups = new Map();
    for (const one of single) groups.set(one.way, [...(groups.get(one.way) ?? []), one]);
    return [...groups].map(([key, members]) => {
      const epochs = [...new Set(members.flatMap((way) => way.points.map((p) => p.epoch)))].sort((a, b) => a - b);
      const points = epochs.map((epoch) => {
        const there = members.flatMap((way) => way.points.filter((p) => p.epoch === epoch));
        const of = (name) => there.map((p) => p[name]);
        const error = (name) => (of(name).some((e) => e === null) ? null : Math.hypot(...of(name)) / there.length);
        return {
          epoch, x: median(of("x")), y: median(of("y")), ex: error("ex"), ey: error("ey"),
          flag: Math.max(...of("flag")), train: median(of("train")), test: median(of("test")),
          box: there.length > 1 ? ["x", "y"].map((name) => [quantile(of(name), 0.25), quantile(of(name), 0.75)]) : null,
        };
      });
      return { ...members[0], key, title: `median of ${members.length} seeds`, points };
    });
  };

  const nice = (from, to, count) => {
    const raw = (to - from) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const ticks = [];
    for (let t = Math.ceil(from / step - 1e-9) * step; t <= to + 1e-9 * step; t += step) ticks.push(Number(t.toPrecision(10)));
    return ticks;
  };
  const domain = (values) => {
    const from = Math.min(...values), to = Math.max(...values), room = 0.05 * (to - from) || 0.5;
    return [from - room, to + room];
  };

  const draw = () => {
    const all = ways();
    const shown = all.filter((way) => !state.hidden.has(way.group) && way.points.length);
    const width = Math.max(280, svg.parentNode.clientWidth), height = Math.min(560, Math.max(320, width * 0.6));
    const edge = { left: 50, right: 12, top: 10, bottom: 46 };
    const read = svg.contains(document.activeElement);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    const every = all.flatMap((way) => way.points);
    if (!every.length) return;
    const [x0, x1] = domain(every.map((p) => p.x)), [y0, y1] = domain(every.map((p) => p.y));
    const px = (x) => edge.left + ((x - x0) / (x1 - x0)) * (width - edge.left - edge.right);
    const py = (y) => height - edge.bottom - ((y - y0) / (y1 - y0)) * (height - edge.top - edge.bottom);
    for (const t of nice(x0, x1, Math.max(3, width / 110))) {
      make("line", { class: "grid", x1: px(t), x2: px(t), y1: edge.top, y2: height - edge.bottom }, svg);
      make("text", { class: "tick", x: px(t), y: height - edge.bottom + 16, "text-anchor": "middle" }, svg, String(t));
    }
    for (const t of nice(y0, y1, 6)) {
      make("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: py(t), y2: py(t) }, svg);
      make("text", { class: "tick", x: edge.left - 7, y: py(t) + 4, "text-anchor": "end" }, svg, String(t));
    }
    make("text", { x: (edge.left + width - edge.right) / 2, y: height - 8, "text-anchor": "middle" }, svg, `${data.axes.x} (nats)`);
    const middle = (edge.top + height - edge.bottom) / 2;
    make("text", { transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" }, svg, `${data.axes.y} (nats)`);

    const epoch = state.epochs[state.index];
    const order = [...shown].sort((a, b) => a.group - b.group || a.gamma - b.gamma || a.seed - b.seed);
    const marks = [];
    for (const way of order) {
      const walked = way.points.filter((p) => p.epoch <= epoch);
      if (!walked.length) continue;
      const last = walked[walked.length - 1];
      if (last.box && last.box.flat().every(Number.isFinite)) {
        const [[a, b], [c, d]] = last.box;
        const size = { width: Math.max(1, px(b) - px(a)), height: Math.max(1, py(c) - py(d)) };
        make("rect", { class: "band", x: px(a), y: py(d), ...size, style: `fill:${colour(way)};opacity:.25` }, svg);
      }
      if (at("ways").checked && walked.length > 1) {
        const line = walked.map((p, i) => `${i ? "L" : "M"}${px(p.x).toFixed(1)},${py(p.y).toFixed(1)}`).join("");
        make("path", { class: "way", d: line, style: `stroke:${colour(way)}` }, svg);
      }
      marks.push({ way, last });
    }
    for (const { last } of marks) {
      if (last.ex) make("line", { class: "error", x1: px(last.x - last.ex), x2: px(last.x + last.ex), y1: py(last.y), y2: py(last.y) }, svg);
      if (last.ey) make("line", { class: "error", x1: px(last.x), x2: px(last.x), y1: py(last.y - last.ey), y2: py(last.y + last.ey) }, svg);
    }
    const nodes = marks.map(({ way, last }, i) => {
      const flagged = last.flag ? " flagged" : "";
      const paint = last.flag ? `stroke:${colour(way)}` : `fill:${colour(way)}`;
      const lines = told(way, last);
      const node = make("path", {
        class: `mark${flagged}`, d: shape(way.group, width < 500 ? 5 : 6.5), style: paint, tabindex: -1, role: "img",
        transform: `translate(${px(last.x).toFixed(1)} ${py(last.y).toFixed(1)})`, "aria-label": lines.flat().join(", "),
        "data-run": way.key, "data-epoch": last.epoch,
      }, svg);
      const show = () => point(lines, px(last.x), py(last.y), width, height);
      node.addEventListener("pointerenter", show);
      node.addEventListener("pointerleave", hide);
      node.addEventListener("focus", () => { state.focus = way.key; show(); });
      node.addEventListener("blur", hide);
      node.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (!step) return;
        event.preventDefault();
        const next = nodes[(i + step + nodes.length) % nodes.length];
        nodes.forEach((one) => one.setAttribute("tabindex", one === next ? 0 : -1));
        next.focus();
      });
      return node;
    });
    const current = nodes.find((node) => node.dataset.run === state.focus) ?? nodes[0];
    if (current) current.setAttribute("tabindex", 0);
    if (current && read) current.focus({ preventScroll: true });
    at("number").textContent = String(epoch);
    svg.setAttribute("aria-label", `Information plane after epoch ${epoch}, ${nodes.length} marks`);
  };

  const told = (way, p) => {
    const lines = [
      [`γ = ${short(way.gamma)}, ${data.groups[way.group].label}`],
      [`${way.title}, epoch ${p.epoch}`],
      [`${data.names.x} = ${nats(p.x, p.ex)}`],
      [`${data.names.y} = ${nats(p.y, p.ey)}`],
    ];
    if (p.test !== null) lines.push([`accuracy ${(100 * p.train).toFixed(1)} % train, ${(100 * p.test).toFixed(1)} % test`]);
    lines.push([`${state.estimator} estimator, ${way.latent} latent, ${way.loss} minimised`]);
    if (p.flag) lines.push([data.flags[p.flag - 1], "flag"]);
    return lines;
  };
  const point = (lines, x, y, width, height) => {
    tip.replaceChildren();
    lines.forEach(([text, name], i) => element(i ? "div" : "strong", tip, text, name ?? ""));
    tip.hidden = false;
    const left = x + 14 + tip.offsetWidth > width ? Math.max(0, x - 14 - tip.offsetWidth) : x + 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.min(Math.max(0, y - tip.offsetHeight / 2), Math.max(0, height - tip.offsetHeight))}px`;
  };
  const hide = () => { tip.hidden = true; };

  const step = (index) => {
    state.index = Math.min(Math.max(0, index), state.epochs.length - 1);
    slider.value = String(state.index);
    slider.setAttribute("aria-valuetext", `epoch ${state.epochs[state.index]}`);
    hide();
    draw();
  };
  /* The groups that the current data set and estimator have, each with its mark. */
  const choices = () => {
    at("grouped").textContent = data.grouped;
    at("groups").querySelectorAll("label").forEach((label) => label.remove());
    const runs = data.runs.filter((run) => run.set === state.set && run.series[state.estimator]);
    data.groups.forEach(({ label: text, colour: own }, i) => {
      if (!runs.some((run) => run.group === i)) return;
      const label = element("label", at("groups")), input = element("input", label);
      input.type = "checkbox";
      input.checked = !state.hidden.has(i);
      input.addEventListener("change", () => {
        if (input.checked) state.hidden.delete(i);
        else state.hidden.add(i);
        hide();
        draw();
      });
      const swatch = make("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" }, label);
      make("path", { d: shape(i, 6), style: `fill:${isShaded ? "none" : own};stroke:var(--ink);stroke-width:1.4` }, swatch);
      label.appendChild(document.createTextNode(text));
    });
  };
  const renew = () => {
    const epochs = data.runs.filter((run) => run.set === state.set && run.series[state.estimator])
      .flatMap((run) => run.series[state.estimator].epoch);
    state.epochs = [...new Set(epochs)].sort((a, b) => a - b);
    slider.max = String(Math.max(0, state.epochs.length - 1));
    slider.disabled = at("play").disabled = state.epochs.length < 2;
    choices();
    step(state.epochs.length - 1);
  };
  const stop = () => {
    clearInterval(state.timer);
    state.timer = 0;
    at("play").textContent = "Play";
    at("play").setAttribute("aria-pressed", "false");
  };
  const play = () => {
    if (state.timer) { stop(); return; }
    if (state.index >= state.epochs.length - 1) step(0);
    at("play").textContent = "Pause";
    at("play").setAttribute("aria-pressed", "true");
    state.timer = setInterval(() => {
      if (state.index >= state.epochs.length - 1) stop();
      else step(state.index + 1);
    }, 220);
  };

  const choice = (name, texts, chosen, change) => {
    const set = at(name);
    texts.forEach((text, i) => {
      const label = element("label", set), input = element("input", label);
      input.type = "radio";
      input.name = `plane-${name}`;
      input.checked = i === chosen;
      input.addEventListener("change", () => change(i));
      label.appendChild(document.createTextNode(text));
    });
    set.hidden = texts.length < 2;
    if (set.hidden) set.style.display = "none";
  };
  const available = (set) => data.estimators.filter((one) => data.runs.some((run) => run.set === set && run.series[one]));
  const start = (set) => {
    state.set = set;
    const there = available(set);
    state.estimator = there[0] ?? data.estimators[0];
    at("estimators").querySelectorAll("label").forEach((label) => label.remove());
    at("estimators").style.display = "";
    choice("estimators", there, 0, (i) => { stop(); state.estimator = there[i]; renew(); });
    renew();
  };
  const sets = data.sets.map((_, i) => i).filter((i) => available(i).length);
  choice("sets", sets.map((i) => data.sets[i]), 0, (i) => { stop(); start(sets[i]); });
  /* A bar of colours where several gammas have one, else in words. */
  const legend = () => {
    at("gammas").replaceChildren();
    if (!isShaded) {
      const texts = gammas.map((gamma) => (gammas.length < 2 ? `${short(gamma)} everywhere` : `${short(gamma)} ${gamma > 0 ? "in colour" : "without"}`));
      at("gammas").textContent = texts.join(", ");
      return;
    }
    const width = Math.max(180, at("gammas").clientWidth);
    const bar = make("svg", { width, height: 34, role: "img", "aria-label": "Colours of gamma" }, at("gammas"));
    const zero = gammas[0] === 0 ? 44 : 4, end = width - 4;
    if (zero > 4) {
      make("rect", { x: 4, y: 2, width: 14, height: 12, rx: 2, style: "fill:var(--ink)" }, bar);
      make("text", { x: 11, y: 28, "text-anchor": "middle" }, bar, "0");
    }
    const shades = make("linearGradient", { id: "plane-shades" }, make("defs", {}, bar));
    SHADES.forEach((shade, i) => make("stop", { offset: i / (SHADES.length - 1), "stop-color": shade }, shades));
    make("rect", { x: zero, y: 2, width: end - zero, height: 12, rx: 2, fill: "url(#plane-shades)" }, bar);
    const place = (gamma) => zero + ((Math.log10(gamma) - low) / (high - low)) * (end - zero);
    const decades = positive.filter((gamma) => Math.abs(Math.log10(gamma) - Math.round(Math.log10(gamma))) < 1e-9);
    for (const gamma of decades.length > 1 ? decades : positive) {
      make("text", { x: place(gamma), y: 28, "text-anchor": place(gamma) > width - 20 ? "end" : "middle" }, bar, short(gamma));
    }
  };

  slider.addEventListener("input", () => { stop(); step(Number(slider.value)); });
  at("play").addEventListener("click", play);
  at("ways").addEventListener("change", draw);
  at("medians").addEventListener("change", () => { state.focus = ""; hide(); draw(); });
  new ResizeObserver(() => { hide(); legend(); draw(); }).observe(at("frame"));
  start(sets[0]);
})();
