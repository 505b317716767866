/** Training: live curves, commands, evaluations, and a configuration that is checked as it is typed. */
let run = '';
let curves = {};
let logOffset = 0;
let lastStep = -1;
let polling = null;
let shownSamples = '';

async function loadRuns() {
  const { data } = await api('/v1/training');
  $('run').replaceChildren(...data.map((item) => make('option', { value: item.id, textContent: item.is_running ? `${item.id} · running` : item.id })));
  const wanted = data.find((item) => item.id === run) ?? data.find((item) => item.is_running) ?? data[0];
  if (!wanted) {
    $('run-state').textContent = 'no runs yet';
    return;
  }
  $('run').value = wanted.id;
  if (run !== wanted.id) await chooseRun(wanted.id);
}

async function chooseRun(id) {
  run = id;
  [curves, logOffset, lastStep, shownSamples] = [{}, 0, -1, ''];
  $('log').textContent = '';
  $('report').hidden = true;
  $('run-name').value = id;
  const response = await api(`/v1/training/config?run=${encodeURIComponent(id)}`, { raw: true });
  const text = await response.text();
  // Another run may have been chosen meanwhile.
  if (run !== id) return;
  $('yaml').value = text;
  await validate();
  await look();
}

/** Asks for what is new, once a second while the tab is seen. */
async function look() {
  if (!run) return;
  const asked = run;
  const state = await api(`/v1/training/state?run=${encodeURIComponent(run)}&since=${lastStep}&log=${logOffset}`);
  if (asked !== run) return;
  for (const [name, points] of Object.entries(state.curves)) {
    const first = points[0]?.[0] ?? Infinity;
    // Where a run went back, what it did since counts.
    curves[name] = [...(curves[name] ?? []).filter(([step]) => step < first), ...points].slice(-20000);
  }
  lastStep = state.step;
  logOffset = state.log_offset;
  if (state.log) {
    const log = $('log');
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
    log.textContent = (log.textContent + state.log).slice(-40000);
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }
  $('run-state').textContent = state.is_running ? 'running' : 'not running';
  $('run-state').classList.toggle('on', state.is_running);
  for (const button of $('controls').querySelectorAll('button')) button.disabled = !state.is_running;
  $('start').disabled = state.is_running;
  showTiles(state);
  showCharts();
  await loadSamples();
}

function showTiles(state) {
  const total = state.iterations ? ` of ${state.iterations}` : '';
  const loss = Object.entries(curves).find(([name, points]) => name.startsWith('loss') && points.length);
  const tiles = [
    ['Step', `${state.step}${total}`], [loss ? loss[0].replace('loss.', 'Loss: ') : 'Loss', loss ? number(loss[1].at(-1)[1]) : '–'],
    ['A step takes', seconds(state.seconds_per_step)], ['Left', state.is_running ? seconds(state.seconds_left) : '–'],
    ['Memory', state.memory_bytes ? bytes(state.memory_bytes) : '–'],
    ['Waiting for data', state.waiting_share === null ? '–' : `${Math.round(100 * state.waiting_share)} %`],
  ];
  $('tiles').replaceChildren(...tiles.map(([label, value]) => make('div', { className: 'tile' }, make('b', {}, value), make('span', {}, label))));
}

const number = (value) => (Math.abs(value) >= 0.01 && Math.abs(value) < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2));

function showCharts() {
  const names = Object.keys(curves).filter((name) => curves[name].length);
  const groups = [
    ['Loss', names.filter((name) => name.startsWith('loss') && name !== 'loss.codes')],
    ['Evaluation', names.filter((name) => name.startsWith('val.') || name.startsWith('subtrain.'))],
    ['Gradient norm', names.filter((name) => name.startsWith('grad_norm'))], ['Learning rate', names.filter((name) => name === 'lr')],
  ];
  $('charts').replaceChildren(...groups.filter(([, members]) => members.length).map(([title, members]) => chart(title, members)));
}

function smooth(points) {
  let [sum, weight] = [0, 0];
  return points.map(([step, value]) => {
    [sum, weight] = [sum * 0.9 + value, weight * 0.9 + 1];
    return [step, sum / weight];
  });
}

function chart(title, names) {
  const [width, height, left, bottom] = [460, 220, 54, 22];
  const svgName = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(svgName, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${title}: ${names.map((name) => `${name} is ${number(curves[name].at(-1)[1])}`).join(', ')}`);
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS(svgName, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    svg.append(element);
  };
  const all = names.flatMap((name) => curves[name]);
  let [low, high] = [Infinity, -Infinity];
  for (const [, value] of all) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (high === low) [low, high] = [low - Math.abs(low) / 10 - 1e-9, high + Math.abs(high) / 10 + 1e-9];
  // All charts have the same steps, so that they can be compared.
  const drawn = Object.values(curves).filter((points) => points.length);
  const [from, to] = [Math.min(...drawn.map((points) => points[0][0])), Math.max(...drawn.map((points) => points.at(-1)[0]))];
  const x = (step) => left + ((step - from) / Math.max(1, to - from)) * (width - left - 8);
  const y = (value) => 8 + ((high - value) / (high - low)) * (height - bottom - 14);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + (high - low) * share;
    draw('line', { class: 'grid', x1: left, x2: width - 8, y1: y(value), y2: y(value) });
    draw('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, number(value));
  }
  for (const [step, anchor] of [[from, 'start'], [to, 'end']]) draw('text', { x: x(step), y: height - 4, 'text-anchor': anchor }, step);
  names.forEach((name, i) => {
    const step = Math.max(1, Math.floor(curves[name].length / 700));
    const points = curves[name].filter((_, place) => place % step === 0 || place === curves[name].length - 1);
    const line = (list) => list.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    if (title === 'Loss') draw('polyline', { class: `k${i % 6} raw`, points: line(points) });
    draw('polyline', { class: `k${i % 6}`, points: line(title === 'Loss' ? smooth(points) : points) });
    if (points.length < 40) for (const [at, value] of points) draw('circle', { class: `k${i % 6}`, cx: x(at), cy: y(value), r: 3 });
  });
  const legend = names.map((name, i) => make('span', {}, make('span', { className: `k${i % 6}` }, '— '), `${name.replace(/^loss\./, '')} ${number(curves[name].at(-1)[1])}`));
  return make('figure', { className: 'chart' }, make('figcaption', {}, make('b', {}, title), ...legend), svg);
}

async function loadSamples() {
  const { data } = await api(`/v1/training/samples?run=${encodeURIComponent(run)}`);
  const key = data.map((sample) => sample.id).join();
  if (key === shownSamples && key) return;
  shownSamples = key;
  const play = (sample, reference, label) => {
    const button = make('button', { type: 'button' }, label);
    on(button, 'click', async () => {
      const response = await api(`/v1/training/audio?run=${encodeURIComponent(run)}&sample=${encodeURIComponent(sample.id)}&reference=${reference}`, { raw: true });
      const audio = make('audio', { controls: true, src: URL.createObjectURL(await response.blob()), autoplay: true, 'aria-label': label });
      button.replaceWith(audio);
    });
    return button;
  };
  $('samples').replaceChildren(...(data.length ? data.slice(0, 24).map((sample) => make('li', {},
    make('span', { className: 'grow' }, sample.name, make('div', { className: 'hint' }, `step ${sample.step} · ${sample.set}`)),
    play(sample, false, 'Model'), sample.has_reference ? play(sample, true, 'Recording') : null))
    : [make('li', { className: 'hint' }, 'Evaluations of the autoregressive model speak here.')]));
}

async function tell(line) {
  await api('/v1/training/tell', { method: 'POST', json: { run, line } });
  toast(`${line}: obeyed at the next step.`);
}

async function validate() {
  const { errors, notes } = await api('/v1/training/validate', { method: 'POST', json: { yaml: $('yaml').value || '# empty' } });
  const items = [...errors.map((text) => make('li', { className: 'bad' }, text)), ...notes.map((text) => make('li', {}, text))];
  if (!errors.length) items.unshift(make('li', { className: 'fine' }, 'The configuration can be used.'));
  $('faults').replaceChildren(...items);
}

async function checkDataset() {
  const report = $('report');
  report.hidden = false;
  report.textContent = 'Looking through the dataset…';
  try {
    const found = await runJob('/v1/training/check', { run }, ({ done, total }) => { report.textContent = `Looking through the dataset: ${done} of ${total}`; });
    report.textContent = found.lines.join('\n');
  } catch (error) {
    report.textContent = error.message;
  }
}

function startTrain() {
  on($('run'), 'change', () => chooseRun($('run').value));
  for (const button of document.querySelectorAll('[data-line]')) on(button, 'click', () => tell(button.dataset.line));
  on($('set-rate'), 'click', () => tell(`lr ${$('rate').value}`));
  let timer = null;
  on($('yaml'), 'input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => validate().catch((error) => toast(error.message)), 400);
  });
  on($('check'), 'click', checkDataset);
  on($('start'), 'click', async () => {
    const name = $('run-name').value;
    await api('/v1/training/start', { method: 'POST', json: { run: name, yaml: $('yaml').value } });
    toast(`Started ${name}.`);
    run = '';
    await new Promise((resolve) => setTimeout(resolve, 600));
    await loadRuns();
    if (run !== name) { $('run').value = name; await chooseRun(name); }
  });
  const poll = async () => {
    if (currentTab() === 'train' && !document.hidden) await look().catch(() => { $('run-state').textContent = 'no connection'; });
    polling = setTimeout(poll, 1000);
  };
  if (!polling) poll();
}
