'use strict';
(() => {
  const errors = [];
  addEventListener('error', e => errors.push(e.message));

  /* Tables sort by the column whose head is clicked: numbers from the largest, names from the first. */
  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, column) => head.addEventListener('click', () => {
      const numeric = head.classList.contains('n');
      const first = numeric && column > 0 ? 'descending' : 'ascending';
      const other = first === 'ascending' ? 'descending' : 'ascending';
      const order = head.getAttribute('aria-sort') === first ? other : first;
      const sign = order === 'ascending' ? 1 : -1;
      const key = row => numeric ? Number(row.cells[column].dataset.v) : row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows].map(row => [key(row), row]);
      rows.sort((a, b) => sign * (numeric ? a[0] - b[0] : a[0].localeCompare(b[0], 'en', { numeric: true })));
      heads.forEach(h => h.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', order);
      table.tBodies[0].append(...rows.map(r => r[1]));
    }));
  }

  /* The time lines. All show the same cycles. */
  const data = JSON.parse(document.getElementById('data').textContent);
  const tip = document.getElementById('tip');
  const LEFT = 76, ROW = 24, AXIS = 24;
  const end = Math.max(1, ...data.map(run => run ? run.end : 0));
  let from = 0, until = end;
  const lines = [...document.querySelectorAll('canvas.line')]
    .map(canvas => ({ canvas, run: data[canvas.dataset.run] }));
  for (const line of lines.filter(l => !l.run)) line.canvas.remove();
  const shown = lines.filter(l => l.run);
  /* Which layers have several parts. */
  for (const { run } of shown) {
    run.split = new Set();
    const spans = run.lanes.find(l => l.class === 'kernel').spans;
    for (let i = 0; i < spans.length; i += 5) if (spans[i + 3] > 0) run.split.add(spans[i + 2]);
  }
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const grouped = n => Math.round(n).toLocaleString('en');

  function show(a, b) {
    const span = Math.min(end, Math.max(20, b - a));
    from = Math.max(0, Math.min(a, end - span));
    until = from + span;
    shown.forEach(draw);
  }
  const zoom = (factor, at) => show(at - (at - from) * factor, at + (until - at) * factor);

  /* The first stretch that ends behind a cycle; they are in order of their begins, and hardly overlap. */
  function search(spans, cycle) {
    let low = 0, high = spans.length / 5;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[5 * middle] + spans[5 * middle + 1] < cycle) low = middle + 1; else high = middle;
    }
    return Math.max(0, low - 1);
  }

  function draw({ canvas, run }) {
    const scale = devicePixelRatio || 1, width = canvas.clientWidth, height = run.lanes.length * ROW + AXIS;
    canvas.style.height = height + 'px';
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const g = canvas.getContext('2d');
    g.setTransform(scale, 0, 0, scale, 0, 0);
    const x = cycle => LEFT + (cycle - from) / (until - from) * (width - LEFT - 4);
    g.font = '11px system-ui, sans-serif';
    g.textBaseline = 'middle';
    const ink = colour('ink'), quiet = colour('quiet'), grid = colour('grid');
    const foot = run.lanes.length * ROW;
    g.textAlign = 'center';
    for (let step = 10 ** Math.floor(Math.log10(until - from)), t = [step, step / 2, step / 5, step / 10]
      .find(s => (until - from) / s >= 5) || step / 10, c = Math.ceil(from / t) * t; c <= until; c += t) {
      g.fillStyle = grid;
      g.fillRect(x(c), 0, 1, foot + 4);
      g.fillStyle = quiet;
      if (x(c) > LEFT + 10 && x(c) < width - 24) g.fillText(grouped(c), x(c), foot + 14);
    }
    run.lanes.forEach((lane, row) => {
      const y = row * ROW + 2, high = ROW - 5, spans = lane.spans;
      g.save();
      g.beginPath();
      g.rect(LEFT, y, width - LEFT, high);
      g.clip();
      let drawn = -1;
      for (let i = search(spans, from); 5 * i < spans.length && spans[5 * i] <= until; i++) {
        const a = x(spans[5 * i]), b = x(spans[5 * i] + spans[5 * i + 1]);
        /* What is narrower than a pixel is drawn once per pixel. */
        if (b < drawn) continue;
        drawn = Math.max(a + 0.9, b);
        const layer = lane.class === 'layer';
        g.fillStyle = colour(layer ? (i % 2 ? 'layer2' : 'layer') : lane.class);
        g.fillRect(a, y, Math.max(0.9, b - a - (b - a > 4 ? 0.6 : 0)), high);
        if (b - a > 34 && (layer || lane.class === 'kernel')) {
          const part = spans[5 * i + 3], name = run.layers[spans[5 * i + 2]] || 'results';
          const text = layer ? name : run.split.has(spans[5 * i + 2]) && b - a > 60 ? 'part ' + (part + 1) : '';
          g.save();
          g.beginPath();
          g.rect(Math.max(a, LEFT), y, b - Math.max(a, LEFT) - 3, high);
          g.clip();
          g.textAlign = 'left';
          g.fillStyle = layer ? ink : '#fff';
          g.fillText(text, Math.max(a, LEFT) + 5, y + high / 2 + 0.5);
          g.restore();
        }
      }
      g.restore();
      g.textAlign = 'right';
      g.fillStyle = quiet;
      g.fillText(lane.name, LEFT - 8, y + high / 2);
    });
    if (shown.length > 1) {
      g.textAlign = 'right';
      g.font = '600 12px system-ui, sans-serif';
      g.fillStyle = ink;
      g.fillText(run.letter, LEFT - 8, foot + 13);
    }
  }

  /* What is under the pointer. */
  function find({ canvas, run }, event) {
    const box = canvas.getBoundingClientRect();
    const cycle = from + (event.clientX - box.left - LEFT) / (box.width - LEFT - 4) * (until - from);
    const lane = run.lanes[Math.floor((event.clientY - box.top) / ROW)];
    const near = 2 * (until - from) / box.width;
    let best = null;
    for (let i = lane ? search(lane.spans, cycle - near) : 0; lane && 5 * i < lane.spans.length; i++) {
      const [a, length, layer, part, bytes] = lane.spans.slice(5 * i, 5 * i + 5);
      if (a > cycle + near) break;
      if (a + length >= cycle - near) best = { lane, a, length, layer, part, bytes };
    }
    return { cycle, best };
  }
  function explain(run, s) {
    const part = s.part >= 0 && run.split.has(s.layer) ? ', part ' + (s.part + 1) : '';
    const during = s.part < 0 && (s.lane.class === 'fetch' || s.lane.class === 'store') ? ' (started there)' : '';
    const bytes = s.bytes ? '\n' + grouped(s.bytes) + ' bytes' : '';
    return `${run.layers[s.layer] || 'results'}${part}${during}\n${s.lane.name}: ${grouped(s.length)} cycles, ` +
      `${grouped(s.a)} to ${grouped(s.a + s.length)}${bytes}`;
  }

  for (const line of shown) {
    const { canvas, run } = line;
    let grip = null;
    const at = event => find(line, event).cycle;
    canvas.addEventListener('pointerdown', e => { grip = { x: e.clientX, from, until, moved: false }; canvas.setPointerCapture(e.pointerId); });
    canvas.addEventListener('pointermove', e => {
      if (grip) {
        const cycles = (e.clientX - grip.x) * (grip.until - grip.from) / (canvas.clientWidth - LEFT);
        grip.moved = grip.moved || Math.abs(e.clientX - grip.x) > 3;
        if (grip.moved) show(grip.from - cycles, grip.until - cycles);
      }
      const { best } = find(line, e);
      tip.hidden = !best || (grip && grip.moved);
      if (best) {
        tip.textContent = explain(run, best);
        tip.style.left = Math.min(e.clientX + 14, innerWidth - 300) + 'px';
        tip.style.top = e.clientY + 16 + 'px';
      }
    });
    canvas.addEventListener('pointerup', e => {
      const { best } = find(line, e);
      if (grip && !grip.moved && best && best.lane.class === 'layer') show(best.a - best.length * 0.05, best.a + best.length * 1.05);
      grip = null;
    });
    canvas.addEventListener('pointercancel', () => { grip = null; });
    canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
    canvas.addEventListener('dblclick', e => zoom(0.4, at(e)));
    canvas.addEventListener('wheel', e => {
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      zoom(e.deltaY < 0 ? 0.8 : 1.25, at(e));
    }, { passive: false });
    canvas.addEventListener('keydown', e => {
      const middle = (from + until) / 2, step = (until - from) / 8;
      const keys = { '+': () => zoom(0.6, middle), '-': () => zoom(1.6, middle), '0': () => show(0, end),
        ArrowLeft: () => show(from - step, until - step), ArrowRight: () => show(from + step, until + step) };
      if (keys[e.key]) { keys[e.key](); e.preventDefault(); }
    });
  }
  if (shown.length) {
    const middle = () => (from + until) / 2;
    document.getElementById('zoom-in').addEventListener('click', () => zoom(0.5, middle()));
    document.getElementById('zoom-out').addEventListener('click', () => zoom(2, middle()));
    document.getElementById('zoom-all').addEventListener('click', () => show(0, end));
    addEventListener('resize', () => shown.forEach(draw));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => shown.forEach(draw));
    show(0, end);
  }

  /* For the page's own test: what a browser makes of it, as JSON in the document. */
  if (location.hash === '#test') {
    const tables = [...document.querySelectorAll('table.sortable')].map(table => {
      const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
      const column = heads.findIndex(h => h.textContent === 'MAC' || h.textContent === 'A');
      const values = () => [...table.tBodies[0].rows].map(r => Number(r.cells[column].dataset.v));
      const before = values();
      heads[column].querySelector('button').click();
      const down = values();
      heads[column].querySelector('button').click();
      return { before, down, up: values() };
    });
    const lit = shown.map(({ canvas }) => {
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return pixels.some(v => v !== 0);
    });
    const seen = {
      tables, lit, errors, spans: data.map(r => r ? r.lanes.map(l => l.spans.length / 5) : []),
      rectangles: [...document.querySelectorAll('svg.memory')].map(s => s.querySelectorAll('rect').length),
      circles: document.querySelectorAll('svg.roof circle').length,
      requests: performance.getEntriesByType('resource').map(r => r.name),
      wide: document.documentElement.scrollWidth > innerWidth,
      scripts: document.scripts.length, images: document.images.length,
    };
    const out = document.createElement('pre');
    out.id = 'seen';
    out.textContent = JSON.stringify(seen);
    document.body.append(out);
  }
})();
